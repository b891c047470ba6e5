import DequeModule

/// Work of one `verify`: chunks are planned one after the other per table and compared by whoever is free.
actor VerifyQueue {
    enum Work: Sendable {
        /// Plan the table's next chunk from this lower bound, hand the rest back, compare the chunk.
        case chunk(table: Int, lower: [String]?)
        case whole(table: Int)
    }

    private var work: Deque<Work>
    private var busy = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var tables: [VerifyReport.Table]
    private var differences: [[RowDifference]]
    private let progress: @Sendable (VerifyReport.Table) -> Void

    init(_ tables: [ChecksumSQL], progress: @escaping @Sendable (VerifyReport.Table) -> Void) {
        self.tables = tables.map { VerifyReport.Table(source: $0.source.name, target: $0.target.name) }
        differences = tables.map { _ in [] }
        work = Deque(tables.indices.map { tables[$0].hasKey ? .chunk(table: $0, lower: nil) : .whole(table: $0) })
        self.progress = progress
    }

    /// The next piece, or nil when everything has been compared. Waits while others may still hand pieces back.
    func next() async -> Work? {
        while work.isEmpty {
            if busy == 0 { return nil }
            await withCheckedContinuation { waiters.append($0) }
        }
        busy += 1
        return work.removeFirst()
    }

    /// The table has rows after this bound.
    func rest(of table: Int, lower: [String]) {
        work.append(.chunk(table: table, lower: lower))
        wake()
    }

    func compared(_ table: Int, sourceRows: UInt64, targetRows: UInt64, _ found: [RowDifference], complete: Bool) {
        tables[table].sourceRows += sourceRows
        tables[table].targetRows += targetRows
        differences[table] += found
        if !complete || differences[table].count >= Verifier.differenceLimit {
            // Enough is known: the table differs, and is compared no further.
            tables[table].hasMore = true
            work.removeAll { if case .chunk(let other, _) = $0 { other == table } else { false } }
        }
        progress(tables[table])
    }

    /// True while more of the table is worth comparing.
    func isOpen(_ table: Int) -> Bool { !tables[table].hasMore && tables[table].error == nil }

    func comparedWhole(_ table: Int, _ comparison: WholeComparison) {
        tables[table].sourceRows = comparison.source.rows
        tables[table].targetRows = comparison.target.rows
        tables[table].isEqual = comparison.isEqual
        progress(tables[table])
    }

    func failed(_ table: Int, _ error: any Error) {
        tables[table].error = "\(error)"
        progress(tables[table])
    }

    /// Whatever `next` gave is done with.
    func done() {
        busy -= 1
        if busy == 0 && work.isEmpty { wake() }
    }

    private func wake() {
        for waiter in waiters { waiter.resume() }
        waiters.removeAll()
    }

    // MARK: After the pass

    func found(_ table: Int) -> [RowDifference] { differences[table] }

    func settle(_ table: Int, keyed: Bool, _ left: [RowDifference], _ rows: [RowDetail]) {
        guard tables[table].error == nil else { return }
        if keyed { tables[table].isEqual = left.isEmpty && !tables[table].hasMore }
        tables[table].different = left.count { $0.kind == .different }
        tables[table].missing = left.count { $0.kind == .missing }
        tables[table].extra = left.count { $0.kind == .extra }
        tables[table].rows = rows
        progress(tables[table])
    }

    var result: [VerifyReport.Table] { tables }
}
