import CZlib

/// zlib's streams as MariaDB packs them into events (`log_bin_compress`) and into columns with the attribute COMPRESSED.
enum MariaDBCompression {
    /// An event's packed part: one byte (0x80, algorithm in bits 4 to 6, number of bytes of the length in bits 0 to 2), the
    /// length (big-endian), a zlib stream. Source: MariaDB source, `binlog_buf_uncompress`.
    static func inflateEvent(_ cursor: inout ByteCursor, limit: Int) throws(BinlogError) -> [UInt8] {
        let head = try cursor.u8("compression header")
        guard head & 0x80 != 0 else { throw cursor.failure("compression header \(head) lacks its mark") }
        guard head & 0x70 == 0 else { throw cursor.failure("compression algorithm \(head >> 4 & 7) is unknown") }
        let width = Int(head & 7)
        guard (1...4).contains(width) else { throw cursor.failure("a compressed length of \(width) bytes") }
        var length = 0
        for _ in 0..<width { length = length << 8 | Int(try cursor.u8("uncompressed length")) }
        guard length <= limit else { throw cursor.failure("\(length) bytes are over the limit of \(limit)") }
        let packed = try cursor.range(cursor.remaining, "compressed data")
        guard let result = inflate(cursor.bytes[packed], to: length, windowBits: 15) else {
            throw cursor.failure("the compressed data is damaged")
        }
        return result
    }

    /// A column's packed value. Empty stays empty. Else one byte: method in the high half (0: stored as it is, 8: zlib), bit 3: without
    /// zlib's wrapping, bits 0 to 2: bytes of the length; then the length (big-endian) and the stream.
    /// nil for bytes that are no such value. Source: MariaDB source, `Field_longstr::compress`.
    static func inflateColumn(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
        guard let head = bytes.first else { return [] }
        let rest = bytes.dropFirst()
        switch head >> 4 {
        case 0: return head == 0 ? Array(rest) : nil
        case 8:
            let width = Int(head & 7)
            guard (1...4).contains(width), rest.count >= width else { return nil }
            let length = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
            guard length <= limit else { return nil }
            return inflate(rest.dropFirst(width), to: length, windowBits: head & 8 != 0 ? -15 : 15)
        default: return nil
        }
    }

    /// Exactly `length` bytes from exactly these, or nil.
    private static func inflate(_ packed: ArraySlice<UInt8>, to length: Int, windowBits: Int32) -> [UInt8]? {
        // A stream cannot make more than 1032 bytes out of one: a claim beyond that is not worth its memory.
        guard length <= packed.count * 1032 + 64, packed.count <= Int(UInt32.max), length <= Int(UInt32.max) else { return nil }
        var input = Array(packed)
        var output = [UInt8](repeating: 0, count: max(length, 1))
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // zlib's interface takes pointers; both counts are those of the arrays behind them.
        let isWhole = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END && Int(stream.total_out) == length && stream.avail_in == 0
            }
        }
        if length == 0 { output = [] }
        return isWhole ? output : nil
    }
}
