/// What was read before a cutover, and what of it forbids one. Pure: the driver reads, this judges.
package struct CutoverGates: Sendable, Hashable {
    /// Tables that are not Validated, with their state.
    package var unvalidated: [String: String] = [:]
    /// Changes read from the source and not applied.
    package var incomingChanges: UInt64 = 0
    /// Keys to be compared again.
    package var dirtyKeys: UInt64 = 0
    /// nil: not known, which is a reason to wait.
    package var lagSeconds: Double?
    /// XIDs that XA RECOVER lists.
    package var preparedXA: [String] = []
    /// Transactions of the source that are open for longer than the write block may wait.
    package var oldTransactions: [String] = []
    /// Whatever else writes to the source by itself: replica appliers.
    package var otherWriters: [String] = []

    /// Under it the drain takes about as long as the lag.
    package static let lagMaxSeconds = 1.0
    /// What is validated within the write pause; about a tenth of a second.
    package static let dirtyKeysMax: UInt64 = 10_000

    package init() {}

    /// Each open gate in a sentence with its cure; empty: go.
    ///
    /// Changes that are still coming in are no reason by themselves: the application runs.
    package var open: [String] {
        var reasons: [String] = []
        for (table, state) in unvalidated.sorted(by: { $0.key < $1.key }) {
            reasons.append("The table \(table) is not Validated but \(state): wait for its validation, or look at `godwit status`.")
        }
        if let lagSeconds, lagSeconds >= 0 {
            if lagSeconds >= Self.lagMaxSeconds {
                reasons.append("The target is \(lagSeconds) s behind, \(incomingChanges) changes: wait until it is under a second.")
            }
        } else {
            reasons.append("How far the target is behind is not known: wait until changes are followed.")
        }
        if dirtyKeys > Self.dirtyKeysMax {
            reasons.append("\(dirtyKeys) changed rows are still to be compared: wait until they are under \(Self.dirtyKeysMax).")
        }
        for xid in preparedXA {
            reasons.append("The XA transaction \(xid) is prepared on the source: commit it or roll it back.")
        }
        for transaction in oldTransactions {
            reasons.append("On the source \(transaction) is open for long and would hold the write block: end it.")
        }
        for writer in otherWriters { reasons.append("On the source \(writer) can write by itself: stop it.") }
        return reasons
    }
}
