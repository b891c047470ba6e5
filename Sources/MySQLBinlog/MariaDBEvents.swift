import MySQLTypes

/// MariaDB's GTID_EVENT: opens a transaction, or is a whole one together with the statement behind it.
/// Source: MariaDB manual, "GTID_EVENT"; MariaDB source, class `Gtid_log_event`.
public struct MariaDBGTIDEvent: Hashable, Sendable {
    public var gtid: MariaDBGTID
    /// FL_STANDALONE and the rest of the flags byte.
    public var flags: UInt8
    /// Extra flags of 10.6 and later, 0 where there are none.
    public var extraFlags: UInt8
    /// Same number: committed in one group.
    public var commitID: UInt64?
    /// The XA transaction that is prepared, committed or rolled back here.
    public var xid: XAPrepare?
    /// Sequence of the START ALTER that this COMMIT or ROLLBACK ALTER ends (`binlog_alter_two_phase`).
    public var startAlterSequence: UInt64?

    public init(
        gtid: MariaDBGTID, flags: UInt8, extraFlags: UInt8 = 0, commitID: UInt64? = nil, xid: XAPrepare? = nil,
        startAlterSequence: UInt64? = nil
    ) {
        self.gtid = gtid
        self.flags = flags
        self.extraFlags = extraFlags
        self.commitID = commitID
        self.xid = xid
        self.startAlterSequence = startAlterSequence
    }

    /// One statement without COMMIT follows.
    public var isStandalone: Bool { flags & 0x01 != 0 }
    /// All changes are to transactional tables: they can be rolled back.
    public var isTransactional: Bool { flags & 0x04 != 0 }
    public var isDDL: Bool { flags & 0x20 != 0 }
    /// The transaction ends in XA PREPARE.
    public var isPreparedXA: Bool { flags & 0x40 != 0 }
    /// XA COMMIT or XA ROLLBACK of one prepared before.
    public var isCompletedXA: Bool { flags & 0x80 != 0 }
    /// The first half of an ALTER in two phases: nothing has happened yet.
    public var isStartAlter: Bool { extraFlags & 0x02 != 0 }
    public var isCommitAlter: Bool { extraFlags & 0x04 != 0 }
    public var isRollbackAlter: Bool { extraFlags & 0x08 != 0 }

    static let knownExtraFlags: UInt8 = 0x1f
}

extension MariaDBGTIDEvent {
    /// Sequence (8), domain (4), flags (1); with flag 0x02 the commit id (8); with 0xc0 an XID: format (4), lengths (1 + 1), the parts.
    /// Then, unless the event is over, extra flags (1), with 1 a number of engines (1), with 0x0c a sequence (8), with 0x10 a thread (4);
    /// events without commit id are padded with zeros to 19 bytes.
    static func decode(_ cursor: inout ByteCursor, server: UInt32) throws(BinlogError) -> MariaDBGTIDEvent {
        let sequence = try cursor.u64("GTID sequence")
        let domain = try cursor.u32("GTID domain")
        var event = MariaDBGTIDEvent(
            gtid: MariaDBGTID(domain: domain, server: server, sequence: sequence), flags: try cursor.u8("GTID flags"))
        guard sequence > 0 else { throw cursor.failure("GTID sequence 0") }
        if event.flags & 0x02 != 0 { event.commitID = try cursor.u64("commit id") }
        if event.isPreparedXA || event.isCompletedXA {
            let format = Int32(bitPattern: try cursor.u32("XID format"))
            let global = Int(try cursor.u8("XID length"))
            let branch = Int(try cursor.u8("XID length"))
            guard global <= 64, branch <= 64 else { throw cursor.failure("an XID of \(global) + \(branch) bytes") }
            event.xid = XAPrepare(
                onePhase: false, formatID: format, globalID: try cursor.take(global, "XID"), branch: try cursor.take(branch, "XID branch"))
        }
        guard !cursor.isAtEnd else { return event }
        event.extraFlags = try cursor.u8("extra GTID flags")
        if event.extraFlags & 0x01 != 0 { try cursor.skip(1, "number of engines") }
        if event.isCommitAlter || event.isRollbackAlter { event.startAlterSequence = try cursor.u64("sequence of START ALTER") }
        return event
    }
}

extension MariaDBGTID {
    /// GTID_LIST_EVENT: count in the low 28 bits (4), then domain (4), server (4), sequence (8) each.
    static func decodeList(_ cursor: inout ByteCursor) throws(BinlogError) -> [MariaDBGTID] {
        let count = Int(try cursor.u32("number of GTIDs") & 0x0fff_ffff)
        guard count <= cursor.remaining / 16 else {
            throw cursor.failure("truncated: \(count) GTIDs do not fit in \(cursor.remaining) bytes")
        }
        var list: [MariaDBGTID] = []
        list.reserveCapacity(count)
        for _ in 0..<count {
            list.append(
                MariaDBGTID(
                    domain: try cursor.u32("GTID domain"), server: try cursor.u32("GTID server"), sequence: try cursor.u64("GTID sequence")))
        }
        return list
    }
}
