import MySQLTypes

// GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT: flags (1), UUID (16), number (8); then, since 5.7, a 2 and the two logical
// timestamps (8 + 8); since 8.0 commit time (7; its top bit says that the original commit time, 7, follows), transaction
// length (length-encoded), server version (4; top bit: the original one follows), commit group ticket (8).
// GTID_TAGGED_LOG_EVENT: the same fields as a `mysql::serialization` message.
// Source: MySQL source documentation, class `Gtid_event`.

extension GTIDEvent {
    static func decode(_ cursor: inout ByteCursor, isAnonymous: Bool) throws(BinlogError) -> GTIDEvent {
        try cursor.skip(1, "GTID flags")
        guard let source = SourceUUID(bytes: try cursor.take(16, "UUID")) else { throw cursor.failure("no UUID") }
        let number = try cursor.u64("GTID number")
        let gtid = isAnonymous ? nil : try checked(source, "", number, cursor)
        var event = GTIDEvent(
            gtid: gtid, immediateCommitMicroseconds: 0, originalCommitMicroseconds: 0, lastCommitted: 0,
            sequenceNumber: 0, transactionLength: 0)
        guard !cursor.isAtEnd, try cursor.u8("logical timestamp type") == 2 else { return event }
        event.lastCommitted = Int64(bitPattern: try cursor.u64("last committed"))
        event.sequenceNumber = Int64(bitPattern: try cursor.u64("sequence number"))
        guard !cursor.isAtEnd else { return event }
        let hasOriginal: UInt64 = 1 << 55
        let commit = try cursor.uint(7, "commit time")
        event.immediateCommitMicroseconds = commit & ~hasOriginal
        event.originalCommitMicroseconds =
            commit & hasOriginal == 0 ? event.immediateCommitMicroseconds : try cursor.uint(7, "original commit time")
        guard !cursor.isAtEnd else { return event }
        event.transactionLength = try cursor.lengthEncoded("transaction length")
        return event
    }

    private static func checked(
        _ source: SourceUUID, _ tag: String, _ number: UInt64, _ cursor: ByteCursor
    ) throws(BinlogError) -> GTID {
        guard number >= 1, number <= UInt64(GTID.maximumNumber) else { throw cursor.failure("GTID number \(number) is out of range") }
        return GTID(source: source, tag: tag, number: Int64(number))
    }

    /// Message: format version, size, last field that must be known, then (field number, value) in rising order.
    static func decodeTagged(_ cursor: inout ByteCursor) throws(BinlogError) -> GTIDEvent {
        let start = cursor.position
        let version = try cursor.varint("serialization version")
        guard version == 1 else { throw cursor.failure("serialization version \(version)") }
        let size = try cursor.varint("message size")
        guard size <= UInt64(cursor.end - start) else { throw cursor.failure("truncated: the message takes \(size) bytes") }
        let lastNonIgnorable = try cursor.varint("last non-ignorable field")
        var message = ByteCursor(cursor.bytes, from: cursor.position, to: start + Int(size), base: cursor.base)
        cursor.position = start + Int(size)

        var source: SourceUUID?
        var number: Int64?
        var tag = ""
        var event = GTIDEvent(
            gtid: nil, immediateCommitMicroseconds: 0, originalCommitMicroseconds: 0, lastCommitted: 0,
            sequenceNumber: 0, transactionLength: 0)
        var original: UInt64?
        fields: while !message.isAtEnd {
            let field = try message.varint("field number")
            switch field {
            case 0: _ = try message.varint("GTID flags")
            case 1:
                var uuid: [UInt8] = []
                for _ in 0..<16 { uuid.append(UInt8(truncatingIfNeeded: try message.varint("UUID"))) }
                source = SourceUUID(bytes: uuid)
            case 2: number = try message.signedVarint("GTID number")
            case 3: tag = try self.tag(&message)
            case 4: event.lastCommitted = try message.signedVarint("last committed")
            case 5: event.sequenceNumber = try message.signedVarint("sequence number")
            case 6: event.immediateCommitMicroseconds = try message.varint("commit time")
            case 7: original = try message.varint("original commit time")
            case 8: event.transactionLength = try message.varint("transaction length")
            case 9: _ = try message.varint("server version")
            case 10: _ = try message.varint("original server version")
            case 11: _ = try message.varint("commit group ticket")
            default:
                // Fields have no length, so nothing behind an unknown one can be read; a newer server says here
                // whether a reader may do without it.
                guard field > lastNonIgnorable else { throw message.failure("field \(field) is unknown and may not be ignored") }
                break fields
            }
        }
        event.originalCommitMicroseconds = original ?? event.immediateCommitMicroseconds
        guard let source, let number else { throw message.failure("a tagged GTID without UUID or number") }
        event.gtid = try checked(source, tag, UInt64(bitPattern: number), message)
        return event
    }

    private static func tag(_ message: inout ByteCursor) throws(BinlogError) -> String {
        let length = try message.varint("tag length")
        guard length <= 32 else { throw message.failure("a tag of \(length) bytes") }
        if length == 0 { return "" }
        guard let tag = GTIDSet.normalizedTag(try message.take(Int(length), "tag")) else { throw message.failure("no tag") }
        return tag
    }
}

extension GTIDSet {
    /// PREVIOUS_GTIDS_LOG_EVENT: nothing but the set.
    static func decodeEvent(_ cursor: inout ByteCursor) throws(BinlogError) -> GTIDSet {
        do throws(GTIDParseError) {
            return try GTIDSet(decodingDump: Array(cursor.bytes[cursor.position..<cursor.end]))
        } catch {
            throw cursor.failure(error.description)
        }
    }
}

extension XAPrepare {
    /// One phase (1), format (4), lengths of both parts of the XID (4 + 4), the parts.
    static func decode(_ cursor: inout ByteCursor) throws(BinlogError) -> XAPrepare {
        let onePhase = try cursor.u8("one-phase flag") != 0
        let format = Int32(bitPattern: try cursor.u32("XID format"))
        let global = Int(try cursor.u32("XID length"))
        let branch = Int(try cursor.u32("XID length"))
        guard global <= 64, branch <= 64 else { throw cursor.failure("an XID of \(global) + \(branch) bytes") }
        return XAPrepare(
            onePhase: onePhase, formatID: format, globalID: try cursor.take(global, "XID"),
            branch: try cursor.take(branch, "XID branch"))
    }
}
