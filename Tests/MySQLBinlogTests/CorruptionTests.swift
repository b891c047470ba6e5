import CZlib
import MySQLBinlog
import MySQLTypes
import Testing

/// Damaged logs: every outcome but a value or a `BinlogError` is a failure, and a trap ends the test run.
@Suite struct CorruptionTests {
    /// Truncated anywhere: all whole events come, then an error at the offset where the broken one starts.
    @Test(arguments: ["events/full.bin", "plain/nochecksum.bin"])
    func truncation(file: String) throws {
        let bytes = try Fixture.bytes(file)
        let offsets = try Fixture.events(bytes).map(\.offset)
        for length in stride(from: 0, to: bytes.count, by: 7) where !offsets.contains(UInt64(length)) {
            var reader = BinlogFileReader()
            reader.append(bytes[..<length])
            var seen: [UInt64] = []
            let error = #expect(throws: BinlogError.self) {
                while let (_, offset) = try reader.next() { seen.append(offset) }
                try reader.finish()
            }
            // Events that end within the bytes: those whose successor starts at or before the cut.
            let whole = zip(offsets, offsets.dropFirst()).filter { $0.1 <= UInt64(length) }.map(\.0)
            #expect(seen == whole, "cut at \(length)")
            if length > 4 { #expect(error?.offset == offsets[whole.count], "cut at \(length)") }
        }
    }

    /// One flipped byte: the checksum finds it, and the events before it are whole.
    @Test(arguments: [UInt64(20_261_122), 5])
    func flippedBytesAreFoundByTheChecksum(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = try Fixture.bytes("events/full.bin")
        for _ in 0..<300 {
            var damaged = bytes
            let place = Int.random(in: 4..<bytes.count, using: &generator)
            damaged[place] ^= UInt8.random(in: 1...255, using: &generator)
            // The "in use" flag of the format description is not part of its checksum.
            if place == 21, damaged[place] ^ bytes[place] == 1 { continue }
            #expect(throws: BinlogError.self, "seed \(seed), byte \(place)") { try Fixture.events(damaged) }
        }
    }

    /// Damage below the checksum: events are damaged, summed anew and decoded to the last value.
    @Test(arguments: Fixture.logs, [UInt64(1), 20_261_122])
    func damagedEventsNeverTrap(file: String, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let events = Fixture.rawEvents(try Fixture.bytes(file)).filter { $0.count < 20_000 }
        let hasChecksum = file != "plain/nochecksum.bin"
        var errors = 0
        let rounds = max(1, 1200 / max(events.count, 1))
        for round in 0..<rounds {
            var decoder = BinlogDecoder(innerEventLimit: 1 << 20)
            for (index, event) in events.enumerated() {
                var damaged = event
                if index > 0 || round % 8 == 0 { Self.damage(&damaged, hasChecksum: hasChecksum, &generator) }
                do {
                    try decoder.decode(damaged, offset: 1000).visitEverything()
                } catch is BinlogError {
                    errors += 1
                    // The statement's other events go on with the true table map.
                    _ = try? decoder.decode(event)
                }
            }
        }
        #expect(errors > 0, "seed \(seed): the damage did nothing")
    }

    private static func damage(_ event: inout [UInt8], hasChecksum: Bool, _ generator: inout SeededGenerator) {
        let tail = hasChecksum ? 4 : 0
        if Int.random(in: 0..<5, using: &generator) == 0, event.count > 19 + tail {
            event.removeSubrange(Int.random(in: 19..<(event.count - tail), using: &generator)..<(event.count - tail))
            for place in 0..<4 { event[9 + place] = UInt8(truncatingIfNeeded: event.count >> (8 * place)) }
        }
        guard event.count > 19 + tail else { return sum(&event, hasChecksum) }
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 19..<(event.count - tail), using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: event[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 1: event[place] = [0, 0xff, 0x7f, 0x80, 251, 252, 253, 254].randomElement(using: &generator) ?? 0
            default: event[place] = UInt8.random(in: 0...255, using: &generator)
            }
        }
        sum(&event, hasChecksum)
    }

    private static func sum(_ event: inout [UInt8], _ hasChecksum: Bool) {
        guard hasChecksum, event.count >= 4 else { return }
        let value = crc32(0, event, UInt32(event.count - 4))
        for place in 0..<4 { event[event.count - 4 + place] = UInt8(truncatingIfNeeded: value >> (8 * UInt(place))) }
    }

    /// Random documents and mutated real ones.
    @Test(arguments: [UInt64(3), 4])
    func damagedJSONNeverTraps(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var documents: [[UInt8]] = []
        for (event, _) in try Fixture.events(try Fixture.bytes("json/full.bin")) {
            try event.visitEverything { _, _, value in
                guard case .json(let bytes) = value, bytes.count < 3000 else { return }
                documents.append(bytes)
            }
        }
        for _ in 0..<4000 {
            guard var document = documents.randomElement(using: &generator), !document.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                document[Int.random(in: document.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { document.removeLast(Int.random(in: 0..<document.count, using: &generator)) }
            do throws(BinlogError) { _ = try BinaryJSON.render(document) } catch {}
        }
        for _ in 0..<4000 {
            let document = (0..<Int.random(in: 0...60, using: &generator)).map { _ in UInt8.random(in: 0...15, using: &generator) }
            do throws(BinlogError) { _ = try BinaryJSON.render(document) } catch {}
        }
    }
}
