// Body: thread (4), execution seconds (4), schema length (1), error (2), length of the status variables (2), those,
// schema, zero, statement to the end.
// Source: MySQL source documentation, class `Query_event`.

extension QueryEvent {
    /// `packedLimit`: the statement is packed (MariaDB's QUERY_COMPRESSED) and may take so many bytes unpacked.
    static func decode(
        _ cursor: inout ByteCursor, postHeader: Int?, packedLimit: Int? = nil
    ) throws(BinlogError) -> QueryEvent {
        let start = cursor.position
        let thread = try cursor.u32("thread id")
        let seconds = try cursor.u32("execution time")
        let schemaLength = Int(try cursor.u8("schema length"))
        let error = try cursor.u16("error code")
        let statusLength = Int(try cursor.u16("length of status variables"))
        if let postHeader, postHeader > 13 { try cursor.skip(postHeader - (cursor.position - start), "query post-header") }
        let range = try cursor.range(statusLength, "status variables")
        var variables = ByteCursor(cursor.bytes, from: range.lowerBound, to: range.upperBound, base: cursor.base)
        let status = try QueryStatus.decode(&variables)
        let schema = try cursor.text(schemaLength, "schema name")
        try cursor.zero("schema name")
        let statement: [UInt8]
        if let packedLimit {
            statement = try MariaDBCompression.inflateEvent(&cursor, limit: packedLimit)
        } else {
            statement = try cursor.take(cursor.remaining, "statement")
        }
        return QueryEvent(
            threadID: thread, executionSeconds: seconds, errorCode: error, schema: schema,
            statement: statement, status: status)
    }
}

extension QueryStatus {
    /// More databases than the server names one by one.
    private static let tooManyDatabases: UInt8 = 254

    static func decode(_ cursor: inout ByteCursor) throws(BinlogError) -> QueryStatus {
        var status = QueryStatus()
        while !cursor.isAtEnd {
            let code = try cursor.u8("status variable")
            guard try status.read(code, &cursor) else {
                status.unknownVariable = code
                break
            }
        }
        return status
    }

    /// Reads one variable; false for an unknown code.
    private mutating func read(_ code: UInt8, _ cursor: inout ByteCursor) throws(BinlogError) -> Bool {
        let what = "status variable \(code)"
        switch code {
        case 0: flags2 = try cursor.u32(what)
        case 1: sqlMode = try cursor.u64(what)
        case 2:
            catalog = try cursor.text(Int(try cursor.u8(what)), what)
            try cursor.zero(what)
        case 3:
            autoIncrement = try cursor.u16(what)
            autoIncrementOffset = try cursor.u16(what)
        case 4:
            clientCharset = try cursor.u16(what)
            connectionCollation = try cursor.u16(what)
            serverCollation = try cursor.u16(what)
        case 5: timeZone = try cursor.text(Int(try cursor.u8(what)), what)
        case 6: catalog = try cursor.text(Int(try cursor.u8(what)), what)
        case 7: timeNamesLocale = try cursor.u16(what)
        case 8: databaseCollation = try cursor.u16(what)
        case 9: try cursor.skip(8, what)  // tables of a multi-table update, unused since 5.7
        case 10: try cursor.skip(4, what)  // size of the event on the source, unused
        case 11:
            invokerUser = try cursor.text(Int(try cursor.u8(what)), what)
            invokerHost = try cursor.text(Int(try cursor.u8(what)), what)
        case 12: try readDatabases(&cursor, what)
        case 13: microseconds = UInt32(try cursor.uint(3, what))
        case 14: try cursor.skip(4, what)  // commit parent of 5.6 labs releases
        case 15: try cursor.skip(8, what)  // its successor
        case 16: explicitDefaultsForTimestamp = try cursor.u8(what) != 0
        case 17: ddlXid = try cursor.u64(what)
        case 18: defaultUTF8MB4Collation = try cursor.u16(what)
        case 19: sqlRequirePrimaryKey = try cursor.u8(what) != 0
        case 20: defaultTableEncryption = try cursor.u8(what) != 0
        case 21: enableCascadeTriggers = try cursor.u8(what) != 0
        case 128: microseconds = UInt32(try cursor.uint(3, what))  // MariaDB
        case 129: ddlXid = try cursor.u64(what)  // MariaDB
        case 130:  // MariaDB: what its GTID event says too; COMMIT and ROLLBACK ALTER with a sequence
            if try cursor.u8(what) & 0x0c != 0 { try cursor.skip(8, what) }
        case 131:  // MariaDB 11.2: a default collation per character set
            let count = Int(try cursor.u8(what))
            var collations: [UInt16: UInt16] = [:]
            for _ in 0..<count {
                let characterSet = try cursor.u16(what)
                collations[characterSet] = try cursor.u16(what)
            }
            characterSetCollations = collations
        default: return false
        }
        return true
    }

    private mutating func readDatabases(_ cursor: inout ByteCursor, _ what: String) throws(BinlogError) {
        let count = try cursor.u8(what)
        if count == Self.tooManyDatabases { return }
        var names: [String] = []
        for _ in 0..<count {
            guard let end = cursor.bytes[cursor.position..<cursor.end].firstIndex(of: 0) else {
                throw cursor.failure("\(what) is not ended by a zero byte")
            }
            names.append(try cursor.text(end - cursor.position, what))
            try cursor.zero(what)
        }
        updatedDatabases = names
    }
}
