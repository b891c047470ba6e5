import MySQLBinlog
import MySQLTypes

/// One step of the source's stream, for the tables of the plan.
package enum SourceItem: Sendable {
    case begin(TransactionStart)
    /// Rows of included table number `table`.
    case rows(table: Int, RowsEvent)
    case commit(TransactionEnd)
    /// XA PREPARE: the rows since `begin` wait for the outcome of the transaction of this name.
    case prepare(xid: String, TransactionEnd)
    /// XA COMMIT or XA ROLLBACK of a prepared transaction.
    case decide(xid: String, commits: Bool, TransactionEnd)
    /// The stream has come this far, between transactions (heartbeats, rotation).
    case progress(BinlogCoordinates)
    /// Nothing comes behind it: see `DefinitionChange`.
    case definition(DefinitionChange)

    /// Bytes that holding it costs, nearly: the element itself, which a growing queue copies, and its arrays beside the bytes.
    package var cost: Int {
        switch self {
        case .rows(_, let event): event.bytes.count + 512
        case .begin, .commit, .prepare, .decide, .progress, .definition: 320
        }
    }
}

package struct TransactionStart: Hashable, Sendable {
    package var gtid: GTID?
    /// Commit time on the source, microseconds since 1970; 0 where the log has only seconds.
    package var commitMicroseconds: UInt64
    /// Where its first event ended: inside the transaction, so before a position between transactions exactly if all of it is.
    package var coordinates: BinlogCoordinates
    /// Between XA START and XA PREPARE (or XA COMMIT … ONE PHASE).
    package var isXA = false
}

package struct TransactionEnd: Hashable, Sendable {
    package var mark: MarkPosition
    /// The end of the transaction in the source's files.
    package var coordinates: BinlogCoordinates
    /// MariaDB: its number, by which another server of the lineage finds the place.
    package var maria: MariaDBGTID?

    package init(mark: MarkPosition, coordinates: BinlogCoordinates, maria: MariaDBGTID? = nil) {
        self.mark = mark
        self.coordinates = coordinates
        self.maria = maria
    }
}

extension Remedy { static let exactReload = Remedy("exact-reload", pitfalls: [10, 11], test: "RowImageTests/partsOfRows") }

/// Turns binlog events into the transactions of the included tables. Pure; stops (throws) at what this release cannot
/// replay, never passes over it: invariant I4.
package struct TransactionAssembler: Sendable {
    /// Which included table an event's table is, and why it may not be replayed, if so.
    private let tables: [TableName: Int]
    private let shapes: [TableShape]
    /// Would the mappings include this table if it existed? For DDL that creates or renames.
    private let isIncluded: @Sendable (TableName) -> Bool
    private let usesGTIDs: Bool
    private let caseInsensitiveNames: Bool
    /// From the consistency point on. Before it a table that turns out to be another one is loaded again.
    private let isStrict: Bool
    /// What was read of a table holds its changes up to here.
    private let loadedAt: [Int: ReplicationPosition]
    /// Tables that are not there: their changes up to here lead to nothing.
    private let gone: [TableName: ReplicationPosition]
    /// Tables whose changes are applied exactly once, before the consistency point too.
    private let exact: Set<Int>
    /// Tables whose changes are passed over, since a policy has suspended them: on the target this is written beside the checkpoint.
    package var suspended: Set<Int> = []
    /// Behind a change of definition nothing can be judged before it is carried out.
    private var isSuspended = false

    private var file: String
    private var coordinates: BinlogCoordinates
    private var current: TransactionStart?
    private var isOpen = false
    private var isXA = false
    /// MariaDB: what its GTID event said of the transaction or statement that it opens.
    private var maria: MariaDBGTIDEvent?
    /// A warning for each kind of object that is not carried along (views and the like), once.
    package private(set) var notices: [String] = []
    private var noticed: Set<String> = []

    package init(
        shapes: [TableShape], usesGTIDs: Bool, caseInsensitiveNames: Bool,
        isStrict: Bool, loadedAt: [Int: ReplicationPosition] = [:], gone: [TableName: ReplicationPosition] = [:],
        exact: Set<Int> = [],
        isIncluded: @escaping @Sendable (TableName) -> Bool
    ) {
        self.isStrict = isStrict
        self.loadedAt = loadedAt
        self.exact = exact
        self.gone = Dictionary(
            gone.map { (Self.folded($0.key, caseInsensitiveNames), $0.value) }, uniquingKeysWith: { first, _ in first })
        var tables: [TableName: Int] = [:]
        for (index, shape) in shapes.enumerated() {
            tables[Self.folded(shape.source.name, caseInsensitiveNames)] = index
        }
        self.tables = tables
        self.shapes = shapes
        self.isIncluded = isIncluded
        self.usesGTIDs = usesGTIDs
        self.caseInsensitiveNames = caseInsensitiveNames
        file = ""
        coordinates = BinlogCoordinates(file: "", offset: 0)
    }

    /// Takes the notices gathered so far.
    package mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }

    /// An event of the log itself. A compressed transaction is opened by the caller and handed over event by event.
    package mutating func receive(_ event: BinlogEvent) throws -> [SourceItem] {
        var items: [SourceItem] = []
        guard !isSuspended || !Remedy.definitionBarrier.isOn else { return items }
        try receive(event, into: &items)
        return items
    }

    /// An event inside a compressed transaction. It has no position of its own: only the end of `payload` counts.
    package mutating func receive(_ event: BinlogEvent, inside payload: EventHeader) throws -> [SourceItem] {
        var event = event
        if Remedy.endOfPayload.isOn { event.header.nextPosition = payload.nextPosition }
        return try receive(event)
    }

    private mutating func receive(_ event: BinlogEvent, into items: inout [SourceItem]) throws {
        advance(event)
        switch event.body {
        case .formatDescription, .previousGTIDs, .stop, .rowsQuery, .ignorable, .tableMap: break
        // A server decrypts what it streams.
        case .mariaGTIDList, .binlogCheckpoint, .startEncryption: break
        case .mariaGTID(let opening): try receive(opening, header: event.header, into: &items)
        case .rotate(let next):
            file = next.file
            coordinates = next
            if !isOpen { items.append(.progress(next)) }
        case .heartbeat(let place):
            if let place, !isOpen {
                if !place.file.isEmpty { file = place.file }
                coordinates = place
                items.append(.progress(place))
            }
        case .gtid(let gtid):
            // By file positions a GTID is of no use: they may be switched on while the task runs.
            current = TransactionStart(gtid: usesGTIDs ? gtid.gtid : nil, commitMicroseconds: gtid.immediateCommitMicroseconds,
                coordinates: coordinates)
            if usesGTIDs, gtid.gtid == nil {
                throw EngineError(
                    .resumable, "The source wrote a transaction without a GTID at \(coordinates).",
                    why: "The migration follows it by GTIDs, and a transaction without one cannot be remembered exactly.",
                    cure: "The target stands at the checkpoint before it. Set gtid_mode=ON on the source again, then start a new migration.")
            }
        case .query(let query): try receive(query, header: event.header, into: &items)
        case .xid: try end(into: &items)
        case .rows(let rows): try receive(rows, into: &items)
        case .transactionPayload:
            // Never passed over: whoever reads the log opens it.
            throw refusal("a compressed transaction inside another")
        case .xaPrepare(let prepare):
            guard isXA else { throw refusal("an XA PREPARE without its XA START") }
            try end(into: &items) { prepare.onePhase ? .commit($0) : .prepare(xid: XAName.text(prepare), $0) }
        case .unsupported(let name):
            guard Remedy.knownEvents.isOn else { return }
            throw refusal("a binary log event of type \(name)")
        }
    }

    private mutating func advance(_ event: BinlogEvent) {
        guard !event.header.isArtificial, !file.isEmpty else { return }
        guard event.header.nextPosition != 0 else {
            // MariaDB leaves it out inside transactions from 11.4 on, and sends all of a transaction's events one after another.
            if maria != nil { coordinates.offset += UInt64(event.header.size) }
            return
        }
        coordinates = BinlogCoordinates(file: file, offset: UInt64(event.header.nextPosition))
    }

    private mutating func open(into items: inout [SourceItem], timestamp: UInt32) {
        guard !isOpen else { return }
        isOpen = true
        var start = current ?? TransactionStart(gtid: nil, commitMicroseconds: 0, coordinates: coordinates)
        start.isXA = isXA
        if start.commitMicroseconds == 0 { start.commitMicroseconds = UInt64(timestamp) * 1_000_000 }
        current = start
        items.append(.begin(start))
    }

    private mutating func end(
        into items: inout [SourceItem], _ item: (TransactionEnd) -> SourceItem = { .commit($0) }
    ) throws {
        open(into: &items, timestamp: 0)
        let mark: MarkPosition
        if usesGTIDs {
            guard let gtid = current?.gtid else {
                throw EngineError(
                    .failed, "A transaction that ends at \(coordinates) has no GTID.",
                    why: "The stream has lost its place.", cure: "Start again with the same command.")
            }
            mark = .gtid(gtid)
        } else {
            mark = .file(coordinates)
        }
        items.append(item(TransactionEnd(mark: mark, coordinates: coordinates, maria: maria?.gtid)))
        isOpen = false
        isXA = false
        current = nil
        maria = nil
    }

    private mutating func receive(_ rows: RowsEvent, into items: inout [SourceItem]) throws {
        let name = Self.folded(TableName(schema: rows.map.schema, table: rows.map.table), caseInsensitiveNames)
        guard let index = tables[name] else {
            let table = TableName(schema: rows.map.schema, table: rows.map.table)
            if isIncluded(table), !isPassed(table), !(maria != nil && rows.isOfSequence) {
                guard isStrict else { return change("rows of an unknown table", [table], into: &items) }
                throw refusal("changes to \(rows.map.schema).\(rows.map.table), a table that the plan includes and that was not there at the start")
            }
            return
        }
        if let exact = loadedAt[index], exact.covers(mark) {
            // Of a prepared transaction the outcome's position counts. Until then it keeps the definition from changing, so rows of
            // another one belong to a transaction that was decided before the table was read.
            guard isXA, shapes[index].layoutDifference(from: rows) == nil else { return }
        }
        if suspended.contains(index) { return }
        if let reason = shapes[index].layoutDifference(from: rows) {
            guard isStrict else { return change("an older or newer definition", [shapes[index].source.name], into: &items) }
            throw refusal("a change of \(name) that cannot be replayed: \(reason)", of: index)
        }
        if let reason = shapes[index].refusal(of: rows) {
            throw refusal("a change of \(name) that cannot be replayed: \(reason)", of: index)
        }
        if !isStrict, !exact.contains(index), Remedy.exactReload.isOn, try !shapes[index].isAbsolute(rows) {
            return change("parts of rows or documents", [shapes[index].source.name], exactly: true, into: &items)
        }
        open(into: &items, timestamp: 0)
        items.append(.rows(table: index, rows))
    }

    /// MariaDB's GTID event is BEGIN too, or XA START, unless one statement follows.
    private mutating func receive(_ event: MariaDBGTIDEvent, header: EventHeader, into items: inout [SourceItem]) throws {
        guard !isOpen else { throw refusal("a transaction (\(event.gtid)) inside another") }
        maria = event
        current = TransactionStart(gtid: nil, commitMicroseconds: 0, coordinates: coordinates)
        if event.isPreparedXA { isXA = true }
        if !event.isStandalone { open(into: &items, timestamp: header.timestamp) }
    }

    private mutating func receive(_ query: QueryEvent, header: EventHeader, into items: inout [SourceItem]) throws {
        // An ALTER in two phases: nothing has happened at its start, nor where it is rolled back.
        if let maria, maria.isStartAlter || maria.isRollbackAlter { return try standalone(header, into: &items) }
        let quoting = SQLQuoting(sqlMode: query.status.sqlMode)
        switch StatementClassifier.classify(query.text, quoting: quoting) {
        case .begin: open(into: &items, timestamp: header.timestamp)
        case .commit: try end(into: &items)
        case .rollback:
            // Rows before it touched tables without transactions, which the preflight refuses; nothing of ours is undone by it.
            throw refusal("a ROLLBACK after changes to non-transactional tables")
        case .savepoint: break
        case .xaStart:
            isXA = true
            open(into: &items, timestamp: header.timestamp)
        case .xaEnd: break
        case .xaCommit, .xaRollback:
            guard let xid = XAName.text(statement: query.text) else { throw refusal("an outcome of an XA transaction whose name it cannot read: \(query.text.prefix(400))") }
            let commits = StatementClassifier.classify(query.text) == .xaCommit
            isXA = false
            open(into: &items, timestamp: header.timestamp)
            try end(into: &items) { .decide(xid: xid, commits: commits, $0) }
        case .harmless, .temporary: try standalone(header, into: &items)
        case .tables(let verb, let names):
            var named: [TableName] = []
            for name in names.map({ TableName(schema: $0.schema ?? query.schema, table: $0.name) }) where !named.contains(name) {
                named.append(name)
            }
            try definition(verb, named.filter { isRelevant($0) && !isPassed($0) }, query, header, into: &items)
        case .schema(let verb, let schema):
            let lost = verb != "DROP DATABASE" ? [] : shapes.map(\.source.name).filter {
                Self.sameName($0.schema, schema, caseInsensitiveNames) && !isPassed($0)
            }
            if verb == "ALTER DATABASE", !isOpen, Remedy.schemaDefaults.isOn, altersPlan(query) {
                return change(of: verb, query, header, into: &items)
            }
            try definition(verb, lost, query, header, into: &items)
        case .object(let verb, let name):
            let schema = name?.schema ?? query.schema
            if touchesPlan(schema: schema), noticed.insert("\(verb) \(schema)").inserted {
                notices.append("\(verb) in schema \(schema) on the source: views, routines, triggers and events are read again before the cutover, and follow then.")
            }
            try standalone(header, into: &items)
        case .dataChange(let verb):
            if Remedy.noStatements.isOn, mayTouchPlan(query) {
                throw refusal("\(verb) logged as a statement: \(query.text.prefix(200))")
            }
            if !isOpen { try standalone(header, into: &items) }
        case .unknown:
            if Remedy.readStatements.isOn, mayTouchPlan(query) { throw refusal("a statement it does not understand: \(query.text.prefix(200))") }
            if !isOpen { try standalone(header, into: &items) }
        }
    }

    /// A statement that is a transaction by itself: the checkpoint has to pass it.
    private mutating func standalone(_ header: EventHeader, into items: inout [SourceItem]) throws {
        // CREATE TEMPORARY TABLE and the like inside BEGIN … COMMIT end with the transaction around them.
        guard !isOpen else { return }
        open(into: &items, timestamp: header.timestamp)
        try end(into: &items)
    }

    // MARK: Changes of definition

    /// Where the event that is being read counts.
    private var mark: MarkPosition {
        current?.gtid.map(MarkPosition.gtid) ?? .file(current?.coordinates ?? coordinates)
    }

    /// Is what the log says here of the table known already, from a later reading of the source?
    private func isPassed(_ table: TableName) -> Bool {
        let name = Self.folded(table, caseInsensitiveNames)
        if let index = tables[name] { return loadedAt[index]?.covers(mark) ?? false }
        return gone[name]?.covers(mark) ?? false
    }

    private mutating func definition(
        _ verb: String, _ tables: [TableName], _ query: QueryEvent, _ header: EventHeader, into items: inout [SourceItem]
    ) throws {
        guard !tables.isEmpty else { return try standalone(header, into: &items) }
        let held = tables.filter { self.tables[Self.folded($0, caseInsensitiveNames)].map(suspended.contains) ?? false }
        if !held.isEmpty {
            // What a suspended table is called and what it holds is not followed; a name that leads elsewhere would be.
            guard held.count == tables.count, !verb.uppercased().contains("RENAME") else {
                throw refusal("\(verb) of \(held[0]), which is suspended, together with other tables or names")
            }
            notices.append("\(verb) of \(held.map(\.description).joined(separator: ", ")) is not carried out: the table is suspended.")
            return try standalone(header, into: &items)
        }
        var end: TransactionEnd?
        // CREATE TABLE … SELECT has its rows behind it, in one transaction.
        if !isOpen {
            end = TransactionEnd(mark: usesGTIDs ? mark : .file(coordinates), coordinates: coordinates, maria: maria?.gtid)
        }
        isSuspended = true
        items.append(
            .definition(
                DefinitionChange(
                    tables: tables.map(canonical), what: verb, query: query, timestamp: header.timestamp, end: end, coordinates: coordinates)))
    }

    /// Before the consistency point only: rows show that the table is not the one that was read.
    private mutating func change(
        _ what: String, _ tables: [TableName], exactly: Bool = false, into items: inout [SourceItem]
    ) {
        isSuspended = true
        var change = DefinitionChange(
            tables: tables.map(canonical), what: what, query: nil, timestamp: 0, end: nil, coordinates: coordinates)
        change.needsExactLoad = exactly
        items.append(.definition(change))
    }

    /// Does ALTER DATABASE concern a schema that has tables of the plan? Without a name it is about the session's own. One that cannot
    /// be read may be about any: whoever carries it out refuses it by name.
    private func altersPlan(_ query: QueryEvent) -> Bool {
        do {
            return touchesPlan(schema: try SchemaDefaults(query.text, schema: query.schema, quoting: SQLQuoting(sqlMode: query.status.sqlMode)).schema)
        } catch {
            return true
        }
    }

    /// Of a whole schema: no table of the plan is another one by it.
    private mutating func change(of verb: String, _ query: QueryEvent, _ header: EventHeader, into items: inout [SourceItem]) {
        isSuspended = true
        let end = TransactionEnd(mark: usesGTIDs ? mark : .file(coordinates), coordinates: coordinates, maria: maria?.gtid)
        items.append(
            .definition(
                DefinitionChange(tables: [], what: verb, query: query, timestamp: header.timestamp, end: end, coordinates: coordinates)))
    }

    /// The spelling under which the source knows the table.
    private func canonical(_ table: TableName) -> TableName {
        let folded = Self.folded(table, caseInsensitiveNames)
        return tables[folded].map { shapes[$0].source.name } ?? folded
    }

    private func isRelevant(_ table: TableName) -> Bool {
        tables[Self.folded(table, caseInsensitiveNames)] != nil || isIncluded(table)
    }

    private func touchesPlan(schema: String) -> Bool {
        shapes.contains { Self.sameName($0.source.name.schema, schema, caseInsensitiveNames) }
    }

    /// Can the statement touch an included table, as far as its default schema and the list of its databases tell?
    private func mayTouchPlan(_ query: QueryEvent) -> Bool {
        guard let databases = query.status.updatedDatabases else { return true }
        return (databases + [query.schema]).contains { touchesPlan(schema: $0) }
    }

    /// - Parameter table: the one table that it is about, if the task could go on without it.
    private func refusal(_ what: String, of table: Int? = nil) -> EngineError {
        var error = EngineError(
            .resumable, "The source's log has \(what), at \(coordinates).",
            why: "This release cannot replay it, and never passes over it.",
            cure: "The target stands at the checkpoint before it. Drop the target's tables and this task's rows in schema godwit, then migrate again.")
        if isStrict { error.table = table.map { shapes[$0].source.name } }
        return error
    }

    private static func folded(_ name: TableName, _ fold: Bool) -> TableName {
        fold ? TableName(schema: name.schema.lowercased(), table: name.table.lowercased()) : name
    }

    private static func sameName(_ left: String, _ right: String, _ fold: Bool) -> Bool {
        fold ? left.lowercased() == right.lowercased() : left == right
    }
}

/// The defaults of a schema are followed in order, so that a CREATE TABLE behind them means what it meant.
extension Remedy { static let schemaDefaults = Remedy("schema-defaults", pitfalls: [25], test: "SchemaStatementTests/followed") }

extension Remedy {
    static let definitionBarrier = Remedy("definition-barrier", pitfalls: [24, 25], test: "RemedyRuleTests/nothingIsJudgedBehindADefinition")
    static let readStatements = Remedy("read-statements", pitfalls: [25], test: "RemedyRuleTests/statementsThatAreNotUnderstoodStop")
    static let noStatements = Remedy("no-statements", pitfalls: [26, 27], test: "RemedyRuleTests/rowsAsStatementsStop")
    static let endOfPayload = Remedy("end-of-payload", pitfalls: [31], test: "RemedyRuleTests/aCompressedTransactionEndsWhereItsPayloadEnds")
    static let knownEvents = Remedy("known-events", pitfalls: [44], test: "RemedyRuleTests/unknownEventsStop")
}
