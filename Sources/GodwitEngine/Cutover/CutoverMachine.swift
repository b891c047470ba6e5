/// The decisions of a cutover: takes what happened, returns the one thing to do next. No I/O, no clock.
///
/// The rule: before `pointOfNoReturn` stands in the journal every failure goes back, after it every failure goes forward. A
/// step is journaled as begun before it is performed, so that after a crash the journal names everything that may have
/// happened; both directions repeat steps rather than guess.
///
/// The one exception is a switch that may have happened and can't be undone (no `switch_back` in the plan). Going
/// back would unblock the source and start the application with a configuration that may point, on some hosts, at the
/// target: two servers written to at once, which no later step can mend. Going forward is safe, because the source stays
/// blocked, the application stands still, and running the switch once more leads to the one known state. So from then on
/// the machine goes forward: it repeats, and ends as `stuck` rather than going back. After a crash in that state it runs the
/// whole order again (all steps repeat safely), since the source may have been opened by hand meanwhile.
/// A switch *known* to have changed nothing goes back: its first command could not be started or ended with a failure
/// status. That is the contract of a switch command without `switch_back`: on failure it leaves the configuration as it was.
///
/// The driver must read the journal with a locking read (a lost COMMIT may still be running), perform steps so that
/// they can be repeated, and after `stuck` leave everything as it is.
package struct CutoverMachine: Sendable {
    package enum Event: Sendable, Hashable {
        case begin
        /// The records of the last `.journal` are committed.
        case journaled
        /// They are not, or it is not known.
        case journalFailed(String)
        case journalRead(CutoverJournal)
        /// The last `.perform` or `.undo` succeeded.
        case done(detail: String? = nil)
        /// The last `.perform`, `.undo` or `.readJournal` failed.
        case failed(CutoverFailure)
        case waited
    }

    package enum Action: Sendable, Hashable {
        case perform(CutoverStep)
        case undo(CutoverStep)
        /// One target transaction.
        case journal([CutoverJournal.Record])
        case readJournal
        case wait(Duration)
        case end(CutoverOutcome)
    }

    package enum SwitchUndo: Sendable, Hashable {
        /// There is no switch command, or the operator says that the configuration is back.
        case nothingToDo
        /// `switch_back`.
        case command
        case impossible
    }

    package struct Timing: Sendable, Hashable {
        package var step: CutoverStep
        package var isUndo: Bool
        package var seconds: Double
    }

    enum Phase: Sendable, Hashable {
        case idle
        case journaling(CutoverStep)
        case performing(CutoverStep)
        case waiting(CutoverStep)
        case waitingToJournal(CutoverStep)
        /// Whether the point of no return was written is being found out.
        case confirming
        case waitingToConfirm
        case undoJournaling
        case undoing(CutoverStep)
        case waitingToUndo(CutoverStep)
        case closing(CutoverOutcome)
        case waitingToClose(CutoverOutcome)
        case ended(CutoverOutcome)
    }

    let switchUndo: SwitchUndo
    /// Of one step, in either direction.
    let attemptsMax: Int
    /// Between two attempts.
    let pause: Duration

    var phase: Phase = .idle
    let journal: CutoverJournal
    var begun: Set<CutoverStep>
    var isPastReturn: Bool
    var switchMayHaveHappened: Bool
    var isCancelled = false
    /// Of the step or record under way.
    var attempts = 0
    /// Of the switch, which begins anew with each look at the source.
    private var switchAttempts = 0
    /// Steps still to be undone, next first.
    var undoQueue: [CutoverStep] = []
    /// What made the cutover go back.
    var cause: (step: CutoverStep, reason: String) = (.gates, "")
    /// Where going back itself failed.
    var undoFailure: (step: CutoverStep, reason: String)?
    /// The target does not take records: going back does not wait for it any more.
    var journalIsLost = false
    var pendingRecords: [CutoverJournal.Record] = []

    /// Steps with their durations, in the order performed; a repeated step stands here once per attempt.
    package private(set) var timings: [Timing] = []
    private var stepStart = 0.0
    private var blockStart: Double?
    /// Seconds from the moment at which the source was told to refuse writes to the application's start on the target;
    /// nil before that, and for a cutover that went on after a crash.
    package private(set) var writePauseSeconds: Double?

    /// `journal`: what the target holds, empty for a first cutover.
    package init(
        journal: CutoverJournal = .init(), switchUndo: SwitchUndo, attemptsMax: Int = 30, pause: Duration = .seconds(1)
    ) {
        self.journal = journal
        self.switchUndo = switchUndo
        self.attemptsMax = max(1, attemptsMax)
        self.pause = pause
        begun = journal.begun
        isPastReturn = journal.isPastReturn
        switchMayHaveHappened = journal.begun.contains(.switchApplication)
    }

    /// Going back is out of the question.
    var mustGoForward: Bool { isPastReturn || switchMayHaveHappened && switchUndo == .impossible }

    /// Asks for an end. True where the effect under way should be interrupted; its failure then leads back. From the point
    /// of no return on, and while going back, it changes nothing.
    package mutating func cancel() -> Bool {
        isCancelled = true
        if case .performing = phase { return !mustGoForward }
        return false
    }

    /// `now`: seconds of a monotonic clock.
    package mutating func handle(_ event: Event, at now: Double) -> Action {
        switch (phase, event) {
        case (.idle, .begin): return start(at: now)
        case (.journaling(let step), .journaled): return perform(step, at: now)
        case (.journaling(let step), .journalFailed(let reason)): return couldNotJournal(step, reason, at: now)
        case (.performing(let step), .done(let detail)): return succeeded(step, detail, at: now)
        case (.performing(let step), .failed(let failure)): return failed(step, failure, at: now)
        case (.waiting(let step), .waited): return perform(step, at: now)
        case (.waitingToJournal(let step), .waited): return writePending(then: step)
        case (.confirming, .journalRead(let journal)): return confirmed(journal, at: now)
        case (.confirming, .failed(let failure)): return couldNotConfirm(failure)
        case (.waitingToConfirm, .waited):
            phase = .confirming
            return .readJournal
        default: return handleBack(event, at: now)
        }
    }

    // MARK: forward

    private mutating func start(at now: Double) -> Action {
        stepStart = now
        if journal.isFinished { return end(.completed) }
        if journal.isPastReturn { return perform(.pointOfNoReturn, at: now) }
        if journal.current.isEmpty { return perform(.gates, at: now) }
        if mustGoForward { return enter(.stopApplication, after: []) }
        return goBack(.gates, "An earlier cutover was interrupted.", at: now)
    }

    /// Journals, then performs.
    private mutating func enter(_ step: CutoverStep, after records: [CutoverJournal.Record]) -> Action {
        attempts = 0
        pendingRecords = records + [.init(step, .begun)]
        return writePending(then: step)
    }

    private mutating func writePending(then step: CutoverStep) -> Action {
        phase = .journaling(step)
        return .journal(pendingRecords)
    }

    private mutating func perform(_ step: CutoverStep, at now: Double) -> Action {
        if step == .pointOfNoReturn { isPastReturn = true }
        if isCancelled, !mustGoForward, step != .gates { return goBack(step, "It was stopped by the operator.", at: now) }
        // A cutover that goes on after a crash does not know when its pause began.
        if step == .blockSource, journal.current.isEmpty { blockStart = now }
        begun.insert(step)
        stepStart = now
        phase = .performing(step)
        return .perform(step)
    }

    private mutating func succeeded(_ step: CutoverStep, _ detail: String?, at now: Double) -> Action {
        note(step, at: now)
        if step == .switchApplication { switchMayHaveHappened = true }
        if step == .startApplication { writePauseSeconds = blockStart.map { now - $0 } }
        if step == .gates {
            return isCancelled ? end(.refused("It was stopped by the operator.")) : enter(.stopApplication, after: [])
        }
        let done = CutoverJournal.Record(step, .done, detail: detail)
        if isCancelled, !mustGoForward { return goBack(step, "It was stopped by the operator.", at: now) }
        guard let index = CutoverStep.forward.firstIndex(of: step), index + 1 < CutoverStep.forward.count else {
            attempts = 0
            phase = .closing(.completed)
            pendingRecords = [done, .init(.finished, .done)]
            return .journal(pendingRecords)
        }
        return enter(CutoverStep.forward[index + 1], after: [done])
    }

    private mutating func failed(_ step: CutoverStep, _ failure: CutoverFailure, at now: Double) -> Action {
        note(step, at: now)
        if step == .gates { return end(.refused(failure.reason)) }
        if step == .switchApplication, failure.effect == .unknown { switchMayHaveHappened = true }
        guard mustGoForward else { return goBack(step, failure.reason, at: now) }
        attempts += 1
        if step == .switchApplication { switchAttempts += 1 }
        guard max(attempts, switchAttempts) < attemptsMax else {
            return end(.stuck(step: step, direction: .forward, reason: failure.reason))
        }
        // The switch is not repeated without a look at the source.
        phase = .waiting(step == .switchApplication ? .recheck : step)
        return .wait(pause)
    }

    private mutating func couldNotJournal(_ step: CutoverStep, _ reason: String, at now: Double) -> Action {
        if step == .pointOfNoReturn {
            // The record may be there: neither direction is safe before that is known.
            phase = .confirming
            return .readJournal
        }
        guard mustGoForward else {
            journalIsLost = true
            return goBack(step, "The journal on the target can't be written: \(reason)", at: now)
        }
        attempts += 1
        guard attempts < attemptsMax else {
            return end(.stuck(step: step, direction: .forward, reason: "The journal on the target can't be written: \(reason)"))
        }
        phase = .waitingToJournal(step)
        return .wait(pause)
    }

    private mutating func confirmed(_ journal: CutoverJournal, at now: Double) -> Action {
        if journal.isPastReturn { return perform(.pointOfNoReturn, at: now) }
        let reason = "The point of no return could not be journaled."
        guard mustGoForward else { return goBack(.pointOfNoReturn, reason, at: now) }
        attempts += 1
        guard attempts < attemptsMax else {
            return end(.stuck(step: .pointOfNoReturn, direction: .forward, reason: reason))
        }
        phase = .waitingToJournal(.pointOfNoReturn)
        return .wait(pause)
    }

    private mutating func couldNotConfirm(_ failure: CutoverFailure) -> Action {
        attempts += 1
        guard attempts < attemptsMax else {
            return end(.stuck(step: .pointOfNoReturn, direction: .forward, reason: failure.reason))
        }
        phase = .waitingToConfirm
        return .wait(pause)
    }

    // MARK: shared with going back

    mutating func end(_ outcome: CutoverOutcome) -> Action {
        phase = .ended(outcome)
        return .end(outcome)
    }

    mutating func startStep(at now: Double) { stepStart = now }

    mutating func note(_ step: CutoverStep, isUndo: Bool = false, at now: Double) {
        timings.append(.init(step: step, isUndo: isUndo, seconds: max(0, now - stepStart)))
    }
}
