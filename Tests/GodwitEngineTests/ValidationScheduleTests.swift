import MySQLTypes
import Testing

@testable import GodwitEngine

/// Random schedules of two servers and a stream between them, where reads happen at any moment: the ledger may never call
/// a table Validated whose target differs from the source at the checkpoint, nor a row failed that does not differ.
@Suite struct ValidationScheduleTests {
    @Test(arguments: 0..<300)
    func ledgerIsSound(_ seed: Int) throws {
        var world = World(seed: UInt64(seed), keyless: false, corrupt: seed % 3 == 0)
        for step in 0..<400 {
            world.step()
            try world.check("seed \(seed), step \(step)")
        }
        world.quiesce()
        try world.check("seed \(seed), at rest")
        let bad = world.differing
        #expect(world.ledger.isValidated == bad.isEmpty, "seed \(seed): differing \(bad)")
        #expect(Set(world.ledger.failedKeys(world.table, limit: 100)) == bad, "seed \(seed)")
    }

    @Test(arguments: 0..<200)
    func keylessLedgerIsSound(_ seed: Int) throws {
        var world = World(seed: UInt64(seed), keyless: true, corrupt: seed % 3 == 0)
        for step in 0..<300 {
            world.step()
            try world.check("seed \(seed), step \(step)")
        }
        world.quiesce()
        #expect(world.ledger.isValidated == world.differing.isEmpty, "seed \(seed)")
    }
}

/// SplitMix64: the same schedule for the same seed everywhere.
private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

private struct World {
    struct Event { var key: Int; var value: Int? }
    struct Read { var task: ValidationTask; var source: [Int: Int]?; var target: [Int: Int]?; var visible = 0; var upper = 0; var checkpoint = 0 }

    let table = TableName(schema: "app", table: "items")
    let keyless: Bool
    let corrupt: Bool
    var random: Generator
    var ledger: ValidationLedger

    /// The source's binlog, and how far each party is: the stream may be ahead of what the source shows.
    var log: [Event] = []
    var visible = 0
    var delivered = 0
    var applied = 0
    var initial: [Int: Int] = [:]
    var target: [Int: Int] = [:]
    var reads: [Read] = []

    init(seed: UInt64, keyless: Bool, corrupt: Bool) {
        self.keyless = keyless
        self.corrupt = corrupt
        random = Generator(state: seed)
        // Small limits, so that marks are lost and tables compared again.
        ledger = ValidationLedger(markLimit: seed % 2 == 0 ? 3 : 50, failureLimit: 1000)
        for key in 0..<8 where Bool.random(using: &random) { initial[key] = 0 }
        target = initial
        if corrupt { target[Int.random(in: 0..<8, using: &random)] = 99 }
        ledger.add(table, hasKey: !keyless)
        ledger.planned(table, chunks: [KeyBounds(upper: ["3"]), KeyBounds(lower: ["3"])])
    }

    func source(at position: Int) -> [Int: Int] {
        var rows = initial
        for event in log.prefix(position) { rows[event.key] = event.value }
        return rows
    }

    func position(_ count: Int) -> BinlogCoordinates { BinlogCoordinates(file: "b.1", offset: UInt64(count)) }
    func key(_ number: Int) -> RowKey { RowKey([String(number)]) }

    /// Keys whose rows on the target are not the source's at the checkpoint.
    var differing: Set<RowKey> {
        let expected = source(at: applied)
        return Set((0..<8).filter { expected[$0] != target[$0] }.map(key))
    }

    mutating func step() {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            // Few values, so that a row often comes back to one it had.
            let value = Int.random(in: 0..<4, using: &random)
            log.append(Event(key: Int.random(in: 0..<8, using: &random), value: value == 3 ? nil : value))
        case 2: visible = Int.random(in: visible...log.count, using: &random)
        case 3: deliver(to: Int.random(in: delivered...log.count, using: &random))
        case 4: apply(to: Int.random(in: applied...delivered, using: &random))
        case 5:
            if let task = ledger.next(keys: 2, checkpoint: Bool.random(using: &random) ? .file(position(applied)) : nil) {
                reads.append(Read(task: task))
            }
        case 6, 7:
            guard let index = reads.indices.randomElement(using: &random) else { return }
            readOneSide(index, sourceFirst: Bool.random(using: &random))
        case 8:
            guard let index = reads.indices.randomElement(using: &random) else { return }
            finish(index)
        default:
            guard let index = reads.indices.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0
            else { return }
            ledger.abandoned(reads.remove(at: index).task)
        }
    }

    mutating func deliver(to count: Int) {
        for index in delivered..<count {
            ledger.touched(table, keyless ? nil : key(log[index].key), at: .file(position(index + 1)))
        }
        delivered = count
    }

    mutating func apply(to count: Int) {
        for index in applied..<count {
            let broken = corrupt && Int.random(in: 0..<20, using: &random) == 0
            target[log[index].key] = broken ? 77 : log[index].value
        }
        applied = count
    }

    mutating func readOneSide(_ index: Int, sourceFirst: Bool) {
        if sourceFirst, reads[index].source == nil {
            // gtid_executed is behind what is visible, and the upper bound ahead of it.
            reads[index].visible = Int.random(in: max(0, visible - 2)...visible, using: &random)
            reads[index].source = source(at: visible)
            reads[index].upper = Int.random(in: visible...log.count, using: &random)
        } else if reads[index].target == nil {
            reads[index].target = target
            reads[index].checkpoint = applied
        }
    }

    mutating func finish(_ index: Int) {
        let read = reads[index]
        guard let source = read.source, let target = read.target else { return }
        reads.remove(at: index)
        let alignment = Alignment(
            sourceVisible: .file(position(read.visible)), sourceUpper: .file(position(read.upper)),
            checkpoint: .file(position(read.checkpoint)))
        let unequal = (0..<8).filter { source[$0] != target[$0] }
        switch read.task.work {
        case .keys(let keys):
            ledger.finished(read.task, unequal: Set(unequal.map(key)).intersection(keys.map(\.key)), at: alignment)
        case .chunk(let chunk):
            let inside = unequal.filter { chunk.bounds.lower == nil ? $0 <= 3 : $0 > 3 }
            ledger.finished(read.task, unequal: inside.map(key), complete: true, at: alignment)
        case .whole: ledger.finished(read.task, equal: unequal.isEmpty, at: alignment)
        }
    }

    /// No more writes: everything arrives, every comparison is made.
    mutating func quiesce() {
        deliver(to: log.count)
        apply(to: log.count)
        visible = log.count
        for read in reads { ledger.abandoned(read.task) }
        reads = []
        for _ in 0..<200 {
            guard let task = ledger.next() else { return }
            let rows = source(at: log.count)
            reads = [
                Read(
                    task: task, source: rows, target: target, visible: log.count, upper: log.count,
                    checkpoint: log.count)
            ]
            finish(0)
        }
        Issue.record("the ledger does not come to rest")
    }

    func check(_ place: String) throws {
        let bad = differing
        if ledger.isValidated { try #require(bad.isEmpty, "Validated over \(bad): \(place)") }
        let failed = Set(ledger.failedKeys(table, limit: 100))
        if !keyless { try #require(failed.isSubset(of: bad), "failed \(failed) of \(bad): \(place)") }
        if keyless, ledger.status(table)?.failed == 1 { try #require(!bad.isEmpty, "failed and equal: \(place)") }
        try #require(ledger.pendingKeys >= 0)
    }
}
