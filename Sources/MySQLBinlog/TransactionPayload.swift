// Body: fields as (type, length, value), all length-encoded: 1 payload size, 2 compression (0 zstd, 255 none), 3 uncompressed
// size, 0 end of the fields; then the payload: whole events without checksums.
// Source: MySQL source documentation, class `Transaction_payload_event`.

/// A compressed transaction, still compressed. Its events come one after another from `reader()`.
public struct TransactionPayload: Sendable {
    public enum Compression: Sendable, Hashable { case none, zstd }
    public var compression: Compression
    /// Bytes of all events inside, as the header claims; nil where it does not say.
    public var uncompressedSize: UInt64?
    /// Bytes as they stand in the log.
    public var size: Int { range.count }

    /// The whole event, and the payload's place in it.
    private let bytes: [UInt8]
    private let range: Range<Int>
    /// Where the event stands: all that the events inside have for a position.
    private let offset: UInt64
    /// Knows the format; has no table maps, since a transaction brings its own.
    private let decoder: BinlogDecoder

    /// Starts over from the first event, as often as wanted.
    public func reader() throws(BinlogError) -> TransactionPayloadReader {
        try TransactionPayloadReader(
            bytes: bytes, range: range, compression: compression, claimed: uncompressedSize, offset: offset, decoder: decoder)
    }

    /// `cursor` stands behind the event's header. Nothing is decompressed yet.
    init(_ cursor: inout ByteCursor, offset: UInt64, decoder: BinlogDecoder) throws(BinlogError) {
        var size: UInt64?
        var code: UInt64 = 0
        while true {
            let type = try cursor.lengthEncoded("payload field")
            if type == 0 { break }
            let length = try cursor.length("payload field \(type)")
            var field = ByteCursor(cursor.bytes, from: cursor.position, to: cursor.position + length, base: cursor.base)
            cursor.position += length
            switch type {
            case 1: size = try field.lengthEncoded("payload size")
            case 2: code = try field.lengthEncoded("compression type")
            case 3: uncompressedSize = try field.lengthEncoded("uncompressed size")
            default: break
            }
        }
        switch code {
        case 0: compression = .zstd
        case 255: compression = .none
        default: throw cursor.failure("payload compression \(code) is unknown")
        }
        let count = size ?? UInt64(cursor.remaining)
        guard count <= UInt64(cursor.remaining) else {
            throw cursor.failure("truncated: the payload takes \(count) bytes, \(cursor.remaining) are left")
        }
        range = try cursor.range(Int(count), "payload")
        bytes = cursor.bytes
        self.offset = offset
        self.decoder = decoder
    }
}

/// Pulls the events out of a compressed transaction. In memory are the compressed bytes, one event and zstd's window
/// (at most 128 MiB; 2 MiB at the server's default level), however long the transaction is.
public struct TransactionPayloadReader: ~Copyable {
    private let bytes: [UInt8]
    private var rest: Range<Int>
    /// Nil: the payload is not compressed.
    private let stream: ZstdStream?
    private let claimed: UInt64?
    private let offset: UInt64
    private var decoder: BinlogDecoder
    /// Bytes that came out so far, and events.
    private var total: UInt64 = 0
    private var count = 0
    private var isFinished = false
    private var failure: BinlogError?

    init(
        bytes: [UInt8], range: Range<Int>, compression: TransactionPayload.Compression, claimed: UInt64?, offset: UInt64,
        decoder: BinlogDecoder
    ) throws(BinlogError) {
        self.bytes = bytes
        rest = range
        self.claimed = claimed
        self.offset = offset
        self.decoder = decoder
        stream = compression == .zstd ? try ZstdStream(offset: offset) : nil
    }

    /// The next event; nil only where the payload has ended as it should. An event inside has no position of its own:
    /// `nextPosition` is 0. Throws again, and the same, after an error.
    public mutating func next() throws(BinlogError) -> BinlogEvent? {
        if let failure { throw failure }
        if isFinished { return nil }
        do throws(BinlogError) {
            guard let event = try nextBytes() else {
                isFinished = true
                return nil
            }
            count += 1
            return try decode(event)
        } catch {
            failure = error
            throw error
        }
    }

    /// The next event's bytes, nil at the payload's sound end.
    private mutating func nextBytes() throws(BinlogError) -> [UInt8]? {
        var event: [UInt8] = []
        try read(BinlogDecoder.headerSize, into: &event)
        if event.isEmpty {
            try checkEnd()
            return nil
        }
        guard event.count == BinlogDecoder.headerSize else { throw error("the transaction payload ends inside an event") }
        let size = Int(event[9]) | Int(event[10]) << 8 | Int(event[11]) << 16 | Int(event[12]) << 24
        guard size >= BinlogDecoder.headerSize else { throw error("an event of \(size) bytes inside the transaction payload") }
        guard size <= decoder.innerEventLimit else {
            throw error("an event of \(size) bytes inside the transaction payload is over the limit of \(decoder.innerEventLimit)")
        }
        let left = size - BinlogDecoder.headerSize
        if let claimed, total + UInt64(left) > claimed {
            throw error("the transaction payload is longer than the \(claimed) bytes of its header")
        }
        try read(left, into: &event)
        guard event.count == size else { throw error("the transaction payload ends inside an event") }
        return event
    }

    /// The next bytes of the payload, fewer than `wanted` at its end.
    private mutating func read(_ wanted: Int, into event: inout [UInt8]) throws(BinlogError) {
        let before = event.count
        if let stream {
            try stream.read(wanted, of: bytes, &rest, into: &event)
        } else {
            let end = rest.lowerBound + min(wanted, rest.count)
            event += bytes[rest.lowerBound..<end]
            rest = end..<rest.upperBound
        }
        total += UInt64(event.count - before)
    }

    private func checkEnd() throws(BinlogError) {
        if let stream, !stream.isAtFrameEnd { throw error("the zstd payload is truncated") }
        if let claimed, claimed != total { throw error("the payload has \(total) bytes, its header says \(claimed)") }
    }

    private func error(_ reason: String) -> BinlogError { BinlogError(offset: offset, reason: reason) }

    private mutating func decode(_ bytes: [UInt8]) throws(BinlogError) -> BinlogEvent {
        do throws(BinlogError) {
            var header = try BinlogDecoder.header(of: bytes)
            // The position that stands there means nothing outside of the payload.
            header.nextPosition = 0
            guard header.type != EventType.transactionPayload.rawValue, header.type != EventType.formatDescription.rawValue else {
                throw BinlogError(offset: 0, reason: "a \(header.typeName) is not allowed here")
            }
            var event = try decoder.decodeBody(bytes, header: header, end: bytes.count, offset: 0)
            if case .rows(var rows) = event.body {
                rows.offset = offset
                event.body = .rows(rows)
            }
            return event
        } catch {
            throw self.error("inside the transaction payload, event \(count), byte \(error.offset): \(error.reason)")
        }
    }
}
