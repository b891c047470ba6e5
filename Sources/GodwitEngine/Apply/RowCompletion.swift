import MySQLBinlog
import MySQLTypes

extension Remedy { static let presentColumns = Remedy("present-columns", pitfalls: [10], test: "RowImageTests/partsOfRows") }
extension Remedy { static let columnDefaults = Remedy("column-defaults", pitfalls: [10, 16], test: "RowImageTests/partsOfRows") }
extension Remedy { static let partialJSON = Remedy("partial-json", pitfalls: [11], test: "RowImageTests/partsOfRows") }

/// Makes of an event's images rows that are as whole as the event allows: an update's after image has what its before image has and
/// it has not, a document that is logged as changes becomes the document where the one before is there, and an insert has its
/// columns' defaults. Whoever reads the result need not know of `binlog_row_image` beyond `ImageRow.isComplete`.
package struct RowCompletion: Sendable {
    package let shape: TableShape

    package init(shape: TableShape) { self.shape = shape }

    package func forEachRow(_ event: RowsEvent, _ body: (ImageRow?, ImageRow?) throws -> Void) throws {
        if event.kind == .insert, event.rowsRange.isEmpty, !shape.isKeyless {
            // Only defaults, so no bytes. Two such rows would have one key.
            let count = event.map.columns.count
            try body(nil, try inserted(ImageRow(image: RowImage(bytes: [], columns: count), map: event.map)))
            return
        }
        try event.forEachRow { before, after in
            let old = before.map { row($0, event) }
            guard let after else { return try body(old, nil) }
            guard let old else { return try body(nil, try inserted(row(after, event))) }
            try body(old, try updated(row(after, event), old))
        }
    }

    private func row(_ image: RowImage, _ event: RowsEvent) -> ImageRow { ImageRow(image: image, map: event.map, shape: shape) }

    private func updated(_ after: ImageRow, _ before: ImageRow) throws -> ImageRow {
        guard !after.image.partials.isEmpty || !after.image.isFull else { return after }
        var row = after.content
        for column in after.image.partials.indices where after.image.partials[column] {
            let diffs = Remedy.partialJSON.isOn ? try after.image.jsonDiffs(at: column) : []
            row.image.remove(column)
            row.image.partials[column] = false
            guard Remedy.partialJSON.isOn else { continue }
            guard before.image.isPresent(column) else {
                row.diffs[column] = diffs
                continue
            }
            var document = try BinaryJSONDocument(before.image.bytes[before.image.range(column)])
            for diff in diffs { try document.apply(diff) }
            row.derived[column] = .json(try document.encoded())
        }
        guard Remedy.presentColumns.isOn else { return ImageRow(row) }
        let diffs = row.diffs
        row = row.merged(over: before.content)
        row.diffs = diffs
        row.isComplete = row.isComplete(shape)
        return ImageRow(row)
    }

    private func inserted(_ row: ImageRow) throws -> ImageRow {
        guard !row.isComplete || !row.image.isFull else { return row }
        var row = row.content
        for column in shape.writable where !row.image.isPresent(column.position) {
            guard let value = ColumnDefault.value(of: column, isMariaDB: shape.sourceIsMariaDB), !shape.key.contains(column.position) || isPlain(value) else {
                throw EngineError(
                    .resumable, "An insert into \(shape.source.name) leaves out column \(column.name), whose default Godwit cannot tell exactly.",
                    why: "Some session writes with binlog_row_image other than FULL.",
                    cure: "SET PERSIST binlog_row_image = FULL, let every application connect anew, and start a new migration.")
            }
            if Remedy.columnDefaults.isOn { row.derived[column.position] = value } else { row.derived[column.position] = column.isNullable ? .null : value }
        }
        row.isComplete = true
        // A key is compared by the bytes that an image would have.
        for column in shape.key where row.derived[column] != nil { row = inImage(column, row) }
        return ImageRow(row)
    }

    private func isPlain(_ value: MySQLValue) -> Bool {
        switch value {
        case .int, .uint, .bytes, .year, .enumeration, .set: true
        default: false
        }
    }

    /// Puts a default among the image's bytes, as the log would have it.
    private func inImage(_ column: Int, _ row: ImageRow.Content) -> ImageRow.Content {
        var row = row
        let mapped = row.map.columns[column]
        func little(_ number: UInt64, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        }
        let size: Int = switch mapped.type {
        case .tiny, .year: 1
        case .short: 2
        case .int24: 3
        case .long: 4
        case .longlong: 8
        case .enumeration, .set: Int(mapped.metadata & 0xFF)
        default: 0
        }
        let bytes: [UInt8]
        switch row.derived[column] {
        case .int(let number): bytes = little(UInt64(bitPattern: number), size)
        case .uint(let number), .set(let number): bytes = little(number, size)
        case .year(let year): bytes = [year == 0 ? 0 : UInt8(truncatingIfNeeded: year - 1900)]
        case .enumeration(let index): bytes = little(UInt64(index), size)
        case .bytes(let text): bytes = text
        default: return row
        }
        let start = row.image.bytes.count
        row.image.bytes += bytes
        row.image.set(column, start..<row.image.bytes.count)
        row.derived[column] = nil
        return row
    }
}
