import MySQLWire

/// Names of the accounts that Godwit has made on the target, in `godwit.accounts`: these alone it may change or drop. A row stands
/// there before its account is made.
package struct AccountLedger: Sendable {
    private let key: String
    package init(task: String) { key = SQL.string(task) }

    static let createStatement = """
        CREATE TABLE IF NOT EXISTS `godwit`.`accounts` (
          `task` VARCHAR(191) NOT NULL,
          `user` VARCHAR(128) NOT NULL,
          `host` VARCHAR(255) NOT NULL,
          `is_role` TINYINT NOT NULL,
          PRIMARY KEY (`task`, `user`, `host`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """

    /// Tasks of earlier versions have no such table.
    package func install(on target: MySQLConnection) async throws {
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'accounts'")
        if exists.rows.isEmpty { try await target.query(Self.createStatement) }
    }

    /// With what says whether it is a role.
    package func names(on target: MySQLConnection) async throws -> [AccountName: Bool] {
        var names: [AccountName: Bool] = [:]
        for row in try await target.query("SELECT user, host, is_role FROM `godwit`.`accounts` WHERE task = \(key)").rows {
            names[AccountName(row.string(0) ?? "", row.string(1) ?? "")] = row.int(2) == 1
        }
        return names
    }

    package func write(_ account: AccountDefinition, on target: MySQLConnection) async throws {
        try await target.query(
            """
            REPLACE INTO `godwit`.`accounts` (task, user, host, is_role)
            VALUES (\(key), \(SQL.string(account.name.user)), \(SQL.string(account.name.host)), \(account.isRole ? 1 : 0))
            """)
    }

    package func remove(_ name: AccountName, on target: MySQLConnection) async throws {
        try await target.query(
            "DELETE FROM `godwit`.`accounts` WHERE task = \(key) AND user = \(SQL.string(name.user)) AND host = \(SQL.string(name.host))")
    }
}
