import DequeModule
import MySQLBinlog

/// What was read of the source and is not on the target yet, in rows: looked at now and then, each event counted once.
package struct Backlog: Sendable {
    /// Rows of each element that was outstanding at the last look; the first is number `first`.
    private var rows: Deque<Int> = []
    private var first = 0
    /// Rows that wait.
    package private(set) var changes = 0
    /// Commit time on the source of the oldest transaction that waits, microseconds since 1970; nil where none does, or
    /// where the log has only seconds.
    package private(set) var oldest: UInt64?

    package init() {}

    /// - Throws: `BinlogError` on bytes that are no rows; the applier finds the same.
    package mutating func look(at outstanding: (first: Int, elements: [SourceItem])) throws {
        while first < outstanding.first, !rows.isEmpty {
            rows.removeFirst()
            first += 1
        }
        first = outstanding.first
        for item in outstanding.elements.dropFirst(rows.count) { rows.append(try Self.rows(of: item)) }
        changes = rows.reduce(0, +)
        oldest = nil
        var began: UInt64 = 0
        for (item, count) in zip(outstanding.elements, rows) {
            if case .begin(let start) = item { began = start.commitMicroseconds }
            guard count > 0 else { continue }
            // Of a transaction that is written in parts the beginning may have gone.
            if began > 0 { oldest = began }
            return
        }
    }

    private static func rows(of item: SourceItem) throws -> Int {
        guard case .rows(_, let event) = item else { return 0 }
        var count = 0
        try event.forEachRow { _, _ in count += 1 }
        return count
    }
}
