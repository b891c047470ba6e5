import ArgumentParser
import GodwitEngine

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold a running migration: it stays connected and writes nothing.",
        discussion: "The source keeps its binary logs for its own retention only: a pause must be shorter."
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var direction: DirectionOption
    @OptionGroup var json: JSONOption

    func run() async throws {
        try await RunnerRequest(planOptions: planOptions, direction: direction, json: json.isOn).send("pause", wish: "pause") {
            $0.state == .paused
        }
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused migration go on.",
        discussion: "A migration that was stopped (not paused) goes on with `godwit migrate`."
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var direction: DirectionOption
    @OptionGroup var json: JSONOption

    func run() async throws {
        try await RunnerRequest(planOptions: planOptions, direction: direction, json: json.isOn).send("resume", wish: "resume") {
            $0.state != .paused
        }
    }
}

/// A request to the process that runs the migration, and the wait until it has done it.
struct RunnerRequest {
    var planOptions: PlanOptions
    var direction = DirectionOption()
    var json: Bool
    /// Seconds until a runner that does not answer is given up.
    static let limit = 60.0

    func send(
        _ command: String, wish: String, isDone: @escaping @Sendable (MigrationStatus) -> Bool
    ) async throws {
        let context = CommandContext.current
        let plan = try direction.plan(planOptions.load(context))
        let control = try await context.engine.control(plan: plan)
        guard try await control.runnerIsAlive() else {
            throw Refusals.noRunner(plan, path: planOptions.path, wish: wish)
        }
        let status = try await Interruption.guarded(context: context) {
            try await control.request(command)
            return try await wait(plan, control, context, wish: wish, isDone: isDone)
        }
        if json {
            try context.printJSON(StatusJSON(status, runnerAlive: true))
        } else {
            context.printLine("\(plan.task): \(status.state.rawValue.replacing("_", with: " ")).")
        }
    }

    private func wait(
        _ plan: Plan, _ control: any MigrationControl, _ context: CommandContext, wish: String,
        isDone: @Sendable (MigrationStatus) -> Bool
    ) async throws -> MigrationStatus {
        let start = context.clock.now()
        while context.clock.now() - start < Self.limit {
            if let status = try await control.status(), isDone(status) { return status }
            guard try await control.runnerIsAlive() else {
                throw Refusals.noRunner(plan, path: planOptions.path, wish: wish)
            }
            try await context.clock.sleep(seconds: 0.5)
        }
        throw EngineError(
            .failed, "The running migration did not \(wish) within \(Format.duration(Self.limit)).",
            why: "The request stays with it.", cure: "`godwit diagnose` says what it waits for.")
    }
}
