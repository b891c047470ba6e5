import MySQLTypes

// Body: table id (6; 4 with a post-header of 6), flags (2), schema (length byte, bytes, zero), table (the same), number of
// columns, type bytes, metadata block, nullability bits, optional metadata.
// Source: MySQL source documentation, class `Table_map_event`.

extension TableMap {
    /// Columns of one table: the server's limit.
    static let maximumColumns: UInt64 = 4096

    static func decode(_ cursor: inout ByteCursor, idSize: Int, postHeader: Int) throws(BinlogError) -> TableMap {
        let start = cursor.position
        let id = try cursor.uint(idSize, "table id")
        let flags = try cursor.u16("table map flags")
        if postHeader > idSize + 2 { try cursor.skip(postHeader - (cursor.position - start), "table map post-header") }
        let schema = try cursor.text(Int(try cursor.u8("schema name length")), "schema name")
        try cursor.zero("schema name")
        let table = try cursor.text(Int(try cursor.u8("table name length")), "table name")
        try cursor.zero("table name")
        let count = try cursor.lengthEncoded("number of columns")
        guard count <= maximumColumns else { throw cursor.failure("\(schema).\(table) has \(count) columns") }
        let types = try cursor.range(Int(count), "column types")
        let metadataSize = try cursor.length("column metadata")
        let metadataEnd = cursor.position + metadataSize
        var metadata = ByteCursor(cursor.bytes, from: cursor.position, to: metadataEnd, base: cursor.base)
        var columns: [Column] = []
        columns.reserveCapacity(Int(count))
        for place in types {
            columns.append(try column(typeCode: cursor.bytes[place], &metadata, in: "\(schema).\(table)", at: place - types.lowerBound))
        }
        guard metadata.isAtEnd else { throw metadata.failure("column metadata is longer than its columns need") }
        cursor.position = metadataEnd
        let nullable = try cursor.range((Int(count) + 7) / 8, "nullability bits")
        for place in columns.indices {
            columns[place].isNullable = ByteCursor.bit(place, of: cursor.bytes, at: nullable.lowerBound)
        }
        var map = Content(tableID: id, flags: flags, schema: schema, table: table, columns: columns)
        try map.readOptionalMetadata(&cursor)
        return TableMap(map)
    }

    private static func column(
        typeCode: UInt8, _ cursor: inout ByteCursor, in table: String, at place: Int
    ) throws(BinlogError) -> Column {
        guard var type = MySQLFieldType(rawValue: typeCode) else {
            throw cursor.failure("column \(place + 1) of \(table) has unknown type \(typeCode)")
        }
        var metadata: UInt16 = 0
        let what = "type metadata"
        switch type {
        case .float, .double, .tinyBlob, .mediumBlob, .longBlob, .blob, .json, .geometry, .vector, .timestamp2, .datetime2, .time2,
            .blobCompressed:
            metadata = UInt16(try cursor.u8(what))
        case .varchar, .varcharCompressed, .bit:
            metadata = try cursor.u16(what)
        case .string, .varString, .enumeration, .set, .newdecimal:
            metadata = UInt16(try cursor.u8(what)) << 8
            metadata |= UInt16(try cursor.u8(what))
        case .typedArray:
            // Element type, then that type's own metadata; VARCHAR's has three bytes here. Values are JSON arrays.
            let element = MySQLFieldType(rawValue: try cursor.u8(what))
            switch element {
            case .varchar: try cursor.skip(3, what)
            case .newdecimal: try cursor.skip(2, what)
            case .time2, .datetime2, .timestamp2, .float, .double, .json: try cursor.skip(1, what)
            case .longlong, .newdate, .date, .long: break
            default: throw cursor.failure("column \(place + 1) of \(table) is an array of an unknown type")
            }
        case .decimal, .tiny, .short, .long, .null, .timestamp, .longlong, .int24, .date, .time, .datetime, .year, .newdate: break
        case .invalid, .bool:
            throw cursor.failure("column \(place + 1) of \(table) has type \(typeCode), which no table has")
        }
        if type == .string {
            // ENUM and SET travel inside STRING; only where bits 4 and 5 are both set is the byte the type as it is.
            switch UInt8(metadata >> 8) {
            case MySQLFieldType.enumeration.rawValue: type = .enumeration
            case MySQLFieldType.set.rawValue: type = .set
            default: break
            }
        }
        return Column(type: type, metadata: metadata, isNullable: false)
    }
}
