// Body: fields as (type, length, value), all length-encoded: 1 payload size, 2 compression (0 zstd, 255 none), 3 uncompressed
// size, 0 end of the fields; then the payload: whole events without checksums.
// Source: MySQL source documentation, class `Transaction_payload_event`.

private struct PayloadHeader {
    var size: UInt64?
    var compression: UInt64 = 0
    var uncompressedSize: UInt64?

    init(_ cursor: inout ByteCursor) throws(BinlogError) {
        while true {
            let type = try cursor.lengthEncoded("payload field")
            if type == 0 { return }
            let length = try cursor.length("payload field \(type)")
            var field = ByteCursor(cursor.bytes, from: cursor.position, to: cursor.position + length, base: cursor.base)
            cursor.position += length
            switch type {
            case 1: size = try field.lengthEncoded("payload size")
            case 2: compression = try field.lengthEncoded("compression type")
            case 3: uncompressedSize = try field.lengthEncoded("uncompressed size")
            default: break
            }
        }
    }
}

extension BinlogDecoder {
    /// Expands the payload event by event: beside the events themselves only one event's bytes and one piece of
    /// decompressed output are in memory.
    mutating func decodePayload(_ cursor: inout ByteCursor, offset: UInt64) throws(BinlogError) -> [BinlogEvent] {
        let header = try PayloadHeader(&cursor)
        let size = header.size ?? UInt64(cursor.remaining)
        guard size <= UInt64(cursor.remaining) else {
            throw cursor.failure("truncated: the payload takes \(size) bytes, \(cursor.remaining) are left")
        }
        let limit = min(UInt64(payloadLimit), header.uncompressedSize ?? .max)
        if let uncompressed = header.uncompressedSize, uncompressed > UInt64(payloadLimit) {
            throw cursor.failure("a payload of \(uncompressed) bytes is over the limit of \(payloadLimit)")
        }
        let range = try cursor.range(Int(size), "payload")
        var framer = PayloadFramer(limit: limit, offset: offset)
        switch header.compression {
        case 0:
            let stream = try ZstdStream(offset: offset)
            var input = range
            while !input.isEmpty {
                let piece = try stream.decompress(cursor.bytes, &input)
                try framer.append(piece, to: &self)
            }
            guard stream.isAtFrameEnd else { throw cursor.failure("the zstd payload is truncated") }
        case 255: try framer.append(Array(cursor.bytes[range]), to: &self)
        case let type: throw cursor.failure("payload compression \(type) is unknown")
        }
        try framer.finish()
        if let expected = header.uncompressedSize, expected != framer.total {
            throw cursor.failure("the payload has \(framer.total) bytes, its header says \(expected)")
        }
        return framer.events
    }
}

/// Cuts decompressed bytes into events.
private struct PayloadFramer {
    let limit: UInt64
    let offset: UInt64
    var total: UInt64 = 0
    var pending: [UInt8] = []
    var events: [BinlogEvent] = []

    init(limit: UInt64, offset: UInt64) {
        self.limit = limit
        self.offset = offset
    }

    mutating func append(_ piece: [UInt8], to decoder: inout BinlogDecoder) throws(BinlogError) {
        total += UInt64(piece.count)
        guard total <= limit else {
            throw BinlogError(offset: offset, reason: "the transaction payload is longer than its \(limit) bytes")
        }
        pending += piece
        var start = 0
        while pending.count - start >= BinlogDecoder.headerSize {
            let size = Int(pending[start + 9]) | Int(pending[start + 10]) << 8 | Int(pending[start + 11]) << 16
                | Int(pending[start + 12]) << 24
            guard size >= BinlogDecoder.headerSize, UInt64(size) <= limit else {
                throw BinlogError(offset: offset, reason: "an event of \(size) bytes inside the transaction payload")
            }
            guard size <= pending.count - start else { break }
            events.append(try decode(Array(pending[start..<(start + size)]), with: &decoder))
            start += size
        }
        pending.removeFirst(start)
    }

    private func decode(_ bytes: [UInt8], with decoder: inout BinlogDecoder) throws(BinlogError) -> BinlogEvent {
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
            throw BinlogError(
                offset: offset, reason: "inside the transaction payload, event \(events.count + 1), byte \(error.offset): \(error.reason)")
        }
    }

    func finish() throws(BinlogError) {
        guard pending.isEmpty else {
            throw BinlogError(offset: offset, reason: "the transaction payload ends inside an event")
        }
    }
}
