import Foundation
import MySQLTypes
import MySQLWire

extension Remedy { static let settledStart = Remedy("settled-start", pitfalls: [32], test: "XATests/preparedBeforeTheStart") }

/// From a plan and two servers to a task on the target: refuses, decides, stores, and only then changes anything.
struct Preparation: Sendable {
    let plan: Plan
    let state: TargetState
    let positions: SourcePositions
    let observer: any ProgressObserver

    /// Stored with the task: what a resumed run must find unchanged.
    struct StoredPlan: Codable, Hashable {
        struct Table: Codable, Hashable {
            var source: TableName
            var target: TableName
            var filter: String
        }
        var databases: [String]
        var tables: [Table]
        /// Of the source when the task began.
        var logsCascades: Bool?
    }

    func preflight(source: MySQLConnection, target: MySQLConnection) async throws {
        let findings = try await Preflight.check(source: source, target: target, plan: plan)
        for finding in findings where finding.severity == .warning { observer.say("warning", finding.description) }
        if let refusal = Preflight.refusal(findings) { throw refusal }
    }

    /// Reads P0 and the catalogs, decides how every table is prepared, and stores all of it in one transaction.
    func create(
        source: MySQLConnection, target: MySQLConnection, uuid: String, board: ProgressBoard
    ) async throws {
        let end = try await positions.end(on: source)
        let (p0, settled) = try await start(source, target, board)
        let mappings = plan.mappings
        let definitions = try await Catalog.read(
            source, include: { mappings.decision(for: $0) != nil }, schemas: { mappings.mayInclude(schema: $0) })
        guard !definitions.isEmpty else {
            throw EngineError(
                .plan, "The plan's table mappings include no table of the source.",
                why: "No name matches, or user \(plan.source.user) may not see the tables.",
                cure: "Check the rules' schema and table names, and the user's SELECT grant.")
        }
        let names = Dictionary(
            uniqueKeysWithValues: definitions.compactMap { table in
                mappings.decision(for: table.name).map { (table.name, $0.target) }
            })
        let found = try await self.found(Set(names.values), on: target)
        let translation = try await DialectTranslation.read(source: source, target: target)
        var prepared: [PreparedTable] = []
        for definition in definitions {
            guard let name = names[definition.name] else { continue }
            prepared.append(
                try TargetPreparation.decide(
                    mode: plan.settings.preparation, source: definition, target: name, found: found[name],
                    mapping: { names[$0] }, translation: translation))
        }
        let databases = PreparedTarget.databases(
            targets: prepared.map { ($0.source.name, $0.target) }, sourceSchemas: try await Catalog.schemas(source),
            existing: Set(try await Catalog.schemas(target).map(\.name)), translation: translation)
        let facts = try await ServerFacts.read(source)
        let stored = StoredPlan(
            databases: databases, tables: prepared.map { storedTable($0) }, logsCascades: facts.logsCascades)
        try await state.createTask(
            sourceUUID: uuid, plan: TargetState.json(stored), p0: p0, settled: settled,
            tables: prepared.map { ($0.source.name, TargetState.json($0)) }, on: target)
        if positions.usesGTIDs { try await state.storeReached(BinlogCoordinates(file: end.file, offset: 4), of: uuid, on: target) }
        observer.moment("prepare.stored")
    }

    private func storedTable(_ table: PreparedTable) -> StoredPlan.Table {
        let filters = plan.mappings.decision(for: table.source.name)?.filters ?? []
        return StoredPlan.Table(source: table.source.name, target: table.target, filter: "\(filters)")
    }

    /// P0, and up to where outcomes of XA transactions prepared before it may come.
    ///
    /// The rows of those are not in the log behind P0. So all that are prepared once P0 is read are waited for: from then on every
    /// read sees what became of them, and until then they lock their rows, so nothing that is replayed can touch these. What is
    /// prepared meanwhile is in the log.
    private func start(
        _ source: MySQLConnection, _ target: MySQLConnection, _ board: ProgressBoard
    ) async throws -> (p0: ReplicationPosition, settled: ReplicationPosition) {
        let p0 = try await positions.lowerBound(on: source)
        var waiting = Set(try await SourceGates.preparedXA(on: source))
        let wait = "prepared XA transactions"
        if !waiting.isEmpty {
            observer.say("warning", "Waiting for XA transactions that are prepared on the source: \(waiting.sorted().joined(separator: ", ")). Commit them or roll them back.")
        }
        while !waiting.isEmpty, Remedy.settledStart.isOn {
            await board.beginWait(
                wait, why: "Prepared on the source before the point from which it is followed: \(waiting.sorted().joined(separator: ", ")).", limit: nil)
            try await state.storeStatus(await board.snapshot(), on: target)
            observer.moment("prepare.xa-wait")
            try await Task.sleep(for: .milliseconds(500))
            waiting.formIntersection(try await SourceGates.preparedXA(on: source))
        }
        await board.endWait(wait)
        let settled: ReplicationPosition = positions.usesGTIDs
            ? .gtids(try await positions.ownedOrExecuted(on: source)) : .file(try await positions.end(on: source))
        return (p0, settled)
    }

    private func found(
        _ names: Set<TableName>, on target: MySQLConnection
    ) async throws -> [TableName: TargetPreparation.Found] {
        let schemas = Set(names.map(\.schema))
        let definitions = try await Catalog.read(
            target, include: { names.contains($0) }, schemas: { schemas.contains($0) })
        var found: [TableName: TargetPreparation.Found] = [:]
        for definition in definitions {
            let rows = try await target.query("SELECT 1 FROM \(definition.rowsSQL) LIMIT 1").rows
            found[definition.name] = TargetPreparation.Found(definition: definition, isEmpty: rows.isEmpty)
        }
        return found
    }

    /// How tables are read depends on whether cascades are logged, so that must not change before the consistency point. From it on
    /// each event says so.
    func checkCascades(_ stored: StoredTask, _ facts: ServerFacts, on target: MySQLConnection) async throws {
        let old = try TargetState.decode(StoredPlan.self, stored.plan)
        guard let logged = old.logsCascades, logged != facts.logsCascades,
            try await [.preparing, .loading, .replaying, .indexing].contains(state.phase(on: target).phase)
        else { return }
        let tables = try await self.tables(on: target).map(\.source)
        guard !CascadeComponents.find(tables, logged: false).isEmpty else { return }
        throw EngineError(
            .plan, "The source's innodb_native_foreign_keys was changed since task \(plan.task) began.",
            why: "What foreign keys do to child rows \(logged ? "was" : "was not") in its log then, and the tables were read accordingly.",
            cure: "Set it back until the migration follows the source, or start a new migration.")
    }

    /// The stored task is the plan's.
    func check(
        _ stored: StoredTask, on target: MySQLConnection, gtidMode: String?, p0: ReplicationPosition
    ) async throws {
        // By file positions any mode will do, and its changes too. GTIDs end with the first transaction that has none.
        if p0.isGTIDs, let mode = gtidMode?.uppercased(), mode != "ON" {
            throw EngineError(
                .resumable, "The source's gtid_mode is \(mode), and task \(plan.task) follows it by GTIDs.",
                why: "Transactions without a GTID cannot be remembered exactly.",
                cure: "Set gtid_mode to ON again, and run the same command again: it goes on if no transaction was written without one.")
        }
        let old = try TargetState.decode(StoredPlan.self, stored.plan)
        for table in try await state.tables(on: target) where plan.mappings.decision(for: table.source) == nil {
            throw changed("table \(table.source) is not included any more")
        }
        for table in old.tables {
            guard let decision = plan.mappings.decision(for: table.source) else {
                throw changed("table \(table.source) is not included any more")
            }
            guard decision.target == table.target else { throw changed("\(table.source) goes to \(decision.target) instead of \(table.target)") }
            guard "\(decision.filters)" == table.filter else { throw changed("the row filter of \(table.source) is another") }
        }
    }

    /// Tables of the source that the plan includes and the task does not know. Those that came after it began have a statement in the
    /// log that brings them.
    func unknownTables(on source: MySQLConnection, known: [TableName]) async throws -> [TableName] {
        let known = Set(known)
        let mappings = plan.mappings
        let names = try await source.query(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")
        return names.rows.map { TableName(schema: $0.string(0) ?? "", table: $0.string(1) ?? "") }
            .filter { mappings.decision(for: $0) != nil && !known.contains($0) }
    }

    /// What the log should have brought and has not: it was there, unseen, before the task began.
    func unseen(_ tables: [TableName]) -> EngineError {
        changed("table \(tables.map(\.description).joined(separator: ", ")) is included now and was not at the start")
    }

    private func changed(_ what: String) -> EngineError {
        EngineError(
            .plan, "The plan, or the source, has changed since task \(plan.task) began: \(what).",
            why: "Tables are added to a running task, or leave it, only by statements in the source's log.",
            cure: "Put it back as it was, or give the plan another name and migrate into empty tables.")
    }

    func tables(on target: MySQLConnection) async throws -> [RunTable] {
        let suspended = Dictionary(
            try await state.suspended(on: target).map { ($0.table, $0.reason) }, uniquingKeysWith: { first, _ in first })
        let exceptions = try await state.openExceptions(on: target)
        return try await state.tables(on: target).map { stored in
            let prepared = try TargetState.decode(PreparedTable.self, stored.prepared)
            let decision = plan.mappings.decision(for: prepared.source.name)
            return RunTable(
                id: stored.id, prepared: prepared, filters: decision?.filters ?? [], loadOrder: decision?.loadOrder ?? 0,
                isPrepared: stored.isPrepared, isPlanned: stored.isPlanned, isIndexed: stored.isIndexed, loadedAt: stored.loadedAt,
                suspension: suspended[prepared.source.name], exceptions: Int(exceptions[prepared.source.name] ?? 0))
        }
    }

    /// Runs what was decided. May be cut off and run again until the phase moves on.
    func carryOut(_ context: RunContext) async throws {
        guard let stored = try await state.readTask(on: context.control) else {
            throw EngineError(.failed, "The task's row is gone from schema godwit on the target.")
        }
        let databases = try TargetState.decode(StoredPlan.self, stored.plan).databases
        // Those that are being loaded again; the others have their rows.
        let tables = context.tables.filter { !$0.isPrepared }
        let prepared = PreparedTarget(databases: databases, tables: tables.map(\.prepared))
        let target = try await context.openTarget()
        do {
            let found = try await self.found(Set(tables.map(\.prepared.target)), on: target)
            for statement in databases { try await target.query(statement) }
            let sequences = Sequences(context: context)
            // Defaults of tables may name them.
            try await sequences.bring(source: context.sourceControl, target: target)
            for statement in try prepared.statements(found: found) {
                observer.moment("prepare.statement")
                try await target.query(statement)
            }
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        for omitted in tables.flatMap(\.prepared.omittedForeignKeys) { observer.say("warning", omitted) }
    }
}
