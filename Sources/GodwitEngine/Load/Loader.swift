import Foundation
import MySQLTypes
import MySQLWire

/// Loads every table: keyed tables by chunks on several connections, keyless ones each from one exact snapshot.
package struct Loader: Sendable {
    package let context: RunContext

    package init(context: RunContext) { self.context = context }

    private var chunkLoader: ChunkLoader {
        ChunkLoader(
            state: context.state, epoch: context.epoch, usesLoadData: context.targetFacts.flag("local_infile") ?? true,
            statementLimit: min(4 << 20, max(1 << 16, Int(context.targetFacts.maxAllowedPacket) / 4)),
            observer: context.observer)
    }

    package func run() async throws {
        let stored = try await context.state.chunks(on: context.control)
        await restoreCounts(stored)
        // A crash between the record of a table's last chunk and this mark left the one without the other.
        let ended = Set(stored.filter { $0.bounds.upper == nil }.map(\.table))
        let planned = context.tables.filter { !$0.isPlanned && ended.contains($0.id) }.map(\.id)
        try await context.state.mark(tables: planned, "is_planned", on: context.control)
        let keyed = context.tables.filter { !context.shape($0).isKeyless }
        let keyless = context.tables.filter { context.shape($0).isKeyless }
        for table in keyless { try await KeylessLoader(context: context, loader: chunkLoader).load(table, stored: stored) }
        try await loadKeyed(keyed, stored: stored)
        for table in context.tables { await context.board.finishedLoading(table.id) }
    }

    private func restoreCounts(_ stored: [StoredChunk]) async {
        for chunk in stored where chunk.isDone {
            await context.board.loaded(chunk.table, rows: chunk.rows, bytes: chunk.bytes, seconds: 0)
            await context.board.loading(chunk.table)
        }
    }

    private func loadKeyed(_ tables: [RunTable], stored: [StoredChunk]) async throws {
        guard !tables.isEmpty else { return }
        // The operator's order first, then large tables, so that none is left alone at the end.
        let ordered = tables.sorted {
            ($0.loadOrder, $0.source.dataBytes) > ($1.loadOrder, $1.source.dataBytes)
        }
        let planning: [(id: Int, planner: ChunkPlanner, isPlanned: Bool)] = ordered.compactMap { table in
            ChunkPlanner(table: table.source, size: chunkRows(table)).map { (table.id, $0, table.isPlanned) }
        }
        guard planning.count == tables.count else {
            throw EngineError(.failed, "A table with a row key has no chunk plan.")
        }
        let source = try await context.openSource()
        let target = try await context.openTarget()
        let queue = ChunkQueue(tables: planning, stored: stored, state: context.state, source: source, target: target)
        let byID = Dictionary(uniqueKeysWithValues: tables.map { ($0.id, $0) })
        let workers = max(1, min(context.plan.settings.maxFullLoadSubTasks, 32))
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<workers { group.addTask { try await work(queue, byID) } }
                // Not waitForAll(): that tells of a failed worker only when all others have ended.
                for try await _ in group {}
            }
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
    }

    /// Rows of a chunk: CommitRate, fewer where rows are wide, so that a chunk stays near 32 MB.
    private func chunkRows(_ table: RunTable) -> Int {
        let average = table.source.dataBytes / max(1, table.source.estimatedRows)
        let byBytes = average > 0 ? Int(32 << 20) / Int(clamping: average) : context.plan.settings.commitRate
        return max(1, min(context.plan.settings.commitRate, byBytes))
    }

    private func next(_ queue: ChunkQueue, _ tables: [Int: RunTable]) async throws -> ChunkQueue.Work? {
        do {
            return try await queue.next()
        } catch {
            throw try await ReadFailure(context: context).resolved(error, tables: tables.values.sorted { $0.id < $1.id })
        }
    }

    private func work(_ queue: ChunkQueue, _ tables: [Int: RunTable]) async throws {
        let source = try await context.openSource()
        let target = try await context.openTarget()
        do {
            while let work = try await next(queue, tables) {
                try Task.checkCancellation()
                guard let table = tables[work.table] else { continue }
                await context.board.loading(table.id)
                let transfer = TableTransfer(
                    source: table.source, target: table.prepared.target, filter: try context.filterSQL(table))
                let start = ContinuousClock.now
                let outcome: ChunkLoader.Outcome?
                do {
                    outcome = try await chunkLoader.load(transfer, work.chunk, source: source, target: target)
                } catch {
                    throw try await ReadFailure(context: context).resolved(error, tables: [table])
                }
                if let outcome {
                    let elapsed = ContinuousClock.now - start
                    await context.board.loaded(
                        table.id, rows: outcome.rows, bytes: outcome.bytes,
                        seconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
                }
            }
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
    }
}

/// Loads a table without a row key: all of it from one snapshot whose position is exact, in one target transaction.
///
/// Equal rows cannot be told apart, so nothing may be replayed twice: replay starts exactly behind the snapshot. A brief
/// LOCK TABLES … READ makes the position exact: whoever wrote the table has committed, nobody else can.
struct KeylessLoader: Sendable {
    let context: RunContext
    let loader: ChunkLoader
    /// Tries to get the lock, each waiting a few seconds for transactions that hold the table.
    private static let attempts = 30

    func load(_ table: RunTable, stored: [StoredChunk]) async throws {
        if stored.contains(where: { $0.table == table.id && $0.isDone }) { return }
        if !stored.contains(where: { $0.table == table.id }) {
            try await context.state.addChunk(
                StoredChunk(table: table.id, number: 0, bounds: .all, isDone: false, rows: 0, bytes: 0), on: context.control)
            try await context.state.mark(table: table.id, "is_planned", on: context.control)
        }
        await context.board.loading(table.id)
        let snapshot = try await context.openSource()
        let locker = try await context.openSource()
        let target = try await context.openTarget()
        do {
            try await copy(table, snapshot: snapshot, locker: locker, target: target)
        } catch {
            await close(snapshot, locker, target)
            throw try await ReadFailure(context: context).resolved(error, tables: [table])
        }
        await close(snapshot, locker, target)
    }

    private func close(_ connections: MySQLConnection...) async {
        for connection in connections { await connection.close() }
    }

    private func copy(
        _ table: RunTable, snapshot: MySQLConnection, locker: MySQLConnection, target: MySQLConnection
    ) async throws {
        let start = ContinuousClock.now
        try await target.query("BEGIN")
        try await context.state.checkFence(epoch: context.epoch, phase: .loading, on: target)
        if try await context.state.isDone(table: table.id, number: 0, on: target) {
            try await target.query("ROLLBACK")
            return
        }
        let position = try await openSnapshot(of: table, snapshot, locker)
        context.observer.moment("load.keyless.snapshot")
        let transfer = TableTransfer(
            source: table.source, target: table.prepared.target, filter: try context.filterSQL(table))
        let outcome = try await loader.copy(transfer, .all, source: snapshot, target: target)
        try await context.state.storeLoadedAt(position, table: table.id, on: target)
        try await context.state.markDone(
            table: table.id, number: 0, rows: outcome.rows, bytes: outcome.bytes, on: target)
        context.observer.moment("load.chunk.before-commit")
        try await target.query("COMMIT")
        context.observer.moment("load.chunk.after-commit")
        try await snapshot.query("COMMIT")
        let elapsed = ContinuousClock.now - start
        await context.board.loaded(
            table.id, rows: outcome.rows, bytes: outcome.bytes, seconds: Double(elapsed.components.seconds))
    }

    private func openSnapshot(
        of table: RunTable, _ snapshot: MySQLConnection, _ locker: MySQLConnection
    ) async throws -> ReplicationPosition {
        let name = table.source.name
        try await locker.query("SET SESSION lock_wait_timeout = 1")
        let wait = "lock on \(name)"
        await context.board.beginWait(
            wait, why: "A table without a key is read from one exact snapshot, for which no transaction may hold it for a moment.",
            limit: .seconds(11 * Self.attempts))
        for attempt in 1... {
            do {
                try await locker.query("LOCK TABLES \(name.sql) READ")
                break
            } catch {
                guard error.serverCode == 1205 else { throw error }
                guard attempt < Self.attempts else {
                    throw EngineError(
                        .resumable, "Table \(name) could not be locked for an instant in \(Self.attempts) tries.",
                        why: "A transaction holds it, and a table without a key needs one exact snapshot.",
                        cure: "End long transactions on it (SHOW PROCESSLIST), then run the same command again.")
                }
                // Behind a waiting lock the application's writers queue up: let them through before the next try.
                try await Task.sleep(for: .seconds(min(10, attempt)))
            }
        }
        await context.board.endWait(wait)
        // Opening the snapshot on the locking connection would release its lock.
        try await snapshot.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        let position = try await context.positions.exact(on: locker)
        try await locker.query("UNLOCK TABLES")
        return position
    }
}
