import CZstd

/// One zstd decompression, pulled: the caller says how many bytes it wants next. Besides them only the library's window
/// is in memory. The library's C interface takes pointers; they live for one call only, over arrays whose bounds are
/// passed along.
final class ZstdStream {
    private let context: OpaquePointer
    private let offset: UInt64
    /// Whether what was read so far ends a frame.
    private(set) var isAtFrameEnd = false

    /// Upper bound of the window, log2 of bytes: 128 MiB, the most that any level of the server's compressor asks for.
    static let windowLogLimit: Int32 = 27
    /// Output grows by at most this at once, so that memory follows what is really there, not what a header says.
    private static let step = 1 << 20

    init(offset: UInt64) throws(BinlogError) {
        guard let context = ZSTD_createDStream() else { throw BinlogError(offset: offset, reason: "no memory for zstd") }
        self.context = context
        self.offset = offset
        try check(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogLimit))
    }

    deinit { ZSTD_freeDStream(context) }

    /// Decompresses the next `count` bytes onto the end of `output`, fewer only at the end of the input, and moves
    /// `range` of `bytes` behind what was used.
    func read(_ count: Int, of bytes: [UInt8], _ range: inout Range<Int>, into output: inout [UInt8]) throws(BinlogError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var filled = output.count
        let goal = filled + count
        defer { output.removeLast(output.count - filled) }
        while filled < goal {
            if output.count == filled { output += [UInt8](repeating: 0, count: min(goal - filled, Self.step)) }
            var produced = 0
            var consumed = 0
            let result = bytes[range].withUnsafeBytes { source in
                output.withUnsafeMutableBytes { target in
                    var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                    let free = UnsafeMutableRawBufferPointer(rebasing: target[filled...])
                    var place = ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                    let result = ZSTD_decompressStream(context, &place, &input)
                    consumed = input.pos
                    produced = place.pos
                    return result
                }
            }
            try check(result)
            range = (range.lowerBound + consumed)..<range.upperBound
            filled += produced
            // A call that did nothing says nothing about the frame.
            if produced > 0 || consumed > 0 {
                isAtFrameEnd = result == 0
            } else if range.isEmpty {
                return
            } else {
                throw BinlogError(offset: offset, reason: "zstd makes no progress: the payload is corrupt")
            }
        }
    }

    private func check(_ result: Int) throws(BinlogError) {
        guard ZSTD_isError(result) == 0 else {
            throw BinlogError(offset: offset, reason: "zstd: \(String(cString: ZSTD_getErrorName(result)))")
        }
    }
}
