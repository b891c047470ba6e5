import OrderedCollections

/// What coalescing needs to know of a row: is it the same, in all columns or in some. A row image of the binlog in the
/// program, a plain value in the model test.
package protocol RowContent: Sendable {
    func hasSameContent(as other: Self) -> Bool
    func hasSameContent(as other: Self, in columns: [Int]) -> Bool
    /// `hasSameContent` says true for all that is the same. Where it may say false for it, an update in place might change nothing.
    func isComparable(to other: Self) -> Bool
    /// Every column that is written has its value. Rows of events that leave columns out may not be.
    var isComplete: Bool { get }
    /// This row's values, and those of `older` where this one has none.
    func merged(over older: Self) -> Self
}

extension RowContent {
    package var isComplete: Bool { true }
    package func isComparable(to other: Self) -> Bool { true }
    package func merged(over older: Self) -> Self { self }
}

/// The log contradicts itself: for example an insert of a key that an earlier event of the batch left in place.
package struct SequenceError: Error, Sendable, Hashable {
    package var reason: String
}

/// The net effect of consecutive changes to one table, by key bytes.
///
/// Keys are compared by bytes, so a change of case is a key move: delete the old, insert the new. For each key the first
/// event says whether the row existed before, the last whether it exists after. See `docs/correctness.md`, "Net effects".
package struct NetEffects<Row: RowContent>: Sendable {
    package struct Entry: Sendable {
        /// The row before the batch; nil if its first event was an insert.
        package var before: Row?
        /// The last image that carries the key: the row after the batch, or what a delete addresses.
        package var last: Row
        /// The last event left the row in place.
        package var exists: Bool

        /// The row after the batch; nil if its last event removed it.
        package var after: Row? { exists ? last : nil }
    }

    /// In the order in which keys first appeared.
    package private(set) var entries: OrderedDictionary<[UInt8], Entry> = [:]
    /// Events merged, for statistics.
    package private(set) var events = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// `strict`: from the consistency point on, when an impossible order of events is an error, not a replay.
    package mutating func insert(key: [UInt8], row: Row, strict: Bool) throws(SequenceError) {
        try change(key, from: nil, to: row, left: false, strict, "an insert of a key that exists")
    }

    package mutating func delete(key: [UInt8], row: Row, strict: Bool) throws(SequenceError) {
        try change(key, from: row, to: nil, left: true, strict, "a delete of a key that does not exist")
    }

    package mutating func update(
        oldKey: [UInt8], before: Row, newKey: [UInt8], after: Row, strict: Bool
    ) throws(SequenceError) {
        guard oldKey == newKey else {
            try delete(key: oldKey, row: before, strict: strict)
            try insert(key: newKey, row: after, strict: strict)
            events -= 1
            return
        }
        try change(newKey, from: before, to: after, left: true, strict, "an update of a key that does not exist")
    }

    /// One event of one key. `left`: what an earlier event of the batch must have left behind, the row or its absence.
    private mutating func change(
        _ key: [UInt8], from before: Row?, to after: Row?, left: Bool, _ strict: Bool, _ contradiction: String
    ) throws(SequenceError) {
        events += 1
        var isContradiction = false
        // The key is looked up once: this is the hottest place of a replay.
        func merge(_ entry: inout Entry?) {
            guard let known = entry else { return entry = (after ?? before).map { Entry(before: before, last: $0, exists: after != nil) } }
            isContradiction = strict && known.exists != left
            if isContradiction || (Fault.wrongOrder.isOn && before != nil && after != nil) { return }
            guard let after else { return entry = (before).map { Entry(before: known.before, last: $0, exists: false) } }
            let whole = before == nil || after.isComplete || !known.exists ? after : after.merged(over: known.last)
            entry = Entry(before: known.before, last: whole, exists: true)
        }
        merge(&entries[key])
        if isContradiction { throw SequenceError(reason: contradiction) }
    }

    /// What to do on the target, in this order: deletes, upserts, inserts.
    package struct Plan: Sendable {
        /// Rows whose keys are deleted.
        package var deletes: [Row] = []
        /// Rows that exist and change, none of whose unique-key bytes change.
        package var upserts: [Row] = []
        /// Rows that exist, of which only the columns that are there are written, no unique-key bytes among them. After the upserts.
        package var updates: [Row] = []
        /// Rows that do not exist (any more).
        package var inserts: [Row] = []
        package init() {}
    }

    /// From the consistency point on. `rewritten`: columns a change of which goes through delete and insert, among them every
    /// column of a secondary unique key; `rewriteUpdates`: every update
    /// goes through delete and insert (a functional unique key, whose value no image shows).
    package func strictPlan(rewritten: [Int], rewriteUpdates: Bool) -> Plan {
        var plan = Plan()
        for entry in entries.values {
            switch (entry.before, entry.after) {
            case (nil, nil): continue
            case (let before?, nil): plan.deletes.append(before)
            case (nil, let after?): plan.inserts.append(after)
            case (_?, let after?) where !after.isComplete: plan.updates.append(after)
            case (let before?, let after?) where !before.isComplete || !before.isComparable(to: after):
                // What changed cannot be told: the whole row is known, so all of it is written.
                plan.deletes.append(before)
                plan.inserts.append(after)
            case (let before?, let after?):
                if before.hasSameContent(as: after) { continue }
                if rewriteUpdates || !before.hasSameContent(as: after, in: rewritten) {
                    plan.deletes.append(before)
                    plan.inserts.append(after)
                } else {
                    plan.upserts.append(after)
                }
            }
        }
        return plan
    }

    /// Before the consistency point: the last event decides, whatever the target holds now. `deletingAll`: rows that stay
    /// are deleted first too, where an update in place could keep something of the old row.
    package func absolutePlan(deletingAll: Bool = false) -> Plan {
        var plan = Plan()
        for entry in entries.values {
            if let after = entry.after {
                guard after.isComplete else {
                    plan.updates.append(after)
                    continue
                }
                if deletingAll { plan.deletes.append(after) }
                plan.upserts.append(after)
            } else {
                plan.deletes.append(entry.last)
            }
        }
        return plan
    }
}
