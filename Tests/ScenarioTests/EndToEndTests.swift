import GodwitTesting
import Testing

/// The whole way on real servers, with writers that never pause: `godwit migrate --cutover auto` ends 0, both sides are
/// equal by plain SQL, and the writers saw a short pause.
@Suite(.serialized) struct EndToEndTests {
    @Test func migratesLiveAndCutsOver() async throws {
        try await withScenario(rows: 5000) { scenario in
            let writers = scenario.writers(4, rate: 200, seed: 1)
            try await writers.started()
            let godwit = try await scenario.godwit(["migrate", "--cutover", "auto"])
            let exit = try await godwit.exit()
            #expect(exit == .code(0), "\(godwit.standardError.tail())")
            try await expectMoved(scenario, writers)
        }
    }

    @Test func verifyCatchesOneChangedRow() async throws {
        try await withScenario(rows: 1000) { scenario in
            let migrated = try await scenario.godwit(["migrate", "--until", "validated"])
            #expect(try await migrated.exit() == .code(0), "\(migrated.standardError.tail())")
            let equal = try await scenario.godwit(["verify"])
            #expect(try await equal.exit() == .code(0), "\(equal.standardError.tail())")
            try await scenario.target.sql("UPDATE shop.labels SET amount = amount + 1 ORDER BY label LIMIT 1")
            let unequal = try await scenario.godwit(["verify"])
            #expect(try await unequal.exit() == .code(4), "\(unequal.standardError.tail())")
        }
    }
}

/// Waits for the writers' arrival and compares everything there is to compare.
func expectMoved(_ scenario: Scenario, _ writers: Writers, pauseBelow limit: Double = 10) async throws {
    let report = try await writers.arrived()
    #expect(report.errors == 0, "\(report.firstError ?? "")")
    #expect(try scenario.address == scenario.targetAddress)
    let differences = try await scenario.differences()
    #expect(differences.isEmpty)
    let sum = try await scenario.target.value("SELECT SUM(balance) FROM shop.accounts")
    #expect(sum == "\(SampleSchema.coreAccounts * SampleSchema.coreBalance).0000")
    let pause = try #require(report.writePause)
    #expect(pause < limit)
}
