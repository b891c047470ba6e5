import MySQLTypes
import NIOCore

/// The OK packet that ends a statement without rows.
public struct MySQLOK: Sendable, Hashable {
    public var affectedRows: UInt64
    public var lastInsertID: UInt64
    public var statusFlags: UInt16
    public var warnings: UInt16
    /// For example `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`.
    public var info: String
    public init(affectedRows: UInt64, lastInsertID: UInt64, statusFlags: UInt16, warnings: UInt16, info: String) {
        self.affectedRows = affectedRows
        self.lastInsertID = lastInsertID
        self.statusFlags = statusFlags
        self.warnings = warnings
        self.info = info
    }
}

public struct MySQLColumn: Sendable, Hashable {
    public var schema: String
    public var table: String
    public var name: String
    public var originalName: String
    public var collationID: UInt16
    public var type: MySQLFieldType
    public var flags: UInt16
    public var length: UInt32
    public var decimals: UInt8
    public init(
        schema: String, table: String, name: String, originalName: String, collationID: UInt16, type: MySQLFieldType,
        flags: UInt16, length: UInt32, decimals: UInt8
    ) {
        self.schema = schema
        self.table = table
        self.name = name
        self.originalName = originalName
        self.collationID = collationID
        self.type = type
        self.flags = flags
        self.length = length
        self.decimals = decimals
    }
}

/// One row of a collected text result.
public struct MySQLRow: Sendable, Hashable {
    /// nil is NULL; bytes as the server sent them.
    public var values: [[UInt8]?]
    public init(values: [[UInt8]?]) { self.values = values }
    public func bytes(_ index: Int) -> [UInt8]? { values[index] }
    public func string(_ index: Int) -> String? { values[index].map { String(decoding: $0, as: UTF8.self) } }
    public func int(_ index: Int) -> Int64? { string(index).flatMap { Int64($0) } }
    public func uint(_ index: Int) -> UInt64? { string(index).flatMap { UInt64($0) } }
}

public struct MySQLResult: Sendable {
    public var columns: [MySQLColumn]
    public var rows: [MySQLRow]
    /// For statements without rows.
    public var ok: MySQLOK
    public init(columns: [MySQLColumn], rows: [MySQLRow], ok: MySQLOK) {
        self.columns = columns
        self.rows = rows
        self.ok = ok
    }
}

/// Row bytes as they came off the wire: text protocol row payloads end to end (length-encoded strings, 0xFB for NULL).
/// A row larger than a read spans several batches: what stands after the last end belongs to a row still open.
public struct MySQLRowBatch: Sendable {
    public var bytes: ByteBuffer
    /// Offsets (relative to the first readable byte of `bytes`) at which a row ends.
    public var rowEnds: [Int]
    public init(bytes: ByteBuffer, rowEnds: [Int]) {
        self.bytes = bytes
        self.rowEnds = rowEnds
    }
}
