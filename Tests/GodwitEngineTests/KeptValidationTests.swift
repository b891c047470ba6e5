import MySQLTypes
import Testing

@testable import GodwitEngine

/// What one attempt knows to be equal is good for the next one, table by table, and for nobody else.
@Suite struct KeptValidationTests {
    static let (items, orders) = (TableName(schema: "app", table: "items"), TableName(schema: "app", table: "orders"))

    static func position(_ offset: UInt64) -> ReplicationPosition { .file(BinlogCoordinates(file: "binlog.000001", offset: offset)) }
    static func prepared(_ name: TableName, comment: String = "") -> PreparedTable {
        let definition = TableDefinition(
            name: name, engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: [], indexes: [],
            createStatement: "CREATE TABLE t (id INT PRIMARY KEY)\(comment)")
        return PreparedTable(source: definition, target: name, action: .create, targetDefinition: definition)
    }

    static let then = KeptValidation.Circumstances(
        epoch: 7, source: "a", target: "b", tables: [items: prepared(items), orders: prepared(orders)], checkpoint: position(500))
    static func now(_ change: (inout KeptValidation.Circumstances) -> Void) -> KeptValidation.Circumstances {
        var next = then
        next.epoch = 8
        next.checkpoint = position(600)
        change(&next)
        return next
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var now: KeptValidation.Circumstances
        var same: Set<TableName>
        var testDescription: String { name }
    }

    @Test(arguments: [
        Row(name: "the next attempt", now: now { _ in }, same: [items, orders]),
        Row(name: "at the same checkpoint", now: now { $0.checkpoint = position(500) }, same: [items, orders]),
        Row(name: "another definition", now: now { $0.tables[items] = prepared(items, comment: " COMMENT 'x'") }, same: [orders]),
        Row(name: "a suspended table", now: now { $0.tables[orders] = nil }, same: [items]),
        Row(name: "another runner in between", now: now { $0.epoch = 9 }, same: []),
        Row(name: "another source", now: now { $0.source = "c" }, same: []),
        Row(name: "another target", now: now { $0.target = "c" }, same: []),
        Row(name: "a target that was set back", now: now { $0.checkpoint = position(499) }, same: []),
        Row(name: "no checkpoint", now: now { $0.checkpoint = nil }, same: []),
    ])
    func whatChangedIsComparedAgain(_ row: Row) {
        #expect(KeptValidation.same(Self.then, row.now) == row.same)
    }

    /// Two tables of two chunks: everything that had not come to its end is handed out again, nothing else is.
    @Test func whatWasUnderWayIsHandedOutAgain() throws {
        let both = Alignment(sourceVisible: Self.position(100), sourceUpper: Self.position(100), checkpoint: Self.position(100))
        func fresh() -> ValidationLedger {
            var ledger = ValidationLedger()
            for table in [Self.items, Self.orders] {
                ledger.add(table, hasKey: true, start: Self.position(1))
            }
            return ledger
        }
        var before = fresh()
        for table in [Self.items, Self.orders] {
            before.planned(table, chunks: [KeyBounds(upper: ["10"]), KeyBounds(lower: ["10"])])
        }
        // `items`: all compared, then a key marked. `orders`: one chunk compared, the other under way.
        for _ in 0..<3 {
            let task = try before.take()
            before.finished(task, unequal: [], complete: true, at: both)
        }
        let lost = try before.take()
        #expect(lost.table == Self.orders)
        before.touched(Self.items, RowKey(["3"]), at: .file(BinlogCoordinates(file: "binlog.000001", offset: 50)))
        let marked = try before.take()
        #expect(marked.table == Self.items)

        var after = fresh()
        after.resume(before, same: [Self.items, Self.orders])
        #expect(after.pendingKeys == 1 && !after.isValidated)
        let tasks = [try after.take(), try after.take()]
        #expect(Set(tasks.map(\.table)) == [Self.items, Self.orders])
        #expect(after.next() == nil)
        // A late word of the attempt before counts for nothing.
        after.finished(lost, unequal: [], complete: true, at: both)
        for task in tasks {
            #expect(!after.isValidated)
            switch task.work {
            case .keys: after.finished(task, unequal: Set<RowKey>(), at: both)
            default: after.finished(task, unequal: [RowKey](), complete: true, at: both)
            }
        }
        #expect(after.isValidated && after.pendingKeys == 0)

        var one = fresh()
        one.resume(before, same: [Self.orders])
        #expect(one.isPlanned(Self.orders) && !one.isPlanned(Self.items) && one.pendingKeys == 0)
    }

    /// Rows that differ are looked at anew.
    @Test func differencesBeginAnew() throws {
        var before = ValidationLedger()
        before.add(Self.items, hasKey: true)
        before.planned(Self.items, chunks: [KeyBounds()])
        let both = Alignment(sourceVisible: Self.position(9), sourceUpper: Self.position(9), checkpoint: Self.position(9))
        before.finished(try before.take(), unequal: [RowKey(["1"])], complete: true, at: both)
        before.finished(try before.take(), unequal: Set([RowKey(["1"])]), at: both)
        #expect(before.status(Self.items)?.failed == 1)
        var after = ValidationLedger()
        after.add(Self.items, hasKey: true)
        after.resume(before, same: [Self.items])
        #expect(!after.isPlanned(Self.items) && after.status(Self.items)?.failed == 0)
    }

    /// Validated, then a row that differs, then a lost connection: until it is compared again nothing calls the table validated.
    @Test func aTableThatDifferedIsNotValidatedOnce() async throws {
        let both = Alignment(sourceVisible: Self.position(9), sourceUpper: Self.position(9), checkpoint: Self.position(9))
        let before = ValidationBoard(tables: [(Self.items, true), (Self.orders, true)], start: Self.position(1))
        for table in [Self.items, Self.orders] { await before.planned(table, chunks: [KeyBounds()]) }
        for _ in 0..<2 { _ = await before.finished(try #require(await before.next()), unequal: [], complete: true, at: both) }
        #expect(await before.allValidatedOnce)
        let (key, mark) = (RowKey(["1"]), MarkPosition.file(BinlogCoordinates(file: "binlog.000001", offset: 5)))
        await before.touched([TouchedKey(table: 0, key: key)], mark: mark)
        _ = await before.finished(try #require(await before.next()), unequal: [key], complete: true, at: both)
        #expect(await before.failedCount(Self.items) == 1)

        let after = ValidationBoard(
            tables: [(Self.items, true), (Self.orders, true)], start: Self.position(1), knowledge: await before.knowledge,
            same: [Self.items, Self.orders])
        #expect(await after.isValidated(Self.orders))
        #expect(await !after.isPlanned(Self.items))
        #expect(await !after.allValidatedOnce)
    }
}
