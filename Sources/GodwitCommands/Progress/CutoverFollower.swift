import GodwitEngine

/// Watches another process's cutover through its snapshots and tells how it ended. A value.
struct CutoverFollower: Sendable {
    struct Answer: Sendable {
        var newSteps: [MigrationReport.Step] = []
        /// The first wait, when it is another than at the last look.
        var newWait: MigrationStatus.Wait?
        var done: MigrationStatus?
        var error: EngineError?
    }

    private var shown: Int
    private var lastWait: String?

    /// `cutover` or `rollback`.
    private let name: String

    init(before: MigrationStatus?, name: String = "cutover") {
        shown = before?.steps.count ?? 0
        self.name = name
    }

    /// - Parameter reply: the runner's answer to the request, `not done: REASON` where it gave up.
    mutating func next(_ status: MigrationStatus?, runnerIsAlive: Bool, reply: String?) -> Answer {
        var answer = Answer()
        guard let status else {
            if !runnerIsAlive { answer.error = gone() }
            return answer
        }
        // Steps of an earlier attempt go when a new one starts.
        if status.steps.count < shown { shown = 0 }
        answer.newSteps = Array(status.steps[shown...])
        shown = status.steps.count
        if let wait = status.waits.first, wait.what != lastWait { answer.newWait = wait }
        lastWait = status.waits.first?.what
        if let reply, let reason = Self.reason(reply) {
            answer.error = failed("The \(name) was not done; the migration goes on.", why: reason)
            return answer
        }
        switch status.state {
        case .cutOver: answer.done = status
        case .failed where !runnerIsAlive: answer.error = failed("The migration failed.", why: status.error ?? "")
        case .starting, .loading, .replaying, .indexing, .following, .paused, .cuttingOver, .failed, .stopped:
            if !runnerIsAlive { answer.error = gone() }
        }
        return answer
    }

    /// The reason in an answer that says no.
    private static func reason(_ reply: String) -> String? {
        if reply == "unknown request" { return "The running Godwit does not know the request: it is another version." }
        let prefix = "not done: "
        return reply.hasPrefix(prefix) ? String(reply.dropFirst(prefix.count)) : nil
    }

    private func failed(_ what: String, why: String) -> EngineError {
        EngineError(
            .failed, what, why: Format.sentence(why),
            cure: "`godwit diagnose` names the cause; then `godwit \(name)` again.")
    }

    private func gone() -> EngineError {
        EngineError(
            .resumable, "The migration's process ended before the \(name) did.",
            cure: "`godwit \(name)` again takes the task over, undoes or finishes what was begun.")
    }
}
