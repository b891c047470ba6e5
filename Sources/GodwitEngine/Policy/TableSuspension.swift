import MySQLTypes
import MySQLWire

/// TableErrorPolicy = SUSPEND_TABLE: what cannot be carried over of one table takes this table out, and the others go on.
struct TableSuspension: Sendable {
    let context: RunContext

    /// How the reason is told beside other failures.
    static let word = "suspended: "

    /// Ends by throwing: `DefinitionsChanged` where the error's table has been suspended, else the error.
    func settle(_ error: any Error) async throws -> Never {
        guard let problem = error as? EngineError, let table = problem.table, !Task.isCancelled else { throw error }
        let policy = ApplyPolicy(context)
        guard policy.errors.table == .suspend, policy.errors.maySuspend(beside: policy.suspended) else { throw error }
        let target = try await context.openTarget()
        do {
            try await target.query("BEGIN")
            try await context.state.checkFence(epoch: context.epoch, phase: .following, on: target)
            // Everything before it is applied, nothing of it: the target stands at the checkpoint.
            let checkpoint = try await context.state.checkpoint(locked: true, on: target)
            try await context.state.suspend(table, reason: problem.what, at: checkpoint.position, on: target)
            if let control = policy.control {
                let exception = ApplyException(
                    table: table, fault: .table, key: "", statement: problem.why, error: problem.what, isForced: false)
                try await control.store([exception], on: target)
            }
            try await target.query("COMMIT")
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        context.observer.say("error", "Table \(table) is suspended: \(problem.what)")
        throw DefinitionsChanged()
    }
}
