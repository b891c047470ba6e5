import MySQLTypes
import MySQLWire

extension Remedy { static let purgedLog = Remedy("purged-log", pitfalls: [36], test: "SourceContinuityDecisionTests") }

/// The source's address led to another server within an attempt. The next attempt looks whether that one may stand in.
package struct SourceSwitched: Error, Sendable, CustomStringConvertible {
    package var old: String
    package var new: String
    package var description: String { "The source's address leads to another server (UUID \(new)) than before (\(old))." }
}

/// May the task go on with this source: the same server as before, or, after a failover, another one of the same lineage?
///
/// A server that has executed everything that the target holds, and still has the log of everything that it does not, continues
/// the task. What was read before the consistency point is good only if this server has all that any read can have seen: a server
/// that fell behind and was promoted has lost transactions whose rows may be on the target.
struct SourceContinuity: Sendable {
    let plan: Plan
    let state: TargetState
    let positions: SourcePositions

    static let createStatement = """
        CREATE TABLE IF NOT EXISTS `godwit`.`upper_bound` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `source_uuid` VARCHAR(64) NOT NULL,
          `position` LONGTEXT NOT NULL
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """

    /// Another server than before.
    struct Change: Sendable {
        var uuid: String
        var phase: TaskPhase
        var executed: GTIDSet
        /// What must be loaded again: nothing, or all that has been loaded so far.
        var reloads: Bool
        var sentence: String
        /// MariaDB: the checkpoint's place in the log of this server, and by numbers.
        var place: BinlogCoordinates?
        var maria: MariaDBGTIDPosition?
    }

    /// What stands against a server, or that tables must be loaded again. Pure.
    enum Judgement: Hashable, Sendable {
        case goesOn
        case reload
        /// It has none of the task's transactions.
        case otherLineage
        /// These are on the target and not there.
        case lacks(GTIDSet)
        case purged(GTIDSet)
    }

    /// - Parameters:
    ///   - stored: the checkpoint.
    ///   - bound: what any chunk can have seen, where that is known.
    static func judge(
        stored: GTIDSet, executed: GTIDSet, purged: GTIDSet, bound: GTIDSet?, phase: TaskPhase
    ) -> Judgement {
        let missing = stored.subtracting(executed)
        guard missing.isEmpty else {
            return stored.subtracting(missing).isEmpty ? .otherLineage : .lacks(missing)
        }
        let gap = purged.subtracting(stored)
        guard gap.isEmpty || !Remedy.purgedLog.isOn else { return .purged(gap) }
        switch phase {
        case .preparing, .loading: return .reload
        case .replaying: return bound.map { $0.isSubset(of: executed) } ?? false ? .goesOn : .reload
        // The target is the source at the checkpoint, which this server has.
        case .indexing, .following, .fenced, .cutOver: return .goesOn
        }
    }

    /// nil: the server as ever.
    func check(
        _ task: StoredTask, uuid: String, source: MySQLConnection, sourceFacts: ServerFacts, targetFacts: ServerFacts,
        target: MySQLConnection
    ) async throws -> Change? {
        let isSame = task.sourceUUID == uuid
        let checkpoint = try await state.checkpoint(locked: false, on: target)
        guard case .gtids(let stored) = checkpoint.position else {
            if isSame { return nil }
            return try await moved(
                task, checkpoint, uuid: uuid, source: source, sourceFacts: sourceFacts, targetFacts: targetFacts, target: target)
        }
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'upper_bound'")
        // Tasks of earlier versions have no such table.
        if exists.rows.isEmpty {
            for statement in [Self.createStatement, AnonymousScan.createStatement] { try await target.query(statement) }
        }
        let phase = try await state.phase(on: target).phase
        if isSame, [.fenced, .cutOver].contains(phase) { return nil }
        guard isSame || Remedy.lineage.isOn else { return nil }
        // The stream delivers transactions before the server counts them as executed: a moment's patience.
        var executed = try await positions.executed(on: source)
        for _ in 0..<50 where !stored.isSubset(of: executed) {
            try await Task.sleep(for: .milliseconds(100))
            executed = try await positions.executed(on: source)
        }
        let text = try await source.query("SELECT @@GLOBAL.gtid_purged").rows.first?.string(0) ?? ""
        let purged: GTIDSet
        do {
            purged = try GTIDSet(parsing: text)
        } catch {
            throw EngineError(.failed, "The server's gtid_purged is not readable: \(error.reason).")
        }
        let bound = try await state.upperBound(on: target)
        var known: GTIDSet?
        if case .gtids(let set)? = bound?.position { known = set }
        let judgement = Self.judge(stored: stored, executed: executed, purged: purged, bound: known, phase: phase)
        try refuse(judgement, task, uuid, isSame)
        if isSame {
            if let place = try await state.reached(of: uuid, on: target) {
                try await AnonymousScan(sessions: Sessions(plan: plan)).run(from: place, known: stored, source: source)
            }
            return nil
        }
        let journal = try await state.journal(on: target)
        guard journal.current.isEmpty || journal.isFinished else {
            throw Self.refusal(plan, task, uuid, "A cutover is under way, and the write block stands on the other server.")
        }
        var facts = PreflightFacts(source: sourceFacts, target: targetFacts)
        facts.without = plan.without
        if let refusal = Preflight.refusal(Preflight.sourceLog(facts) + Preflight.sourceGrants(facts)) { throw refusal }
        let reloads = judgement == .reload
        return Change(
            uuid: uuid, phase: phase, executed: executed, reloads: reloads,
            sentence: "The source is another server of the same lineage now (UUID \(uuid) instead of \(task.sourceUUID)): it has all that the target holds"
                + (reloads ? "; what was loaded so far is loaded again." : "."))
    }

    private func refuse(_ judgement: Judgement, _ task: StoredTask, _ uuid: String, _ isSame: Bool) throws {
        switch judgement {
        case .goesOn, .reload: return
        case .otherLineage where !isSame:
            throw Self.refusal(plan, task, uuid, "It has none of the transactions that the target holds: it is a server of another lineage.")
        case .otherLineage, .lacks:
            var missing = ""
            if case .lacks(let set) = judgement { missing = " (\(set.description.prefix(200)))" }
            throw EngineError(
                .resumable, "The source (UUID \(uuid)) lacks transactions that the target holds\(missing).",
                why: isSame
                    ? "It has lost the end of its binary log, as a crash does with sync_binlog other than 1."
                    : "It is a replica that is behind, or was made the source before it had them all.",
                cure: "If it is behind, run the same command again once it has caught up. If they are lost, the target is ahead of the source: migrate into empty tables.")
        case .purged(let set):
            throw EngineError(
                .failed, "The source (UUID \(uuid)) has purged transactions that the target lacks (\(set.description.prefix(200))).",
                why: "Its binary log does not reach back to the checkpoint.",
                cure: "Point the plan at a server that still has them, or drop this task's rows in schema godwit and the target's tables and migrate again.")
        }
    }

    static func refusal(_ plan: Plan, _ task: StoredTask, _ uuid: String, _ why: String) -> EngineError {
        EngineError(
            .plan, "Task \(plan.task) was begun on the source with UUID \(task.sourceUUID); this one is \(uuid).", why: why,
            cure: "Point the plan at the first server or one that replicates it with GTIDs, or give the plan another name for a new migration.")
    }

    /// Makes the server the task's source; ends with `DefinitionsChanged` where tables must be loaded again.
    func settle(_ change: Change, _ context: RunContext) async throws {
        if let place = change.place { return try await settle(place, change, epoch: context.epoch, on: context.control) }
        // First what was loaded: after a crash in between, the server is still another one, and all of this is done again.
        guard change.reloads else { return try await state.storeSource(change.uuid, on: context.control) }
        let chunks = try await state.chunks(on: context.control)
        let loaded = Set(chunks.filter { $0.isDone || change.phase == .replaying }.map(\.table))
        let names = context.tables.filter { loaded.contains($0.id) || $0.loadedAt != nil }.map(\.source.name)
        guard !names.isEmpty, change.phase != .preparing || context.tables.contains(where: { $0.isPrepared }) else {
            return try await state.storeSource(change.uuid, on: context.control)
        }
        do {
            try await TableReset(context: context).run(names, in: change.phase, because: "The source is another server now")
        } catch let changed as DefinitionsChanged {
            try await state.storeSource(change.uuid, on: context.control)
            throw changed
        }
    }
}

/// A failed-over source continues the task only if nothing that the target holds, or has read, is missing there.
extension Remedy { static let lineage = Remedy("lineage", pitfalls: [36, 37], test: "SourceContinuityTests/duringTheLoad") }

extension TargetState {
    /// What any chunk can have seen, as a set, and the server it was read of.
    struct UpperBound: Sendable, Hashable {
        var sourceUUID: String
        var position: ReplicationPosition
    }

    func storeUpperBound(_ position: ReplicationPosition?, of uuid: String, on target: MySQLConnection) async throws {
        guard let position else { return }
        try await target.query(
            "REPLACE INTO `godwit`.`upper_bound` (task, source_uuid, position) VALUES (\(SQL.string(task)), \(SQL.string(uuid)), \(SQL.string(Self.json(position))))")
    }

    /// nil: by file positions, or not taken yet.
    func upperBound(on target: MySQLConnection) async throws -> UpperBound? {
        let row = try await target.query("SELECT source_uuid, position FROM `godwit`.`upper_bound` WHERE task = \(SQL.string(task))").rows.first
        return try row.map {
            UpperBound(sourceUUID: $0.string(0) ?? "", position: try Self.decode(ReplicationPosition.self, $0.string(1) ?? ""))
        }
    }

    func storeSource(_ uuid: String, on target: MySQLConnection) async throws {
        try await target.query("UPDATE `godwit`.`task` SET source_uuid = \(SQL.string(uuid)) WHERE task = \(SQL.string(task))")
    }
}
