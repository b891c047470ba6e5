import Foundation
import MySQLTypes
import MySQLWire

/// Carries out what `CutoverMachine` decides: runs its steps on real servers and hosts, writes its journal.
package struct CutoverDriver: Sendable {
    package enum Result: Sendable, Hashable {
        case completed(steps: [MigrationReport.Step], writePause: Double?)
        /// Refused or undone: the source is writable, the application runs on it.
        case notDone(reason: String)
    }

    let context: RunContext
    /// nil: only the journal is closed (undone, or finished after the point of no return); nothing follows the source.
    let parts: FollowParts?
    /// How long gates are waited for; nil: until they allow it.
    let gateLimit: Duration?

    package init(context: RunContext, parts: FollowParts?, gateLimit: Duration?) {
        self.context = context
        self.parts = parts
        self.gateLimit = gateLimit
    }

    package static func switchUndo(_ application: Plan.Application) -> CutoverMachine.SwitchUndo {
        if application.switch.isEmpty { return .nothingToDo }
        return application.switchBack.isEmpty ? .impossible : .command
    }

    package func run() async throws -> Result {
        try context.plan.application.checkForCutover()
        try FileManager.default.createDirectory(atPath: context.plan.stateFolder, withIntermediateDirectories: true)
        let servers = CutoverServers(context: context)
        let journal = try await servers.onTarget { try await context.state.journal(on: $0) }
        var machine = CutoverMachine(journal: journal, switchUndo: Self.switchUndo(context.plan.application))
        let steps = CutoverSteps(context: context, parts: parts, servers: servers, gateLimit: gateLimit)
        let began = ContinuousClock.now
        let seconds = { (ContinuousClock.now - began).inSeconds }
        await context.board.beginCutover()
        var action = machine.handle(.begin, at: 0)
        while true {
            let event: CutoverMachine.Event
            switch action {
            case .perform(let step) where machine.mustGoForward:
                // Neither Ctrl-C nor the loss of the source keeps the application from its only side.
                event = await Task { await perform(step, steps) }.value
            case .perform(let step): event = await perform(step, steps)
            case .undo(let step): event = await undo(step, steps)
            case .journal(let records): event = await write(records, servers)
            case .readJournal: event = await read(servers)
            case .wait(let pause):
                // Not the caller's task: a cancelled sleep returns at once, and the attempts would be used up in a moment.
                await Task { try? await Task.sleep(for: pause) }.value
                event = .waited
            case .end(let outcome):
                await servers.close()
                return try await result(outcome, machine)
            }
            if Task.isCancelled { _ = machine.cancel() }
            action = machine.handle(event, at: seconds())
        }
    }

    private func perform(_ step: CutoverStep, _ steps: CutoverSteps) async -> CutoverMachine.Event {
        let name = step.rawValue
        context.observer.moment("cutover.\(name).begin")
        if step != .gates { await context.board.set(state: .cuttingOver) }
        await context.board.beginWait("cutover: \(name)", why: step.why, limit: nil)
        let start = ContinuousClock.now
        do {
            let detail = try await steps.perform(step)
            await context.board.endWait("cutover: \(name)")
            if step != .gates {
                await context.board.finished(step: name, seconds: (ContinuousClock.now - start).inSeconds)
                context.observer.say("info", "Cutover: \(name) took \((ContinuousClock.now - start).shown).")
            }
            context.observer.moment("cutover.\(name).end")
            return .done(detail: detail)
        } catch {
            await context.board.endWait("cutover: \(name)")
            let failure = Self.failure(error)
            context.observer.say("warning", "Cutover: \(name) failed after \((ContinuousClock.now - start).shown): \(failure.reason)")
            return .failed(failure)
        }
    }

    private static func failure(_ error: any Error) -> CutoverFailure {
        if error is CancellationError {
            return CutoverFailure("It was interrupted: by the operator, a lost connection, or a change of definition that comes first.")
        }
        return (error as? CutoverFailure) ?? CutoverFailure("\(error)")
    }

    private func undo(_ step: CutoverStep, _ steps: CutoverSteps) async -> CutoverMachine.Event {
        context.observer.moment("cutover.\(step.rawValue).undo")
        do {
            // Cancellation must not keep the source blocked: undoing runs to its end.
            try await Task { try await steps.undo(step) }.value
            context.observer.say("info", "Cutover: \(step.rawValue) undone.")
            return .done()
        } catch {
            context.observer.say("warning", "Cutover: \(step.rawValue) could not be undone yet: \(error)")
            return .failed((error as? CutoverFailure) ?? CutoverFailure("\(error)"))
        }
    }

    private func write(_ records: [CutoverJournal.Record], _ servers: CutoverServers) async -> CutoverMachine.Event {
        do {
            try await Task { try await servers.onTarget { try await context.state.append(records, on: $0) } }.value
            for record in records { context.observer.moment("cutover.journal.\(record.step.rawValue).\(record.state.rawValue)") }
            return .journaled
        } catch {
            return .journalFailed("\(error)")
        }
    }

    private func read(_ servers: CutoverServers) async -> CutoverMachine.Event {
        do {
            return .journalRead(try await Task { try await servers.onTarget { try await context.state.journal(on: $0) } }.value)
        } catch {
            return .failed(CutoverFailure("\(error)"))
        }
    }

    private func result(_ outcome: CutoverOutcome, _ machine: CutoverMachine) async throws -> Result {
        switch outcome {
        case .completed:
            let steps = machine.timings.filter { $0.step != .gates }.map {
                MigrationReport.Step(name: $0.step.rawValue, seconds: $0.seconds)
            }
            return .completed(steps: steps, writePause: machine.writePauseSeconds)
        case .refused(let reason):
            context.observer.say("warning", "Cutover refused: \(reason)")
            await context.board.set(state: .following)
            await context.board.set(error: "Cutover refused: \(reason)")
            try Task.checkCancellation()
            return .notDone(reason: reason)
        case .undone(let step, let reason):
            context.observer.say(
                "error", "Cutover undone at \(step.rawValue): \(reason) The source accepts writes and the application runs on it.")
            await context.board.set(state: .following)
            await context.board.set(error: "Cutover undone at \(step.rawValue): \(reason)")
            try Task.checkCancellation()
            return .notDone(reason: "undone at \(step.rawValue): \(reason)")
        case .stuck(let step, let direction, let reason):
            throw EngineError(
                .resumable, "The cutover is stuck at \(step.rawValue), going \(direction.rawValue): \(reason)",
                why: "Going the other way could have two servers written to.",
                cure: "Mend what it names, then run the same command again: it goes on from the journal.")
        }
    }
}

extension CutoverStep {
    /// Why a cutover waits in this step, for `diagnose`.
    var why: String {
        switch self {
        case .gates: "Cutting over waits until every table is Validated, the lag is under a second and nothing is in the way."
        case .stopApplication: "The application's stop commands run."
        case .blockSource: "The source finishes running commits and refuses new writes."
        case .readFinalPosition: "The source's final position is read."
        case .drain: "The target applies the last changes up to the final position."
        case .validate: "The rows changed last are compared on both sides."
        case .autoIncrement: "AUTO_INCREMENT is raised on the target to the source's."
        case .fence: "The forward stream is fenced, the target's position recorded."
        case .triggers: "The source's triggers are made on the target, and all objects of both sides compared."
        case .recheck: "The source is checked to stand still."
        case .switchApplication: "The application's switch commands run."
        case .pointOfNoReturn: "The target opens for the application."
        case .startApplication: "The application's start commands run."
        case .health: "The application's health check runs."
        case .finished, .abandoned: "The journal is closed."
        }
    }
}

extension Duration {
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    /// `0.42 s`.
    var shown: String { String(format: "%.3f s", inSeconds) }
}

/// The cutover's own connections, opened again when one is lost: a step must not fail for a connection that idled.
actor CutoverServers {
    private let context: RunContext
    private var source: MySQLConnection?
    private var target: MySQLConnection?

    init(context: RunContext) { self.context = context }

    func onSource<Output: Sendable>(_ body: @Sendable (MySQLConnection) async throws -> Output) async throws -> Output {
        if source?.isOpen != true { source = try await context.openSource() }
        guard let source else { throw EngineError(.resumable, "The source is not connected.") }
        return try await body(source)
    }

    func onTarget<Output: Sendable>(_ body: @Sendable (MySQLConnection) async throws -> Output) async throws -> Output {
        if target?.isOpen != true { target = try await context.openTarget() }
        guard let target else { throw EngineError(.resumable, "The target is not connected.") }
        return try await body(target)
    }

    func close() async {
        await source?.close()
        await target?.close()
    }
}
