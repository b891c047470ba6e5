import GodwitEngine

/// Sentences that several commands use.
enum Refusals {
    static func notInThisRelease(_ name: String, _ purpose: String) -> EngineError {
        EngineError(
            .plan, "`godwit \(name)` is not in this release.", why: "\(purpose) comes in a later one.",
            cure: "`godwit --help` lists what works.")
    }

    static func noRunner(_ plan: Plan, path: String, wish: String) -> EngineError {
        EngineError(
            .failed, "Cannot \(wish): no migration of task '\(plan.task)' is running.",
            cure: "Start it with `godwit migrate -c \(path)`.")
    }
}
