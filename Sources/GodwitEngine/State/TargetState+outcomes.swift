import MySQLTypes
import MySQLWire

/// A change that was passed over, as a policy said.
package struct ApplyException: Sendable, Hashable {
    package var table: TableName
    package var fault: RowFault
    /// The row's key as literals, or what is known of it.
    package var key: String
    package var statement: String
    package var error: String
    /// A changed row was written in another way (UPDATE_RECORD, INSERT_RECORD): nothing of it is missing.
    package var isForced: Bool
}

/// A table whose changes are not applied any more.
package struct SuspendedTable: Sendable, Hashable, Codable {
    package var table: TableName
    package var reason: String
    package var position: String
}

/// What keeps tables from being green, on the target beside the data: changes passed over, tables suspended, statements not carried
/// out. Written in the transaction that moves the checkpoint, so that neither can be there without the other.
extension TargetState {
    static let outcomeStatements = [
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`exceptions` (
          `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          `task` VARCHAR(191) NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `fault` VARCHAR(32) NOT NULL,
          `row_key` TEXT NOT NULL,
          `error` TEXT NOT NULL,
          `position` LONGTEXT NOT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
          `cleared` TINYINT NOT NULL DEFAULT 0,
          KEY (`task`, `source_schema`, `source_table`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`suspended` (
          `task` VARCHAR(191) NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `reason` TEXT NOT NULL,
          `position` LONGTEXT NOT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
          PRIMARY KEY (`task`, `source_schema`, `source_table`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`not_applied` (
          `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          `task` VARCHAR(191) NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `what` VARCHAR(191) NOT NULL,
          `statement` LONGTEXT NOT NULL,
          `position` LONGTEXT NOT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
          KEY (`task`, `source_schema`, `source_table`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`repairs` (
          `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          `task` VARCHAR(191) NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `row_key` TEXT NOT NULL,
          `kind` VARCHAR(32) NOT NULL,
          `was` LONGTEXT NULL,
          `now` LONGTEXT NULL,
          `position` LONGTEXT NOT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
          KEY (`task`, `source_schema`, `source_table`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
    ]

    private var id: String { SQL.string(task) }
    private func named(_ table: TableName) -> String { "\(SQL.string(table.schema)), \(SQL.string(table.table))" }
    private func matches(_ table: TableName) -> String {
        "task = \(id) AND source_schema = \(SQL.string(table.schema)) AND source_table = \(SQL.string(table.table))"
    }

    package func store(_ exceptions: [ApplyException], at position: ReplicationPosition, on target: MySQLConnection) async throws {
        for exception in exceptions {
            try await target.query(
                """
                INSERT INTO `godwit`.`exceptions` (task, source_schema, source_table, fault, row_key, error, position, cleared)
                VALUES (\(id), \(named(exception.table)), \(SQL.string(exception.fault.rawValue)), \(SQL.string(String(exception.key.prefix(8000)))),
                  \(SQL.string(String(exception.error.prefix(8000)))), \(SQL.string(Self.json(position))), \(exception.isForced ? 1 : 0))
                """)
        }
    }

    /// Changes passed over and not made good since, by source table.
    package func openExceptions(on target: MySQLConnection) async throws -> [TableName: UInt64] {
        let result = try await target.query(
            "SELECT source_schema, source_table, COUNT(*) FROM `godwit`.`exceptions` WHERE task = \(id) AND cleared = 0 GROUP BY source_schema, source_table")
        return Dictionary(
            result.rows.map { (TableName(schema: $0.string(0) ?? "", table: $0.string(1) ?? ""), $0.uint(2) ?? 0) },
            uniquingKeysWith: +)
    }

    /// The table is known to be as the source: compared after a repair, or loaded again.
    /// - Parameter through: the last one that counts, see `lastException`; nil: all.
    package func clearExceptions(_ table: TableName, through: UInt64? = nil, on target: MySQLConnection) async throws {
        let bound = through.map { " AND id <= \($0)" } ?? ""
        try await target.query("UPDATE `godwit`.`exceptions` SET cleared = 1 WHERE \(matches(table)) AND cleared = 0\(bound)")
    }

    package func lastException(of table: TableName, on target: MySQLConnection) async throws -> UInt64 {
        try await target.query("SELECT COALESCE(MAX(id), 0) FROM `godwit`.`exceptions` WHERE \(matches(table))").rows.first?.uint(0) ?? 0
    }

    package func suspend(
        _ table: TableName, reason: String, at position: ReplicationPosition, on target: MySQLConnection
    ) async throws {
        try await target.query(
            """
            INSERT INTO `godwit`.`suspended` (task, source_schema, source_table, reason, position)
            VALUES (\(id), \(named(table)), \(SQL.string(String(reason.prefix(8000)))), \(SQL.string(Self.json(position))))
            ON DUPLICATE KEY UPDATE reason = reason
            """)
    }

    package func suspended(on target: MySQLConnection) async throws -> [SuspendedTable] {
        let result = try await target.query(
            "SELECT source_schema, source_table, reason, position FROM `godwit`.`suspended` WHERE task = \(id) ORDER BY source_schema, source_table")
        return try result.rows.map { row in
            SuspendedTable(
                table: TableName(schema: row.string(0) ?? "", table: row.string(1) ?? ""), reason: row.string(2) ?? "",
                position: try Self.decode(ReplicationPosition.self, row.string(3) ?? "").description)
        }
    }

    /// The table is loaded again from here: nothing that went wrong with it before counts any more.
    package func forgetOutcomes(of table: TableName, on target: MySQLConnection) async throws {
        try await clearExceptions(table, on: target)
        try await target.query("DELETE FROM `godwit`.`suspended` WHERE \(matches(table))")
        try await target.query("DELETE FROM `godwit`.`not_applied` WHERE \(matches(table))")
    }

    package func storeNotApplied(
        _ table: TableName, what: String, statement: String, at position: ReplicationPosition, on target: MySQLConnection
    ) async throws {
        try await target.query(
            """
            INSERT INTO `godwit`.`not_applied` (task, source_schema, source_table, what, statement, position)
            VALUES (\(id), \(named(table)), \(SQL.string(String(what.prefix(100)))), \(SQL.string(statement)), \(SQL.string(Self.json(position))))
            """)
    }

    /// Statements of the source's log that were not carried out, each in a sentence, by source table.
    package func notApplied(on target: MySQLConnection) async throws -> [TableName: [String]] {
        let result = try await target.query(
            "SELECT source_schema, source_table, what, LEFT(statement, 200) FROM `godwit`.`not_applied` WHERE task = \(id) ORDER BY id")
        var found: [TableName: [String]] = [:]
        for row in result.rows {
            found[TableName(schema: row.string(0) ?? "", table: row.string(1) ?? ""), default: []].append(
                "\(row.string(2) ?? "") was not carried out, as the task settings say: \(row.string(3) ?? "")")
        }
        return found
    }

    package func storeRepair(
        _ table: TableName, key: String, kind: String, was: String?, now: String?, at position: ReplicationPosition,
        on target: MySQLConnection
    ) async throws {
        try await target.query(
            """
            INSERT INTO `godwit`.`repairs` (task, source_schema, source_table, row_key, kind, was, now, position)
            VALUES (\(id), \(named(table)), \(SQL.string(String(key.prefix(8000)))), \(SQL.string(kind)), \(was.map(SQL.string) ?? "NULL"),
              \(now.map(SQL.string) ?? "NULL"), \(SQL.string(Self.json(position))))
            """)
    }
}
