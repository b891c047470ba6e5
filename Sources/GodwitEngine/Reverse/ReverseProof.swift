import MySQLTypes
import MySQLWire

/// Before the switch: can the old source follow the target at all? Shown by doing it, with the accounts and the connections that
/// will do it: a change is written on the target and found in its log, and every table of the source takes statements that change nothing.
struct ReverseProof: Sendable {
    let context: RunContext
    let plan: Plan

    /// nil: the plan asks for no way back.
    init?(_ context: RunContext) throws {
        guard context.plan.reverse != nil else { return nil }
        self.context = context
        plan = try context.plan.reversed()
    }

    private static let limit = Duration.seconds(30)
    private static let schema = "godwit"
    private static let table = "reverse_proof"

    /// - Throws: `CutoverFailure` with what does not work.
    func run() async throws {
        do {
            let sessions = Sessions(plan: plan)
            try await withConnection(try await sessions.source()) { try await provesLog($0) }
            try await withConnection(try await sessions.target()) { try await provesWrites($0) }
        } catch let failure as CutoverFailure {
            throw failure
        } catch {
            throw CutoverFailure("The way back is not open (`reverse` in the plan): \(error)", effect: .none)
        }
    }

    private func withConnection(_ connection: any SQLSession, _ body: (any SQLSession) async throws -> Void) async throws {
        do {
            try await body(connection)
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    // MARK: The target's log

    private func provesLog(_ reader: any SQLSession) async throws {
        guard context.targetFacts.logsBinary else {
            throw CutoverFailure("The target writes no binary log, so there is no way back: start it with log_bin, or remove `reverse`.", effect: .none)
        }
        let writer = try await context.openTarget()
        try await withConnection(writer) { writer in
            try await writer.query(
                "CREATE TABLE IF NOT EXISTS `\(Self.schema)`.`\(Self.table)` (`task` VARCHAR(191) NOT NULL PRIMARY KEY, `number` BIGINT NOT NULL) ENGINE=InnoDB")
            let positions = SourcePositions(usesGTIDs: context.targetFacts.usesGTIDs)
            let start = try await positions.exact(on: writer)
            let number = Int64.random(in: 1...Int64.max)
            try await writer.query(
                "REPLACE INTO `\(Self.schema)`.`\(Self.table)` (task, number) VALUES (\(SQL.string(plan.task)), \(number))")
            try await find(start, positions, reader, writer)
        }
    }

    /// The log from `start` on has a change of the table.
    private func find(
        _ start: ReplicationPosition, _ positions: SourcePositions, _ reader: any SQLSession, _ writer: any SQLSession
    ) async throws {
        let name = TableName(schema: Self.schema, table: Self.table)
        guard let definition = try await Catalog.read(writer, include: { $0 == name }, schemas: { $0 == Self.schema }).first else {
            throw CutoverFailure("Table \(name) is not on the target.", effect: .none)
        }
        let shape = TableShape(source: definition, target: name, rowAlias: false, sourceIsMariaDB: context.targetFacts.isMariaDB)
        let stream = CaptureStream(
            shapes: [shape], usesGTIDs: positions.usesGTIDs, caseInsensitiveNames: context.targetFacts.lowerCaseTableNames != 0, isStrict: true,
            loadedAt: [:], gone: [:], isIncluded: { $0 == name }, observer: context.observer)
        let queue = BoundedQueue<SourceItem>(limit: 1 << 20)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await stream.run(from: start, on: reader, into: queue)
                return false
            }
            group.addTask {
                while let items = try await queue.take(budget: 1 << 20) {
                    for item in items {
                        if case .rows = item { return true }
                    }
                    await queue.release(items.reduce(0) { $0 + $1.cost })
                }
                return false
            }
            group.addTask {
                try await Task.sleep(for: Self.limit)
                throw CutoverFailure("A change written on the target was not found in its binary log in \(Self.limit).", effect: .none)
            }
            defer { group.cancelAll() }
            while let found = try await group.next(), !found {}
        }
    }

    // MARK: The source's tables

    /// What the way back would refuse when it begins.
    private func checkColumns() throws {
        for table in context.tables {
            _ = try ReversePreparation.definition(of: table.source, columns: table.prepared.targetDefinition.columns.map(\.name))
        }
    }

    private func provesWrites(_ old: any SQLSession) async throws {
        try checkColumns()
        let state = TargetState(task: plan.task)
        // Here, while the source takes writes of everybody.
        if !(try await state.isInstalled(on: old)) { try await state.install(on: old) }
        // From here on the target's log is looked through for transactions without a GTID, once the way back begins: see `AnonymousScan`.
        if context.targetFacts.usesGTIDs {
            let place = try await SourcePositions(usesGTIDs: true).end(on: context.control)
            try await state.storeReached(
                BinlogCoordinates(file: place.file, offset: 4), of: try await SourcePositions.uuid(of: context.control), on: old)
        }
        try await old.query("BEGIN")
        for table in context.tables where table.suspension == nil {
            let columns = table.source.writableColumns.map { SQL.identifier($0.name) }
            guard let first = columns.first else { continue }
            let name = table.source.name.sql
            let list = columns.joined(separator: ", ")
            try await old.query("INSERT INTO \(name) (\(list)) SELECT \(list) FROM \(name) WHERE FALSE")
            try await old.query("UPDATE \(name) SET \(first) = \(first) WHERE FALSE")
            try await old.query("DELETE FROM \(name) WHERE FALSE")
        }
        try await old.query("ROLLBACK")
    }
}

extension Remedy { static let provenReverse = Remedy("proven-reverse", pitfalls: [40], test: "ReverseTests/theWayBackIsProvenBeforeTheSwitch") }
