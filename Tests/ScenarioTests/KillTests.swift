import GodwitTesting
import Testing

/// `kill -9` at named moments, the same command again each time: ends equal, with no manual step.
@Suite(.serialized) struct KillTests {
    /// One moment of each phase per run, five runs: twenty kills.
    static let phases: [[String]] = [
        ["load.chunk.begin", "load.chunk.before-commit", "load.chunk.after-commit"],
        ["replay.before-commit", "replay.after-commit"],
        ["index.before", "index.after"],
        [
            "cutover.block_source.end", "cutover.read_final_position.end", "cutover.drain.end",
            "cutover.final_validation.end",
            "cutover.fence_forward_stream.end", "cutover.source_unchanged.end", "cutover.switch_application.begin",
        ],
    ]

    static func moments(seed: UInt64) -> [String] {
        var random = SplitMix64(state: seed)
        return phases.map { names in
            let name = names[Int.random(in: 0..<names.count, using: &random)]
            // Only the load surely passes its moments more than once.
            return name.hasPrefix("load") ? "\(name):\(Int.random(in: 1...4, using: &random))" : name
        }
    }

    @Test(arguments: [UInt64](1...5))
    func resumesAfterEveryKill(seed: UInt64) async throws {
        let moments = Self.moments(seed: seed)
        print("seed \(seed): \(moments.joined(separator: ", "))")
        try await withScenario(rows: 3000) { scenario in
            let writers = scenario.writers(4, rate: 200, seed: seed)
            try await writers.started()
            for moment in moments {
                let godwit = try await scenario.godwit(["migrate", "--cutover", "auto"], haltAt: moment)
                try await godwit.halted()
                try await godwit.kill9()
            }
            let last = try await scenario.godwit(["migrate", "--cutover", "auto"])
            #expect(try await last.exit() == .code(0), "\(last.standardError.tail())")
            try await expectMoved(scenario, writers, pauseBelow: 60)
        }
    }

    @Test(
        arguments: ["source", "target"],
        ["load.chunk.before-commit:2", "replay.before-commit:1", "cutover.drain.begin"])
    func survivesAKilledServer(side: String, moment: String) async throws {
        try await withScenario(rows: 3000) { scenario in
            let writers = scenario.writers(4, rate: 200, seed: 9)
            try await writers.started()
            let godwit = try await scenario.godwit(["migrate", "--cutover", "auto"])
            try await godwit.moment(String(moment.prefix { $0 != ":" }))
            let server = side == "source" ? scenario.source : scenario.target
            try await server.kill()
            try await server.start()
            // Whether it waits for the server or ends resumable is its choice; the same command again finishes.
            var exit = try await godwit.exit()
            if exit == .code(3) {
                exit = try await scenario.godwit(["migrate", "--cutover", "auto"]).exit()
            }
            #expect(exit == .code(0), "\(godwit.standardError.tail())")
            try await expectMoved(scenario, writers, pauseBelow: 60)
        }
    }
}
