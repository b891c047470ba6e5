import MySQLWire

/// Views, routines, triggers and events in a cutover: what was read before the write pause is used in it, where it still holds.
actor CutoverObjects {
    private var prepared: ObjectMover.Result?
    /// Of the source's accounts, when they were brought up to date.
    private var accounts: (fingerprint: [[MySQLRow]], differences: [String])?

    /// Before the pause: brings views, routines and events up to date.
    /// - Parameter isStill: the forward stream is fenced.
    func refresh(_ context: RunContext, _ servers: CutoverServers, isStill: Bool = false) async throws {
        let mover = ObjectMover(context: context)
        let (result, made) = try await servers.onSource { source in
            try await servers.onTarget { target in
                let accounts = AccountMover(context: context)
                let pending = try await accounts?.makeAccounts(source: source, target: target)
                let result = try await mover.refresh(source: source, target: target, isStill: isStill)
                guard let accounts, let pending else { return (result, nil as AccountMover.Pending?) }
                var made = pending
                made.differences = try await accounts.makeGrants(pending, source: source, target: target)
                return (result, made)
            }
        }
        accounts = made.map { ($0.fingerprint, $0.differences) }
        // An account that cannot move is told, and keeps nobody from cutting over: see README.
        await context.board.set(objectDifferences: result.failures + (accounts?.differences ?? []))
        guard result.failures.isEmpty else {
            throw CutoverFailure(result.failures.joined(separator: " "), effect: .none)
        }
        prepared = result
    }

    /// In the pause. Returns what is not the same on both sides.
    func makeTriggers(_ context: RunContext, _ servers: CutoverServers) async throws -> [String] {
        let mover = ObjectMover(context: context)
        let now = try await servers.onSource { try await mover.fingerprint($0) }
        let users = try await servers.onSource { try await AccountMover(context: context)?.fingerprint($0) }
        if prepared?.fingerprint != now || prepared?.postponed.isEmpty == false || accounts?.fingerprint != users {
            context.observer.say("info", "Reading views, routines, triggers, events and accounts of the source again.")
            try await refresh(context, servers, isStill: true)
        }
        guard let prepared else { return [] }
        let triggers = try await servers.onTarget { try await mover.makeTriggers(prepared.source, target: $0) }
        return prepared.differences + triggers + (accounts?.differences ?? [])
    }
}

extension CutoverJournal {
    /// What a step found not to be the same on both sides: see `CutoverStep.triggers`.
    package func objectDifferences(of step: CutoverStep) throws -> [String] {
        try detail(of: step).map { try TargetState.decode([String].self, $0) } ?? []
    }
}
