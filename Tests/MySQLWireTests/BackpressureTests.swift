import MySQLTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import MySQLWire

/// The handler alone, in a channel of memory: when it asks for bytes, and when it does not.
@Suite struct BackpressureTests {
    /// Counts what the handler asks the socket for.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0
        func read(context: ChannelHandlerContext) { reads += 1 }
    }

    private struct Setup {
        let channel = EmbeddedChannel()
        let counter = ReadCounter()
        let handler: MySQLChannelHandler
        private var sequence: UInt8 = 0

        init() throws {
            let settings = StartupMachine.Settings(
                username: "u", password: Secret(nil), database: nil, tls: false, isLocalSocket: false,
                allowPublicKeyRetrieval: false, foundRows: false)
            let promise = channel.eventLoop.makePromise(of: Void.self)
            handler = MySQLChannelHandler(startup: settings, tls: nil, peer: "peer", promise: promise)
            try channel.pipeline.syncOperations.addHandler(counter)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 3306)).wait()
            try receive([PacketBuilder.handshake()], first: 0)
            try receive([PacketBuilder.ok()], first: 2)
            try promise.futureResult.wait()
        }

        mutating func receive(_ payloads: [ByteBuffer], first: UInt8? = nil) throws {
            if let first { sequence = first }
            var bytes = ByteBuffer()
            for payload in payloads {
                for packet in PacketWriter.packets(payload, sequence: &sequence) { bytes.writeImmutableBuffer(packet) }
            }
            try channel.writeInbound(bytes)
            channel.pipeline.fireChannelReadComplete()
        }
    }

    private let bigRow = PacketBuilder.row([String(repeating: "x", count: 1 << 18)])

    @Test func rowsAreNotReadFasterThanTheyArePulled() throws {
        var setup = try Setup()
        let head = setup.channel.eventLoop.makePromise(of: [MySQLColumn].self)
        let pipe = RowPipe(head: head)
        setup.handler.stream(Command.query("SELECT a"), what: "q", limits: StatementLimits(), pipe: pipe)
        try setup.receive([PacketBuilder.bytes(1), PacketBuilder.column("a")], first: 1)
        #expect(try head.futureResult.wait().count == 1)
        var reads: [Int] = []
        for _ in 0..<8 {
            try setup.receive([bigRow])
            reads.append(setup.counter.reads)
        }
        // 1 MiB waits after the fourth row: from there on nothing is asked for.
        #expect(reads[3] == reads[2])
        #expect(reads[7] == reads[2])
        var rows = 0
        for _ in 0..<8 {
            let promise = setup.channel.eventLoop.makePromise(of: MySQLRowBatch?.self)
            setup.handler.nextRows(pipe, promise: promise)
            rows += try promise.futureResult.wait()?.rowEnds.count ?? 0
        }
        #expect(rows == 8)
        #expect(setup.counter.reads == reads[7] + 1)
        _ = try setup.channel.finish()
    }

    @Test func eventsAreNotReadFasterThanTheyArePulled() throws {
        var setup = try Setup()
        let start = setup.channel.eventLoop.makePromise(of: Void.self)
        let pipe = EventPipe(start: start, dump: ByteBuffer(string: "dump"))
        setup.handler.dump(serverID: 1, limits: StatementLimits(), pipe: pipe)
        try setup.receive([PacketBuilder.ok()], first: 1)
        try start.futureResult.wait()
        let event = ByteBuffer(bytes: [0] + Array(repeating: 7, count: 1 << 18))
        var reads: [Int] = []
        for index in 0..<8 {
            try setup.receive([event, event], first: index == 0 ? 1 : nil)
            reads.append(setup.counter.reads)
        }
        #expect(reads[1] == reads[0])
        #expect(reads[7] == reads[0])
        var events = 0
        for _ in 0..<8 {
            let promise = setup.channel.eventLoop.makePromise(of: [[UInt8]]?.self)
            setup.handler.nextEvents(pipe, timeout: nil, promise: promise)
            events += try promise.futureResult.wait()?.count ?? 0
        }
        #expect(events == 16)
        #expect(setup.counter.reads == reads[7] + 1)
        _ = try setup.channel.finish()
    }

    @Test func theFileWaitsForTheSocket() throws {
        var setup = try Setup()
        let loop = setup.channel.eventLoop
        let upload = FileUpload(start: loop.makePromise(of: Void.self))
        setup.handler.load(Command.query("LOAD DATA"), what: "q", limits: StatementLimits(), upload: upload)
        try setup.receive([ByteBuffer(bytes: [0xFB, 0x78])], first: 1)
        try upload.start.futureResult.wait()
        while try setup.channel.readOutbound(as: ByteBuffer.self) != nil {}

        setup.channel.isWritable = false
        let promise = loop.makePromise(of: Void.self)
        var isWritten = false
        promise.futureResult.assumeIsolated().whenComplete { _ in isWritten = true }
        var file = ByteBuffer()
        file.writeRepeatingByte(0x61, count: 600_000)
        setup.handler.upload(file, to: upload, promise: promise)
        #expect(!isWritten)
        setup.channel.isWritable = true
        setup.channel.pipeline.fireChannelWritabilityChanged()
        #expect(isWritten)

        // Nothing is not sent: it would end the file.
        let none = loop.makePromise(of: Void.self)
        setup.handler.upload(ByteBuffer(), to: upload, promise: none)
        try none.futureResult.wait()
        let end = loop.makePromise(of: MySQLOK.self)
        setup.handler.finishUpload(upload, promise: end)
        var sent = ByteBuffer()
        while let piece = try setup.channel.readOutbound(as: ByteBuffer.self) { sent.writeImmutableBuffer(piece) }
        var framer = PacketFramer()
        framer.sequence = 2
        framer.append(sent)
        var lengths: [Int] = []
        while let packet = try framer.nextPacket() { lengths.append(packet.readableBytes) }
        #expect(lengths.reduce(0, +) == 600_000)
        #expect(lengths.last == 0)
        #expect(lengths.dropLast().allSatisfy { $0 > 0 })
        try setup.receive([PacketBuilder.ok(affected: 5)], first: framer.sequence)
        #expect(try end.futureResult.wait().affectedRows == 5)
        _ = try setup.channel.finish()
    }

    @Test func aClosedConnectionFailsWhoWaits() throws {
        var setup = try Setup()
        let loop = setup.channel.eventLoop
        let upload = FileUpload(start: loop.makePromise(of: Void.self))
        setup.handler.load(Command.query("LOAD DATA"), what: "q", limits: StatementLimits(), upload: upload)
        try setup.receive([ByteBuffer(bytes: [0xFB, 0x78])], first: 1)
        setup.channel.isWritable = false
        let promise = loop.makePromise(of: Void.self)
        setup.handler.upload(ByteBuffer(string: "x"), to: upload, promise: promise)
        setup.channel.pipeline.fireChannelInactive()
        let error = #expect(throws: MySQLError.self) { try promise.futureResult.wait() }
        #expect(error?.code == .connectionClosed)
        let later = loop.makePromise(of: Void.self)
        setup.handler.upload(ByteBuffer(string: "x"), to: upload, promise: later)
        #expect(throws: MySQLError.self) { try later.futureResult.wait() }
        _ = try? setup.channel.finish()
    }
}
