import ArgumentParser
import GodwitEngine

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Copy everything, follow every change, prove both sides equal.",
        discussion: """
            Runs until the migration is cut over or stopped, unless --until names an earlier end. Ctrl-C or a crash at any \
            time, then the same command again, resumes. With `reverse` in the plan it goes on after the cutover: the old \
            source follows the target, so that `godwit rollback` loses nothing.

            Exit codes: 0 done, 1 failed, 2 usage or plan error (also: a table refused, before any write), \
            3 stopped and resumable, 4 compared and unequal.
            """
    )

    enum Until: String, ExpressibleByArgument, CaseIterable {
        case loaded
        case caughtUp = "caught-up"
        case validated
    }
    enum Cutover: String, ExpressibleByArgument, CaseIterable {
        case auto
    }

    @OptionGroup var planOptions: PlanOptions
    @Option(help: "End when loaded with all indexes built, caught up, or validated.")
    var until: Until?
    @Option(help: "Cut over as soon as every gate allows.")
    var cutover: Cutover?
    @OptionGroup var direction: DirectionOption
    @Flag(help: "Say what would be created and changed where, with an estimate; write nothing.")
    var dryRun = false
    @Flag(help: "Rewrite rows that validation finds different, from the source, at the checkpoint; say which.")
    var repair = false
    @OptionGroup var masking: MaskOption
    @OptionGroup var json: JSONOption

    func validate() throws {
        if direction.isReverse, cutover != nil || dryRun {
            throw ValidationError("--reverse excludes --cutover and --dry-run: `godwit rollback` switches back.")
        }
        if until != nil, cutover != nil {
            throw ValidationError("--until and --cutover exclude each other: a cutover goes all the way.")
        }
    }

    var options: MigrationOptions {
        let end: MigrationOptions.Until =
            switch until {
            case .loaded: .loaded
            case .caughtUp: .caughtUp
            case .validated: .validated
            case nil: .forever
            }
        return MigrationOptions(until: end, cutover: cutover == .auto, repairs: repair)
    }

    func run() async throws {
        let context = CommandContext.current
        let plan = try direction.plan(planOptions.load(context))
        guard !dryRun else { return try await showDryRun(plan, context) }
        var report = try await RunShow.run(plan: plan, options: options, json: json.isOn, mask: masking.mask, context: context)
        report.status = masking.mask.status(report.status)
        try RunShow.finish(report, json: json.isOn, context: context)
    }

    private func showDryRun(_ plan: Plan, _ context: CommandContext) async throws {
        let dryRun = try await Interruption.guarded(context: context) { try await context.engine.dryRun(plan: plan) }
        if json.isOn {
            try context.printJSON(DryRunJSON(dryRun: dryRun))
        } else {
            context.printLines(DryRunText.lines(dryRun, paint: context.paint))
        }
        if let refusal = dryRun.refusal { throw refusal }
    }
}

/// A run with its display, for `migrate` and for a `cutover` that runs by itself.
enum RunShow {
    static func run(
        plan: Plan, options: MigrationOptions, json: Bool, mask: Mask = Mask([]), context: CommandContext
    ) async throws -> MigrationReport {
        let display = Displays.make(context: context, json: json)
        defer { display.close() }
        let observer = MaskingObserver(try MomentObserver(display, context: context), mask: mask)
        return try await Interruption.guarded(context: context) {
            try await context.engine.run(plan: plan, options: options, observer: observer)
        }
    }

    /// Prints the report; throws the exit code where the verdict is not 0.
    static func finish(_ report: MigrationReport, json: Bool, context: CommandContext) throws {
        let verdict = Verdict(report.status)
        if json {
            if report.status.writePauseSeconds != nil {
                try context.printJSON(ReportJSON(type: "cutover", report: report, verdict: verdict))
            }
            try context.printJSON(ReportJSON(type: "report", report: report, verdict: verdict))
        } else {
            context.printLines(ReportText.lines(report, verdict: verdict, paint: context.paint))
        }
        try check(report, verdict)
    }

    /// Throws what gives the command its exit code where the verdict is not 0.
    static func check(_ report: MigrationReport, _ verdict: Verdict) throws {
        switch verdict.result {
        case .validated, .unproven: break
        case .failed:
            throw EngineError(.failed, verdict.summary, cure: "`godwit diagnose` names the cause.")
        case .unequal:
            let isObject = report.status.objectDifferences?.isEmpty == false
            throw EngineError(
                .unequal, verdict.summary,
                cure: isObject ? "Compare SHOW CREATE (for accounts SHOW GRANTS, too) on both sides, and mend the target's." : "`godwit verify` lists the rows.")
        }
    }
}
