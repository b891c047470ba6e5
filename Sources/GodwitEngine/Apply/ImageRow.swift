import MySQLBinlog
import MySQLTypes

/// A row image with what decoding it needs. Columns may be absent: `RowCompletion` fills in what the event says otherwise.
package struct ImageRow: RowContent {
    package var image: RowImage
    package var map: TableMap
    /// Values that stand in no image: defaults of an insert that leaves them out, and documents that a diff leads to. By position.
    package var derived: [Int: MySQLValue] = [:]
    /// Changes to documents that are not known here, in order. By position.
    package var diffs: [Int: [JSONDiff]] = [:]

    package init(image: RowImage, map: TableMap) {
        self.image = image
        self.map = map
    }

    package func has(_ column: Int) -> Bool {
        derived[column] != nil || (image.present[column] && diffs[column] == nil)
    }

    /// Every column that is written has its value.
    package func isComplete(_ shape: TableShape) -> Bool {
        (derived.isEmpty && diffs.isEmpty && !image.present.contains(false)) || shape.writable.allSatisfy { has($0.position) }
    }

    /// Set where the row was made, since only its shape knows which columns count.
    package var isComplete = true

    /// This row's values, and those of `older` where this one has none.
    package func merged(over older: ImageRow) -> ImageRow {
        var bytes = image.bytes
        var result = self
        for column in image.ranges.indices where !image.present[column] && derived[column] == nil && diffs[column] == nil {
            if let value = older.derived[column] {
                result.derived[column] = value
            } else if older.image.present[column] {
                result.image.present[column] = true
                result.image.nulls[column] = older.image.nulls[column]
                let start = bytes.count
                bytes += older.image.bytes[older.image.ranges[column]]
                result.image.ranges[column] = start..<bytes.count
            }
        }
        result.image.bytes = bytes
        result.isComplete = isComplete || (older.isComplete && diffs.isEmpty)
        return result
    }

    /// The same row with its diffs applied where `base` has the documents that they change.
    package func resolved(over base: ImageRow) throws -> ImageRow {
        var row = self
        for (column, changes) in diffs {
            let binary: [UInt8]
            if case .json(let bytes)? = base.derived[column] {
                binary = bytes
            } else if base.derived[column] == nil, base.image.present[column], !base.image.nulls[column] {
                binary = Array(base.image.bytes[base.image.ranges[column]])
            } else {
                continue
            }
            var document = try BinaryJSONDocument(binary)
            for change in changes { try document.apply(change) }
            row.derived[column] = .json(try document.encoded())
            row.diffs[column] = nil
        }
        return row
    }

    /// A value that stands in no image is not compared with one that does: a default, with the bytes of the row it replaces.
    package func isComparable(to other: ImageRow) -> Bool {
        derived.keys.allSatisfy { other.derived[$0] != nil } && other.derived.keys.allSatisfy { derived[$0] != nil }
    }

    package func hasSameContent(as other: ImageRow) -> Bool {
        hasSameContent(as: other, in: Array(image.ranges.indices))
    }

    package func hasSameContent(as other: ImageRow, in columns: [Int]) -> Bool {
        for column in columns {
            if !derived.isEmpty || !other.derived.isEmpty {
                switch (derived[column], other.derived[column]) {
                case (nil, nil): break
                case (let own?, let theirs?):
                    guard own == theirs else { return false }
                    continue
                // Taken for different: too much is written, never too little.
                default: return false
                }
            }
            guard image.present[column] == other.image.present[column] else { return false }
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
        if let value = derived[column.position] { return value }
        if image.nulls[column.position], image.present[column.position] { return .null }
        let value = try image.value(at: column.position, in: map, isUnsigned: column.isUnsigned)
        guard case .bytes(let bytes) = value, let text = MariaDBText.text(bytes, dataType: column.dataType) else { return value }
        return .bytes(Array(text.utf8))
    }

    /// Writes the literal for VALUES and SET. Stored bytes go straight from the event into the statement: a row may be as large as
    /// a packet, and a copy of it would stand beside both.
    package func appendLiteral(_ column: ColumnDefinition, jsonIsText: Bool = false, to sql: inout SQLBuffer) throws {
        if MariaDBText.width(of: column.dataType) != nil {
            try ValueLiteral.appendKey(value(column), column: column, to: &sql)
        } else if derived[column.position] == nil, let range = try image.byteRange(at: column.position, in: map) {
            sql.appendQuoted(image.bytes[range], introducer: "_binary")
        } else if Fault.loseNull.isOn, derived[column.position] == nil, image.nulls[column.position] {
            sql.append("0")
        } else {
            let value = try value(column)
            if case .enumeration(0) = value { return sql.append("'\(try EnumZero.text(column))'") }
            try ValueLiteral.append(value, jsonIsText: jsonIsText, to: &sql)
        }
    }
}
