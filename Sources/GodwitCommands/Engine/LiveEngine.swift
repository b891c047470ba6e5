import GodwitEngine
import MySQLWire
import NIOCore
import NIOPosix

/// The engine itself.
struct LiveEngine: MigrationEngine {
    func loadPlan(path: String) throws -> Plan { try Plan.load(path: path) }

    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport {
        try await MigrationRun(plan: plan, options: options, observer: observer).run()
    }

    func check(plan: Plan) async throws -> [CheckFinding] {
        throw EngineError(.failed, "The preflight cannot run yet.", why: "It has not landed.")
    }

    func dryRun(plan: Plan) async throws -> DryRun {
        let source = try await connect(plan.source, side: "source")
        let tables: [(TableDefinition, TableDecision)]
        do {
            tables = try await sourceTables(plan, source)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        guard !tables.isEmpty else {
            throw EngineError(
                .plan, "The plan's tables match nothing on the source.", cure: "Correct `tables:`, or the user's grants.")
        }
        let target = try await connect(plan.target, side: "target")
        do {
            let planner = try await planner(plan, tables, target)
            await target.close()
            return planner.dryRun()
        } catch {
            await target.close()
            throw error
        }
    }

    func verify(plan: Plan, observer: any ProgressObserver) async throws -> VerifyReport {
        throw EngineError(.failed, "The comparison cannot run yet.", why: "It has not landed.")
    }

    func control(plan: Plan) async throws -> any MigrationControl {
        throw EngineError(.failed, "The target's state cannot be read yet.", why: "Its reader has not landed.")
    }

    func probe(_ server: Plan.Server) async throws -> ServerAnswer {
        let connection = try await connect(server, side: "server")
        let facts = connection.server
        await connection.close()
        let tls = [facts.tlsVersion, facts.tlsCipher].compactMap { $0 }.joined(separator: " ")
        return ServerAnswer(version: facts.version, tls: tls.isEmpty ? "none" : tls)
    }

    private func connect(_ server: Plan.Server, side: String) async throws -> MySQLConnection {
        let configuration = MySQLConfiguration(
            address: server.address, username: server.user, password: server.password, tls: server.tls)
        do {
            return try await MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
        } catch {
            if error.code == .cancelled { throw error }
            throw EngineError(
                .failed, "The \(side) \(server.address) cannot be used as '\(server.user)':", why: error.message,
                cure: error.cure)
        }
    }

    /// The tables that the plan takes, with where they go.
    private func sourceTables(
        _ plan: Plan, _ source: MySQLConnection
    ) async throws -> [(TableDefinition, TableDecision)] {
        var mappings = plan.mappings
        let folding = try await source.query("SELECT @@lower_case_table_names").rows.first?.int(0) ?? 0
        mappings.foldsCase = folding != 0
        let rules = mappings
        return try await Catalog.read(
            source, include: { rules.decision(for: $0) != nil }, schemas: { rules.mayInclude(schema: $0) }
        ).compactMap { table in rules.decision(for: table.name).map { (table, $0) } }
    }

    private func planner(
        _ plan: Plan, _ tables: [(TableDefinition, TableDecision)], _ target: MySQLConnection
    ) async throws -> DryRunPlanner {
        let schemas = Set(try await Catalog.schemas(target).map(\.name))
        let wanted = Set(tables.map(\.1.target))
        let wantedSchemas = Set(wanted.map(\.schema))
        let existing = try await Catalog.read(
            target, include: { wanted.contains($0) }, schemas: { wantedSchemas.contains($0) })
        let byName = Dictionary(existing.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var entries: [DryRunPlanner.Entry] = []
        for (table, decision) in tables {
            var hasRows = false
            if byName[decision.target] != nil {
                hasRows = try await !target.query("SELECT 1 FROM \(decision.target.sql) LIMIT 1").rows.isEmpty
            }
            entries.append(
                .init(
                    source: table, target: decision.target, existing: byName[decision.target],
                    existingHasRows: hasRows))
        }
        let hasRunBefore = schemas.contains("godwit") ? try await control(plan: plan).status() != nil : false
        return DryRunPlanner(
            task: plan.task, preparation: plan.settings.preparation, entries: entries, targetSchemas: schemas,
            targetAddress: plan.target.address.description, hasRunBefore: hasRunBefore)
    }
}
