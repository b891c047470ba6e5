/// What an account may do, from the texts of SHOW GRANTS.
///
/// Source: MySQL manual, "GRANT Statement", "Privilege Restriction Using Partial Revokes".
package struct Grants: Hashable, Sendable, Codable {
    /// One GRANT or REVOKE line's reach.
    struct Entry: Hashable, Sendable, Codable {
        /// Upper case, without column lists.
        var privileges: Set<String>
        /// nil: every schema. Otherwise a LIKE pattern (`_`, `%`, escaped by a backslash).
        var schema: String?
        /// nil: every table of the schema.
        var table: String?
        var isRevoke: Bool
    }
    private(set) var entries: [Entry] = []
    /// As the server printed them.
    package private(set) var texts: [String]
    /// With partial revokes on, `_` and `%` in schema names mean themselves.
    private let literalSchemas: Bool

    package init(_ texts: [String], partialRevokes: Bool = false) {
        self.texts = texts
        literalSchemas = partialRevokes
        entries = texts.compactMap(Self.entry)
    }

    /// Is the privilege granted on all of the table, the schema (table nil) or the server (schema nil)?
    package func allows(_ privilege: String, schema: String? = nil, table: String? = nil) -> Bool {
        let wanted = privilege.uppercased()
        let granted = entries.contains { !$0.isRevoke && covers($0, wanted, schema, table) }
        guard granted, let schema else { return granted }
        let revoked = entries.contains { $0.isRevoke && $0.schema == schema && covers($0, wanted, schema, table) }
        guard revoked else { return true }
        // A partial revoke takes from global grants only.
        return entries.contains { !$0.isRevoke && $0.schema != nil && covers($0, wanted, schema, table) }
    }

    /// Is any of them granted?
    package func allowsAny(_ privileges: [String], schema: String? = nil, table: String? = nil) -> Bool {
        privileges.contains { allows($0, schema: schema, table: table) }
    }

    private func covers(_ entry: Entry, _ privilege: String, _ schema: String?, _ table: String?) -> Bool {
        guard entry.privileges.contains(privilege) || entry.privileges.contains("ALL PRIVILEGES") || entry.privileges.contains("ALL")
        else { return false }
        guard let pattern = entry.schema else { return true }
        guard let schema, literalSchemas ? pattern == schema : Self.matches(Array(schema), Array(pattern)) else { return false }
        guard let granted = entry.table else { return true }
        return granted == table
    }

    /// LIKE without a case rule of its own: schema names in grants are compared as they are written.
    static func matches(_ text: [Character], _ pattern: [Character]) -> Bool {
        // Row by row of the usual table: reachable[i] says that the pattern so far matches the first i characters.
        var reachable = [Bool](repeating: false, count: text.count + 1)
        reachable[0] = true
        var at = 0
        while at < pattern.count {
            var next = [Bool](repeating: false, count: text.count + 1)
            switch pattern[at] {
            case "%":
                var seen = false
                for index in reachable.indices {
                    seen = seen || reachable[index]
                    next[index] = seen
                }
            case let character:
                let isWildcard = character == "_"
                var literal = character
                if character == "\\", at + 1 < pattern.count {
                    at += 1
                    literal = pattern[at]
                }
                for index in text.indices where reachable[index] && (isWildcard || text[index] == literal) {
                    next[index + 1] = true
                }
            }
            reachable = next
            at += 1
        }
        return reachable[text.count]
    }

    /// A line that is not about privileges on tables (roles, routines, proxies) gives nil.
    private static func entry(_ text: String) -> Entry? {
        guard let sql = try? SQLText(text) else { return nil }
        let isRevoke = sql.keyword(0) == "REVOKE"
        guard isRevoke || sql.keyword(0) == "GRANT" else { return nil }
        guard let on = (1..<max(1, sql.count)).first(where: { sql.keyword($0) == "ON" }) else { return nil }
        var privileges: Set<String> = []
        for part in sql.split(1..<on) {
            // A column list limits the privilege: it is not granted on the table.
            guard !part.contains(where: { sql.kind($0) == .open }) else { continue }
            privileges.insert(part.map { sql.keyword($0) }.joined(separator: " "))
        }
        var at = on + 1
        if sql.keyword(at) == "TABLE" { at += 1 }
        if ["FUNCTION", "PROCEDURE", "PACKAGE", "LIBRARY"].contains(sql.keyword(at)) { return nil }
        guard sql.kind(at + 1) == .dot else { return nil }
        // `*` is a symbol, and so has no name.
        return Entry(privileges: privileges, schema: sql.name(at), table: sql.name(at + 2), isRevoke: isRevoke)
    }
}
