import NIOCore

extension MySQLRow {
    /// One row of the text protocol: length-encoded strings, 0xFB for NULL.
    init(decodingText bytes: ByteBuffer, columns: Int) throws(MySQLError) {
        var bytes = bytes
        var values: [[UInt8]?] = []
        values.reserveCapacity(columns)
        for _ in 0..<columns {
            if bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == 0xFB {
                bytes.moveReaderIndex(forwardBy: 1)
                values.append(nil)
            } else if let value = bytes.readLengthEncodedBytes() {
                values.append(value)
            } else {
                throw .malformed("a row")
            }
        }
        guard bytes.readableBytes == 0 else { throw .malformed("a row") }
        self.init(values: values)
    }
}

extension CollectedResult {
    /// Decodes all rows; text or binary ones.
    func decoded(binary: Bool) throws(MySQLError) -> MySQLResult {
        var rows: [MySQLRow] = []
        var open: ByteBuffer?
        for batch in batches {
            var start = 0
            for end in batch.rowEnds {
                guard var row = batch.bytes.getSlice(at: batch.bytes.readerIndex + start, length: end - start) else {
                    throw .malformed("a row")
                }
                if var head = open {
                    open = nil
                    head.writeBuffer(&row)
                    row = head
                }
                start = end
                rows.append(
                    binary
                        ? try MySQLRow(decodingBinary: row, columns: columns)
                        : try MySQLRow(decodingText: row, columns: columns.count))
            }
            let rest = batch.bytes.readableBytes - start
            if rest > 0, var piece = batch.bytes.getSlice(at: batch.bytes.readerIndex + start, length: rest) {
                if open == nil { open = piece } else { open?.writeBuffer(&piece) }
            }
        }
        guard open == nil else { throw .malformed("a row") }
        return MySQLResult(columns: columns, rows: rows, ok: ok)
    }
}
