import Foundation
import GodwitTesting
import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOPosix
import Testing

@testable import GodwitEngine

private func table(_ name: String, _ columns: [(String, String)]) -> TableShape {
    let definition = TableDefinition(
        name: TableName(schema: "fx", table: name), engine: "InnoDB", tableCollation: "latin1_swedish_ci",
        columns: columns.enumerated().map { ColumnDefinition(name: $1.0, position: $0, dataType: $1.1, columnType: $1.1) },
        indexes: [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])], createStatement: "")
    return TableShape(source: definition, target: definition.name, rowAlias: false)
}

private struct Quiet: ProgressObserver {
    func update(_ status: MigrationStatus) {}
    func say(_ level: String, _ line: String) {}
    func moment(_ name: String) {}
}

/// MariaDB's stream to whole transactions, from files that 10.11 and 11.8 wrote (11.8 leaves positions out inside transactions).
@Suite struct MariaDBAssemblerTests {
    private static func events(_ file: String) throws -> [(event: BinlogEvent, offset: UInt64)] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var reader = BinlogFileReader()
        reader.append([UInt8](try Data(contentsOf: folder.appendingPathComponent("MySQLBinlogTests/Fixtures/mariadb/\(file)"))))
        var events: [(event: BinlogEvent, offset: UInt64)] = []
        while let next = try reader.next() { events.append(next) }
        try reader.finish()
        return events
    }

    private static func assembler(_ shapes: [TableShape], isStrict: Bool = true, all: Bool = false) throws -> TransactionAssembler {
        var assembler = TransactionAssembler(
            shapes: shapes, usesGTIDs: false, caseInsensitiveNames: false, isStrict: isStrict,
            isIncluded: { all || $0.table == "m" })
        let header = EventHeader(timestamp: 0, type: 4, serverID: 7, size: 0, nextPosition: 0, flags: 0x20)
        _ = try assembler.receive(
            BinlogEvent(header: header, body: .rotate(BinlogCoordinates(file: "binlog.000012", offset: 4))))
        return assembler
    }

    /// Every GTID is one transaction, whose end is where the log has the next one. XA has tests of its own.
    @Test(arguments: ["events.bin", "events11.bin"])
    func everyTransactionEndsWhereTheNextBegins(file: String) throws {
        let events = try Self.events(file)
        let groups = events.compactMap { event, offset -> (start: UInt64, isXA: Bool)? in
            if case .mariaGTID(let gtid) = event.body { (offset, gtid.xid != nil) } else { nil }
        }
        let end = try #require(events.last { if case .rotate = $0.event.body { true } else { false } }).offset
        var assembler = try Self.assembler([table("m", [("id", "int")])])
        var ends: [UInt64] = []
        var rows = 0
        // From behind the statement that made m: before it the table of that name would be another.
        let create = events.firstIndex { if case .query(let query) = $0.event.body { query.text.contains("TABLE m ") } else { false } }
        for (index, (event, offset)) in events.enumerated() where index > create ?? 0 {
            if groups.last(where: { $0.start <= offset })?.isXA == true { continue }
            for item in try assembler.receive(event) {
                if case .commit(let commit) = item {
                    ends.append(commit.coordinates.offset)
                    #expect(commit.mark == .file(commit.coordinates))
                }
                if case .rows = item { rows += 1 }
            }
        }
        let expected = zip(groups, groups.dropFirst().map(\.start) + [end]).filter { !$0.0.isXA }.map(\.1)
        #expect(ends == Array(expected.dropFirst(3)), "the first three are statements that make tables")
        #expect(rows == 1)
    }

    @Test(arguments: ["events.bin", "events11.bin"])
    func whatCannotBeReplayedStops(file: String) throws {
        let t = table("t", [("id", "int"), ("v", "text"), ("n", "int")])
        let events = try Self.events(file)
        func refusal(from first: (BinlogEvent) -> Bool) throws -> String {
            var assembler = try Self.assembler([t])
            let start = try #require(events.firstIndex { first($0.event) })
            do {
                for (event, _) in events[start...] {
                    for item in try assembler.receive(event) { if case .definition(let change) = item { return change.what } }
                }
            } catch let error as EngineError {
                return error.description
            }
            return ""
        }
        // The second half of an ALTER in two phases is the statement; the first is none.
        #expect(try refusal { if case .mariaGTID(let gtid) = $0.body { gtid.isStartAlter } else { false } } == "ALTER TABLE")
    }

    @Test func sequencesAreNoTables() throws {
        let events = try Self.events("events.bin")
        var assembler = try Self.assembler([table("m", [("id", "int")])], all: true)
        let start = try #require(
            events.firstIndex { if case .rows(let rows) = $0.event.body { rows.map.table == "q" } else { false } })
        for (event, _) in events[(start - 3)...(start + 1)] { _ = try assembler.receive(event) }
    }
}

/// A server that holds a commit between its log and its engine: semi-synchronous replication without a replica.
private struct Stall {
    let server: TestServer
    let isMariaDB: Bool
    private var name: String { isMariaDB ? "rpl_semi_sync_master" : "rpl_semi_sync_source" }

    func begin() async throws {
        if !isMariaDB { try await server.sql("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'") }
        try await server.sql(
            """
            SET GLOBAL \(name)_timeout = 600000; SET GLOBAL \(name)_wait_point = 'AFTER_SYNC';
            SET GLOBAL \(name)_wait_no_\(isMariaDB ? "slave" : "replica") = 1; SET GLOBAL \(name)_enabled = 1
            """)
    }

    func end() async throws { try await server.sql("SET GLOBAL \(name)_enabled = 0") }

    /// Waits until a session waits for the replica that is not there: its transaction is in the log.
    func isThere(_ connection: any SQLSession) async throws {
        try await withTimeLimit(.seconds(60), "no commit is stalled") {
            while true {
                let rows = try await connection.query("SHOW PROCESSLIST").rows
                if rows.contains(where: { $0.string(6)?.lowercased().contains("semi-sync ack") == true }) { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

@Suite(.serialized) struct MariaDBPositionTests {
    /// The position in the log is ahead of what reads see, the start of the checkpoint's file is not.
    @Test func theLowerBoundIsBehindAStalledCommit() async throws {
        try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
            try await server.sql("CREATE DATABASE fx; CREATE TABLE fx.t (id INT PRIMARY KEY)")
            let stall = Stall(server: server, isMariaDB: true)
            try await stall.begin()
            async let stalled = server.sql("INSERT INTO fx.t VALUES (1)")
            let positions = SourcePositions(usesGTIDs: false)
            try await server.withConnection { connection in
                try await stall.isThere(connection)
                let end = try await positions.end(on: connection)
                #expect(try await connection.query("SELECT COUNT(*) FROM fx.t").rows.first?.int(0) == 0, "nothing is stalled")
                let bound = try await positions.lowerBound(on: connection)
                #expect(!bound.covers(MarkPosition.file(end)), "\(bound) would leave out the row that no read sees")
            }
            try await stall.end()
            _ = try await stalled
        }
    }
}

@Suite(.serialized) struct MariaDBVisibilityTests {
    /// However long a commit is stalled: what reads do not see never counts as seen.
    @Test func aStalledCommitIsNeverCountedAsVisible() async throws {
        try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
            try await server.sql("CREATE DATABASE fx; CREATE TABLE fx.t (id INT PRIMARY KEY)")
            let stall = Stall(server: server, isMariaDB: true)
            try await stall.begin()
            async let stalled = server.sql("INSERT INTO fx.t VALUES (1)")
            let visible = VisiblePositions(positions: SourcePositions(usesGTIDs: false))
            try await server.withConnection { connection in
                try await stall.isThere(connection)
                let end = try await SourcePositions(usesGTIDs: false).end(on: connection)
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .seconds(5) {
                    #expect(try await !visible.lowerBound(on: connection).covers(MarkPosition.file(end)), "the row is not visible")
                    #expect(try await connection.query("SELECT COUNT(*) FROM fx.t").rows.first?.int(0) == 0)
                    try await Task.sleep(for: .milliseconds(100))
                }
                try await stall.end()
                try await withTimeLimit(.seconds(20), "what is visible is never said to be") {
                    while try await !visible.lowerBound(on: connection).covers(MarkPosition.file(end)) { try await Task.sleep(for: .milliseconds(100)) }
                }
                #expect(try await connection.query("SELECT COUNT(*) FROM fx.t").rows.first?.int(0) == 1)
            }
            _ = try await stalled
        }
    }
}

/// Pitfall 2 on MySQL, with GTIDs and with file positions.
@Suite(.serialized) struct StalledCommitTests {
    @Test(arguments: [true, false])
    func theLowerBoundIsBehindAStalledCommit(gtids: Bool) async throws {
        try await withServer(.mysql9, ServerOptions(gtids: gtids, durable: false)) { server in
            try await server.sql("CREATE DATABASE fx; CREATE TABLE fx.t (id INT PRIMARY KEY)")
            let stall = Stall(server: server, isMariaDB: false)
            try await stall.begin()
            async let stalled = server.sql("INSERT INTO fx.t VALUES (1)")
            let positions = SourcePositions(usesGTIDs: gtids)
            try await server.withConnection { connection in
                try await stall.isThere(connection)
                #expect(try await connection.query("SELECT COUNT(*) FROM fx.t").rows.first?.int(0) == 0, "nothing is stalled")
                let bound = try await positions.lowerBound(on: connection)
                let end = try await positions.end(on: connection)
                if gtids {
                    let upper = try await positions.ownedOrExecuted(on: connection)
                    #expect(!bound.covers(.gtids(upper)), "\(bound) would leave out the row that no read sees")
                } else {
                    #expect(!bound.covers(MarkPosition.file(end)), "\(bound) would leave out the row that no read sees")
                }
            }
            try await stall.end()
            _ = try await stalled
        }
    }
}

@Suite(.serialized) struct MariaDBStreamTests {
    /// From a real server, with packed events: from the start and again from behind every transaction.
    @Test func theStreamGoesOnFromEveryTransaction() async throws {
        try await withServer(.mariadb, ServerOptions(tls: .off, fullRowMetadata: false, durable: false, extra: ["--log-bin-compress=1"])) { server in
            try await server.sql("CREATE DATABASE fx; CREATE TABLE fx.t (id INT PRIMARY KEY, v TEXT)")
            let positions = SourcePositions(usesGTIDs: false)
            try await server.withConnection { connection in
                #expect(try await SourcePositions.uuid(of: connection).hasSuffix("/\(server.port)"))
                let start = try await positions.end(on: connection)
                try await connection.query("INSERT INTO fx.t VALUES (1, REPEAT('a', 1000)), (2, 'b')")
                try await connection.query("FLUSH BINARY LOGS")
                try await connection.query("BEGIN")
                try await connection.query("UPDATE fx.t SET v = REPEAT('c', 1000) WHERE id = 2")
                try await connection.query("DELETE FROM fx.t WHERE id = 1")
                try await connection.query("COMMIT")
                try await connection.query("CREATE TABLE fx.other (id INT)")
                let end = try await positions.end(on: connection)
                let first = try await Self.transactions(server, from: start, count: 3)
                #expect(first.map(\.rows) == [1, 2, 0])
                // The server may write a checkpoint behind the last transaction, whenever it likes.
                #expect(first.allSatisfy { $0.end > start && $0.end <= end })
                for (index, transaction) in first.enumerated().dropLast() {
                    let again = try await Self.transactions(server, from: transaction.end, count: first.count - index - 1)
                    #expect(again.map(\.end) == first[(index + 1)...].map(\.end))
                }
            }
        }
    }

    private static func transactions(
        _ server: TestServer, from start: BinlogCoordinates, count: Int
    ) async throws -> [(rows: Int, end: BinlogCoordinates)] {
        let capture = CaptureStream(
            shapes: [table("t", [("id", "int"), ("v", "text")])], usesGTIDs: false, caseInsensitiveNames: false, isStrict: true,
            loadedAt: [:], gone: [:], isIncluded: { $0.table == "t" }, observer: Quiet())
        let queue = BoundedQueue<SourceItem>(limit: 1 << 20)
        return try await withTimeLimit(.seconds(60), "the stream stands still") {
            try await server.withConnection { reader in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await capture.run(from: .file(start), on: reader, into: queue) }
                    defer { group.cancelAll() }
                    var result: [(rows: Int, end: BinlogCoordinates)] = []
                    var rows = 0
                    while let items = try await queue.take(budget: 1 << 20) {
                        for item in items {
                            switch item {
                            case .rows: rows += 1
                            case .commit(let commit):
                                result.append((rows, commit.coordinates))
                                rows = 0
                                if result.count == count { return result }
                            default: break
                            }
                        }
                        await queue.release(items.reduce(0) { $0 + $1.cost })
                    }
                    return result
                }
            }
        }
    }
}

@Suite(.serialized) struct MariaDBWriteBlockTests {
    /// read_only holds ordinary accounts back, not those with its privilege: such a session is named before and under the block.
    @Test func sessionsThatPassReadOnlyAreNamed() async throws {
        try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
            try await server.sql(
                "CREATE DATABASE fx; CREATE TABLE fx.t (id INT PRIMARY KEY); CREATE USER app; GRANT ALL ON fx.* TO app; CREATE USER admin; GRANT ALL ON *.* TO admin")
            func account(_ name: String) -> MySQLConfiguration {
                var configuration = server.configuration()
                configuration.username = name
                return configuration
            }
            try await server.withConnection { own in
                let block = SourceReadOnly(own)
                #expect(try await SourceGates.preparedXA(on: own).isEmpty)
                #expect(try await SourceGates.replicaAppliers(on: own).isEmpty)
                try await server.withConnection(account("app")) { app in
                    #expect(try await block.sessionsThatPass().isEmpty)
                    // One that cannot see the others' privileges does not take that for nobody.
                    let blind = try await SourceReadOnly(app).sessionsThatPass()
                    #expect(blind.count == 1 && blind.first?.contains("cannot be seen") == true)
                    try await server.withConnection(account("admin")) { admin in
                        let named = try await block.sessionsThatPass()
                        #expect(named.count == 1 && named.first?.contains("admin@") == true)
                        await #expect(throws: CutoverFailure.self) { try await block.close(timeout: .seconds(20)) }
                        // What the remedy is for: measured, not assumed.
                        try await admin.query("INSERT INTO fx.t VALUES (1)")
                        try await block.open(timeout: .seconds(20))
                    }
                    try await withTimeLimit(.seconds(20), "the session does not end") {
                        while try await !block.sessionsThatPass().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
                    }
                    try await block.close(timeout: .seconds(20))
                    #expect(try await block.isClosed())
                    let error = await #expect(throws: MySQLError.self) { try await app.query("INSERT INTO fx.t VALUES (2)") }
                    #expect(error?.serverCode == 1290)
                    try await block.open(timeout: .seconds(20))
                    #expect(try await !block.isClosed())
                    try await app.query("INSERT INTO fx.t VALUES (2)")
                    try await app.query("XA START 'x'")
                    try await app.query("INSERT INTO fx.t VALUES (3)")
                    try await app.query("XA END 'x'")
                    try await app.query("XA PREPARE 'x'")
                    #expect(try await SourceGates.preparedXA(on: own).count == 1)
                    try await app.query("XA ROLLBACK 'x'")
                }
            }
        }
    }
}
