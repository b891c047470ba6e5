import NIOCore

/// What is still to be sent of a large command, in pieces: beside them the socket's own buffers (under TLS the
/// ciphertext) stay small, however large the statement is. A value without I/O.
struct Outbox {
    /// Bytes of one piece.
    static let pieceSize = 1 << 18
    /// Payloads up to this go out at once.
    static let immediateLimit = 1 << 20

    private var buffers = CircularBuffer<ByteBuffer>()
    /// Bytes that wait.
    private(set) var waitingBytes = 0

    var isEmpty: Bool { buffers.isEmpty }

    /// Adds packets in order; their storage is shared, not copied, and let go with its last piece.
    mutating func append(_ packets: [ByteBuffer]) {
        for packet in packets where packet.readableBytes > 0 {
            waitingBytes += packet.readableBytes
            buffers.append(packet)
        }
    }

    mutating func next() -> ByteBuffer? {
        guard !buffers.isEmpty else { return nil }
        let first = buffers.startIndex
        guard let piece = buffers[first].readSlice(length: min(Self.pieceSize, buffers[first].readableBytes)) else {
            return nil
        }
        if buffers[first].readableBytes == 0 { _ = buffers.popFirst() }
        waitingBytes -= piece.readableBytes
        return piece
    }

    mutating func clear() {
        buffers.removeAll()
        waitingBytes = 0
    }
}

extension MySQLChannelHandler {
    /// Pieces written in one turn of the event loop, which serves other connections too.
    private static let piecesPerTurn = 16

    /// Sends a payload as the next packets of the running dialogue: at once if it is small and nothing stands before it, else
    /// in pieces, as the socket takes them.
    func send(_ payload: ByteBuffer) {
        guard let context else { return }
        let packets = PacketWriter.packets(payload, sequence: &framer.sequence)
        watch.touch()
        guard payload.readableBytes > Outbox.immediateLimit || !outbox.isEmpty else {
            for packet in packets { context.write(wrapOutboundOut(packet), promise: nil) }
            return context.flush()
        }
        outbox.append(packets)
        sendPieces()
    }

    /// Writes what waits while the socket takes it. A write may change the socket's state, and so lead here again, or close the
    /// connection: then nothing waits any more.
    func sendPieces() {
        guard !isSendingPieces else { return }
        isSendingPieces = true
        defer { isSendingPieces = false }
        var written = 0
        while let context, context.channel.isWritable, written < Self.piecesPerTurn, let piece = outbox.next() {
            // A header alone would be a packet of the network of its own.
            context.write(wrapOutboundOut(piece), promise: nil)
            if piece.readableBytes > 4 || outbox.isEmpty { context.flush() }
            watch.touch()
            written += 1
        }
        if written == Self.piecesPerTurn, !outbox.isEmpty, let context {
            context.eventLoop.assumeIsolated().execute { [weak self] in self?.sendPieces() }
        }
    }
}
