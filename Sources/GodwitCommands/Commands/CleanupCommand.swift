import ArgumentParser
import GodwitEngine

struct CleanupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove what Godwit keeps on both servers, once the migration is over.",
        discussion: """
            Without --yes it says what it would remove. Afterwards there is no way back: `godwit rollback` needs what is removed. \
            A migration that is not cut over is given up: its tables stay on the target as they are.
            """
    )
    @OptionGroup var planOptions: PlanOptions
    @Flag(help: "Remove it.")
    var yes = false
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context)
        let report = try await Interruption.guarded(context: context) { try await context.engine.cleanUp(plan: plan, performs: yes) }
        if json.isOn { return try context.printJSON(CleanupJSON(report: report, isDone: yes)) }
        guard !report.actions.isEmpty else { return context.printLine("\(plan.task): nothing to remove.") }
        for action in report.actions { context.printLine("\(yes ? "done" : "would") \(TextWidth.printable(action))") }
        for line in report.remains { context.printLine("stays: \(TextWidth.printable(line))") }
        if !yes { context.printLine("Nothing was changed. `godwit cleanup --yes -c \(planOptions.path)` does it.") }
    }
}

struct CleanupJSON: Encodable {
    var report: Cleanup.Report
    var isDone: Bool
    enum CodingKeys: String, CodingKey {
        case type, actions, remains
        case isDone = "done"
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("cleanup", forKey: .type)
        try container.encode(isDone, forKey: .isDone)
        try container.encode(report.actions, forKey: .actions)
        try container.encode(report.remains, forKey: .remains)
    }
}
