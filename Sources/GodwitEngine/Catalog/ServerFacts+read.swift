import MySQLWire

extension ServerFacts {
    /// Reads the facts of the server behind the connection. What the account may not see is nil, with the server's words in
    /// `unreadable`; only a broken connection, or a server without the basics, throws.
    package static func read(_ connection: MySQLConnection) async throws(MySQLError) -> ServerFacts {
        var facts = ServerFacts(
            version: connection.server.version, isMariaDB: connection.server.isMariaDB,
            tlsVersion: connection.server.tlsVersion)
        for row in try await connection.query("SHOW GLOBAL VARIABLES").rows {
            if let name = row.string(0) { facts.variables[name.lowercased()] = row.string(1) ?? "" }
        }
        facts.currentUser = try await connection.query("SELECT CURRENT_USER()").rows.first?.string(0) ?? ""
        let grants = try await connection.query("SHOW GRANTS").rows.compactMap { $0.string(0) }
        facts.grants = Grants(grants, partialRevokes: facts.flag("partial_revokes") ?? false)
        for row in try await connection.query("SHOW CHARACTER SET").rows {
            if let name = row.string(0) { facts.characterSets.insert(name) }
        }
        facts.collations = try await collations(connection)
        try await facts.readBinaryLogs(connection)
        facts.preparedXA = try await facts.attempt("prepared XA transactions", connection, ["XA RECOVER"])?.rows.count
        let replicas = try await facts.attempt("registered replicas", connection, ["SHOW REPLICAS", "SHOW SLAVE HOSTS"])
        facts.replicaIDs = replicas?.rows.compactMap { $0.uint(0).map { UInt32(truncatingIfNeeded: $0) } }
        if let status = try await facts.attempt("replica status", connection, ["SHOW REPLICA STATUS", "SHOW SLAVE STATUS"]) {
            let names = ["Replica_SQL_Running", "Slave_SQL_Running"]
            let column = status.columns.firstIndex { names.contains($0.name) }
            facts.isApplyingReplica = status.rows.contains { row in column.map { row.string($0) == "Yes" } ?? true }
        }
        facts.hasRowAlias = try await facts.readRowAlias(connection)
        if facts.isMariaDB {
            // Beyond 2038 only servers answer whose TIMESTAMP has unsigned seconds.
            facts.hasUnsignedTimestamps = try await connection.query("SELECT FROM_UNIXTIME(4294967295)").rows.first?.bytes(0) != nil
        }
        return facts
    }

    /// MySQL 8.0.19 and later. Answered by the parser before any table is looked for: 1064 means that it does not know the words.
    private func readRowAlias(_ connection: MySQLConnection) async throws(MySQLError) -> Bool {
        do {
            try await connection.query(
                "EXPLAIN INSERT INTO `godwit`.`no such table` (`a`) VALUES (1) AS `new` ON DUPLICATE KEY UPDATE `a` = `new`.`a`")
            return true
        } catch {
            guard error.code == .server, !error.isConnectionLost else { throw error }
            return error.serverCode != 1064
        }
    }

    /// By full name. MariaDB lists those that fit several character sets under a short name, and says elsewhere what they are called
    /// with each.
    package static func collations(_ connection: MySQLConnection) async throws(MySQLError) -> [String: Collation] {
        var found: [String: Collation] = [:]
        let listed = try await connection.query(
            "SELECT COLLATION_NAME, CHARACTER_SET_NAME, IS_DEFAULT FROM information_schema.COLLATIONS")
        for row in listed.rows {
            guard let name = row.string(0) else { continue }
            found[name] = Collation(characterSet: row.string(1) ?? "", isDefault: row.string(2) == "Yes")
        }
        let hasFullNames = try await connection.query(
            """
            SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema'
              AND TABLE_NAME = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND COLUMN_NAME = 'FULL_COLLATION_NAME'
            """)
        guard !hasFullNames.rows.isEmpty else { return found }
        let full = try await connection.query(
            "SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
        for row in full.rows {
            guard let name = row.string(0), found[name] == nil else { continue }
            found[name] = Collation(characterSet: row.string(1) ?? "", isDefault: false)
        }
        return found
    }

    private mutating func readBinaryLogs(_ connection: MySQLConnection) async throws(MySQLError) {
        guard logsBinary else { return }
        let status = try await attempt(
            "binary log status", connection, ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"])
        if let row = status?.rows.first {
            binaryLogStatus = BinaryLogStatus(
                file: row.string(0) ?? "", position: row.uint(1) ?? 0, doSchemas: row.string(2) ?? "",
                ignoreSchemas: row.string(3) ?? "")
        }
        let logs = try await attempt("binary logs", connection, ["SHOW BINARY LOGS"])
        binaryLogs = logs?.rows.map { BinaryLog(file: $0.string(0) ?? "", size: $0.uint(1) ?? 0) } ?? []
    }

    /// Tries the spellings in order; a syntax error means that the server does not know this one. Any other answer of the server
    /// is kept in `unreadable`.
    private mutating func attempt(
        _ subject: String, _ connection: MySQLConnection, _ spellings: [String]
    ) async throws(MySQLError) -> MySQLResult? {
        for sql in spellings {
            do {
                return try await connection.query(sql)
            } catch {
                guard error.code == .server, !error.isConnectionLost else { throw error }
                unreadable[subject] = error.message
                guard error.serverCode == 1064 else { return nil }
            }
        }
        return nil
    }
}
