import CZlib
import CZstd
import MySQLTypes
import Testing

@testable import MySQLBinlog

/// Compressed transactions, put together here from the events of real logs.
@Suite struct PayloadTests {
    /// Statements and commits of a real log: whole groups of events, without checksums and positions.
    private static func groups(_ file: String) throws -> [[[UInt8]]] {
        let hasChecksum = file != "plain/nochecksum.bin"
        var groups: [[[UInt8]]] = []
        var group: [[UInt8]] = []
        for raw in Fixture.rawEvents(try Fixture.bytes(file)) {
            var event = Array(raw.dropLast(hasChecksum ? 4 : 0))
            for place in 0..<4 {
                event[9 + place] = UInt8(truncatingIfNeeded: event.count >> (8 * place))
                event[13 + place] = 0
            }
            switch EventType(rawValue: event[4]) {
            case .tableMap, .rowsQuery: group.append(event)
            case .writeRows, .updateRows, .deleteRows, .partialUpdateRows:
                group.append(event)
                if event[19 + 6] & 1 == 1 {
                    groups.append(group)
                    group = []
                }
            case .query, .xid: groups.append([event])
            default: break
            }
        }
        return groups
    }

    private static func decoder() throws -> BinlogDecoder {
        var decoder = BinlogDecoder()
        let format = try #require(Fixture.rawEvents(try Fixture.bytes("plain/nochecksum.bin")).first)
        _ = try decoder.decode(format)
        return decoder
    }

    private static func compress(_ bytes: some Collection<UInt8>, level: Int32 = 3) -> [UInt8] {
        let bytes = Array(bytes)
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let size = ZSTD_compress(&output, output.count, bytes, bytes.count, level)
        precondition(ZSTD_isError(size) == 0)
        return Array(output[..<size])
    }

    /// The event around a payload. `claimed`: the size after decompression in its header.
    private static func event(_ payload: [UInt8], compression: UInt8 = 0, claimed: UInt64?, size: UInt64? = nil) -> [UInt8] {
        func long(_ value: UInt64) -> [UInt8] { [254] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
        func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var body: [UInt8] = [2] + (compression < 251 ? [1, compression] : [3, 252, compression, 0])
        if let claimed { body += [3, 9] + long(claimed) }
        body += [1, 9] + long(size ?? UInt64(payload.count)) + [0] + payload
        return little(1000) + [40] + little(9) + little(19 + body.count) + little(0) + [0, 0] + body
    }

    private static func payload(_ event: [UInt8], offset: UInt64 = 0) throws -> TransactionPayload {
        var decoder = try decoder()
        guard case .transactionPayload(let payload) = try decoder.decode(event, offset: offset).body else {
            throw BinlogError(offset: 0, reason: "no payload")
        }
        return payload
    }

    /// All that may differ, without the cost of printing whole events in debug builds.
    private static func summary(_ event: BinlogEvent) -> String {
        let header = event.header
        let content: String
        switch event.body {
        case .rows(let rows):
            content = "\(rows.kind) \(rows.map.schema).\(rows.map.table) \(rows.offset) \(rows.rowsRange) \(crc32(0, rows.bytes, UInt32(rows.bytes.count)))"
        case .tableMap(let map): content = "\(map.tableID) \(map.schema).\(map.table) \(map.columns.map(\.metadata))"
        case .query(let query): content = "\(query.schema): \(query.text)"
        case .rowsQuery(let text): content = text
        case .xid(let number): content = "\(number)"
        default: content = "other"
        }
        return "\(header.type) \(header.timestamp) \(header.size) \(header.nextPosition) \(content)"
    }

    /// What came before the end, and the error, if that was the end. An error stays the error.
    private static func read(_ event: [UInt8], limit: Int? = nil) throws -> (events: [String], error: BinlogError?) {
        var decoder = try decoder()
        if let limit { decoder.innerEventLimit = limit }
        var events: [String] = []
        do throws(BinlogError) {
            guard case .transactionPayload(let payload) = try decoder.decode(event, offset: 7000).body else { return (events, nil) }
            var reader = try payload.reader()
            do throws(BinlogError) {
                while let event = try reader.next() { events.append(summary(event)) }
                #expect(try reader.next() == nil)
            } catch {
                let again = #expect(throws: BinlogError.self) { try reader.next() }
                #expect(again == error)
                throw error
            }
            return (events, nil)
        } catch {
            return (events, error)
        }
    }

    private static func plain(_ events: [[UInt8]]) throws -> [String] {
        var decoder = try decoder()
        return try events.map { summary(try decoder.decode($0, offset: 7000)) }
    }

    /// Any events, compressed in any way, are the same events.
    @Test(arguments: [UInt64(1), 2, 20_261_122])
    func compressedIsPlain(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let groups = try ["plain/nochecksum.bin", "types/full.bin", "json/full.bin"].flatMap(Self.groups)
        try #require(groups.count > 10)
        for round in 0..<40 {
            var events: [[UInt8]] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) { events += groups.randomElement(using: &generator) ?? [] }
            let bytes = Array(events.joined())
            // One frame or several, cut anywhere.
            var frames: [UInt8] = []
            var start = 0
            repeat {
                let end = Bool.random(using: &generator) ? bytes.count : Int.random(in: start...bytes.count, using: &generator)
                frames += Self.compress(bytes[start..<end], level: [-5, 1, 3, 19].randomElement(using: &generator) ?? 3)
                start = end
            } while start < bytes.count
            let expected = try Self.plain(events)
            let claimed = Bool.random(using: &generator) ? UInt64(bytes.count) : nil
            let zstd = try Self.read(Self.event(frames, claimed: claimed))
            #expect(zstd.error == nil && zstd.events == expected, "seed \(seed), round \(round): \(String(describing: zstd.error))")
            let stored = try Self.read(Self.event(bytes, compression: 255, claimed: claimed))
            #expect(stored.error == nil && stored.events == expected, "seed \(seed), round \(round)")
        }
    }

    private static func sample() throws -> (events: [[UInt8]], whole: [String], bytes: [UInt8]) {
        let events = Array(try (groups("plain/nochecksum.bin") + groups("types/full.bin").prefix(6)).joined())
        return (events, try plain(events), Array(events.joined()))
    }

    /// Cut off anywhere: the whole events before it, in order, then an error at the payload's offset.
    @Test(arguments: [UInt8(0), 255])
    func truncation(compression: UInt8) throws {
        let (_, whole, bytes) = try Self.sample()
        // Small frames, so that events come out before the cut.
        var payload: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 500) { payload += Self.compress(bytes[start..<min(start + 500, bytes.count)]) }
        if compression == 255 { payload = bytes }
        var seen: Set<Int> = []
        for length in stride(from: 0, to: payload.count, by: max(11, payload.count / 60)) {
            let (events, error) = try Self.read(Self.event(Array(payload[..<length]), compression: compression, claimed: UInt64(bytes.count)))
            #expect(error?.offset == 7000, "cut at \(length): \(String(describing: error))")
            #expect(events == Array(whole.prefix(events.count)), "cut at \(length)")
            seen.insert(events.count)
        }
        #expect(seen.count > 3)
        // The event's own end before the payload's.
        #expect(try Self.read(Self.event(payload, compression: compression, claimed: nil, size: UInt64(payload.count + 1))).error != nil)
    }

    /// Flipped bits: events, a typed error or both, in bounded memory; never a trap.
    @Test(arguments: [UInt64(3), 20_261_122])
    func flippedBits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (_, whole, bytes) = try Self.sample()
        let sound = Self.event(Self.compress(bytes), claimed: UInt64(bytes.count))
        var errors = 0
        for _ in 0..<200 {
            var damaged = sound
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                damaged[Int.random(in: 19..<damaged.count, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            }
            let (events, error) = try Self.read(damaged, limit: 1 << 22)
            if error != nil { errors += 1 }
            // A bit of a value may have changed; no event may be left out.
            #expect(error != nil || events.count == whole.count)
        }
        #expect(errors > 100)
    }

    /// A header that claims another size: too small is found at the event that passes it, too large at the end.
    @Test func wrongSizes() throws {
        let (events, whole, bytes) = try Self.sample()
        let payload = Self.compress(bytes)
        let more = try Self.read(Self.event(payload, claimed: UInt64(bytes.count) + 1))
        #expect(more.events == whole && more.error?.reason.contains("header says") == true)
        let less = try Self.read(Self.event(payload, claimed: UInt64(bytes.count) - 1))
        #expect(less.events == Array(whole.dropLast()) && less.error?.reason.contains("longer than") == true)
        let behind = try Self.read(Self.event(payload + [1, 2, 3], claimed: UInt64(bytes.count)))
        #expect(behind.events == whole && behind.error != nil)
        let none = try Self.read(Self.event(payload, claimed: 0))
        #expect(none.events.isEmpty && none.error != nil)
        #expect(events.count == whole.count)
    }

    private static func header(size: UInt32) -> [UInt8] {
        [232, 3, 0, 0, 29, 9, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * UInt32($0))) } + [0, 0, 0, 0, 0, 0]
    }

    /// Payloads that promise more than they hold, or hold more than may be held.
    @Test func bombs() throws {
        // An event of 900 MB of which one is there.
        let hollow = Self.compress(Self.header(size: 900 << 20) + [UInt8](repeating: 0, count: 1 << 20))
        let error = try Self.read(Self.event(hollow, claimed: 900 << 20)).error
        #expect(error?.reason.contains("ends inside an event") == true)
        let large = try Self.read(Self.event(hollow, claimed: nil), limit: 100 << 20).error
        #expect(large?.reason.contains("over the limit") == true)
        for size in [UInt32(0), 18, .max] {
            #expect(try Self.read(Self.event(Self.compress(Self.header(size: size)), claimed: nil)).error != nil)
        }
        // A frame that wants a window of 2 GiB: magic, no size, exponent 21, an empty last block.
        let window = try Self.read(Self.event([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0], claimed: nil)).error
        #expect(window?.reason.contains("memory") == true)
        let unknown = try Self.read(Self.event([1], compression: 7, claimed: nil)).error
        #expect(unknown?.reason.contains("compression 7") == true)
    }

    /// One event as large as a megabyte-wise reader has to grow for.
    @Test func largeEvent() throws {
        let text = [UInt8](repeating: 0x61, count: 5_000_000)
        let bytes = Self.header(size: UInt32(20 + text.count)) + [0] + text
        let payload = try Self.payload(Self.event(Self.compress(bytes), claimed: UInt64(bytes.count)))
        guard case .rowsQuery(let query) = try payload.events().first?.body else { throw BinlogError(offset: 0, reason: "no query") }
        #expect(query.utf8.elementsEqual(text))
        #expect(payload.size < 10_000 && payload.uncompressedSize == UInt64(bytes.count))
        // A payload can be read again.
        #expect(try payload.events().count == 1)
    }

    @Test(arguments: [UInt8(15), 40])
    func eventsThatMayNotStandInside(type: UInt8) throws {
        var inner = Self.header(size: 20) + [0]
        inner[4] = type
        let error = try Self.read(Self.event(inner, compression: 255, claimed: nil)).error
        #expect(error?.reason.contains("not allowed") == true)
    }
}
