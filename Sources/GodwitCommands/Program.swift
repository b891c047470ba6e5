import ArgumentParser
import Logging

/// The whole program: arguments in, exit code out.
package enum Program {
    /// What `main` calls: the real terminal, servers, signals.
    package static func main(_ arguments: [String]) async -> Int32 {
        let context = CommandContext.live
        LoggingSystem.bootstrap { SinkLogHandler(label: $0, sink: context.logs) }
        return await run(arguments, context: context)
    }

    /// Runs one command in process.
    static func run(_ arguments: [String], context: CommandContext) async -> Int32 {
        await CommandContext.$current.withValue(context) {
            do {
                var command = try GodwitCommand.parseAsRoot(arguments)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return 0
            } catch {
                return report(error, arguments: arguments, context: context)
            }
        }
    }

    private static func report(_ error: any Error, arguments: [String], context: CommandContext) -> Int32 {
        if let quiet = error as? QuietExit { return quiet.code }
        let failure: Failure
        switch GodwitCommand.exitCode(for: error) {
        case .success:
            // Help and version, which ArgumentParser delivers as errors.
            let text = GodwitCommand.fullMessage(for: error)
            if !text.isEmpty { context.out.write(text.hasSuffix("\n") ? text : text + "\n") }
            return 0
        case .validationFailure:
            failure = usage(error)
        default:
            if let code = error as? ExitCode { return code.rawValue }
            failure = Failure(error)
        }
        context.logs.record(.error, failure.sentence)
        context.err.write("godwit: \(TextWidth.printable(failure.sentence))\n")
        if arguments.prefix(while: { $0 != "--" }).contains("--json") {
            let object = ErrorJSON(error: failure.sentence, kind: failure.kind, exitCode: failure.exitCode)
            if let line = try? JSONLine.encode(object) { context.out.write(line + "\n") }
        }
        return failure.exitCode
    }

    /// ArgumentParser's own refusals and `validate()`: its first line says what, its usage line says how.
    private static func usage(_ error: any Error) -> Failure {
        let lines = GodwitCommand.fullMessage(for: error).split(separator: "\n").map(String.init)
        let what = GodwitCommand.message(for: error)
        let name = lines.first { $0.contains("See '") }.flatMap { line in
            line.split(separator: "'").dropFirst().first.map(String.init)
        }
        return Failure(
            sentence: "\(Format.sentence(what)) See `\(name ?? "godwit --help")`.", kind: "usage", exitCode: 2)
    }
}
