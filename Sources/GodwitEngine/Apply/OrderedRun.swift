import OrderedCollections

/// How changes of tables with unlogged cascades are carried out: those that cascade alone and where they stand, those between two of
/// them together, by table. Pure.
///
/// Between two cascades only the order within a row matters: the target's checks are off, so that no other change reaches
/// another table. Tables with a key go by their net effects, tables without one change by change, in order.
package struct OrderedRun<Row: RowContent>: Sendable {
    package struct Change: Sendable {
        package var table: Int
        package var before: Row?
        package var after: Row?
        package init(table: Int, before: Row?, after: Row?) {
            self.table = table
            self.before = before
            self.after = after
        }
    }

    package enum Step: Sendable {
        case together(OrderedRun)
        /// The change of this index.
        case alone(Int)
    }

    /// The log contradicts itself in this table.
    package struct Contradiction: Error {
        package var table: Int
        package var error: SequenceError
    }

    package private(set) var keyed: OrderedDictionary<Int, NetEffects<Row>> = [:]
    package private(set) var keyless: OrderedDictionary<Int, [Change]> = [:]

    /// - Parameters:
    ///   - key: the row's key bytes; nil: its table has no key.
    ///   - cascades: does the change of this index do something to rows of children?
    package static func steps(
        _ changes: [Change], key: (Int, Row) -> [UInt8]?, cascades: (Int) throws -> Bool
    ) throws -> [Step] {
        var steps: [Step] = []
        var run = OrderedRun()
        func close() {
            if !run.keyed.isEmpty || !run.keyless.isEmpty { steps.append(.together(run)) }
            run = OrderedRun()
        }
        for (index, change) in changes.enumerated() {
            if try cascades(index) {
                close()
                steps.append(.alone(index))
            } else {
                try run.add(change, key)
            }
        }
        close()
        return steps
    }

    private mutating func add(_ change: Change, _ key: (Int, Row) -> [UInt8]?) throws(Contradiction) {
        let table = change.table
        let old = change.before.flatMap { key(table, $0) }
        let new = change.after.flatMap { key(table, $0) }
        do throws(SequenceError) {
            switch (change.before, old, change.after, new) {
            case (nil, _, let row?, let new?): try keyed[table, default: NetEffects()].insert(key: new, row: row, strict: true)
            case (let row?, let old?, nil, _): try keyed[table, default: NetEffects()].delete(key: old, row: row, strict: true)
            case (let before?, let old?, let after?, let new?):
                try keyed[table, default: NetEffects()].update(oldKey: old, before: before, newKey: new, after: after, strict: true)
            default: keyless[table, default: []].append(change)
            }
        } catch {
            throw Contradiction(table: table, error: error)
        }
    }
}
