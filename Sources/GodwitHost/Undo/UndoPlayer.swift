/// Whether a change still stands.
package enum UndoStanding: Sendable, Hashable {
    case stands
    /// It is not there: taken back already, or never made.
    case isGone
    /// Something else is there now; why it can't be taken back without a person.
    case changedSince(String)
}

/// Carries inverses out on one kind of thing. Both calls may be made any number of times.
package protocol UndoActions: Sendable {
    func standing(of inverse: UndoInverse) async throws -> UndoStanding
    func undo(_ inverse: UndoInverse) async throws
}

/// What became of one entry.
package struct UndoOutcome: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        case undone
        /// It was not there any more, or never.
        case wasGone
        /// It is still there; why.
        case left(String)
        /// Due on another host; the instruction.
        case elsewhere(String)
    }
    package var entry: UndoEntry
    package var result: Result
}

/// Plays a ledger back: newest first, each looked at before and after. One that fails does not keep the others from being undone.
package struct UndoPlayer: Sendable {
    package let actions: any UndoActions
    package let host: String

    package init(actions: any UndoActions = FileUndo(), host: String = UndoLedger.hostName) {
        self.actions = actions
        self.host = host
    }

    /// `only`: entries that are left alone where it says false.
    package func play(
        _ ledger: UndoLedger, only isWanted: @Sendable (UndoEntry) -> Bool = { _ in true },
        told: @Sendable (UndoOutcome) -> Void = { _ in }
    ) async throws -> [UndoOutcome] {
        var outcomes: [UndoOutcome] = []
        for entry in await ledger.due where isWanted(entry) {
            try Task.checkCancellation()
            let result = try await play(entry, ledger)
            let outcome = UndoOutcome(entry: entry, result: result)
            outcomes.append(outcome)
            told(outcome)
        }
        return outcomes
    }

    private func play(_ entry: UndoEntry, _ ledger: UndoLedger) async throws -> UndoOutcome.Result {
        if case .byHand(let host, let instruction) = entry.inverse { return .elsewhere("on \(host): \(instruction)") }
        guard entry.host == host else { return .elsewhere("on \(entry.host): \(entry.inverse.description)") }
        let result: UndoOutcome.Result
        do {
            switch try await actions.standing(of: entry.inverse) {
            case .isGone: result = .wasGone
            case .changedSince(let why): return .left(why)
            case .stands:
                try await actions.undo(entry.inverse)
                switch try await actions.standing(of: entry.inverse) {
                case .isGone: result = .undone
                case .stands: return .left("It is still there after it was taken back.")
                case .changedSince(let why): return .left(why)
                }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            return .left("\(error)")
        }
        // A ledger that can't be written is no reason to stop cleaning up: what is marked late is found gone the next time.
        do { try await ledger.mark(entry.number, .undone) } catch { return .left("It was taken back, but: \(error)") }
        return result
    }
}

/// Files: settings put back, made ones removed.
package struct FileUndo: UndoActions {
    package init() {}

    package func standing(of inverse: UndoInverse) async throws -> UndoStanding {
        switch inverse {
        case .restoreLines(let path, let patch, _):
            guard HostFile.exists(path) else { return .changedSince("\(path) is not there any more.") }
            switch patch.reversed(on: try HostFile.read(path)) {
            case .text: return .stands
            case .alreadyUndone: return .isGone
            case .changedSince: return .changedSince("Somebody changed the same lines of \(path) since: put them back by hand.")
            }
        case .removeFile(let path, let hash):
            guard HostFile.exists(path) else { return .isGone }
            return LinePatch.hash(try HostFile.read(path)) == hash ? .stands : .changedSince("\(path) is not what Godwit wrote.")
        case .firewall: throw HostError(.failed, "A firewall is no file.")
        case .byHand: return .stands
        }
    }

    package func undo(_ inverse: UndoInverse) async throws {
        switch inverse {
        case .restoreLines(let path, let patch, let backup):
            let file = try ConfigFile(path)
            guard case .text(let text) = patch.reversed(on: file.bytes) else { return }
            try file.replace(with: text)
            // It may hold old passwords, and has served.
            if HostFile.exists(backup) { try HostFile.remove(backup) }
        case .removeFile(let path, _): try HostFile.remove(path)
        case .firewall, .byHand: break
        }
    }
}
