import Testing

@testable import GodwitEngine

/// The hosts and servers of a cutover, as a value: what the driver's effects would do to them.
struct CutoverWorld {
    enum Side { case source, target }
    var sourceBlocked = false
    var running: Side?
    /// Where the application's configuration points; nil: half switched.
    var configuration: Side? = .source
    var targetOpen = false
    var forwardFenced = false
    /// The source's triggers are on the target: a running forward stream would fire them.
    var triggersStand = false
    var journal = CutoverJournal()
    /// Without a switch command something outside decides, and points at the side that accepts writes.
    var hasSwitch: Bool
    /// What happened that never may.
    var violations: [String] = []

    init(hasSwitch: Bool) {
        running = .source
        self.hasSwitch = hasSwitch
    }

    mutating func perform(_ step: CutoverStep) {
        switch step {
        case .stopApplication: running = nil
        case .blockSource: sourceBlocked = true
        case .readFinalPosition:
            if !sourceBlocked { violations.append("F read while the source is open") }
        case .drain:
            // Whoever applies drops what an earlier cutover left.
            triggersStand = false
            forwardFenced = false
        case .fence: forwardFenced = true
        case .triggers: triggersStand = true
        case .recheck:
            if !sourceBlocked { violations.append("recheck passed with an open source") }
        case .switchApplication:
            if running != nil { violations.append("switch under a running application") }
            if !forwardFenced { violations.append("switch with a running forward stream") }
            if hasSwitch { configuration = .target }
        case .pointOfNoReturn:
            targetOpen = true
            if !hasSwitch { configuration = .target }
        case .startApplication: running = configuration
        case .health: if running != .target { violations.append("healthy without running on the target") }
        case .gates, .validate, .autoIncrement, .finished, .abandoned: break
        }
        check("after \(step)")
    }

    mutating func undo(_ step: CutoverStep) {
        switch step {
        case .switchApplication: configuration = .source
        case .blockSource: sourceBlocked = false
        case .stopApplication: running = configuration
        case .triggers: triggersStand = false
        case .fence: forwardFenced = false
        default: violations.append("undo of \(step)")
        }
        check("after undoing \(step)")
    }

    mutating func check(_ moment: @autoclosure () -> String) {
        let isPastReturn = journal.isPastReturn
        if isPastReturn, !sourceBlocked { violations.append("\(moment()): source writable after the point of no return") }
        if running == .target, !isPastReturn { violations.append("\(moment()): application on the target before the point of no return") }
        if !sourceBlocked, configuration != .source { violations.append("\(moment()): source open, configuration at \(String(describing: configuration))") }
        if triggersStand, !forwardFenced { violations.append("\(moment()): triggers under a running forward stream") }
        if targetOpen, !isPastReturn { violations.append("\(moment()): target open before the point of no return") }
        if running == .target, !targetOpen { violations.append("\(moment()): application on a closed target") }
    }

    var isOnSource: Bool { !sourceBlocked && running == .source && configuration == .source && !targetOpen && !forwardFenced && !triggersStand }
    var isOnTarget: Bool { sourceBlocked && running == .target && configuration == .target && targetOpen && triggersStand }
}

/// What goes wrong at one effect.
enum CutoverFault: CaseIterable, Sendable {
    /// Failed, and nothing happened.
    case failsBefore
    /// It happened, and the answer was lost.
    case failsAfter
    /// Failed, half done: only a switch can be.
    case half
    case crashBefore, crashAfter, crashHalf
    case cancel
}

/// Drives machines over a world, with faults at given effects; restarts after a crash with what the journal holds.
struct CutoverSimulator {
    var world: CutoverWorld
    var switchUndo: CutoverMachine.SwitchUndo
    /// By number of the effect, counted over all restarts.
    var faults: [Int: CutoverFault]
    /// At every effect for which it gives one, for good.
    var permanent: (@Sendable (CutoverMachine.Action) -> CutoverFault?)?
    var effects = 0
    /// Filled only where it will be printed.
    var log: [String]?
    var clock = 0.0

    init(switchUndo: CutoverMachine.SwitchUndo, faults: [Int: CutoverFault], isLogged: Bool = false) {
        world = CutoverWorld(hasSwitch: switchUndo != .nothingToDo)
        self.switchUndo = switchUndo
        self.faults = faults
        log = isLogged ? [] : nil
    }

    /// To the end of one process: nil after a crash.
    mutating func run(attemptsMax: Int = 4) -> CutoverOutcome? {
        var machine = CutoverMachine(journal: world.journal, switchUndo: switchUndo, attemptsMax: attemptsMax)
        var action = machine.handle(.begin, at: clock)
        for _ in 0..<2_000 {
            clock += 1
            if case .end(let outcome) = action { return outcome }
            guard let event = effect(of: action, &machine) else { return nil }
            action = machine.handle(event, at: clock)
        }
        world.violations.append("the machine does not end")
        return nil
    }

    /// Performs; nil: the process is gone.
    private mutating func effect(of action: CutoverMachine.Action, _ machine: inout CutoverMachine) -> CutoverMachine.Event? {
        if case .wait = action { return .waited }
        effects += 1
        let fault = faults[effects] ?? permanent?(action)
        if log != nil { log?.append("\(effects) \(action)\(fault.map { " [\($0)]" } ?? "")") }
        switch fault {
        case .crashBefore: return nil
        case .failsBefore: return refused(action, effect: .none)
        case .cancel:
            if machine.cancel() { return refused(action, effect: .unknown) }
        case .half, .crashHalf:
            if world.hasSwitch, action == .perform(.switchApplication) || action == .undo(.switchApplication) {
                world.configuration = nil
                world.check("half switched")
                return fault == .half ? refused(action, effect: .unknown) : nil
            }
        case .failsAfter, .crashAfter, nil: break
        }
        let event = succeed(action)
        switch fault {
        case .crashAfter, .crashHalf: return nil
        case .failsAfter: return refused(action, effect: .unknown)
        default: return event
        }
    }

    private mutating func succeed(_ action: CutoverMachine.Action) -> CutoverMachine.Event {
        switch action {
        case .perform(let step): world.perform(step)
        case .undo(let step): world.undo(step)
        case .journal(let records):
            world.journal.records += records
            return .journaled
        case .readJournal: return .journalRead(world.journal)
        case .wait: return .waited
        case .end: break
        }
        return .done(detail: "detail")
    }

    private func refused(_ action: CutoverMachine.Action, effect: CutoverFailure.Effect) -> CutoverMachine.Event {
        if case .journal = action { return .journalFailed("fault") }
        return .failed(CutoverFailure("fault", effect: effect))
    }

    /// Restarts until an end that is not a crash or `stuck`; then checks that the application has exactly one side.
    func settle(_ context: @autoclosure () -> String) -> [String] {
        var quiet = self
        if quiet.settled().isEmpty { return [] }
        var loud = self
        loud.log = []
        let problems = loud.settled()
        return ["\(context()), switch_back: \(switchUndo)"] + problems + (loud.log ?? [])
    }

    private mutating func settled() -> [String] {
        var outcome: CutoverOutcome?
        for _ in 0..<20 {
            outcome = run()
            if let outcome, !outcome.isStuck { break }
        }
        var problems = world.violations
        switch outcome {
        case .completed: if !world.isOnTarget || !world.journal.isFinished { problems.append("completed, but \(world)") }
        case .undone, .refused: if !world.isOnSource || !world.journal.current.isEmpty { problems.append("\(String(describing: outcome)), but \(world)") }
        default: problems.append("no end: \(String(describing: outcome))")
        }
        // Whatever happened, the next cutover, without faults, works.
        faults = [:]
        if run() != .completed || !world.isOnTarget { problems.append("the next cutover did not complete: \(world)") }
        problems += world.violations
        return problems
    }
}

extension CutoverOutcome {
    var isStuck: Bool { if case .stuck = self { true } else { false } }
}

@Suite struct CutoverMachineTests {
    @Test func withoutFaults() throws {
        var simulator = CutoverSimulator(switchUndo: .impossible, faults: [:])
        #expect(simulator.run() == .completed)
        #expect(simulator.world.isOnTarget)
        #expect(simulator.world.violations == [])
        let begun = simulator.world.journal.records.filter { $0.state == .begun }.map(\.step)
        #expect(begun == CutoverStep.forward)
        #expect(simulator.world.journal.detail(of: .readFinalPosition) == "detail")
        // Once cut over, always cut over.
        #expect(simulator.run() == .completed)
    }

    @Test func journaledBeforePerformed() {
        var world = CutoverWorld(hasSwitch: true)
        var machine = CutoverMachine(switchUndo: .impossible)
        var action = machine.handle(.begin, at: 0)
        loop: while true {
            switch action {
            case .perform(let step):
                if step != .gates { #expect(world.journal.begun.contains(step), "\(step)") }
                action = machine.handle(.done(), at: 0)
            case .journal(let records):
                world.journal.records += records
                action = machine.handle(.journaled, at: 0)
            default: break loop
            }
        }
        #expect(action == .end(.completed))
    }

    private static let undos: [CutoverMachine.SwitchUndo] = [.command, .impossible, .nothingToDo]

    /// Every fault at every effect; and then again every fault at every later effect: undoing and going on fail too.
    @Test(arguments: CutoverFault.allCases, undos) func oneAndTwoFaults(first: CutoverFault, undo: CutoverMachine.SwitchUndo) {
        var failures: [[String]] = []
        for place in 1...31 {
            let one = CutoverSimulator(switchUndo: undo, faults: [place: first])
            let problems = one.settle("\(first) at \(place)")
            if !problems.isEmpty { failures.append(problems) }
            // Half a crash and a cancellation add nothing as second faults but time.
            for second in CutoverFault.allCases where undo != .nothingToDo && second != .crashHalf && second != .cancel {
                for distance in 1...26 {
                    let two = CutoverSimulator(switchUndo: undo, faults: [place: first, place + distance: second])
                    let problems = two.settle("\(first) at \(place), \(second) at \(place + distance)")
                    if !problems.isEmpty { failures.append(problems) }
                }
            }
        }
        if let first = failures.first {
            Issue.record("\(failures.count) schedules fail; the first:\n\(first.joined(separator: "\n"))")
        }
    }

    @Test(arguments: 0..<20) func randomFaults(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for round in 0..<200 {
            let rate = Double.random(in: 0...0.3, using: &random)
            var faults: [Int: CutoverFault] = [:]
            for place in 1...120 where Double.random(in: 0..<1, using: &random) < rate {
                faults[place] = CutoverFault.allCases.randomElement(using: &random)
            }
            let undo = Self.undos.randomElement(using: &random) ?? .impossible
            let problems = CutoverSimulator(switchUndo: undo, faults: faults).settle("seed \(seed), round \(round)")
            if !problems.isEmpty {
                Issue.record("\(problems.joined(separator: "\n"))")
                return
            }
        }
    }

    /// The direction, step by step: what fails before the point of no return goes back at once, what fails after it goes on.
    @Test(arguments: CutoverStep.forward) func direction(failing: CutoverStep) {
        var simulator = CutoverSimulator(switchUndo: .command, faults: [:])
        guard let index = CutoverStep.forward.firstIndex(of: failing) else { return }
        // gates, then two effects a step: journal, perform.
        simulator.faults = [1 + 2 * (index + 1): .failsAfter]
        let outcome = simulator.run()
        let isPastReturn = index >= (CutoverStep.forward.firstIndex(of: .pointOfNoReturn) ?? 0)
        if isPastReturn {
            #expect(outcome == .completed)
            #expect(simulator.world.isOnTarget)
        } else {
            #expect(outcome == .undone(step: failing, reason: "fault"))
            #expect(simulator.world.isOnSource)
        }
        #expect(simulator.world.violations == [])
    }

    @Test func switchThatFailedByItsStatusGoesBack() {
        // gates 1; switch is the tenth step: journal 20, perform 21.
        var simulator = CutoverSimulator(switchUndo: .impossible, faults: [21: .failsBefore])
        #expect(simulator.run() == .undone(step: .switchApplication, reason: "fault"))
        #expect(simulator.world.isOnSource)
    }

    /// That nothing was switched is remembered over a crash while going back.
    @Test(arguments: 23...26) func switchThatFailedGoesBackAfterACrashToo(place: Int) {
        var simulator = CutoverSimulator(switchUndo: .impossible, faults: [21: .failsBefore, place: .crashBefore])
        #expect(simulator.run() == nil)
        #expect(simulator.run() == .undone(step: .gates, reason: "An earlier cutover was interrupted."))
        #expect(simulator.world.isOnSource)
        #expect(simulator.world.violations == [])
    }

    @Test func switchOfUnknownOutcomeGoesForward() {
        for fault in [CutoverFault.half, .failsAfter, .crashHalf, .crashAfter, .crashBefore] {
            var simulator = CutoverSimulator(switchUndo: .impossible, faults: [21: fault])
            var outcome = simulator.run()
            if outcome == nil { outcome = simulator.run() }
            #expect(outcome == .completed, "\(fault)")
            #expect(simulator.world.isOnTarget)
            #expect(simulator.world.violations == [])
        }
    }

    @Test func switchBackThatFailsKeepsTheSourceBlocked() {
        var faults: [Int: CutoverFault] = [21: .half]
        for place in 22...32 { faults[place] = .failsBefore }
        var simulator = CutoverSimulator(switchUndo: .command, faults: faults)
        let outcome = simulator.run()
        #expect(outcome == .stuck(step: .switchApplication, direction: .back, reason: "fault"))
        #expect(simulator.world.sourceBlocked)
        // The same command goes on where it stopped.
        simulator.faults = [:]
        #expect(simulator.run() == .undone(step: .gates, reason: "An earlier cutover was interrupted."))
        #expect(simulator.world.isOnSource)
    }

    @Test func lostAnswerAtThePointOfNoReturn() {
        // Journal of the point of no return: 1 + 2 * 10 + 1.
        var written = CutoverSimulator(switchUndo: .command, faults: [22: .failsAfter], isLogged: true)
        #expect(written.run() == .completed)
        #expect(written.log?.contains { $0.hasPrefix("23 readJournal") } == true)
        var lost = CutoverSimulator(switchUndo: .command, faults: [22: .failsBefore])
        #expect(lost.run() == .undone(step: .pointOfNoReturn, reason: "The point of no return could not be journaled."))
        #expect(lost.world.isOnSource)
        var forward = CutoverSimulator(switchUndo: .impossible, faults: [22: .failsBefore])
        #expect(forward.run() == .completed)
        // As long as it is not known, nothing is done in either direction.
        var unknown = CutoverSimulator(switchUndo: .command, faults: [22: .failsAfter])
        for place in 23...62 { unknown.faults[place] = .failsBefore }
        #expect(unknown.run()?.isStuck == true)
        #expect(unknown.world.sourceBlocked && unknown.world.running == nil)
        unknown.faults = [:]
        #expect(unknown.run() == .completed)
    }

    @Test func cancelling() {
        for place in 1...32 {
            var simulator = CutoverSimulator(switchUndo: .command, faults: [place: .cancel])
            let outcome = simulator.run()
            #expect(simulator.world.violations == [])
            switch outcome {
            case .completed: #expect(simulator.world.isOnTarget && place >= 22, "\(place)")
            case .refused: #expect(place == 1 && simulator.world.isOnSource)
            case .undone: #expect(simulator.world.isOnSource && place < 23, "\(place)")
            default: Issue.record("\(place): \(String(describing: outcome))")
            }
        }
    }

    /// What fails for good ends, and leaves nothing that never may be; when it works again, the same command goes on.
    @Test(arguments: undos, [CutoverFault.failsBefore, .failsAfter, .half]) func permanentFaults(undo: CutoverMachine.SwitchUndo, fault: CutoverFault) {
        func check(_ name: String, _ fails: @escaping @Sendable (CutoverMachine.Action) -> Bool) {
            var simulator = CutoverSimulator(switchUndo: undo, faults: [:])
            simulator.permanent = { fails($0) ? fault : nil }
            let outcome = simulator.run()
            #expect(outcome != nil && simulator.effects < 200, "\(name): \(simulator.effects) effects, \(String(describing: outcome))")
            simulator.permanent = nil
            let problems = simulator.settle(name)
            if !problems.isEmpty { Issue.record("\(problems.joined(separator: "\n"))") }
        }
        for step in CutoverStep.forward {
            check("perform \(step)") { $0 == .perform(step) }
            check("journal \(step)") { action in
                if case .journal(let records) = action { records.contains { $0.step == step } } else { false }
            }
            check("from \(step) on, all journals") { [from = CutoverStep.forward.firstIndex(of: step) ?? 0] action in
                guard case .journal(let records) = action else { return false }
                return records.contains { (CutoverStep.forward.firstIndex(of: $0.step) ?? 99) >= from }
            }
        }
        for step in CutoverStep.undoOrder {
            check("validation, and undo of \(step)") { $0 == .perform(.validate) || $0 == .undo(step) }
            check("switch, and undo of \(step)") { $0 == .perform(.switchApplication) || $0 == .undo(step) }
        }
        check("point of no return and reading it") {
            if case .journal(let records) = $0 { records.contains { $0.step == .pointOfNoReturn } } else { $0 == .readJournal }
        }
    }

    @Test func gatesRefuse() {
        var simulator = CutoverSimulator(switchUndo: .command, faults: [1: .failsBefore])
        #expect(simulator.run() == .refused("fault"))
        #expect(simulator.world.journal.records.isEmpty)
        #expect(simulator.effects == 1)
    }

    @Test func timings() throws {
        var machine = CutoverMachine(switchUndo: .nothingToDo)
        var now = 0.0
        var action = machine.handle(.begin, at: now)
        while true {
            switch action {
            case .perform(let step):
                now += step == .drain ? 0.5 : 0.25
                action = machine.handle(.done(), at: now)
                continue
            case .journal:
                action = machine.handle(.journaled, at: now)
                continue
            default: break
            }
            break
        }
        #expect(machine.timings.map(\.step) == [.gates] + CutoverStep.forward)
        #expect(machine.timings.first { $0.step == .drain }?.seconds == 0.5)
        #expect(machine.timings.first { $0.step == .health }?.seconds == 0.25)
        // From block_source to start_application: eleven steps, one of them of half a second.
        #expect(machine.writePauseSeconds == 11 * 0.25 + 0.25)
    }

    @Test func answerToAnotherQuestionStops() {
        var machine = CutoverMachine(switchUndo: .command)
        _ = machine.handle(.begin, at: 0)
        guard case .end(let outcome) = machine.handle(.journaled, at: 0) else { Issue.record("went on"); return }
        #expect(outcome.isStuck)
    }

    @Test func journalRoundTrip() throws {
        var simulator = CutoverSimulator(switchUndo: .command, faults: [13: .failsBefore])
        _ = simulator.run()
        #expect(simulator.world.journal.current.isEmpty)
        #expect(CutoverStep(rawValue: "point_of_no_return") == .pointOfNoReturn)
    }

    @Test func gates() {
        var gates = CutoverGates()
        #expect(gates.open.count == 1)
        gates.lagSeconds = 0.2
        #expect(gates.open == [])
        gates.unvalidated = ["a.t": "Mismatched records"]
        gates.preparedXA = ["X1"]
        gates.otherWriters = ["the replica applier of channel ''"]
        gates.oldTransactions = ["transaction 7"]
        gates.dirtyKeys = CutoverGates.dirtyKeysMax + 1
        gates.lagSeconds = 1
        #expect(gates.open.count == 6)
        gates.lagSeconds = .nan
        #expect(gates.open.count == 6)
    }
}
