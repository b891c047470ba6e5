import Foundation
import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore

/// What the applier tells the rest of the run. Called in order; `touched` comes before the changes can be visible.
package protocol ApplyListener: Sendable {
    func touched(_ keys: [TouchedKey], mark: MarkPosition) async
    /// More keys than can be remembered were touched by one transaction.
    func lost(tables: Set<Int>, mark: MarkPosition) async
    func applied(_ progress: ApplyProgress) async
}

package struct ApplyProgress: Sendable {
    package var position: ReplicationPosition
    package var reached: BinlogCoordinates
    package var commitMicroseconds: UInt64
    package var transactions: UInt64
    package var counts: [Int: ChangeCounts]
    /// Changes passed over, as a policy said.
    package var skipped: [TableName: UInt64] = [:]
}

/// Applies the source's transactions to the target: whole transactions, in order, many per target transaction, the
/// checkpoint in the same one (invariants I1 to I3). Anything unexpected throws; the caller starts again from the
/// checkpoint that the target has.
package struct Applier: Sendable {
    package let shapes: [TableShape]
    /// Exact position of the snapshot a table was loaded from (keyless tables): what it covers is skipped.
    package let loadedAt: [Int: ReplicationPosition]
    /// Row filters by table.
    package let filters: [Int: [RowFilter]]
    /// Of foreign keys whose effects are in no event.
    package let cascades: CascadeRules
    package let state: TargetState
    package let epoch: UInt64
    package let phase: TaskPhase
    /// Bytes (see `ApplyBatch.bytes`) after which a batch is written; less than the queue's limit.
    package let budget: Int
    package let statementLimit: Int
    package let listener: any ApplyListener
    package let observer: any ProgressObserver
    /// What is done about changes that do not fit, from the consistency point on.
    package var policy = ApplyPolicy()

    package init(
        shapes: [TableShape], loadedAt: [Int: ReplicationPosition], filters: [Int: [RowFilter]],
        cascades: CascadeRules = CascadeRules(), state: TargetState, epoch: UInt64, phase: TaskPhase, budget: Int, statementLimit: Int, listener: any ApplyListener,
        observer: any ProgressObserver
    ) {
        self.shapes = shapes
        self.loadedAt = loadedAt
        self.filters = filters
        self.cascades = cascades
        self.state = state
        self.epoch = epoch
        self.phase = phase
        self.budget = budget
        self.statementLimit = statementLimit
        self.listener = listener
        self.observer = observer
    }

    var isStrict: Bool { phase == .following }
    /// Tables that were followed before another one was begun anew (`godwit reload`): never anything but strict.
    package var strictTables: Set<Int> = []

    func isStrict(_ table: Int) -> Bool { isStrict || strictTables.contains(table) }

    struct Progress {
        var checkpoint: StoredCheckpoint
        /// The position that the target holds.
        var stored: ReplicationPosition
        var position: ReplicationPosition
        var reached: BinlogCoordinates
        var batch: ApplyBatch
        /// MariaDB: `position` by numbers of transactions; nil: not known.
        var maria: MariaDBGTIDPosition?
        /// The last transaction of the batch that is whole.
        var end: TransactionEnd?
        var commitMicroseconds: UInt64 = 0
        var transactions: UInt64 = 0
        var start: TransactionStart?
        /// The batch holds rows of the transaction that has begun and not ended.
        var hasOpenRows = false
        /// Keys touched by transactions of the batch that are whole, with their marks.
        var marks: [(keys: [TouchedKey], mark: MarkPosition)] = []
        /// The target transaction is open, its checkpoint claimed without a position.
        var isOpen = false
        var lostTables: Set<Int> = []
        /// Of this target transaction, by table: see `overlapping`.
        var history: [Int: Int] = [:]
        /// XA transactions that wait for their outcome.
        var xa: PreparedTransactions
        /// Cost of what was taken from the queue since the batch was empty.
        var held = 0
        /// Errors of each table so far.
        var faults: [Int: Int] = [:]
        /// Of this target transaction.
        var exceptions: [ApplyException] = []
        var suspended: [Int: String] = [:]
    }

    package enum Ending: Sendable {
        case stopped
        /// Everything before it is committed.
        case definition(DefinitionChange)
    }

    /// Applies until the log changes definitions or `stop` says so (asked between transactions with how far the stream has come) or the task is cancelled.
    package func run(
        _ queue: BoundedQueue<SourceItem>, from checkpoint: StoredCheckpoint,
        prepared: PreparedTransactions = PreparedTransactions(), on target: MySQLConnection,
        stop: @Sendable (ReplicationPosition, BinlogCoordinates) async -> Bool
    ) async throws -> Ending {
        let here = BinlogCoordinates(file: "", offset: 0)
        var progress = Progress(
            checkpoint: checkpoint, stored: checkpoint.position, position: checkpoint.position, reached: here,
            batch: ApplyBatch(shapes: shapes, strict: isStrict, filtered: Set(filters.keys), cascades: cascades), xa: prepared)
        progress.maria = checkpoint.maria
        progress.faults = policy.faults
        progress.batch.strictTables = strictTables
        return try await withThrowingTaskGroup(of: Progress.self) { group in
            do {
                return try await run(queue, &progress, &group, on: target, stop: stop)
            } catch {
                // The target must have stood still before the caller asks it how far it is.
                try? await group.waitForAll()
                throw error
            }
        }
    }

    private func run(
        _ queue: BoundedQueue<SourceItem>, _ progress: inout Progress, _ group: inout Writing, on target: MySQLConnection,
        stop: @Sendable (ReplicationPosition, BinlogCoordinates) async -> Bool
    ) async throws -> Ending {
        var isWriting = false
        while true {
            // Who waits for the source waits with nothing under way.
            if isWriting, await queue.waitingCount == 0, try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
            let taken: [SourceItem]?
            do {
                taken = try await queue.take(budget: budget)
            } catch {
                if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                // What the log forbids comes behind whole transactions: they are kept, unless rows of the forbidden one are among them.
                if error is EngineError, !progress.hasOpenRows { try await commit(&progress, on: target) }
                throw error
            }
            guard let items = taken else {
                if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                throw EngineError(
                    .resumable, "The source ended the stream of its binary log.",
                    why: "It is shutting down, or another replica with the same server id took the stream.",
                    cure: "Run the same command again.")
            }
            for item in Sabotage.items(items) {
                if case .definition(let change) = item {
                    if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                    // Inside a transaction (before the consistency point only) what there is of it is read again.
                    if !progress.hasOpenRows { try await commit(&progress, on: target) }
                    return .definition(change)
                }
                progress.held += item.cost
                if item.isXA || !progress.xa.isIdle, try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                try await receiveXA(item, &progress, on: target)
                try receive(item, &progress)
                if item.endsTransaction {
                    // Under a backlog a take rarely ends between two transactions: a full batch is written where one does.
                    guard progress.isOpen || isFull(progress) else { continue }
                    if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                    if let writing = handOver(&progress) {
                        group.addTask {
                            var writing = writing
                            try await commit(&writing, on: target)
                            return writing
                        }
                        isWriting = true
                        continue
                    }
                    try await commit(&progress, on: target)
                    await release(&progress, queue)
                    // What was taken and not applied is read again from the checkpoint.
                    if await stop(progress.position, progress.reached) { return .stopped }
                } else if isFull(progress), progress.start != nil, Remedy.writtenInParts.isOn {
                    if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
                    // A transaction too large to hold: write what there is, in order, in a target transaction that stays open.
                    if progress.start?.isXA == true {
                        try await spill(&progress, on: target)
                    } else if !progress.batch.isEmpty {
                        try await write(&progress, on: target)
                    }
                    await release(&progress, queue)
                }
            }
            guard progress.start == nil else { continue }
            // More is waiting: the batch that is not full yet goes on while the other is written.
            if isWriting, await queue.waitingCount > 0 { continue }
            if try await settle(&group, &isWriting, &progress, queue, stop: stop) { return .stopped }
            if progress.end != nil {
                try await commit(&progress, on: target)
            } else {
                try await pass(&progress, on: target)
            }
            await release(&progress, queue)
            if await stop(progress.position, progress.reached) { return .stopped }
        }
    }

    /// Also by what was taken: a transaction may be all of events that the batch leaves out.
    func isFull(_ progress: Progress) -> Bool { max(progress.batch.bytes, progress.held) >= budget }

    private func release(_ progress: inout Progress, _ queue: BoundedQueue<SourceItem>) async {
        await queue.release(progress.held)
        progress.held = 0
    }

    private func receive(_ item: SourceItem, _ progress: inout Progress) throws {
        switch item {
        case .begin(let start):
            progress.start = start
            progress.hasOpenRows = false
        case .rows(let table, let event):
            if progress.suspended[table] != nil { return }
            if progress.start?.isXA == true {
                progress.xa.add(table: table, event)
                return
            }
            if let exact = loadedAt[table], let start = progress.start {
                let mark = start.gtid.map(MarkPosition.gtid) ?? .file(start.coordinates)
                if exact.covers(mark) { return }
            }
            if let reason = objection(table, event) { throw reason }
            try progress.batch.add(table: table, event)
            progress.hasOpenRows = true
        case .commit(let end), .prepare(_, let end), .decide(_, _, let end):
            progress.end = end
            progress.hasOpenRows = false
            progress.reached = end.coordinates
            progress.transactions += 1
            progress.commitMicroseconds = progress.start?.commitMicroseconds ?? progress.commitMicroseconds
            progress.start = nil
            progress.position = Self.advanced(progress.position, by: end.mark)
            if let number = end.maria { progress.maria?.advance(to: number) }
            progress.batch.seal(end.mark)
            let keys = progress.batch.takeTouched()
            if !keys.isEmpty { progress.marks.append((keys, end.mark)) }
        case .progress(let coordinates):
            progress.reached = coordinates
            if case .file = progress.position, progress.start == nil { progress.position = .file(coordinates) }
        case .definition: break
        }
    }

    static func advanced(_ position: ReplicationPosition, by mark: MarkPosition) -> ReplicationPosition {
        switch (position, mark) {
        case (.gtids(var set), .gtid(let gtid)):
            set.insert(gtid)
            return .gtids(set)
        case (_, .file(let end)): return .file(end)
        case (.file, .gtid): return position
        }
    }

    // MARK: Writing

    func begin(_ progress: inout Progress, position: ReplicationPosition?, on target: MySQLConnection) async throws {
        guard !progress.isOpen else { return }
        try await target.query("BEGIN")
        try await state.checkFence(epoch: epoch, phase: phase, on: target)
        if Remedy.checkpointWithData.isOn {
            try await state.claimCheckpoint(
                sequence: progress.checkpoint.sequence, position: position, commitMicroseconds: progress.commitMicroseconds,
                maria: progress.maria, on: target)
        }
        progress.isOpen = true
        observer.moment(isStrict ? "follow.claimed" : "replay.claimed")
    }

    /// Part of a transaction that is not whole yet.
    func write(_ progress: inout Progress, on target: MySQLConnection) async throws {
        try await begin(&progress, position: nil, on: target)
        // The mark of a file position is its transaction's end, which is not known here: those tables are compared whole.
        if let gtid = progress.start?.gtid {
            progress.batch.seal(.gtid(gtid))
            progress.marks.append((progress.batch.takeTouched(), .gtid(gtid)))
            await announce(&progress)
        } else {
            progress.lostTables.formUnion(progress.batch.takeTouched().map(\.table))
        }
        try await flush(&progress, isPart: true, on: target)
        progress.batch.clear()
    }

    func commit(_ progress: inout Progress, on target: MySQLConnection) async throws {
        guard let end = progress.end else { return }
        let wasOpen = progress.isOpen
        let counts = progress.batch.counts
        try await begin(&progress, position: progress.position, on: target)
        await announce(&progress)
        if !progress.lostTables.isEmpty { await listener.lost(tables: progress.lostTables, mark: end.mark) }
        try await flush(&progress, isPart: wasOpen, on: target)
        if let (table, beyond) = progress.history.first(where: { isStrict($0.key) && $0.value != 0 }), Remedy.countedHistory.isOn {
            throw divergence(
                table, "of its history \(beyond.magnitude) versions \(beyond > 0 ? "more" : "fewer") are there to remove than the source has removed")
        }
        try await storeXA(progress.xa, on: target)
        try await record(progress, on: target)
        if wasOpen {
            try await state.setClaimedPosition(
                progress.position, commitMicroseconds: progress.commitMicroseconds, maria: progress.maria, on: target)
        }
        observer.moment(isStrict ? "follow.before-commit" : "replay.before-commit")
        try await target.query("COMMIT")
        observer.moment(isStrict ? "follow.after-commit" : "replay.after-commit")
        progress.xa.committed()
        if !Remedy.checkpointWithData.isOn {
            try await state.claimCheckpoint(
                sequence: progress.checkpoint.sequence, position: progress.position,
                commitMicroseconds: progress.commitMicroseconds, maria: progress.maria, on: target)
        }
        progress.checkpoint.sequence += 1
        progress.stored = progress.position
        await listener.applied(
            ApplyProgress(
                position: progress.position, reached: progress.reached, commitMicroseconds: progress.commitMicroseconds,
                transactions: progress.transactions, counts: counts,
                skipped: progress.exceptions.reduce(into: [:]) { counts, exception in
                    if !exception.isForced { counts[exception.table, default: 0] += 1 }
                }))
        for exception in progress.exceptions where exception.isForced || policy.isLogged(exception.fault) {
            observer.say("error", "Table \(exception.table): \(exception.fault.rawValue) at \(exception.key) \(exception.isForced ? "was written over" : "was passed over"): \(exception.error)")
        }
        progress.exceptions = []
        progress.isOpen = false
        progress.end = nil
        progress.transactions = 0
        progress.lostTables = []
        progress.history = [:]
        progress.batch.clear()
        if !progress.suspended.isEmpty {
            for (table, reason) in progress.suspended { observer.say("error", "Table \(shapes[table].source.name) is suspended: \(reason)") }
            // From here on the stream is read without them.
            throw DefinitionsChanged()
        }
    }

    /// What was passed over, in the transaction that passes it.
    private func record(_ progress: Progress, on target: MySQLConnection) async throws {
        guard Remedy.recordedExceptions.isOn else { return }
        try await state.store(progress.exceptions, at: progress.position, on: target)
        if let control = policy.control { try await control.store(progress.exceptions, on: target) }
        for (table, reason) in progress.suspended.sorted(by: { $0.key < $1.key }) {
            try await state.suspend(shapes[table].source.name, reason: reason, at: progress.stored, on: target)
        }
        if !progress.exceptions.isEmpty || !progress.suspended.isEmpty { observer.moment("follow.recorded") }
    }

    /// The stream has moved on without a transaction: nothing to write, but without GTIDs the checkpoint is a place in a
    /// file, and whoever waits for the end of the log waits for this.
    private func pass(_ progress: inout Progress, on target: MySQLConnection) async throws {
        if case .file(let here) = progress.position, case .file(let stored) = progress.stored, stored < here {
            try await begin(&progress, position: progress.position, on: target)
            try await target.query("COMMIT")
            progress.isOpen = false
            progress.checkpoint.sequence += 1
            progress.stored = progress.position
        }
        await listener.applied(
            ApplyProgress(
                position: progress.position, reached: progress.reached, commitMicroseconds: progress.commitMicroseconds,
                transactions: 0, counts: [:]))
    }

    private func announce(_ progress: inout Progress) async {
        for (keys, mark) in progress.marks { await listener.touched(keys, mark: mark) }
        progress.marks = []
    }

    /// Returns the affected rows.
    @discardableResult
    func execute(_ statement: ApplyStatement, table: Int, on target: MySQLConnection) async throws -> UInt64 {
        let name = shapes[table].target
        let ok: MySQLOK
        do {
            ok = try await target.query(statement.sql).ok
        } catch {
            switch error.serverCode {
            case 1062: throw ApplyFault(fault: .duplicate, error: divergence(table, "a row to insert exists already (\(error.message))"))
            case 1153:
                throw EngineError(
                    .failed, "A row of \(name) is larger than the target's max_allowed_packet.", why: error.message,
                    cure: "SET GLOBAL max_allowed_packet = 1073741824 on the target, then run the same command again.")
            default:
                guard isStrict(table), policy.errors.goesOn, let fault = error.serverCode.flatMap({ RowFault(serverCode: $0) }) else { throw error }
                throw ApplyFault(fault: fault, error: divergence(table, error.message))
            }
        }
        if let expected = statement.expectedAffected, ok.affectedRows != expected, Remedy.countedRows.isOn, Fault.current == nil {
            throw ApplyFault(
                fault: statement.purpose == .delete ? .missingDelete : .missingUpdate,
                error: divergence(
                    table,
                    "\(statement.purpose.rawValue) of \(statement.rows) rows affected \(ok.affectedRows) where \(expected) were due"))
        }
        if let expected = statement.expectedMatched, Self.matched(ok.info) != expected {
            throw ApplyFault(fault: .missingUpdate, error: divergence(table, "an update by key found no row (\(ok.info))"))
        }
        // ON DUPLICATE KEY UPDATE and DELETE warn of nothing that is not a changed value.
        let passed = statement.purpose == .insertMissing ? UInt64(statement.rows) - min(ok.affectedRows, UInt64(statement.rows)) : 0
        guard UInt64(ok.warnings) == passed else {
            let warnings = try await target.query("SHOW WARNINGS").rows.prefix(3).map { $0.string(2) ?? "" }
            throw ApplyFault(
                fault: .truncation, error: divergence(table, "the target changed values: \(warnings.joined(separator: "; "))"))
        }
        return ok.affectedRows
    }

    /// `Rows matched: 1  Changed: 0  Warnings: 0`.
    static func matched(_ info: String) -> UInt64? {
        info.split(separator: ":").dropFirst().first.flatMap { UInt64($0.drop { $0 == " " }.prefix { $0.isNumber }) }
    }

    func divergence(_ table: Int, _ what: String) -> EngineError {
        EngineError(
            .failed, "Table \(shapes[table].target) on the target is not what the source's log says it is: \(what).",
            why: "Somebody wrote to the target, or the two definitions differ.",
            cure: "Nothing of this batch was kept. Find the writer (godwit verify shows the rows), then migrate this table again.")
    }
}

extension Remedy {
    static let writtenInParts = Remedy("written-in-parts", pitfalls: [30], test: "RemedyRuleTests/aLargeTransactionIsWrittenInParts")
    static let checkpointWithData = Remedy("checkpoint-with-data", pitfalls: [33], test: "ModelTests/everyScheduleKeepsTheInvariants")
    static let uniqueValuesByDelete = Remedy("unique-values-by-delete", pitfalls: [4], test: "ModelTests/everyScheduleKeepsTheInvariants")
    static let deletesFirst = Remedy("deletes-first", pitfalls: [4, 5], test: "ModelTests/everyScheduleKeepsTheInvariants")
}
