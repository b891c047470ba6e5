import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Every pair of servers under a random workload and every kind of fault: Godwit, source and target killed, the network cut,
/// stalled, its packets halved, its answers lost. Ends cut over and equal; the target was a state of the source in every read.
/// `script/soak` runs the full length.
@Suite struct FaultTortureTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        var source: ServerFlavour
        var target: ServerFlavour
        var testDescription: String { "\(source) to \(target), seed \(FaultMoments.seed)" }

        /// `mysql9:mariadb`, the flavours' names.
        init?(_ text: String) {
            let names = text.split(separator: ":").compactMap { ServerFlavour(rawValue: String($0)) }
            guard names.count == 2 else { return nil }
            (source, target) = (names[0], names[1])
        }
    }

    /// `GODWIT_TORTURE_PAIRS` names others, for example `mysql9:mysql9,mariadb:mysql9`.
    static let pairs = (ProcessInfo.processInfo.environment["GODWIT_TORTURE_PAIRS"] ?? usual)
        .split(separator: ",").compactMap { Pair(String($0)) }
    private static let usual =
        "mysql9:mysql9,mysql9:mariadb,mysql9:mariadb11,mariadb:mysql9,mariadb:mariadb,mariadb:mariadb11,mariadb11:mysql9,mariadb11:mariadb,mariadb11:mariadb11"
    private static let reads = FaultMoments.isSoak ? 5000 : 1000

    @Test(arguments: pairs)
    func torture(pair: Pair) async throws {
        try await withScenario(rows: 300, source: (pair.source, ServerOptions()), target: (pair.target, ServerOptions())) { scenario in
            // Two pairs at a time: the others wait for a place.
            let began = ContinuousClock.now
            print("torture: \(pair.testDescription)")
            try await withProxies(source: scenario.source, target: scenario.target, seed: FaultMoments.seed) { source, target in
                try await Self.run(pair, scenario, source, target)
            }
            print("torture: held after \(ContinuousClock.now - began): \(pair.testDescription)")
        }
    }

    private static func run(_ pair: Pair, _ plain: Scenario, _ source: FaultProxy, _ target: FaultProxy) async throws {
        let script = TortureScript(seed: FaultMoments.seed, types: TortureScript.Types(from: pair.source, to: pair.target))
        var scenario = plain
        (scenario.sourcePort, scenario.targetPort) = (source.port, target.port)
        scenario.tables = #"{ include: ["shop.*", "torture.*", "ty.*"] }"#
        try await scenario.source.sql(script.definition)
        let faults = FaultRun(scenario: scenario, application: FaultApplication(scenario: scenario))
        try await faults.application.install(task: "task: { FullLoadSettings: { CommitRate: 50, MaxFullLoadSubTasks: 2 } }")
        let writers = scenario.writers(2, rate: 60, seed: FaultMoments.seed)
        let writer = TortureWriter(scenario.source)
        let own = Task { try await writer.run(script, pause: .milliseconds(20)) }
        let stop = StopFlag()
        let sampler = PrefixSampler(scenario.target, .torture)
        let sampling = Task { await sampler.run(until: stop, pause: .milliseconds(2)) }
        var run = TortureRun(run: faults, source: source, target: target, sampler: sampler, writer: writer)
        do {
            try await writers.started()
            let all = TortureFault.all(seed: FaultMoments.seed, rounds: FaultMoments.isSoak ? 4 : 1)
            for fault in all where fault.part < .cutover { try await run.strike(fault) }
            try await sampler.wait(reads: reads, counter: 0)
            // From following to the cutover: another command.
            try await run.kill()
            for fault in all where fault.part == .cutover { try await run.strike(fault) }
            try await run.complete()
            writer.end()
            try await own.value
            let report = try await writers.arrived()
            stop.set()
            let samples = await sampling.value
            var problems = try await faults.problems(samples, report)
            problems += try await run.differences(schemas: ["shop", "torture", "ty"])
            if samples.count < reads { problems.append("only \(samples.count) reads of the target") }
            if run.struck.count < 10 { problems.append("only \(run.struck.count) faults struck") }
            #expect(problems.isEmpty, "\(pair.testDescription)\n\(problems.joined(separator: "\n"))\n\(faults.story)")
            print("torture: \(run.struck.count) faults, \(samples.count) reads, \(report.transactions + writer.count) transactions")
        } catch {
            let story = faults.story
            try? await run.kill()
            stop.set()
            writer.end()
            var all = ["\(error)"]
            do { try await own.value } catch { all.append("\(error)") }
            _ = await sampling.value
            _ = try? await writers.end()  // the first error is the one to tell
            throw TestingError("\(pair.testDescription)\n\(all.joined(separator: "\n"))\n\(story)")
        }
    }
}
