// Going back, and closing the journal in either direction.
extension CutoverMachine {
    mutating func handleBack(_ event: Event, at now: Double) -> Action {
        switch (phase, event) {
        case (.undoJournaling, .journaled):
            pendingRecords = []
            return undoNext(at: now)
        case (.undoJournaling, .journalFailed):
            // The application's way back must not wait for the target. Should Godwit end now, the next run repeats the undoing.
            journalIsLost = true
            return undoNext(at: now)
        case (.undoing(let step), .done): return undone(step, at: now)
        case (.undoing(let step), .failed(let failure)): return couldNotUndo(step, failure, at: now)
        case (.waitingToUndo, .waited): return undoNext(at: now)
        case (.closing(let outcome), .journaled): return end(outcome)
        case (.closing(let outcome), .journalFailed(let reason)): return couldNotClose(outcome, reason)
        case (.waitingToClose(let outcome), .waited):
            phase = .closing(outcome)
            return .journal(pendingRecords)
        case (.ended(let outcome), _): return .end(outcome)
        default:
            // The driver answered something else than was asked: going on could do anything.
            return end(
                .stuck(
                    step: cause.step, direction: mustGoForward ? .forward : .back,
                    reason: "The cutover got \(event) in \(phase), which is an error of Godwit itself."))
        }
    }

    /// Undoes everything that was begun, in `CutoverStep.undoOrder`.
    mutating func goBack(_ step: CutoverStep, _ reason: String, at now: Double) -> Action {
        cause = (step, reason)
        undoQueue = CutoverStep.undoOrder.filter {
            begun.contains($0) && ($0 != .switchApplication || switchUndo == .command)
        }
        pendingRecords = []
        // Its record of being begun would send the next run forward; it is known that nothing was switched.
        if switchUndo != .command { pendingRecords.append(.init(.switchApplication, .undone)) }
        return continueBack(at: now)
    }

    private mutating func continueBack(at now: Double) -> Action {
        attempts = 0
        guard let step = undoQueue.first else { return close() }
        pendingRecords.append(.init(step, .undoing))
        if journalIsLost { return undoNext(at: now) }
        phase = .undoJournaling
        return .journal(pendingRecords)
    }

    private mutating func undoNext(at now: Double) -> Action {
        guard let step = undoQueue.first else { return close() }
        startStep(at: now)
        phase = .undoing(step)
        return .undo(step)
    }

    private mutating func undone(_ step: CutoverStep, at now: Double) -> Action {
        note(step, isUndo: true, at: now)
        begun.remove(step)
        undoQueue.removeAll { $0 == step }
        pendingRecords.append(.init(step, .undone))
        return continueBack(at: now)
    }

    private mutating func couldNotUndo(_ step: CutoverStep, _ failure: CutoverFailure, at now: Double) -> Action {
        note(step, isUndo: true, at: now)
        attempts += 1
        if attempts < attemptsMax {
            phase = .waitingToUndo(step)
            return .wait(pause)
        }
        // A host that may point at the target keeps the source blocked; and behind a blocked source nothing else helps.
        if step == .switchApplication || step == .blockSource {
            return end(.stuck(step: step, direction: .back, reason: failure.reason))
        }
        undoFailure = undoFailure ?? (step, failure.reason)
        // With a trigger standing the stream must not go on: the next run drops it first.
        undoQueue.removeAll { $0 == step || step == .triggers && $0 == .fence }
        return continueBack(at: now)
    }

    /// All is undone, or what is left failed for good: then the journal stays open, and the next run tries again.
    private mutating func close() -> Action {
        if let undoFailure {
            return end(.stuck(step: undoFailure.step, direction: .back, reason: undoFailure.reason))
        }
        attempts = 0
        pendingRecords.append(.init(.abandoned, .done))
        phase = .closing(.undone(step: cause.step, reason: cause.reason))
        return .journal(pendingRecords)
    }

    private mutating func couldNotClose(_ outcome: CutoverOutcome, _ reason: String) -> Action {
        attempts += 1
        guard attempts < attemptsMax else {
            let isComplete = outcome == .completed
            return end(
                .stuck(
                    step: isComplete ? .finished : .abandoned, direction: isComplete ? .forward : .back,
                    reason: "The journal on the target can't be closed: \(reason)"))
        }
        phase = .waitingToClose(outcome)
        return .wait(pause)
    }
}
