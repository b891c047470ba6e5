import MySQLTypes

/// TABLE_MAP_EVENT with its optional metadata. One reference: every row that waits keeps its map.
public struct TableMap: Hashable, Sendable, Codable {
    private let storage: Storage

    private final class Storage: Sendable {
        let content: Content
        init(_ content: Content) { self.content = content }
    }

    struct Content: Hashable, Sendable, Codable {
        typealias Column = TableMap.Column
        var tableID: UInt64
        var flags: UInt16
        var schema: String
        var table: String
        var columns: [Column]
        var primaryKey: [Int]?
        var primaryKeyPrefixes: [Int]?
    }

    public var tableID: UInt64 { storage.content.tableID }
    public var flags: UInt16 { storage.content.flags }
    public var schema: String { storage.content.schema }
    public var table: String { storage.content.table }
    public var columns: [Column] { storage.content.columns }
    /// Positions of the primary key's columns, nil where the metadata has none.
    public var primaryKey: [Int]? { storage.content.primaryKey }
    /// Per primary key column the length of its prefix in characters, 0 for the whole column; nil where the key has
    /// no prefix.
    public var primaryKeyPrefixes: [Int]? { storage.content.primaryKeyPrefixes }

    public struct Column: Hashable, Sendable, Codable {
        /// The real type: ENUM and SET, which the log carries inside STRING, appear as themselves.
        public var type: MySQLFieldType
        /// The metadata bytes of the type as a number: one-byte metadata as it is; VARCHAR and BIT little-endian; STRING, ENUM,
        /// SET and NEWDECIMAL with the first byte in the high half (real type or precision), as the server holds
        /// them. 0 for types without.
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
        /// Greatest number of elements of a VECTOR.
        public var vectorDimension: UInt32?

        public init(type: MySQLFieldType, metadata: UInt16, isNullable: Bool) {
            self.type = type
            self.metadata = metadata
            self.isNullable = isNullable
        }

        /// Bytes that a CHAR or BINARY column may take. In STRING metadata bits 8 and 9 of the length are hidden,
        /// inverted, in bits 4 and 5 of the real type.
        /// Source: MySQL source documentation, `Field_string::do_save_field_metadata`.
        var stringLength: Int { Int(metadata & 0xff) | Int((metadata >> 4 & 0x300) ^ 0x300) }

        /// Length of a BINARY(n) column, whose trailing zero bytes the log leaves out; 0 for every other type.
        public var binaryLength: Int { type == .string && collationID == 63 ? stringLength : 0 }

        /// Bytes of an ENUM or SET value.
        var packLength: Int { Int(metadata & 0xff) }

        /// Whether the signedness metadata has a bit for the column: YEAR has one too (seen on MySQL 9.7).
        var isNumeric: Bool {
            switch type {
            case .tiny, .short, .int24, .long, .longlong, .newdecimal, .float, .double, .year: true
            default: false
            }
        }

        var isCharacter: Bool {
            switch type {
            case .string, .varString, .varchar, .blob, .tinyBlob, .mediumBlob, .longBlob, .blobCompressed, .varcharCompressed: true
            default: false
            }
        }

        var isEnumOrSet: Bool { type == .enumeration || type == .set }
    }

    public init(tableID: UInt64, flags: UInt16, schema: String, table: String, columns: [Column]) {
        self.init(Content(tableID: tableID, flags: flags, schema: schema, table: table, columns: columns))
    }

    init(_ content: Content) { storage = Storage(content) }

    public init(from decoder: any Decoder) throws { self.init(try Content(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try storage.content.encode(to: encoder) }
    public static func == (left: TableMap, right: TableMap) -> Bool {
        left.storage === right.storage || left.storage.content == right.storage.content
    }
    public func hash(into hasher: inout Hasher) { storage.content.hash(into: &hasher) }
}
