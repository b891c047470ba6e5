import MySQLBinlog
import MySQLTypes

/// Everything the applier needs to turn row images of one source table into statements on its target table.
package struct TableShape: Sendable {
    package var source: TableDefinition
    package var target: TableName
    /// Columns written, in table order: all but generated ones.
    package var writable: [ColumnDefinition]
    /// Positions of the row key's columns; empty: keyless.
    package var key: [Int]
    /// Positions of all columns of secondary unique keys.
    package var uniqueColumns: [Int]
    /// Positions of columns whose change goes through delete and insert: those of `uniqueColumns`, and JSON ones, where the
    /// server takes an update of 1 to 1.0 for no change and keeps the old text (measured).
    package var rewrittenColumns: [Int]
    package var hasJSON: Bool
    /// A secondary unique key has a functional part or covers generated columns: its value is not in what is written.
    package var rewriteUpdates: Bool
    /// `INSERT … AS new ON DUPLICATE KEY UPDATE c = new.c` (MySQL 8.0.19+) or `VALUES(c)` (MariaDB, older MySQL).
    package var rowAlias: Bool
    /// The target keeps JSON as text (MariaDB): what the source prints goes as it is.
    package var jsonIsText: Bool

    package init(source: TableDefinition, target: TableName, rowAlias: Bool, jsonIsText: Bool = false) {
        self.source = source
        self.target = target
        writable = source.writableColumns
        key = source.rowKey?.columns ?? []
        var unique: Set<Int> = []
        var rewrite = false
        for index in source.secondaryUnique {
            if index.hasFunctionalParts || index.columns.contains(where: { source.columns[$0].isGenerated }) { rewrite = true }
            unique.formUnion(index.columns)
        }
        uniqueColumns = unique.sorted()
        // So do columns that MariaDB packs: their bytes may differ where the value does not.
        let packed = source.columns.filter { $0.columnType.contains("COMPRESSED") }.map(\.position)
        let json = source.columns.filter { $0.dataType == "json" && !$0.isGenerated }.map(\.position)
        hasJSON = !json.isEmpty
        rewrittenColumns = unique.union(json).union(packed).sorted()
        rewriteUpdates = rewrite
        self.rowAlias = rowAlias
        self.jsonIsText = jsonIsText
    }

    package var isKeyless: Bool { key.isEmpty }

    /// Bytes that are equal exactly when all key columns' stored bytes are equal.
    package func keyBytes(of image: RowImage) -> [UInt8] {
        var bytes: [UInt8] = []
        for position in key {
            let range = image.ranges[position]
            let length = UInt32(range.count)
            for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
            bytes.append(contentsOf: image.bytes[range])
        }
        return bytes
    }

    /// In what the event's table is not the one that was read, nil if in nothing that the event shows.
    package func layoutDifference(from event: RowsEvent) -> String? {
        guard event.map.columns.count == source.columns.count else {
            return "the event has \(event.map.columns.count) columns, the table as Godwit read it has \(source.columns.count)"
        }
        for (mapped, column) in zip(event.map.columns, source.columns) {
            if let name = mapped.name, name != column.name {
                return "the event's column \(name) stands where the table as Godwit read it has \(column.name)"
            }
            guard Self.fits(mapped, column) else {
                return "the event's column \(column.name) has the type \(mapped.type) (\(mapped.metadata)), the table as Godwit read it \(column.columnType)"
            }
        }
        return nil
    }

    private static let blobs: Set<MySQLFieldType> = [.blob, .blobCompressed]

    /// Field types of the log by DATA_TYPE; both generations of the temporal ones.
    private static let types: [String: Set<MySQLFieldType>] = [
        "tinyint": [.tiny], "smallint": [.short], "mediumint": [.int24], "int": [.long], "bigint": [.longlong],
        "float": [.float], "double": [.double], "decimal": [.newdecimal], "bit": [.bit], "year": [.year],
        "date": [.date, .newdate], "time": [.time, .time2], "datetime": [.datetime, .datetime2],
        "timestamp": [.timestamp, .timestamp2], "char": [.string], "binary": [.string], "varchar": [.varchar, .varcharCompressed],
        "varbinary": [.varchar, .varcharCompressed], "uuid": [.string], "inet6": [.string], "inet4": [.string], "enum": [.enumeration], "set": [.set], "json": [.json, .longBlob, .blob],
        "tinytext": blobs, "text": blobs, "mediumtext": blobs, "longtext": blobs,
        "tinyblob": blobs, "blob": blobs, "mediumblob": blobs, "longblob": blobs, "vector": [.vector],
    ]

    private static func fits(_ mapped: TableMap.Column, _ column: ColumnDefinition) -> Bool {
        if let expected = types[column.dataType], !expected.contains(mapped.type) { return false }
        switch mapped.type {
        case .varchar: return column.octetLength.map { $0 == UInt64(mapped.metadata) } ?? true
        case .newdecimal:
            guard let precision = column.numericPrecision, let scale = column.numericScale else { return true }
            return Int(mapped.metadata >> 8) == precision && Int(mapped.metadata & 0xFF) == scale
        default: return true
        }
    }

    /// Why this row image cannot be applied as it is, nil if it can: every column must be in it.
    package func refusal(of event: RowsEvent) -> String? {
        if event.isPartial {
            return "the event carries partial JSON changes (binlog_row_value_options=PARTIAL_JSON in some session)"
        }
        for (mapped, column) in zip(event.map.columns, source.columns) where (column.datetimePrecision ?? 0) > 0 {
            // MariaDB before 10.1, or with mysql56_temporal_format=OFF: the log does not say how long such a value is.
            if [.time, .datetime, .timestamp].contains(mapped.type) {
                return "column \(column.name) is stored in the format of MariaDB 5.3 (ALTER TABLE … FORCE with mysql56_temporal_format=ON on the source changes it)"
            }
        }
        let whole = { (present: [Bool]) in present.allSatisfy { $0 } }
        let isPartialImage = switch event.kind {
        case .insert: !whole(event.afterColumns)
        case .delete: !whole(event.beforeColumns)
        case .update: !whole(event.beforeColumns) || !whole(event.afterColumns)
        }
        return isPartialImage ? "the event carries only part of the columns (binlog_row_image is not FULL in some session)" : nil
    }
}

/// A row image with what decoding it needs.
package struct ImageRow: RowContent {
    package var image: RowImage
    package var map: TableMap

    package init(image: RowImage, map: TableMap) {
        self.image = image
        self.map = map
    }

    package func hasSameContent(as other: ImageRow) -> Bool {
        hasSameContent(as: other, in: Array(image.ranges.indices))
    }

    package func hasSameContent(as other: ImageRow, in columns: [Int]) -> Bool {
        for column in columns {
            guard image.nulls[column] == other.image.nulls[column] else { return false }
            if image.nulls[column] { continue }
            guard image.bytes[image.ranges[column]].elementsEqual(other.image.bytes[other.image.ranges[column]]) else {
                return false
            }
        }
        return true
    }

    /// Bytes of the image in its event.
    package var byteCount: Int {
        image.ranges.reduce(0) { $0 + $1.count }
    }

    package func value(_ column: ColumnDefinition) throws -> MySQLValue {
        if image.nulls[column.position] { return .null }
        let value = try image.value(at: column.position, in: map, isUnsigned: column.isUnsigned)
        guard case .bytes(let bytes) = value, let text = MariaDBText.text(bytes, dataType: column.dataType) else { return value }
        return .bytes(Array(text.utf8))
    }

    /// Writes the literal for VALUES and SET. Stored bytes go straight from the event into the statement: a row may be as large as
    /// a packet, and a copy of it would stand beside both.
    package func appendLiteral(_ column: ColumnDefinition, jsonIsText: Bool = false, to sql: inout SQLBuffer) throws {
        if MariaDBText.width(of: column.dataType) != nil {
            try ValueLiteral.appendKey(value(column), column: column, to: &sql)
        } else if let range = try image.byteRange(at: column.position, in: map) {
            sql.appendQuoted(image.bytes[range], introducer: "_binary")
        } else if Fault.loseNull.isOn, image.nulls[column.position] {
            sql.append("0")
        } else {
            let value = try value(column)
            if case .enumeration(0) = value { return sql.append("'\(try EnumZero.text(column))'") }
            try ValueLiteral.append(value, jsonIsText: jsonIsText, to: &sql)
        }
    }
}
