import MySQLTypes

/// Why binlog bytes could not be decoded, and where.
public struct BinlogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Offset in the file (or of the event in the stream) at which decoding failed.
    public var offset: UInt64
    public var reason: String
    public init(offset: UInt64, reason: String) {
        self.offset = offset
        self.reason = reason
    }
    public var description: String { "binlog byte \(offset): \(reason)" }
}

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
        /// Compressed transaction: the decoder has already expanded it into these events.
        case transactionPayload([BinlogEvent])
        case xaPrepare(XAPrepare)
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
    public init(binlogVersion: UInt16, serverVersion: String, hasChecksum: Bool) {
        self.binlogVersion = binlogVersion
        self.serverVersion = serverVersion
        self.hasChecksum = hasChecksum
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

/// TABLE_MAP_EVENT with its optional metadata.
public struct TableMap: Hashable, Sendable {
    public var tableID: UInt64
    public var flags: UInt16
    public var schema: String
    public var table: String
    public var columns: [Column]
    /// Positions of the primary key's columns, nil where the metadata has none.
    public var primaryKey: [Int]?

    public struct Column: Hashable, Sendable {
        public var type: MySQLFieldType
        /// The two metadata bytes of the type, as the event carries them (0 for types without).
        public var metadata: UInt16
        public var isNullable: Bool
        /// nil where the metadata carries no signedness (binlog_row_metadata always has it on MySQL 8.0.1+).
        public var isUnsigned: Bool?
        public var collationID: UInt32?
        public var name: String?
        /// Members of ENUM and SET, in the column's character set.
        public var members: [[UInt8]]?
        public var geometryType: UInt32?
        public var isVisible: Bool?
        public init(type: MySQLFieldType, metadata: UInt16, isNullable: Bool) {
            self.type = type
            self.metadata = metadata
            self.isNullable = isNullable
        }
    }
    public init(tableID: UInt64, flags: UInt16, schema: String, table: String, columns: [Column]) {
        self.tableID = tableID
        self.flags = flags
        self.schema = schema
        self.table = table
        self.columns = columns
    }
}

/// WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS, versions 1 and 2, and PARTIAL_UPDATE_ROWS.
public struct RowsEvent: Sendable {
    public enum Kind: String, Sendable, Hashable { case insert, update, delete }
    public var kind: Kind
    public var flags: UInt16
    public var map: TableMap
    /// PARTIAL_UPDATE_ROWS: JSON columns may hold diffs.
    public var isPartial: Bool
    /// True for every column whose value the before image carries (empty for inserts).
    public var beforeColumns: [Bool]
    public var afterColumns: [Bool]
    /// The whole event; row images are views of it.
    public var bytes: [UInt8]
    /// Range of the rows in `bytes`.
    public var rowsRange: Range<Int>

    public init(
        kind: Kind, flags: UInt16, map: TableMap, isPartial: Bool, beforeColumns: [Bool], afterColumns: [Bool],
        bytes: [UInt8], rowsRange: Range<Int>
    ) {
        self.kind = kind
        self.flags = flags
        self.map = map
        self.isPartial = isPartial
        self.beforeColumns = beforeColumns
        self.afterColumns = afterColumns
        self.bytes = bytes
        self.rowsRange = rowsRange
    }

    /// Statement end: the last rows event of its statement.
    public var isStatementEnd: Bool { flags & 1 != 0 }

    /// Calls `body` once for each row in order, with (before, after): (nil, row), (row, row) or (row, nil).
    public func forEachRow(_ body: (RowImage?, RowImage?) throws -> Void) throws {}
}

/// One row image: where each present column's bytes lie in the event.
public struct RowImage: Sendable {
    /// The whole event's bytes.
    public var bytes: [UInt8]
    /// Per table column: the range of its raw bytes; empty range at NULL or absent columns.
    public var ranges: [Range<Int>]
    public var nulls: [Bool]
    public var present: [Bool]
    public init(bytes: [UInt8], ranges: [Range<Int>], nulls: [Bool], present: [Bool]) {
        self.bytes = bytes
        self.ranges = ranges
        self.nulls = nulls
        self.present = present
    }
    /// The value of column `index` (position in the table map). Throws `BinlogError` on bytes that are no value.
    /// `isUnsigned` overrides the metadata where that has none.
    public func value(at index: Int, in map: TableMap, isUnsigned: Bool? = nil) throws -> MySQLValue { .null }
}

/// Decodes whole events, one at a time, and remembers format description and table maps. Pure: no I/O.
public struct BinlogDecoder: Sendable {
    /// Upper bound of one decompressed transaction payload, bytes. Beyond it the payload is a typed error.
    public var payloadLimit: Int
    public init(payloadLimit: Int = 1 << 30) { self.payloadLimit = payloadLimit }
    /// The checksum setting before the first format description: a dump stream negotiates it, a file starts without.
    public var hasChecksum: Bool = false
    /// `event`: header, body and, where the format says so, the CRC32. `offset` is for error messages only.
    public mutating func decode(_ event: [UInt8], offset: UInt64 = 0) throws(BinlogError) -> BinlogEvent {
        throw BinlogError(offset: offset, reason: "skeleton")
    }
}

/// MySQL's binary JSON rendered as the server renders it.
public enum BinaryJSON {
    public static func render(_ bytes: [UInt8]) throws(BinlogError) -> String { throw BinlogError(offset: 0, reason: "skeleton") }
}
