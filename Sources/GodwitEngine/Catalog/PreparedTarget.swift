/// All that is prepared on the target, decided and stored before the first statement runs there.
package struct PreparedTarget: Codable, Hashable, Sendable {
    /// CREATE DATABASE for schemas that are not there.
    package var databases: [String]
    package var tables: [PreparedTable]
    package init(databases: [String], tables: [PreparedTable]) {
        self.databases = databases
        self.tables = tables
    }

    /// What is still to do, in order, given the target as it is now. Runs in a session with foreign_key_checks = 0 and the load's
    /// sql_mode. Before the first chunk is loaded it may be asked for and run as often as needed.
    /// - Parameter found: the tables among `tables` that exist now.
    /// - Throws: `EngineError.plan` where rows have come into a table that was empty or absent when it was decided.
    package func statements(found: [TableName: TargetPreparation.Found]) throws(EngineError) -> [String] {
        var foreignKeys: [String] = []
        var drops: [String] = []
        var truncations: [String] = []
        var indexes: [String] = []
        var creations: [String] = []
        for table in tables {
            let now = found[table.target]
            switch table.action {
            case .create:
                if let now, !now.isEmpty { throw TargetPreparation.mixedRows(table.target) }
                if now == nil { creations.append(table.createStatement) }
            case .dropAndCreate:
                drops.append("DROP TABLE IF EXISTS \(table.target.sql)")
                creations.append(table.createStatement)
            case .keep, .truncate:
                guard let now else {
                    throw EngineError(
                        .plan, "Table \(table.target) was on the target when it was prepared, and is gone.",
                        cure: "Start the migration anew.")
                }
                if table.action == .truncate {
                    truncations.append("TRUNCATE TABLE \(table.target.sql)")
                } else if !now.isEmpty {
                    throw TargetPreparation.mixedRows(table.target)
                }
                foreignKeys += Self.foreignKeyDrop(table, now.definition)
                indexes += Self.indexDrop(table, now.definition)
            }
        }
        // Foreign keys first, of all tables: they hold on to indexes of their parents.
        return databases + foreignKeys + drops + truncations + indexes + creations
    }

    private static func foreignKeyDrop(_ table: PreparedTable, _ now: TableDefinition) -> [String] {
        let present = now.foreignKeys.map(\.name).filter { table.droppedForeignKeys.contains($0) }
        guard !present.isEmpty else { return [] }
        let clauses = present.map { "DROP FOREIGN KEY " + SQL.identifier($0) }
        return ["ALTER TABLE \(table.target.sql) " + clauses.joined(separator: ", ")]
    }

    private static func indexDrop(_ table: PreparedTable, _ now: TableDefinition) -> [String] {
        let standIn = (try? SQLText(table.standIn)).flatMap { $0.name(2) }
        // A stand-in that is there already bears the name of the index it stands in for.
        let present = now.indexes.filter { index in
            table.droppedIndexes.contains(index.name) && !(index.name == standIn && !index.isUnique)
        }
        guard !present.isEmpty else { return [] }
        var clauses = present.map { $0.isPrimary ? "DROP PRIMARY KEY" : "DROP KEY " + SQL.identifier($0.name) }
        let hasStandIn = now.indexes.contains { $0.name == standIn && !$0.isUnique }
        if !table.standIn.isEmpty, !hasStandIn { clauses.append(table.standIn) }
        return ["ALTER TABLE \(table.target.sql) " + clauses.joined(separator: ", ")]
    }

    /// CREATE DATABASE for every schema that a table goes to and that is not there, with the defaults of the schema its tables
    /// come from.
    package static func databases(
        targets: [(source: TableName, target: TableName)], sourceSchemas: [Catalog.Schema], existing: Set<String>,
        translation: DialectTranslation = .none
    ) -> [String] {
        let defaults = Dictionary(sourceSchemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var statements: [String: String] = [:]
        for (source, target) in targets.sorted(by: { $0.source < $1.source }) {
            guard !existing.contains(target.schema), statements[target.schema] == nil else { continue }
            var text = "CREATE DATABASE IF NOT EXISTS \(SQL.identifier(target.schema))"
            if let schema = defaults[source.schema], !schema.characterSet.isEmpty {
                text += " DEFAULT CHARACTER SET \(schema.characterSet) DEFAULT COLLATE \(translation.collation(schema.collation)?.name ?? schema.collation)"
            }
            statements[target.schema] = text
        }
        return statements.sorted { $0.key < $1.key }.map(\.value)
    }
}
