import MySQLTypes

/// What a change of a parent's row does to its children, by the numbers of the tables. Pure.
package struct CascadeRules: Sendable {
    package enum Action: Sendable, Hashable { case none, cascade, setNull }

    package struct Rule: Sendable, Hashable {
        package var child: Int
        /// Positions of the foreign key's columns in the child.
        package var columns: [Int]
        /// Positions of the columns that they refer to, in the parent.
        package var referenced: [Int]
        package var onDelete: Action
        package var onUpdate: Action
    }

    /// Rules by parent.
    package private(set) var rules: [Int: [Rule]] = [:]
    /// Tables whose changes are applied in the order of the log, merged only between two changes that cascade.
    package private(set) var tables: Set<Int> = []
    /// Where cascades are logged: children that a cascade may delete, which one statement can log twice (MySQL 9.7.4, measured).
    package private(set) var loggedTwice: Set<Int> = []
    /// Where cascades are logged: parents, whose events must say so.
    package private(set) var loggedParents: Set<Int> = []

    /// No foreign keys.
    package init() {}

    /// `logged`: see `CascadeComponents`.
    package init(_ definitions: [TableDefinition], logged: Bool, foldsCase: Bool) {
        var names: [TableName: Int] = [:]
        for (index, table) in definitions.enumerated() { names[CascadeComponents.folded(table.name, foldsCase)] = index }
        for component in CascadeComponents.find(definitions, logged: false, foldsCase: foldsCase) where !logged {
            tables.formUnion(component.compactMap { names[CascadeComponents.folded($0, foldsCase)] })
        }
        for (child, table) in definitions.enumerated() {
            for key in table.foreignKeys where key.cascades {
                guard let parent = names[CascadeComponents.folded(key.referenced, foldsCase)] else { continue }
                let rule = Rule(
                    child: child, columns: Self.positions(key.columns, table), referenced: Self.positions(key.referencedColumns, definitions[parent]),
                    onDelete: Self.action(key.onDelete), onUpdate: Self.action(key.onUpdate))
                if logged {
                    loggedParents.insert(parent)
                    if rule.onDelete == .cascade { loggedTwice.insert(child) }
                } else {
                    rules[parent, default: []].append(rule)
                }
            }
        }
    }

    /// Positions of columns that some child refers to.
    package func referenced(_ table: Int) -> [Int] { Set((rules[table] ?? []).flatMap(\.referenced)).sorted() }

    /// What becomes of the rows of a child that refer to a row.
    package enum Effect: Sendable, Hashable {
        case delete
        /// New literals of the foreign key's columns; nil: NULL.
        case update([String?])
    }

    /// The effects of a change of one row of `parent`, in order. Values are SQL literals by position; a missing one is NULL. `after`: nil where the
    /// row was deleted. A key with a NULL in it refers to nothing and is referred to by nothing (MATCH SIMPLE, MySQL manual,
    /// "FOREIGN KEY Constraints").
    package func effects(
        on parent: Int, before: [Int: String], after: [Int: String]?
    ) -> [(rule: Rule, key: [String], effect: Effect)] {
        (rules[parent] ?? []).compactMap { rule in
            let key = rule.referenced.compactMap { before[$0] }
            guard key.count == rule.referenced.count else { return nil }
            let values = rule.referenced.map { after?[$0] }
            if after != nil, values == key.map(Optional.some) { return nil }
            switch after == nil ? rule.onDelete : rule.onUpdate {
            case .none: return nil
            case .setNull: return (rule, key, .update(values.map { _ in nil }))
            case .cascade: return (rule, key, after == nil ? .delete : .update(values))
            }
        }
    }

    private static func positions(_ names: [String], _ table: TableDefinition) -> [Int] {
        names.compactMap { name in table.columns.first { $0.name.lowercased() == name.lowercased() }?.position }
    }

    private static func action(_ text: String) -> Action {
        switch text {
        case "CASCADE": .cascade
        case "SET NULL": .setNull
        default: .none
        }
    }
}
