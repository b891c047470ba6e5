/// Which accounts of the source move: `users:` in the plan. Patterns over `user@host`, `*` and `?` only.
package struct AccountRules: Hashable, Sendable {
    private let include: [NamePattern]
    private let exclude: [NamePattern]

    package init(include: [String] = ["*"], exclude: [String] = []) {
        self.include = include.map(NamePattern.init(glob:))
        self.exclude = exclude.map(NamePattern.init(glob:))
    }

    /// Roles of MariaDB have no host, and are matched as if it were `%`, which it is on MySQL.
    package func includes(_ name: AccountName) -> Bool {
        guard !name.isSystem else { return false }
        let text = "\(name.user)@\(name.host.isEmpty ? "%" : name.host)"
        return include.contains { $0.matches(text, foldsCase: false) } && !exclude.contains { $0.matches(text, foldsCase: false) }
    }
}

extension PlanParser {
    /// `users: true`, or `users: { include: ["app@*"], exclude: ["old@%"] }`.
    func users(_ node: DocumentNode) throws(EngineError) -> AccountRules? {
        guard case .map = node.content else { return try reader.truth(node, "users") ? AccountRules() : nil }
        let map = try reader.map(node, "users", known: ["include", "exclude"])
        func patterns(_ key: String) throws(EngineError) -> [String]? {
            guard let value = map[key] else { return nil }
            var texts: [String] = []
            for item in try reader.list(value, "users.\(key)") {
                let text = try reader.text(item, "users.\(key)")
                guard text.contains("@") || text == "*" else {
                    throw reader.error(item.mark, "users.\(key): \(text) names no account.", cure: "Write user@host; app@* is app from every host.")
                }
                texts.append(text)
            }
            return texts
        }
        return AccountRules(include: try patterns("include") ?? ["*"], exclude: try patterns("exclude") ?? [])
    }
}
