import ArgumentParser
import GodwitEngine

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show a migration, also one that runs elsewhere.",
        discussion:
            "Reads the last state that the migration stored on the target, at most a few seconds old while it runs."
    )

    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var direction: DirectionOption
    @Flag(help: "Show it again every second, until cut over or Ctrl-C.")
    var watch = false
    @OptionGroup var masking: MaskOption
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try direction.plan(planOptions.load(context))
        let control = try await context.engine.control(plan: plan)
        guard watch else {
            guard try await show(plan, control, context), plan.reverse != nil else { return }
            try await showWayBack(try plan.reversed(), context)
            return
        }
        do {
            try await Interruption.guarded(context: context) {
                try await watchUntilCutOver(plan, control, context)
            }
        } catch let error as EngineError where error.kind == .resumable {
            // Ctrl-C is how watching ends.
        }
    }

    /// After a cutover the old source may follow the target.
    private func showWayBack(_ back: Plan, _ context: CommandContext) async throws {
        let control = try await context.engine.control(plan: back)
        guard try await control.status() != nil else {
            if !json.isOn {
                context.printLine("\(back.task): not started. `godwit migrate` lets the old source follow the target, from the switch on.")
            }
            return
        }
        _ = try await show(back, control, context)
    }

    /// Shows once; true when nothing more will happen.
    private func show(
        _ plan: Plan, _ control: any MigrationControl, _ context: CommandContext
    ) async throws -> Bool {
        let alive = try await control.runnerIsAlive()
        guard let stored = try await control.status() else {
            if json.isOn {
                try context.printJSON(NotStartedJSON(task: plan.task))
            } else {
                context.printLine("\(plan.task): not started. Start it with `godwit migrate -c \(planOptions.path)`.")
            }
            return false
        }
        let status = masking.mask.status(stored)
        if json.isOn {
            try context.printJSON(StatusJSON(status, runnerAlive: alive))
        } else {
            context.printLines(
                StatusText.lines(status, runnerAlive: alive, now: context.clock.now(), paint: context.paint))
        }
        return status.state == .cutOver
    }

    private func watchUntilCutOver(
        _ plan: Plan, _ control: any MigrationControl, _ context: CommandContext
    ) async throws {
        guard context.terminal.isInteractive, !json.isOn else {
            while try await !show(plan, control, context) { try await context.clock.sleep(seconds: 1) }
            return
        }
        let view = ProgressView(paint: context.paint, hasUnicode: context.terminal.hasUnicode)
        var screen = LiveScreen()
        var meter = RateMeter()
        while true {
            let alive = try await control.runnerIsAlive()
            let size = context.terminal.size()
            guard let status = try await control.status() else {
                context.out.write(screen.draw([TextWidth.truncated("\(plan.task): not started", to: size.columns - 1)]))
                try await context.clock.sleep(seconds: 1)
                continue
            }
            meter.add(status)
            let state = StatusJSON.shownState(status, runnerAlive: alive)
            context.out.write(
                screen.draw(
                    view.frame(status, meter: meter, columns: size.columns, rows: size.rows, state: state)))
            guard status.state != .cutOver else { return }
            try await context.clock.sleep(seconds: 1)
        }
    }
}
