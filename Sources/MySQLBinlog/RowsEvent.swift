import MySQLTypes

/// WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS, versions 1 and 2, and PARTIAL_UPDATE_ROWS.
public struct RowsEvent: Sendable {
    public enum Kind: String, Sendable, Hashable, Codable { case insert, update, delete }
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
    /// Where `bytes` starts in the file or stream: for error messages.
    public var offset: UInt64 = 0
    /// Partition of the rows (of the after images, for updates), where the table is partitioned.
    public var partitionID: UInt16?
    /// Partition of an update's before images.
    public var sourcePartitionID: UInt16?

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
    /// The statement ran with foreign_key_checks=0, or this row was changed by a cascade.
    public var hasForeignKeyChecksOff: Bool { flags & 2 != 0 }
    /// The statement ran with unique_checks=0.
    public var hasUniqueChecksOff: Bool { flags & 4 != 0 }

    /// Calls `body` once for each row in order, with (before, after): (nil, row), (row, row) or (row, nil).
    /// Throws `BinlogError` on bytes that are no rows, and what `body` throws.
    public func forEachRow(_ body: (RowImage?, RowImage?) throws -> Void) throws {
        var reader = RowReader(event: self)
        while !reader.cursor.isAtEnd {
            switch kind {
            case .insert: try body(nil, try reader.image(afterColumns, mayBePartial: false))
            case .delete: try body(try reader.image(beforeColumns, mayBePartial: false), nil)
            case .update:
                let before = try reader.image(beforeColumns, mayBePartial: false)
                try body(before, try reader.image(afterColumns, mayBePartial: isPartial))
            }
        }
    }
}

/// One row image: where each present column's bytes lie in the event. A backlog holds millions of these: one reference beside the
/// event's bytes, eight bytes for each column.
public struct RowImage: Sendable {
    /// The whole event's bytes.
    public var bytes: [UInt8]
    /// Where `bytes` starts in the file or stream: for error messages.
    public var offset: UInt64 = 0
    /// Columns whose bytes are JSON diffs and no value; empty where no column's are.
    public var partials: [Bool] = []
    @usableFromInline var slots: [Slot]

    /// Where a column's bytes are: an event is no larger than 4 GiB (its length field has 32 bits).
    @usableFromInline struct Slot: Sendable {
        @usableFromInline var start: UInt32
        /// `absent` or `null` where there are no bytes.
        @usableFromInline var length: UInt32

        @usableFromInline init(start: UInt32, length: UInt32) {
            self.start = start
            self.length = length
        }

        @usableFromInline static var absent: Slot { Slot(start: 0, length: .max) }
        @usableFromInline static var null: Slot { Slot(start: 0, length: .max - 1) }
    }

    /// An image of so many columns, none of which it carries.
    public init(bytes: [UInt8], columns: Int) {
        self.bytes = bytes
        slots = [Slot](repeating: .absent, count: columns)
    }

    /// Columns of the table.
    @inlinable public var count: Int { slots.count }
    /// The image carries the column, as a value, NULL or JSON diffs.
    @inlinable public func isPresent(_ index: Int) -> Bool { slots[index].length != .max }
    /// The image carries the column, and it is NULL.
    @inlinable public func isNull(_ index: Int) -> Bool { slots[index].length == .max - 1 }
    /// It carries every column.
    public var isFull: Bool { !slots.contains { $0.length == .max } }

    /// The raw bytes without a length prefix; empty at NULL and absent columns.
    @inlinable public func range(_ index: Int) -> Range<Int> {
        let slot = slots[index]
        guard slot.length < .max - 1 else { return 0..<0 }
        return Int(slot.start)..<Int(slot.start) + Int(slot.length)
    }

    /// Says where in `bytes` the column's value is. nil: NULL.
    public mutating func set(_ index: Int, _ range: Range<Int>?) {
        // Checked: a position cut short would be another value's bytes. No event, unpacked or merged with an older row, comes near.
        slots[index] = range.map { Slot(start: UInt32($0.lowerBound), length: UInt32($0.count)) } ?? .null
    }

    public mutating func remove(_ index: Int) { slots[index] = .absent }

    /// Whether the column's bytes are JSON diffs, to be read with `jsonDiffs(at:)`.
    public func isPartial(_ index: Int) -> Bool { index < partials.count && partials[index] }
}

/// Walks over the row images of one rows event.
private struct RowReader {
    var cursor: ByteCursor
    let event: RowsEvent
    let jsonColumns: Int

    init(event: RowsEvent) {
        self.event = event
        cursor = ByteCursor(event.bytes, from: event.rowsRange.lowerBound, to: event.rowsRange.upperBound, base: event.offset)
        jsonColumns = event.isPartial ? event.map.columns.count(where: { $0.type == .json }) : 0
    }

    mutating func image(_ present: [Bool], mayBePartial: Bool) throws(BinlogError) -> RowImage {
        let columns = event.map.columns
        guard present.count == columns.count else {
            throw cursor.failure("the image has \(present.count) columns, \(event.map.schema).\(event.map.table) has \(columns.count)")
        }
        let start = cursor.position
        var partialBits = 0..<0
        if mayBePartial, try cursor.lengthEncoded("row value options") & 1 == 1 {
            partialBits = try cursor.range((jsonColumns + 7) / 8, "bits of partial columns")
        }
        let count = present.count(where: { $0 })
        let nullBits = try cursor.range((count + 7) / 8, "null bits")
        var image = RowImage(bytes: cursor.bytes, columns: columns.count)
        image.offset = cursor.base
        var place = 0
        var json = 0
        for index in columns.indices {
            var isPartial = false
            if !partialBits.isEmpty, columns[index].type == .json {
                isPartial = ByteCursor.bit(json, of: cursor.bytes, at: partialBits.lowerBound)
                json += 1
            }
            guard present[index] else { continue }
            defer { place += 1 }
            if ByteCursor.bit(place, of: cursor.bytes, at: nullBits.lowerBound) {
                image.set(index, nil)
                continue
            }
            if isPartial {
                if image.partials.isEmpty { image.partials = [Bool](repeating: false, count: columns.count) }
                image.partials[index] = true
            }
            image.set(index, try cursor.columnRange(columns[index]))
        }
        // An image of no bytes would be read for ever.
        guard cursor.position > start else { throw cursor.failure("rows of a table without columns") }
        return image
    }
}

extension ByteCursor {
    /// The bytes of one value, without its length prefix; moves behind it.
    mutating func columnRange(_ column: TableMap.Column) throws(BinlogError) -> Range<Int> {
        let metadata = Int(column.metadata)
        let size: Int
        switch column.type {
        case .tiny, .year: size = 1
        case .short: size = 2
        case .int24, .date, .newdate, .time: size = 3
        case .long, .float, .timestamp: size = 4
        case .longlong, .double, .datetime: size = 8
        case .timestamp2: size = 4 + (metadata + 1) / 2
        case .datetime2: size = 5 + (metadata + 1) / 2
        case .time2: size = 3 + (metadata + 1) / 2
        case .newdecimal:
            guard let bytes = DecimalCodec.size(precision: metadata >> 8, scale: metadata & 0xff) else {
                throw failure("DECIMAL(\(metadata >> 8),\(metadata & 0xff)) does not exist")
            }
            size = bytes
        case .bit: size = (metadata >> 8) + (metadata & 0xff == 0 ? 0 : 1)
        case .enumeration, .set: size = column.packLength
        case .varchar, .varcharCompressed, .varString: size = try prefixed(by: metadata > 255 ? 2 : 1)
        case .string: size = try prefixed(by: column.stringLength > 255 ? 2 : 1)
        case .tinyBlob, .mediumBlob, .longBlob, .blob, .geometry, .json, .vector, .blobCompressed:
            guard (1...4).contains(metadata) else { throw failure("a BLOB's length cannot take \(metadata) bytes") }
            size = try prefixed(by: metadata)
        case .typedArray: size = try prefixed(by: 4)
        case .null: size = 0
        case .decimal, .invalid, .bool: throw failure("values of type \(column.type) are not in any log of MySQL 5.0 or later")
        }
        return try range(size, "a value of type \(column.type)")
    }

    private mutating func prefixed(by count: Int) throws(BinlogError) -> Int { Int(try uint(count, "length of a value")) }
}
