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

    private let errorBefore: String?
    private let stepsBefore: Int
    private var shown: Int
    private var sawCutover = false
    private var lastWait: String?

    init(before: MigrationStatus?) {
        errorBefore = before?.error
        stepsBefore = before?.steps.count ?? 0
        shown = stepsBefore
    }

    mutating func next(_ status: MigrationStatus?, runnerIsAlive: Bool) -> Answer {
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
        switch status.state {
        case .cutOver: answer.done = status
        case .cuttingOver:
            sawCutover = true
            if !runnerIsAlive { answer.error = gone() }
        case .failed: answer.error = failed(status, "The migration failed.")
        case .stopped: answer.error = gone()
        case .starting, .loading, .replaying, .indexing, .following, .paused:
            let attempted = sawCutover || (status.error != nil && status.error != errorBefore)
            if attempted {
                answer.error = failed(
                    status, "The running migration gave the cutover up before the switch.")
            } else if !runnerIsAlive {
                answer.error = gone()
            }
        }
        return answer
    }

    private func failed(_ status: MigrationStatus, _ what: String) -> EngineError {
        EngineError(
            .failed, what, why: status.error.map(Format.sentence) ?? "",
            cure: "`godwit diagnose` names the cause; then `godwit cutover` again.")
    }

    private func gone() -> EngineError {
        EngineError(
            .resumable, "The migration's process ended before the cutover did.",
            cure: "`godwit cutover` again takes the task over, undoes or finishes what was begun.")
    }
}
