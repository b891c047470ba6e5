import MySQLTypes
import Testing

@testable import MySQLBinlog

/// Events made by hand: what the fixtures' server does not write.
@Suite struct DecoderTests {
    private static func event(_ type: UInt8, flags: UInt16 = 0, nextPosition: UInt32 = 0, _ body: [UInt8]) -> [UInt8] {
        let size = UInt32(19 + body.count)
        func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
        return little(1000) + [type] + little(9) + little(size) + little(nextPosition)
            + [UInt8(flags & 255), UInt8(flags >> 8)] + body
    }

    private static func body(_ bytes: [UInt8]) throws -> BinlogEvent.Body {
        var decoder = BinlogDecoder()
        return try decoder.decode(bytes).body
    }

    @Test func ignorableEventsArePassedOver() throws {
        // Aurora's padding has type 100.
        guard case .ignorable = try Self.body(Self.event(100, flags: 0x80, [1, 2, 3])) else {
            throw BinlogError(offset: 0, reason: "not ignorable")
        }
        guard case .ignorable = try Self.body(Self.event(28, flags: 0x80, [])) else { throw BinlogError(offset: 0, reason: "not ignorable") }
    }

    @Test(arguments: [
        (100, "event type 100"), (26, "INCIDENT_EVENT"), (37, "VIEW_CHANGE_EVENT"), (13, "RAND_EVENT"), (18, "EXECUTE_LOAD_QUERY_EVENT"),
    ] as [(UInt8, String)])
    func othersAreNamed(type: UInt8, name: String) throws {
        guard case .unsupported(let found) = try Self.body(Self.event(type, [0])) else { throw BinlogError(offset: 0, reason: "decoded") }
        #expect(found == name)
    }

    @Test func heartbeats() throws {
        guard case .heartbeat(let first) = try Self.body(Self.event(27, nextPosition: 77, Array("binlog.000003".utf8))) else {
            throw BinlogError(offset: 0, reason: "no heartbeat")
        }
        #expect(first == BinlogCoordinates(file: "binlog.000003", offset: 77))
        // Version 2: file name, position as a length-encoded number of five gigabytes, end.
        let fields: [UInt8] = [1, 13] + Array("binlog.000004".utf8) + [2, 9, 254, 0, 0, 0, 0x40, 1, 0, 0, 0] + [0]
        guard case .heartbeat(let second) = try Self.body(Self.event(41, fields)) else { throw BinlogError(offset: 0, reason: "no heartbeat") }
        #expect(second == BinlogCoordinates(file: "binlog.000004", offset: 5_368_709_120))
    }

    /// The body that a server of MySQL 8.4 wrote for 77d1902c-01da-11f1-9a41-908d6e5f6e8d:test_tag:1 starts like this.
    @Test func taggedGTID() throws {
        let fields: [UInt8] = [
            0x00, 0x02,  // flags
            0x02, 0xee, 0x45, 0x03, 0x41, 0x02, 0x58, 0x02, 0x69, 0x03, 0x22, 0xc5, 0x03, 0x69, 0x02, 0x82, 0x41, 0x02, 0x35, 0x02,
            0xdc, 0xbe, 0xdc, 0x35, 0x02,  // UUID
            0x04, 0x04,  // number: 1 with the sign in the lowest bit
            0x06, 0x10, 0x74, 0x65, 0x73, 0x74, 0x5f, 0x74, 0x61, 0x67,  // tag
        ]
        let message: [UInt8] = [0x02, UInt8((fields.count + 3) << 1), 0x00] + fields
        guard case .gtid(let event) = try Self.body(Self.event(42, message)) else { throw BinlogError(offset: 0, reason: "no GTID") }
        #expect(event.gtid?.description.hasPrefix("77d1902c-01da-11f1-9a41-908d6e5f6e8d:test_tag:") == true)
        // An unknown field that may be ignored, and one that may not.
        let ignorable: [UInt8] = [0x02, UInt8((fields.count + 5) << 1), 0x00] + fields + [60, 1]
        guard case .gtid = try Self.body(Self.event(42, ignorable)) else { throw BinlogError(offset: 0, reason: "no GTID") }
        let needed: [UInt8] = [0x02, UInt8((fields.count + 5) << 1), 60] + fields + [60, 1]
        #expect(throws: BinlogError.self) { try Self.body(Self.event(42, needed)) }
    }

    @Test(arguments: [
        ([0x00], 0), ([0xfe], 127), ([0x01, 0x02], 128), ([0xfd, 0xff], 16383), ([0x03, 0x00, 0x02], 16384),
        ([0xff] + [UInt8](repeating: 0xff, count: 8), UInt64.max), ([0x7f, 1, 0, 0, 0, 0, 0, 0], 1),
    ] as [([UInt8], UInt64)])
    func variableLengthNumbers(bytes: [UInt8], value: UInt64) throws {
        var cursor = ByteCursor(bytes)
        #expect(try cursor.varint("number") == value)
        #expect(cursor.isAtEnd)
    }

    /// Rows of version 1 (before MySQL 5.6): no extra data; table id of four bytes is told by the format only.
    @Test func rowsVersion1() throws {
        var decoder = BinlogDecoder()
        // Table 5: fx.t, two columns: INT, VARCHAR(20); metadata 2 bytes; both nullable; all signed.
        let map: [UInt8] = [5, 0, 0, 0, 0, 0, 1, 0, 2] + Array("fx".utf8) + [0, 1] + Array("t".utf8) + [0, 2, 3, 15, 2, 20, 0, 3, 1, 1, 0]
        _ = try decoder.decode(Self.event(19, map))
        let rows: [UInt8] = [5, 0, 0, 0, 0, 0, 1, 0, 2, 3] + [0, 0xfe, 0xff, 0xff, 0xff, 2] + Array("ab".utf8) + [3]
        let event = try decoder.decode(Self.event(23, rows))
        guard case .rows(let decoded) = event.body else { throw BinlogError(offset: 0, reason: "no rows") }
        var values: [[MySQLValue]] = []
        try decoded.forEachRow { _, after in
            let image = try #require(after)
            values.append(try [0, 1].map { try image.value(at: $0, in: decoded.map) })
        }
        #expect(values == [[.int(-2), .bytes(Array("ab".utf8))], [.null, .null]])
        #expect(decoded.isStatementEnd)
        // Behind the statement's end its table map is void.
        #expect(throws: BinlogError.self) { try decoder.decode(Self.event(23, rows)) }
    }

    @Test func headersAreChecked() {
        for bytes in [[], [UInt8](repeating: 0, count: 18), [UInt8](repeating: 0, count: 19), Self.event(3, []) + [0]] {
            #expect(throws: BinlogError.self) { try Self.body(bytes) }
        }
    }

    /// Temporal types of MySQL before 5.6, which tables made then still have.
    @Test(arguments: [
        (MySQLFieldType.datetime, [0x50, 0x83, 0xd1, 0x9d, 0x19, 0x12, 0x00, 0x00], MySQLValue.datetime("1990-12-31 23:59:20")),
        (.datetime, [0, 0, 0, 0, 0, 0, 0, 0], .datetime("0000-00-00 00:00:00")),
        (.time, [0xa7, 0xf5, 0x7f], .time("838:59:59")), (.time, [0xff, 0xff, 0xff], .time("-00:00:01")),
        (.timestamp, [0, 0, 0, 0], .timestamp("0000-00-00 00:00:00")), (.timestamp, [1, 0, 0, 0], .timestamp("1970-01-01 00:00:01")),
        (.newdate, [0x5d, 0xd0, 0x0f], .date(MySQLDate(year: 2024, month: 2, day: 29))),
    ] as [(MySQLFieldType, [UInt8], MySQLValue)])
    func oldTemporals(type: MySQLFieldType, bytes: [UInt8], value: MySQLValue) throws {
        var image = RowImage(bytes: bytes, columns: 1)
        image.set(0, 0..<bytes.count)
        let column = TableMap.Column(type: type, metadata: 0, isNullable: false)
        let map = TableMap(tableID: 1, flags: 0, schema: "s", table: "t", columns: [column])
        #expect(try image.value(at: 0, in: map) == value)
    }
}

@Suite struct FileReaderTests {
    /// The same events, however the bytes arrive.
    @Test(arguments: [1, 3, 19, 1000])
    func piecesDoNotMatter(size: Int) throws {
        let bytes = try Fixture.bytes("events/full.bin")
        let expected = try Fixture.events(bytes).map(\.offset)
        var reader = BinlogFileReader()
        var offsets: [UInt64] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            reader.append(bytes[start..<min(start + size, bytes.count)])
            while let (_, offset) = try reader.next() { offsets.append(offset) }
        }
        try reader.finish()
        #expect(offsets == expected)
    }

    @Test(arguments: [
        ([0xfe, 0x62, 0x69, 0x6f], "FE 62 69 6E"), ([0xfd, 0x62, 0x69, 0x6e], "encrypted"), ([0xfe, 0x62], "only 2 bytes"),
        ([], "only 0 bytes"), ([0xfe, 0x62, 0x69, 0x6e], "no format description"),
    ] as [([UInt8], String)])
    func refusesOtherFiles(bytes: [UInt8], reason: String) {
        let error = #expect(throws: BinlogError.self) { try Fixture.events(bytes) }
        #expect(error?.reason.contains(reason) == true)
    }

    @Test func boundsEvents() throws {
        var reader = BinlogFileReader(eventLimit: 200)
        reader.append(try Fixture.bytes("types/full.bin"))
        let error = #expect(throws: BinlogError.self) { while try reader.next() != nil {} }
        #expect(error?.reason.contains("limit") == true)
    }
}
