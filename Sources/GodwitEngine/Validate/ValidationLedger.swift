import DequeModule
import MySQLTypes
import OrderedCollections

/// What is proven equal and what is still to be compared, table by table. Pure: it is told what happened, and asked what to
/// compare next.
///
/// A table is Validated when every chunk was compared and no key is marked. The rules that make this true while both
/// servers change:
/// - Every key that an event touches is marked with the event's position (`touched`), both keys of a move, even when the
///   net effect is nothing. The caller tells of a transaction *before* the target commits it.
/// - A mark clears only if the values are equal, the mark's position is in what the source showed before it was read and
///   in the checkpoint of the target's snapshot, and the mark did not change meanwhile.
/// - An unequal row of a chunk is marked without a position; it clears by an equal comparison too.
/// - Unequal is *failed*, not pending, once the target's checkpoint holds everything the source's read could have seen
///   and no event has touched the key since.
/// - Above a bound of marks the table with the most loses them and is compared again whole; its chunks then count only
///   when both sides were read at or after the lost marks.
package struct ValidationLedger: Sendable {
    /// Marks held in memory over all tables, about 150 bytes each.
    package let markLimit: Int
    /// Failed keys of a table after which it is compared no further (as DMS's FailureMaxCount).
    package let failureLimit: Int

    /// Failed keys of all tables after which nothing is compared any more.
    package let taskFailureLimit: Int
    /// Seconds after which a key that is still marked counts as suspended.
    package let suspendAfter: Double
    /// Seconds, of any clock: told by whoever has one.
    package var now: Double = 0

    var tables: OrderedDictionary<TableName, TableLedger> = [:]
    private var marks = 0
    private var cursor = 0
    private var version: UInt64 = 0

    package init(
        markLimit: Int = 190_000, failureLimit: Int = 10_000, taskFailureLimit: Int = .max, suspendAfter: Double = .infinity
    ) {
        self.taskFailureLimit = max(1, taskFailureLimit)
        self.suspendAfter = suspendAfter
        self.markLimit = max(1, markLimit)
        self.failureLimit = max(1, failureLimit)
    }

    // MARK: Events

    /// A table that is to be validated. Its chunks are told later, by `planned`; a keyless one has none.
    /// - Parameter start: what the target held when its keys began to be marked.
    package mutating func add(_ table: TableName, hasKey: Bool, start: ReplicationPosition? = nil) {
        marks -= tables[table]?.markCount ?? 0
        tables[table] = TableLedger(hasKey: hasKey, start: start)
    }

    /// Goes on from what was known, in another attempt on the same servers. `from` was told of every event that the target holds; its
    /// tables that nothing else has happened to are `same`. All other tables begin anew, as does one with rows that differ.
    /// - Returns: the tables that go on.
    @discardableResult
    package mutating func resume(_ from: ValidationLedger, same: Set<TableName>) -> Set<TableName> {
        var resumed: Set<TableName> = []
        for name in tables.keys where same.contains(name) {
            guard let kept = from.tables[name]?.resumed(), kept.hasKey == tables[name]?.hasKey else { continue }
            marks += kept.markCount - (tables[name]?.markCount ?? 0)
            tables[name] = kept
            resumed.insert(name)
        }
        version = max(version, from.version)
        return resumed
    }

    /// The chunks are told already.
    package func isPlanned(_ table: TableName) -> Bool { tables[table]?.chunks != nil }

    /// The chunks that make up the whole table, first and last open-ended.
    package mutating func planned(_ table: TableName, chunks: [KeyBounds]) {
        tables[table]?.plan(chunks)
    }

    /// An event touched a row. `key` is nil for a keyless table. Tables that are not validated are ignored.
    package mutating func touched(_ table: TableName, _ key: RowKey?, at position: MarkPosition) {
        touched(table, CollectionOfOne(key), at: position)
    }

    /// A transaction touched rows.
    package mutating func touched(_ table: TableName, _ keys: some Sequence<RowKey?>, at position: MarkPosition) {
        guard let index = tables.index(forKey: table) else { return }
        let stamp = TableLedger.Stamp(position)
        for key in keys {
            version += 1
            if let key, tables.values[index].hasKey {
                guard tables.values[index].touch(key, stamp, version, now) else { continue }
                marks += 1
                if marks > markLimit { shedMarks() }
            } else {
                tables.values[index].touchWhole(position, version)
            }
        }
    }

    /// Rows that differed were written again: nothing is known of them, and they are compared anew.
    package mutating func repaired(_ table: TableName, _ keys: [RowKey]) {
        guard tables[table] != nil else { return }
        version += 1
        let before = tables[table]?.markCount ?? 0
        tables[table]?.repaired(keys, version, now)
        marks += (tables[table]?.markCount ?? 0) - before
        shedMarks()
    }

    /// Nothing that was known of the table's rows up to `position` holds any more (DDL that rewrites values, a table
    /// loaded again): all of it is to be compared, at or after that position. nil: at any position.
    package mutating func lost(_ table: TableName, at position: MarkPosition?) {
        guard tables[table] != nil else { return }
        version += 1
        let before = tables[table]?.markCount ?? 0
        tables[table]?.lose(position, version)
        marks -= before - (tables[table]?.markCount ?? 0)
    }

    /// The comparison of the table can't go on; it is shown as `Error` until it is `add`ed again.
    package mutating func gaveUp(_ table: TableName, _ reason: String) {
        tables[table]?.error = reason
    }

    // MARK: Work

    /// The next thing to compare, tables in turn: dirty keys first, then chunks, then keyless tables. nil: nothing to do
    /// now. Whatever is handed out comes back by `finished` or `abandoned`.
    ///
    /// `checkpoint` (the newest known) keeps keys back whose event the target does not hold yet; nil: hand out any.
    package mutating func next(keys limit: Int = 200, checkpoint: ReplicationPosition? = nil) -> ValidationTask? {
        guard !tables.isEmpty, tables.values.reduce(0, { $0 + $1.failedCount }) < taskFailureLimit else { return nil }
        for offset in 0..<tables.count {
            let position = (cursor + offset) % tables.count
            let name = tables.keys[position]
            if let work = tables.values[position].next(limit: limit, checkpoint: checkpoint) {
                cursor = (position + 1) % tables.count
                return ValidationTask(table: name, work: work)
            }
        }
        return nil
    }

    /// Dirty keys of a table were compared. `unequal`: those of the task that differed.
    package mutating func finished(_ task: ValidationTask, unequal: Set<RowKey>, at alignment: Alignment) {
        guard case .keys(let keys) = task.work else { return }
        let before = tables[task.table]?.markCount ?? 0
        for key in keys {
            tables[task.table]?.rechecked(key, equal: !unequal.contains(key.key), alignment)
        }
        tables[task.table]?.suspend(after: failureLimit)
        marks -= before - (tables[task.table]?.markCount ?? 0)
    }

    /// A chunk was compared. `unequal`: keys that differ; `complete`: all that differ are among them, else the chunk is
    /// compared again after these are settled (they must then be `failureLimit` or more, or it could go on for ever).
    package mutating func finished(
        _ task: ValidationTask, unequal: [RowKey], complete: Bool, at alignment: Alignment
    ) {
        guard case .chunk(let chunk) = task.work else { return }
        let before = tables[task.table]?.markCount ?? 0
        version += 1
        tables[task.table]?.compared(chunk, unequal: unequal, complete: complete, alignment, version: version, now)
        marks += (tables[task.table]?.markCount ?? 0) - before
        shedMarks()
    }

    /// A keyless table was compared as a whole.
    package mutating func finished(_ task: ValidationTask, equal: Bool, at alignment: Alignment) {
        guard case .whole(let seen) = task.work else { return }
        tables[task.table]?.comparedWhole(seen, equal: equal, alignment)
    }

    /// The comparison did not come to an end (a lost connection): it is handed out again.
    package mutating func abandoned(_ task: ValidationTask) {
        tables[task.table]?.abandoned(task.work)
    }

    private mutating func shedMarks() {
        while marks > markLimit {
            guard let name = tables.max(by: { $0.value.markCount < $1.value.markCount })?.key else { return }
            version += 1
            let before = tables[name]?.markCount ?? 0
            tables[name]?.lose(nil, version, overwhelmed: true)
            let after = tables[name]?.markCount ?? 0
            guard after < before else { return }
            marks -= before - after
        }
    }
}

/// One comparison to make.
package struct ValidationTask: Sendable, Hashable {
    package enum Work: Sendable, Hashable {
        case keys([MarkedKey])
        case chunk(ChunkTask)
        /// A keyless table; the number is the version of its last touch.
        case whole(UInt64)
    }
    package struct MarkedKey: Sendable, Hashable {
        package let key: RowKey
        /// The mark's version when it was handed out.
        let version: UInt64
    }
    package struct ChunkTask: Sendable, Hashable {
        package let bounds: KeyBounds
        let index: Int
        let generation: UInt64
    }
    package let table: TableName
    package let work: Work
}
