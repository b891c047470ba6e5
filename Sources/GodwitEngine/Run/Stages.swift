import Foundation
import MySQLTypes
import MySQLWire

/// Follows the log and applies it, until told to stop. Used twice: absolute up to P1, strict from then on.
package struct ApplyStage: Sendable {
    package let context: RunContext
    package let phase: TaskPhase
    package let listener: any ApplyListener

    package init(context: RunContext, phase: TaskPhase, listener: any ApplyListener) {
        self.context = context
        self.phase = phase
        self.listener = listener
    }

    /// Returns nil when `stop` said so, or the change of definition that the log has next; throws on everything else.
    package func run(
        stop: @escaping @Sendable (ReplicationPosition, BinlogCoordinates) async -> Bool
    ) async throws -> DefinitionChange? {
        let target = try await context.openTarget()
        let source: MySQLConnection
        do {
            source = try await context.openSource()
        } catch {
            await target.close()
            throw error
        }
        let change: DefinitionChange?
        do {
            change = try await follow(source, target, stop)
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
        return change
    }

    /// Bytes of changes that wait at most: beyond a few batches reading ahead gains nothing.
    private static let readAhead = 48 << 20

    private func follow(
        _ source: MySQLConnection, _ target: MySQLConnection,
        _ stop: @escaping @Sendable (ReplicationPosition, BinlogCoordinates) async -> Bool
    ) async throws -> DefinitionChange? {
        // Of a cutover that was broken off: nothing may be applied while a trigger would do it again.
        try await ObjectLedger(task: context.plan.task).dropTriggers(on: target)
        // FOR UPDATE: waits for a COMMIT of a broken connection that may still be running.
        try await target.query("BEGIN")
        try await context.state.checkFence(epoch: context.epoch, phase: phase, on: target)
        var stored = try await context.state.checkpoint(locked: true, on: target)
        if case .file(let place) = stored.position, stored.maria == nil, source.server.isMariaDB {
            // Written down while this server can still be asked: another one may have to find the place.
            stored.maria = try await context.positions.numbers(at: place, on: source)
            try await context.state.setClaimedPosition(
                stored.position, commitMicroseconds: stored.commitMicroseconds, maria: stored.maria, on: target)
        }
        let checkpoint = stored
        let gone = try await context.state.gone(on: target)
        let prepared = try await context.state.preparedTransactions(on: target)
        try await target.query("COMMIT")
        let limit = context.plan.settings.changeMemoryLimit
        let queue = BoundedQueue<SourceItem>(limit: min(limit / 2, Self.readAhead))
        let mappings = context.plan.mappings
        var filters: [Int: [RowFilter]] = [:]
        var loadedAt: [Int: ReplicationPosition] = [:]
        for (index, table) in context.tables.enumerated() {
            if !table.filters.isEmpty { filters[index] = table.filters }
            if let position = table.loadedAt { loadedAt[index] = position }
        }
        // Indexes are built at the consistency point, and nothing is applied between that and following.
        let strictTables = Set(
            context.tables.indices.filter { (Remedy.exactTables.isOn && context.tables[$0].isIndexed) || context.tables[$0].isExact })
        var capture = CaptureStream(
            shapes: context.shapes, usesGTIDs: context.positions.usesGTIDs,
            caseInsensitiveNames: context.sourceFacts.lowerCaseTableNames != 0, isStrict: phase == .following,
            loadedAt: loadedAt, gone: gone, exact: strictTables,
            isIncluded: { mappings.decision(for: $0) != nil }, observer: context.observer)
        capture.suspended = Set(context.tables.indices.filter { context.tables[$0].suspension != nil })
        var applier = Applier(
            shapes: context.shapes, loadedAt: loadedAt, filters: filters,
            cascades: CascadeRules(context.tables.map(\.source), logged: context.sourceFacts.logsCascades, foldsCase: context.foldsCase),
            state: context.state, epoch: context.epoch,
            phase: phase, budget: min(16 << 20, max(1 << 18, limit / 8)),
            statementLimit: min(1 << 20, max(1 << 16, Int(context.targetFacts.maxAllowedPacket) / 4)), listener: listener,
            observer: context.observer)
        applier.policy = ApplyPolicy(context)
        applier.strictTables = strictTables
        let board = context.board
        let (ready, reader) = (applier, capture)
        let ending = try await withThrowingTaskGroup(of: Applier.Ending?.self) { group in
            group.addTask {
                do {
                    try await reader.run(from: checkpoint.position, on: source, into: queue)
                } catch is CancellationError where !Task.isCancelled {
                    // The queue's consumer has gone: the applier has ended, and only it knows why.
                }
                return nil
            }
            group.addTask {
                var backlog = Backlog()
                while true {
                    try backlog.look(at: await queue.outstanding)
                    await board.set(backlog)
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
            group.addTask {
                defer { Task { await queue.finish() } }
                return try await ready.run(queue, from: checkpoint, prepared: prepared, on: target, stop: stop)
            }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let finished { return finished }
            }
            throw EngineError(.failed, "The applier ended without a reason.")
        }
        await board.set(Backlog())
        switch ending {
        case .stopped: return nil
        case .definition(let change): return change
        }
    }
}

/// Replays before the consistency point: nobody validates yet.
struct SilentListener: ApplyListener {
    let board: ProgressBoard
    func touched(_ keys: [TouchedKey], mark: MarkPosition) async {}
    func lost(tables: Set<Int>, mark: MarkPosition) async {}
    func applied(_ progress: ApplyProgress) async { await board.applied(progress, idle: progress.transactions == 0) }
}

/// From the consistency point on: what is touched is marked for validation before it can be seen.
struct ValidatingListener: ApplyListener {
    let board: ProgressBoard
    let validation: ValidationBoard
    let reached: ReachedPosition

    func touched(_ keys: [TouchedKey], mark: MarkPosition) async { await validation.touched(keys, mark: mark) }
    func lost(tables: Set<Int>, mark: MarkPosition) async { await validation.lost(tables, mark: mark) }
    func applied(_ progress: ApplyProgress) async {
        await validation.advance(checkpoint: progress.position)
        await reached.set(progress.position, progress.reached)
        await board.applied(progress, idle: progress.transactions == 0)
    }
}

/// How far the applier is, for whoever waits for a position.
package actor ReachedPosition {
    private(set) var position: ReplicationPosition?
    private(set) var coordinates = BinlogCoordinates(file: "", offset: 0)
    private var waiters: [CheckedContinuation<Void, Never>] = []

    package init() {}

    package func set(_ position: ReplicationPosition, _ coordinates: BinlogCoordinates) {
        self.position = position
        self.coordinates = coordinates
    }

    package func covers(_ goal: ReplicationPosition) -> Bool { position?.covers(goal) ?? false }
}

/// At the consistency point: builds what waited, one ALTER per table, foreign keys after all indexes. May run again after any crash.
package struct IndexStage: Sendable {
    package let context: RunContext
    package init(context: RunContext) { self.context = context }

    /// Tables with cascades that the log does not carry are exact from their snapshot on: their keys stand before they are
    /// replayed, and the children of a row are found by an index.
    package func runComponents() async throws {
        let tables = context.cascadeComponents.flatMap { $0 }.filter { !$0.isIndexed }
        guard !tables.isEmpty else { return }
        let target = try await context.openTarget()
        do {
            try await build(tables, in: .replaying, target)
        } catch {
            await target.close()
            throw error
        }
        await target.close()
    }

    package func run() async throws {
        let target = try await context.openTarget()
        do {
            try await build(context.tables.filter { !$0.isIndexed }, in: .indexing, target)
            try await makeObjects(target)
        } catch {
            await target.close()
            throw error
        }
        await target.close()
    }

    /// Views, routines and events (switched off) as the source has them now. What the target is not ready for, since the source's
    /// definitions are ahead of the checkpoint, is made before the cutover, which needs all of them.
    private func makeObjects(_ target: MySQLConnection) async throws {
        let accounts = AccountMover(context: context)
        let pending = try await accounts?.makeAccounts(source: context.sourceControl, target: target)
        let result = try await ObjectMover(context: context).refresh(
            source: context.sourceControl, target: target, isStill: true)
        for line in result.failures { context.observer.say("warning", line + " It is tried again before the cutover.") }
        for line in result.differences where result.failures.isEmpty { context.observer.say("warning", line) }
        var differences = result.failures
        if let accounts, let pending {
            let found = try await accounts.makeGrants(pending, source: context.sourceControl, target: target)
            for line in found { context.observer.say("warning", line) }
            differences += found
        }
        await context.board.set(objectDifferences: differences)
        context.observer.moment("objects.end")
    }

    private func build(_ tables: [RunTable], in phase: TaskPhase, _ target: MySQLConnection) async throws {
        try await context.state.checkFence(epoch: context.epoch, phase: phase, on: target)
        // ALTER may run for hours: only silence of the server's host ends it, not its duration.
        try await target.query("SET SESSION lock_wait_timeout = 600")
        // Read once for all of them: of thousands of tables most have nothing to wait for. An ALTER of one changes no index
        // and no foreign key of another.
        let wanted = Set(tables.map(\.prepared.target))
        let schemas = Set(wanted.map(\.schema))
        let definitions = try await Catalog.read(
            target, include: { wanted.contains($0) }, schemas: { schemas.contains($0) })
        let found = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for table in tables {
            let current = try Self.standing(table, found)
            try await step(table, target, "indexes", table.prepared.indexBuild(on: current))
        }
        var done: [Int] = []
        for table in tables {
            let current = try Self.standing(table, found)
            guard let alter = table.prepared.foreignKeyBuild(on: current) else {
                done.append(table.id)
                if done.count == 500 { try await mark(&done, target) }
                continue
            }
            try await mark(&done, target)
            try await step(table, target, "foreign keys", alter)
            done.append(table.id)
        }
        try await mark(&done, target)
    }

    private static func standing(_ table: RunTable, _ found: [TableName: TableDefinition]) throws -> TableDefinition {
        guard let current = found[table.prepared.target] else {
            throw EngineError(
                .failed, "Table \(table.prepared.target) is gone from the target.", why: "Somebody dropped it.",
                cure: "Drop this task's rows in schema godwit and migrate again.")
        }
        return current
    }

    private func mark(_ tables: inout [Int], _ target: MySQLConnection) async throws {
        try await context.state.mark(tables: tables, "is_indexed", on: target)
        for _ in tables { context.observer.moment("index.marked") }
        tables = []
    }

    private func step(_ table: RunTable, _ target: MySQLConnection, _ what: String, _ alter: String?) async throws {
        guard let alter else { return }
        context.observer.moment("index.before")
        let wait = "\(what) of \(table.prepared.target)"
        await context.board.beginWait(wait, why: "The target builds the \(what) that waited for the consistency point.", limit: nil)
        context.observer.say("info", "Building the \(what) of \(table.prepared.target).")
        do {
            try await target.query(alter)
        } catch {
            await context.board.endWait(wait)
            // 1062 and 1586: duplicate entry. The source has no such pair, so the two servers judge equality differently.
            if error.serverCode == 1062 || error.serverCode == 1586 {
                throw EngineError(
                    .failed, "The \(what) of \(table.prepared.target) cannot be built: \(error.message)",
                    why: "Rows that are different on the source are equal on the target: collation or definition differ.",
                    cure: "Give both columns the same collation, then run the same command again.")
            }
            throw error
        }
        await context.board.endWait(wait)
        context.observer.moment("index.after")
    }
}

/// While one table is loaded again after the consistency point, the others have their unique keys and are followed strictly.
extension Remedy { static let exactTables = Remedy("exact-tables", pitfalls: [3, 24], test: "OnlineSchemaChangeTests/oneTableIsLoadedWhileTheOthersAreFollowed") }
