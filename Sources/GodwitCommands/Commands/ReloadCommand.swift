import ArgumentParser
import GodwitEngine

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Load single tables of a running migration again.",
        discussion: """
            The table is dropped on the target, made and loaded as it is now on the source, and followed from there. The other \
            tables stand still meanwhile, and then go on. What was passed over of it, or suspended it, counts no more.
            """
    )
    @OptionGroup var planOptions: PlanOptions
    @Argument(help: "Tables of the source, as schema.table.")
    var tables: [String]
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context)
        let control = try await context.engine.control(plan: plan)
        for table in tables {
            guard try await isAlive(control, context) else { throw Refusals.noRunner(plan, path: planOptions.path, wish: "reload") }
            try await Interruption.guarded(context: context) {
                let request = try await control.request("reload \(table)")
                while true {
                    if let answer = try await control.answer(to: request) {
                        guard answer == "reloading" else {
                            throw EngineError(.failed, "\(table) is not loaded again.", why: answer)
                        }
                        break
                    }
                    guard try await isAlive(control, context) else {
                        throw Refusals.noRunner(plan, path: planOptions.path, wish: "reload")
                    }
                    try await context.clock.sleep(seconds: 0.25)
                }
            }
            if json.isOn {
                try context.printJSON(ReloadJSON(table: table))
            } else {
                context.printLine("\(table) is loaded again; `godwit status` shows how far it is.")
            }
        }
    }

    /// A runner that begins anew, as it does for every reload, lets go of its lock for a moment.
    private func isAlive(_ control: any MigrationControl, _ context: CommandContext) async throws -> Bool {
        for _ in 0..<20 {
            if try await control.runnerIsAlive() { return true }
            try await context.clock.sleep(seconds: 0.25)
        }
        return false
    }
}

struct ReloadJSON: Encodable {
    let type = "reload"
    var table: String
}
