import ArgumentParser
import GodwitEngine
import Logging

/// The plan and the log level: what every command that touches servers takes.
struct PlanOptions: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: ArgumentHelp("The plan.", valueName: "file"))
    var path = "godwit.yml"

    @Option(help: ArgumentHelp("Log to standard error from this level on.", valueName: "level"))
    var logLevel = LogLevel.warning

    /// Reads the plan, opens the log in its state folder, passes its warnings on.
    func load(_ context: CommandContext) throws -> Plan {
        context.logs.level = logLevel.level
        let plan = try context.engine.loadPlan(path: path)
        context.logs.openFile(in: plan.stateFolder)
        for warning in plan.warnings { context.logs.log(.warning, Format.sentence(warning)) }
        return plan
    }
}

/// Which of a plan's two ways a command is about.
struct DirectionOption: ParsableArguments {
    @Flag(name: .customLong("reverse"), help: "The way back (`reverse` in the plan): from the target to the old source.")
    var isReverse = false

    func plan(_ plan: Plan) throws -> Plan { isReverse ? try plan.reversed() : plan }
}

struct JSONOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "One JSON object per line on standard output, logs on standard error.")
    var isOn = false
}

struct MaskOption: ParsableArguments {
    @Option(
        name: .customLong("mask"), parsing: .singleValue,
        help: "Hide this column's values (column, table.column, schema.table.column; * for all but keys). May be repeated.")
    var names: [String] = []
    var mask: Mask { Mask(names) }
}

enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .warning }
}

extension CommandContext {
    var paint: Paint { Paint(isOn: terminal.hasColor) }

    func printLine(_ line: String) { out.write(line + "\n") }
    func printLines(_ lines: [String]) { out.write(lines.map { $0 + "\n" }.joined()) }
    func printJSON(_ value: some Encodable) throws { out.write(try JSONLine.encode(value) + "\n") }
}

/// Ends a command with a code after everything was said already.
struct QuietExit: Error {
    var code: Int32
}
