import MySQLWire

/// Reads accounts of a server: their list from schema `mysql`, each with SHOW CREATE USER and SHOW GRANTS.
package struct AccountReader: Sendable {
    package struct Found: Sendable {
        package var accounts: [AccountDefinition] = []
        /// Each a sentence.
        package var unclear: [String] = []
    }

    let isMariaDB: Bool
    /// Godwit's own and those that the plan leaves out.
    let includes: @Sendable (AccountName) -> Bool

    package init(isMariaDB: Bool, includes: @escaping @Sendable (AccountName) -> Bool) {
        self.isMariaDB = isMariaDB
        self.includes = includes
    }

    /// What every account's rows say, so that two readings can be compared in a moment. Tables that this server has not are left out.
    package func fingerprint(_ connection: MySQLConnection) async throws -> [[MySQLRow]] {
        var answers: [[MySQLRow]] = []
        for table in [
            "user", "global_priv", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "global_grants", "role_edges",
            "default_roles", "roles_mapping",
        ] {
            answers.append(try await Self.rows("SELECT * FROM `mysql`.`\(table)`", connection) ?? [])
        }
        return answers
    }

    /// nil: this server has no such table.
    private static func rows(_ sql: String, _ connection: MySQLConnection) async throws -> [MySQLRow]? {
        do {
            return try await connection.query(sql).rows
        } catch {
            if error.serverCode == 1146 { return nil }
            throw error
        }
    }

    package func read(_ connection: MySQLConnection) async throws -> Found {
        // Before 8.0.17 hashes are printed as they are, which for plugins of that time is plain text.
        do { try await connection.query("SET SESSION print_identified_with_as_hex = ON") } catch {
            if error.serverCode != 1193 { throw error }
        }
        var roles: Set<AccountName> = []
        let edges = isMariaDB
            ? try await Self.rows("SELECT User, '' FROM `mysql`.`user` WHERE is_role = 'Y'", connection)
            : try await Self.rows("SELECT DISTINCT FROM_USER, FROM_HOST FROM `mysql`.`role_edges`", connection)
        for row in edges ?? [] { roles.insert(AccountName(row.string(0) ?? "", row.string(1) ?? "")) }
        var found = Found()
        for row in try await connection.query("SELECT User, Host FROM `mysql`.`user` ORDER BY User, Host").rows {
            let name = AccountName(row.string(0) ?? "", row.string(1) ?? "")
            guard includes(name) else { continue }
            do {
                if let account = try await account(name, isRole: roles.contains(name), connection) { found.accounts.append(account) }
            } catch let error as AccountDefinition.Unclear {
                found.unclear.append("The account \(name) cannot be moved: \(error.reason). Create it on the target, or exclude it under `users:`.")
            }
        }
        return found
    }

    /// nil: dropped meanwhile.
    private func account(_ name: AccountName, isRole: Bool, _ connection: MySQLConnection) async throws -> AccountDefinition? {
        do {
            var account = AccountDefinition(name: name)
            if !(isRole && isMariaDB) {
                let text = try await connection.query("SHOW CREATE USER \(name.sql)").rows.first?.string(0) ?? ""
                account = try AccountDefinition(parsing: text, name: name)
            }
            account.isRole = isRole
            let lines = try await connection.query("SHOW GRANTS FOR \(name.sql)").rows.compactMap { $0.string(0) }
            account.grants = try AccountGrants(parsing: lines)
            if isMariaDB, !isRole {
                let role = try await connection.query(
                    "SELECT default_role FROM `mysql`.`user` WHERE User = \(SQL.string(name.user)) AND Host = \(SQL.string(name.host))"
                ).rows.first?.string(0)
                if let role, !role.isEmpty { account.defaultRoles = [AccountName(role, "")] }
            }
            return account
        } catch let error as MySQLError {
            // 1141, 1269, 1396, 3162: no such account.
            if [1141, 1269, 1396, 3162].contains(error.serverCode ?? 0) { return nil }
            throw error
        }
    }

    package static func abilities(_ connection: MySQLConnection, _ facts: ServerFacts) async throws -> AccountAbilities {
        let plugins = try await connection.query(
            "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'AUTHENTICATION' AND PLUGIN_STATUS = 'ACTIVE'")
        let privileges = try await connection.query("SHOW PRIVILEGES")
        return AccountAbilities(
            isMariaDB: facts.isMariaDB, plugins: Set(plugins.rows.compactMap { $0.string(0) }),
            privileges: Set(privileges.rows.compactMap { $0.string(0)?.uppercased() }),
            hasPartialRevokes: facts.flag("partial_revokes") ?? false)
    }
}
