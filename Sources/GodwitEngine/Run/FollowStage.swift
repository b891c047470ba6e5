import Foundation
import MySQLTypes
import MySQLWire

/// From the consistency point on: applies strictly, validates all the while, answers requests, cuts over.
package struct FollowStage: Sendable {
    package enum Ending: Sendable, Hashable {
        /// What `--until` asked for is reached.
        case reachedGoal
        case cutOver(steps: [MigrationReport.Step], writePause: Double?)
    }

    package let context: RunContext
    /// The source's position when the command began.
    package let goal: ReplicationPosition
    /// What stood on the source when the stage began and the task does not know; an error once the log is past that moment.
    package struct Unseen: Sendable {
        package var error: EngineError?
        package var by: ReplicationPosition
    }
    let unseen: Unseen
    /// A cutover that must be carried on (its switch may have happened and cannot be undone).
    package let mustCutOver: Bool
    let memory: RunMemory

    init(context: RunContext, goal: ReplicationPosition, unseen: Unseen, mustCutOver: Bool, memory: RunMemory) {
        self.context = context
        self.goal = goal
        self.unseen = unseen
        self.mustCutOver = mustCutOver
        self.memory = memory
    }

    package func run() async throws -> Ending {
        let validates = context.plan.settings.enableValidation
        let start = try await context.state.checkpoint(locked: false, on: context.control).position
        let kept = await memory.takeKept()
        let validation = ValidationBoard(
            tables: context.tables.map { ($0.source.name, $0.source.rowKey != nil) }, start: start, settings: context.plan.settings,
            knowledge: kept?.knowledge, same: kept?.same(KeptValidation.Circumstances(context, checkpoint: start)) ?? [])
        for table in context.tables {
            if let reason = table.suspension { await validation.gaveUp(table.source.name, TableSuspension.word + reason) }
        }
        let reached = ReachedPosition()
        let control = FollowControl()
        let visible = VisiblePositions(positions: context.positions)
        let listener = ValidatingListener(board: context.board, validation: validation, reached: reached)
        let parts = FollowParts(
            validation: validation, reached: reached, control: control, visible: visible, validates: validates)
        do {
            return try await run(parts, listener, start)
        } catch {
            // Every part has ended: whatever the target has committed is marked.
            if validates, let changed = await control.changed {
                await memory.keep(KeptValidation(knowledge: await validation.knowledge, of: context, start: start, changed: changed))
            }
            throw error
        }
    }

    private func run(_ parts: FollowParts, _ listener: ValidatingListener, _ start: ReplicationPosition) async throws -> Ending {
        let (validation, validates) = (parts.validation, parts.validates)
        return try await withThrowingTaskGroup(of: Ending?.self) { group in
            group.addTask {
                try await apply(listener, parts.control)
                return nil
            }
            if validates {
                group.addTask {
                    try await ValidationStage(
                        context: context, board: validation, start: start, visible: parts.visible, reached: parts.reached
                    ).run()
                    return nil
                }
            }
            group.addTask {
                try await publish(validation, validates)
                return nil
            }
            group.addTask {
                // Also keeps the connection that holds the run lock from being closed as idle.
                while true {
                    guard try await context.lock.isMine(on: context.control) else {
                        throw FenceLost(detail: "the run lock is another's")
                    }
                    try await Task.sleep(for: .seconds(30))
                }
            }
            group.addTask { try await steer(parts) }
            // A cutover past its point of no return goes on when another part loses its server: its ending then counts.
            var failure: (any Error)?
            while let result = await group.nextResult() {
                switch result {
                case .success(nil): continue
                case .success(let ending?):
                    if failure != nil, ending == .reachedGoal { continue }
                    group.cancelAll()
                    // The last word on every table: the report is made of it.
                    await publishOnce(validation, validates)
                    return ending
                case .failure(let error):
                    failure = failure ?? error
                    group.cancelAll()
                }
            }
            throw failure ?? EngineError(.failed, "The follow stage ended without a reason.")
        }
    }

    private func apply(_ listener: any ApplyListener, _ control: FollowControl) async throws {
        let stage = ApplyStage(context: context, phase: .following, listener: listener)
        while true {
            try Task.checkCancellation()
            await control.waitForGo()
            try Task.checkCancellation()
            await control.applying(true)
            do {
                let change = try await stage.run { _, _ in await control.shouldStop }
                if let change { try await carryOut(change, control) }
            } catch {
                try await TableSuspension(context: context).settle(error)
            }
            await control.applying(false)
        }
    }

    private func carryOut(_ change: DefinitionChange, _ control: FollowControl) async throws {
        // Until it is through nobody can tell which tables it leaves as they were.
        await control.changes(nil)
        do {
            try await DefinitionReplay(context: context).run(change)
        } catch let changed as DefinitionsChanged {
            await control.changes(changed.only)
            throw changed
        }
    }

    private func publish(_ validation: ValidationBoard, _ validates: Bool) async throws {
        while true {
            await publishOnce(validation, validates)
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func publishOnce(_ validation: ValidationBoard, _ validates: Bool) async {
        let suspended = Set(context.tables.indices.filter { context.tables[$0].suspension != nil })
        await context.board.validation(await validation.statuses(), isEnabled: validates, suspended: suspended)
    }

    // MARK: Steering

    private func steer(_ parts: FollowParts) async throws -> Ending {
        let requests = try await context.sessions.target()
        defer { Task { await requests.close() } }
        var paused = await memory.isPaused
        if paused {
            await parts.control.requestStop()
            await context.board.set(state: .paused)
        }
        var lastFailure: [String] = []
        var undone = 0
        var repairs = RepairSteering(context: context, parts: parts, isAsked: options.repairs)
        if !paused, let id = await memory.askedCutover, let ending = try await cutOver(asked: id, parts, requests) { return ending }
        while true {
            try Task.checkCancellation()
            for request in try await context.state.openRequests(on: requests) {
                switch request.command {
                case "pause":
                    paused = true
                    await memory.pause(true)
                    await parts.control.requestStop()
                    await context.board.set(state: .paused)
                    try await context.state.answer(request.id, "paused", on: requests)
                case "resume":
                    paused = false
                    await memory.pause(false)
                    await parts.control.requestGo()
                    await context.board.set(state: .following)
                    try await context.state.answer(request.id, "following", on: requests)
                case "cutover" where paused:
                    try await context.state.answer(request.id, "not done: the migration is paused; resume it first", on: requests)
                case "cutover":
                    do {
                        try context.plan.application.checkForCutover()
                    } catch {
                        // A plan that cannot be cut over is no reason to stop following.
                        try await context.state.answer(request.id, "not done: \(error)", on: requests)
                        continue
                    }
                    try await context.state.answer(request.id, "cutting over", on: requests)
                    if let ending = try await cutOver(asked: request.id, parts, requests) { return ending }
                case "repair" where paused:
                    try await context.state.answer(request.id, "not done: the migration is paused; resume it first", on: requests)
                case "repair":
                    repairs.isAsked = true
                    try await context.state.answer(request.id, "repairing", on: requests)
                case let command where command.hasPrefix("reload "):
                    do {
                        try await TableReload(context: context, control: parts.control).run(command) { answer in
                            try await context.state.answer(request.id, answer, on: requests)
                        }
                    } catch let refusal as ReloadRefused {
                        try await context.state.answer(request.id, "not done: \(refusal.reason)", on: requests)
                    }
                default:
                    try await context.state.answer(request.id, "unknown request", on: requests)
                }
            }
            if let error = unseen.error, await parts.reached.covers(unseen.by) { throw error }
            if !paused { try await repairs.step(on: requests) }
            let failures = await parts.validation.failures
            if failures != lastFailure, !failures.isEmpty {
                context.observer.say("error", "Validation: " + failures.joined(separator: "; "))
            }
            lastFailure = failures
            if !paused, options.cutover || mustCutOver {
                if !failures.isEmpty {
                    if repairs.mayHelp {
                        try await Task.sleep(for: .milliseconds(100))
                        continue
                    }
                    throw await unequal(failures, parts)
                }
                switch try await cutOver(parts, waitForGates: nil) {
                case .completed(let steps, let pause): return .cutOver(steps: steps, writePause: pause)
                case .notDone(let reason):
                    undone += 1
                    // Each try stops the application: not again and again for a reason that stays.
                    guard undone < Self.cutoverTries else {
                        throw EngineError(
                            .resumable, "The cutover was not done in \(undone) tries: \(reason)",
                            why: "The source accepts writes and the application runs on it.",
                            cure: "Mend what it names, then run the same command again.")
                    }
                    try await Task.sleep(for: .seconds(2))
                }
            } else if try await isGoalReached(parts, failures, repairs) {
                return .reachedGoal
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private var options: MigrationOptions { context.options }
    private static let cutoverTries = 3

    /// With the rows that differ in the last snapshot, as far as they can be read in a few seconds.
    private func unequal(_ failures: [String], _ parts: FollowParts) async -> EngineError {
        await publishOnce(parts.validation, parts.validates)
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(5), !Task.isCancelled {
            let isMissing = await context.board.snapshot().tables.enumerated().contains { index, table in
                table.failed > 0 && table.mismatches == nil && context.tables.indices.contains(index) && context.tables[index].source.rowKey != nil
            }
            if !isMissing { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return Self.unequal(failures)
    }

    private static func unequal(_ failures: [String]) -> EngineError {
        if let suspended = failures.first(where: { $0.contains(TableSuspension.word) }) {
            return EngineError(
                .failed, "A table is suspended: \(suspended).", why: "Its changes since then are not on the target.",
                cure: "Remove the reason, then load the table again: `godwit reload`.")
        }
        return EngineError(
            .unequal, "Validation found rows that differ: \(failures.joined(separator: "; ")).",
            why: "They differ at aligned positions: no change under way explains it.",
            cure: "Look at them with godwit verify; find who wrote to the target; then load the tables again.")
    }

    private func isGoalReached(_ parts: FollowParts, _ failures: [String], _ repairs: RepairSteering) async throws -> Bool {
        switch options.until {
        case .loaded: return true
        case .forever: return false
        case .caughtUp: return await parts.reached.covers(goal)
        case .validated:
            guard await parts.reached.covers(goal) else { return false }
            guard parts.validates else {
                throw EngineError(
                    .plan, "--until validated needs validation, which the task settings switch off.",
                    cure: "Set ValidationSettings.EnableValidation to true.")
            }
            if !failures.isEmpty {
                if repairs.mayHelp { return false }
                throw await unequal(failures, parts)
            }
            guard await parts.validation.allValidatedOnce, repairs.isSettled else { return false }
            return try await hasSameDefinitions(parts)
        }
    }

    /// False while a statement may be on its way here.
    private func hasSameDefinitions(_ parts: FollowParts) async throws -> Bool {
        let source = try await context.openSource()
        let differences: [String]
        let seen: ReplicationPosition
        do {
            differences = try await DefinitionCheck(context: context).differences(on: source)
            seen = try await context.positions.exact(on: source)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        if differences.isEmpty { return true }
        guard await parts.reached.covers(seen) else { return false }
        throw EngineError(
            .unequal, differences.joined(separator: " "),
            why: "The log up to \(seen) is carried out, and these tables are not the same.",
            cure: "Make them the same, or drop this task's rows in schema godwit and the target's tables and migrate again.")
    }

    /// A cutover that somebody asked for, and waits for: see ControlClient.answer(to:). One that ends with its attempt (a change of definition
    /// came first, a connection was lost) is begun again by the next.
    private func cutOver(asked id: UInt64, _ parts: FollowParts, _ requests: MySQLConnection) async throws -> Ending? {
        await memory.asksCutover(id)
        switch try await cutOver(parts, waitForGates: .seconds(60)) {
        case .completed(let steps, let pause): return .cutOver(steps: steps, writePause: pause)
        case .notDone(let reason):
            await memory.asksCutover(nil)
            try await context.state.answer(id, "not done: \(reason)", on: requests)
            return nil
        }
    }

    /// Not done: refused or undone, the migration goes on following.
    private func cutOver(_ parts: FollowParts, waitForGates: Duration?) async throws -> CutoverDriver.Result {
        try await CutoverDriver(context: context, parts: parts, gateLimit: waitForGates).run()
    }
}

/// The parts of a follow stage that a cutover works with.
package struct FollowParts: Sendable {
    package let validation: ValidationBoard
    package let reached: ReachedPosition
    package let control: FollowControl
    package let visible: VisiblePositions
    package let validates: Bool
}
