import MySQLBinlog
import MySQLTypes

/// A row image with what decoding it needs. Columns may be absent: `RowCompletion` fills in what the event says otherwise.
/// One reference: a batch holds hundreds of thousands of rows, most of them twice.
package struct ImageRow: RowContent {
    private var storage: Storage

    private final class Storage: Sendable {
        let content: Content
        init(_ content: Content) { self.content = content }
    }

    /// What a row is of; to be changed as a whole.
    package struct Content: Sendable {
        package var image: RowImage
        package var map: TableMap
        /// Values that stand in no image: defaults of an insert that leaves them out, and documents that a diff leads to. By position.
        package var derived: [Int: MySQLValue] = [:]
        /// Changes to documents that are not known here, in order. By position.
        package var diffs: [Int: [JSONDiff]] = [:]
        /// Every column that is written has its value. Set where the row was made, since only its shape knows which columns count.
        package var isComplete = true
    }

    package var content: Content { storage.content }
    package var image: RowImage { storage.content.image }
    package var map: TableMap { storage.content.map }
    package var derived: [Int: MySQLValue] { storage.content.derived }
    package var diffs: [Int: [JSONDiff]] { storage.content.diffs }
    package var isComplete: Bool { storage.content.isComplete }

    package init(_ content: Content) { storage = Storage(content) }

    package init(image: RowImage, map: TableMap) { self.init(Content(image: image, map: map)) }

    /// With `isComplete` as the shape has it.
    package init(image: RowImage, map: TableMap, shape: TableShape) {
        var content = Content(image: image, map: map)
        content.isComplete = content.isComplete(shape)
        self.init(content)
    }

    package func has(_ column: Int) -> Bool { storage.content.has(column) }

    package func merged(over older: ImageRow) -> ImageRow { ImageRow(content.merged(over: older.content)) }

    /// The same row with its diffs applied where `base` has the documents that they change.
    package func resolved(over base: ImageRow) throws -> ImageRow {
        var row = content
        for (column, changes) in diffs {
            let binary: [UInt8]
            if case .json(let bytes)? = base.derived[column] {
                binary = bytes
            } else if base.derived[column] == nil, base.image.isPresent(column), !base.image.isNull(column) {
                binary = Array(base.image.bytes[base.image.range(column)])
            } else {
                continue
            }
            var document = try BinaryJSONDocument(binary)
            for change in changes { try document.apply(change) }
            row.derived[column] = .json(try document.encoded())
            row.diffs[column] = nil
        }
        return ImageRow(row)
    }

    /// A value that stands in no image is not compared with one that does: a default, with the bytes of the row it replaces.
    package func isComparable(to other: ImageRow) -> Bool {
        derived.keys.allSatisfy { other.derived[$0] != nil } && other.derived.keys.allSatisfy { derived[$0] != nil }
    }

    package func hasSameContent(as other: ImageRow) -> Bool {
        isSame(as: other, in: 0..<storage.content.image.count)
    }

    package func hasSameContent(as other: ImageRow, in columns: [Int]) -> Bool {
        isSame(as: other, in: columns)
    }

    private func isSame(as other: ImageRow, in columns: some Sequence<Int>) -> Bool {
        let (own, theirs) = (storage.content, other.storage.content)
        let hasDerived = !own.derived.isEmpty || !theirs.derived.isEmpty
        for column in columns {
            if hasDerived {
                switch (own.derived[column], theirs.derived[column]) {
                case (nil, nil): break
                case (let value?, let other?):
                    guard value == other else { return false }
                    continue
                // Taken for different: too much is written, never too little.
                default: return false
                }
            }
            guard own.image.isPresent(column) == theirs.image.isPresent(column) else { return false }
            guard own.image.isNull(column) == theirs.image.isNull(column) else { return false }
            let (range, other) = (own.image.range(column), theirs.image.range(column))
            guard range.count == other.count else { return false }
            let distance = other.lowerBound - range.lowerBound
            for place in range where own.image.bytes[place] != theirs.image.bytes[place + distance] { return false }
        }
        return true
    }

    /// Bytes of the image in its event.
    package var byteCount: Int {
        let image = storage.content.image
        return (0..<image.count).reduce(0) { $0 + image.range($1).count }
    }

    package func value(_ column: ColumnDefinition) throws -> MySQLValue {
        if let value = derived[column.position] { return value }
        if image.isNull(column.position) { return .null }
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
        } else if Fault.loseNull.isOn, derived[column.position] == nil, image.isNull(column.position) {
            sql.append("0")
        } else {
            let value = try value(column)
            if case .enumeration(0) = value { return sql.append("'\(try EnumZero.text(column))'") }
            try ValueLiteral.append(value, jsonIsText: jsonIsText, to: &sql)
        }
    }
}

extension ImageRow.Content {
    package func has(_ column: Int) -> Bool {
        (image.isPresent(column) && (diffs.isEmpty || diffs[column] == nil)) || (!derived.isEmpty && derived[column] != nil)
    }

    /// Every column that is written has its value.
    package func isComplete(_ shape: TableShape) -> Bool {
        (derived.isEmpty && diffs.isEmpty && image.isFull) || shape.writable.allSatisfy { has($0.position) }
    }

    /// This row's values, and those of `older` where this one has none.
    package func merged(over older: Self) -> Self {
        var bytes = image.bytes
        var result = self
        for column in 0..<image.count where !image.isPresent(column) && derived[column] == nil && diffs[column] == nil {
            if let value = older.derived[column] {
                result.derived[column] = value
            } else if older.image.isNull(column) {
                result.image.set(column, nil)
            } else if older.image.isPresent(column) {
                let start = bytes.count
                bytes += older.image.bytes[older.image.range(column)]
                result.image.set(column, start..<bytes.count)
            }
        }
        result.image.bytes = bytes
        result.isComplete = isComplete || (older.isComplete && diffs.isEmpty)
        return result
    }
}
