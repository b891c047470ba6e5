import MySQLTypes

// Body: table id (6; 4 with a post-header of 6), flags (2), version 2 only: extra data with its own length (2, counting
// itself); number of columns, columns-present bits (updates: of both images), rows.
// Source: MySQL source documentation, class `Rows_event`.

extension RowsEvent {
    struct Shape {
        var kind: Kind
        var hasExtraData: Bool
        var isPartial = false
        /// MariaDB's `log_bin_compress`: everything behind the columns-present bits is packed.
        var isCompressed = false
    }

    static func shape(of type: EventType) -> Shape? {
        switch type {
        case .writeRowsV1: Shape(kind: .insert, hasExtraData: false)
        case .updateRowsV1: Shape(kind: .update, hasExtraData: false)
        case .deleteRowsV1: Shape(kind: .delete, hasExtraData: false)
        case .writeRows: Shape(kind: .insert, hasExtraData: true)
        case .updateRows: Shape(kind: .update, hasExtraData: true)
        case .deleteRows: Shape(kind: .delete, hasExtraData: true)
        case .partialUpdateRows: Shape(kind: .update, hasExtraData: true, isPartial: true)
        case .mariaWriteRowsCompressedV1: Shape(kind: .insert, hasExtraData: false, isCompressed: true)
        case .mariaUpdateRowsCompressedV1: Shape(kind: .update, hasExtraData: false, isCompressed: true)
        case .mariaDeleteRowsCompressedV1: Shape(kind: .delete, hasExtraData: false, isCompressed: true)
        case .mariaWriteRowsCompressed: Shape(kind: .insert, hasExtraData: true, isCompressed: true)
        case .mariaUpdateRowsCompressed: Shape(kind: .update, hasExtraData: true, isCompressed: true)
        case .mariaDeleteRowsCompressed: Shape(kind: .delete, hasExtraData: true, isCompressed: true)
        default: nil
        }
    }

    /// `limit`: bytes that packed rows may take unpacked. `table` finds the map of a table id.
    static func decode(
        _ cursor: inout ByteCursor, shape: Shape, idSize: Int, limit: Int, tables: [UInt64: TableMap]
    ) throws(BinlogError) -> BinlogEvent.Body {
        let id = try cursor.uint(idSize, "table id")
        let flags = try cursor.u16("rows flags")
        var partition: UInt16?
        var sourcePartition: UInt16?
        if shape.hasExtraData {
            let size = Int(try cursor.u16("extra data length"))
            guard size >= 2 else { throw cursor.failure("extra data length \(size) does not count itself") }
            let range = try cursor.range(size - 2, "extra data")
            var extra = ByteCursor(cursor.bytes, from: range.lowerBound, to: range.upperBound, base: cursor.base)
            (partition, sourcePartition) = try partitions(&extra, kind: shape.kind)
        }
        let count = try cursor.lengthEncoded("number of columns")
        guard count <= TableMap.maximumColumns else { throw cursor.failure("rows of \(count) columns") }
        let first = try columnBits(&cursor, Int(count))
        let second = shape.kind == .update ? try columnBits(&cursor, Int(count)) : []
        guard let map = tables[id] else {
            // The server ends a statement whose tables are all filtered with an empty event for a dummy table.
            if cursor.isAtEnd, flags & 1 != 0 { return .ignorable }
            throw cursor.failure("rows of table id \(id), which no table map event has introduced")
        }
        guard map.columns.count == Int(count) else {
            throw cursor.failure("rows of \(count) columns for \(map.schema).\(map.table), which has \(map.columns.count)")
        }
        let (bytes, rows) = shape.isCompressed
            ? try unpacked(&cursor, limit) : (cursor.bytes, cursor.position..<cursor.end)
        var event = RowsEvent(
            kind: shape.kind, flags: flags, map: map, isPartial: shape.isPartial,
            beforeColumns: shape.kind == .insert ? [] : first,
            afterColumns: shape.kind == .insert ? first : second,
            bytes: bytes, rowsRange: rows)
        event.offset = cursor.base
        event.partitionID = partition
        event.sourcePartitionID = sourcePartition
        return .rows(event)
    }

    private static func unpacked(_ cursor: inout ByteCursor, _ limit: Int) throws(BinlogError) -> ([UInt8], Range<Int>) {
        let rows = try MariaDBCompression.inflateEvent(&cursor, limit: limit)
        return (rows, 0..<rows.count)
    }

    private static func columnBits(_ cursor: inout ByteCursor, _ count: Int) throws(BinlogError) -> [Bool] {
        let range = try cursor.range((count + 7) / 8, "columns-present bits")
        return (0..<count).map { ByteCursor.bit($0, of: cursor.bytes, at: range.lowerBound) }
    }

    /// Extra data: type 0 is for NDB (length byte that counts itself and a format byte), type 1 the partition (for updates
    /// of the after, then of the before image).
    private static func partitions(
        _ extra: inout ByteCursor, kind: Kind
    ) throws(BinlogError) -> (UInt16?, UInt16?) {
        var partition: UInt16?
        var source: UInt16?
        while !extra.isAtEnd {
            switch try extra.u8("extra data type") {
            case 0:
                let length = Int(try extra.u8("NDB data length"))
                guard length >= 1 else { throw extra.failure("NDB data length \(length) does not count itself") }
                try extra.skip(length - 1, "NDB data")
            case 1:
                partition = try extra.u16("partition")
                if kind == .update { source = try extra.u16("source partition") }
            case let type:
                throw extra.failure("extra data of unknown type \(type)")
            }
        }
        return (partition, source)
    }
}
