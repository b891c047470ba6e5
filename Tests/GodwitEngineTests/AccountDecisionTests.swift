import Testing

@testable import GodwitEngine

/// Accounts as values: what their servers print, what another server can take of it, what is never done.
@Suite("Accounts as values")
struct AccountDecisionTests {
    static let mysql = AccountAbilities(
        isMariaDB: false, plugins: ["caching_sha2_password", "sha256_password", "auth_socket"],
        privileges: ["SELECT", "INSERT", "EXECUTE", "CREATE USER", "BACKUP_ADMIN", "PROXY", "GRANT OPTION"])
    static let mysqlWithNative: AccountAbilities = {
        var abilities = mysql
        abilities.plugins.insert("mysql_native_password")
        return abilities
    }()
    static let mariaDB = AccountAbilities(
        isMariaDB: true, plugins: ["mysql_native_password", "ed25519", "unix_socket", "gssapi"],
        privileges: ["SELECT", "INSERT", "EXECUTE", "CREATE USER", "DELETE HISTORY"])
    static let names = AccountNames(tables: [TableName(schema: "app", table: "t"): TableName(schema: "app", table: "t")])

    static func account(_ text: String, _ grants: [String] = [], user: String = "u", host: String = "%") throws -> AccountDefinition {
        var account = try AccountDefinition(parsing: text, name: AccountName(user, host))
        account.grants = try AccountGrants(parsing: grants)
        return account
    }

    @Test func everyClauseOfMySQLIsKept() throws {
        let account = try Self.account(
            """
            CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441 DEFAULT ROLE `r`@`%`,`s``x`@`h` REQUIRE SUBJECT '/CN=a WITH b' ISSUER 'i' \
            WITH MAX_QUERIES_PER_HOUR 5 MAX_USER_CONNECTIONS 2 PASSWORD EXPIRE INTERVAL 90 DAY ACCOUNT LOCK PASSWORD HISTORY 3 \
            PASSWORD REUSE INTERVAL 10 DAY PASSWORD REQUIRE CURRENT OPTIONAL FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 ATTRIBUTE '{"a": "REQUIRE NONE"}'
            """)
        #expect(account.defaultRoles == [AccountName("r", "%"), AccountName("s`x", "h")])
        #expect(account.clauses["REQUIRE"] == "REQUIRE SUBJECT '/CN=a WITH b' ISSUER 'i'")
        #expect(account.clauses.count == 10)
        let made = AccountStatements.create(account, isMariaDB: false)
        #expect(try Self.account(made).clauses == account.clauses)
        #expect(made.contains("IDENTIFIED WITH 'caching_sha2_password' AS 0x2441 REQUIRE"))
        #expect(!made.contains("DEFAULT ROLE"))
    }

    @Test func defaultsAreNoClauses() throws {
        let account = try Self.account(
            "CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT")
        #expect(account.clauses.isEmpty)
        #expect(account.authentication.first?.isEmpty == true)
    }

    @Test(arguments: ["CREATE USER `u`@`%` IDENTIFIED WITH 'p' SOMETHING NEW", "DROP USER x", "CREATE USER `u`@`%` IDENTIFIED BY 'plain'", "CREATE USER `u`@`% "])
    func whatIsNotKnownIsNotGuessed(text: String) {
        #expect(throws: AccountDefinition.Unclear.self) { try Self.account(text) }
    }

    /// The authentication of an account, from one server to another: the plugin on the target, or nil where it cannot move.
    @Test(arguments: [
        ("WITH 'caching_sha2_password' AS 0x24", false, mysql, "caching_sha2_password"),
        ("WITH 'caching_sha2_password' AS 0x24", false, mariaDB, nil),
        ("WITH 'mysql_native_password' AS '*6B'", false, mysql, nil),
        ("WITH 'mysql_native_password' AS '*6B'", false, mysqlWithNative, "mysql_native_password"),
        ("WITH 'mysql_native_password' AS '*6B'", false, mariaDB, "mysql_native_password"),
        ("WITH 'mysql_native_password'", false, mysql, "caching_sha2_password"),
        ("WITH 'auth_socket'", false, mysql, "auth_socket"),
        ("WITH 'authentication_ldap_simple' AS 'x'", false, mysql, nil),
        ("BY PASSWORD '*6B'", true, mysql, nil),
        ("BY PASSWORD '*6B'", true, mysqlWithNative, "mysql_native_password"),
        ("BY PASSWORD '*6B'", true, mariaDB, "mysql_native_password"),
        ("VIA ed25519 USING 'abc'", true, mariaDB, "ed25519"),
        ("VIA ed25519 USING 'abc'", true, mysqlWithNative, nil),
        ("VIA unix_socket", true, mysqlWithNative, nil),
        ("VIA gssapi USING 'x'", true, mysqlWithNative, nil),
        ("VIA unix_socket OR mysql_native_password USING '*6B'", true, mysqlWithNative, nil),
        ("VIA unix_socket OR mysql_native_password USING '*6B'", true, mariaDB, "unix_socket"),
    ] as [(String, Bool, AccountAbilities, String?)])
    func authentication(text: String, isMariaDB: Bool, to: AccountAbilities, plugin: String?) throws {
        let account = try Self.account("CREATE USER `u`@`%` IDENTIFIED \(text)")
        let made = AccountTranslation(account, from: isMariaDB ? Self.mariaDB : Self.mysqlWithNative, to: to, names: Self.names)
        #expect(made.account?.authentication.first?.plugin == plugin)
        #expect(made.losses.isEmpty == (plugin != nil))
        // What is told never holds a hash.
        #expect(made.losses.allSatisfy { !$0.contains("6B") && !$0.contains("abc") })
    }

    @Test func clausesThatOnlyOneFamilyKnowsAreTold() throws {
        let account = try Self.account("CREATE USER `u`@`%` IDENTIFIED WITH 'mysql_native_password' AS '*6B' REQUIRE SSL ACCOUNT LOCK PASSWORD HISTORY 3 ATTRIBUTE '{\"secret\": 1}'")
        let made = AccountTranslation(account, from: Self.mysqlWithNative, to: Self.mariaDB, names: Self.names)
        #expect(made.account?.clauses == ["REQUIRE": "REQUIRE SSL", "ACCOUNT": "ACCOUNT LOCK"])
        #expect(made.losses.count == 2 && made.losses.allSatisfy { !$0.contains("secret") })
    }

    @Test func grantsFollowTheirSchemas() throws {
        let names = AccountNames(tables: [
            TableName(schema: "my_app", table: "t"): TableName(schema: "shop", table: "u"),
            TableName(schema: "keep", table: "k"): TableName(schema: "keep", table: "k"),
        ])
        let account = try Self.account(
            "CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x24",
            [
                "GRANT USAGE ON *.* TO `u`@`%`", "GRANT BACKUP_ADMIN ON *.* TO `u`@`%` WITH GRANT OPTION", "GRANT SELECT, INSERT ON `my\\_app`.* TO `u`@`%`",
                "GRANT SELECT (`b`, `a`), INSERT ON `my_app`.`t` TO `u`@`%`", "GRANT EXECUTE ON FUNCTION `keep`.`f` TO `u`@`%`",
                "GRANT SELECT ON `other`.* TO `u`@`%`", "GRANT SELECT ON `mysql`.* TO `u`@`%`", "GRANT `r`@`%`,`s`@`%` TO `u`@`%` WITH ADMIN OPTION",
            ])
        let made = try #require(AccountTranslation(account, from: Self.mysql, to: Self.mysql, names: names).account)
        #expect(
            AccountStatements.grants(made, isMariaDB: false) == [
                "GRANT BACKUP_ADMIN ON *.* TO `u`@`%` WITH GRANT OPTION", "GRANT EXECUTE ON FUNCTION `keep`.`f` TO `u`@`%`",
                "GRANT INSERT, SELECT (`a`, `b`) ON `shop`.`u` TO `u`@`%`", "GRANT INSERT, SELECT ON `shop`.* TO `u`@`%`",
                "GRANT SELECT ON `mysql`.* TO `u`@`%`", "GRANT `r`@`%` TO `u`@`%` WITH ADMIN OPTION", "GRANT `s`@`%` TO `u`@`%` WITH ADMIN OPTION",
            ])
        // Wildcards over schemas that get another name stand for other schemas there.
        let wild = try Self.account("CREATE USER `u`@`%` IDENTIFIED WITH 'auth_socket'", ["GRANT SELECT ON `my%`.* TO `u`@`%`"])
        #expect(AccountTranslation(wild, from: Self.mysql, to: Self.mysql, names: names).losses.count == 1)
        #expect(AccountTranslation(wild, from: Self.mysql, to: Self.mysql, names: Self.names).account?.grants.privileges.count == 1)
    }

    @Test func nobodyGetsMoreThanOnTheSource() throws {
        let account = try Self.account(
            "CREATE USER `u`@`%` IDENTIFIED WITH 'auth_socket'", ["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE SELECT ON `mysql`.* FROM `u`@`%`"])
        var to = Self.mysql
        #expect(AccountTranslation(account, from: Self.mysql, to: to, names: Self.names).account == nil)
        to.hasPartialRevokes = true
        #expect(AccountTranslation(account, from: to, to: to, names: Self.names).account != nil)
    }

    @Test func rolesBetweenFamilies() throws {
        var role = try Self.account("CREATE USER `r`@`%` IDENTIFIED WITH 'caching_sha2_password' ACCOUNT LOCK", user: "r")
        role.isRole = true
        let made = try #require(AccountTranslation(role, from: Self.mysql, to: Self.mariaDB, names: Self.names).account)
        #expect(AccountStatements.create(made, isMariaDB: true) == "CREATE ROLE `r`")
        var other = AccountDefinition(name: AccountName("r", ""), isRole: true)
        other.grants = try AccountGrants(parsing: ["GRANT SELECT ON `app`.* TO `r`"])
        let back = try #require(AccountTranslation(other, from: Self.mariaDB, to: Self.mysql, names: Self.names).account)
        #expect(AccountStatements.create(back, isMariaDB: false) == "CREATE USER `r`@`%` ACCOUNT LOCK")
    }

    // MARK: What is done

    @Test func whatStandsThereIsNeverOverwritten() throws {
        func wanted(_ hash: String) throws -> AccountTranslation {
            AccountTranslation(
                try Self.account("CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS \(hash)"), from: Self.mysql, to: Self.mysql, names: Self.names)
        }
        let (one, two) = (try wanted("0x01"), try wanted("0x02"))
        let standing = try #require(one.account)
        #expect(AccountChanges(wanted: [one], target: [standing], ledger: []) == AccountChanges(wanted: [], target: [], ledger: []))
        let refused = AccountChanges(wanted: [two], target: [standing], ledger: [])
        #expect(refused.makes.isEmpty && refused.drops.isEmpty && refused.differences.count == 1)
        #expect(refused.differences.first?.contains("0x") == false)
        let renewed = AccountChanges(wanted: [two], target: [standing], ledger: [standing.name])
        #expect(renewed.makes.count == 1 && renewed.differences.isEmpty)
        #expect(AccountChanges(wanted: [], target: [standing], ledger: [standing.name]).drops == [standing.name])
        #expect(AccountChanges(wanted: [], target: [standing], ledger: []).drops.isEmpty)
    }

    @Test func anAccountThatCannotMoveMayBeMadeByHand() throws {
        let native = AccountTranslation(
            try Self.account("CREATE USER `u`@`%` IDENTIFIED WITH 'mysql_native_password' AS '*6B'"), from: Self.mysqlWithNative, to: Self.mysql,
            names: Self.names)
        #expect(AccountChanges(wanted: [native], target: [], ledger: []).differences.count == 1)
        let standing = try Self.account("CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x01")
        #expect(AccountChanges(wanted: [native], target: [standing], ledger: []).differences.isEmpty)
    }

    @Test func rulesNeverTakeTheServersOwn() {
        let rules = AccountRules(include: ["*"], exclude: ["old@*", "?x@%"])
        #expect(rules.includes(AccountName("app", "10.%")))
        for name in [AccountName("root", "localhost"), AccountName("mysql.sys", "localhost"), AccountName("rdsadmin", "localhost"), AccountName("old", "h"), AccountName("ax", "%")] {
            #expect(!rules.includes(name))
        }
    }
}
