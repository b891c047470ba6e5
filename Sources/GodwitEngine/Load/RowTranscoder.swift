import MySQLWire
import NIOCore

/// Text protocol row bytes in, LOAD DATA lines out, without a row ever being an object.
///
/// Incremental: a field may end in a later batch than it began in, so a 60 MB value passes through in pieces. Fields are
/// separated by tabs and lines by newlines; tab, newline, backslash and NUL are escaped with a backslash; NULL is `\N`.
/// Source of the input format: MySQL source documentation, "Text Resultset Row", length-encoded strings.
package struct RowTranscoder: Sendable {
    /// Rows completed.
    package private(set) var rows: UInt64 = 0
    /// Bytes read.
    package private(set) var bytes: UInt64 = 0

    private let columnCount: Int
    private var column = 0
    /// Bytes still to come of the field that is open.
    private var remaining = 0
    /// Bytes of a length prefix of which only a part has come: how many are missing, and what there is.
    private var prefixMissing = 0
    private var prefixValue: UInt64 = 0
    private var prefixShift: UInt64 = 0

    package init(columnCount: Int) { self.columnCount = columnCount }

    /// True between rows: a stream that ends elsewhere was cut.
    package var isAtRowStart: Bool { column == 0 && remaining == 0 && prefixMissing == 0 }

    /// Transcodes one batch. Throws when the bytes are no rows of this many columns.
    package mutating func transcode(_ batch: MySQLRowBatch, into output: inout ByteBuffer) throws(EngineError) {
        let input = batch.bytes.readableBytesView
        bytes += UInt64(input.count)
        output.reserveCapacity(minimumWritableBytes: input.count + input.count / 8 + 64)
        var index = input.startIndex
        let end = input.endIndex
        while index < end {
            if prefixMissing > 0 {
                prefixValue |= UInt64(input[index]) << prefixShift
                prefixShift += 8
                prefixMissing -= 1
                index += 1
                if prefixMissing == 0 { try open(length: prefixValue, &output) }
                continue
            }
            if remaining > 0 {
                let take = min(remaining, end - index)
                Self.escape(input[index..<(index + take)], into: &output)
                index += take
                remaining -= take
                if remaining == 0 { close(&output) }
                continue
            }
            let first = input[index]
            index += 1
            switch first {
            case 0xFB:
                output.writeStaticString("\\N")
                close(&output)
            case 0xFC: prefix(2)
            case 0xFD: prefix(3)
            case 0xFE: prefix(8)
            case 0xFF:
                throw EngineError(.failed, "The source sent bytes that are no row.", why: "A field began with 0xFF.")
            default: try open(length: UInt64(first), &output)
            }
        }
        guard rows == expectedRows + UInt64(batch.rowEnds.count) else {
            throw EngineError(
                .failed, "The source's rows do not have \(columnCount) columns each.",
                why: "The stream's row ends and its fields disagree.")
        }
        expectedRows = rows
    }

    private var expectedRows: UInt64 = 0

    private mutating func prefix(_ count: Int) {
        prefixMissing = count
        prefixValue = 0
        prefixShift = 0
    }

    private mutating func open(length: UInt64, _ output: inout ByteBuffer) throws(EngineError) {
        guard length < 1 << 32 else {
            throw EngineError(.failed, "The source sent a field of \(length) bytes.", why: "No MySQL value is that long.")
        }
        remaining = Int(length)
        if remaining == 0 { close(&output) }
    }

    private mutating func close(_ output: inout ByteBuffer) {
        column += 1
        if column == columnCount {
            output.writeInteger(UInt8(ascii: "\n"))
            column = 0
            rows += 1
        } else {
            output.writeInteger(UInt8(ascii: "\t"))
        }
    }

    private static func escape(_ field: ByteBufferView, into output: inout ByteBuffer) {
        var start = field.startIndex
        var index = start
        let end = field.endIndex
        // Most fields have nothing to escape: look first, copy the whole run then.
        field.withUnsafeBytes { raw in
            // Unsafe: a bounds-checked view index costs several times the byte itself in this loop.
            let base = field.startIndex
            while index < end {
                let escaped: UInt8
                switch raw[index - base] {
                case 0x09: escaped = UInt8(ascii: "t")
                case 0x0A: escaped = UInt8(ascii: "n")
                case 0x5C: escaped = 0x5C
                case 0x00: escaped = UInt8(ascii: "0")
                default:
                    index += 1
                    continue
                }
                if start < index {
                    output.writeBytes(UnsafeRawBufferPointer(rebasing: raw[(start - base)..<(index - base)]))
                }
                output.writeInteger(UInt8(0x5C))
                output.writeInteger(escaped)
                index += 1
                start = index
            }
            if start < end {
                output.writeBytes(UnsafeRawBufferPointer(rebasing: raw[(start - base)..<(end - base)]))
            }
        }
    }
}
