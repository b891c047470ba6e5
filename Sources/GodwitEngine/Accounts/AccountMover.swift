import MySQLWire

/// Makes the source's accounts on the target where the plan says `users:`. Runs at the end of indexing and before a cutover; all of
/// it may run again. An account that was on the target before is never changed.
package struct AccountMover: Sendable {
    let context: RunContext
    let rules: AccountRules
    let ledger: AccountLedger

    /// nil: the plan moves no accounts.
    package init?(context: RunContext) {
        guard let rules = context.plan.users else { return nil }
        self.context = context
        self.rules = rules
        ledger = AccountLedger(task: context.plan.task)
    }

    /// What grants are still to be given: on views and routines, so after these.
    package struct Pending: Sendable {
        var accounts: [AccountDefinition] = []
        /// Each a sentence.
        package var differences: [String] = []
        package var fingerprint: [[MySQLRow]] = []
    }

    private func reader(_ facts: ServerFacts) -> AccountReader {
        let own: Set = [context.plan.source.user, context.plan.target.user]
        let rules = rules
        return AccountReader(isMariaDB: facts.isMariaDB) { name in
            // Godwit's own accounts are not the application's.
            !own.contains(name.user) && rules.includes(name)
        }
    }

    package func fingerprint(_ source: MySQLConnection) async throws -> [[MySQLRow]] {
        try await reader(context.sourceFacts).fingerprint(source)
    }

    /// Before views and routines, whose definers they may be.
    package func makeAccounts(source: MySQLConnection, target: MySQLConnection) async throws -> Pending {
        var pending = Pending()
        pending.fingerprint = try await fingerprint(source)
        let (wanted, unclear) = try await translations(source, target)
        try await ledger.install(on: target)
        let known = try await ledger.names(on: target)
        let standing = try await reader(context.targetFacts).read(target)
        let changes = AccountChanges(wanted: wanted, target: standing.accounts, ledger: Set(known.keys))
        pending.differences = unclear + changes.differences
        let isMariaDB = context.targetFacts.isMariaDB
        for name in changes.drops {
            context.observer.say("info", "The account \(name) is gone from the source: dropping it on the target.")
            try await target.query(AccountStatements.drop(name, isRole: known[name] ?? false, isMariaDB: isMariaDB))
            try await ledger.remove(name, on: target)
        }
        var ours = Set(known.keys)
        for account in changes.makes {
            try await ledger.write(account, on: target)
            context.observer.moment("accounts.make")
            do {
                if known[account.name] != nil {
                    try await target.query(AccountStatements.drop(account.name, isRole: account.isRole, isMariaDB: isMariaDB))
                }
                try await target.query(AccountStatements.create(account, isMariaDB: isMariaDB))
                ours.insert(account.name)
            } catch {
                guard let refusal = refusal(account.name, error) else { throw error }
                ours.remove(account.name)
                pending.differences.append(refusal)
                // Not made: if one stands there later, it is another's.
                try await ledger.remove(account.name, on: target)
            }
        }
        // All of them: a role that was made anew has taken itself from its members.
        if !changes.makes.isEmpty { pending.accounts = wanted.compactMap(\.account).filter { ours.contains($0.name) } }
        return pending
    }

    private func translations(
        _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> ([AccountTranslation], [String]) {
        let found = try await reader(context.sourceFacts).read(source)
        let from = try await AccountReader.abilities(source, context.sourceFacts)
        let to = try await AccountReader.abilities(target, context.targetFacts)
        let names = AccountNames(
            tables: Dictionary(context.tables.map { ($0.source.name, $0.prepared.target) }, uniquingKeysWith: { first, _ in first }))
        return (found.accounts.map { AccountTranslation($0, from: from, to: to, names: names) }, found.unclear)
    }

    /// After views and routines. Returns all that is not the same, read back.
    package func makeGrants(_ pending: Pending, source: MySQLConnection, target: MySQLConnection) async throws -> [String] {
        var refusals: [String] = []
        for account in pending.accounts {
            for statement in AccountStatements.grants(account, isMariaDB: context.targetFacts.isMariaDB) {
                do {
                    try await target.query(statement)
                } catch {
                    guard let refusal = refusal(account.name, error) else { throw error }
                    refusals.append(refusal)
                }
            }
        }
        if !pending.accounts.isEmpty { context.observer.say("info", "Made \(pending.accounts.count) accounts and their grants on the target.") }
        return refusals.isEmpty ? try await differences(source: source, target: target) : pending.differences + refusals
    }

    /// What is not the same on both sides, each a sentence. Changes nothing.
    package func differences(source: MySQLConnection, target: MySQLConnection) async throws -> [String] {
        let (wanted, unclear) = try await translations(source, target)
        let standing = try await reader(context.targetFacts).read(target)
        let changes = AccountChanges(wanted: wanted, target: standing.accounts, ledger: [])
        return unclear + changes.differences + changes.makes.map { "The account \($0.name) is not on the target." }
    }

    private func refusal(_ name: AccountName, _ error: MySQLError) -> String? {
        guard error.code == .server, !error.isConnectionLost, !Retry.isWorthwhile(error) else { return nil }
        let cure = [1044, 1045, 1142, 1227, 1410].contains(error.serverCode ?? 0)
            ? " Give \(Preflight.account(context.targetFacts)) on the target what the message names, WITH GRANT OPTION." : ""
        return "The account \(name) is not as on the source: \(error.message).\(cure)"
    }
}
