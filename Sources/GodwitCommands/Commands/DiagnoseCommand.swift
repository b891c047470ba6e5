import ArgumentParser
import GodwitEngine

struct DiagnoseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: "Say what a migration waits for, why, and what to do.",
        discussion: "Connects to both servers, reads the task's last state, names each wait with its reason and limit."
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var direction: DirectionOption
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try direction.plan(planOptions.load(context))
        let items = try await Interruption.guarded(context: context) {
            let source = await probe(plan.source, context)
            let target = await probe(plan.target, context)
            var alive = false
            var status: MigrationStatus?
            if case .success = target {
                let control = try await context.engine.control(plan: plan)
                alive = try await control.runnerIsAlive()
                status = try await control.status()
            }
            return Diagnosis.items(
                plan: plan, path: planOptions.path, source: source, target: target, status: status,
                runnerIsAlive: alive, now: context.clock.now())
        }
        if json.isOn {
            for item in items { try context.printJSON(item) }
        } else {
            context.printLines(Diagnosis.lines(items, paint: context.paint))
        }
    }

    private func probe(_ server: Plan.Server, _ context: CommandContext) async -> Result<ServerAnswer, any Error> {
        do {
            return .success(try await context.engine.probe(server))
        } catch {
            return .failure(error)
        }
    }
}
