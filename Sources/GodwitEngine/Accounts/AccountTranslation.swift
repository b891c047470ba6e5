/// What the other server can take. Probed, never concluded from a version.
package struct AccountAbilities: Hashable, Sendable {
    package var isMariaDB: Bool
    /// Authentication plugins that are switched on.
    package var plugins: Set<String>
    /// SHOW PRIVILEGES, upper case.
    package var privileges: Set<String>
    package var hasPartialRevokes: Bool
    package init(isMariaDB: Bool, plugins: Set<String>, privileges: Set<String>, hasPartialRevokes: Bool = false) {
        self.isMariaDB = isMariaDB
        self.plugins = plugins
        self.privileges = privileges
        self.hasPartialRevokes = hasPartialRevokes
    }
}

/// Where names of the source are on the target.
package struct AccountNames: Sendable {
    /// Schemas of the plan's tables, each with the schemas that they go to.
    package var schemas: [String: Set<String>]
    /// Tables that move, under both names.
    package var tables: [TableName: TableName]
    package init(schemas: [String: Set<String>], tables: [TableName: TableName]) {
        self.schemas = schemas
        self.tables = tables
    }

    package init(tables: [TableName: TableName]) {
        self.init(schemas: [:], tables: tables)
        for (source, target) in tables { schemas[source.schema, default: []].insert(target.schema) }
    }

    static let system: Set = ["mysql", "sys", "performance_schema", "information_schema"]
}

/// An account of the source as it should stand on the target. Pure.
package struct AccountTranslation: Hashable, Sendable {
    /// On the target.
    package var name: AccountName
    /// nil: it cannot be made there, see `losses`.
    package var account: AccountDefinition?
    /// What cannot move, each a sentence with its cure; the account's grants may be fine all the same.
    package var losses: [String] = []
    /// What stays behind since it is about things that do not move.
    package var notes: [String] = []

    package init(_ source: AccountDefinition, from: AccountAbilities, to: AccountAbilities, names: AccountNames) {
        var made = source
        name = source.name
        if from.isMariaDB != to.isMariaDB { crossFamily(&made, to) }
        name = made.name
        guard authenticate(&made, from, to) else { return }
        if !source.grants.revokes.isEmpty, !to.hasPartialRevokes {
            // Without them the account would be allowed more than on the source.
            losses.append(
                "The account \(source.name) has partial revokes, which the target does not know: it is not made. "
                    + "SET PERSIST partial_revokes = ON; on the target, or create the account there yourself.")
            return
        }
        made.grants = grants(source, from, to, names)
        account = made
    }

    // MARK: Who one is

    private mutating func authenticate(_ account: inout AccountDefinition, _ from: AccountAbilities, _ to: AccountAbilities) -> Bool {
        let name = account.name
        guard !account.isRole || !to.isMariaDB else {
            account.authentication = []
            return true
        }
        if account.isRole, from.isMariaDB {
            account.authentication = []
            account.clauses["ACCOUNT"] = "ACCOUNT LOCK"
            return true
        }
        let isAny = from.isMariaDB && account.authentication.count > 1
        if isAny, !to.isMariaDB {
            losses.append(
                "The account \(name) may prove itself in one of several ways (\(account.authentication.map(\.plugin).joined(separator: ", "))), "
                    + "MySQL asks for all. Create it on the target yourself.")
            return false
        }
        for (index, way) in account.authentication.enumerated() {
            // No password is no password under any plugin.
            if way.isEmpty, ["mysql_native_password", "caching_sha2_password"].contains(way.plugin), !to.plugins.contains(way.plugin) {
                account.authentication[index] = .init(to.isMariaDB ? "mysql_native_password" : "caching_sha2_password")
                continue
            }
            guard from.isMariaDB == to.isMariaDB || way.plugin == "mysql_native_password" || way.plugin == "caching_sha2_password",
                to.plugins.contains(way.plugin)
            else {
                losses.append(
                    "The account \(name) proves itself by \(way.plugin), which the target does not offer, and a password cannot be read back: "
                        + cure(way.plugin, account, to))
                return false
            }
        }
        return true
    }

    private func cure(_ plugin: String, _ account: AccountDefinition, _ to: AccountAbilities) -> String {
        let other = to.isMariaDB ? "a password" : "a new password (caching_sha2_password)"
        let offer = plugin == "mysql_native_password" ? "switch it on there (mysql_native_password=ON, before MySQL 9), or " : ""
        return "\(offer)create the account on the target with \(other), or exclude it under `users:`."
    }

    /// Clauses that only one of the two knows.
    private mutating func crossFamily(_ account: inout AccountDefinition, _ to: AccountAbilities) {
        let common: Set = ["REQUIRE", "WITH", "PASSWORD EXPIRE", "ACCOUNT"]
        for (clause, text) in account.clauses.sorted(by: { $0.key < $1.key }) {
            guard !common.contains(clause) || (clause == "WITH" && text.contains("MAX_STATEMENT_TIME")) else { continue }
            account.clauses[clause] = nil
            // A comment may hold anything: it is not repeated here.
            let shown = ["ATTRIBUTE", "COMMENT"].contains(clause) ? clause : text
            losses.append("The account \(account.name) loses \(shown): the target has no such thing.")
        }
        if to.isMariaDB, account.isRole {
            account.clauses = [:]
            account.name.host = ""
        } else if !to.isMariaDB, account.isRole {
            account.name.host = "%"
        }
        account.defaultRoles = Set(account.defaultRoles.map { Self.role($0, to) })
    }

    private static func role(_ name: AccountName, _ to: AccountAbilities) -> AccountName {
        AccountName(name.user, to.isMariaDB ? "" : name.host.isEmpty ? "%" : name.host)
    }

    // MARK: What one may

    private mutating func grants(
        _ source: AccountDefinition, _ from: AccountAbilities, _ to: AccountAbilities, _ names: AccountNames
    ) -> AccountGrants {
        var grants = AccountGrants()
        var unknown: Set<String> = []
        for privilege in source.grants.privileges {
            let plain = privilege.plainName
            guard to.privileges.isEmpty || to.privileges.contains(plain) || ["ALL PRIVILEGES", "ALL", "USAGE"].contains(plain) else {
                unknown.insert(plain)
                continue
            }
            for place in places(privilege.place, source.name, from, to, names) {
                grants.privileges.insert(.init(privilege.name, place, isGrantable: privilege.isGrantable))
            }
        }
        if !unknown.isEmpty {
            let sentence = "The account \(source.name) has privileges that the target does not know: \(unknown.sorted().joined(separator: ", "))."
            // Between families their names differ by nature; within one a missing name is a server that offers less.
            if from.isMariaDB == to.isMariaDB { losses.append(sentence) } else { notes.append(sentence) }
        }
        grants.roles = from.isMariaDB == to.isMariaDB
            ? source.grants.roles : Set(source.grants.roles.map { .init(Self.role($0.name, to), isAdmin: $0.isAdmin) })
        grants.revokes = source.grants.revokes
        if from.isMariaDB == to.isMariaDB {
            grants.proxies = source.grants.proxies
        } else if !source.grants.proxies.isEmpty {
            losses.append("The account \(source.name) may be a proxy for others: grant it on the target yourself.")
        }
        return grants
    }

    /// Where a privilege is on the target; empty: nowhere, as `losses` or `notes` say.
    private mutating func places(
        _ place: AccountGrants.Place, _ account: AccountName, _ from: AccountAbilities, _ to: AccountAbilities, _ names: AccountNames
    ) -> [AccountGrants.Place] {
        switch place {
        case .everything: return [place]
        case .table(let table):
            if AccountNames.system.contains(table.schema) { return [place] }
            if let target = names.tables[table] { return [.table(target)] }
            // A view, or a table that stays behind.
            if names.schemas[table.schema] == [table.schema] { return [place] }
            notes.append("A grant of \(account) on \(table) stays behind: it is not among what moves.")
            return []
        case .routine(_, let routine):
            if AccountNames.system.contains(routine.schema) || names.schemas[routine.schema] == [routine.schema] { return [place] }
            notes.append("A grant of \(account) on \(routine) stays behind: it is not among what moves.")
            return []
        case .schema(let pattern): return schemas(pattern, account, from, to, names).map { .schema($0) }
        }
    }

    private mutating func schemas(
        _ pattern: String, _ account: AccountName, _ from: AccountAbilities, _ to: AccountAbilities, _ names: AccountNames
    ) -> [String] {
        // A name, or nil where wildcards stand for more than one.
        let literal = from.hasPartialRevokes ? pattern : Self.unescaped(pattern)
        if let exact = literal ?? (names.schemas[pattern] != nil ? pattern : nil) {
            if AccountNames.system.contains(exact) { return [pattern] }
            guard let targets = names.schemas[exact] else {
                notes.append("A grant of \(account) on \(SQL.identifier(exact)).* stays behind: the plan has no table there.")
                return []
            }
            // An unescaped `_` means any character: kept as it was written, while the name stays the same.
            if targets == [exact], from.hasPartialRevokes == to.hasPartialRevokes { return [pattern] }
            return targets.sorted().map { to.hasPartialRevokes ? $0 : Self.escaped($0) }
        }
        if to.hasPartialRevokes {
            losses.append(
                "The account \(account) has a grant on all schemas like \(SQL.string(pattern)); with partial_revokes the target takes this for a name. "
                    + "Grant it there schema by schema.")
            return []
        }
        guard names.schemas.allSatisfy({ $0.value == [$0.key] }) else {
            losses.append(
                "The account \(account) has a grant on all schemas like \(SQL.string(pattern)), and the plan renames schemas: grant it on the target yourself.")
            return []
        }
        return [pattern]
    }

    /// nil: it has wildcards.
    static func unescaped(_ pattern: String) -> String? {
        var name = ""
        var isEscaped = false
        for character in pattern {
            if !isEscaped, character == "\\" {
                isEscaped = true
                continue
            }
            if !isEscaped, character == "_" || character == "%" { return nil }
            name.append(character)
            isEscaped = false
        }
        return name
    }

    static func escaped(_ name: String) -> String {
        name.replacing("\\", with: "\\\\").replacing("_", with: "\\_").replacing("%", with: "\\%")
    }
}
