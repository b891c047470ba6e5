import MySQLWire

extension Preflight {
    /// Accounts that `users:` names: can they be read, can they be made, and what of them cannot move.
    static func readAccounts(
        _ source: MySQLConnection, _ target: MySQLConnection, _ plan: Plan, _ facts: inout PreflightFacts
    ) async throws {
        guard let rules = plan.users else { return }
        let own: Set = [plan.source.user, plan.target.user]
        let includes: @Sendable (AccountName) -> Bool = { rules.includes($0) && !own.contains($0.user) }
        for (side, server) in [("source", facts.source), ("target", facts.target)] where !server.grants.allows("SELECT", schema: "mysql") {
            facts.accountFindings.append(
                Finding(
                    .error, "\(side)-grants", side, "The account \(account(server)) lacks SELECT on schema mysql of the \(side).",
                    why: "The plan moves accounts (`users:`), which are listed there.", cure: "GRANT SELECT ON `mysql`.* TO \(account(server));"))
        }
        if !facts.target.grants.allows("CREATE USER") {
            facts.accountFindings.append(
                Finding(
                    .error, "target-grants", "target", "The account \(account(facts.target)) lacks CREATE USER on the target.",
                    why: "The plan moves accounts (`users:`).", cure: "GRANT CREATE USER ON *.* TO \(account(facts.target));"))
        }
        guard facts.accountFindings.isEmpty else { return }
        let found = try await AccountReader(isMariaDB: facts.source.isMariaDB, includes: includes).read(source)
        let from = try await AccountReader.abilities(source, facts.source)
        let to = try await AccountReader.abilities(target, facts.target)
        let names = AccountNames(tables: facts.decisions.mapValues(\.target))
        var sentences = found.unclear
        for account in found.accounts {
            let translation = AccountTranslation(account, from: from, to: to, names: names)
            sentences += translation.losses
            if let made = translation.account { facts.movedAccounts.insert(made.name.description) }
        }
        facts.accountFindings = sentences.map {
            Finding(.warning, "accounts", "accounts", $0)
        }
    }
}
