import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// A migration under faults: two servers, writers that never pause, an application with records, one command run again
/// and again, and the proof at the end.
struct FaultRun: Sendable {
    let scenario: Scenario
    let application: FaultApplication

    private static let command = ["migrate", "--cutover", "auto"]

    /// Runs the command, and kills it with SIGKILL where it stands at the moment.
    func kill(at moment: String) async throws {
        let godwit = try await scenario.godwit(Self.command, haltAt: moment)
        do {
            try await godwit.halted(within: .seconds(400))
        } catch {
            try await godwit.kill9()
            throw TestingError("waiting for \(moment): \(error)")
        }
        try await godwit.kill9()
    }

    /// Runs the command, and `strike`s where it stands at the moment; it then goes on and must end well by itself.
    func strike(at moment: String, _ strike: (_ goOn: () throws -> Void) async throws -> Void) async throws {
        let signal = scenario.folder.appending("go-on").string
        let godwit = try await GodwitProcess.start(
            [Self.command[0], "-c", scenario.plan] + Self.command.dropFirst(), in: scenario.folder,
            environment: ["GODWIT_HALT_UNTIL": signal], haltAt: moment)
        do {
            try await godwit.halted(within: .seconds(400))
            try await strike { try Data().write(to: URL(fileURLWithPath: signal)) }
            try await end(godwit)
        } catch {
            try await godwit.kill9()
            throw error
        }
    }

    /// Runs the command to its end.
    func complete() async throws { try await end(try await scenario.godwit(Self.command)) }

    private func end(_ godwit: GodwitProcess) async throws {
        let exit = try await godwit.exit(within: .seconds(400))
        guard exit == .code(0) else {
            throw TestingError(
                "godwit ended with \(exit):\n\(godwit.standardOutput.tail())\n\(godwit.standardError.tail(60))")
        }
    }

    /// What is wrong at the end; empty when all held.
    func problems(_ samples: PrefixSamples, _ report: WorkloadReport) async throws -> [String] {
        var found = try await scenario.differences()
        found += FaultApplication.violations(try application.lines).map { "application: \($0)" }
        if try scenario.address != scenario.targetAddress { found.append("the application is not on the target") }
        if try await scenario.source.value("SELECT @@GLOBAL.\(scenario.source.flavour.writeBlock)") != "1" {
            found.append("the source takes writes after the cutover")
        }
        found += samples.wrong.map { "prefix consistency: \($0)" }
        if samples.count == 0 { found.append("the target was never read after the consistency point") }
        if report.errors > 0 { found.append("\(report.errors) errors of writers: \(report.firstError ?? "")") }
        if report.transactions == 0 { found.append("nobody wrote") }
        return found
    }

    /// For a failing test: what Godwit and the application wrote.
    var story: String {
        let log = (try? String(contentsOfFile: scenario.folder.appending(".godwit/godwit.log").string, encoding: .utf8)) ?? ""
        let records = (try? application.lines) ?? []
        return """
            --- the application's records (action, configuration and super_read_only before it)
            \(records.joined(separator: "\n"))
            --- godwit.log
            \(log.split(separator: "\n").suffix(80).joined(separator: "\n"))
            """
    }
}

/// Runs `body` on a fresh scenario under writes, then proves that everything held. A failure tells the seed, the moments and
/// what Godwit wrote.
func withFaults(
    _ title: String, rows: Int = 600, source: ServerOptions = ServerOptions(), _ body: (FaultRun) async throws -> Void
) async throws {
    try await withScenario(rows: rows, source: (.mysql9, source)) { scenario in
        let began = ContinuousClock.now
        print("faults: \(title)")
        let run = FaultRun(scenario: scenario, application: FaultApplication(scenario: scenario))
        // Small chunks and two workers: many moments in few rows.
        try await run.application.install(
            task: "task: { FullLoadSettings: { CommitRate: 100, MaxFullLoadSubTasks: 2 } }")
        let writers = scenario.writers(4, rate: 150, seed: FaultMoments.seed)
        let stop = StopFlag()
        let reader = PrefixSampler(scenario.target, .shop)
        let sampler = Task { await reader.run(until: stop, pause: .milliseconds(20)) }
        do {
            try await writers.started()
            try await body(run)
            let report = try await writers.arrived()
            stop.set()
            let samples = await sampler.value
            let problems = try await run.problems(samples, report)
            #expect(problems.isEmpty, "\(title)\n\(problems.joined(separator: "\n"))\n\(run.story)")
            print("faults: \(problems.isEmpty ? "held" : "FAILED") after \(ContinuousClock.now - began): \(title)")
        } catch {
            let story = run.story
            stop.set()
            _ = await sampler.value
            _ = try? await writers.end()  // the first error is the one to tell
            throw TestingError("\(title)\n\(error)\n\(story)")
        }
    }
}
