import GodwitTesting
import Testing

/// The writers themselves: they touch every table in every way, keep the transfers' sum, and measure a pause they saw.
@Suite(.serialized) struct WorkloadTests {
    @Test func sameSeedSameTransactions() {
        let schema = SampleSchema(rows: 1000)
        var first = WriterScript(schema: schema, writer: 1, writers: 4, seed: 7)
        var second = WriterScript(schema: schema, writer: 1, writers: 4, seed: 7)
        var other = WriterScript(schema: schema, writer: 2, writers: 4, seed: 7)
        let texts = (0..<500).map { _ in first.next().statements }
        #expect(texts == (0..<500).map { _ in second.next().statements })
        #expect(texts != (0..<500).map { _ in other.next().statements })
    }

    @Test func everyTableIsInsertedUpdatedDeletedAndMoved() {
        let schema = SampleSchema(rows: 1000)
        var script = WriterScript(schema: schema, writer: 0, writers: 1, seed: 3)
        let statements = (0..<20_000).flatMap { _ in script.next().statements }
        for table in schema.tables {
            for verb in ["INSERT INTO", "UPDATE", "DELETE FROM"] {
                // Orders go by the cascade from their account.
                if table.name == "orders", verb == "DELETE FROM" { continue }
                let wanted = "\(verb) shop.\(table.name) "
                #expect(statements.contains { $0.hasPrefix(wanted) }, "no \(verb) of \(table.name)")
            }
        }
        for key in ["SET id = ", "SET region = ", "SET sku = ", "SET code = ", "SET label = ", "SET place = "] {
            #expect(statements.contains { $0.contains(key) }, "no moved key: \(key)")
        }
    }

    @Test(arguments: ServerFlavour.allCases)
    func writersRunWithoutErrorAndKeepTheSum(flavour: ServerFlavour) async throws {
        try await withServer(flavour) { server in
            let schema = SampleSchema(rows: 1000, mariaDB: flavour == .mariadb)
            try await WorkloadRun.seed(schema, on: server.configuration())
            for table in schema.tables {
                #expect(try await server.value("SELECT COUNT(*) FROM shop.\(table.name)") == "\(table.rows)")
            }
            let before = try await TableFingerprint.all(of: "shop", on: server)
            var settings = WorkloadSettings(schema: schema, source: server.configuration())
            settings.seconds = 3
            settings.writers = 4
            settings.seed = 11
            let report = try await WorkloadRun.run(settings)
            #expect(report.errors == 0, "\(report.firstError ?? "")")
            #expect(report.transactions > 100)
            let sum = try await server.value("SELECT SUM(balance) FROM shop.accounts")
            #expect(sum == "\(SampleSchema.coreAccounts * SampleSchema.coreBalance).0000")
            let after = try await TableFingerprint.all(of: "shop", on: server)
            for table in schema.tables { #expect(before[table.name] != after[table.name], "\(table.name) untouched") }
        }
    }

    @Test func thePauseIsWhatTheWritersSaw() async throws {
        try await withScenario(rows: 200) { scenario in
            let writers = scenario.writers(2, rate: nil, seed: 5)
            try await writers.started()
            try await scenario.source.sql("SET GLOBAL super_read_only = ON")
            let refusedSince = ContinuousClock.now
            // The measured pause must hold this interval.
            try await scenario.target.sql("SELECT SLEEP(0.5)")
            let interval = ContinuousClock.now - refusedSince
            try scenario.writeAddress(scenario.targetAddress)
            let report = try await writers.arrived()
            let pause = try #require(report.writePause)
            #expect(pause >= interval / .seconds(1))
            #expect(pause < 10)
            #expect(try await scenario.target.value("SELECT COUNT(*) FROM arrivals.arrivals") == "2")
            #expect(report.errors == 0, "\(report.firstError ?? "")")
        }
    }
}
