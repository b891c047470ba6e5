import GodwitTesting
import MySQLWire
import Testing

/// `kill -9` of Godwit at named moments, the same command again each time: ends equal, without a manual step, the
/// application never without a side. `script/soak` runs all twenty kills and more.
@Suite struct FaultKillTests {
    /// In the load, the replay, the index build, and between write block and switch: four kills of one migration.
    @Test(arguments: FaultMoments.chains)
    func killedAndRunAgain(chain: FaultMoments.Chain) async throws {
        try await withFaults(chain.testDescription) { run in
            for moment in chain.moments { try await run.kill(at: moment) }
            try await run.complete()
            // The last kill left the application stopped: it came back on the source before the next try.
            let starts = try run.application.lines.filter { $0.hasPrefix("start ") }
            #expect(starts.first == "start source 0" && starts.last == "start target 1", "\(chain): \(starts)")
        }
    }

    /// Before the block, after the switch, and behind the last record.
    @Test(arguments: FaultMoments.edgeChains)
    func killedAtAnEdgeAndRunAgain(chain: FaultMoments.Chain) async throws {
        try await withFaults(chain.testDescription) { run in
            for moment in chain.moments { try await run.kill(at: moment) }
            try await run.complete()
        }
    }

    /// The same where the source has no GTIDs: positions are files and offsets.
    @Test(arguments: FaultMoments.fileChains)
    func killedWhilePositionsAreFiles(chain: FaultMoments.Chain) async throws {
        try await withFaults(chain.testDescription + ", file positions", source: ServerOptions(gtids: false)) { run in
            for moment in chain.moments { try await run.kill(at: moment) }
            try await run.complete()
        }
    }

    /// Killed inside an ALTER that waits for a lock: the statement lives on in the server, and the next run ends it.
    @Test func killedInsideAnIndexBuild() async throws {
        try await withFaults("killed inside the ALTER of seats") { run in
            try await run.kill(at: "replay.end")
            let target = run.scenario.target
            try await target.withConnection { holder in
                try await holder.query("START TRANSACTION")
                try await holder.query("SELECT COUNT(*) FROM shop.seats")
                let godwit = try await run.scenario.godwit(["migrate", "--cutover", "auto"])
                do {
                    try await Self.waitForAlter(on: target)
                    try await godwit.kill9()
                    #expect(try await Self.alters(on: target) == 1, "the server goes on with the statement")
                } catch {
                    try await godwit.kill9()
                    throw error
                }
                let again = try await run.scenario.godwit(["migrate", "--cutover", "auto"])
                do {
                    try await again.moment("index.before")
                    try await holder.query("COMMIT")
                    #expect(try await again.exit(within: .seconds(400)) == .code(0), "\(again.standardError.tail(60))")
                } catch {
                    try await again.kill9()
                    throw error
                }
            }
        }
    }

    private static func alters(on target: TestServer) async throws -> Int {
        // Not information_schema.processlist: MySQL 9.7.4 fails with 3854 on the bytes of a session that is between two statements.
        let text = "SELECT COUNT(*) FROM performance_schema.threads WHERE processlist_info LIKE 'ALTER TABLE%seats%'"
        return Int(try await target.value(text)) ?? 0
    }

    private static func waitForAlter(on target: TestServer) async throws {
        try await withTimeLimit(.seconds(60), "no ALTER of seats began") {
            while try await alters(on: target) == 0 {}
        }
    }

    /// The check of the records itself can fail.
    @Test(arguments: [
        ["stop source 0", "switch source 0"], ["stop source 0"], ["switch source 1"],
        ["stop source 0", "switch source 1", "start target 0"], ["stop source 0", "start source 1"],
        ["stop source 0", "switch source 1", "switch_back target 0", "start source 0"], ["dance source 0"],
    ])
    func recordsOfTwoSidesAreCaught(lines: [String]) {
        #expect(!FaultApplication.violations(lines).isEmpty)
    }

    @Test(arguments: [
        ["stop source 0", "switch source 1", "start target 1", "health target 1"],
        ["stop source 0", "switch source 1", "switch_back target 1", "start source 0"],
        ["stop source 0", "start source 0", "stop source 0", "switch source down", "start target 1"],
    ])
    func recordsOfOneSidePass(lines: [String]) { #expect(FaultApplication.violations(lines).isEmpty) }
}
