import Foundation
import MySQLTypes
import MySQLWire

/// One attempt: opens both sides, takes the task, goes on from the phase that the target says, until done or broken.
struct MigrationAttempt: Sendable {
    let run: MigrationRun
    let board: ProgressBoard
    let memory: RunMemory
    /// The run's plan, with what the source says of comparing names.
    private var plan: Plan

    init(run: MigrationRun, board: ProgressBoard, memory: RunMemory) {
        self.run = run
        self.board = board
        self.memory = memory
        plan = run.plan
    }

    private var observer: any ProgressObserver { run.observer }

    mutating func run() async throws -> FollowStage.Ending {
        let sessions = Sessions(plan: plan)
        let source = try await sessions.source()
        let control: MySQLConnection
        do {
            control = try await sessions.target()
        } catch {
            await source.close()
            throw error
        }
        let watch = TargetWatch(sessions: sessions, board: board, observer: observer)
        // What breaks the watch breaks the run too, which then says it.
        let watching = Task { try await watch.run() }
        defer { watching.cancel() }
        do {
            let ending = try await go(sessions, source, control)
            await source.close()
            await control.close()
            return ending
        } catch {
            await source.close()
            await control.close()
            throw error
        }
    }

    private mutating func go(
        _ sessions: Sessions, _ source: MySQLConnection, _ control: MySQLConnection
    ) async throws -> FollowStage.Ending {
        let state = TargetState(task: plan.task)
        let lock = RunnerLock(task: plan.task)
        let uuid = try await SourcePositions.uuid(of: source)
        await board.set(sourceTLS: try await Self.tls(source), targetTLS: try await Self.tls(control))
        let sourceFacts = try await ServerFacts.read(source)
        let targetFacts = try await ServerFacts.read(control)
        plan.mappings.foldsCase = sourceFacts.lowerCaseTableNames != 0
        var stored = try await state.readTask(on: control)
        // A task stays with the kind of position that it began with.
        let positions = SourcePositions(usesGTIDs: stored?.p0?.isGTIDs ?? sourceFacts.usesGTIDs)
        let preparation = Preparation(plan: plan, state: state, positions: positions, observer: observer)
        if stored == nil, plan.forward == nil {
            // Everything that can be refused is refused before the first write.
            try await preparation.preflight(source: source, target: control)
        }
        try await openOldSource(state, stored, source, control)
        await memory.connected()
        try await take(lock, control)
        await memory.tookTask()
        if stored == nil {
            if let forward = plan.forward { try await ReversePreparation.refuseUnlessCutOver(forward, source) }
            try await state.install(on: control)
            stored = try await state.readTask(on: control)
        }
        if stored == nil {
            if let forward = plan.forward {
                try await ReversePreparation(
                    plan: plan, forward: forward, state: state, positions: positions, observer: observer
                ).create(source: source, target: control, uuid: uuid)
            } else {
                try await preparation.create(source: source, target: control, uuid: uuid, board: board)
            }
            stored = try await state.readTask(on: control)
        }
        guard let stored, let p0 = stored.p0 else {
            throw EngineError(.failed, "The task's row in schema godwit on the target is not complete.")
        }
        try await preparation.check(stored, on: control, gtidMode: sourceFacts.gtidMode, p0: p0)
        try await preparation.checkCascades(stored, sourceFacts, on: control)
        let continuity = SourceContinuity(plan: plan, state: state, positions: positions)
        let change = try await continuity.check(
            stored, uuid: uuid, source: source, sourceFacts: sourceFacts, targetFacts: targetFacts, target: control)
        let epoch = try await state.takeEpoch(on: control)
        if await memory.isFirstAttempt() { try await state.expireRequests(on: control) }
        if change != nil { await memory.forgetGoal() }
        let goal = await memory.keepGoal(try await positions.exact(on: source))
        let tables = try await preparation.tables(on: control)
        await board.begin(
            tables: tables.map {
                var table = MigrationStatus.Table(
                    schema: $0.source.name.schema, table: $0.source.name.table, estimatedRows: $0.source.estimatedRows)
                if !plan.settings.enableValidation { table.validationState = "Not enabled" }
                return table
            }, before: try await state.status(on: control))
        let context = RunContext(
            plan: plan, options: run.options, sessions: sessions, state: state, lock: lock, epoch: epoch, observer: observer,
            board: board, positions: positions, sourceFacts: sourceFacts, targetFacts: targetFacts, control: control,
            sourceControl: source, sourceUUID: uuid, tables: tables)
        if let change {
            try await continuity.settle(change, context)
            observer.say("warning", change.sentence)
        }
        await board.set(outcomes: try await TaskOutcomes.read(state, on: control))
        let keeper = try await controlTables(context)
        let attempt = self
        return try await withThrowingTaskGroup(of: FollowStage.Ending?.self) { group in
            group.addTask {
                try await attempt.storeStatus(context)
                return nil
            }
            if let keeper {
                group.addTask {
                    try await keeper.run()
                    return nil
                }
            }
            group.addTask { try await attempt.phases(context, preparation, goal) }
            var failure: (any Error)?
            while let result = await group.nextResult() {
                switch result {
                case .success(nil): continue
                case .success(let ending?):
                    if failure != nil, ending == .reachedGoal { continue }
                    group.cancelAll()
                    return ending
                case .failure(let error):
                    failure = failure ?? error
                    group.cancelAll()
                }
            }
            throw failure ?? EngineError(.failed, "The migration ended without a result.")
        }
    }

    /// The way back: see `ReversePreparation.open`. Not once the old source is the application's again.
    private func openOldSource(
        _ state: TargetState, _ stored: StoredTask?, _ source: MySQLConnection, _ control: MySQLConnection
    ) async throws {
        guard let forward = plan.forward else { return }
        if stored != nil {
            guard try await state.phase(on: control).phase == .following, !(try await state.journal(on: control).isPastReturn) else { return }
        } else {
            // Asked before anything is written: of a migration that is not cut over the source must stay as it is.
            let task = TargetState(task: forward.task)
            guard try await task.readTask(on: source) != nil, try await task.journal(on: source).isFinished else { return }
        }
        try await ReversePreparation.open(control, source: source, forward)
    }

    private static func tls(_ connection: MySQLConnection) async throws -> String {
        guard let version = connection.server.tlsVersion else { return "none" }
        let cipher = try await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'").rows.first?.string(1)
        return [version, cipher ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// One runner per task: the lock, then the end of whatever an earlier runner left in a long statement.
    private func take(_ lock: RunnerLock, _ control: MySQLConnection) async throws {
        await board.beginWait("run lock", why: "Another runner of this task may still hold it.", limit: .seconds(15))
        let acquired = try await lock.acquire(on: control, seconds: 15)
        await board.endWait("run lock")
        guard acquired else {
            let holder = try await lock.holder(on: control).map(String.init) ?? "?"
            throw EngineError(
                .failed, "Task \(plan.task) is being run by another Godwit (connection \(holder) of the target).",
                why: "Two runners would write the same rows.",
                cure: "Watch it with godwit status, or stop it first.")
        }
        let ended = try await lock.endOrphans(on: control)
        if !ended.isEmpty {
            observer.say("warning", "Ended \(ended.count) connections that an earlier run had left on the target.")
        }
    }

    /// DMS's control tables, where the settings want them. Without them nothing may be passed over: it is written there.
    private func controlTables(_ context: RunContext) async throws -> ControlTablesKeeper? {
        let settings = plan.settings
        guard settings.keepsControlTables else { return nil }
        let tables = ControlTables(settings: settings.control, task: plan.task)
        do {
            try await tables.install(on: context.control)
        } catch {
            guard let error = error as? MySQLError, !error.isConnectionLost else { throw error }
            if settings.errors.goesOn {
                throw EngineError(
                    .resumable, "The control tables in schema \(settings.control.name) cannot be made on the target: \(error.message)",
                    why: "ErrorBehavior lets the task pass over changes, and each of them is to be written there.",
                    cure: "On the target: GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON \(SQL.identifier(settings.control.name)).* TO \(SQL.string(plan.target.user)); then run the same command again.")
            }
            observer.say("warning", "The control tables in schema \(settings.control.name) cannot be made: \(error.message)")
        }
        return ControlTablesKeeper(context: context, tables: tables)
    }

    /// The snapshot for `status`, once a second, on a connection of its own. One of thousands of tables is a megabyte, which the
    /// target writes to its log each time: it comes less often, up to every ten seconds.
    private func storeStatus(_ context: RunContext) async throws {
        let connection = try await context.sessions.target()
        do {
            var stored: BinlogCoordinates?
            while true {
                let bytes = try await context.state.storeStatus(await board.snapshot(), on: connection)
                if context.positions.usesGTIDs, let place = await board.reached, place != stored, !place.file.isEmpty {
                    try await context.state.storeReached(place, of: context.sourceUUID, on: connection)
                    stored = place
                }
                try await Task.sleep(for: .milliseconds(min(10_000, max(1000, bytes / 100))))
            }
        } catch {
            await connection.close()
            throw error
        }
    }

    // MARK: Phases

    private func phases(
        _ opened: RunContext, _ preparation: Preparation, _ goal: ReplicationPosition
    ) async throws -> FollowStage.Ending {
        var context = opened
        while true {
            try Task.checkCancellation()
            let phase = try await context.state.phase(on: context.control).phase
            switch phase {
            case .preparing:
                await board.set(state: .starting)
                try await preparation.carryOut(context)
                let state = context.state
                let control = context.control
                try await state.advance(from: .preparing, to: .loading, epoch: context.epoch, on: control) {
                    try await state.markPrepared(on: control)
                }
            case .loading:
                await board.set(state: .loading)
                do {
                    try await Loader(context: context).run()
                } catch let interrupted as LoadInterrupted {
                    try await TableReset(context: context).run(
                        interrupted.tables, in: .loading, because: "Changed during the load (\(interrupted.what))")
                }
                try await closeLoad(context)
                // DMS's stops are for this run only: the next one passes them.
                if plan.settings.stopTaskCachedChangesNotApplied {
                    observer.say("info", "Loaded; stopping before the changes made meanwhile are applied, as the task settings say.")
                    return .reachedGoal
                }
            case .replaying:
                try await markLoaded(context)
                await board.set(state: .replaying)
                context = try await reread(context, preparation)
                try await IndexStage(context: context).runComponents()
                context = try await reread(context, preparation)
                try await replay(context)
            case .indexing:
                try await markLoaded(context)
                await board.set(state: .indexing)
                context = try await reread(context, preparation)
                try await IndexStage(context: context).run()
                try await context.state.advance(
                    from: .indexing, to: .following, epoch: context.epoch, on: context.control)
                if plan.settings.stopTaskCachedChangesApplied {
                    observer.say("info", "The changes made during the load are applied; stopping, as the task settings say.")
                    return .reachedGoal
                }
            case .following, .fenced, .cutOver:
                try await markLoaded(context)
                context = try await reread(context, preparation)
                if let ending = try await follow(context, preparation, goal, phase) { return ending }
            }
        }
    }

    /// The tables as stored now: what an earlier phase has learned (snapshot positions, built indexes).
    private func reread(_ context: RunContext, _ preparation: Preparation) async throws -> RunContext {
        context.with(tables: try await preparation.tables(on: context.control))
    }

    /// What was loaded is in the chunks' marks, whoever loaded it.
    private func markLoaded(_ context: RunContext) async throws {
        var loaded: [Int: (rows: UInt64, bytes: UInt64)] = [:]
        for chunk in try await context.state.chunks(on: context.control) where chunk.isDone {
            loaded[chunk.table, default: (0, 0)].rows += chunk.rows
            loaded[chunk.table, default: (0, 0)].bytes += chunk.bytes
        }
        for table in context.tables {
            let (rows, bytes) = loaded[table.id] ?? (0, 0)
            await board.finishedLoading(table.id, rows: rows, bytes: bytes)
        }
    }

    /// Every mark read back from the target is set: P1 is taken, an upper bound of what any chunk saw.
    private func closeLoad(_ context: RunContext) async throws {
        let chunks = try await context.state.chunks(on: context.control)
        let byTable = Dictionary(grouping: chunks, by: \.table)
        for table in try await context.state.tables(on: context.control) {
            let own = byTable[table.id] ?? []
            guard table.isPlanned, !own.isEmpty, own.allSatisfy(\.isDone) else {
                throw EngineError(
                    .failed, "Table \(table.source) is not loaded although every worker has ended.",
                    cure: "Run the same command again; if it says so again, this is an error of Godwit.")
            }
        }
        context.observer.moment("load.end")
        let p1 = try await context.positions.upperBound(on: context.sourceControl)
        // The same moment as a set: files are one server's own, and another of its lineage may stand in for it.
        let set = context.positions.usesGTIDs
            ? ReplicationPosition.gtids(try await context.positions.ownedOrExecuted(on: context.sourceControl)) : nil
        try await context.state.advance(from: .loading, to: .replaying, epoch: context.epoch, on: context.control) {
            try await context.state.storeP1(p1, on: context.control)
            try await context.state.storeUpperBound(set, of: context.sourceUUID, on: context.control)
        }
    }

    private func replay(_ context: RunContext) async throws {
        guard let p1 = try await context.state.readTask(on: context.control)?.p1 else {
            throw EngineError(.failed, "The consistency point is missing from schema godwit on the target.")
        }
        await board.beginWait("consistency point", why: "The log is replayed from before the load up to \(p1).", limit: nil)
        let stage = ApplyStage(context: context, phase: .replaying, listener: SilentListener(board: board))
        let bound = try await context.state.upperBound(on: context.control)
        let change = try await stage.run { position, reached in
            guard let bound, bound.sourceUUID != context.sourceUUID else { return p1 <= reached }
            return position.covers(bound.position)
        }
        await board.endWait("consistency point")
        if let change, change.tables.isEmpty { try await SchemaReplay(context: context, phase: .replaying).run(change) }
        if let change { try await TableReset(context: context).run(change.tables, in: .replaying, because: change.description, exactly: change.needsExactLoad) }
        context.observer.moment("replay.end")
        try await context.state.advance(from: .replaying, to: .indexing, epoch: context.epoch, on: context.control)
    }

    // MARK: Following and cutover

    private func markValidated(_ context: RunContext) async {
        for table in context.tables where table.source.rowKey != nil {
            await board.validation(table.id, state: "Validated", pending: 0, failed: 0)
        }
    }

    private func follow(
        _ context: RunContext, _ preparation: Preparation, _ goal: ReplicationPosition, _ phase: TaskPhase
    ) async throws -> FollowStage.Ending? {
        let journal = try await context.state.journal(on: context.control)
        if journal.isFinished {
            // Following the source any further would overwrite what the application writes now. A run that was killed after
            // its last step ends here the second time, with nothing left to do.
            observer.say(
                "info",
                plan.forward.map { "Task \($0.task) is rolled back: the application runs on the old source. Nothing is left to do." }
                    ?? "Task \(plan.task) is cut over: the application runs on the target." + (plan.reverse == nil ? " Nothing is left to do." : ""))
            let before = await board.showAsBefore()
            await board.set(objectDifferences: try journal.objectDifferences(of: .pointOfNoReturn))
            // The last snapshot may be from before the final validation, which a finished journal has passed.
            if plan.settings.enableValidation { await markValidated(context) }
            return .cutOver(steps: before?.steps ?? [], writePause: before?.writePauseSeconds)
        }
        var mustCutOver = false
        if !journal.current.isEmpty {
            let machine = CutoverMachine(journal: journal, switchUndo: CutoverDriver.switchUndo(plan.application))
            if journal.isPastReturn || !machine.mustGoForward {
                observer.say("warning", "An interrupted cutover is found in the journal: it is \(journal.isPastReturn ? "finished" : "undone") first.")
                let result = try await CutoverDriver(context: context, parts: nil, gateLimit: nil).run()
                if case .completed(let steps, let pause) = result { return .cutOver(steps: steps, writePause: pause) }
                return nil
            }
            observer.say("warning", "An interrupted cutover had begun to switch the application: it is carried on.")
            mustCutOver = true
            if phase == .fenced {
                try await context.state.advance(from: .fenced, to: .following, epoch: context.epoch, on: context.control)
            }
        }
        if plan.forward != nil { try await ReverseGuard(context: context).silence() }
        await board.set(state: .following)
        let unknown = try await preparation.unknownTables(
            on: context.sourceControl, known: context.tables.map(\.source.name))
        let unseen = FollowStage.Unseen(
            error: unknown.isEmpty ? nil : preparation.unseen(unknown), by: try await context.positions.exact(on: context.sourceControl))
        context.observer.moment("follow.begin")
        return try await FollowStage(
            context: context, goal: goal, unseen: unseen, mustCutOver: mustCutOver, memory: memory
        ).run()
    }
}
