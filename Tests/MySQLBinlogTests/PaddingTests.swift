import Testing

@testable import MySQLBinlog

/// A log as Amazon Aurora writes it: the format description lists 100 event types, and events of type 100 with the ignorable flag pad
/// the log. Spliced from a real file: no server here writes one.
@Suite struct PaddingTests {
    /// Header of a type-100 event, without checksum.
    private static func padding(size: Int, flags: UInt16, position: UInt32) -> [UInt8] {
        func little(_ value: UInt32, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let body = [UInt8](repeating: 0, count: size)
        return little(0, 4) + [100] + little(1, 4) + little(UInt32(19 + size), 4) + little(position, 4) + little(UInt32(flags), 2) + body
    }

    /// `plain/nochecksum.bin` with longer post-header lengths, and padding behind every event. Positions in headers are left alone.
    private static func spliced(flags: UInt16) throws -> [UInt8] {
        let bytes = try Fixture.bytes("plain/nochecksum.bin")
        var output = Array(bytes[..<4])
        var at = 4
        var isFirst = true
        while at < bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[at + 9 + $1]) << (8 * $1) }
            var event = Array(bytes[at..<at + size])
            if isFirst {
                // Version, server version, creation time and header length stand before the list; the checksum algorithm and four bytes behind it.
                let known = event.count - 19 - 57 - 5
                event.insert(contentsOf: [UInt8](repeating: 0, count: 100 - known), at: event.count - 5)
                let length = UInt32(event.count)
                for index in 0..<4 { event[9 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
            }
            isFirst = false
            output += event + padding(size: 37, flags: flags, position: 4)
            at += size
        }
        return output
    }

    @Test func ignorableEventsArePassedOver() throws {
        let plain = try Fixture.events(Fixture.bytes("plain/nochecksum.bin")).map { $0.event }
        let padded = try Fixture.events(Self.spliced(flags: 0x80)).map { $0.event }
        guard case .formatDescription(let format) = padded[0].body else { throw BinlogError(offset: 0, reason: "no format") }
        #expect(format.postHeaderLengths.count == 100)
        let rest = padded.filter { if case .ignorable = $0.body { false } else { true } }
        #expect(padded.count == 2 * plain.count && rest.count == plain.count)
        func values(_ event: BinlogEvent) throws -> [String] {
            var values = [event.header.typeName]
            try event.visitEverything { map, column, value in values.append("\(map.table).\(column): \(value)") }
            return values
        }
        for (left, right) in zip(plain, rest) { #expect(try values(left) == values(right)) }
    }

    /// Without the flag it is an event that nobody understands: named, never passed over.
    @Test func othersAreNot() throws {
        let events = try Fixture.events(Self.spliced(flags: 0)).map { $0.event }
        let names = events.compactMap { event -> String? in
            if case .unsupported(let name) = event.body { name } else { nil }
        }
        #expect(names.count == events.count / 2)
    }
}
