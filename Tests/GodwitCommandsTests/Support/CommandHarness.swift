import GodwitEngine
import Logging
import MySQLWire
import Synchronization

@testable import GodwitCommands

/// Keeps what a command writes.
final class CapturedSink: TextSink {
    private let stored = Mutex("")
    var text: String { stored.withLock { $0 } }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) }
    func write(_ text: String) { stored.withLock { $0 += text } }
}

/// Time that passes only when a command sleeps.
final class ManualClock: CommandClock {
    private let time = Mutex(1_800_000_000.0)
    func now() -> Double { time.withLock { $0 } }
    func sleep(seconds: Double) async throws {
        try Task.checkCancellation()
        time.withLock { $0 += seconds }
        await Task.yield()
    }
}

/// Signals that a test sends.
final class ManualSignals: SignalSource {
    private let handler = Mutex<(@Sendable (String) -> Void)?>(nil)

    func watch(_ handler: @escaping @Sendable (String) -> Void) -> any SignalWatch {
        self.handler.withLock { $0 = handler }
        return Watch(signals: self)
    }

    func send(_ name: String) { handler.withLock { $0 }?(name) }

    private struct Watch: SignalWatch {
        let signals: ManualSignals
        func cancel() { signals.handler.withLock { $0 = nil } }
    }
}

/// An engine that does what the test says: the commands' own work (flags, output, exit codes) is what is under test.
struct ScriptedEngine: MigrationEngine {
    var plan: @Sendable (String) throws -> Plan = { _ in .sample }
    var run: @Sendable (Plan, MigrationOptions, any ProgressObserver) async throws -> MigrationReport = { _, _, _ in
        throw Unscripted()
    }
    var findings: @Sendable () async throws -> [Finding] = { throw Unscripted() }
    var dry: @Sendable () async throws -> DryRun = { throw Unscripted() }
    var report: @Sendable () async throws -> VerifyReport = { throw Unscripted() }
    var cleanup: @Sendable (Bool) async throws -> Cleanup.Report = { _ in throw Unscripted() }
    var control: (any MigrationControl)?
    var answer: @Sendable (Plan.Server) async throws -> ServerAnswer = { _ in throw Unscripted() }

    struct Unscripted: Error {}

    func loadPlan(path: String) throws -> Plan { try plan(path) }
    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport {
        try await run(plan, options, observer)
    }
    func check(plan: Plan) async throws -> [Finding] { try await findings() }
    func dryRun(plan: Plan) async throws -> DryRun { try await dry() }
    func verify(
        plan: Plan, repairs: Bool, progress: @escaping @Sendable (VerifyReport.Table) -> Void
    ) async throws -> VerifyReport {
        let report = try await report()
        for table in report.tables { progress(table) }
        return report
    }
    func cleanUp(plan: Plan, performs: Bool) async throws -> Cleanup.Report { try await cleanup(performs) }
    func control(plan: Plan) async throws -> any MigrationControl {
        guard let control else { throw Unscripted() }
        return control
    }
    func probe(_ server: Plan.Server) async throws -> ServerAnswer { try await answer(server) }
}

/// Answers with one status after the other, the last one again and again.
final class ScriptedControl: MigrationControl {
    struct Moment: Sendable {
        var status: MigrationStatus?
        var isAlive = true
        var reply: String?
    }
    private let state: Mutex<(moments: [Moment], requests: [String])>

    init(_ moments: [Moment]) { state = Mutex((moments, [])) }
    convenience init(_ statuses: [MigrationStatus]) { self.init(statuses.map { Moment(status: $0) }) }

    var requests: [String] { state.withLock { $0.requests } }
    func status() async throws -> MigrationStatus? {
        state.withLock { state in
            let moment = state.moments.first
            if state.moments.count > 1 { state.moments.removeFirst() }
            return moment?.status
        }
    }
    func request(_ command: String) async throws -> UInt64 {
        state.withLock { state in
            state.requests.append(command)
            return UInt64(state.requests.count)
        }
    }
    func answer(to request: UInt64) async throws -> String? { state.withLock { $0.moments.first?.reply } }
    func runnerIsAlive() async throws -> Bool { state.withLock { $0.moments.first?.isAlive ?? false } }
}

/// A command run in process.
struct Outcome {
    var code: Int32
    var out: String
    var err: String
    var outLines: [String] { out.split(separator: "\n").map(String.init) }
}

func godwit(
    _ arguments: [String], engine: ScriptedEngine = ScriptedEngine(), variables: [String: String] = [:],
    signals: ManualSignals = ManualSignals(), terminal: Terminal = .none, input: [String] = []
) async -> Outcome {
    let out = CapturedSink()
    let err = CapturedSink()
    let answers = Mutex(input)
    let context = CommandContext(
        out: out, err: err, terminal: terminal, variables: variables, engine: engine, signals: signals,
        clock: ManualClock(),
        readLine: { answers.withLock { $0.isEmpty ? nil : $0.removeFirst() } }, logs: LogSink(err: err))
    let code = await Program.run(arguments, context: context)
    return Outcome(code: code, out: out.text, err: err.text)
}
