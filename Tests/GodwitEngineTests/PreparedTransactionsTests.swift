import MySQLBinlog
import MySQLTypes
import Testing

@testable import GodwitEngine

/// Where the rows of an XA transaction are when its outcome comes.
@Suite struct PreparedTransactionsTests {
    private static func rows(_ number: UInt8) -> RowsEvent {
        let map = TableMap(tableID: 1, flags: 0, schema: "s", table: "t", columns: [])
        return RowsEvent(kind: .insert, flags: 0, map: map, isPartial: false, beforeColumns: [], afterColumns: [], bytes: [number], rowsRange: 0..<1)
    }

    private func bytes(_ found: PreparedTransactions.Whereabouts) -> [[UInt8]]? {
        guard case .here(let rows) = found else { return nil }
        return rows.map(\.event.bytes)
    }

    @Test func preparedAndDecidedInOneBatch() {
        var all = PreparedTransactions()
        all.add(table: 0, Self.rows(1))
        all.prepare("a")
        all.prepare("empty")
        #expect(bytes(all.decide("a")) == [[1]])
        #expect(bytes(all.decide("empty")) == [])
        #expect(all.decided.isEmpty)
        guard case .unknown = all.decide("a") else { Issue.record("decided twice"); return }
    }

    @Test func keptOnTheTarget() {
        var all = PreparedTransactions(stored: ["old"])
        all.add(table: 0, Self.rows(1))
        all.prepare("new")
        all.committed()
        #expect(all.fresh.isEmpty && all.stored == ["old", "new"])
        guard case .stored(name: "new") = all.decide("new") else { Issue.record("not where it was kept"); return }
        #expect(all.decided == ["new"])
        all.committed()
        #expect(all.stored == ["old"] && all.decided.isEmpty)
    }

    /// The source has lost the first one (a restart of MySQL 9.7): its rows give way, they are not added to.
    @Test func aNameThatIsPreparedAgain() {
        var all = PreparedTransactions(stored: ["a"])
        all.add(table: 0, Self.rows(2))
        all.prepare("a")
        #expect(all.decided == ["a"], "the old parts are removed before the new ones are written")
        all.committed()
        #expect(all.stored == ["a"])
    }
}
