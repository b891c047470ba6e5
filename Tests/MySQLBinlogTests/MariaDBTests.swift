import MySQLBinlog
import MySQLTypes
import Testing

/// Logs that MariaDB 10.11 and 11.8 wrote, against what the same servers answered to SELECT and SHOW BINLOG EVENTS.
@Suite struct MariaDBTests {
    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [Hexadecimal.digit($0 >> 4), Hexadecimal.digit($0 & 15)] }, as: UTF8.self).uppercased()
    }

    private static let ownTypes = ["u": "uuid", "i6": "inet6", "i4": "inet4"]

    /// The form of `mariadb/select.sql`.
    private static func text(_ value: MySQLValue, _ name: String) -> String {
        switch value {
        case .null: "NULL"
        case .int(let value): value.description
        case .uint(let value), .bit(let value), .set(let value): value.description
        case .enumeration(let number): number.description
        case .float(let value): ServerDouble.text(Double(value))
        case .double(let value): ServerDouble.text(value)
        case .decimal(let text), .time(let text), .datetime(let text), .timestamp(let text): text
        case .date(let date): date.description
        case .year(let year): year.description
        case .bytes(let bytes):
            if let type = ownTypes[name] {
                MariaDBText.text(bytes, dataType: type) ?? "?"
            } else {
                hexadecimal(bytes + [UInt8](repeating: 0, count: name == "bi" ? 16 - bytes.count : 0))
            }
        case .json(let bytes): hexadecimal(bytes)
        }
    }

    /// Doubles are printed by another routine than MySQL's.
    private static func isSame(_ text: String, _ expected: Substring, _ name: String) -> Bool {
        name == "f" || name == "d" ? Double(text) == Double(expected) : text == expected
    }

    @Test(arguments: ["mariadb/full.bin", "mariadb/compressed.bin", "mariadb/full11.bin"])
    func everyTypeReadsAsSelectShowsIt(file: String) throws {
        let expected = try Fixture.lines("mariadb/expected.tsv").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        let names = expected[0].map(String.init)
        var row = 0
        for (event, _) in try Fixture.events(try Fixture.bytes(file)) {
            guard case .rows(let rows) = event.body else { continue }
            #expect(rows.map.table == "types")
            try rows.forEachRow { _, after in
                let image = try #require(after)
                row += 1
                try #require(rows.map.columns.count == names.count && row < expected.count)
                for (index, name) in names.enumerated() {
                    if file != "mariadb/compressed.bin" { #expect(rows.map.columns[index].name == name) }
                    // Without metadata the log does not say; the reader's table definition does.
                    let value = try image.value(at: index, in: rows.map, isUnsigned: ["id", "u8", "u64"].contains(name))
                    let text = Self.text(value, name)
                    #expect(Self.isSame(text, expected[row][index], name), "\(file), row \(row), \(name): \(text) is not \(expected[row][index])")
                }
            }
        }
        #expect(row == expected.count - 1)
    }

    @Test func metadataCountsPackedColumnsAsText() throws {
        for (event, _) in try Fixture.events(try Fixture.bytes("mariadb/full.bin")) {
            guard case .tableMap(let map) = event.body else { continue }
            func charset(_ name: String) -> String? {
                map.columns.first { $0.name == name }?.collationID.flatMap(CollationTable.characterSet(of:))
            }
            #expect(charset("u") == "binary" && charset("cv") == "utf8mb4" && charset("cb") == "binary" && charset("ct") == "latin1")
            #expect(map.columns.first { $0.name == "u64" }?.isUnsigned == true)
            #expect(map.primaryKey == [0])
        }
    }

    /// What an event is, in the order of SHOW BINLOG EVENTS.
    private static func label(_ event: BinlogEvent) -> String {
        switch event.body {
        case .mariaGTID(let gtid):
            var text = gtid.isStandalone ? "gtid" : "begin"
            if gtid.isPreparedXA { text = "xa start" }
            if gtid.isCompletedXA { text = "xa end" }
            if gtid.isStartAlter { text = "start alter" }
            if gtid.isCommitAlter { text = "commit alter" }
            return text + (gtid.gtid.domain == 0 ? "" : " in \(gtid.gtid.domain)")
        case .query(let query): return query.text.split(separator: " ").prefix(2).joined(separator: " ")
        case .rows(let rows): return "\(rows.kind) \(rows.map.table)"
        case .xid: return "xid"
        case .xaPrepare: return "xa prepare"
        default: return ""
        }
    }

    @Test(arguments: ["mariadb/events.bin", "mariadb/events11.bin"])
    func events(file: String) throws {
        let events = try Fixture.events(try Fixture.bytes(file)).map(\.event)
        guard case .mariaGTIDList(let list) = events[1].body, case .binlogCheckpoint(let name) = events[2].body else {
            Issue.record("no GTID list, no checkpoint")
            return
        }
        #expect(list.count == 1 && list[0].domain == 0 && name.hasPrefix("binlog."))
        let labels = events.map(Self.label).filter { !$0.isEmpty }
        #expect(
            labels == [
                "gtid", "CREATE TABLE", "gtid", "CREATE SEQUENCE", "gtid", "CREATE TABLE", "begin", "insert t", "xid", "begin", "update t", "xid",
                "begin", "update t", "xid", "begin", "delete t", "xid", "begin", "insert m", "COMMIT", "begin", "insert q", "COMMIT",
                "start alter", "ALTER TABLE", "commit alter", "ALTER TABLE", "xa start", "insert t", "XA END", "xa prepare", "xa end",
                "XA COMMIT", "begin", "insert t", "xid", "begin in 3", "insert t", "xid", "begin", "insert t", "SAVEPOINT `s`", "xid",
                "begin", "CREATE TABLE", "insert k", "xid",
            ])
        let queries = events.compactMap { if case .query(let query) = $0.body { query } else { nil } }
        #expect(queries.allSatisfy { $0.status.unknownVariable == nil && $0.errorCode == 0 })
        #expect(queries.filter { $0.text.contains("a comment that is long") && $0.text.hasSuffix("a'") }.count == 2)
        let gtids = events.compactMap { if case .mariaGTID(let gtid) = $0.body { gtid } else { nil } }
        let prepared = try #require(gtids.first { $0.isPreparedXA }?.xid)
        #expect(prepared.globalID == Array("g".utf8) && prepared.branch == Array("b".utf8) && prepared.formatID == 3)
        let start = try #require(gtids.first { $0.isStartAlter })
        #expect(gtids.first { $0.isCommitAlter }?.startAlterSequence == start.gtid.sequence)
        #expect(gtids.filter { !$0.isTransactional && !$0.isStandalone }.count == 3, "MyISAM, the sequence, CREATE … SELECT")
    }

    /// Images that leave out columns say so: MINIMAL and FULL_NODUP.
    @Test(arguments: [("mariadb/events.bin", [true, false, false]), ("mariadb/events11.bin", [true, true, true])])
    func partialImages(file: String, before: [Bool]) throws {
        let updates = try Fixture.events(try Fixture.bytes(file)).compactMap { event, _ -> RowsEvent? in
            if case .rows(let rows) = event.body, rows.kind == .update { rows } else { nil }
        }
        #expect(updates.count == 2)
        #expect(updates[0].afterColumns == [true, true, true])
        #expect(updates[1].beforeColumns == before)
        #expect(updates[1].afterColumns == [false, false, true])
    }

    private static func event(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        let size = UInt32(19 + body.count)
        let little = { (number: UInt32) in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        return [0, 0, 0, 0, type] + little(7) + little(size) + [0, 0, 0, 0, 0, 0] + body
    }

    @Test func encryptedFilesAreRefusedByName() throws {
        var bytes = try Fixture.bytes("mariadb/full.bin")
        let first = Fixture.rawEvents(bytes)[0]
        // START_ENCRYPTION with a valid checksum is made by the server only: here the log has none.
        bytes = Array(bytes[..<4]) + Self.withoutChecksum(first) + Self.event(164, [1, 1, 0, 0, 0] + [UInt8](repeating: 9, count: 12))
        let error = #expect(throws: BinlogError.self) { try Fixture.events(bytes) }
        #expect(error?.reason.contains("encrypt") == true)
    }

    /// The same format description, saying that there are no checksums.
    private static func withoutChecksum(_ event: [UInt8]) -> [UInt8] {
        var event = event
        event[event.count - 5] = 0
        return event
    }

    /// Claims of lengths are checked before they are believed.
    @Test(arguments: [
        (165, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x84, 0xff, 0xff, 0xff, 0xff, 0x78]), (165, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 5]),
        (165, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x91, 5, 0]), (163, [0xff, 0xff, 0xff, 0x0f, 0]), (161, [0xff, 0xff, 0, 0, 1]),
        (162, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0, 0, 65, 0]), (162, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] as [(UInt8, [UInt8])])
    func impossibleLengths(type: UInt8, body: [UInt8]) {
        var decoder = BinlogDecoder()
        #expect(throws: BinlogError.self) { try decoder.decode(Self.event(type, body)) }
    }
}
