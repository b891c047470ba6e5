/// The statements that make an account on the target. Pure. They hold hashes: none of them is ever shown.
package enum AccountStatements {
    package static func create(_ account: AccountDefinition, isMariaDB: Bool) -> String {
        if isMariaDB, account.isRole { return "CREATE ROLE \(account.name.sql)" }
        var words = ["CREATE USER \(account.name.sql)"]
        if isMariaDB {
            let ways = account.authentication.map { way in
                SQL.identifier(way.plugin) + (way.hash.map { " USING \($0)" } ?? "")
            }
            if !ways.isEmpty { words.append("IDENTIFIED VIA " + ways.joined(separator: " OR ")) }
        } else {
            let ways = account.authentication.map { way in
                "IDENTIFIED WITH \(SQL.string(way.plugin))" + (way.hash.map { " AS \($0)" } ?? "")
            }
            if !ways.isEmpty { words.append(ways.joined(separator: " AND ")) }
        }
        // In the order of the grammar; of the two servers, MariaDB wants its lock before the expiry, MySQL takes any.
        for clause in [
            "REQUIRE", "WITH", "ACCOUNT", "PASSWORD EXPIRE", "PASSWORD HISTORY", "PASSWORD REUSE INTERVAL", "PASSWORD REQUIRE CURRENT",
            "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME", "COMMENT", "ATTRIBUTE",
        ] {
            if let text = account.clauses[clause] { words.append(text) }
        }
        return words.joined(separator: " ")
    }

    package static func drop(_ name: AccountName, isRole: Bool, isMariaDB: Bool) -> String {
        "DROP \(isMariaDB && isRole ? "ROLE" : "USER") IF EXISTS \(name.sql)"
    }

    /// One statement for each place, then roles, then what is taken away again, then default roles.
    package static func grants(_ account: AccountDefinition, isMariaDB: Bool) -> [String] {
        struct Reach: Hashable {
            var place: AccountGrants.Place
            var isGrantable: Bool
        }
        let name = account.name.sql
        let reaches = Dictionary(grouping: account.grants.privileges) { Reach(place: $0.place, isGrantable: $0.isGrantable) }
        var statements = reaches.map { reach, privileges in
            let list = privileges.map(\.name).sorted().joined(separator: ", ")
            return "GRANT \(list) ON \(reach.place.sql) TO \(name)\(reach.isGrantable ? " WITH GRANT OPTION" : "")"
        }.sorted()
        statements += account.grants.roles.sorted { $0.name < $1.name }.map {
            "GRANT \($0.name.sql) TO \(name)\($0.isAdmin ? " WITH ADMIN OPTION" : "")"
        }
        statements += account.grants.revokes.sorted() + account.grants.proxies.sorted()
        if !account.defaultRoles.isEmpty {
            let list = account.defaultRoles.sorted().map(\.sql).joined(separator: ", ")
            statements.append(isMariaDB ? "SET DEFAULT ROLE \(list) FOR \(name)" : "SET DEFAULT ROLE \(list) TO \(name)")
        }
        return statements
    }
}

/// What has to be done for the target's accounts to be the source's, and what is never done. Pure.
package struct AccountChanges: Hashable, Sendable {
    /// Made by Godwit, and gone from the source.
    package var drops: [AccountName] = []
    /// Made anew: whatever stands under the name was made by Godwit.
    package var makes: [AccountDefinition] = []
    /// What is not the same and will not be made so, each a sentence.
    package var differences: [String] = []

    /// - Parameters:
    ///   - target: accounts of these names that stand on the target.
    ///   - ledger: names that Godwit has made, or begun to make.
    package init(wanted: [AccountTranslation], target: [AccountDefinition], ledger: Set<AccountName>) {
        let found = Dictionary(target.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var names: Set<AccountName> = []
        for translation in wanted {
            names.insert(translation.name)
            guard let account = translation.account else {
                // Made by the operator, who has been told that Godwit cannot: theirs to answer for.
                if found[translation.name] == nil || ledger.contains(translation.name) { differences += translation.losses }
                continue
            }
            differences += translation.losses
            guard let other = found[account.name] else {
                makes.append(account)
                continue
            }
            let unlike = Self.differences(account, other)
            if unlike.isEmpty { continue }
            if ledger.contains(account.name) {
                makes.append(account)
            } else {
                differences.append(
                    "The account \(account.name) was on the target already, which is not overwritten, and is another one: \(unlike.joined(separator: ", ")).")
            }
        }
        drops = ledger.subtracting(names).sorted()
    }

    /// What is different, without a hash.
    static func differences(_ wanted: AccountDefinition, _ found: AccountDefinition) -> [String] {
        var list: [String] = []
        func shown(_ account: AccountDefinition) -> [String] { account.authentication.map { "\($0.plugin):\($0.isEmpty ? "" : $0.hash ?? "")" } }
        if shown(wanted) != shown(found) {
            list.append(wanted.authentication.map(\.plugin) == found.authentication.map(\.plugin) ? "the password" : "the authentication plugin")
        }
        for clause in Set(wanted.clauses.keys).union(found.clauses.keys).sorted() where wanted.clauses[clause] != found.clauses[clause] {
            list.append(clause)
        }
        if wanted.defaultRoles != found.defaultRoles { list.append("default roles") }
        list += Self.differences(wanted.grants, found.grants)
        return list
    }

    private static func differences(_ wanted: AccountGrants, _ found: AccountGrants) -> [String] {
        func names(_ grants: Set<AccountGrants.Privilege>) -> String {
            let all = grants.map { "\($0.name) ON \($0.place.sql)" }.sorted()
            return all.prefix(3).joined(separator: ", ") + (all.count > 3 ? " and \(all.count - 3) more" : "")
        }
        var list: [String] = []
        let (missing, extra) = (wanted.privileges.subtracting(found.privileges), found.privileges.subtracting(wanted.privileges))
        if !missing.isEmpty { list.append("it lacks \(names(missing))") }
        if !extra.isEmpty { list.append("it has \(names(extra)) besides") }
        if wanted.roles != found.roles { list.append("its roles") }
        if wanted.revokes != found.revokes { list.append("its partial revokes") }
        if wanted.proxies != found.proxies { list.append("its proxies") }
        return list
    }
}
