import Foundation
import MySQLWire
import Testing

@testable import GodwitCommands
@testable import GodwitEngine

@Suite struct StatusCommandTests {
    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func theStableKeys() async throws {
        var status = MigrationStatus.sample(
            .following, [.sample("a", validation: "Pending records", pending: 2, failed: 0)])
        status.lagSeconds = 0.25
        let outcome = await godwit(["status", "--json"], engine: ScriptedEngine(control: ScriptedControl([status])))
        #expect(outcome.code == 0)
        let object = try object(outcome.out)
        #expect(object["state"] as? String == "following")
        #expect(object["position"] as? String == status.position)
        #expect(object["lag_s"] as? Double == 0.25)
        let table = try #require((object["tables"] as? [[String: Any]])?.first)
        #expect(table["schema"] as? String == "shop")
        #expect(table["table"] as? String == "a")
        #expect(table["state"] as? String == "Table completed")
        #expect(table["rows"] as? Int == 1000)
        #expect(table["validation_state"] as? String == "Pending records")
        #expect(table["pending"] as? Int == 2)
        #expect(table["failed"] as? Int == 0)
    }

    @Test(arguments: [
        (MigrationStatus.State.following, false, "stopped"), (.loading, false, "stopped"), (.paused, false, "stopped"),
        (.failed, false, "failed"), (.cutOver, false, "cut_over"), (.following, true, "following"),
    ])
    func aDeadRunnerMovesNothing(state: MigrationStatus.State, isAlive: Bool, shown: String) async throws {
        let control = ScriptedControl([.init(status: .sample(state, [.sample("a")]), isAlive: isAlive)])
        let outcome = await godwit(["status", "--json"], engine: ScriptedEngine(control: control))
        let object = try object(outcome.out)
        #expect(object["state"] as? String == shown)
        #expect(object["last_state"] as? String == state.rawValue)
        #expect(object["runner_alive"] as? Bool == isAlive)
    }

    @Test func neverStarted() async throws {
        let engine = ScriptedEngine(control: ScriptedControl([ScriptedControl.Moment(status: nil, isAlive: false)]))
        #expect(await godwit(["status"], engine: engine).out.contains("app: not started"))
        let object = try object(await godwit(["status", "--json"], engine: engine).out)
        #expect(object["state"] as? String == "not_started")
        #expect((object["tables"] as? [Any])?.isEmpty == true)
    }

    @Test func watchingEndsAtTheCutover() async {
        let course: [MigrationStatus] = [
            .sample(.following, [.sample("a")]), .sample(.cuttingOver, [.sample("a")]),
            .sample(.cutOver, [.sample("a")]),
        ]
        let outcome = await godwit(
            ["status", "--watch", "--json"], engine: ScriptedEngine(control: ScriptedControl(course)))
        #expect(outcome.code == 0)
        #expect(outcome.outLines.count == 3)
    }

    @Test func ctrlCEndsWatchingWithoutAnError() async {
        let signals = ManualSignals()
        final class Control: MigrationControl {
            let signals: ManualSignals
            init(_ signals: ManualSignals) { self.signals = signals }
            func status() async throws -> MigrationStatus? {
                signals.send("SIGINT")
                return .sample(.following)
            }
            func request(_ command: String) async throws -> UInt64 { 0 }
            func answer(to request: UInt64) async throws -> String? { nil }
            func runnerIsAlive() async throws -> Bool { true }
        }
        let outcome = await godwit(
            ["status", "--watch"], engine: ScriptedEngine(control: Control(signals)), signals: signals)
        #expect(outcome.code == 0)
    }
}

@Suite struct CheckCommandTests {
    private let refusal = Finding(
        .refusal, "engine", "app.log", "Table app.log is MyISAM", why: "Its changes are not transactional",
        cure: "ALTER TABLE `app`.`log` ENGINE = InnoDB")
    private let error = Finding(
        .error, "binlog-format", "source", "binlog_format is STATEMENT", why: "Statements cannot be replayed",
        cure: "SET PERSIST binlog_format = 'ROW'")
    private let warning = Finding(.warning, "retention", "source", "Logs are kept for 1 hour")
    private let fine = Finding(.ok, "version", "source", "MySQL 9.7")

    @Test func refusalsComeFirstAndExitWithTwo() async {
        let findings = [warning, fine, error, refusal]
        let outcome = await godwit(["check"], engine: ScriptedEngine(findings: { findings }))
        #expect(outcome.code == 2)
        #expect(
            outcome.out == """
                Refused (1)
                  app.log: Table app.log is MyISAM.  [engine]
                      why:  Its changes are not transactional.
                      cure: ALTER TABLE `app`.`log` ENGINE = InnoDB

                To be changed first (1)
                  source: binlog_format is STATEMENT.  [binlog-format]
                      why:  Statements cannot be replayed.
                      cure: SET PERSIST binlog_format = 'ROW'

                Warnings (1)
                  source: Logs are kept for 1 hour.  [retention]

                1 check found nothing to say.
                The migration cannot start: 2 findings stand against it.

                """)
    }

    @Test func warningsAloneExitWithZero() async {
        let findings = [warning]
        let outcome = await godwit(["check"], engine: ScriptedEngine(findings: { findings }))
        #expect(outcome.code == 0)
        #expect(outcome.out.hasSuffix("The migration can start, with 1 warning.\n"))
    }

    @Test func json() async throws {
        let findings = [refusal, warning]
        let outcome = await godwit(["check", "--json"], engine: ScriptedEngine(findings: { findings }))
        #expect(outcome.code == 2)
        let types = try outcome.outLines.map {
            (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["type"] as? String
        }
        #expect(types == ["finding", "finding", "check", "error"])
    }
}

@Suite struct RequestTests {
    @Test func pauseWaitsUntilItIsDone() async {
        let control = ScriptedControl([.sample(.following), .sample(.following), .sample(.paused)])
        let outcome = await godwit(["pause"], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 0)
        #expect(outcome.out == "app: paused.\n")
        #expect(control.requests == ["pause"])
    }

    @Test func aRunnerThatNeverAnswersIsNamed() async {
        let control = ScriptedControl([.sample(.following)])
        let outcome = await godwit(["pause"], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 1)
        #expect(outcome.err.contains("did not pause within 1m 00s"))
    }

    @Test(arguments: ["pause", "resume"])
    func withoutARunner(command: String) async {
        let control = ScriptedControl([.init(status: .sample(.stopped), isAlive: false)])
        let outcome = await godwit([command], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 1)
        #expect(outcome.err.contains("godwit migrate"))
        #expect(control.requests.isEmpty)
    }

    @Test func cutoverOfARunningMigration() async throws {
        var done = MigrationStatus.sample(.cutOver, [.sample("a")])
        done.steps = [.init(name: "block writes", seconds: 0.1), .init(name: "drain", seconds: 0.4)]
        done.writePauseSeconds = 0.7
        let control = ScriptedControl([.sample(.following), .sample(.cuttingOver), done])
        let outcome = await godwit(["cutover", "--json"], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 0)
        #expect(control.requests == ["cutover"])
        let objects = try outcome.outLines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.compactMap { $0["type"] as? String } == ["step", "step", "cutover"])
        #expect(objects.last?["write_pause_s"] as? Double == 0.7)
    }

    @Test func cutoverWithoutARunnerRunsItself() async {
        let control = ScriptedControl([.init(status: .sample(.stopped), isAlive: false)])
        var engine = ScriptedEngine(run: { _, options, _ in
            #expect(options.cutover)
            var status = MigrationStatus.sample(.cutOver, [.sample("a")])
            status.writePauseSeconds = 0.9
            return MigrationReport(status: status, seconds: 2, steps: [])
        })
        engine.control = control
        let outcome = await godwit(["cutover"], engine: engine)
        #expect(outcome.code == 0)
        #expect(outcome.out.hasPrefix("Cut over. Write pause: 0.90 s."))
        #expect(control.requests.isEmpty)
    }

    @Test func aRefusedCutoverIsAFailureWithItsReason() async {
        let control = ScriptedControl([
            .init(status: .sample(.following)),
            .init(status: .sample(.following), reply: "cutting over"),
            .init(status: .sample(.following), reply: "not done: shop.a is not Validated"),
        ])
        let outcome = await godwit(["cutover"], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 1)
        #expect(outcome.err.contains("The cutover was not done; the migration goes on. shop.a is not Validated."))
    }

    @Test func cutoverTwiceSaysSo() async {
        var done = MigrationStatus.sample(.cutOver, [.sample("a")])
        done.writePauseSeconds = 0.7
        let control = ScriptedControl([.init(status: done, isAlive: false)])
        let outcome = await godwit(["cutover"], engine: ScriptedEngine(control: control))
        #expect(outcome.code == 0)
        #expect(control.requests.isEmpty)
    }
}

@Suite struct VerifyCommandTests {
    enum State: Sendable { case equal, unequal, notCompared }

    private func report(_ states: [State]) -> VerifyReport {
        VerifyReport(
            tables: states.enumerated().map { index, state in
                let name = TableName(schema: "shop", table: "t\(index)")
                var table = VerifyReport.Table(source: name, target: name)
                table.isEqual = state == .equal
                table.sourceRows = 10
                table.targetRows = state == .unequal ? 9 : 10
                table.missing = state == .unequal ? 1 : 0
                if state == .unequal { table.rows = [RowDetail(key: RowKey(["7"]), kind: .missing, columns: [])] }
                if state == .notCompared { table.error = "The target has no table shop.t\(index)." }
                return table
            }, seconds: 1)
    }

    @Test(
        arguments: [
            ([.equal, .equal], 0), ([.equal, .unequal], 4), ([.unequal, .notCompared], 4), ([.equal, .notCompared], 1),
            ([], 2),
        ] as [([State], Int32)])
    func exitCodes(states: [State], code: Int32) async {
        let report = report(states)
        for arguments in [["verify"], ["verify", "--json"]] {
            #expect(await godwit(arguments, engine: ScriptedEngine(report: { report })).code == code)
        }
    }

    @Test func rowsAreListed() async {
        let report = report([.unequal, .notCompared, .equal])
        let outcome = await godwit(["verify"], engine: ScriptedEngine(report: { report }))
        #expect(outcome.out.contains("shop.t0:\n  7: missing on the target\n"))
        #expect(outcome.out.contains("shop.t1: The target has no table shop.t1."))
        #expect(outcome.out.contains("1 of 3 tables equal"))
    }

    @Test func json() async throws {
        let report = report([.unequal, .equal])
        let outcome = await godwit(["verify", "--json"], engine: ScriptedEngine(report: { report }))
        let objects = try outcome.outLines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.compactMap { $0["type"] as? String } == ["table", "table", "verify", "error"])
        #expect(objects[0]["equal"] as? Bool == false)
        #expect(objects[0].keys.contains("error"))
        #expect(objects[2]["equal_tables"] as? Int == 1)
        #expect(objects[3]["exit_code"] as? Int == 4)
    }
}

@Suite struct DiagnoseCommandTests {
    private let answers: @Sendable (Plan.Server) async throws -> ServerAnswer = { _ in
        ServerAnswer(version: "9.7.0", tls: "none")
    }

    @Test func namesEveryWait() async {
        var status = MigrationStatus.sample(.cuttingOver, [.sample("a")])
        status.waits = [
            .init(what: "the write block", why: "transaction 77 is open for 40 s", seconds: 4, limitSeconds: 30)
        ]
        let engine = ScriptedEngine(control: ScriptedControl([status]), answer: answers)
        let outcome = await godwit(["diagnose"], engine: engine)
        #expect(outcome.code == 0)
        #expect(outcome.out.contains("waiting  Waiting for the write block. (4.00 s so far, given up after 30.0 s)"))
        #expect(outcome.out.contains("why:  transaction 77 is open for 40 s."))
    }

    @Test func aServerThatDoesNotAnswerIsAFinding() async {
        let engine = ScriptedEngine(answer: { _ in throw MySQLError(.connect, "Connection refused") })
        let outcome = await godwit(["diagnose"], engine: engine)
        #expect(outcome.code == 0)
        #expect(outcome.out.contains("The target new:3307 does not answer."))
        #expect(outcome.out.contains("The task's state is unknown."))
    }

    @Test func aKilledRunnerAndASilentOne() async {
        let stale = MigrationStatus.sample(.loading, at: 1_800_000_000 - 300)
        let killed = ScriptedEngine(control: ScriptedControl([.init(status: stale, isAlive: false)]), answer: answers)
        #expect(await godwit(["diagnose"], engine: killed).out.contains("No process runs the task"))
        let silent = ScriptedEngine(control: ScriptedControl([.init(status: stale, isAlive: true)]), answer: answers)
        #expect(await godwit(["diagnose"], engine: silent).out.contains("has stored no state for 5m 00s"))
    }
}
