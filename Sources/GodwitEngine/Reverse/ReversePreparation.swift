import MySQLTypes
import MySQLWire

extension Remedy { static let reverseFromSwitch = Remedy("reverse-from-switch", pitfalls: [40], test: "ReverseTests/switchesBackWithoutLosingARow") }

/// The way back's task, in schema godwit of the old source: nothing is loaded, it follows the target from the very position at which
/// the cutover's forward stream was fenced.
struct ReversePreparation: Sendable {
    let plan: Plan
    let forward: Plan.Forward
    let state: TargetState
    let positions: SourcePositions
    let observer: any ProgressObserver

    /// - Parameter source: the target of the cutover. - Parameter target: the old source.
    func create(source: MySQLConnection, target: MySQLConnection, uuid: String) async throws {
        try await Self.refuseUnlessCutOver(forward, source)
        let journal = try await TargetState(task: forward.task).journal(on: source)
        let start = try await start(journal, source)
        let tables = try await tables(source, target)
        let stored = Preparation.StoredPlan(
            databases: [], tables: tables.map { .init(source: $0.source.name, target: $0.target, filter: "[]") },
            logsCascades: try await ServerFacts.read(source).logsCascades)
        try await state.createTask(
            sourceUUID: uuid, plan: TargetState.json(stored), p0: start, settled: start,
            tables: tables.map { ($0.source.name, TargetState.json($0)) },
            adopted: Set(tables.indices.filter { tables[$0].source.rowKey == nil }), on: target)
        observer.say("info", "The old source follows the target from \(start) on.")
        observer.moment("reverse.stored")
    }

    /// Of a migration that is not cut over nothing is touched.
    static func refuseUnlessCutOver(_ forward: Plan.Forward, _ source: MySQLConnection) async throws {
        let task = TargetState(task: forward.task)
        if try await task.readTask(on: source) != nil, try await task.journal(on: source).isFinished { return }
        throw EngineError(
            .plan, "There is nothing to go back from: task \(forward.task) is not cut over.",
            cure: "`godwit status` shows where it is; `godwit cutover` switches over.")
    }

    /// R0: where the forward stream was fenced.
    private func start(_ journal: CutoverJournal, _ source: MySQLConnection) async throws -> ReplicationPosition {
        guard Remedy.reverseFromSwitch.isOn else { return try await positions.exact(on: source) }
        guard let text = journal.detail(of: .fence) else {
            throw EngineError(
                .failed, "The cutover of task \(forward.task) has kept no position of the target.",
                why: "The target wrote no binary log then: what was written there since cannot be followed.",
                cure: "Migrate back: a plan with both sides exchanged loads everything anew.")
        }
        let start = try TargetState.decode(ReplicationPosition.self, text)
        guard start.isGTIDs == positions.usesGTIDs else {
            throw EngineError(
                .failed, "The target's gtid_mode was changed since the cutover.", why: "Its position was kept in the other form.",
                cure: "Set it back, and run the same command again.")
        }
        return start
    }

    /// The tables as they were at the switch, whatever the target's log has changed since: the old source's definitions, which cannot have
    /// changed and were compared in the cutover. Only the order of columns may be the target's own, where it had the table before.
    private func tables(_ source: MySQLConnection, _ target: MySQLConnection) async throws -> [PreparedTable] {
        let mappings = plan.mappings
        let old = try await Catalog.read(
            target, include: { mappings.decision(for: $0) != nil }, schemas: { mappings.mayInclude(schema: $0) })
        let carried = Dictionary(
            try await TargetState(task: forward.task).tables(on: source).map { try TargetState.decode(PreparedTable.self, $0.prepared) }
                .map { ($0.target, $0.targetDefinition) }, uniquingKeysWith: { first, _ in first })
        let there = Set(old.map(\.name))
        if let gone = carried.keys.sorted().first(where: { !there.contains($0) && mappings.decision(for: $0) != nil }) {
            throw EngineError(
                .failed, "Table \(gone) was there at the switch, and is not on the old source any more.", why: "Somebody has dropped or renamed it since.",
                cure: "Give it back its name if it was renamed, and run the same command again; else migrate back: a plan with both sides exchanged loads everything anew.")
        }
        return try old.map { table in
            guard let then = carried[table.name] else {
                throw EngineError(
                    .failed, "Table \(table.name) of the old source was not there at the switch.", why: "Somebody has made it since.",
                    cure: "Drop it there, then run the same command again.")
            }
            return PreparedTable(
                source: try Self.definition(of: table, columns: then.columns.map(\.name)), target: table.name, action: .keep, targetDefinition: table)
        }
    }

    /// The target's definition at the switch.
    /// - Parameter columns: their order there then.
    static func definition(of old: TableDefinition, columns: [String]) throws(EngineError) -> TableDefinition {
        guard old.columns.map(\.name) == columns else {
            throw EngineError(
                .failed, "The columns of table \(old.name) stood in another order on the target, or others stood there, at the switch.",
                why: "The target had the table before the migration; what its log holds would be read wrongly.",
                cure: "Migrate back: a plan with both sides exchanged loads everything anew.")
        }
        return old
    }

    /// The old source takes Godwit's writes and nobody else's; before anything else, in every attempt.
    ///
    /// `block: read-only` becomes read_only without super_read_only, which lets CONNECTION_ADMIN pass (MariaDB: READ_ONLY ADMIN); with
    /// `accounts` the accounts stay locked. With `application` nothing but the application's configuration keeps writers off. Whatever is
    /// written there by others makes rows differ, which validation shows.
    /// Its event scheduler is stopped first: super_read_only has held it, read_only does not hold events of privileged definers, and those
    /// of the schemas that move are only switched off once Godwit can write.
    static func open(_ target: MySQLConnection, source: MySQLConnection, _ forward: Plan.Forward) async throws {
        guard forward.block == .readOnly else { return }
        try await OldScheduler(forward: forward).stop(target, rememberedOn: source)
        if target.server.isMariaDB {
            let value = try await target.query("SELECT @@GLOBAL.read_only").rows.first?.string(0)?.uppercased() ?? ""
            if !["1", "ON", "READ_ONLY"].contains(value) { try await target.query("SET GLOBAL read_only = ON") }
            return
        }
        let row = try await target.query("SELECT @@GLOBAL.read_only, @@GLOBAL.super_read_only").rows.first
        if row?.int(0) == 1, row?.int(1) == 0 { return }
        do {
            // In this order nobody passes in between: super_read_only = OFF leaves read_only as it is.
            try await target.query("SET PERSIST read_only = ON")
            try await target.query("SET PERSIST super_read_only = OFF")
        } catch {
            guard error.serverCode == 1064 else { throw error }
            try await target.query("SET GLOBAL read_only = ON")
            try await target.query("SET GLOBAL super_read_only = OFF")
        }
    }
}
