extension Remedy { static let triggersBehindFence = Remedy("triggers-behind-fence", pitfalls: [15], test: "CutoverMachineTests/withoutFaults") }
extension Remedy { static let positionBehindBlock = Remedy("position-behind-block", pitfalls: [39], test: "CutoverMachineTests/withoutFaults") }

/// The steps of a cutover, in their order. Raw values stand in the journal and in reports: they never change.
///
/// Every step must be safe to run again: a restarted Godwit repeats the one that was under way.
package enum CutoverStep: String, Codable, Sendable, Hashable, CaseIterable {
    /// Look, change nothing. Not journaled: a refusal leaves no trace.
    case gates
    case stopApplication = "stop_application"
    /// In a way that survives a restart of the source. Undone by unblocking, also where it was never blocked.
    case blockSource = "block_source"
    /// XA RECOVER is empty, then read F. Its detail is F.
    case readFinalPosition = "read_final_position"
    /// The target's checkpoint reaches F.
    case drain
    /// Every dirty key is compared.
    case validate = "final_validation"
    case autoIncrement = "auto_increment"
    /// The forward stream can commit nothing more. Its detail is R0, the target's position. Undone by resuming the stream.
    case fence = "fence_forward_stream"
    /// The source's triggers are made on the target, where nothing of the forward stream can fire them any more. Its detail is what
    /// of all views, routines, triggers and events is not the same on both sides, a JSON array, nil where all is. Undone by
    /// dropping them, before the stream is resumed.
    case triggers
    /// The source's executed set is F, its start time unchanged, still blocked.
    case recheck = "source_unchanged"
    /// The application's configuration, while the application stands still.
    case switchApplication = "switch_application"
    /// Its journal record *is* the point of no return. Performing it opens the target: events on, writes accepted. Its detail is
    /// like that of `triggers`, with the events that could not be switched on.
    case pointOfNoReturn = "point_of_no_return"
    case startApplication = "start_application"
    case health
    /// Closes the journal of a cutover that is complete.
    case finished
    /// Closes the journal of a cutover that was undone.
    case abandoned

    /// What a complete cutover passes, after the gates.
    package static let forward: [CutoverStep] = {
        var steps: [CutoverStep] = [
            .stopApplication, .blockSource, .readFinalPosition, .drain, .validate, .autoIncrement, .fence, .triggers, .recheck,
            .switchApplication, .pointOfNoReturn, .startApplication, .health,
        ]
        if !Remedy.positionBehindBlock.isOn { steps.swapAt(1, 2) }
        if !Remedy.triggersBehindFence.isOn { steps.swapAt(6, 7) }
        return steps
    }()

    /// Steps that leave something to undo, in the order of undoing.
    ///
    /// Every host gets its configuration back before the source accepts a write: with one host still pointing at the target, both
    /// servers would be written to. The source is open before the application starts, since many do not come up on a
    /// server that refuses writes. The stream comes last: nobody waits for it, and it needs the target, which may be what failed;
    /// and never before the triggers are gone, which would do again what the log holds already.
    package static let undoOrder: [CutoverStep] = [.switchApplication, .blockSource, .stopApplication, .triggers, .fence]
}

/// What is known of a cutover after a crash: the records on the target, oldest first.
package struct CutoverJournal: Codable, Sendable, Hashable {
    package struct Record: Codable, Sendable, Hashable {
        package enum State: String, Codable, Sendable, Hashable {
            /// Written before the step is performed.
            case begun
            case done
            case undoing
            case undone
        }
        package var step: CutoverStep
        package var state: State
        /// What the step found, for example a position; nil where there is nothing to keep.
        package var detail: String?
        package init(_ step: CutoverStep, _ state: State, detail: String? = nil) {
            self.step = step
            self.state = state
            self.detail = detail
        }
    }

    package var records: [Record]
    package init(records: [Record] = []) { self.records = records }

    /// The records of the cutover that is under way: those after the last one abandoned.
    package var current: ArraySlice<Record> {
        guard let end = records.lastIndex(where: { $0.step == .abandoned && $0.state == .done }) else { return records[...] }
        return records[(end + 1)...]
    }

    package var isFinished: Bool { current.contains { $0.step == .finished && $0.state == .done } }
    package var isPastReturn: Bool { current.contains { $0.step == .pointOfNoReturn && $0.state == .begun } }
    /// Begun and not known to be undone.
    package var begun: Set<CutoverStep> {
        var steps: Set<CutoverStep> = []
        for record in current {
            switch record.state {
            case .begun: steps.insert(record.step)
            case .undone: steps.remove(record.step)
            case .done, .undoing: break
            }
        }
        return steps
    }
    /// The latest detail of a step, for example F.
    package func detail(of step: CutoverStep) -> String? {
        current.last { $0.step == step && $0.detail != nil }?.detail
    }
}

/// Why a step did not succeed.
package struct CutoverFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Effect: Sendable, Hashable {
        /// Certainly nothing was changed: the command could not be started, or ended with a failure status.
        case none
        /// It may have happened: a time limit, a lost connection, a cancellation.
        case unknown
    }
    package var reason: String
    package var effect: Effect
    package init(_ reason: String, effect: Effect = .unknown) {
        self.reason = reason
        self.effect = effect
    }
    package var description: String { reason }
}

/// How a cutover ended.
package enum CutoverOutcome: Sendable, Hashable {
    /// A gate is open; nothing was changed.
    case refused(String)
    /// The application runs on the target; the source accepts no more writes.
    case completed
    /// The source is writable and the application runs on it; the journal is closed.
    case undone(step: CutoverStep, reason: String)
    /// Neither: the step could not be done after all attempts. The same command goes on from the journal.
    case stuck(step: CutoverStep, direction: Direction, reason: String)
    package enum Direction: String, Sendable, Hashable { case forward, back }
}
