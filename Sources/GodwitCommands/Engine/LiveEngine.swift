import Foundation
import GodwitEngine
import MySQLWire
import NIOCore
import NIOPosix

/// The engine itself.
struct LiveEngine: MigrationEngine {
    func loadPlan(path: String) throws -> Plan { try Plan.load(path: path) }

    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport {
        guard plan.reverse != nil else { return try await MigrationRun(plan: plan, options: options, observer: observer).run() }
        let back = try plan.reversed()
        // Once the way back has begun, the way there is over; in and after a rollback its target takes no writes at all.
        let client = try await ControlClient.connect(plan: back)
        let standing: MigrationStatus?
        do {
            standing = try await client.status()
            await client.close()
        } catch {
            await client.close()
            throw error
        }
        if standing != nil {
            guard !options.cutover else {
                throw EngineError(
                    .plan, "Task \(plan.task) is cut over, and its way back is \(standing?.state == .cutOver ? "gone" : "under way").",
                    cure: "`godwit status` shows it; `godwit cleanup` removes both tasks, before a new migration.")
            }
            return try await MigrationRun(plan: back, options: options, observer: observer).run()
        }
        let report = try await MigrationRun(plan: plan, options: options, observer: observer).run()
        guard report.status.state == .cutOver, !options.cutover else { return report }
        observer.say("info", "The application runs on the target; from here the old source follows it.")
        return try await MigrationRun(plan: back, options: options, observer: observer).run()
    }

    func cleanUp(plan: Plan, performs: Bool) async throws -> Cleanup.Report { try await Cleanup(plan: plan).run(performs: performs) }

    func check(plan: Plan) async throws -> [Finding] {
        try await Preflight.check(plan: plan)
    }

    func dryRun(plan: Plan) async throws -> DryRun {
        try await Self.withBoth(plan) { plan, source, target in
            let prepared = try await Preflight.preparedTables(plan, target)
            let facts = try await Preflight.read(source: source, target: target, plan: plan, prepared: prepared)
            let hasRunBefore = try await TargetState(task: plan.task).readTask(on: target) != nil
            return DryRunPlanner(
                task: plan.task, facts: facts, targetAddress: plan.target.address.description,
                hasRunBefore: hasRunBefore
            ).dryRun()
        }
    }

    func verify(
        plan: Plan, repairs: Bool, progress: @escaping @Sendable (VerifyReport.Table) -> Void
    ) async throws -> VerifyReport {
        let (tables, failed, filters, objects) = try await Self.withBoth(plan) { plan, source, target in
            let (tables, failed, filters) = try await Self.comparisons(plan, source, target)
            if repairs, let refusal = try await VerifyRepair(plan: plan).refusal(tables.map(\.target.name), on: target) { throw refusal }
            let names = Dictionary(tables.map { ($0.source.name, $0.target.name) }, uniquingKeysWith: { first, _ in first })
            let objects = try await ObjectVerification(plan: plan, tables: names).differences(source: source, target: target)
            return (tables, failed, filters, objects)
        }
        guard !tables.isEmpty else { return VerifyReport(tables: failed, seconds: 0) }
        var verifier = Verifier(
            tables: tables, source: Self.configuration(plan.source, "source"),
            target: Self.configuration(plan.target, "target"),
            options: Verifier.Options(plan.settings), progress: progress)
        verifier.filters = filters
        if repairs { verifier.repair = VerifyRepair(plan: plan) }
        var report = try await verifier.run()
        report.tables += failed
        report.objects = objects
        return report
    }

    func control(plan: Plan) async throws -> any MigrationControl { LiveControl(plan: plan) }

    func probe(_ server: Plan.Server) async throws -> ServerAnswer {
        let connection = try await MySQLWire.MySQLConnection.connect(
            Self.configuration(server), on: MultiThreadedEventLoopGroup.singleton.next())
        let facts = connection.server
        await connection.close()
        let tls = [facts.tlsVersion, facts.tlsCipher].compactMap { $0 }.joined(separator: " ")
        return ServerAnswer(version: facts.version, tls: tls.isEmpty ? "none" : tls)
    }

    /// - Parameter side: for errors; nil where the caller names it.
    private static func configuration(_ server: Plan.Server, _ side: String? = nil) -> MySQLConfiguration {
        var configuration = MySQLConfiguration(
            address: server.address, username: server.user, password: server.password, tls: server.tls)
        configuration.peerName = side.map(server.peerName)
        return configuration
    }

    /// Runs `body` with a connection to either side, closed afterwards however it ends. The plan it gets knows how the source
    /// compares names.
    private static func withBoth<Output: Sendable>(
        _ plan: Plan, _ body: (Plan, any SQLSession, any SQLSession) async throws -> Output
    ) async throws -> Output {
        try await Sessions(plan: plan).withBoth { source, target in
            var plan = plan
            let folding = try await source.query("SELECT @@lower_case_table_names").rows.first?.int(0)
            plan.mappings.foldsCase = folding != 0
            return try await body(plan, source, target)
        }
    }

    /// What is compared, and the tables that cannot be, each with the reason.
    private static func comparisons(
        _ plan: Plan, _ source: any SQLSession, _ target: any SQLSession
    ) async throws -> (tables: [ChecksumSQL], failed: [VerifyReport.Table], filters: [Int: String]) {
        let rules = plan.mappings
        let tables = try await Catalog.read(
            source, include: { rules.decision(for: $0) != nil }, schemas: { rules.mayInclude(schema: $0) })
        let wanted = Set(tables.compactMap { rules.decision(for: $0.name)?.target })
        let schemas = Set(wanted.map(\.schema))
        let found = try await Catalog.read(
            target, include: { wanted.contains($0) }, schemas: { schemas.contains($0) })
        let byName = Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var comparisons: [ChecksumSQL] = []
        var failed: [VerifyReport.Table] = []
        var filters: [Int: String] = [:]
        for table in tables {
            guard let decision = rules.decision(for: table.name) else { continue }
            do {
                guard let counterpart = byName[decision.target] else {
                    throw EngineError(.failed, "The target has no table \(decision.target).")
                }
                let filter = try decision.filters.sql(columns: table.columns) { SQL.identifier($0.name) }
                // No condition on the target: a row there that the filter leaves out is one too many.
                comparisons.append(
                    try ChecksumSQL(
                        source: table, target: counterpart, sourceCondition: filter, targetCondition: nil))
                filters[comparisons.count - 1] = filter
            } catch let error as EngineError {
                var entry = VerifyReport.Table(source: table.name, target: decision.target)
                entry.error = error.description
                failed.append(entry)
            }
        }
        return (comparisons, failed, filters)
    }
}
