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
    /// A secondary unique key has a functional part or covers generated columns: its value is not in what is written. Or the table is
    /// system-versioned.
    package var rewriteUpdates: Bool
    /// `INSERT … AS new ON DUPLICATE KEY UPDATE c = new.c` (MySQL 8.0.19+) or `VALUES(c)` (MariaDB, older MySQL).
    package var rowAlias: Bool
    /// The target keeps JSON as text (MariaDB): what the source prints goes as it is.
    package var jsonIsText: Bool
    package var sourceIsMariaDB: Bool

    package init(source: TableDefinition, target: TableName, rowAlias: Bool, jsonIsText: Bool = false, sourceIsMariaDB: Bool = false) {
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
        // An UPDATE of a system-versioned table would make history of its own.
        rewriteUpdates = rewrite || source.period != nil
        self.rowAlias = rowAlias
        self.jsonIsText = jsonIsText
        self.sourceIsMariaDB = sourceIsMariaDB
    }

    package var isKeyless: Bool { key.isEmpty }

    /// Bytes that are equal exactly when all key columns' stored bytes are equal.
    package func keyBytes(of image: RowImage) -> [UInt8] {
        var bytes: [UInt8] = []
        for position in key {
            let range = image.range(position)
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

    /// Why these row images cannot be applied, nil if they can. Columns may be missing (binlog_row_image is not FULL in some
    /// session), but not those that say which row is meant.
    package func refusal(of event: RowsEvent) -> String? {
        for (mapped, column) in zip(event.map.columns, source.columns) where (column.datetimePrecision ?? 0) > 0 {
            // MariaDB before 10.1, or with mysql56_temporal_format=OFF: the log does not say how long such a value is.
            if [.time, .datetime, .timestamp].contains(mapped.type) {
                return "column \(column.name) is stored in the format of MariaDB 5.3 (ALTER TABLE … FORCE with mysql56_temporal_format=ON on the source changes it)"
            }
        }
        guard event.kind != .insert else {
            // An insert of nothing but defaults has no bytes at all, however many rows it is of.
            return isKeyless && event.rowsRange.isEmpty ? "the event does not say how many rows of only default values it inserts" : nil
        }
        let needed = isKeyless || source.period != nil ? writable.map(\.position) : key
        guard needed.allSatisfy({ event.beforeColumns.indices.contains($0) && event.beforeColumns[$0] }) else {
            if source.period != nil { return "the event leaves out columns of a system-versioned table (binlog_row_image is not FULL in some session)" }
            return "the event leaves out columns by which the row is found (binlog_row_image is not FULL in some session, and the key that the server names rows by is not the one that Godwit can)"
        }
        return nil
    }

    /// Before the consistency point: do these images say absolutely what becomes of a row? Not where a row whose other columns
    /// are left out gets another key, and not where a JSON document is described by changes to one that is not there.
    package func isAbsolute(_ event: RowsEvent) throws -> Bool {
        guard event.kind == .update else { return true }
        let isWhole = writable.allSatisfy { event.afterColumns[$0.position] || event.beforeColumns[$0.position] }
        let hasDocuments = !event.isPartial || source.columns.allSatisfy { $0.dataType != "json" || event.beforeColumns[$0.position] }
        if isWhole, hasDocuments { return true }
        guard event.isPartial || key.contains(where: { event.afterColumns[$0] }) else { return true }
        var isAbsolute = true
        try event.forEachRow { before, after in
            guard isAbsolute, let before, let after else { return }
            let diffs = source.columns.contains { after.isPartial($0.position) && !before.isPresent($0.position) }
            let moved = !isWhole && key.contains {
                after.isPresent($0) && !after.bytes[after.range($0)].elementsEqual(before.bytes[before.range($0)])
            }
            if diffs || moved { isAbsolute = false }
        }
        return isAbsolute
    }
}
