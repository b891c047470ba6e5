import Foundation
import GodwitEngine
import MySQLWire
import Testing

@testable import GodwitCommands

@Suite struct MigrateCommandTests {
    private func engine(_ report: MigrationReport, saying: [MigrationStatus] = []) -> ScriptedEngine {
        ScriptedEngine(run: { _, _, observer in
            for status in saying { observer.update(status) }
            return report
        })
    }

    @Test(arguments: [
        (["migrate"], MigrationOptions(until: .forever, cutover: false)),
        (["migrate", "--until", "loaded"], MigrationOptions(until: .loaded)),
        (["migrate", "--until", "caught-up"], MigrationOptions(until: .caughtUp)),
        (["migrate", "--until", "validated"], MigrationOptions(until: .validated)),
        (["migrate", "--cutover", "auto"], MigrationOptions(until: .forever, cutover: true)),
    ] as [([String], MigrationOptions)])
    func flags(arguments: [String], options: MigrationOptions) async {
        let engine = ScriptedEngine(run: { _, given, _ in
            #expect(given == options)
            return MigrationReport(status: .sample(.following, [.sample("a")]), seconds: 1, steps: [])
        })
        #expect(await godwit(arguments, engine: engine).code == 0)
    }

    @Test func finalTable() async {
        var orders = MigrationStatus.Table.sample("orders", rows: 500_000)
        orders.inserts = 1200
        orders.updates = 34
        orders.deletes = 5
        var status = MigrationStatus.sample(.cutOver, [.sample("items"), orders])
        status.writePauseSeconds = 0.84
        status.appliedTransactions = 1239
        let report = MigrationReport(
            status: status, seconds: 200, steps: [.init(name: "stop the application", seconds: 0.2)])
        let outcome = await godwit(["migrate", "--cutover", "auto"], engine: engine(report))
        #expect(outcome.code == 0)
        #expect(
            outcome.out == """
                Cut over. Write pause: 0.84 s.

                Table        State               Rows     Bytes    Time  Inserts  Updates  Deletes  DDL  Validation
                -----------  ---------------  -------  --------  ------  -------  -------  -------  ---  ----------
                shop.items   Table completed    1,000  97.7 KiB  2.00 s        0        0        0    0  Validated
                shop.orders  Table completed  500,000  47.7 MiB  2.00 s    1,200       34        5    0  Validated

                Cutover step            Time
                --------------------  ------
                stop the application  0.20 s

                501,000 rows, 47.8 MiB, 1,239 transactions in 3m 20s; state: cut over
                position: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77
                All 2 tables are Validated.

                """)
    }

    @Test func aCutoverWithoutAMeasuredPauseIsStillSaid() async {
        let report = MigrationReport(status: .sample(.cutOver, [.sample("a")]), seconds: 1, steps: [])
        #expect(await godwit(["migrate"], engine: engine(report)).out.hasPrefix("Cut over.\n"))
    }

    @Test(arguments: [
        (.sample("a"), 0), (.sample("a", validation: "Pending records", pending: 3), 0), (.sample("a", .failed), 1),
        (.sample("a", validation: "Mismatched records", failed: 2), 4),
    ] as [(MigrationStatus.Table, Int32)])
    func theExitCodeFollowsTheVerdict(table: MigrationStatus.Table, code: Int32) async {
        let report = MigrationReport(status: .sample(.following, [table]), seconds: 1, steps: [])
        for arguments in [["migrate"], ["migrate", "--json"]] {
            let outcome = await godwit(arguments, engine: engine(report))
            #expect(outcome.code == code)
            #expect(outcome.err.isEmpty == (code == 0))
        }
    }

    @Test func jsonLinesAreOneObjectEach() async throws {
        var status = MigrationStatus.sample(.cutOver, [.sample("a")])
        status.writePauseSeconds = 0.5
        let report = MigrationReport(status: status, seconds: 9, steps: [.init(name: "drain", seconds: 0.1)])
        let outcome = await godwit(
            ["migrate", "--json"],
            engine: engine(report, saying: [.sample(.loading, at: 1), .sample(.loading, at: 1.5), .sample(.following, at: 1.6)]))
        let objects = try outcome.outLines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.compactMap { $0["type"] as? String } == ["status", "status", "cutover", "report"])
        #expect(objects.compactMap { $0["state"] as? String } == ["loading", "following"])
        #expect(objects[0].keys.contains("lag_s") && objects[0]["lag_s"] is NSNull)
        #expect(objects[2]["write_pause_s"] as? Double == 0.5)
        #expect((objects[2]["steps"] as? [[String: Any]])?.first?["name"] as? String == "drain")
        #expect(objects[3]["result"] as? String == "validated")
    }

    @Test func aSignalStopsResumably() async {
        let signals = ManualSignals()
        let engine = ScriptedEngine(run: { _, _, _ in
            signals.send("SIGINT")
            try await Task.sleep(for: .seconds(3600))
            throw ScriptedEngine.Unscripted()
        })
        let outcome = await godwit(["migrate"], engine: engine, signals: signals)
        #expect(outcome.code == 3)
        #expect(outcome.err.contains("SIGINT: stopping at a safe point"))
        #expect(outcome.err.contains("Resume with the same command."))
    }

    /// What the engine has to say of a failure is not covered up by the signal that came meanwhile.
    @Test func aSignalDoesNotHideAFailure() async {
        let signals = ManualSignals()
        let engine = ScriptedEngine(run: { _, _, _ in
            signals.send("SIGTERM")
            throw EngineError(.failed, "The disk is full.")
        })
        let outcome = await godwit(["migrate"], engine: engine, signals: signals)
        #expect(outcome.code == 1)
        #expect(outcome.err.contains("The disk is full."))
    }

    @Test func theSecondSignalLeavesAtOnce() async throws {
        let signals = ManualSignals()
        var context = CommandContext.current
        context.signals = signals
        context.logs = LogSink(err: CapturedSink())
        let left = CapturedSink()
        await #expect(throws: EngineError.self) {
            try await Interruption.guarded(context: context, leaveAtOnce: { left.write("left") }) {
                signals.send("SIGINT")
                #expect(left.text.isEmpty)
                signals.send("SIGINT")
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(left.text == "left")
    }

    @Test func aTerminalIsDrawnAndLeftClean() async {
        let terminal = Terminal(
            isInteractive: true, canAsk: false, hasColor: false, hasUnicode: false, size: { (100, 24) })
        let report = MigrationReport(status: .sample(.following, [.sample("a")]), seconds: 1, steps: [])
        let outcome = await godwit(
            ["migrate"], engine: engine(report, saying: [.sample(.loading, [.sample("a", .loading)])]), terminal: terminal)
        #expect(outcome.code == 0)
        #expect(outcome.out.contains("[####################]"))
        #expect(outcome.out.contains("\u{1B}[3A\r\u{1B}[J"), "the block is taken away before the report")
    }

    /// Written past the live block, the line would be drawn over and leave the old block behind.
    @Test func aSignalIsSaidAboveTheLiveBlock() async {
        let signals = ManualSignals()
        let terminal = Terminal(
            isInteractive: true, canAsk: false, hasColor: false, hasUnicode: false, size: { (100, 24) })
        let engine = ScriptedEngine(run: { _, _, observer in
            observer.update(.sample(.following, [.sample("a")]))
            signals.send("SIGINT")
            try await Task.sleep(for: .seconds(3600))
            throw ScriptedEngine.Unscripted()
        })
        let outcome = await godwit(["migrate"], engine: engine, signals: signals, terminal: terminal)
        #expect(outcome.code == 3)
        #expect(outcome.out.contains("\u{1B}[JSIGINT: stopping at a safe point; once more stops at once.\napp: following"))
        #expect(!outcome.err.contains("SIGINT: stopping"))
    }

    @Test func dryRun() async throws {
        let dry = DryRun(
            changes: ["On the target new:3307: create schema `shop`"],
            tables: [.init(source: "shop.a", target: "shop.a", action: "create", rows: 1000, bytes: 2048, notes: ["1 index built after the load"])],
            statements: ["CREATE DATABASE `shop`"], estimatedSeconds: 3, basis: "a guess")
        let engine = ScriptedEngine(dry: { dry })
        let outcome = await godwit(["migrate", "--dry-run"], engine: engine)
        #expect(outcome.code == 0)
        #expect(outcome.out.contains("- On the target new:3307: create schema `shop`."))
        #expect(outcome.out.hasSuffix("Nothing was written.\n"))
        let json = await godwit(["migrate", "--dry-run", "--json"], engine: engine)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
        #expect(object["estimated_s"] as? Double == 3)
    }

    @Test func aDryRunOfWhatIsRefusedShowsItAndExitsWithTwo() async {
        let dry = DryRun(
            changes: [], tables: [], statements: [], estimatedSeconds: 0, basis: "",
            refusal: EngineError(.plan, "binlog_format is STATEMENT."))
        let outcome = await godwit(["migrate", "--dry-run"], engine: ScriptedEngine(dry: { dry }))
        #expect(outcome.code == 2)
        #expect(outcome.out.contains("Nothing was written."))
        #expect(outcome.err.contains("binlog_format is STATEMENT."))
    }

    @Test func badMomentsAreRefused() async {
        let outcome = await godwit(["migrate"], variables: ["GODWIT_HALT_AT": "x:0"])
        #expect(outcome.code == 2)
    }
}
