/// What SHOW GRANTS says of an account, one privilege at a time, so that two servers' lists can be compared whatever their order.
package struct AccountGrants: Hashable, Sendable, Codable {
    /// What a privilege is on.
    package enum Place: Hashable, Sendable, Codable {
        case everything
        /// As printed: `_` and `%` are wildcards but for a server with partial revokes.
        case schema(String)
        case table(TableName)
        /// FUNCTION, PROCEDURE.
        case routine(String, TableName)

        package var sql: String {
            switch self {
            case .everything: "*.*"
            case .schema(let schema): "\(SQL.identifier(schema)).*"
            case .table(let table): table.sql
            case .routine(let kind, let name): "\(kind) \(name.sql)"
            }
        }
    }

    package struct Privilege: Hashable, Sendable, Codable {
        /// Upper case; for columns with their list: `SELECT (`a`, `b`)`.
        package var name: String
        package var place: Place
        package var isGrantable: Bool
        package init(_ name: String, _ place: Place, isGrantable: Bool = false) {
            self.name = name
            self.place = place
            self.isGrantable = isGrantable
        }

        /// Without a column list.
        package var plainName: String { name.firstIndex(of: "(").map { name[..<$0].trimmingSuffix(" ") } ?? name }
    }

    package struct Role: Hashable, Sendable, Codable {
        package var name: AccountName
        package var isAdmin: Bool
        package init(_ name: AccountName, isAdmin: Bool = false) {
            self.name = name
            self.isAdmin = isAdmin
        }
    }

    package var privileges: Set<Privilege> = []
    package var roles: Set<Role> = []
    /// Lines of other kinds as printed (partial revokes, proxies): compared, and reported where they cannot be moved.
    package var revokes: Set<String> = []
    package var proxies: Set<String> = []

    package init() {}

    /// - Parameter lines: SHOW GRANTS's.
    package init(parsing lines: [String]) throws(AccountDefinition.Unclear) {
        for line in lines {
            let sql: SQLText
            do { sql = try SQLText(line) } catch { throw .init(reason: "a line of its grants cannot be read (\(error))") }
            try add(sql)
        }
    }

    private mutating func add(_ sql: SQLText) throws(AccountDefinition.Unclear) {
        switch sql.keyword(0) {
        case "GRANT": break
        case "REVOKE":
            revokes.insert(sql.text(0..<sql.count))
            return
        // MariaDB's `SET DEFAULT ROLE r FOR u`: see AccountReader.
        case "SET": return
        default: throw .init(reason: "its grants have a line that is no GRANT")
        }
        if sql.keyword(1) == "PROXY" {
            proxies.insert(sql.text(0..<sql.count))
            return
        }
        guard let to = Self.top("TO", in: sql, from: 1, to: sql.count) else { throw .init(reason: "a line of its grants names nobody") }
        let tail = (to..<sql.count).map { sql.keyword($0) }.joined(separator: " ")
        guard let on = Self.top("ON", in: sql, from: 1, to: to) else {
            var at = 1
            let isAdmin = tail.contains("WITH ADMIN OPTION")
            repeat {
                let (role, next) = try Self.account(sql, at)
                roles.insert(Role(role, isAdmin: isAdmin))
                at = next + 1
            } while sql.kind(at - 1) == .comma
            return
        }
        let isGrantable = tail.contains("WITH GRANT OPTION")
        let place = try Self.place(sql, on + 1)
        for part in sql.split(1..<on) {
            let open = part.first { sql.kind($0) == .open }
            let words = (part.lowerBound..<(open ?? part.upperBound)).map { sql.keyword($0) }.joined(separator: " ")
            let columns = try open.map { (open) throws(AccountDefinition.Unclear) in
                let names = (open..<part.upperBound).compactMap { sql.kind($0) == .identifier || sql.kind($0) == .word ? sql.name($0) : nil }
                return " (" + names.sorted().map(SQL.identifier).joined(separator: ", ") + ")"
            }
            guard words != "USAGE" || isGrantable else { continue }
            privileges.insert(Privilege(words + (columns ?? ""), place, isGrantable: isGrantable))
        }
    }

    /// Where the keyword stands outside parentheses.
    private static func top(_ word: String, in sql: SQLText, from: Int, to: Int) -> Int? {
        var depth = 0
        for index in from..<to {
            if sql.kind(index) == .open { depth += 1 }
            if sql.kind(index) == .close { depth -= 1 }
            if depth == 0, sql.keyword(index) == word { return index }
        }
        return nil
    }

    private static func place(_ sql: SQLText, _ start: Int) throws(AccountDefinition.Unclear) -> Place {
        var at = start
        var kind: String?
        if ["FUNCTION", "PROCEDURE"].contains(sql.keyword(at)) {
            kind = sql.keyword(at)
            at += 1
        } else if sql.keyword(at) == "TABLE" {
            at += 1
        }
        guard sql.kind(at + 1) == .dot else { throw .init(reason: "a grant is on something that Godwit does not know") }
        guard let schema = sql.name(at) else { return .everything }
        guard let name = sql.name(at + 2) else { return .schema(schema) }
        let table = TableName(schema: schema, table: name)
        return kind.map { .routine($0, table) } ?? .table(table)
    }

    /// `` `user`@`host` ``, or a role of MariaDB, which has no host. With the index behind it.
    static func account(_ sql: SQLText, _ at: Int) throws(AccountDefinition.Unclear) -> (AccountName, Int) {
        func part(_ at: Int) -> String? {
            if sql.kind(at) == .string { return String(sql.raw(at).dropFirst().dropLast()).replacing("''", with: "'") }
            return sql.name(at)
        }
        guard let user = part(at) else { throw .init(reason: "an account's name cannot be read") }
        guard sql.raw(at + 1) == "@", let host = part(at + 2) else { return (AccountName(user, ""), at + 1) }
        return (AccountName(user, host), at + 3)
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self
        while text.last == character { text = text.dropLast() }
        return String(text)
    }
}
