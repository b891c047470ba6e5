import ArgumentParser
import Foundation
import GodwitEngine

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented plan from two addresses and test both connections.",
        discussion: """
            Asks for what is not given, when it runs on a terminal. Passwords are never on the command line and never in \
            the plan: it names an environment variable or a file. An existing file is never overwritten.
            """
    )

    enum TLSMode: String, ExpressibleByArgument, CaseIterable {
        case disabled, required
        case verifyCA = "verify-ca"
        case verifyIdentity = "verify-identity"
    }

    @Option(
        name: [.customShort("c"), .customLong("config")], help: ArgumentHelp("The plan to write.", valueName: "file"))
    var path = "godwit.yml"
    @Option(help: ArgumentHelp("The source: host, host:port, [IPv6]:port or a socket's path.", valueName: "address"))
    var source: String?
    @Option(help: ArgumentHelp("The target, in the same forms.", valueName: "address"))
    var target: String?
    @Option(help: ArgumentHelp("The user on the source.", valueName: "name"))
    var sourceUser: String?
    @Option(help: ArgumentHelp("The user on the target.", valueName: "name"))
    var targetUser: String?
    @Option(help: ArgumentHelp("The variable that holds the source's password.", valueName: "variable"))
    var sourcePasswordEnv: String?
    @Option(help: ArgumentHelp("The file that holds the source's password.", valueName: "file"))
    var sourcePasswordFile: String?
    @Option(help: ArgumentHelp("The variable that holds the target's password.", valueName: "variable"))
    var targetPasswordEnv: String?
    @Option(help: ArgumentHelp("The file that holds the target's password.", valueName: "file"))
    var targetPasswordFile: String?
    @Option(help: "TLS to the source (default: verify-ca).")
    var sourceTLS: TLSMode?
    @Option(help: "TLS to the target (default: verify-identity).")
    var targetTLS: TLSMode?
    @Option(
        name: .customLong("source-ca"),
        help: ArgumentHelp("The source's CA as PEM; default: the system's.", valueName: "file"))
    var sourceCA: String?
    @Option(
        name: .customLong("target-ca"),
        help: ArgumentHelp("The target's CA as PEM; default: the system's.", valueName: "file"))
    var targetCA: String?
    @Option(help: ArgumentHelp("A table pattern such as app.*, more than once.", valueName: "pattern"))
    var include: [String] = []
    @Flag(help: "Write the plan without testing the connections.")
    var noTest = false

    func validate() throws {
        if sourcePasswordEnv != nil, sourcePasswordFile != nil {
            throw ValidationError("--source-password-env and --source-password-file exclude each other.")
        }
        if targetPasswordEnv != nil, targetPasswordFile != nil {
            throw ValidationError("--target-password-env and --target-password-file exclude each other.")
        }
    }

    func run() async throws {
        let context = CommandContext.current
        guard !FileManager.default.fileExists(atPath: path) else { throw Self.exists(path) }
        let template = try collect(context)
        try write(template.text)
        context.printLine("Wrote \(path).")
        guard !noTest else { return }
        try await test(context)
        context.printLine("Next: `godwit check -c \(path)`, then `godwit migrate -c \(path)`.")
    }

    private func collect(_ context: CommandContext) throws -> PlanTemplate {
        let ask = Questions(context: context)
        let source = try PlanTemplate.Side(
            address: ask.required(self.source, "Source, host[:port] or socket path", flag: "--source"),
            user: ask.required(sourceUser, "User on the source", flag: "--source-user"),
            password: password(
                env: sourcePasswordEnv, file: sourcePasswordFile, default: "GODWIT_SOURCE_PASSWORD", ask, "source"),
            tls: sourceTLS?.rawValue, ca: sourceCA, flag: "--source")
        let target = try PlanTemplate.Side(
            address: ask.required(self.target, "Target, host[:port] or socket path", flag: "--target"),
            user: ask.required(targetUser, "User on the target", flag: "--target-user"),
            password: password(
                env: targetPasswordEnv, file: targetPasswordFile, default: "GODWIT_TARGET_PASSWORD", ask, "target"),
            tls: targetTLS?.rawValue, ca: targetCA, flag: "--target")
        var patterns = include
        if patterns.isEmpty, let answer = ask.optional("Tables, for example app.* (default: all)") {
            patterns = answer.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
        }
        for pattern in patterns where !pattern.contains(".") {
            throw EngineError(
                .plan, "The table pattern '\(pattern)' has no dot.", why: "Patterns are schema.table.",
                cure: "For a whole schema write '\(pattern).*'.")
        }
        return PlanTemplate(source: source, target: target, include: patterns.isEmpty ? ["*.*"] : patterns)
    }

    private func password(
        env: String?, file: String?, default variable: String, _ ask: Questions, _ side: String
    ) -> PlanTemplate.Password {
        if let file { return .file(file) }
        if let env { return .environment(env) }
        let answer = ask.optional("Variable that holds the \(side)'s password (default: \(variable))")
        return .environment(answer ?? variable)
    }

    private func write(_ text: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            if FileManager.default.fileExists(atPath: path) { throw Self.exists(path) }
            throw EngineError(
                .failed, "\(path) cannot be written.", why: error.localizedDescription,
                cure: "Give another place with -c.")
        }
    }

    static func exists(_ path: String) -> EngineError {
        EngineError(
            .plan, "\(path) exists already.", why: "`godwit init` overwrites nothing.",
            cure: "Move it away, or write another with -c.")
    }

    /// Reads the plan back as every other command will, and connects to both servers.
    private func test(_ context: CommandContext) async throws {
        let plan = try context.engine.loadPlan(path: path)
        var failures: [String] = []
        for (side, server) in [("source", plan.source), ("target", plan.target)] {
            do {
                let facts = try await Interruption.guarded(context: context) { try await context.engine.probe(server) }
                context.printLine("The \(side) \(server.address) answers: \(facts.version), TLS \(facts.tls).")
            } catch let error as EngineError where error.kind == .resumable {
                throw error
            } catch {
                failures.append("The \(side) \(server.address) does not answer: \(Failure(error).sentence)")
            }
        }
        guard failures.isEmpty else {
            throw EngineError(
                .failed, failures.joined(separator: " "), why: "The plan is written and stays.",
                cure: "Correct it, then run `godwit check -c \(path)`.")
        }
    }
}

/// Asks on a terminal; elsewhere what is missing is an error that names the flag.
struct Questions {
    var context: CommandContext

    func required(_ given: String?, _ question: String, flag: String) throws -> String {
        if let given { return given }
        guard context.terminal.canAsk else {
            throw EngineError(
                .plan, "\(flag) is missing.", why: "There is no terminal to ask on.", cure: "Give it as a flag.")
        }
        while true {
            context.out.write("\(question): ")
            guard let line = context.readLine() else {
                throw EngineError(.plan, "\(flag) is missing.", why: "The input ended.", cure: "Give it as a flag.")
            }
            let answer = line.trimmingCharacters(in: .whitespaces)
            if !answer.isEmpty { return answer }
        }
    }

    /// nil where nothing was answered, or nobody can be asked.
    func optional(_ question: String) -> String? {
        guard context.terminal.canAsk else { return nil }
        context.out.write("\(question): ")
        let answer = context.readLine()?.trimmingCharacters(in: .whitespaces) ?? ""
        return answer.isEmpty ? nil : answer
    }
}
