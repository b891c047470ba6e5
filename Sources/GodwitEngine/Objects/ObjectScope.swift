/// Which objects belong to a migration: those of schemas that have a table in it.
package struct ObjectScope: Sendable {
    /// Sorted, of the source. Objects keep their schema's name: those of renamed schemas are refused.
    package var schemas: [String]
    /// Tables that move, by their names on the source.
    package var tables: [TableName: TableName]
    /// What the plan leaves behind.
    package var without: Set<ObjectKind>
    package var mappings: TableMappings

    package init(tables: [TableName: TableName], without: Set<ObjectKind>, mappings: TableMappings) {
        schemas = Set(tables.keys.map(\.schema)).sorted()
        self.tables = tables
        self.without = without
        self.mappings = mappings
    }

    package init(_ context: RunContext) {
        self.init(
            tables: Dictionary(
                context.tables.map { ($0.source.name, $0.prepared.target) }, uniquingKeysWith: { first, _ in first }),
            without: context.plan.without, mappings: context.plan.mappings)
    }

    /// - Parameter table: a trigger's.
    package func includes(_ id: ObjectDefinition.ID, table: TableName? = nil) -> Bool {
        guard !without.contains(id.kind.group) else { return false }
        switch id.kind {
        case .trigger: return table.map { tables[$0] != nil } ?? false
        case .view: return schemas.contains(id.name.schema) && !mappings.isExcluded(id.name)
        case .function, .procedure, .event: return schemas.contains(id.name.schema)
        }
    }
}
