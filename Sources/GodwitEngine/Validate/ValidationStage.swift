import Foundation
import MySQLTypes
import MySQLWire

/// Compares both sides while they change: plans each table's chunks, then works through chunks and dirty keys for as long
/// as the migration follows the source.
package struct ValidationStage: Sendable {
    package let context: RunContext
    package let board: ValidationBoard
    /// What the target held when keys began to be marked.
    package let start: ReplicationPosition
    package let visible: VisiblePositions
    package let reached: ReachedPosition

    package init(
        context: RunContext, board: ValidationBoard, start: ReplicationPosition, visible: VisiblePositions, reached: ReachedPosition
    ) {
        self.context = context
        self.board = board
        self.start = start
        self.visible = visible
        self.reached = reached
    }

    /// Runs until cancelled.
    package func run() async throws {
        do {
            try await compare()
        } catch {
            // Who waits no longer is not to be shown as waiting.
            for wait in [Self.visibleRows, Self.behind] { await context.board.endWait(wait) }
            throw error
        }
    }

    private static let visibleRows = "visible rows"
    private static let behind = "replay before validation"

    private func compare() async throws {
        try await plan()
        try await settle()
        let workers = max(1, min(context.plan.settings.validationThreadCount, 16))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<workers { group.addTask { try await work() } }
            group.addTask { try await describe() }
            // Not waitForAll(): that tells of a failed worker only when all others have ended, and these never end.
            for try await _ in group {}
        }
    }

    /// The stream delivers transactions before the source shows them: until it shows what the target held at the start, no
    /// comparison counts.
    private func settle() async throws {
        let source = try await context.openSource()
        let wait = Self.visibleRows
        do {
            while try await !visible.lowerBound(on: source).covers(start) {
                await context.board.beginWait(
                    wait, why: "Both sides are compared once the source shows all that the target holds; without GTIDs that is known seconds later, "
                        + "on MariaDB when the statements that ran at the start have ended.", limit: nil)
                try await Task.sleep(for: .milliseconds(20))
            }
            await context.board.endWait(wait)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
    }

    private func plan() async throws {
        let connection = try await context.sessions.target()
        defer { Task { await connection.close() } }
        for statement in ValidationSession.statements { try await connection.query(statement) }
        for table in context.tables where table.source.rowKey != nil {
            if await board.isPlanned(table.source.name) { continue }
            var definition = table.prepared.targetDefinition
            definition.name = table.prepared.target
            guard let planner = ChunkPlanner(table: definition, size: context.plan.settings.validationPartitionSize) else { continue }
            var chunks: [KeyBounds] = []
            var lower: [String]?
            while true {
                try Task.checkCancellation()
                let row: MySQLRow?
                do {
                    row = try await connection.query(planner.nextBound(after: lower)).rows.first
                } catch {
                    throw try await ReadFailure(context: context).explained(error, table: table, following: reached)
                }
                let upper = try row.map { try planner.bound($0.values) }
                chunks.append(KeyBounds(lower: lower, upper: upper))
                guard let upper else { break }
                lower = upper
            }
            await board.planned(table.source.name, chunks: chunks)
        }
    }

    private func comparer(
        _ table: RunTable, _ source: MySQLConnection, _ target: MySQLConnection
    ) throws -> TableComparer {
        let sql = try ChecksumSQL(
            source: table.source, target: table.prepared.targetDefinition, sourceCondition: try context.filterSQL(table),
            // None on the target: a row that the filter should have kept out must be seen there.
            targetCondition: nil)
        let positions = context.positions
        let state = context.state
        let visible = visible
        let readers = PositionReaders(
            sourceVisible: { try await visible.lowerBound(on: $0) },
            sourceUpper: { connection in
                if positions.usesGTIDs { return .gtids(try await positions.ownedOrExecuted(on: connection)) }
                return .file(try await positions.end(on: connection))
            },
            checkpoint: { try await state.checkpoint(locked: false, on: $0).position })
        return TableComparer(sql, source: source, target: target, readers: readers)
    }

    /// While the target is far behind, nearly every chunk differs, every row of it is read for that, and all of it is dirty again
    /// before the target is level: that work would only hold up the replay. Each worker then takes one task in this time, so that
    /// a target that is always behind is validated all the same.
    private static let paceBehind = Duration.seconds(2)

    private func isBehind() async -> Bool {
        guard await context.board.isFarBehind else {
            await context.board.endWait(Self.behind)
            return false
        }
        await context.board.beginWait(Self.behind, why: "Both sides are compared slowly until the target is level with the source.", limit: nil)
        return true
    }

    private func work() async throws {
        let source = try await context.openSource()
        let target = try await context.sessions.target()
        do {
            for connection in [source, target] {
                for statement in ValidationSession.statements { try await connection.query(statement) }
            }
            let tables = Dictionary(context.tables.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
            // One at a time: the statements of thousands of tables, in each worker, would be memory without a bound.
            var kept: (table: TableName, comparer: TableComparer)?
            var last = ContinuousClock.now
            while true {
                try Task.checkCancellation()
                if await isBehind(), .now - last < Self.paceBehind {
                    try await Task.sleep(for: .milliseconds(50))
                    continue
                }
                last = .now
                guard let task = await board.next(), let table = tables[task.table] else {
                    // Nothing to compare now; the applier marks new keys several times a second.
                    try await Task.sleep(for: .milliseconds(20))
                    continue
                }
                let comparer: TableComparer
                if let kept, kept.table == task.table {
                    comparer = kept.comparer
                } else {
                    comparer = try self.comparer(table, source, target)
                    kept = (task.table, comparer)
                }
                let isSettled: Bool
                do {
                    isSettled = try await compare(task, comparer)
                } catch {
                    await board.abandoned(task)
                    throw try await ReadFailure(context: context).explained(error, table: table, following: reached)
                }
                // What could not be settled yet waits for the stream: no use in asking both servers without a pause.
                if !isSettled { try await Task.sleep(for: .milliseconds(20)) }
            }
        } catch {
            await source.close()
            await target.close()
            throw error
        }
    }

    /// Rows shown of a table that differs.
    private static let shownRows = 10

    /// Tells the board what differs in the first rows that do.
    private func describe() async throws {
        var shown: [TableName: Set<RowKey>] = [:]
        while true {
            try await Task.sleep(for: .milliseconds(250))
            for (index, table) in context.tables.enumerated() where table.source.rowKey != nil {
                let keys = Set(await board.failedKeys(table.source.name, limit: Self.shownRows).keys)
                guard keys != shown[table.source.name, default: []] else { continue }
                await context.board.set(mismatches: try await details(table, keys.sorted { $0.description < $1.description }), of: index)
                shown[table.source.name] = keys
            }
        }
    }

    private func details(_ table: RunTable, _ keys: [RowKey]) async throws -> [RowDetail] {
        guard !keys.isEmpty else { return [] }
        let source = try await context.openSource()
        let target: MySQLConnection
        do {
            target = try await context.sessions.target()
        } catch {
            await source.close()
            throw error
        }
        do {
            for connection in [source, target] {
                for statement in ValidationSession.statements { try await connection.query(statement) }
            }
            let rows = try await comparer(table, source, target).details(keys.map { RowDifference(key: $0, kind: .different) })
            await source.close()
            await target.close()
            return rows
        } catch {
            await source.close()
            await target.close()
            throw try await ReadFailure(context: context).explained(error, table: table, following: reached)
        }
    }

    /// True when something was settled.
    private func compare(_ task: ValidationTask, _ comparer: TableComparer) async throws -> Bool {
        switch task.work {
        case .keys(let keys):
            let outcome = try await comparer.recheck(keys.map(\.key))
            return await board.finished(task, unequal: outcome.differences.map(\.key), complete: true, at: outcome.alignment)
        case .chunk(let chunk):
            let comparison = try await comparer.compare(chunk.bounds)
            context.observer.moment("validate.chunk")
            return await board.finished(
                task, unequal: comparison.differences.map(\.key), complete: comparison.isComplete, at: comparison.alignment)
        case .whole:
            let comparison = try await comparer.compareWhole()
            return await board.finishedWhole(task, equal: comparison.isEqual, at: comparison.alignment)
        }
    }
}
