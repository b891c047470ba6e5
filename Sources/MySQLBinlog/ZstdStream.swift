import CZstd

/// One zstd decompression. The library's C interface takes pointers; they live for one call only, over arrays whose
/// bounds are passed along.
final class ZstdStream {
    private let context: OpaquePointer
    private let offset: UInt64
    /// Output of one step.
    private var buffer: [UInt8]
    /// Whether the last step ended a frame.
    private(set) var isAtFrameEnd = false

    init(offset: UInt64) throws(BinlogError) {
        guard let context = ZSTD_createDStream() else { throw BinlogError(offset: offset, reason: "no memory for zstd") }
        self.context = context
        self.offset = offset
        buffer = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
    }

    deinit { ZSTD_freeDStream(context) }

    /// Decompresses some of `bytes[range]`, moves `range` behind what was used, and returns the output of this step.
    /// `range` becomes empty only when all output of it has been returned.
    func decompress(_ bytes: [UInt8], _ range: inout Range<Int>) throws(BinlogError) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var piece: [UInt8] = []
        var result = 0
        var consumed = 0
        repeat {
            var output = ZSTD_outBuffer()
            consumed = 0
            result = bytes[range].withUnsafeBytes { source in
                buffer.withUnsafeMutableBytes { target in
                    var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                    output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    let result = ZSTD_decompressStream(context, &output, &input)
                    consumed = input.pos
                    return result
                }
            }
            guard ZSTD_isError(result) == 0 else {
                throw BinlogError(offset: offset, reason: "zstd: \(String(cString: ZSTD_getErrorName(result)))")
            }
            isAtFrameEnd = result == 0
            range = (range.lowerBound + consumed)..<range.upperBound
            piece += buffer[0..<output.pos]
            if output.pos < buffer.count { break }
            // A full buffer may have more behind it: with input left the caller comes back.
        } while range.isEmpty && !isAtFrameEnd
        if piece.isEmpty, consumed == 0, !range.isEmpty {
            throw BinlogError(offset: offset, reason: "zstd makes no progress: the payload is corrupt")
        }
        return piece
    }
}
