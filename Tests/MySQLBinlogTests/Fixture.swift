import Foundation
import MySQLBinlog
import MySQLTypes

/// Files that a real server wrote: see `Fixtures/origin.md`.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    static let logs = ["types/full.bin", "types/minimal.bin", "json/full.bin", "events/full.bin", "plain/nochecksum.bin"]
        + mariaDB
    /// By MariaDB 10.11 and 11.8.
    static let mariaDB = ["mariadb/full.bin", "mariadb/compressed.bin", "mariadb/events.bin", "mariadb/full11.bin", "mariadb/events11.bin"]

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func lines(_ name: String) throws -> [String] {
        String(decoding: try bytes(name), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// All events with their offsets. Throws at the first that cannot be decoded.
    static func events(_ bytes: [UInt8], innerEventLimit: Int = 1 << 30) throws -> [(event: BinlogEvent, offset: UInt64)] {
        var reader = BinlogFileReader(decoder: BinlogDecoder(innerEventLimit: innerEventLimit))
        reader.append(bytes)
        var events: [(event: BinlogEvent, offset: UInt64)] = []
        while let next = try reader.next() { events.append(next) }
        try reader.finish()
        return events
    }

    /// Whole events as bytes, for tests that damage them.
    static func rawEvents(_ bytes: [UInt8]) -> [[UInt8]] {
        var position = 4
        var result: [[UInt8]] = []
        while position + 19 <= bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[position + 9 + $1]) << (8 * $1) }
            result.append(Array(bytes[position..<(position + size)]))
            position += size
        }
        return result
    }
}

extension TransactionPayload {
    func events() throws(BinlogError) -> [BinlogEvent] {
        var reader = try reader()
        var events: [BinlogEvent] = []
        while let event = try reader.next() { events.append(event) }
        return events
    }
}

extension BinlogEvent {
    /// Every value of every row of this event and, for a payload, of the events inside, so that a test touches all
    /// that can be decoded.
    func visitEverything(_ body: (TableMap, Int, MySQLValue) throws -> Void = { _, _, _ in }) throws {
        switch self.body {
        case .transactionPayload(let payload):
            var reader = try payload.reader()
            while let event = try reader.next() { try event.visitEverything(body) }
        case .rows(let rows):
            try rows.forEachRow { before, after in
                for image in [before, after].compactMap({ $0 }) {
                    for index in rows.map.columns.indices where image.isPresent(index) {
                        if image.isPartial(index) {
                            for diff in try image.jsonDiffs(at: index) { _ = try diff.value.map(BinaryJSON.render) }
                            continue
                        }
                        let value = try image.value(at: index, in: rows.map)
                        if case .json(let bytes) = value {
                            _ = try BinaryJSON.render(bytes)
                            _ = try BinaryJSON.hasOpaqueValues(bytes)
                        }
                        try body(rows.map, index, value)
                    }
                }
            }
        default: break
        }
    }
}
