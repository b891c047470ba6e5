import MySQLWire

/// Hands out the chunks of all tables, planning each table's bounds just ahead of the workers.
///
/// A bound is measured on the source after P0 was stored, and stored on the target before its chunk is read. Tables come
/// in load order, larger first; several workers may be in one table.
package actor ChunkQueue {
    package struct Work: Sendable {
        package var table: Int
        package var chunk: StoredChunk
    }

    private struct TableCursor {
        var id: Int
        var planner: ChunkPlanner?
        var lower: [String]?
        var next: Int
        var isPlanned: Bool
        var open: [StoredChunk]
    }

    private var cursors: [TableCursor]
    private let state: TargetState
    private let source: MySQLConnection
    private let target: MySQLConnection
    private var busy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// `tables`: id and planner (nil: keyless, not handled here), in the order in which they are to be loaded.
    package init(
        tables: [(id: Int, planner: ChunkPlanner, isPlanned: Bool)], stored: [StoredChunk], state: TargetState,
        source: MySQLConnection, target: MySQLConnection
    ) {
        self.state = state
        self.source = source
        self.target = target
        cursors = tables.map { table in
            let own = stored.filter { $0.table == table.id }
            let last = own.last
            return TableCursor(
                id: table.id, planner: table.planner, lower: last?.bounds.upper, next: (last?.number ?? -1) + 1,
                isPlanned: table.isPlanned || (last != nil && last?.bounds.upper == nil), open: own.filter { !$0.isDone })
        }
    }

    /// The next chunk to load; nil when every chunk of every table has been handed out.
    package func next() async throws -> Work? {
        // One planner at a time: the two connections run one statement after the other.
        while busy { await withCheckedContinuation { waiters.append($0) } }
        busy = true
        defer {
            busy = false
            if !waiters.isEmpty { waiters.removeFirst().resume() }
        }
        for index in cursors.indices {
            if !cursors[index].open.isEmpty {
                return Work(table: cursors[index].id, chunk: cursors[index].open.removeFirst())
            }
            if let chunk = try await plan(index) { return Work(table: cursors[index].id, chunk: chunk) }
        }
        return nil
    }

    private func plan(_ index: Int) async throws -> StoredChunk? {
        guard !cursors[index].isPlanned, let planner = cursors[index].planner else { return nil }
        let row = try await source.query(planner.nextBound(after: cursors[index].lower)).rows.first
        let upper = try row.map { try planner.bound($0.values) }
        let chunk = StoredChunk(
            table: cursors[index].id, number: cursors[index].next,
            bounds: KeyBounds(lower: cursors[index].lower, upper: upper), isDone: false, rows: 0, bytes: 0)
        try await state.addChunk(chunk, on: target)
        cursors[index].next += 1
        cursors[index].lower = upper
        if upper == nil {
            cursors[index].isPlanned = true
            try await state.mark(table: cursors[index].id, "is_planned", on: target)
        }
        return chunk
    }
}
