import NIOCore
import Testing

@testable import MySQLWire

@Suite struct PacketFramerTests {
    private func wire(_ payloads: [ByteBuffer], first: UInt8 = 0) -> ByteBuffer {
        var sequence = first
        var out = ByteBuffer()
        for payload in payloads {
            for packet in PacketWriter.packets(payload, sequence: &sequence) { out.writeImmutableBuffer(packet) }
        }
        return out
    }

    /// `bytes` in pieces of random length.
    private func pieces(_ bytes: ByteBuffer, _ random: inout SeededGenerator, upTo: Int) -> [ByteBuffer] {
        var bytes = bytes
        var out: [ByteBuffer] = []
        while bytes.readableBytes > 0 {
            let length = min(bytes.readableBytes, Int.random(in: 1...upTo, using: &random))
            if let piece = bytes.readSlice(length: length) { out.append(piece) }
        }
        return out
    }

    @Test(arguments: [0, 1, 250, packetPayloadMax - 1, packetPayloadMax, packetPayloadMax + 1, packetPayloadMax + 2])
    func wholePayloadsAroundTheLimitOfOnePacket(_ length: Int) throws {
        var payload = ByteBuffer()
        payload.writeRepeatingByte(0x61, count: length)
        let next = ByteBuffer(string: "next")
        var framer = PacketFramer()
        framer.append(wire([payload, next]))
        #expect(try framer.nextPacket() == payload)
        #expect(try framer.nextPacket() == next)
        #expect(try framer.nextPacket() == nil)
        #expect(framer.bufferedBytes == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func payloadsAreCutTheSameWhereverTheReadsEnd(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let payloads = (0..<50).map { _ in
            ByteBuffer(
                bytes: (0..<Int.random(in: 0...400, using: &random)).map { _ in
                    UInt8.random(in: 0...254, using: &random)
                })
        }
        var framer = PacketFramer()
        var read: [ByteBuffer] = []
        for piece in pieces(wire(payloads), &random, upTo: 300) {
            framer.append(piece)
            while let payload = try framer.nextPacket() { read.append(payload) }
        }
        #expect(read == payloads, "seed \(seed)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func rowsAreTheSameWhereverTheReadsEnd(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rows = (0..<200).map { index in
            PacketBuilder.row([String(repeating: "x", count: Int.random(in: 0...500, using: &random)), nil, "\(index)"])
        }
        let stream = wire(rows + [PacketBuilder.ok(header: 0xFE)])
        var framer = PacketFramer()
        var all = ByteBuffer()
        var ends: [Int] = []
        var end: ByteBuffer?
        for piece in pieces(stream, &random, upTo: 700) {
            framer.append(piece)
            var batch = MySQLRowBatch(bytes: ByteBuffer(), rowEnds: [])
            let atControl = try framer.readRows(into: &batch)
            ends += batch.rowEnds.map { $0 + all.readableBytes }
            all.writeImmutableBuffer(batch.bytes)
            if atControl, let packet = try framer.nextPacket() { end = packet }
        }
        var expected = ByteBuffer()
        var expectedEnds: [Int] = []
        for row in rows {
            expected.writeImmutableBuffer(row)
            expectedEnds.append(expected.readableBytes)
        }
        #expect(all == expected, "seed \(seed)")
        #expect(ends == expectedEnds, "seed \(seed)")
        #expect(end == PacketBuilder.ok(header: 0xFE))
    }

    @Test(arguments: [-1, 0, 1, 2])
    func aRowOverSeveralPacketsComesInPieces(_ offset: Int) throws {
        var row = ByteBuffer()
        // First byte 0xFE, as a value of 2^24 bytes or more begins; below that any other.
        row.writeRepeatingByte(offset < 0 ? 0xFD : 0xFE, count: packetPayloadMax + offset)
        var framer = PacketFramer()
        let stream = wire([row, PacketBuilder.row(["tail"]), PacketBuilder.ok(header: 0xFE)])
        var bytes = 0
        var ends: [Int] = []
        var largest = 0
        var rest = stream
        var sawEnd = false
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, 1 << 20)) {
            framer.append(piece)
            var batch = MySQLRowBatch(bytes: ByteBuffer(), rowEnds: [])
            sawEnd = try framer.readRows(into: &batch)
            ends += batch.rowEnds.map { $0 + bytes }
            bytes += batch.bytes.readableBytes
            largest = max(largest, batch.bytes.readableBytes)
        }
        #expect(sawEnd)
        #expect(ends == [row.readableBytes, row.readableBytes + 5])
        #expect(largest <= 1 << 20)
    }

    @Test(arguments: [-1, 0, 1])
    func aLargeEventIsJoined(_ offset: Int) throws {
        var payload = ByteBuffer(bytes: [0])
        payload.writeRepeatingByte(7, count: packetPayloadMax + offset - 1)
        let small = ByteBuffer(bytes: [0] + Array(repeating: 9, count: 30))
        var framer = PacketFramer()
        var rest = wire([small, payload, small, PacketBuilder.eof()])
        var events: [[UInt8]] = []
        var atControl = false
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, 100_001)) {
            framer.append(piece)
            atControl = try framer.readEvents(into: &events)
        }
        #expect(atControl)
        #expect(events.map(\.count) == [30, packetPayloadMax + offset - 1, 30])
        #expect(events[1].allSatisfy { $0 == 7 })
    }

    @Test func wrongNumberIsRefused() throws {
        var framer = PacketFramer()
        framer.append(wire([PacketBuilder.ok()], first: 3))
        let error = #expect(throws: MySQLError.self) { try framer.nextPacket() }
        #expect(error?.code == .protocolViolation)
    }

    @Test func anErrorIsReadWhateverItsNumber() throws {
        var framer = PacketFramer()
        framer.append(wire([PacketBuilder.error()], first: 3))
        #expect(try framer.nextPacket() == PacketBuilder.error())
    }

    @Test func tooLongIsRefusedBeforeItIsThere() throws {
        var framer = PacketFramer()
        framer.limit = 100
        framer.append(ByteBuffer(bytes: [101, 0, 0, 0]))
        #expect(throws: MySQLError.self) { try framer.nextPacket() }
    }

    @Test func emptyRowsAndForeignEventsAreRefused() throws {
        var framer = PacketFramer()
        framer.append(ByteBuffer(bytes: [0, 0, 0, 0]))
        var batch = MySQLRowBatch(bytes: ByteBuffer(), rowEnds: [])
        #expect(throws: MySQLError.self) { try framer.readRows(into: &batch) }
        var other = PacketFramer()
        other.append(ByteBuffer(bytes: [2, 0, 0, 0, 1, 1]))
        var events: [[UInt8]] = []
        #expect(throws: MySQLError.self) { try other.readEvents(into: &events) }
    }
}
