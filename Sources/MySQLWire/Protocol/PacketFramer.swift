import NIOCore

/// Cuts the byte stream into packets: 3 bytes of length, 1 of sequence, payload; a payload of 2^24-1 bytes goes on in
/// the next packet. Three ways to read: whole payloads, pieces of rows end to end, whole binlog events.
/// Source: MySQL source documentation, "MySQL Packets".
struct PacketFramer {
    /// No payload of the protocol is longer than max_allowed_packet can be (1 GiB), with room for headers.
    static let payloadMax = 1 << 30 + 1 << 20

    /// The sequence number that the next packet must have.
    var sequence: UInt8 = 0
    /// Longest whole payload that is accepted.
    var limit = payloadMax

    private var inbound = ByteBuffer()
    /// Fragments of a whole payload that is not complete.
    private var partial: ByteBuffer?
    /// Row or event under way: bytes of its present fragment that are still to come.
    private var fragmentRemaining = 0
    /// The present fragment is full: another follows.
    private var fragmentContinues = false
    private var isInside = false
    private var event: [UInt8] = []

    /// Bytes here of an event that is not complete.
    var eventBytes: Int { event.count }
    /// Bytes received and not yet handed out.
    var bufferedBytes: Int { inbound.readableBytes }

    mutating func append(_ bytes: ByteBuffer) {
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeImmutableBuffer(bytes)
        }
    }

    /// The next whole payload, nil until all of it is here.
    mutating func nextPacket() throws(MySQLError) -> ByteBuffer? {
        while let header = peekHeader() {
            let total = header.length + (partial?.readableBytes ?? 0)
            guard total <= limit else { throw Self.tooLong(limit) }
            guard inbound.readableBytes >= 4 + header.length else {
                inbound.reserveCapacity(minimumWritableBytes: 4 + header.length - inbound.readableBytes)
                return nil
            }
            let first = inbound.getInteger(at: inbound.readerIndex + 4, as: UInt8.self)
            // A server that gives up sends its error whenever it likes.
            let isError = first == 0xFF && partial == nil
            try consumeHeader(header, checked: !isError)
            guard var payload = inbound.readSlice(length: header.length) else { return nil }
            if header.length == packetPayloadMax {
                if partial == nil { partial = payload } else { partial?.writeBuffer(&payload) }
                continue
            }
            guard var whole = partial else { return payload }
            partial = nil
            whole.writeBuffer(&payload)
            return whole
        }
        return nil
    }

    /// Takes all row bytes that are here. True: the next packet is no row (end of the result, or an error), and is to be
    /// read with `nextPacket`.
    mutating func readRows(into rows: inout MySQLRowBatch) throws(MySQLError) -> Bool {
        while true {
            if fragmentRemaining > 0 {
                guard let piece = inbound.readSlice(length: min(fragmentRemaining, inbound.readableBytes)),
                    piece.readableBytes > 0
                else { return false }
                fragmentRemaining -= piece.readableBytes
                rows.bytes.writeImmutableBuffer(piece)
                if fragmentRemaining > 0 { return false }
            }
            if isInside && !fragmentContinues {
                isInside = false
                rows.rowEnds.append(rows.bytes.readableBytes)
            }
            guard let header = peekHeader() else { return false }
            if !isInside {
                guard header.length > 0 else { throw .malformed("an empty row") }
                guard let first = inbound.getInteger(at: inbound.readerIndex + 4, as: UInt8.self) else { return false }
                // 0xFE may also begin a row, but then its first value has 2^24 bytes or more.
                if first == 0xFF || (first == 0xFE && header.length < packetPayloadMax) { return true }
            }
            try consumeHeader(header, checked: true)
            begin(header.length)
        }
    }

    /// Takes all binlog events that are complete; result as for `readRows`.
    mutating func readEvents(into events: inout [[UInt8]]) throws(MySQLError) -> Bool {
        while true {
            if fragmentRemaining > 0 {
                guard let piece = inbound.readSlice(length: min(fragmentRemaining, inbound.readableBytes)),
                    piece.readableBytes > 0
                else { return false }
                fragmentRemaining -= piece.readableBytes
                event.append(contentsOf: piece.readableBytesView)
                guard event.count <= Self.payloadMax else { throw Self.tooLong(Self.payloadMax) }
                if fragmentRemaining > 0 { return false }
            }
            if isInside && !fragmentContinues {
                isInside = false
                events.append(event)
                event = []
            }
            guard let header = peekHeader() else { return false }
            if !isInside {
                guard header.length > 0 else { throw .malformed("an empty packet in a binlog stream") }
                guard let first = inbound.getInteger(at: inbound.readerIndex + 4, as: UInt8.self) else { return false }
                guard first == 0 else {
                    if first == 0xFF || first == 0xFE { return true }
                    throw .malformed("a packet in a binlog stream")
                }
                // The event's own header has its length at byte 9: wait for it, to reserve once.
                guard inbound.readableBytes >= min(4 + header.length, 4 + 14) else { return false }
                try consumeHeader(header, checked: true)
                inbound.moveReaderIndex(forwardBy: 1)
                begin(header.length, alreadyRead: 1)
                reserveEvent()
            } else {
                try consumeHeader(header, checked: true)
                begin(header.length)
            }
        }
    }

    private mutating func reserveEvent() {
        let announced = inbound.getInteger(at: inbound.readerIndex + 9, endianness: .little, as: UInt32.self)
        let length = fragmentContinues ? Int(announced ?? 0) : fragmentRemaining
        event.reserveCapacity(min(max(length, fragmentRemaining), Self.payloadMax))
    }

    private mutating func begin(_ length: Int, alreadyRead: Int = 0) {
        isInside = true
        fragmentRemaining = length - alreadyRead
        fragmentContinues = length == packetPayloadMax
    }

    private func peekHeader() -> (length: Int, sequence: UInt8)? {
        guard let low = inbound.getInteger(at: inbound.readerIndex, endianness: .little, as: UInt16.self),
            let high = inbound.getInteger(at: inbound.readerIndex + 2, as: UInt8.self),
            let sequence = inbound.getInteger(at: inbound.readerIndex + 3, as: UInt8.self)
        else { return nil }
        return (Int(low) | Int(high) << 16, sequence)
    }

    private mutating func consumeHeader(_ header: (length: Int, sequence: UInt8), checked: Bool) throws(MySQLError) {
        guard !checked || header.sequence == sequence else {
            throw MySQLError(
                .protocolViolation,
                "The server's packets are out of order (\(header.sequence) instead of \(sequence)).",
                cure: "Something between client and server loses or repeats bytes.")
        }
        sequence = header.sequence &+ 1
        inbound.moveReaderIndex(forwardBy: 4)
    }

    private static func tooLong(_ limit: Int) -> MySQLError {
        .malformed("a packet of more than \(limit) bytes")
    }
}

/// Puts headers before payloads.
enum PacketWriter {
    /// `payload` as one or more packets, whose first has the number `sequence`, which ends as the number of the next.
    static func packets(_ payload: ByteBuffer, sequence: inout UInt8) -> [ByteBuffer] {
        var payload = payload
        if payload.readableBytes < packetPayloadMax, payload.readableBytes <= 1 << 14 {
            var packet = ByteBuffer()
            packet.reserveCapacity(4 + payload.readableBytes)
            packet.writeHeader(length: payload.readableBytes, sequence: &sequence)
            packet.writeBuffer(&payload)
            return [packet]
        }
        var packets: [ByteBuffer] = []
        while true {
            let length = min(payload.readableBytes, packetPayloadMax)
            var header = ByteBuffer()
            header.writeHeader(length: length, sequence: &sequence)
            packets.append(header)
            if let piece = payload.readSlice(length: length), length > 0 { packets.append(piece) }
            if length < packetPayloadMax { return packets }
        }
    }
}

extension ByteBuffer {
    /// Writes a packet header; `length` is at most `packetPayloadMax`.
    mutating func writeHeader(length: Int, sequence: inout UInt8) {
        writeInteger(UInt16(truncatingIfNeeded: length), endianness: .little)
        writeInteger(UInt8(truncatingIfNeeded: length >> 16))
        writeInteger(sequence)
        sequence &+= 1
    }
}
