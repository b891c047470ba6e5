import MySQLWire
import NIOCore
import Testing

@testable import GodwitEngine

/// A row of a table with a key, a secondary unique value and a payload.
private struct Item: RowContent, Hashable {
    var key: UInt8
    var unique: Int?
    var payload: Int
    func hasSameContent(as other: Item) -> Bool { self == other }
    func hasSameContent(as other: Item, in columns: [Int]) -> Bool { !columns.contains(1) || unique == other.unique }
}

@Suite struct NetEffectsTests {
    /// Random transactions on a table with a unique column, replayed as net effects: the strict plan, carried out step by step as a
    /// server does it (unique values checked at every step, counts as promised), ends in the very same table.
    @Test(arguments: 0..<200)
    func strictPlanEndsWhereTheEventsEnd(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var table: [UInt8: Item] = [:]
        for key in 0..<UInt8(6) where random.next() % 2 == 0 { table[key] = Item(key: key, unique: Int(key), payload: 0) }
        var target = table
        var effects = NetEffects<Item>()
        for step in 0..<40 {
            let key = UInt8(random.next() % 8)
            let unique = random.next() % 4 == 0 ? nil : Int(random.next() % 8)
            let taken = { (owner: UInt8) in table.values.contains { $0.unique == unique && unique != nil && $0.key != owner } }
            if let old = table[key] {
                switch random.next() % 3 {
                case 0:
                    try effects.delete(key: [key], row: old, strict: true)
                    table[key] = nil
                case 1:
                    let to = UInt8(random.next() % 8)
                    guard to == key || table[to] == nil, !taken(key) else { continue }
                    let new = Item(key: to, unique: unique, payload: step)
                    try effects.update(oldKey: [key], before: old, newKey: [to], after: new, strict: true)
                    table[key] = nil
                    table[to] = new
                default:
                    var new = old
                    new.payload = Int(random.next() % 3)
                    try effects.update(oldKey: [key], before: old, newKey: [key], after: new, strict: true)
                    table[key] = new
                }
            } else if !taken(key) {
                let new = Item(key: key, unique: unique, payload: step)
                try effects.insert(key: [key], row: new, strict: true)
                table[key] = new
            }
        }
        let plan = effects.strictPlan(rewritten: [1], rewriteUpdates: false)
        for row in plan.deletes {
            #expect(target.removeValue(forKey: row.key) != nil, "seed \(seed): a delete must find its row")
        }
        for row in plan.upserts {
            let old = try #require(target[row.key], "seed \(seed): an upsert must find its row")
            #expect(old != row && old.unique == row.unique, "seed \(seed): an upsert changes, but no unique value")
            target[row.key] = row
        }
        for row in plan.inserts {
            #expect(target[row.key] == nil, "seed \(seed): an insert must find no row")
            let clash = row.unique != nil && target.values.contains { $0.unique == row.unique }
            #expect(!clash, "seed \(seed): no unique value may clash at any step")
            target[row.key] = row
        }
        #expect(target == table, "seed \(seed)")
    }

    /// Absolute replay over a target in any state ends where the last event of each key says.
    @Test func absolutePlanIgnoresWhatTheTargetHolds() throws {
        var effects = NetEffects<Item>()
        let row = Item(key: 1, unique: 1, payload: 1)
        try effects.delete(key: [1], row: row, strict: false)
        try effects.insert(key: [2], row: Item(key: 2, unique: 2, payload: 2), strict: false)
        try effects.insert(key: [2], row: Item(key: 2, unique: 2, payload: 3), strict: false)
        let plan = effects.absolutePlan()
        #expect(plan.deletes == [row])
        #expect(plan.upserts == [Item(key: 2, unique: 2, payload: 3)])
        #expect(effects.absolutePlan(deletingAll: true).deletes.map(\.key) == [1, 2])
    }

    @Test func aLogThatContradictsItselfIsAnError() throws {
        var effects = NetEffects<Item>()
        let row = Item(key: 1, unique: 1, payload: 1)
        try effects.insert(key: [1], row: row, strict: true)
        #expect(throws: SequenceError.self) { try effects.insert(key: [1], row: row, strict: true) }
        try effects.delete(key: [1], row: row, strict: true)
        #expect(throws: SequenceError.self) { try effects.delete(key: [1], row: row, strict: true) }
    }
}

@Suite struct RowTranscoderTests {
    /// Random rows, cut into batches at random places: the lines are the same as from the rows by themselves.
    @Test(arguments: 0..<40)
    func anyCutGivesTheSameLines(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let columns = 1 + Int(random.next() % 4)
        var input: [UInt8] = []
        var ends: [Int] = []
        var expected: [UInt8] = []
        for _ in 0..<Int(random.next() % 5) {
            for column in 0..<columns {
                if column > 0 { expected.append(0x09) }
                if random.next() % 5 == 0 {
                    input.append(0xFB)
                    expected += [0x5C, UInt8(ascii: "N")]
                    continue
                }
                let sizes = [0, 1, 7, 250, 251, 300, 70_000]
                let size = sizes[Int(random.next() % UInt64(sizes.count))]
                let value = (0..<size).map { _ in [0x00, 0x09, 0x0A, 0x5C, 0x27, 0xFF, 0x61][Int(random.next() % 7)] as UInt8 }
                switch size {
                case ..<251: input.append(UInt8(size))
                case ..<65_536: input += [0xFC, UInt8(size & 255), UInt8(size >> 8)]
                default: input += [0xFD, UInt8(size & 255), UInt8((size >> 8) & 255), UInt8(size >> 16)]
                }
                input += value
                for byte in value {
                    switch byte {
                    case 0x00: expected += [0x5C, UInt8(ascii: "0")]
                    case 0x09: expected += [0x5C, UInt8(ascii: "t")]
                    case 0x0A: expected += [0x5C, UInt8(ascii: "n")]
                    case 0x5C: expected += [0x5C, 0x5C]
                    default: expected.append(byte)
                    }
                }
            }
            expected.append(0x0A)
            ends.append(input.count)
        }
        var transcoder = RowTranscoder(columnCount: columns)
        var output = ByteBuffer()
        var start = 0
        while start < input.count {
            let end = min(input.count, start + 1 + Int(random.next() % 3000))
            let own = ends.filter { $0 > start && $0 <= end }.map { $0 - start }
            try transcoder.transcode(MySQLRowBatch(bytes: ByteBuffer(bytes: input[start..<end]), rowEnds: own), into: &output)
            start = end
        }
        #expect(Array(output.readableBytesView) == expected, "seed \(seed)")
        #expect(transcoder.rows == UInt64(ends.count))
        #expect(transcoder.isAtRowStart)
    }

    @Test func rowsOfAnotherWidthAreRefused() {
        var transcoder = RowTranscoder(columnCount: 2)
        var output = ByteBuffer()
        #expect(throws: EngineError.self) {
            try transcoder.transcode(MySQLRowBatch(bytes: ByteBuffer(bytes: [1, 0x61]), rowEnds: [2]), into: &output)
        }
    }

    @Test(arguments: [
        ("Records: 3  Deleted: 0  Skipped: 0  Warnings: 0", 3, 0, true), ("Records: 3  Deleted: 0  Skipped: 1  Warnings: 1", 3, 1, true),
        ("", UInt64.max, UInt64.max, true), ("Records: x  Deleted: 0", UInt64.max, UInt64.max, true),
    ])
    func countsOfLoadData(_ info: String, _ records: UInt64, _ skipped: UInt64, _: Bool) {
        #expect(LoadCounts(info: info).records == records)
        #expect(LoadCounts(info: info).skipped == skipped)
    }
}
