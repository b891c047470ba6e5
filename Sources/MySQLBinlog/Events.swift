import MySQLTypes

/// The nineteen bytes in front of every event.
public struct EventHeader: Hashable, Sendable {
    public var timestamp: UInt32
    public var type: UInt8
    public var serverID: UInt32
    /// Whole event with header and checksum, bytes.
    public var size: UInt32
    /// Offset of the next event in the source's file; 0 for events made up by the dump thread or inside a payload.
    public var nextPosition: UInt32
    public var flags: UInt16
    /// LOG_EVENT_IGNORABLE_F: a reader that does not know the type may pass over it.
    public var isIgnorable: Bool { flags & 0x80 != 0 }
    /// LOG_EVENT_ARTIFICIAL_F: made up by the dump thread, not in the file.
    public var isArtificial: Bool { flags & 0x20 != 0 }
    public init(timestamp: UInt32, type: UInt8, serverID: UInt32, size: UInt32, nextPosition: UInt32, flags: UInt16) {
        self.timestamp = timestamp
        self.type = type
        self.serverID = serverID
        self.size = size
        self.nextPosition = nextPosition
        self.flags = flags
    }
}

public struct BinlogEvent: Sendable {
    public var header: EventHeader
    public var body: Body

    public enum Body: Sendable {
        case formatDescription(FormatDescription)
        case rotate(BinlogCoordinates)
        case previousGTIDs(GTIDSet)
        /// GTID_LOG, GTID_TAGGED_LOG (gtid set) and ANONYMOUS_GTID_LOG (gtid nil).
        case gtid(GTIDEvent)
        case query(QueryEvent)
        /// Commit of an InnoDB transaction.
        case xid(UInt64)
        case tableMap(TableMap)
        case rows(RowsEvent)
        case rowsQuery(String)
        /// Heartbeat; the coordinates where the event carries them.
        case heartbeat(BinlogCoordinates?)
        /// Compressed transaction: its events come from the payload's `reader()`, one at a time.
        case transactionPayload(TransactionPayload)
        case xaPrepare(XAPrepare)
        /// MariaDB: opens a transaction.
        case mariaGTID(MariaDBGTIDEvent)
        /// MariaDB: the last transaction of each domain and server before this place.
        case mariaGTIDList([MariaDBGTID])
        /// MariaDB: every transaction in older files than this one is in the engines.
        case binlogCheckpoint(file: String)
        /// MariaDB: what follows in the file is encrypted. A server decrypts what it streams.
        case startEncryption
        case stop
        /// An event that the log marks ignorable and this decoder does not interpret.
        case ignorable
        /// Known to exist, not interpreted, not ignorable: name it and stop if it can touch an included table.
        case unsupported(name: String)
    }
    public init(header: EventHeader, body: Body) {
        self.header = header
        self.body = body
    }
}

public struct FormatDescription: Hashable, Sendable {
    public var binlogVersion: UInt16
    public var serverVersion: String
    public var hasChecksum: Bool
    /// Fixed part of each event type's body, bytes; index 0 is type 1. Aurora lists 100 types.
    public var postHeaderLengths: [UInt8]
    public init(binlogVersion: UInt16, serverVersion: String, hasChecksum: Bool, postHeaderLengths: [UInt8] = []) {
        self.binlogVersion = binlogVersion
        self.serverVersion = serverVersion
        self.hasChecksum = hasChecksum
        self.postHeaderLengths = postHeaderLengths
    }
    /// Length for event type `type`, nil where the format does not list the type.
    public func postHeaderLength(of type: UInt8) -> Int? {
        type >= 1 && Int(type) <= postHeaderLengths.count ? Int(postHeaderLengths[Int(type) - 1]) : nil
    }
}

public struct GTIDEvent: Hashable, Sendable {
    /// nil for an anonymous transaction.
    public var gtid: GTID?
    /// Commit time on the server that wrote this log, microseconds since 1970 (0 where not carried).
    public var immediateCommitMicroseconds: UInt64
    public var originalCommitMicroseconds: UInt64
    public var lastCommitted: Int64
    public var sequenceNumber: Int64
    /// Bytes of the whole transaction, 0 where not carried.
    public var transactionLength: UInt64
    public init(
        gtid: GTID?, immediateCommitMicroseconds: UInt64, originalCommitMicroseconds: UInt64, lastCommitted: Int64,
        sequenceNumber: Int64, transactionLength: UInt64
    ) {
        self.gtid = gtid
        self.immediateCommitMicroseconds = immediateCommitMicroseconds
        self.originalCommitMicroseconds = originalCommitMicroseconds
        self.lastCommitted = lastCommitted
        self.sequenceNumber = sequenceNumber
        self.transactionLength = transactionLength
    }
}

public struct QueryEvent: Hashable, Sendable {
    public var threadID: UInt32
    public var executionSeconds: UInt32
    public var errorCode: UInt16
    public var schema: String
    /// The statement's bytes in the client character set named by the status variables.
    public var statement: [UInt8]
    public var status: QueryStatus
    public init(
        threadID: UInt32, executionSeconds: UInt32, errorCode: UInt16, schema: String, statement: [UInt8],
        status: QueryStatus
    ) {
        self.threadID = threadID
        self.executionSeconds = executionSeconds
        self.errorCode = errorCode
        self.schema = schema
        self.statement = statement
        self.status = status
    }
    /// The statement as text, bytes that are not UTF-8 replaced.
    public var text: String { String(decoding: statement, as: UTF8.self) }
}

/// Session state that travels with a statement. Source: MySQL source documentation, `Query_event_status_vars`.
public struct QueryStatus: Hashable, Sendable {
    public var flags2: UInt32?
    public var sqlMode: UInt64?
    public var catalog: String?
    public var autoIncrement: UInt16?
    public var autoIncrementOffset: UInt16?
    public var clientCharset: UInt16?
    public var connectionCollation: UInt16?
    public var serverCollation: UInt16?
    public var timeZone: String?
    public var databaseCollation: UInt16?
    public var defaultUTF8MB4Collation: UInt16?
    public var updatedDatabases: [String]?
    public var microseconds: UInt32?
    public var explicitDefaultsForTimestamp: Bool?
    public var ddlXid: UInt64?
    public var sqlRequirePrimaryKey: Bool?
    public var defaultTableEncryption: Bool?
    /// MySQL 9.7 and later: whether foreign-key cascades fire the child tables' triggers.
    public var enableCascadeTriggers: Bool?
    /// MariaDB 11.2 and later, `character_set_collations`: default collation by character set, both as collation numbers.
    public var characterSetCollations: [UInt16: UInt16]?
    /// Number in `lc_time_names`' list.
    public var timeNamesLocale: UInt16?
    /// Definer account of the statement, where the server logs one.
    public var invokerUser: String?
    public var invokerHost: String?
    /// Code of the first variable that this decoder does not know. The format has no lengths, so the variables behind
    /// it are unread; a reader that replays the statement should stop here.
    public var unknownVariable: UInt8?
    public init() {}
}

public struct XAPrepare: Hashable, Sendable {
    public var onePhase: Bool
    public var formatID: Int32
    public var globalID: [UInt8]
    public var branch: [UInt8]
    public init(onePhase: Bool, formatID: Int32, globalID: [UInt8], branch: [UInt8]) {
        self.onePhase = onePhase
        self.formatID = formatID
        self.globalID = globalID
        self.branch = branch
    }
}
