import MySQLTypes
import MySQLWire

/// Validates the tables of a running migration: holds the ledger, compares with a few pairs of connections, hears of every
/// row that the applier touches.
///
/// A value of one life of the stream: after a restart, or when the target may have lost its newest commits, make a new one
/// (everything is then compared again). It starts at the consistency point: rows changed up to there are compared by the
/// first pass, and every later change is told by `touched`.
package actor Validator {
    /// A touched row; `key` is nil for a keyless table. A moved key is two touches.
    package struct Touch: Sendable, Hashable {
        package let table: TableName
        package let key: RowKey?
        package init(table: TableName, key: RowKey?) {
            self.table = table
            self.key = key
        }
    }

    package struct Options: Sendable, Hashable {
        /// Rows of a chunk, pairs of connections: DMS's PartitionSize and ThreadCount.
        package var partitionSize = 10_000
        package var threads = 5
        package var markLimit = 200_000
        /// Differing rows of a table after which it is compared no further: DMS's FailureMaxCount.
        package var failureLimit = 10_000
        /// Dirty keys compared by one statement.
        package var keysPerRead = 200
        /// Pause of a worker that found nothing to do or settled nothing.
        package var idlePause = Duration.milliseconds(50)
        package init() {}
        package init(_ settings: TaskSettings) {
            partitionSize = settings.validationPartitionSize
            threads = settings.validationThreadCount
        }
    }

    /// Opens the two sessions of one worker, with `ValidationSession.statements` run.
    package typealias Connector = @Sendable () async throws -> (source: MySQLConnection, target: MySQLConnection)

    private let tables: [TableName: ChecksumSQL]
    private let options: Options
    private var ledger: ValidationLedger
    private var unplanned: [TableName]
    private var checkpoint: ReplicationPosition?

    /// Tables are named as on the source.
    package init(_ tables: [ChecksumSQL], options: Options = Options()) {
        self.tables = Dictionary(tables.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.options = options
        ledger = ValidationLedger(markLimit: options.markLimit, failureLimit: options.failureLimit)
        unplanned = tables.filter(\.hasKey).map(\.source.name)
        for table in tables { ledger.add(table.source.name, hasKey: table.hasKey) }
    }

    // MARK: What the runner tells

    /// All rows that a source transaction touched, told before the target commits it.
    package func touched(_ touches: [Touch], at position: MarkPosition) {
        for touch in touches { ledger.touched(touch.table, touch.key, at: position) }
    }

    /// The target has committed up to here: keys above are not compared yet. Optional, it only saves useless reads.
    package func advanced(to checkpoint: ReplicationPosition) { self.checkpoint = checkpoint }

    /// All rows of the table may have changed, see `ValidationLedger.lost`.
    package func lost(_ table: TableName, at position: MarkPosition?) { ledger.lost(table, at: position) }

    // MARK: What the runner asks

    package func status(_ table: TableName) -> ValidationLedger.TableStatus? { ledger.status(table) }
    package var isValidated: Bool { ledger.isValidated }
    package var notValidated: [TableName] { ledger.notValidated }
    package var pendingKeys: Int { ledger.pendingKeys }
    package func failedKeys(_ table: TableName, limit: Int) -> [RowKey] { ledger.failedKeys(table, limit: limit) }

    // MARK: Work

    /// Compares until cancelled or a connection is lost, which throws; what was under way is then compared again by the
    /// next `run`. An error of one table alone ends that table's validation (state `Error`), not the run.
    package func run(connect: @escaping Connector, readers: PositionReaders) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, options.threads) {
                group.addTask { try await self.work(connect, readers) }
            }
            try await group.waitForAll()
        }
    }

    private nonisolated func work(_ connect: Connector, _ readers: PositionReaders) async throws {
        let (source, target) = try await connect()
        do {
            while true {
                try Task.checkCancellation()
                let settled = try await step(source, target, readers)
                if !settled { try await Task.sleep(for: options.idlePause) }
            }
        } catch {
            await source.close()
            await target.close()
            throw error
        }
    }

    /// One piece of work; false when there was none or it settled nothing.
    private nonisolated func step(
        _ source: MySQLConnection, _ target: MySQLConnection, _ readers: PositionReaders
    ) async throws -> Bool {
        if let table = await takeUnplanned(), let sql = tables[table] {
            do {
                await planned(table, try await plan(sql, source))
            } catch {
                await handBack(table)
                try await giveUpOrThrow(table, error)
            }
            return true
        }
        guard let task = await nextTask(), let sql = tables[task.table] else { return false }
        let comparer = TableComparer(sql, source: source, target: target, readers: readers)
        do {
            return try await compare(task, comparer)
        } catch {
            await abandoned(task)
            try await giveUpOrThrow(task.table, error)
            return true
        }
    }

    private nonisolated func compare(_ task: ValidationTask, _ comparer: TableComparer) async throws -> Bool {
        switch task.work {
        case .keys(let keys):
            let outcome = try await comparer.recheck(keys.map(\.key))
            return await finished(task, outcome)
        case .chunk(let chunk):
            await finished(task, try await comparer.compare(chunk.bounds, differenceLimit: options.failureLimit))
            return true
        case .whole:
            return await finished(task, try await comparer.compareWhole())
        }
    }

    /// Chunk bounds of a table, planned on the source.
    private nonisolated func plan(_ sql: ChecksumSQL, _ source: MySQLConnection) async throws -> [KeyBounds] {
        var chunks: [KeyBounds] = []
        var lower: [String]?
        while true {
            let query = sql.nextBound(.source, within: KeyBounds(lower: lower), size: options.partitionSize)
            guard let row = try await source.query(query).rows.first else { break }
            let upper = try sql.literals(row.values[...])
            chunks.append(KeyBounds(lower: lower, upper: upper))
            lower = upper
        }
        chunks.append(KeyBounds(lower: lower))
        return chunks
    }

    private nonisolated func giveUpOrThrow(_ table: TableName, _ error: any Error) async throws {
        if error is CancellationError { throw error }
        if let error = error as? MySQLError, error.code != .server || error.isConnectionLost { throw error }
        await gaveUp(table, error)
    }

    // MARK: The ledger, on the actor

    private func takeUnplanned() -> TableName? { unplanned.isEmpty ? nil : unplanned.removeFirst() }
    private func handBack(_ table: TableName) { unplanned.append(table) }
    private func planned(_ table: TableName, _ chunks: [KeyBounds]) { ledger.planned(table, chunks: chunks) }
    private func nextTask() -> ValidationTask? { ledger.next(keys: options.keysPerRead, checkpoint: checkpoint) }
    private func abandoned(_ task: ValidationTask) { ledger.abandoned(task) }

    private func gaveUp(_ table: TableName, _ error: any Error) {
        unplanned.removeAll { $0 == table }
        ledger.gaveUp(table, "\(error)")
    }

    private func finished(_ task: ValidationTask, _ outcome: RecheckOutcome) -> Bool {
        let before = ledger.pendingKeys
        ledger.finished(task, unequal: Set(outcome.differences.map(\.key)), at: outcome.alignment)
        return ledger.pendingKeys < before
    }

    private func finished(_ task: ValidationTask, _ found: ChunkComparison) {
        ledger.finished(
            task, unequal: found.differences.map(\.key), complete: found.isComplete, at: found.alignment)
    }

    private func finished(_ task: ValidationTask, _ whole: WholeComparison) -> Bool {
        ledger.finished(task, equal: whole.isEqual, at: whole.alignment)
        return whole.isEqual
    }
}
