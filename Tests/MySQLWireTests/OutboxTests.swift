import NIOCore
import NIOEmbedded
import Testing

@testable import MySQLWire

/// Large commands leave in pieces, as the socket takes them.
@Suite struct OutboxTests {
    private static let packetMax = (1 << 24) - 1

    private func filler(_ count: Int) -> ByteBuffer {
        let block = ByteBuffer(bytes: (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) })
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        while count - buffer.readableBytes > block.readableBytes { buffer.writeImmutableBuffer(block) }
        if let rest = block.getSlice(at: 0, length: count - buffer.readableBytes) { buffer.writeImmutableBuffer(rest) }
        return buffer
    }

    @Test(arguments: [0, 1, 1 << 18, 1 << 18 + 1, packetMax - 1, packetMax, packetMax + 1, 2 * packetMax])
    func piecesAreThePackets(_ size: Int) {
        let payload = filler(size)
        var sequence: UInt8 = 250
        let packets = PacketWriter.packets(payload, sequence: &sequence)
        #expect(sequence == 250 &+ UInt8(size / Self.packetMax + 1))
        var outbox = Outbox()
        outbox.append(packets)
        var sent = ByteBuffer()
        while let piece = outbox.next() {
            #expect(1...Outbox.pieceSize ~= piece.readableBytes)
            sent.writeImmutableBuffer(piece)
        }
        #expect(outbox.isEmpty)
        #expect(outbox.waitingBytes == 0)
        var expected = ByteBuffer()
        for packet in packets { expected.writeImmutableBuffer(packet) }
        #expect(sent == expected)
        var framer = PacketFramer()
        framer.sequence = 250
        framer.append(sent)
        #expect((try? framer.nextPacket()) == payload)
    }

    /// The command's byte before the statement saves the copy of it.
    @Test func aPreparedStatementIsNotCopied() {
        var sql = ByteBuffer(bytes: [0x03])
        sql.writeString("SELECT 1")
        sql.moveReaderIndex(forwardBy: 1)
        let address = { (buffer: ByteBuffer) in buffer.withVeryUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
        let payload = Command.query(sql)
        #expect(payload == ByteBuffer(string: "\u{03}SELECT 1"))
        #expect(address(payload) == address(sql))
        sql.setInteger(UInt8(9), at: 0)
        #expect(Command.query(sql) == payload)
        #expect(Command.query(ByteBuffer(string: "SELECT 1")) == payload)
    }

    // MARK: The handler in a channel of memory

    /// Says "full" after some bytes, as a socket whose peer does not read.
    private final class NarrowSocket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        let channel: EmbeddedChannel
        var room = Int.max
        var sent = ByteBuffer()
        init(_ channel: EmbeddedChannel) { self.channel = channel }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let bytes = unwrapOutboundIn(data)
            sent.writeImmutableBuffer(bytes)
            room -= bytes.readableBytes
            if room <= 0, channel.isWritable {
                channel.isWritable = false
                channel.pipeline.fireChannelWritabilityChanged()
            }
            promise?.succeed(())
        }

        func open(_ bytes: Int) {
            room = bytes
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
            channel.embeddedEventLoop.run()
        }
    }

    private struct Setup {
        let channel = EmbeddedChannel()
        let socket: NarrowSocket
        let handler: MySQLChannelHandler

        init() throws {
            let settings = StartupMachine.Settings(
                username: "u", password: Secret(nil), database: nil, tls: false, isLocalSocket: false,
                allowPublicKeyRetrieval: false, foundRows: false)
            let promise = channel.eventLoop.makePromise(of: Void.self)
            socket = NarrowSocket(channel)
            handler = MySQLChannelHandler(startup: settings, tls: nil, peer: "peer", promise: promise)
            try channel.pipeline.syncOperations.addHandler(socket)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 3306)).wait()
            try receive(PacketBuilder.handshake(), 0)
            try receive(PacketBuilder.ok(), 2)
            try promise.futureResult.wait()
            socket.sent = ByteBuffer()
        }

        func receive(_ payload: ByteBuffer, _ sequence: UInt8) throws {
            var sequence = sequence
            var bytes = ByteBuffer()
            for packet in PacketWriter.packets(payload, sequence: &sequence) { bytes.writeImmutableBuffer(packet) }
            try channel.writeInbound(bytes)
        }

        func query(_ sql: ByteBuffer) -> EventLoopFuture<CollectedResult> {
            let promise = channel.eventLoop.makePromise(of: CollectedResult.self)
            handler.collect(
                Command.query(sql), what: "UPDATE t", prepared: nil, limits: StatementLimits(), promise: promise)
            return promise.futureResult
        }
    }

    @Test func aStatementWaitsForTheSocket() throws {
        let setup = try Setup()
        let sql = filler(20_000_000)
        setup.socket.room = 1 << 20
        let result = setup.query(sql)
        setup.channel.embeddedEventLoop.run()
        var turns = 0
        while setup.socket.sent.readableBytes < sql.readableBytes + 9 {
            // Never much more than the socket has room for, and nothing while it has none.
            let before = setup.socket.sent.readableBytes
            setup.channel.embeddedEventLoop.run()
            #expect(setup.socket.sent.readableBytes == before)
            setup.socket.open(1 << 20)
            #expect(setup.socket.sent.readableBytes - before <= 1 << 20 + Outbox.pieceSize)
            try #require(setup.socket.sent.readableBytes > before)
            turns += 1
        }
        #expect(turns >= 15)
        var framer = PacketFramer()
        framer.append(setup.socket.sent)
        let payload = try #require(try framer.nextPacket())
        #expect(payload == Command.query(sql))
        #expect(framer.bufferedBytes == 0)
        try setup.receive(PacketBuilder.ok(affected: 3), 2)
        #expect(try result.wait().ok.affectedRows == 3)
        // The connection is good for more.
        setup.socket.open(.max)
        let next = setup.query(ByteBuffer(string: "SELECT 1"))
        try setup.receive(PacketBuilder.ok(), 1)
        _ = try next.wait()
        _ = try setup.channel.finish()
    }

    /// A statement longer than one turn of the loop, on a socket that takes everything.
    @Test func oneTurnIsNotTheWholeStatement() throws {
        let setup = try Setup()
        let result = setup.query(filler(40_000_000))
        #expect(setup.socket.sent.readableBytes < 5 << 20)
        setup.channel.embeddedEventLoop.run()
        #expect(setup.socket.sent.readableBytes == 40_000_001 + 3 * 4)
        try setup.receive(PacketBuilder.ok(), 3)
        _ = try result.wait()
        _ = try setup.channel.finish()
    }

    @Test func anAnswerBeforeTheEndClosesTheConnection() throws {
        let answers = [
            (PacketBuilder.error(1153, state: "08S01", "too large"), UInt16?.some(1153)), (PacketBuilder.ok(), nil),
        ]
        for (answer, code) in answers {
            let setup = try Setup()
            setup.socket.room = 1 << 20
            let result = setup.query(filler(40_000_000))
            try setup.receive(answer, 1)
            let error = #expect(throws: MySQLError.self) { try result.wait() }
            #expect(error?.serverCode == code)
            #expect(error?.code == (code == nil ? .protocolViolation : .server))
            // Nothing of the rest is sent, and nothing can be asked any more.
            let sent = setup.socket.sent.readableBytes
            setup.socket.open(.max)
            #expect(setup.socket.sent.readableBytes == sent)
            #expect(setup.handler.machine.isClosed)
            #expect(throws: MySQLError.self) { try setup.query(ByteBuffer(string: "SELECT 1")).wait() }
            _ = try? setup.channel.finish()
        }
    }

    @Test func aConnectionLostInTheMiddle() throws {
        let setup = try Setup()
        setup.socket.room = 1 << 20
        let result = setup.query(filler(40_000_000))
        setup.channel.pipeline.fireChannelInactive()
        #expect(setup.handler.outbox.isEmpty)
        let error = #expect(throws: MySQLError.self) { try result.wait() }
        #expect(error?.code == .connectionClosed)
        _ = try? setup.channel.finish()
    }
}
