import MySQLTypes
import Testing

@testable import MySQLBinlog

@Suite struct EventsTests {
    private static func events(_ file: String = "events/full.bin") throws -> [BinlogEvent] {
        try Fixture.events(try Fixture.bytes(file)).map(\.event)
    }

    private static func rows(of table: String) throws -> [RowsEvent] {
        try events().compactMap { event in
            if case .rows(let rows) = event.body, rows.map.table == table { rows } else { nil }
        }
    }

    @Test func formatAndPositions() throws {
        let events = try Fixture.events(try Fixture.bytes("events/full.bin"))
        guard case .formatDescription(let format) = events[0].event.body else { throw BinlogError(offset: 0, reason: "no format") }
        #expect(format.serverVersion == "9.7.4-2" && format.hasChecksum && format.binlogVersion == 4)
        #expect(format.postHeaderLength(of: 19) == 8)
        #expect(format.postHeaderLength(of: 200) == nil)
        for (current, next) in zip(events, events.dropFirst()) {
            #expect(current.offset + UInt64(current.event.header.size) == next.offset)
            #expect(UInt64(current.event.header.nextPosition) == next.offset)
        }
        guard case .rotate(let target)? = events.last?.event.body else { throw BinlogError(offset: 0, reason: "no rotate") }
        #expect(target.offset == 4 && target.file.hasPrefix("binlog."))
    }

    @Test func gtids() throws {
        var set = GTIDSet()
        var previous: GTIDSet?
        var lengths: UInt64 = 0
        for event in try Self.events() {
            if case .previousGTIDs(let gtids) = event.body { previous = gtids }
            guard case .gtid(let gtid) = event.body else { continue }
            set.insert(try #require(gtid.gtid))
            #expect(gtid.immediateCommitMicroseconds > 1_700_000_000_000_000)
            #expect(gtid.originalCommitMicroseconds == gtid.immediateCommitMicroseconds)
            lengths += gtid.transactionLength
        }
        #expect(set.hasTags, "the fixture has a tagged GTID")
        #expect(set.description.contains(":rollout_1:"))
        #expect(try #require(previous).isDisjoint(with: set))
        // Format description, previous GTIDs and rotate are in no transaction.
        let bytes = try Fixture.bytes("events/full.bin")
        let outside = try Self.events().reduce(UInt64(4)) { total, event in
            switch event.body {
            case .formatDescription, .previousGTIDs, .rotate: total + UInt64(event.header.size)
            default: total
            }
        }
        #expect(lengths + outside == UInt64(bytes.count), "transaction lengths add up to the file")
    }

    @Test func partitions() throws {
        let rows = try Self.rows(of: "parts")
        #expect(rows.first?.partitionID == 0)
        let moved = try #require(rows.first { $0.kind == .update })
        #expect(moved.sourcePartitionID == 0 && moved.partitionID == 1)
    }

    @Test func partialJSON() throws {
        var diffs: [JSONDiff] = []
        for event in try Self.rows(of: "docs") where event.isPartial {
            try event.forEachRow { before, after in
                let image = try #require(after)
                #expect(before?.partials.isEmpty == true)
                for index in event.map.columns.indices where image.isPartial(index) {
                    #expect(throws: BinlogError.self) { try image.value(at: index, in: event.map) }
                    diffs += try image.jsonDiffs(at: index)
                }
            }
        }
        #expect(diffs.map(\.path) == ["$.a", "$.b[1]", "$.c"])
        #expect(diffs.map(\.operation) == [.replace, .replace, .remove])
        #expect(try diffs.compactMap(\.value).map(BinaryJSON.render) == ["10", "\"zwei\""])
    }

    @Test func partialImages() throws {
        let minimal = try #require(try Self.rows(of: "docs").first { $0.kind == .update && !$0.beforeColumns.allSatisfy { $0 } })
        #expect(minimal.beforeColumns == [true, false, false, false])
        #expect(minimal.afterColumns == [false, false, true, false])
        try minimal.forEachRow { before, after in
            let (before, after) = (try #require(before), try #require(after))
            #expect(try before.value(at: 0, in: minimal.map) == .uint(1))
            #expect(throws: BinlogError.self) { try before.value(at: 1, in: minimal.map) }
            #expect(throws: BinlogError.self) { try after.value(at: 99, in: minimal.map) }
            #expect((0..<after.count).map(after.isPresent) == minimal.afterColumns)
        }
    }

    @Test func primaryKeyWithPrefix() throws {
        let map = try #require(try Self.rows(of: "docs").first?.map)
        #expect(map.primaryKey == [0] && map.primaryKeyPrefixes == nil)
    }

    @Test func compressedTransaction() throws {
        let payloads = try Self.events().compactMap { event -> [BinlogEvent]? in
            if case .transactionPayload(let payload) = event.body { try payload.events() } else { nil }
        }
        try #require(payloads.count == 1)
        let kinds = payloads[0].compactMap { event -> RowsEvent.Kind? in
            if case .rows(let rows) = event.body { rows.kind } else { nil }
        }
        #expect(kinds == [.insert, .update, .delete])
        #expect(payloads[0].allSatisfy { $0.header.nextPosition == 0 })
        guard case .xid = payloads[0].last?.body else { throw BinlogError(offset: 0, reason: "no commit inside the payload") }
        let bytes = try Fixture.bytes("events/full.bin")
        let error = #expect(throws: BinlogError.self) {
            for (event, _) in try Fixture.events(bytes, innerEventLimit: 50) { try event.visitEverything() }
        }
        #expect(error?.reason.contains("limit") == true)
    }

    @Test func xa() throws {
        let prepared = try Self.events().compactMap { event -> XAPrepare? in
            if case .xaPrepare(let prepare) = event.body { prepare } else { nil }
        }
        #expect(prepared == [
            XAPrepare(onePhase: false, formatID: 7, globalID: Array("global".utf8), branch: Array("branch".utf8)),
            XAPrepare(onePhase: true, formatID: 1, globalID: Array("one".utf8), branch: []),
        ])
    }

    @Test func statements() throws {
        let events = try Self.events()
        let names = events.compactMap { event -> String? in
            if case .unsupported(let name) = event.body { name } else { nil }
        }
        #expect(names.contains("INTVAR_EVENT") && names.contains("USER_VAR_EVENT"))
        let query = try #require(
            events.compactMap { event -> QueryEvent? in
                if case .query(let query) = event.body, query.text.hasPrefix("INSERT INTO docs") { query } else { nil }
            }.first)
        #expect(query.schema == "fx" && query.errorCode == 0)
        #expect(query.status.enableCascadeTriggers == false)
        #expect(query.status.autoIncrement == 3 && query.status.autoIncrementOffset == 1)
        #expect(query.status.timeNamesLocale != nil)
        #expect(query.status.updatedDatabases == ["fx"])
        #expect(query.status.catalog == "std")
        #expect(query.status.clientCharset != nil && query.status.sqlMode == 0)
        for event in events {
            if case .query(let query) = event.body { #expect(query.status.unknownVariable == nil, "\(query.text)") }
        }
        let create = try #require(
            events.compactMap { event -> QueryEvent? in
                if case .query(let query) = event.body, query.text.hasPrefix("CREATE") { query } else { nil }
            }.first)
        #expect(create.status.ddlXid != nil && create.status.defaultUTF8MB4Collation == 255)
        #expect(create.status.sqlRequirePrimaryKey == false)
    }

    @Test func rowsQuery() throws {
        let texts = try Self.events().compactMap { event -> String? in
            if case .rowsQuery(let text) = event.body { text } else { nil }
        }
        #expect(texts == ["INSERT INTO hidden VALUES (-2, 'é')"])
    }

    @Test func withoutChecksum() throws {
        let events = try Self.events("plain/nochecksum.bin")
        guard case .formatDescription(let format) = events[0].body else { throw BinlogError(offset: 0, reason: "no format") }
        #expect(!format.hasChecksum)
        #expect(events.count(where: { if case .rows = $0.body { true } else { false } }) == 3)
    }
}
