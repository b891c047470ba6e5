/// `user@host`; roles of MySQL are accounts too, those of MariaDB have no host.
package struct AccountName: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package var user: String
    package var host: String
    package init(_ user: String, _ host: String) {
        self.user = user
        self.host = host
    }

    package var description: String { host.isEmpty ? user : "\(user)@\(host)" }
    /// In SQL.
    package var sql: String { host.isEmpty ? SQL.identifier(user) : SQL.identifier(user) + "@" + SQL.identifier(host) }
    package static func < (left: Self, right: Self) -> Bool { (left.user, left.host) < (right.user, right.host) }

    /// Those of the server itself, and the administrator that every server has: never moved.
    package var isSystem: Bool {
        let reserved: Set = ["mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys", "root", "rdsadmin", "rdsrepladmin", "rdstopmgr", "PUBLIC"]
        return reserved.contains(user) || user.hasPrefix("rds_") || user.hasPrefix("AWS_")
    }
}

/// An account or role as its server prints it (SHOW CREATE USER, SHOW GRANTS), taken apart far enough to be compared, and to be
/// written for another server. Holds hashes of passwords: never shown, stored in no log.
///
/// Source: MySQL manual, "CREATE USER Statement"; MariaDB documentation, "CREATE USER", "SHOW CREATE USER".
package struct AccountDefinition: Hashable, Sendable, Codable {
    /// One way to prove who one is.
    package struct Authentication: Hashable, Sendable, Codable {
        package var plugin: String
        /// The stored hash as the server prints it: a literal (`'*6BB…'`, `0x2441…`), nil where it has none.
        package var hash: String?
        package init(_ plugin: String, _ hash: String? = nil) {
            self.plugin = plugin
            self.hash = hash
        }

        /// Nobody needs a password.
        package var isEmpty: Bool { (hash ?? "''") == "''" }
    }

    package var name: AccountName
    package var isRole: Bool
    /// More than one: all are asked for (MySQL), any will do (MariaDB).
    package var authentication: [Authentication]
    /// TLS, limits, expiry, lock and so on: the text of each clause that is not the default, by its first words.
    package var clauses: [String: String]
    /// Active after login. `["ALL"]` is not printed by any server.
    package var defaultRoles: Set<AccountName>
    package var grants: AccountGrants

    package init(
        name: AccountName, isRole: Bool = false, authentication: [Authentication] = [], clauses: [String: String] = [:],
        defaultRoles: Set<AccountName> = [], grants: AccountGrants = AccountGrants()
    ) {
        self.name = name
        self.isRole = isRole
        self.authentication = authentication
        self.clauses = clauses
        self.defaultRoles = defaultRoles
        self.grants = grants
    }

    /// The text is not as servers print it, or has a clause that Godwit does not know: such an account is reported, not guessed at.
    package struct Unclear: Error, Hashable, Sendable { package var reason: String }

    /// - Parameter text: SHOW CREATE USER's, from a session with `print_identified_with_as_hex`.
    package init(parsing text: String, name: AccountName) throws(Unclear) {
        self.init(name: name)
        let sql: SQLText
        do { sql = try SQLText(text) } catch { throw Unclear(reason: "its definition cannot be read (\(error))") }
        var parser = AccountParser(sql: sql)
        try parser.run()
        authentication = parser.authentication
        clauses = parser.clauses
        defaultRoles = parser.defaultRoles
    }
}

/// Takes SHOW CREATE USER's text apart.
private struct AccountParser {
    let sql: SQLText
    var at = 0
    var authentication: [AccountDefinition.Authentication] = []
    var clauses: [String: String] = [:]
    var defaultRoles: Set<AccountName> = []

    /// What a clause begins with, longest first; what is the default and says nothing.
    private static let heads: [[String]] = [
        ["DEFAULT", "ROLE"], ["REQUIRE"], ["WITH"], ["PASSWORD", "EXPIRE"], ["PASSWORD", "HISTORY"], ["PASSWORD", "REUSE", "INTERVAL"],
        ["PASSWORD", "REQUIRE", "CURRENT"], ["ACCOUNT"], ["FAILED_LOGIN_ATTEMPTS"], ["PASSWORD_LOCK_TIME"], ["ATTRIBUTE"], ["COMMENT"],
    ]
    private static let defaults: Set<String> = [
        "REQUIRE NONE", "PASSWORD EXPIRE DEFAULT", "ACCOUNT UNLOCK", "PASSWORD HISTORY DEFAULT", "PASSWORD REUSE INTERVAL DEFAULT",
        "PASSWORD REQUIRE CURRENT DEFAULT",
    ]

    init(sql: SQLText) { self.sql = sql }

    private func head(_ at: Int) -> [String]? {
        Self.heads.first { head in head.indices.allSatisfy { sql.keyword(at + $0) == head[$0] } }
    }

    mutating func run() throws(AccountDefinition.Unclear) {
        guard sql.keyword(0) == "CREATE", sql.keyword(1) == "USER" else { throw unclear(0) }
        at = 2
        _ = try accountName()
        while sql.keyword(at) == "IDENTIFIED" {
            try identified()
            if sql.keyword(at) == "AND" { at += 1 }
        }
        while at < sql.count {
            guard let head = head(at) else { throw unclear(at) }
            let start = at
            at += head.count
            if head == ["DEFAULT", "ROLE"] {
                repeat { defaultRoles.insert(try accountName()) } while skipComma()
                continue
            }
            while at < sql.count, self.head(at) == nil { at += 1 }
            let text = sql.text(start..<at)
            if !Self.defaults.contains(text.uppercased()) { clauses[head.joined(separator: " ")] = text }
        }
    }

    /// Behind IDENTIFIED: `WITH 'p' [AS h]`, `BY PASSWORD 'h'`, `VIA p [USING h] [OR p …]`.
    private mutating func identified() throws(AccountDefinition.Unclear) {
        at += 1
        switch sql.keyword(at) {
        case "BY":
            guard sql.keyword(at + 1) == "PASSWORD" else { throw unclear(at) }
            authentication.append(.init("mysql_native_password", sql.raw(at + 2)))
            at += 3
        case "WITH", "VIA":
            repeat {
                at += 1
                let plugin = Self.unquoted(sql.raw(at))
                at += 1
                var hash: String?
                if ["AS", "USING"].contains(sql.keyword(at)) {
                    hash = sql.raw(at + 1)
                    at += 2
                }
                authentication.append(.init(plugin, hash))
            } while sql.keyword(at) == "OR"
        default: throw unclear(at)
        }
    }

    private mutating func accountName() throws(AccountDefinition.Unclear) -> AccountName {
        let (name, next) = try AccountGrants.account(sql, at)
        at = next
        return name
    }

    private mutating func skipComma() -> Bool {
        guard sql.kind(at) == .comma else { return false }
        at += 1
        return true
    }

    private func unclear(_ at: Int) -> AccountDefinition.Unclear {
        // Never the text itself: it may hold a hash.
        .init(reason: "its definition has something at word \(at + 1) that Godwit does not know")
    }

    static func unquoted(_ text: String) -> String {
        guard let quote = text.first, quote == "'" || quote == "\"" || quote == "`", text.count >= 2 else { return text }
        return String(text.dropFirst().dropLast())
    }
}
