import MySQLWire

/// Reads what a server holds. A handful of queries for all tables together, and one SHOW CREATE TABLE for each.
package enum Catalog {
    /// Schemas that belong to the server.
    package static let systemSchemas: Set<String> = ["mysql", "information_schema", "performance_schema", "sys"]

    /// The definitions of all base tables that `include` accepts, sorted by name. The server's own schemas are never read.
    ///
    /// What the user may not see, the server does not list: preflight checks the grants.
    /// - Parameter schemas: could a table of this schema be included? Others are not asked for.
    /// - Throws: `MySQLError`, or `EngineError` for a definition that cannot be understood.
    package static func read(
        _ connection: MySQLConnection, include: (TableName) -> Bool, schemas: (String) -> Bool = { _ in true }
    ) async throws -> [TableDefinition] {
        let names = try await self.schemas(connection).map(\.name).filter { schemas($0) }
        return try await withSession(connection) {
            try await readTables(connection, schemas: names, include: include)
        }
    }

    /// The definition of one table, nil where there is none of this name.
    package static func read(_ connection: MySQLConnection, table: TableName) async throws -> TableDefinition? {
        try await withSession(connection) {
            try await readTables(connection, schemas: [table.schema], named: table.table, include: { $0 == table }).first
        }
    }

    /// Names of tables with foreign keys that refer to one of `tables`, these themselves included.
    package static func children(of tables: [TableName], on connection: MySQLConnection) async throws(MySQLError) -> [TableName] {
        guard !tables.isEmpty else { return [] }
        return try await connection.query(CatalogQueries.children(tables)).rows
            .map { TableName(schema: $0.string(0) ?? "", table: $0.string(1) ?? "") }
    }

    /// A schema and its defaults.
    package struct Schema: Hashable, Sendable, Codable {
        package var name: String
        package var characterSet: String
        package var collation: String
        package init(name: String, characterSet: String, collation: String) {
            self.name = name
            self.characterSet = characterSet
            self.collation = collation
        }
    }

    /// All schemas but the server's own.
    package static func schemas(_ connection: MySQLConnection) async throws(MySQLError) -> [Schema] {
        let result = try await connection.query(CatalogQueries.schemas)
        return result.rows.compactMap { row in
            guard let name = row.string(0), !systemSchemas.contains(name.lowercased()) else { return nil }
            return Schema(name: name, characterSet: row.string(1) ?? "", collation: row.string(2) ?? "")
        }
    }

    private static func readTables(
        _ connection: MySQLConnection, schemas: [String], named: String? = nil, include: (TableName) -> Bool
    ) async throws -> [TableDefinition] {
        for _ in 1..<readings {
            do {
                return try await readTablesOnce(connection, schemas: schemas, named: named, include: include)
            } catch let error as EngineError where error.kind == .failed {
                // Several statements read what a change of definition between two of them makes disagree.
                continue
            }
        }
        return try await readTablesOnce(connection, schemas: schemas, named: named, include: include)
    }

    private static let readings = 3

    private static func readTablesOnce(
        _ connection: MySQLConnection, schemas: [String], named: String?, include: (TableName) -> Bool
    ) async throws -> [TableDefinition] {
        guard !schemas.isEmpty else { return [] }
        let features = try await features(connection)
        var assembly = CatalogAssembly(features: features)
        assembly.tables(try await connection.query(CatalogQueries.tables(schemas, named: named)).rows, include: include)
        guard !assembly.isEmpty else { return [] }
        // Where few tables of many are wanted, only these are asked for.
        let scope = CatalogQueries.Scope(schemas: schemas, tables: assembly.names)
        try assembly.columns(try await connection.query(CatalogQueries.columns(scope, features)).rows)
        assembly.foreignKeys(try await connection.query(CatalogQueries.foreignKeys(scope)).rows)
        assembly.triggers(try await connection.query(CatalogQueries.triggers(scope)).rows)
        let statistics = try await connection.query(CatalogQueries.indexes(scope, features)).rows
        for name in assembly.names {
            // Dropped since it was listed: the caller sees a table less, as if it had asked a moment later.
            guard let text = try await createStatement(connection, name) else {
                assembly.remove(name)
                continue
            }
            assembly.createStatement(text, of: name)
        }
        if let hidden = assembly.definitions.first(where: { $0.columns.isEmpty })?.name {
            // Any privilege on a table shows its name and its indexes, only one that reads it shows its columns.
            var facts = ServerFacts(version: "")
            facts.currentUser = try await connection.query("SELECT CURRENT_USER()").rows.first?.string(0) ?? ""
            facts.variables["partial_revokes"] = try await connection.query(
                "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'").rows.first?.string(1)
            throw EngineError(
                .plan, "The columns of table \(hidden) cannot be seen by the account \(Preflight.account(facts)).",
                why: "It has privileges on the table, but not SELECT.",
                cure: "GRANT SELECT ON \(Preflight.pattern(hidden.schema, facts)).* TO \(Preflight.account(facts));")
        }
        try assembly.periods()
        try assembly.indexes(statistics)
        try assembly.check()
        return assembly.definitions
    }

    private static func createStatement(_ connection: MySQLConnection, _ name: TableName) async throws -> String? {
        do {
            let result = try await connection.query("SHOW CREATE TABLE \(name.sql)")
            guard let bytes = result.rows.first?.bytes(1) else {
                throw EngineError(.failed, "The server gave no definition of table \(name).")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw EngineError(
                    .plan, "The definition of table \(name) holds bytes that are not text.",
                    why: "A binary default or comment is printed by the server as it is, and would be changed on its way.",
                    cure: "Write the default as an expression, for example DEFAULT (0xFF), or exclude the table.")
            }
            return text
        } catch let error as MySQLError where error.serverCode == 1146 {
            return nil
        }
    }

    /// Which columns this server's information_schema has: asked, not concluded from its version.
    private static func features(_ connection: MySQLConnection) async throws(MySQLError) -> CatalogFeatures {
        let rows = try await connection.query(CatalogQueries.features).rows
        let names = Set(rows.map { "\($0.string(0) ?? "").\($0.string(1) ?? "")".uppercased() })
        return CatalogFeatures(
            hasExpressions: names.contains("STATISTICS.EXPRESSION"), hasSRID: names.contains("COLUMNS.SRS_ID"))
    }

    /// Runs `body` in a session that prints definitions in the one form that `CreateStatement` reads, and gives the session's own
    /// settings back.
    package static func withSession<Output>(
        _ connection: MySQLConnection, _ body: () async throws -> Output
    ) async throws -> Output {
        let before = try await connection.query(
            "SELECT @@SESSION.sql_mode, @@SESSION.sql_quote_show_create, @@SESSION.character_set_results")
        let mode = before.rows.first?.string(0) ?? ""
        let quote = before.rows.first?.string(1) ?? "1"
        let results = before.rows.first?.string(2) ?? "NULL"
        // Invisible primary keys that the server generated are columns like any other.
        let hidden = try await connection.query("SHOW SESSION VARIABLES LIKE 'show_gipk_in_create_table_and_information_schema'")
        let showHidden = hidden.rows.first?.string(1)
        let readable = mode.split(separator: ",").filter { !["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI"].contains($0) }
        try await connection.query(
            "SET SESSION sql_mode = \(SQL.string(readable.joined(separator: ","))), sql_quote_show_create = 1"
                + ", character_set_results = utf8mb4"
                + (showHidden == nil ? "" : ", show_gipk_in_create_table_and_information_schema = ON"))
        let restore =
            "SET SESSION sql_mode = \(SQL.string(mode)), sql_quote_show_create = \(quote), character_set_results = \(results)"
            + (showHidden.map { ", show_gipk_in_create_table_and_information_schema = \($0)" } ?? "")
        do {
            let output = try await body()
            try await connection.query(restore)
            return output
        } catch {
            // The first error is the one to tell; a session that cannot be restored is closed with its connection.
            if connection.isOpen { _ = try? await connection.query(restore) }
            throw error
        }
    }
}
