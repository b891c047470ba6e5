import MySQLTypes
import Testing

@testable import GodwitEngine

@Suite struct ValidationLedgerTests {
    let table = TableName(schema: "app", table: "items")

    func at(_ offset: UInt64) -> BinlogCoordinates { BinlogCoordinates(file: "binlog.000001", offset: offset) }
    func mark(_ offset: UInt64) -> MarkPosition { .file(at(offset)) }
    func position(_ offset: UInt64) -> ReplicationPosition { .file(at(offset)) }
    func alignment(visible: UInt64, upper: UInt64, checkpoint: UInt64) -> Alignment {
        Alignment(sourceVisible: position(visible), sourceUpper: position(upper), checkpoint: position(checkpoint))
    }
    func key(_ number: Int) -> RowKey { RowKey([String(number)]) }

    /// A ledger whose table has been compared once, without a difference.
    func compared(markLimit: Int = 100, failureLimit: Int = 100) throws -> ValidationLedger {
        var ledger = ValidationLedger(markLimit: markLimit, failureLimit: failureLimit)
        ledger.add(table, hasKey: true)
        #expect(ledger.status(table)?.state == "Preparing table")
        ledger.planned(table, chunks: [KeyBounds(upper: ["10"]), KeyBounds(lower: ["10"])])
        for _ in 0..<2 {
            #expect(ledger.status(table)?.state == "Pending validation")
            let task = try ledger.take()
            ledger.finished(task, unequal: [], complete: true, at: alignment(visible: 1, upper: 1, checkpoint: 1))
        }
        #expect(ledger.status(table)?.state == "Validated")
        return ledger
    }

    struct Clearing: Sendable, CustomTestStringConvertible {
        var name: String
        var visible: UInt64
        var checkpoint: UInt64
        var equal = true
        var touchedMeanwhile = false
        var clears: Bool
        var testDescription: String { name }
    }

    /// The mark stands at 50.
    @Test(arguments: [
        Clearing(name: "both sides at the mark", visible: 50, checkpoint: 50, clears: true),
        Clearing(name: "source does not show the event yet: target ahead", visible: 49, checkpoint: 60, clears: false),
        Clearing(name: "target does not hold the event yet", visible: 60, checkpoint: 49, clears: false),
        Clearing(name: "neither, equal by the old value", visible: 40, checkpoint: 40, clears: false),
        Clearing(name: "touched again meanwhile", visible: 60, checkpoint: 60, touchedMeanwhile: true, clears: false),
        Clearing(name: "unequal", visible: 60, checkpoint: 60, equal: false, clears: false),
    ])
    func markClearsOnlyWhenProven(_ row: Clearing) throws {
        var ledger = try compared()
        ledger.touched(table, key(7), at: mark(50))
        #expect(ledger.status(table)?.state == "Pending records")
        let task = try ledger.take()
        if row.touchedMeanwhile { ledger.touched(table, key(7), at: mark(50)) }
        ledger.finished(
            task, unequal: row.equal ? [] : [key(7)],
            at: alignment(visible: row.visible, upper: 90, checkpoint: row.checkpoint))
        #expect(ledger.isValidated == row.clears)
        #expect(ledger.status(table)?.pending == (row.clears ? 0 : 1))
        #expect(ledger.isIdle() == row.clears, "a key that is not cleared is handed out again")
    }

    /// A row comes before the older ones are settled, again and again: some key is always marked, and all up to the end of the first pass are proven.
    @Test func keysThatAlwaysComeDoNotHideThatTheTableWasValidated() throws {
        var ledger = ValidationLedger(markLimit: 100, failureLimit: 100)
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [KeyBounds()])
        ledger.touched(table, key(1), at: mark(10))
        var chunk = try ledger.take()
        // In turns: keys first.
        if case .keys = chunk.work {
            ledger.abandoned(chunk)
            chunk = try ledger.take()
        }
        ledger.finished(chunk, unequal: [key(2)], complete: true, at: alignment(visible: 5, upper: 5, checkpoint: 12))
        #expect(!ledger.wasValidated(table), "two marks are older than the end of the first pass")
        for step in 0..<5 {
            // Touched again: the oldest mark is not settled by what it became.
            if step < 2 { ledger.touched(table, key(1), at: mark(UInt64(20 + 10 * step))) }
            ledger.touched(table, key(100 + step), at: mark(UInt64(20 + 10 * step)))
            let task = try ledger.take()
            let visible = UInt64(10 + 10 * step)
            ledger.finished(task, unequal: [], at: alignment(visible: visible, upper: visible + 10, checkpoint: visible + 10))
            #expect(ledger.status(table)?.state == "Pending records", "step \(step)")
            #expect(ledger.wasValidated(table) == (step >= 2), "step \(step)")
        }
        // A row that differs, and its next change, which nobody has compared.
        ledger.touched(table, key(1), at: mark(100))
        let task = try ledger.take()
        ledger.finished(task, unequal: [key(1)], at: alignment(visible: 200, upper: 200, checkpoint: 200))
        #expect(ledger.status(table)?.state == "Mismatched records" && !ledger.wasValidated(table))
        ledger.touched(table, key(1), at: mark(210))
        #expect(ledger.status(table)?.state == "Pending records" && !ledger.wasValidated(table))
        ledger.finished(try ledger.take(), unequal: [], at: alignment(visible: 210, upper: 210, checkpoint: 210))
        #expect(ledger.wasValidated(table))
        ledger.lost(table, at: mark(220))
        #expect(!ledger.wasValidated(table))
    }

    /// Without GTIDs what the source shows is known seconds later only, so under writes there is always a key to look at again.
    @Test func keysThatDoNotClearKeepNoChunkWaiting() throws {
        var ledger = ValidationLedger(markLimit: 100, failureLimit: 100)
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [KeyBounds(upper: ["10"]), KeyBounds(lower: ["10"], upper: ["20"]), KeyBounds(lower: ["20"])])
        ledger.touched(table, key(7), at: mark(50))
        var chunks = 0
        for _ in 0..<6 {
            let task = try ledger.take()
            let alignment = alignment(visible: 40, upper: 60, checkpoint: 60)
            if case .chunk = task.work {
                chunks += 1
                ledger.finished(task, unequal: [RowKey](), complete: true, at: alignment)
            } else {
                ledger.finished(task, unequal: Set<RowKey>(), at: alignment)
            }
        }
        #expect(chunks == 3)
        #expect(ledger.status(table)?.state == "Pending records")
    }

    @Test func unequalIsPendingWhileTheSourceMayBeAhead() throws {
        var ledger = try compared()
        ledger.touched(table, key(7), at: mark(50))
        for checkpoint: UInt64 in [60, 65, 69] {
            let task = try ledger.take()
            ledger.finished(
                task, unequal: [key(7)], at: alignment(visible: 60, upper: 70, checkpoint: checkpoint))
            #expect(ledger.status(table)?.state == "Pending records")
        }
        // Now the target holds all that the first read could have seen, and no event came.
        let task = try ledger.take()
        ledger.finished(task, unequal: [key(7)], at: alignment(visible: 80, upper: 90, checkpoint: 70))
        #expect(ledger.status(table)?.state == "Mismatched records")
        #expect(ledger.status(table)?.failed == 1)
        #expect(ledger.status(table)?.pending == 0)
        #expect(ledger.failedKeys(table, limit: 5) == [key(7)])
        #expect(!ledger.isValidated)
        #expect(ledger.isIdle())
    }

    @Test func aFailedRowIsComparedAgainAfterItsNextEvent() throws {
        var ledger = try compared()
        ledger.touched(table, key(7), at: mark(50))
        let first = try ledger.take()
        ledger.finished(first, unequal: [key(7)], at: alignment(visible: 60, upper: 60, checkpoint: 60))
        #expect(ledger.status(table)?.state == "Mismatched records")
        ledger.touched(table, key(7), at: mark(70))
        #expect(ledger.status(table)?.state == "Pending records")
        let second = try ledger.take()
        ledger.finished(second, unequal: [], at: alignment(visible: 70, upper: 70, checkpoint: 70))
        #expect(ledger.isValidated)
    }

    @Test func anEventBetweenTwoUnequalReadsIsNoMismatch() throws {
        var ledger = try compared()
        ledger.touched(table, key(7), at: mark(50))
        let first = try ledger.take()
        ledger.finished(first, unequal: [key(7)], at: alignment(visible: 60, upper: 70, checkpoint: 60))
        ledger.touched(table, key(7), at: mark(65))
        let second = try ledger.take()
        ledger.finished(second, unequal: [key(7)], at: alignment(visible: 80, upper: 90, checkpoint: 75))
        #expect(ledger.status(table)?.state == "Pending records")
    }

    @Test func unequalRowsOfAChunkArePendingFirst() throws {
        var ledger = ValidationLedger()
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [.all])
        let chunk = try ledger.take()
        ledger.finished(
            chunk, unequal: [key(1), key(2)], complete: true, at: alignment(visible: 10, upper: 12, checkpoint: 10))
        #expect(ledger.status(table)?.state == "Pending records")
        #expect(ledger.status(table)?.pending == 2)
        let keys = try ledger.take()
        ledger.finished(keys, unequal: [key(2)], at: alignment(visible: 12, upper: 12, checkpoint: 12))
        #expect(ledger.status(table)?.state == "Mismatched records")
        #expect(ledger.failedKeys(table, limit: 9) == [key(2)])
    }

    @Test func aChunkWithMoreDifferencesIsComparedAgain() throws {
        var ledger = ValidationLedger(failureLimit: 2)
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [.all])
        let chunk = try ledger.take()
        let here = alignment(visible: 10, upper: 10, checkpoint: 10)
        ledger.finished(chunk, unequal: [key(1), key(2)], complete: false, at: here)
        let keys = try ledger.take()
        ledger.finished(keys, unequal: [key(1)], at: here)
        let again = try ledger.take()
        guard case .chunk = again.work else {
            Issue.record("expected the chunk, got \(again)")
            return
        }
        ledger.finished(again, unequal: [key(1), key(3)], complete: false, at: here)
        let more = try ledger.take()
        ledger.finished(more, unequal: [key(3)], at: here)
        #expect(ledger.status(table)?.failed == 2)
        #expect(ledger.isIdle(), "enough failed: the table is compared no further")
        ledger.touched(table, key(1), at: mark(20))
        #expect(ledger.status(table)?.state == "Mismatched records", "and events change nothing any more")
    }

    @Test func aboveTheMarkLimitTheTableIsComparedAgainAtTheLostPositions() throws {
        var ledger = try compared(markLimit: 3)
        for number in 0..<4 { ledger.touched(table, key(number), at: mark(50 + UInt64(number))) }
        #expect(ledger.pendingKeys == 0)
        #expect(ledger.status(table)?.state == "Pending revalidation")
        // Equal as of before the lost events proves nothing about them.
        for _ in 0..<2 {
            let early = try ledger.take()
            ledger.finished(early, unequal: [], complete: true, at: alignment(visible: 52, upper: 60, checkpoint: 60))
        }
        #expect(!ledger.isValidated)
        #expect(ledger.isIdle(checkpoint: position(52)), "held back until the target holds the lost events")
        for _ in 0..<2 {
            let task = try ledger.take(checkpoint: position(53))
            ledger.finished(task, unequal: [], complete: true, at: alignment(visible: 53, upper: 60, checkpoint: 53))
        }
        #expect(ledger.isValidated)
    }

    @Test func behindALossKeysAreNotRememberedUntilTheTargetIsLevel() throws {
        var ledger = try compared(markLimit: 3)
        for number in 0..<9 { ledger.touched(table, key(number), at: mark(50 + UInt64(number))) }
        #expect(ledger.pendingKeys == 0, "four were lost, and the five behind them were not kept")
        #expect(ledger.isIdle(checkpoint: position(57)), "their positions hold the chunks back like those that were lost")
        let first = try ledger.take(checkpoint: position(58))
        ledger.touched(table, key(1), at: mark(60))
        #expect(ledger.pendingKeys == 1, "from the first comparison on keys are marked again")
        ledger.finished(first, unequal: [], complete: true, at: alignment(visible: 58, upper: 58, checkpoint: 58))
        #expect(ledger.status(table)?.chunksCompared == 1)
    }

    @Test func resultsFromBeforeALossCountForNothing() throws {
        var ledger = try compared()
        ledger.lost(table, at: mark(40))
        let old = try ledger.take()
        ledger.lost(table, at: mark(50))
        ledger.finished(old, unequal: [], complete: true, at: alignment(visible: 60, upper: 60, checkpoint: 60))
        #expect(ledger.status(table)?.chunksCompared == 0)
    }

    @Test func keysTheTargetDoesNotHoldAreKeptBack() throws {
        var ledger = try compared()
        ledger.touched(table, key(1), at: mark(50))
        ledger.touched(table, key(2), at: mark(60))
        let task = try ledger.take(checkpoint: position(55))
        guard case .keys(let keys) = task.work else {
            Issue.record("expected keys, got \(task)")
            return
        }
        #expect(keys.map(\.key) == [key(1)])
        #expect(ledger.isIdle(checkpoint: position(55)))
        ledger.abandoned(task)
        #expect(!ledger.isIdle(checkpoint: position(60)))
    }

    @Test func keylessTablesAreComparedWholeAndOnlyUntouched() throws {
        var ledger = ValidationLedger()
        ledger.add(table, hasKey: false)
        ledger.touched(table, nil, at: mark(50))
        #expect(ledger.status(table)?.state == "Pending validation")
        let first = try ledger.take()
        ledger.touched(table, nil, at: mark(60))
        ledger.finished(first, equal: true, at: alignment(visible: 90, upper: 90, checkpoint: 90))
        #expect(!ledger.isValidated, "touched between")
        let second = try ledger.take()
        ledger.finished(second, equal: true, at: alignment(visible: 59, upper: 90, checkpoint: 90))
        #expect(!ledger.isValidated, "the source did not show the event")
        let third = try ledger.take()
        ledger.finished(third, equal: true, at: alignment(visible: 60, upper: 90, checkpoint: 60))
        #expect(ledger.isValidated)
        ledger.touched(table, nil, at: mark(70))
        #expect(ledger.status(table)?.state == "Pending revalidation")
        let fourth = try ledger.take()
        ledger.finished(fourth, equal: false, at: alignment(visible: 70, upper: 71, checkpoint: 70))
        #expect(ledger.status(table)?.state == "Pending revalidation", "the source may be ahead")
        let fifth = try ledger.take()
        ledger.finished(fifth, equal: false, at: alignment(visible: 71, upper: 72, checkpoint: 71))
        #expect(ledger.status(table)?.state == "Mismatched records")
        #expect(ledger.isIdle())
    }

    @Test func tablesTakeTurnsAndUnknownOnesAreIgnored() throws {
        var ledger = ValidationLedger()
        let other = TableName(schema: "app", table: "other")
        for name in [table, other] {
            ledger.add(name, hasKey: true)
            ledger.planned(name, chunks: [KeyBounds(upper: ["1"]), KeyBounds(lower: ["1"])])
        }
        ledger.touched(TableName(schema: "x", table: "y"), key(1), at: mark(5))
        #expect(ledger.pendingKeys == 0)
        let turns = [ledger.next(), ledger.next(), ledger.next(), ledger.next()].map { $0?.table }
        #expect(turns == [table, other, table, other])
        #expect(ledger.isIdle())
    }

    @Test func aTableGivenUpIsNeverValidated() throws {
        var ledger = try compared()
        ledger.gaveUp(table, "gone")
        #expect(ledger.status(table)?.state == "Error")
        #expect(!ledger.isValidated)
        #expect(ledger.notValidated == [table])
    }
}

extension ValidationLedger {
    mutating func take(checkpoint: ReplicationPosition? = nil) throws -> ValidationTask {
        let task = next(checkpoint: checkpoint)
        return try #require(task)
    }

    fileprivate func isIdle(checkpoint: ReplicationPosition? = nil) -> Bool {
        var copy = self
        return copy.next(checkpoint: checkpoint) == nil
    }
}
