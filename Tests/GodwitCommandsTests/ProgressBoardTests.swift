import MySQLTypes
import Testing

@testable import GodwitCommands
@testable import GodwitEngine

/// What a run shows after it was resumed: the commands' tables are made of it.
@Suite struct ProgressBoardTests {
    private func fresh(_ names: String...) -> [MigrationStatus.Table] {
        names.map { MigrationStatus.Table(schema: "shop", table: $0, estimatedRows: 1000) }
    }

    @Test func countersGoOnFromTheStoredSnapshot() async {
        var old = MigrationStatus.Table.sample("a")
        old.inserts = 5
        var before = MigrationStatus.sample(.following, [old])
        before.appliedTransactions = 77
        let board = ProgressBoard(task: "app")
        await board.begin(tables: fresh("a", "b"), before: before)
        let status = await board.snapshot()
        #expect(status.tables.map(\.inserts) == [5, 0])
        #expect(status.appliedTransactions == 77)
        #expect(status.tables[0].validationState == "Pending validation", "nothing is proven by an old snapshot")
        #expect(status.tables[0].rows == 0, "what is loaded is counted from the chunks' marks")
        await board.finishedLoading(0, rows: 900, bytes: 1)
        await board.finishedLoading(0, rows: 900, bytes: 1)
        #expect(await board.snapshot().tables[0].rows == 900)
    }

    /// A second attempt of one process goes on from its own counts, which are newer than what it stored.
    @Test func aSecondAttemptGoesOnFromItsOwnCounts() async {
        let board = ProgressBoard(task: "app")
        await board.begin(tables: fresh("a"), before: nil)
        await board.applied(
            .init(
                position: .file(BinlogCoordinates(file: "b.1", offset: 4)), reached: .init(file: "b.1", offset: 4),
                commitMicroseconds: 0, transactions: 2, counts: [:]), idle: false)
        await board.begin(tables: fresh("a"), before: .sample(.following))
        #expect(await board.snapshot().appliedTransactions == 2)
    }

    @Test func aTaskThatIsCutOverIsShownAsItEnded() async {
        var before = MigrationStatus.sample(.cutOver, [.sample("a"), .sample("b", validation: "Not enabled")])
        before.writePauseSeconds = 0.7
        let board = ProgressBoard(task: "app")
        await board.begin(tables: fresh("a", "b"), before: before)
        #expect(await board.showAsBefore() == before)
        #expect(await board.snapshot().tables.map(\.validationState) == ["Validated", "Not enabled"])
    }
}
