import MySQLWire

/// Views, routines, triggers and events in a cutover: what was read before the write pause is used in it, where it still holds.
actor CutoverObjects {
    private var prepared: ObjectMover.Result?

    /// Before the pause: brings views, routines and events up to date.
    /// - Parameter isStill: the forward stream is fenced.
    func refresh(_ context: RunContext, _ servers: CutoverServers, isStill: Bool = false) async throws {
        let mover = ObjectMover(context: context)
        let result = try await servers.onSource { source in
            try await servers.onTarget { target in try await mover.refresh(source: source, target: target, isStill: isStill) }
        }
        await context.board.set(objectDifferences: result.failures)
        guard result.failures.isEmpty else {
            throw CutoverFailure(result.failures.joined(separator: " "), effect: .none)
        }
        prepared = result
    }

    /// In the pause. Returns what is not the same on both sides.
    func makeTriggers(_ context: RunContext, _ servers: CutoverServers) async throws -> [String] {
        let mover = ObjectMover(context: context)
        let now = try await servers.onSource { try await mover.fingerprint($0) }
        if prepared?.fingerprint != now || prepared?.postponed.isEmpty == false {
            context.observer.say("info", "Reading views, routines, triggers and events of the source again.")
            try await refresh(context, servers, isStill: true)
        }
        guard let prepared else { return [] }
        let triggers = try await servers.onTarget { try await mover.makeTriggers(prepared.source, target: $0) }
        return prepared.differences + triggers
    }
}

extension CutoverJournal {
    /// What a step found not to be the same on both sides: see `CutoverStep.triggers`.
    package func objectDifferences(of step: CutoverStep) throws -> [String] {
        try detail(of: step).map { try TargetState.decode([String].self, $0) } ?? []
    }
}
