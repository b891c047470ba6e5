import MySQLTypes
import MySQLWire

extension Remedy { static let mariaLineage = Remedy("mariadb-lineage", pitfalls: [36, 37, 43], test: "SourceContinuityTests/aMariaDBReplicaTakesOver") }

/// A source of MariaDB after a failover. The task follows files and offsets of one server; by the number of the last transaction that the
/// target holds the same place is found in the log of the other one.
extension SourceContinuity {
    func moved(
        _ task: StoredTask, _ checkpoint: StoredCheckpoint, uuid: String, source: MySQLConnection, sourceFacts: ServerFacts,
        targetFacts: ServerFacts, target: MySQLConnection
    ) async throws -> Change {
        func refusal(_ why: String) -> EngineError { Self.refusal(plan, task, uuid, why) }
        guard sourceFacts.isMariaDB, Remedy.lineage.isOn, Remedy.mariaLineage.isOn else { throw refusal("File positions of one server mean nothing on another.") }
        let phase = try await state.phase(on: target).phase
        guard phase == .indexing || phase == .following else {
            throw refusal("Before the consistency point a migration from MariaDB is tied to the files of the server that it read.")
        }
        let journal = try await state.journal(on: target)
        guard journal.current.isEmpty || journal.isFinished else {
            throw refusal("A cutover is under way, and the write block stands on the other server.")
        }
        guard let known = checkpoint.maria, let last = known.last.values.first else {
            throw refusal("The first server's log did not say which transaction the checkpoint is behind.")
        }
        guard known.last.count == 1 else {
            throw refusal("Its transactions are of \(known.last.count) replication domains (\(known)), which stand in another order in each server's log.")
        }
        if let reason = try await unsettled(checkpoint.position, on: target) { throw refusal(reason) }
        var facts = PreflightFacts(source: sourceFacts, target: targetFacts)
        facts.without = plan.without
        if let refusal = Preflight.refusal(Preflight.sourceLog(facts) + Preflight.sourceGrants(facts)) { throw refusal }
        let place = try await place(behind: last, uuid, source)
        var change = Change(
            uuid: uuid, phase: phase, executed: GTIDSet(), reloads: false,
            sentence: "The source is another server of the same lineage now (\(uuid) instead of \(task.sourceUUID)): it goes on behind \(last), which is \(place) there.")
        change.place = place
        change.maria = known
        return change
    }

    private func place(behind gtid: MariaDBGTID, _ uuid: String, _ source: MySQLConnection) async throws -> BinlogCoordinates {
        let log = MariaDBLog(server: source, positions: positions)
        var found = try await log.end(of: gtid)
        // A replica that is being made the source may be applying its last transactions.
        for _ in 0..<50 where found == .behind {
            try await Task.sleep(for: .milliseconds(100))
            found = try await log.end(of: gtid)
        }
        switch found {
        case .place(let place):
            guard try await positions.numbers(at: place, on: source)?.last[gtid.domain] == gtid else {
                throw EngineError(
                    .failed, "The source (\(uuid)) does not say that \(gtid) is the last transaction before \(place).",
                    why: "Its log was read while it was written or purged.", cure: "Run the same command again.")
            }
            return place
        case .behind, .absent:
            throw EngineError(
                .resumable, "The source (\(uuid)) lacks transactions that the target holds (\(gtid)).",
                why: found == .behind
                    ? "It is a replica that is behind, was made the source before it had them all, or runs with log_slave_updates = OFF."
                    : "Its log has passed that number with other transactions: it is of another lineage, or went on before it had them all.",
                cure: "If it is behind, run the same command again once it has caught up. If they are lost, the target is ahead of the source: migrate into empty tables.")
        case .purged:
            throw EngineError(
                .failed, "The source (\(uuid)) has purged the log behind \(gtid), where the target stands.",
                why: "Its binary log does not reach back to the checkpoint.",
                cure: "Point the plan at a server that still has it, or drop this task's rows in schema godwit and the target's tables and migrate again.")
        }
    }

    /// What was noted by the first server's files and is not behind the checkpoint, a sentence.
    private func unsettled(_ checkpoint: ReplicationPosition, on target: MySQLConnection) async throws -> String? {
        let own = "task = \(SQL.string(plan.task))"
        if try await !target.query("SELECT 1 FROM `godwit`.`intent` WHERE \(own)").rows.isEmpty {
            return "A change of definition was being carried out when the first server was lost."
        }
        if try await !target.query("SELECT 1 FROM `godwit`.`xa` WHERE \(own) AND xid <> '' LIMIT 1").rows.isEmpty {
            return "XA transactions of the first server were prepared and not decided."
        }
        let ahead = try await state.gone(on: target).values + state.tables(on: target).compactMap(\.loadedAt)
        guard ahead.allSatisfy({ checkpoint.covers($0) }) else {
            return "A table was being read again from the first server, and its log is not followed up to there yet."
        }
        return nil
    }

    /// All places of the task are on the other server from here on, in one transaction.
    func settle(_ place: BinlogCoordinates, _ change: Change, epoch: UInt64, on target: MySQLConnection) async throws {
        let own = "task = \(SQL.string(plan.task))"
        let position = ReplicationPosition.file(place)
        try await target.query("BEGIN")
        try await state.checkFence(epoch: epoch, phase: change.phase, on: target)
        let checkpoint = try await state.checkpoint(locked: true, on: target)
        try await state.claimCheckpoint(
            sequence: checkpoint.sequence, position: position, commitMicroseconds: checkpoint.commitMicroseconds, maria: change.maria, on: target)
        let text = SQL.string(TargetState.json(position))
        // What they said is behind the checkpoint: so is the checkpoint's own place.
        try await target.query("UPDATE `godwit`.`tables` SET p0t = \(text) WHERE \(own) AND p0t IS NOT NULL")
        try await target.query("UPDATE `godwit`.`gone` SET position = \(text) WHERE \(own)")
        try await state.storeSettled(position, on: target)
        try await state.storeSource(change.uuid, on: target)
        try await target.query("COMMIT")
    }
}
