import MySQLWire

extension TargetPreparation {
    /// The tables of these names that exist on the target, and whether they have rows.
    package static func find(_ connection: MySQLConnection, _ names: Set<TableName>) async throws -> [TableName: Found] {
        let schemas = Set(names.map(\.schema))
        let definitions = try await Catalog.read(
            connection, include: { names.contains($0) }, schemas: { schemas.contains($0) })
        var found: [TableName: Found] = [:]
        for definition in definitions {
            let row = try await connection.query("SELECT 1 FROM \(definition.rowsSQL) LIMIT 1").rows.first
            found[definition.name] = Found(definition: definition, isEmpty: row == nil)
        }
        return found
    }

    /// What a session on the target needs besides Godwit's own sql_mode so that tables can be created as they are on the source.
    package static func sessionStatements(_ target: ServerFacts) -> [String] {
        var statements = ["SET SESSION foreign_key_checks = 0"]
        for variable in ["sql_require_primary_key", "sql_generate_invisible_primary_key"] where target.flag(variable) == true {
            statements.append("SET SESSION \(variable) = OFF")
        }
        return statements
    }
}
