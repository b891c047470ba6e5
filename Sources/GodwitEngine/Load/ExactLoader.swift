import Foundation
import MySQLTypes
import MySQLWire

extension Remedy { static let exactSnapshot = Remedy("exact-snapshot", pitfalls: [9, 13], test: "CascadeTests/exactSnapshots") }

/// Loads tables from one moment whose position is exact: a table without a row key, or a component of tables with cascades
/// that the log does not carry (`CascadeComponents`). What the log says of them up to there is passed over, all behind it applied
/// exactly once.
///
/// A brief LOCK TABLES … READ makes the position exact: whoever wrote the tables has committed, nobody else can. As many
/// snapshots are opened under it as there are workers. A load that is cut off begins again with another moment.
struct ExactLoader: Sendable {
    let context: RunContext
    let loader: ChunkLoader
    /// Rows of a chunk of a table.
    let chunkRows: @Sendable (RunTable) -> Int
    /// Tries to get the lock, each waiting a few seconds for transactions that hold a table.
    private static let attempts = 30

    func load(_ tables: [RunTable], because why: String, stored: [StoredChunk]) async throws {
        // Set for all of them at once, when the last row is there.
        if tables.allSatisfy(\.isPlanned) { return }
        for table in tables { await context.board.loading(table.id) }
        let crew = try await Crew.open(context, count: workers(tables))
        do {
            try await begin(tables, stored, crew.control)
            let position = try await openSnapshots(tables, why, crew)
            context.observer.moment("load.keyless.snapshot")
            try await verify(tables, on: crew.locker)
            try await copy(tables, crew)
            try await finish(tables, position, crew.control)
        } catch {
            await crew.close()
            throw try await ReadFailure(context: context).resolved(error, tables: tables)
        }
        await crew.close()
    }

    private func workers(_ tables: [RunTable]) -> Int {
        let chunks = tables.reduce(0) { sum, table in
            sum + (context.shape(table).isKeyless ? 1 : 1 + Int(clamping: table.source.estimatedRows) / chunkRows(table))
        }
        return max(1, min(context.plan.settings.maxFullLoadSubTasks, 32, chunks))
    }

    /// Forgets what an earlier try has loaded: it is of another moment.
    private func begin(_ tables: [RunTable], _ stored: [StoredChunk], _ target: MySQLConnection) async throws {
        let ids = Set(tables.map(\.id))
        guard stored.contains(where: { ids.contains($0.table) }) else { return }
        try await target.query("BEGIN")
        try await context.state.checkFence(epoch: context.epoch, phase: .loading, on: target)
        for table in tables { try await context.state.forgetChunks(table: table.id, on: target) }
        try await target.query("COMMIT")
        for table in tables { try await target.query("TRUNCATE TABLE \(table.prepared.target.sql)") }
    }

    private func openSnapshots(
        _ tables: [RunTable], _ why: String, _ crew: Crew
    ) async throws -> ReplicationPosition {
        guard Remedy.exactSnapshot.isOn else { return try await context.state.checkpoint(locked: false, on: crew.control).position }
        try await lock(tables, why, crew.locker)
        // Opening a snapshot on the locking connection would release its locks.
        for snapshot in [crew.planner] + crew.sources { try await snapshot.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") }
        let position = try await context.positions.exact(on: crew.locker)
        try await crew.locker.query("UNLOCK TABLES")
        return position
    }

    private func lock(_ tables: [RunTable], _ why: String, _ locker: MySQLConnection) async throws {
        let names = tables.map(\.source.name.description).joined(separator: ", ")
        try await locker.query("SET SESSION lock_wait_timeout = 1")
        let wait = "lock on \(names)"
        await context.board.beginWait(wait, why: why, limit: .seconds(11 * Self.attempts))
        for attempt in 1... {
            do {
                try await locker.query("LOCK TABLES " + tables.map { "\($0.source.name.sql) READ" }.joined(separator: ", "))
                break
            } catch {
                guard error.serverCode == 1205 else { throw error }
                guard attempt < Self.attempts else {
                    throw EngineError(
                        .resumable, "\(names) could not be locked for an instant in \(Self.attempts) tries.",
                        why: "A transaction holds it. \(why)",
                        cure: "End long transactions on it (SHOW PROCESSLIST), then run the same command again.")
                }
                // Behind a waiting lock the application's writers queue up: let them through before the next try.
                try await Task.sleep(for: .seconds(min(10, attempt)))
            }
        }
        await context.board.endWait(wait)
    }

    /// A statement before the moment is passed over, so the definitions must be the ones of that moment. Read behind it: what
    /// changed later is in the log.
    private func verify(_ tables: [RunTable], on source: MySQLConnection) async throws {
        var changed: [TableName] = []
        for table in tables {
            let now = try await Catalog.read(source, table: table.source.name)?.createStatement
            if now.map(Self.plain) != Self.plain(table.source.createStatement) { changed.append(table.source.name) }
        }
        if !context.sourceFacts.logsCascades {
            let own = Set(tables.map(\.source.name))
            for child in try await Catalog.children(of: Array(own), on: source) where !own.contains(child) {
                if context.plan.mappings.decision(for: child) != nil { changed.append(child) }
            }
        }
        guard changed.isEmpty else { throw LoadInterrupted(tables: changed, what: "another definition than before the load") }
    }

    private static func plain(_ statement: String) -> String { statement.replacing(/\ AUTO_INCREMENT=[0-9]+/, with: "") }

    private func copy(_ tables: [RunTable], _ crew: Crew) async throws {
        let work = WorkList(
            tables.map { ($0, ChunkPlanner(table: $0.source, size: chunkRows($0))) }, state: context.state, snapshot: crew.planner,
            target: crew.control)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (source, target) in zip(crew.sources, crew.targets) {
                group.addTask {
                    while let (table, chunk) = try await work.next() { try await self.copy(table, chunk, source, target) }
                    // The snapshot, and with it the lock on the definitions of what it has read, is needed no more.
                    try await source.query("COMMIT")
                }
            }
            // Not waitForAll(): that tells of a failed worker only when all others have ended.
            for try await _ in group {}
        }
    }

    private func copy(_ table: RunTable, _ chunk: StoredChunk, _ source: MySQLConnection, _ target: MySQLConnection) async throws {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        let transfer = TableTransfer(
            source: table.source, target: table.prepared.target, filter: try context.filterSQL(table),
            jsonIsText: context.targetFacts.isMariaDB)
        guard let outcome = try await loader.load(transfer, chunk, source: source, target: target) else { return }
        let elapsed = ContinuousClock.now - start
        await context.board.loaded(
            table.id, rows: outcome.rows, bytes: outcome.bytes,
            seconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
    }

    private func finish(_ tables: [RunTable], _ position: ReplicationPosition, _ target: MySQLConnection) async throws {
        try await target.query("BEGIN")
        try await context.state.checkFence(epoch: context.epoch, phase: .loading, on: target)
        for table in tables {
            try await context.state.storeLoadedAt(position, table: table.id, on: target)
            try await context.state.mark(table: table.id, "is_planned", on: target)
        }
        try await target.query("COMMIT")
        context.observer.moment("load.exact.done")
    }
}

/// The connections of one exact load.
private struct Crew: Sendable {
    var locker: MySQLConnection
    var planner: MySQLConnection
    var control: MySQLConnection
    var sources: [MySQLConnection] = []
    var targets: [MySQLConnection] = []

    static func open(_ context: RunContext, count: Int) async throws -> Crew {
        var opened: [MySQLConnection] = []
        do {
            for _ in 0..<(count + 2) { opened.append(try await context.openSource()) }
            for _ in 0..<(count + 1) { opened.append(try await context.openTarget()) }
        } catch {
            for connection in opened { await connection.close() }
            throw error
        }
        return Crew(
            locker: opened[0], planner: opened[1], control: opened[count + 2], sources: Array(opened[2..<(count + 2)]),
            targets: Array(opened[(count + 3)...]))
    }

    func close() async {
        for connection in [locker, planner, control] + sources + targets { await connection.close() }
    }
}

/// Hands out the chunks, measured in a snapshot just ahead of the workers.
private actor WorkList {
    private var tables: [(table: RunTable, planner: ChunkPlanner?)]
    private let state: TargetState
    private let snapshot: MySQLConnection
    private let target: MySQLConnection
    private var lower: [String]?
    private var number = 0
    private var isBusy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// No planner: a table without a key, one chunk.
    init(_ tables: [(table: RunTable, planner: ChunkPlanner?)], state: TargetState, snapshot: MySQLConnection, target: MySQLConnection) {
        self.tables = tables.reversed()
        self.state = state
        self.snapshot = snapshot
        self.target = target
    }

    func next() async throws -> (RunTable, StoredChunk)? {
        // One at a time: the two connections run one statement after the other.
        while isBusy { await withCheckedContinuation { waiters.append($0) } }
        isBusy = true
        defer {
            isBusy = false
            if !waiters.isEmpty { waiters.removeFirst().resume() }
        }
        guard let (table, planner) = tables.last else { return nil }
        var upper: [String]?
        if let planner {
            upper = try await snapshot.query(planner.nextBound(after: lower)).rows.first.map { try planner.bound($0.values) }
        }
        let chunk = StoredChunk(
            table: table.id, number: number, bounds: KeyBounds(lower: lower, upper: upper), isDone: false, rows: 0, bytes: 0)
        try await state.addChunk(chunk, on: target)
        lower = upper
        number += 1
        if upper == nil {
            tables.removeLast()
            number = 0
            try await endIfLast()
        }
        return (table, chunk)
    }

    private func endIfLast() async throws {
        if tables.isEmpty { try await snapshot.query("COMMIT") }
    }
}
