import ArgumentParser
import GodwitEngine
import Logging

struct CutoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cutover",
        abstract: "Switch the application over to the target.",
        discussion: """
            Hands the request to the migration that is running, and shows its steps; with none running, takes the task \
            over and runs it here. A failure before the switch leaves the source writable and the application on it.
            """
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context)
        try await SwitchOver(plan: plan, json: json, words: .cutover).run(context)
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Switch the application back to the old source, without losing a row.",
        discussion: """
            Needs `reverse` in the plan since before the cutover. The old source gets every change made on the target since the \
            switch, both sides are proven equal, and the application is switched back, with the same steps and the same care as in a \
            cutover. A failure before the switch leaves the target writable and the application on it.
            """
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context).reversed()
        try await SwitchOver(plan: plan, json: json, words: .rollback).run(context)
    }
}

/// A cutover, in either direction: handed to the process that runs the task, or run here.
struct SwitchOver {
    struct Words {
        var name: String
        var isDone: String
        static let cutover = Words(name: "cutover", isDone: "is cut over already")
        static let rollback = Words(name: "rollback", isDone: "is rolled back already: the application runs on the old source")
    }
    let plan: Plan
    let json: JSONOption
    let words: Words
    /// Seconds without a runner after which it counts as ended.
    private static let grace = 10.0

    func run(_ context: CommandContext) async throws {
        let control = try await context.engine.control(plan: plan)
        let before = try await control.status()
        if let before, before.state == .cutOver {
            context.logs.log(.notice, "Task '\(plan.forward?.task ?? plan.task)' \(words.isDone).")
            return try finish(MigrationReport(status: before, seconds: 0, steps: before.steps), context)
        }
        guard try await control.runnerIsAlive() else {
            let options = MigrationOptions(until: .forever, cutover: true)
            return try finish(
                try await RunShow.run(plan: plan, options: options, json: json.isOn, context: context), context)
        }
        let report = try await follow(control, before: before, context)
        try finish(report, context)
    }

    private func follow(
        _ control: any MigrationControl, before: MigrationStatus?, _ context: CommandContext
    ) async throws -> MigrationReport {
        do {
            return try await Interruption.guarded(context: context) {
                let start = context.clock.now()
                let request = try await control.request("cutover")
                var follower = CutoverFollower(before: before, name: words.name)
                var seen = start
                while true {
                    let alive = try await control.runnerIsAlive()
                    let reply = try await control.answer(to: request)
                    let status = try await control.status()
                    // A runner that is through lets go of the task a moment before its last state is stored.
                    if alive { seen = context.clock.now() }
                    let isOver = status.map { [.cutOver, .failed, .stopped].contains($0.state) } ?? false
                    if !alive, !isOver, context.clock.now() - seen < Self.grace {
                        try await context.clock.sleep(seconds: 0.5)
                        continue
                    }
                    let answer = follower.next(status, runnerIsAlive: alive, reply: reply)
                    try show(answer, context)
                    if let status = answer.done {
                        return MigrationReport(
                            status: status, seconds: context.clock.now() - start, steps: status.steps)
                    }
                    if let error = answer.error { throw error }
                    try await context.clock.sleep(seconds: 0.5)
                }
            }
        } catch let error as EngineError where error.kind == .resumable && error.what.hasPrefix("Stopped by") {
            throw EngineError(
                .resumable, error.what, why: "The running migration still holds the request and goes on with it.",
                cure: "`godwit status --watch` shows it.")
        }
    }

    private func show(_ answer: CutoverFollower.Answer, _ context: CommandContext) throws {
        for step in answer.newSteps {
            if json.isOn {
                try context.printJSON(StepJSON(step: step))
            } else {
                context.printLine("\(TextWidth.printable(step.name)): \(Format.duration(step.seconds))")
            }
        }
        if let wait = answer.newWait, !json.isOn {
            context.printLine("waiting for \(TextWidth.printable("\(wait.what): \(wait.why)"))")
        }
    }

    private func finish(_ report: MigrationReport, _ context: CommandContext) throws {
        let verdict = Verdict(report.status)
        guard json.isOn else { return try RunShow.finish(report, json: false, context: context) }
        try context.printJSON(ReportJSON(type: words.name, report: report, verdict: verdict))
        guard report.status.state == .cutOver else {
            throw EngineError(.failed, "It ended without a \(words.name).", why: report.status.error ?? "")
        }
        try RunShow.check(report, verdict)
    }
}

struct StepJSON: Encodable {
    var step: MigrationReport.Step
    enum CodingKeys: String, CodingKey { case type, name, seconds }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("step", forKey: .type)
        try container.encode(step.name, forKey: .name)
        try container.encode(step.seconds, forKey: .seconds)
    }
}
