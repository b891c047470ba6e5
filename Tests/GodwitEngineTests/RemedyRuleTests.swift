import MySQLBinlog
import MySQLTypes
import MySQLWire
import Testing

@testable import GodwitEngine

/// One rule, one test: each fails as soon as its remedy is switched off (`script/mutants`).
@Suite struct RemedyRuleTests {
    private static let schema = ModelSchema(keyWidths: [1, 1], isUnique: [false, false], cascades: false)

    private static func event(_ body: BinlogEvent.Body, next: UInt64 = 0) -> BinlogEvent {
        BinlogEvent(
            header: EventHeader(timestamp: 1, type: 0, serverID: 1, size: 0, nextPosition: UInt32(next), flags: 0), body: body)
    }

    private static func query(_ text: String, status: QueryStatus = QueryStatus(), next: UInt64 = 200) -> BinlogEvent {
        event(
            .query(QueryEvent(
                threadID: 1, executionSeconds: 0, errorCode: 0, schema: "m", statement: Array(text.utf8), status: status)),
            next: next)
    }

    /// At the start of a log, without GTIDs, from the consistency point on.
    private static func assembler() throws -> TransactionAssembler {
        var assembler = TransactionAssembler(
            shapes: schema.shapes, usesGTIDs: false, caseInsensitiveNames: false, isStrict: true, isIncluded: { $0.schema == "m" })
        _ = try assembler.receive(event(.rotate(BinlogCoordinates(file: "log.000001", offset: 4))))
        return assembler
    }

    // MARK: The log

    /// The rows behind an ALTER have its layout, which nobody knows before it is carried out.
    @Test func nothingIsJudgedBehindADefinition() throws {
        var assembler = try Self.assembler()
        let items = try assembler.receive(Self.query("ALTER TABLE t0 ADD COLUMN x INT"))
        guard case .definition(let change)? = items.last else {
            Issue.record("an ALTER of an included table is a change of definition")
            return
        }
        #expect(change.tables == [TableName(schema: "m", table: "t0")])
        let wider = ModelSchema(keyWidths: [2, 1], isUnique: [false, false], cascades: false)
        let rows = wider.event(ModelChange(table: 0, before: nil, after: [1, 2, 3, 4]))
        #expect(try assembler.receive(Self.query("BEGIN", next: 300)).isEmpty)
        #expect(try assembler.receive(Self.event(.rows(rows), next: 400)).isEmpty)
        #expect(try assembler.receive(Self.event(.xid(1), next: 500)).isEmpty)
    }

    @Test(arguments: ["FROBNICATE t0", "CREATE OR ALTER GADGET t0", ""])
    func statementsThatAreNotUnderstoodStop(_ text: String) throws {
        var assembler = try Self.assembler()
        #expect(throws: EngineError.self) { try assembler.receive(Self.query(text)) }
    }

    @Test(arguments: ["INSERT INTO t0 VALUES (1, 2, 3)", "UPDATE t0 SET u = 1", "LOAD DATA INFILE 'x' INTO TABLE t0", "CALL p()"])
    func rowsAsStatementsStop(_ text: String) throws {
        var assembler = try Self.assembler()
        _ = try assembler.receive(Self.query("BEGIN", next: 100))
        #expect(throws: EngineError.self) { try assembler.receive(Self.query(text)) }
    }

    /// MySQL 8.0.21 and later log it as BEGIN, CREATE TABLE … START TRANSACTION, rows, COMMIT.
    @Test func createSelectIsNoTransactionToPass() throws {
        var assembler = try Self.assembler()
        _ = try assembler.receive(Self.query("BEGIN", next: 100))
        guard case .definition(let change)? = try assembler.receive(Self.query("CREATE TABLE n (a INT) START TRANSACTION")).last else {
            Issue.record("a table that comes with its rows was passed over")
            return
        }
        #expect(change.end == nil, "the checkpoint would pass rows that are still to come")
    }

    @Test func unknownEventsStop() throws {
        var assembler = try Self.assembler()
        #expect(try assembler.receive(Self.event(.ignorable, next: 100)).isEmpty)
        #expect(throws: EngineError.self) { try assembler.receive(Self.event(.unsupported(name: "type 250"), next: 200)) }
    }

    /// Events inside a payload have positions of the uncompressed transaction, or none.
    @Test func aCompressedTransactionEndsWhereItsPayloadEnds() throws {
        var assembler = try Self.assembler()
        let payload = EventHeader(timestamp: 1, type: 40, serverID: 1, size: 0, nextPosition: 1000, flags: 0)
        var items = try assembler.receive(Self.query("BEGIN", next: 5000), inside: payload)
        items += try assembler.receive(
            Self.event(.rows(Self.schema.event(ModelChange(table: 0, before: nil, after: [1, 2, 3]))), next: 6000), inside: payload)
        items += try assembler.receive(Self.event(.xid(1), next: 7000), inside: payload)
        guard case .commit(let end)? = items.last else {
            Issue.record("no end of the transaction")
            return
        }
        #expect(end.mark == .file(BinlogCoordinates(file: "log.000001", offset: 1000)))
    }

    @Test func aSessionThatIsNotKnownIsRefused() {
        var status = QueryStatus()
        #expect(StatementSession.objection(Self.statement(status), timeZoneOfSource: "UTC") == nil)
        status.unknownVariable = 200
        #expect(StatementSession.objection(Self.statement(status), timeZoneOfSource: "UTC") != nil)
    }

    private static func statement(_ status: QueryStatus) -> QueryEvent {
        QueryEvent(threadID: 1, executionSeconds: 0, errorCode: 0, schema: "m", statement: Array("ALTER TABLE t0 FORCE".utf8), status: status)
    }

    /// What the log holds may be seen by a read before `gtid_executed` has it: until then a thread owns it.
    @Test(arguments: UInt64(1)...40)
    func theUpperBoundHasWhatIsOwned(seed: UInt64) async throws {
        let world = ModelWorld(choices: Choices(seed: seed))
        guard await world.usesGTIDs else { return }
        let source = await ModelSession(world, isSource: true)
        for _ in 0..<20 {
            let logged = await world.source.flushed
            let upper = try await SourcePositions(usesGTIDs: true).ownedOrExecuted(on: source)
            for index in 0..<logged { #expect(upper.contains(await world.source.gtid(index)), "seed \(seed)") }
        }
    }

    // MARK: Rows

    @Test func bothKeysOfAMoveAreDirty() throws {
        var batch = ApplyBatch(shapes: Self.schema.shapes, strict: true, filtered: [])
        try batch.add(table: 0, Self.schema.event(ModelChange(table: 0, before: [1, 2, 3], after: [4, 2, 3])))
        #expect(Set(batch.takeTouched().compactMap(\.key)) == [RowKey(["1"]), RowKey(["4"])])
        // Also where the net effect is nothing.
        try batch.add(table: 0, Self.schema.event(ModelChange(table: 0, before: nil, after: [5, 2, 3])))
        try batch.add(table: 0, Self.schema.event(ModelChange(table: 0, before: [5, 2, 3], after: nil)))
        #expect(Set(batch.takeTouched().compactMap(\.key)) == [RowKey(["5"])])
    }

    @Test func generatedColumnsAreNotWritten() async throws {
        let columns = [
            ColumnDefinition(name: "id", position: 0, dataType: "int", columnType: "int", isNullable: false),
            ColumnDefinition(name: "hidden", position: 1, dataType: "int", columnType: "int", isInvisible: true),
            ColumnDefinition(name: "g", position: 2, dataType: "int", columnType: "int", isGenerated: true),
        ]
        let table = TableDefinition(
            name: TableName(schema: "m", table: "t0"), engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: columns,
            indexes: [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])], createStatement: "")
        #expect(TableShape(source: table, target: table.name, rowAlias: true).writable.map(\.name) == ["id", "hidden"])
        let transfer = TableTransfer(source: table, target: table.name, filter: nil)
        for statement in [transfer.select(.all), transfer.insertHead, transfer.loadData] {
            #expect(statement.contains("`hidden`") && !statement.contains("`g`"))
        }
    }

    /// A unique key whose value no image shows.
    @Test(arguments: [true, false])
    func functionalKeysAreRewritten(isFunctional: Bool) {
        let columns = [
            ColumnDefinition(name: "id", position: 0, dataType: "int", columnType: "int", isNullable: false),
            ColumnDefinition(name: "g", position: 1, dataType: "int", columnType: "int", isGenerated: true),
        ]
        let hidden = IndexDefinition(name: "h", isUnique: true, isPrimary: false, columns: isFunctional ? [] : [1], hasFunctionalParts: isFunctional)
        let table = TableDefinition(
            name: TableName(schema: "m", table: "t0"), engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: columns,
            indexes: [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0]), hidden], createStatement: "")
        #expect(TableShape(source: table, target: table.name, rowAlias: true).rewriteUpdates)
    }

    /// LOAD DATA LOCAL answers OK to rows that it has left out or changed.
    @Test(arguments: [
        (3, 3, "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0", true), (3, 2, "Records: 3  Deleted: 0  Skipped: 1  Warnings: 0", false),
        (3, 3, "Records: 3  Deleted: 0  Skipped: 0  Warnings: 1", false), (3, 3, "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0", false),
        (3, 2, "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0", false), (3, 3, "Records: 3  Deleted: 1  Skipped: 0  Warnings: 0", false),
        (0, 0, "", false),
    ] as [(UInt64, UInt64, String, Bool)])
    func everyCountOfALoadIsLookedAt(rows: UInt64, affected: UInt64, info: String, isRight: Bool) {
        let ok = MySQLOK(affectedRows: affected, lastInsertID: 0, statusFlags: 0, warnings: 0, info: info)
        #expect(ChunkLoader.isExact(ok, rows: rows) == isRight)
    }

    // MARK: The applier

    /// What the applier tells, and what the target holds at that moment.
    private actor Recorder: ApplyListener {
        let world: ModelWorld
        private(set) var touched: [(key: RowKey?, shown: Int)] = []
        private(set) var applied: [(position: ReplicationPosition, shown: Int)] = []
        init(_ world: ModelWorld) { self.world = world }

        func touched(_ keys: [TouchedKey], mark: MarkPosition) async {
            let shown = await world.target.tables[0].count
            touched += keys.map { ($0.key, shown) }
        }
        func lost(tables: Set<Int>, mark: MarkPosition) async {}
        func applied(_ progress: ApplyProgress) async { applied.append((progress.position, await world.target.tables[0].count)) }
    }

    /// Transactions of so many inserts each, by file positions 1000, 2000 …
    private static func transactions(_ sizes: [Int], _ schema: ModelSchema) -> [SourceItem] {
        var items: [SourceItem] = []
        var key = 0
        for (index, size) in sizes.enumerated() {
            let end = BinlogCoordinates(file: "log.000001", offset: UInt64(1000 * (index + 1)))
            items.append(.begin(TransactionStart(gtid: nil, commitMicroseconds: 1, coordinates: end)))
            for _ in 0..<size {
                key += 1
                items.append(.rows(table: 0, schema.event(ModelChange(table: 0, before: nil, after: [key, nil, 1]))))
            }
            items.append(.commit(TransactionEnd(mark: .file(end), coordinates: end)))
        }
        return items
    }

    /// On an empty target, before the consistency point. Returns the statements too.
    private static func apply(_ sizes: [Int], budget: Int) async throws -> (recorder: Recorder, world: ModelWorld, statements: [String]) {
        let world = ModelWorld(choices: Choices(given: []))
        await world.begin(at: .file(BinlogCoordinates(file: "log.000001", offset: 4)))
        let target = await ModelSession(world, isSource: false)
        let state = TargetState(task: "model")
        let epoch = try await state.takeEpoch(on: target)
        let schema = await world.schema
        let queue = BoundedQueue<SourceItem>(limit: 1 << 30)
        _ = await queue.push(transactions(sizes, schema)) { $0.cost }
        await queue.finish()
        let recorder = Recorder(world)
        let applier = Applier(
            shapes: schema.shapes, loadedAt: [:], filters: [:], state: state, epoch: epoch, phase: .loading, budget: budget,
            statementLimit: 1 << 16, listener: recorder, observer: ModelObserver())
        let checkpoint = try await state.checkpoint(locked: true, on: target)
        let before = await world.trace.count
        let last = ReplicationPosition.file(BinlogCoordinates(file: "log.000001", offset: UInt64(1000 * sizes.count)))
        _ = try await applier.run(queue, from: checkpoint, on: target) { position, _ in position == last }
        return (recorder, world, Array(await world.trace.dropFirst(before)))
    }

    /// A transaction beyond the bound goes to the target in parts, and is committed once, at its end.
    @Test func aLargeTransactionIsWrittenInParts() async throws {
        let (_, world, statements) = try await Self.apply([9], budget: 2000)
        #expect(statements.count { $0.contains("INSERT INTO `m`.`t0`") } >= 3)
        #expect(statements.count { $0.hasSuffix("COMMIT") } == 1)
        #expect(await world.target.tables[0].count == 9)
    }

    /// However the queue cuts the stream: at every commit the target holds whole transactions, and the position behind them.
    @Test(arguments: Array(stride(from: 200, through: 6000, by: 200)))
    func aPartIsNotCommitted(budget: Int) async throws {
        let sizes = [1, 7, 2, 12, 1, 1]
        let (recorder, _, _) = try await Self.apply(sizes, budget: budget)
        let applied = await recorder.applied
        #expect(!applied.isEmpty)
        for (position, shown) in applied {
            guard case .file(let place) = position else {
                Issue.record("no file position: \(position)")
                continue
            }
            #expect(shown == sizes.prefix(Int(place.offset / 1000)).reduce(0, +), "at \(position)")
        }
    }

    /// Before a change can be seen on the target the validator knows its key.
    @Test func touchedKeysAreToldBeforeTheyShow() async throws {
        let (recorder, _, _) = try await Self.apply([2, 3], budget: 1 << 20)
        let touched = await recorder.touched
        #expect(touched.compactMap(\.key) == (1...5).map { RowKey([String($0)]) })
        #expect(touched.allSatisfy { $0.shown == 0 })
    }
}
