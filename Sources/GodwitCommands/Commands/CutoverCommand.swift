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
        let control = try await context.engine.control(plan: plan)
        let before = try await control.status()
        if let before, before.state == .cutOver {
            context.logs.log(.notice, "Task '\(plan.task)' is cut over already.")
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
                var follower = CutoverFollower(before: before)
                while true {
                    let alive = try await control.runnerIsAlive()
                    let reply = try await control.answer(to: request)
                    let answer = follower.next(try await control.status(), runnerIsAlive: alive, reply: reply)
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
        try context.printJSON(ReportJSON(type: "cutover", report: report, verdict: verdict))
        guard report.status.state == .cutOver else {
            throw EngineError(.failed, "The migration ended without a cutover.", why: report.status.error ?? "")
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
