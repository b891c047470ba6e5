import MySQLTypes
import MySQLWire

/// Are the tables that the task knows the ones that the source has? A replayed statement is believed to have made the same of the
/// target's table as of the source's; here it is looked at, before anything is called equal.
struct DefinitionCheck: Sendable {
    let context: RunContext

    /// Each a sentence; while statements are under way they mean nothing.
    func differences(on source: MySQLConnection) async throws -> [String] {
        let mappings = context.plan.mappings
        let current = try await Catalog.read(
            source, include: { mappings.decision(for: $0) != nil }, schemas: { mappings.mayInclude(schema: $0) })
        return Self.differences(known: context.tables.map(\.source), current: current)
    }

    static func differences(known: [TableDefinition], current: [TableDefinition]) -> [String] {
        let now = Dictionary(current.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [String] = []
        for table in known {
            guard let other = now[table.name] else {
                found.append("Table \(table.name) is not on the source any more.")
                continue
            }
            if table.period != other.period {
                found.append("Table \(table.name) is another one on the source: its history (WITH SYSTEM VERSIONING) is kept otherwise there.")
                continue
            }
            let (own, theirs) = (table.columns.map(Self.shown), other.columns.map(Self.shown))
            guard own != theirs else { continue }
            let pairs = zip(own, theirs).filter { $0 != $1 }.map { "\($1) on the source, \($0) as carried over" }
            found.append(
                "Table \(table.name) is another one on the source: "
                    + (pairs.isEmpty ? "\(theirs.count) columns, \(own.count) as carried over" : pairs.joined(separator: "; ")) + ".")
        }
        let names = Set(known.map(\.name))
        for table in current where !names.contains(table.name) {
            found.append("Table \(table.name) of the source is included by the plan and was not carried over.")
        }
        return found
    }

    private static func shown(_ column: ColumnDefinition) -> String {
        [
            "\(SQL.identifier(column.name)) \(Definitions.normalized(column.columnType))",
            Definitions.canonical(column.collation).map { "COLLATE \($0)" }, column.isNullable ? nil : "NOT NULL",
            column.isGenerated ? "generated" : nil,
        ].compactMap { $0 }.joined(separator: " ")
    }
}
