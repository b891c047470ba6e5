import MySQLWire

/// What `migrate` was asked for.
package struct MigrationOptions: Sendable, Hashable {
    package enum Until: String, Sendable, Hashable, CaseIterable {
        /// The consistency point, all indexes and foreign keys built.
        case loaded
        /// The checkpoint has reached the source position read at the start of this command.
        case caughtUp = "caught-up"
        /// Caught up, and every table Validated.
        case validated
        /// Follow until cut over or stopped.
        case forever
    }
    package var until: Until
    /// Cut over as soon as the gates allow.
    package var cutover: Bool
    /// Rows that differ are read from the source again and rewritten.
    package var repairs = false
    package init(until: Until = .forever, cutover: Bool = false, repairs: Bool = false) {
        self.repairs = repairs
        self.until = until
        self.cutover = cutover
    }
}

/// How a run ended, for the final table and the JSON report.
package struct MigrationReport: Codable, Sendable, Hashable {
    package var status: MigrationStatus
    package var seconds: Double
    /// Cutover steps with their durations, empty without one.
    package var steps: [Step]
    package struct Step: Codable, Sendable, Hashable {
        package var name: String
        package var seconds: Double
        package init(name: String, seconds: Double) {
            self.name = name
            self.seconds = seconds
        }
    }
    package init(status: MigrationStatus, seconds: Double, steps: [Step]) {
        self.status = status
        self.seconds = seconds
        self.steps = steps
    }
}

/// A migration from its first connection to its end: attempts, one after the other, each from what the target says.
package struct MigrationRun: Sendable {
    package let plan: Plan
    package let options: MigrationOptions
    package let observer: any ProgressObserver
    /// How long broken connections are retried after the last attempt that got anywhere.
    package let retryLimit: Duration

    package init(
        plan: Plan, options: MigrationOptions, observer: any ProgressObserver, retryLimit: Duration = .seconds(600)
    ) {
        self.plan = plan
        self.options = options
        self.observer = observer
        self.retryLimit = retryLimit
    }

    /// Runs (or resumes) to what the options ask for. Cancelling the task stops in a resumable state (EngineError.resumable).
    package func run() async throws -> MigrationReport {
        let board = ProgressBoard(task: plan.task)
        let memory = RunMemory()
        let start = ContinuousClock.now
        do {
            let ending = try await withThrowingTaskGroup(of: FollowStage.Ending?.self) { group in
                group.addTask {
                    while true {
                        observer.update(await board.snapshot())
                        try await Task.sleep(for: .milliseconds(500))
                    }
                }
                group.addTask { try await attempts(board, memory) }
                defer { group.cancelAll() }
                while let ending = try await group.next() {
                    if let ending { return ending }
                }
                throw EngineError(.failed, "The migration ended without a result.")
            }
            return await report(ending, board, start)
        } catch {
            let shown = Task.isCancelled ? Self.stopped : await explained(error, hasTask: memory.hasTask)
            await board.set(state: Task.isCancelled ? .stopped : .failed)
            await board.set(error: "\(shown)")
            let status = await board.snapshot()
            observer.update(status)
            // The stored snapshot must not go on saying "following"; if the target is gone, its lock says that nobody runs.
            // A run that never had the task leaves the snapshot of the one that has it alone.
            if await memory.hasTask { try? await Task { try await StatusWriter.store(status, plan: plan) }.value }
            throw shown
        }
    }

    /// A server's error with its side and its cure; for a missing privilege the GRANT, found by looking at the grants again.
    private func explained(_ error: any Error, hasTask: Bool) async -> any Error {
        guard let error = error as? MySQLError else { return error }
        var explained = ServerTrouble.explain(error, hasTask: hasTask)
        if ServerTrouble.isDenied(error), let grants = try? await MissingGrants.find(plan), !grants.isEmpty {
            explained.cure = grants.joined(separator: " ") + " Then run the same command again."
        }
        return explained
    }

    private static let stopped = EngineError(
        .resumable, "Stopped.", why: "The target holds everything up to its checkpoint.",
        cure: "Run the same command again to go on.")

    private func report(
        _ ending: FollowStage.Ending, _ board: ProgressBoard, _ start: ContinuousClock.Instant
    ) async -> MigrationReport {
        var steps: [MigrationReport.Step] = []
        if case .cutOver(let taken, let pause) = ending {
            steps = taken
            await board.set(state: .cutOver)
            if let pause { await board.set(writePause: pause) }
        } else {
            await board.set(state: .stopped)
        }
        let status = await board.snapshot()
        observer.update(status)
        // A report only: the work itself is done and committed.
        try? await StatusWriter.store(status, plan: plan)
        return MigrationReport(status: status, seconds: (ContinuousClock.now - start).inSeconds, steps: steps)
    }

    /// One attempt after the other while connections break; everything else ends the run.
    private func attempts(_ board: ProgressBoard, _ memory: RunMemory) async throws -> FollowStage.Ending {
        var failingSince: ContinuousClock.Instant?
        var tries = 0
        var pause = Duration.milliseconds(200)
        while true {
            let began = ContinuousClock.now
            let commits = await board.commits
            do {
                var attempt = MigrationAttempt(run: self, board: board, memory: memory)
                return try await attempt.run()
            } catch {
                if Task.isCancelled { throw error }
                if error is DefinitionsChanged {
                    // Not a failure: the next attempt knows the tables as they are now.
                    failingSince = nil
                    continue
                }
                guard await memory.hasConnected, Retry.isWorthwhile(error) else { throw error }
                // An attempt that lived for a while, or committed something, has got somewhere: the clock starts anew. A path that
                // breaks every few seconds makes a migration slow, and is no reason to give up.
                if await board.commits > commits || ContinuousClock.now - began > .seconds(30) {
                    failingSince = nil
                    tries = 0
                    pause = .milliseconds(200)
                }
                tries += 1
                // DMS's own schedule, where the task settings ask for one.
                if plan.settings.recovery != RecoverySettings() {
                    guard let seconds = plan.settings.recovery.pause(before: tries) else {
                        throw EngineError(
                            .resumable, "Gave up after \(tries - 1) tries to connect again, as the task settings say (RecoverableError…).",
                            why: "\(error)", cure: "When both servers are back, run the same command again.")
                    }
                    observer.say("warning", "Connection lost, trying again in \(seconds) s: \(error)")
                    await board.beginWait("connection", why: "\(error)", limit: nil)
                    observer.moment("retry")
                    try await Task.sleep(for: .seconds(seconds))
                    await board.endWait("connection")
                    continue
                }
                let since = failingSince ?? ContinuousClock.now
                failingSince = since
                guard ContinuousClock.now - since < retryLimit else {
                    throw EngineError(
                        .resumable, "Gave up after \(retryLimit) of trying to connect again.", why: "\(error)",
                        cure: "When both servers are back, run the same command again.")
                }
                observer.say("warning", "Connection lost, trying again: \(error)")
                await board.beginWait("connection", why: "\(error)", limit: retryLimit)
                observer.moment("retry")
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
                await board.endWait("connection")
            }
        }
    }
}

/// What outlives an attempt: nothing that the target does not know better.
actor RunMemory {
    /// The first attempt reached both servers: from then on a lost connection is retried.
    private(set) var hasConnected = false
    /// The source's position when the command began: `--until caught-up` means this one.
    private(set) var goal: ReplicationPosition?

    /// This run holds, or held, the task: its snapshot is the task's.
    private(set) var hasTask = false

    /// The operator's pause holds over a lost connection.
    private(set) var isPaused = false
    private var attempts = 0
    /// The request for a cutover that is being carried out.
    private(set) var askedCutover: UInt64?
    func asksCutover(_ request: UInt64?) { askedCutover = request }

    func connected() { hasConnected = true }
    func pause(_ now: Bool) { isPaused = now }
    func isFirstAttempt() -> Bool {
        attempts += 1
        return attempts == 1
    }
    func tookTask() { hasTask = true }
    private var kept: KeptValidation?
    func keep(_ validation: KeptValidation) { kept = validation }
    /// Good for one attempt: whatever that one does, only it can say what then holds.
    func takeKept() -> KeptValidation? {
        defer { kept = nil }
        return kept
    }

    /// Another server may not have all that the first one had.
    func forgetGoal() { goal = nil }
    func keepGoal(_ position: ReplicationPosition) -> ReplicationPosition {
        if let goal { return goal }
        goal = position
        return position
    }
}

/// Which errors another attempt may get past.
package enum Retry {
    package static func isWorthwhile(_ error: any Error) -> Bool {
        if let error = error as? MySQLError {
            if error.isConnectionLost { return error.code != .tls }
            // Lock wait timeout, deadlock, shutdown, too many connections, interrupted, killed.
            return [1205, 1213, 1053, 1040, 1317, 1927, 3024, 1028].contains(error.serverCode ?? 0)
        }
        if error is SourceSwitched { return true }
        if let error = error as? EngineError { return error.kind == .resumable && error.what.hasPrefix("The source ended") }
        return false
    }
}

/// The GRANT statements that preflight asks for, both sides.
enum MissingGrants {
    static func find(_ plan: Plan) async throws -> [String] {
        let sessions = Sessions(plan: plan)
        let source = try await sessions.source()
        do {
            let target = try await sessions.target()
            do {
                let findings = try await Preflight.check(source: source, target: target, plan: plan)
                await source.close()
                await target.close()
                return findings.filter { $0.blocks && $0.cure.hasPrefix("GRANT ") }.map {
                    "On the \($0.check.hasPrefix("target") ? "target" : "source"): \($0.cure)"
                }
            } catch {
                await target.close()
                // What cannot be read for want of a privilege cannot be judged further; it says itself which.
                if let error = error as? EngineError, error.cure.hasPrefix("GRANT ") {
                    await source.close()
                    return [error.cure]
                }
                throw error
            }
        } catch {
            await source.close()
            throw error
        }
    }
}

/// Writes the last snapshot where `status` finds it.
enum StatusWriter {
    /// A target that holds back its commits must not hold back the end of the program.
    private static let limit = Duration.seconds(5)

    static func store(_ status: MigrationStatus, plan: Plan) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await write(status, plan: plan) }
            group.addTask { try await Task.sleep(for: limit) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func write(_ status: MigrationStatus, plan: Plan) async throws {
        let connection = try await Sessions(plan: plan).target()
        let state = TargetState(task: plan.task)
        do {
            if try await state.readTask(on: connection) != nil {
                try await state.storeStatus(status, on: connection)
                if plan.settings.keepsControlTables {
                    let tables = ControlTables(settings: plan.settings.control, task: plan.task)
                    try await ControlTablesKeeper.finish(status, tables, state, connection)
                }
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }
}
