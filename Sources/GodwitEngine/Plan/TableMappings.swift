/// DMS table mappings: which tables, under which name, which rows.
///
/// Exclude wins over include and explicit over exclude, whatever their order; among the transformations of one object
/// the lowest rule-id counts. Source: DMS user guide, "Using table mapping to specify task settings".
package struct TableMappings: Sendable, Hashable {
    /// A selection rule, or one pattern of the plan's own `include` and `exclude`.
    struct Selection: Sendable, Hashable {
        enum Action: String, Sendable, Hashable, CaseIterable { case include, exclude, explicit }
        /// For messages: `rule-id 3`, or the pattern.
        var label: String
        /// Order of rules, for ties.
        var id: Int
        var action: Action
        var schema: NamePattern
        var table: NamePattern
        var filters: [RowFilter] = []
        var loadOrder = 0
    }

    /// A change of a schema's or a table's name.
    struct Renaming: Sendable, Hashable {
        enum Object: Sendable, Hashable { case schema, table }
        var id: Int
        var object: Object
        var schema: NamePattern
        /// `%` for a schema's.
        var table: NamePattern
        var change: NameChange
    }

    var selections: [Selection]
    /// By rule-id.
    var renamings: [Renaming]
    /// Where the rules came from, for messages.
    var file: String

    /// The source compares names without regard to case: set it when its lower_case_table_names is not 0.
    package var foldsCase = false

    /// No rule: nothing is included.
    package init() { self.init(selections: [], renamings: [], file: "") }

    init(selections: [Selection], renamings: [Renaming], file: String) {
        self.selections = selections
        self.renamings = renamings.sorted { $0.id < $1.id }
        self.file = file
    }

    /// Schemas of the servers' and of Godwit's own. No rule includes them.
    package static let reservedSchemas: Set<String> = [
        "mysql", "sys", "performance_schema", "information_schema", "godwit",
    ]

    /// What the rules say of a source table. nil: not included.
    package func decision(for table: TableName) -> TableDecision? {
        guard let selection = selection(of: table) else { return nil }
        return TableDecision(target: target(of: table), filters: selection.filters, loadOrder: selection.loadOrder)
    }

    /// Could any table of this schema be included? Lets the catalog skip schemas.
    package func mayInclude(schema: String) -> Bool {
        guard !Self.isReserved(schema) else { return false }
        return selections.contains { $0.action != .exclude && $0.schema.matches(schema, foldsCase: foldsCase) }
    }

    /// Schemas that including rules name without a wildcard, sorted.
    var namedSchemas: [String] {
        let names = selections.filter { $0.action != .exclude }.compactMap(\.schema.plainName)
        return Set(names).filter { !Self.isReserved($0) }.sorted()
    }

    static func isReserved(_ schema: String) -> Bool { reservedSchemas.contains(schema.lowercased()) }

    /// The rules that take a table; the first is the one that counts. Empty: not included.
    func takers(of table: TableName) -> [Selection] {
        guard !Self.isReserved(table.schema) else { return [] }
        let matching = selections.filter { matches($0, table) }
        let explicit = matching.filter { $0.action == .explicit }
        if explicit.isEmpty, matching.contains(where: { $0.action == .exclude }) { return [] }
        let taking = explicit.isEmpty ? matching : explicit
        // A rule that names the table counts before one that finds it by a wildcard.
        let naming = taking.filter {
            $0.schema.names(table.schema, foldsCase: foldsCase) && $0.table.names(table.table, foldsCase: foldsCase)
        }
        return (naming.isEmpty ? taking : naming).sorted { $0.id < $1.id }
    }

    /// Does an exclude rule name it, and no explicit rule? Asked of views, which move with their schema and need no include rule.
    package func isExcluded(_ name: TableName) -> Bool {
        let matching = selections.filter { matches($0, name) }
        return matching.contains { $0.action == .exclude } && !matching.contains { $0.action == .explicit }
    }

    private func selection(of table: TableName) -> Selection? { takers(of: table).first }

    func matches(_ rule: Selection, _ table: TableName) -> Bool {
        rule.schema.matches(table.schema, foldsCase: foldsCase) && rule.table.matches(table.table, foldsCase: foldsCase)
    }

    /// The name on the target.
    func target(of table: TableName) -> TableName {
        var target = table
        if let rule = renamings.first(where: {
            $0.object == .schema && $0.schema.matches(table.schema, foldsCase: foldsCase)
        }) {
            target.schema = rule.change.applied(to: table.schema)
        }
        if let rule = renamings.first(where: {
            $0.object == .table && $0.schema.matches(table.schema, foldsCase: foldsCase)
                && $0.table.matches(table.table, foldsCase: foldsCase)
        }) {
            target.table = rule.change.applied(to: table.table)
        }
        return target
    }
}

/// What a transformation makes of a name.
enum NameChange: Sendable, Hashable {
    case rename(String)
    case lowercase
    case uppercase
    case addPrefix(String)
    case removePrefix(String)
    case replacePrefix(String, with: String)
    case addSuffix(String)
    case removeSuffix(String)
    case replaceSuffix(String, with: String)

    func applied(to name: String) -> String {
        switch self {
        case .rename(let new): new
        case .lowercase: name.lowercased()
        case .uppercase: name.uppercased()
        case .addPrefix(let prefix): prefix + name
        case .removePrefix(let prefix): name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        case .replacePrefix(let old, let new): name.hasPrefix(old) ? new + name.dropFirst(old.count) : name
        case .addSuffix(let suffix): name + suffix
        case .removeSuffix(let suffix): name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        case .replaceSuffix(let old, let new): name.hasSuffix(old) ? name.dropLast(old.count) + new : name
        }
    }
}

package struct TableDecision: Sendable, Hashable {
    package var target: TableName
    /// Rows to take; empty: all. AND between filters, OR between the conditions of one.
    package var filters: [RowFilter]
    /// Higher first.
    package var loadOrder: Int
    package init(target: TableName, filters: [RowFilter] = [], loadOrder: Int = 0) {
        self.target = target
        self.filters = filters
        self.loadOrder = loadOrder
    }
}

package struct RowFilter: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case lte, ste, gte, eq, noteq, between, notbetween, null, notnull
    }
    package struct Condition: Sendable, Hashable {
        package var `operator`: Operator
        /// value, or start-value and end-value.
        package var values: [String]
        package init(operator: Operator, values: [String]) {
            self.operator = `operator`
            self.values = values
        }
    }
    package var column: String
    package var conditions: [Condition]
    package init(column: String, conditions: [Condition]) {
        self.column = column
        self.conditions = conditions
    }
}
