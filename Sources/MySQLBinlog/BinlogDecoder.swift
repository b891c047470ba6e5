import CZlib
import MySQLTypes

/// Decodes whole events, one at a time, and remembers format description and table maps. Pure: no I/O.
public struct BinlogDecoder: Sendable {
    /// Upper bound of one event inside a compressed transaction, or of MariaDB's packed rows or statement, unpacked, bytes: the one
    /// length there that memory has to follow. Beyond it is a typed error. The server's own bound is 1 GiB (`max_allowed_packet`) and a little.
    public var innerEventLimit: Int
    /// The checksum setting before the first format description: a dump stream negotiates it, a file starts without.
    public var hasChecksum: Bool = false
    /// The last format description.
    public private(set) var format: FormatDescription?
    /// Table maps of the current statement by table id.
    private var tables: [UInt64: TableMap] = [:]
    /// The last map of each table id with the body it was decoded from: servers write the same map again before each statement.
    private var seen: [UInt64: (body: ArraySlice<UInt8>, map: TableMap)] = [:]
    /// Maps that `seen` keeps, and bytes of a body that it keeps.
    private static let seenLimit = (maps: 512, bytes: 4096)

    public init(innerEventLimit: Int = (1 << 30) + (1 << 20)) { self.innerEventLimit = innerEventLimit }

    /// Bytes of every event's header.
    public static let headerSize = 19

    /// `event`: header, body and, where the format says so, the CRC32. `offset` is for error messages only.
    public mutating func decode(_ event: [UInt8], offset: UInt64 = 0) throws(BinlogError) -> BinlogEvent {
        let header = try Self.header(of: event, offset: offset)
        guard Int(header.size) == event.count else {
            throw BinlogError(offset: offset, reason: "the event's header says \(header.size) bytes, \(event.count) are there")
        }
        if header.type == EventType.formatDescription.rawValue {
            let format = try FormatDescription.decode(event, offset: offset)
            try Self.verifyChecksum(event, isPresent: format.hasChecksum, header: header, offset: offset)
            self.format = format
            hasChecksum = format.hasChecksum
            tables.removeAll()
            seen.removeAll()
            return BinlogEvent(header: header, body: .formatDescription(format))
        }
        try Self.verifyChecksum(event, isPresent: hasChecksum, header: header, offset: offset)
        return try decodeBody(event, header: header, end: event.count - (hasChecksum ? 4 : 0), offset: offset)
    }

    /// Reads the header at `place` alone; `event` may be longer or shorter than the size it names. `offset`, for error messages, is that of `place`.
    public static func header(of event: [UInt8], at place: Int = 0, offset: UInt64 = 0) throws(BinlogError) -> EventHeader {
        var cursor = ByteCursor(event, from: place, base: offset &- UInt64(place))
        try cursor.require(headerSize, "event header")
        let header = EventHeader(
            timestamp: try cursor.u32("timestamp"), type: try cursor.u8("type"), serverID: try cursor.u32("server id"),
            size: try cursor.u32("size"), nextPosition: try cursor.u32("next position"), flags: try cursor.u16("flags"))
        guard Int(header.size) >= headerSize else {
            throw BinlogError(offset: offset, reason: "event size \(header.size) is smaller than a header")
        }
        return header
    }

    private static func verifyChecksum(
        _ event: [UInt8], isPresent: Bool, header: EventHeader, offset: UInt64
    ) throws(BinlogError) {
        guard isPresent else { return }
        guard event.count >= headerSize + 4 else { throw BinlogError(offset: offset, reason: "event too short for its checksum") }
        var cursor = ByteCursor(event, from: event.count - 4, base: offset)
        let expected = try cursor.u32("checksum")
        var actual: UInt
        if header.type == EventType.formatDescription.rawValue, header.flags & 1 != 0 {
            // The server sums a format description before it sets the "in use" flag of the open file.
            var cleared = event
            cleared[17] &= 0xfe
            actual = crc32(0, cleared, UInt32(event.count - 4))
        } else {
            actual = crc32(0, event, UInt32(event.count - 4))
        }
        actual &= 0xffff_ffff
        guard UInt32(actual) == expected else {
            throw BinlogError(offset: offset, reason: "checksum of the \(header.typeName) does not match: the log is corrupt")
        }
    }

    /// Table ids take four bytes where the format gives the event a post-header of six, as only very old servers do.
    private func tableIDSize(of type: UInt8) -> Int { format?.postHeaderLength(of: type) == 6 ? 4 : 6 }

    /// The body between the header and `end`. Also for events inside a payload, which have no checksum.
    mutating func decodeBody(
        _ event: [UInt8], header: EventHeader, end: Int, offset: UInt64
    ) throws(BinlogError) -> BinlogEvent {
        var cursor = ByteCursor(event, from: Self.headerSize, to: end, base: offset)
        guard let type = EventType(rawValue: header.type) else {
            return BinlogEvent(header: header, body: header.isIgnorable ? .ignorable : .unsupported(name: header.typeName))
        }
        if let shape = RowsEvent.shape(of: type) {
            let body = try RowsEvent.decode(&cursor, shape: shape, idSize: tableIDSize(of: header.type), limit: innerEventLimit, tables: tables)
            // Behind its statement a table map is void: the next statement writes its own.
            if case .rows(let rows) = body, rows.isStatementEnd { tables.removeAll(keepingCapacity: true) }
            return BinlogEvent(header: header, body: body)
        }
        let body: BinlogEvent.Body
        switch type {
        case .tableMap:
            let map = try tableMap(&cursor, type: header.type)
            tables[map.tableID] = map
            body = .tableMap(map)
        case .transactionPayload:
            var inner = self
            inner.tables.removeAll()
            body = .transactionPayload(try TransactionPayload(&cursor, offset: offset, decoder: inner))
        default:
            if let own = try Self.decodeMariaDB(type, &cursor, header: header, format: format, limit: innerEventLimit) {
                body = own
            } else {
                body = try Self.decodeSimple(type, &cursor, header: header, format: format)
            }
        }
        return BinlogEvent(header: header, body: body)
    }

    private mutating func tableMap(_ cursor: inout ByteCursor, type: UInt8) throws(BinlogError) -> TableMap {
        let size = tableIDSize(of: type)
        let body = cursor.bytes[cursor.position..<cursor.end]
        var ahead = cursor
        if let known = seen[try ahead.uint(size, "table id")], known.body.elementsEqual(body) { return known.map }
        let map = try TableMap.decode(&cursor, idSize: size, postHeader: format?.postHeaderLength(of: type) ?? size + 2)
        if body.count <= Self.seenLimit.bytes {
            if seen.count >= Self.seenLimit.maps { seen.removeAll() }
            seen[map.tableID] = (body, map)
        }
        return map
    }

    /// Events whose meaning needs no table map.
    private static func decodeSimple(
        _ type: EventType, _ cursor: inout ByteCursor, header: EventHeader, format: FormatDescription?
    ) throws(BinlogError) -> BinlogEvent.Body {
        switch type {
        case .rotate:
            let position = try cursor.u64("rotate position")
            return .rotate(BinlogCoordinates(file: try cursor.text(cursor.remaining, "file name"), offset: position))
        case .query: return .query(try QueryEvent.decode(&cursor, postHeader: format?.postHeaderLength(of: header.type)))
        case .xid: return .xid(try cursor.u64("transaction number"))
        case .previousGTIDs: return .previousGTIDs(try GTIDSet.decodeEvent(&cursor))
        case .gtid, .anonymousGTID: return .gtid(try GTIDEvent.decode(&cursor, isAnonymous: type == .anonymousGTID))
        case .gtidTagged: return .gtid(try GTIDEvent.decodeTagged(&cursor))
        case .rowsQuery:
            // The length byte overflows for long statements: the text goes to the end.
            try cursor.skip(1, "length of the rows query")
            return .rowsQuery(String(decoding: try cursor.take(cursor.remaining, "rows query"), as: UTF8.self))
        case .mariaAnnotateRows:
            return .rowsQuery(String(decoding: try cursor.take(cursor.remaining, "rows query"), as: UTF8.self))
        case .heartbeat:
            let file = try cursor.text(cursor.remaining, "file name")
            return .heartbeat(file.isEmpty ? nil : BinlogCoordinates(file: file, offset: UInt64(header.nextPosition)))
        case .heartbeatV2: return .heartbeat(try heartbeatV2(&cursor))
        case .xaPrepare: return .xaPrepare(try XAPrepare.decode(&cursor))
        case .stop: return .stop
        case .ignorable: return .ignorable
        default: return header.isIgnorable ? .ignorable : .unsupported(name: type.serverName)
        }
    }

    /// Events that only MariaDB writes; nil for all others.
    private static func decodeMariaDB(
        _ type: EventType, _ cursor: inout ByteCursor, header: EventHeader, format: FormatDescription?, limit: Int
    ) throws(BinlogError) -> BinlogEvent.Body? {
        switch type {
        case .mariaGTID: return .mariaGTID(try MariaDBGTIDEvent.decode(&cursor, server: header.serverID))
        case .mariaGTIDList: return .mariaGTIDList(try MariaDBGTID.decodeList(&cursor))
        case .mariaBinlogCheckpoint:
            let length = Int(try cursor.u32("length of a file name"))
            return .binlogCheckpoint(file: try cursor.text(length, "file name"))
        case .mariaStartEncryption: return .startEncryption
        case .mariaQueryCompressed:
            return .query(
                try QueryEvent.decode(&cursor, postHeader: format?.postHeaderLength(of: EventType.query.rawValue), packedLimit: limit))
        default: return nil
        }
    }

    /// Type-length-value fields: 1 file name, 2 position, 0 end.
    private static func heartbeatV2(_ cursor: inout ByteCursor) throws(BinlogError) -> BinlogCoordinates? {
        var file: String?
        var position: UInt64?
        while !cursor.isAtEnd {
            let type = try cursor.lengthEncoded("heartbeat field")
            if type == 0 { break }
            let length = try cursor.length("heartbeat field \(type)")
            var field = ByteCursor(cursor.bytes, from: cursor.position, to: cursor.position + length, base: cursor.base)
            cursor.position += length
            if type == 1 { file = try field.text(field.remaining, "file name") }
            if type == 2 { position = try field.lengthEncoded("heartbeat position") }
        }
        guard let file, let position else { return nil }
        return BinlogCoordinates(file: file, offset: position)
    }
}
