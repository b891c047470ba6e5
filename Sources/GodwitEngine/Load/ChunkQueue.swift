import MySQLWire

extension Remedy { static let fencedBounds = Remedy("fenced-bounds", pitfalls: [38], test: "ModelTests/everyScheduleKeepsTheInvariants") }

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
    /// Cursors before this one have nothing left.
    private var first = 0
    private let state: TargetState
    private let epoch: UInt64
    private let source: MySQLConnection
    private let target: MySQLConnection
    private var busy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// `tables`: id and planner (nil: keyless, not handled here), in the order in which they are to be loaded.
    package init(
        tables: [(id: Int, planner: ChunkPlanner, isPlanned: Bool)], stored: [StoredChunk], state: TargetState,
        epoch: UInt64, source: MySQLConnection, target: MySQLConnection
    ) {
        self.state = state
        self.epoch = epoch
        self.source = source
        self.target = target
        let byTable = Dictionary(grouping: stored, by: \.table)
        cursors = tables.map { table in
            let own = byTable[table.id] ?? []
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
        while first < cursors.count {
            if cursors[first].open.isEmpty { try await plan() }
            if !cursors[first].open.isEmpty {
                return Work(table: cursors[first].id, chunk: cursors[first].open.removeFirst())
            }
            first += 1
        }
        return nil
    }

    /// Tables whose only chunk is planned in one go: thousands of small ones shall not cost two commits each.
    private static let tablesAhead = 50

    /// Plans the next chunk of the first table, and where that is its last, of those behind it. Chunks and marks are stored together.
    private func plan() async throws {
        var planned: [(cursor: Int, chunk: StoredChunk)] = []
        var index = first
        while index < cursors.count, planned.count < Self.tablesAhead {
            defer { index += 1 }
            guard !cursors[index].isPlanned, let planner = cursors[index].planner else { continue }
            let row = try await source.query(planner.nextBound(after: cursors[index].lower)).rows.first
            let upper = try row.map { try planner.bound($0.values) }
            let bounds = KeyBounds(lower: cursors[index].lower, upper: upper)
            planned.append(
                (index, StoredChunk(table: cursors[index].id, number: cursors[index].next, bounds: bounds, isDone: false, rows: 0, bytes: 0)))
            if upper != nil { break }
        }
        guard !planned.isEmpty else { return }
        let ended = planned.filter { $0.chunk.bounds.upper == nil }.map(\.chunk.table)
        try await target.query("BEGIN")
        // A runner that lost the task would store bounds beside its successor's.
        if Remedy.fencedBounds.isOn { try await state.checkFence(epoch: epoch, phase: .loading, on: target) }
        try await state.addChunks(planned.map(\.chunk), on: target)
        try await state.mark(tables: ended, "is_planned", on: target)
        try await target.query("COMMIT")
        for (cursor, chunk) in planned {
            cursors[cursor].next += 1
            cursors[cursor].lower = chunk.bounds.upper
            cursors[cursor].isPlanned = chunk.bounds.upper == nil
            cursors[cursor].open.append(chunk)
        }
    }
}
