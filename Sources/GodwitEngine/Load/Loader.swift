import Foundation
import MySQLTypes
import MySQLWire

/// Loads every table: by chunks on several connections, each read by itself, or (`ExactLoader`) all of them of one moment.
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
        let components = context.cascadeComponents
        let connected = Set(components.flatMap { $0.map(\.id) })
        let exact = components + context.tables.filter { $0.isExact && !connected.contains($0.id) }.map { [$0] }
        let exactIDs = Set(exact.flatMap { $0.map(\.id) })
        let planned = Set(context.tables.filter(\.isPlanned).map(\.id))
        await restoreCounts(stored.filter { !exactIDs.contains($0.table) || planned.contains($0.table) })
        // A crash between the record of a table's last chunk and this mark left the one without the other.
        let ended = Set(stored.filter { $0.bounds.upper == nil && !exactIDs.contains($0.table) }.map(\.table))
        let cutOff = context.tables.filter { !$0.isPlanned && ended.contains($0.id) }.map(\.id)
        try await context.state.mark(tables: cutOff, "is_planned", on: context.control)
        let loader = ExactLoader(context: context, loader: chunkLoader, chunkRows: { chunkRows($0) })
        for tables in exact {
            let isComponent = connected.contains(tables[0].id)
            try await loader.load(
                tables, because: isComponent
                    ? "Tables with cascading foreign keys that the source does not log are read from one exact snapshot, for which no transaction may hold them for a moment."
                    : "A table \(context.shape(tables[0]).isKeyless ? "without a key" : "whose changes are logged in part") is read from one exact snapshot, for which no transaction may hold it for a moment.",
                stored: stored)
        }
        try await loadKeyed(context.tables.filter { !exactIDs.contains($0.id) }, stored: stored)
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
        let queue = ChunkQueue(
            tables: planning, stored: stored, state: context.state, epoch: context.epoch, source: source, target: target)
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
                    source: table.source, target: table.prepared.target, filter: try context.filterSQL(table),
                    jsonIsText: context.targetFacts.isMariaDB)
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
