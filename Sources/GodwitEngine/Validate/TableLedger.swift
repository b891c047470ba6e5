import DequeModule
import MySQLTypes

extension Remedy { static let alignedComparison = Remedy("aligned-comparison", pitfalls: [42], test: "ValidationLedgerTests/markClearsOnlyWhenProven") }

/// One table's part of the `ValidationLedger`.
struct TableLedger: Sendable {
    /// The position of one transaction, for all keys that it touched: a mark is small.
    final class Stamp: Sendable {
        let position: MarkPosition
        init(_ position: MarkPosition) { self.position = position }
    }

    struct Mark: Sendable {
        /// The latest event on the key; nil: only seen unequal, no event known.
        var stamp: Stamp?
        var position: MarkPosition? { stamp?.position }
        /// When the key was marked and not settled since, seconds.
        var since: Double
        /// Number of the latest change of the mark.
        var version: UInt64
        /// Number of the change that made the mark; 0: the row was seen to differ before.
        var first: UInt64
        /// Seen unequal, with this upper bound of what the source showed and no event since: once the target's
        /// checkpoint holds it, another unequal comparison is final.
        var suspectUntil: ReplicationPosition?
    }
    enum Whole: Sendable, Hashable { case pending, busy, equal, unequal }

    let hasKey: Bool
    var error: String?
    /// Compared no further: too many failed keys.
    private(set) var isSuspended = false

    private(set) var marks: [RowKey: Mark] = [:]
    /// No mark is older, seconds.
    private(set) var oldest = Double.infinity
    /// Marks were lost for want of memory, and the target has not come level since: what is touched until then raises the floor. Else a backlog
    /// fills the memory again and again, only to lose it.
    private(set) var isOverwhelmed = false
    private var lastRaise: Stamp?
    private(set) var failed: [RowKey: UInt64] = [:]
    /// Marked keys that are not handed out; a key may stand here once after its mark is gone.
    private var queue = Deque<RowKey>()
    private var keysWereLast = false

    private(set) var chunks: [KeyBounds]?
    private var waiting = Deque<Int>()
    /// Chunks not compared yet; a chunk that comes back twice counts once.
    private var open: Set<Int> = []
    /// Number of the loss after which the chunks are compared; results of an older generation count for nothing.
    private var generation: UInt64 = 0
    /// Positions at or after which both sides of a chunk must be read: where lost marks stood. Keyless: of every touch.
    private var floor: ReplicationPosition?
    private var lostBefore = false
    /// Number of the latest change when the last chunk was compared, and how many marks were made up to it and are not settled. None left: every
    /// row was compared after its last change until then, even if others are marked by now.
    private var firstPass: (until: UInt64, unsettled: Int)?

    private(set) var whole = Whole.pending
    private var wholeVersion: UInt64 = 0
    private var wholeSuspect: (version: UInt64, until: ReplicationPosition)?

    /// - Parameter start: what the target held when keys began to be marked. A source that does not show all of that yet is behind the
    ///   target in rows that nobody has marked.
    init(hasKey: Bool, start: ReplicationPosition?) {
        self.hasKey = hasKey
        floor = Remedy.settledStartOfMarks.isOn ? start : nil
    }

    var markCount: Int { marks.count }

    // MARK: Events

    mutating func plan(_ chunks: [KeyBounds]) {
        self.chunks = chunks
        firstPass = nil
        generation += 1
        waiting = Deque(chunks.indices)
        open = Set(chunks.indices)
    }

    /// True when the key was not marked before.
    mutating func touch(_ key: RowKey, _ stamp: Stamp, _ version: UInt64, _ now: Double) -> Bool {
        guard !isSuspended else { return false }
        if isOverwhelmed {
            // Nothing is marked, and nothing has failed: every chunk is to be compared, at or after this.
            if lastRaise !== stamp { raiseFloor(stamp.position) }
            lastRaise = stamp
            return false
        }
        let differed = !failed.isEmpty && failed.removeValue(forKey: key) != nil
        var mark = Mark(stamp: stamp, since: now, version: version, first: differed ? 0 : version, suspectUntil: nil)
        if let before = marks[key] {
            mark.since = before.since
            mark.first = before.first
            marks[key] = mark
            return false
        }
        if differed { firstPass?.unsettled += 1 }
        oldest = marks.isEmpty ? now : min(oldest, now)
        marks[key] = mark
        queue.append(key)
        return true
    }

    mutating func touchWhole(_ position: MarkPosition, _ version: UInt64) {
        raiseFloor(position)
        wholeVersion = version
        wholeSuspect = nil
        if whole != .pending {
            lostBefore = lostBefore || whole == .equal
            whole = .pending
        }
    }

    /// `overwhelmed`: there are more marks than memory may hold.
    mutating func lose(_ position: MarkPosition?, _ version: UInt64, overwhelmed: Bool = false) {
        if let position { raiseFloor(position) }
        var stamps: [ObjectIdentifier: Stamp] = [:]
        for stamp in marks.values.lazy.compactMap(\.stamp) { stamps[ObjectIdentifier(stamp)] = stamp }
        // In order, so that the set grows at its end.
        for position in stamps.values.map(\.position).sorted(by: MarkPosition.inOrder) { raiseFloor(position) }
        isOverwhelmed = overwhelmed
        lastRaise = nil
        oldest = .infinity
        marks.removeAll()
        failed.removeAll()
        queue.removeAll()
        isSuspended = false
        lostBefore = true
        wholeVersion = version
        wholeSuspect = nil
        whole = .pending
        firstPass = nil
        if let chunks { plan(chunks) }
    }

    private mutating func raiseFloor(_ position: MarkPosition) {
        if let floor {
            // A mark of another kind than all before can't be joined to them; keep the newer kind, older marks of a
            // stream that changed its kind are covered by the load that such a change requires.
            self.floor = floor.including(position) ?? position.alone
        } else {
            floor = position.alone
        }
    }

    // MARK: Work

    mutating func next(limit: Int, checkpoint: ReplicationPosition?) -> ValidationTask.Work? {
        guard error == nil, !isSuspended else { return nil }
        guard hasKey else {
            guard whole == .pending, floor.map({ checkpoint?.covers($0) ?? true }) ?? true else { return nil }
            whole = .busy
            return .whole(wholeVersion)
        }
        // In turns: without GTIDs a mark stays for seconds, and where there is always one no chunk would ever be compared.
        if keysWereLast, let chunk = nextChunk(checkpoint: checkpoint) {
            keysWereLast = false
            return .chunk(chunk)
        }
        let keys = nextKeys(limit: limit, checkpoint: checkpoint)
        keysWereLast = !keys.isEmpty
        return keys.isEmpty ? nextChunk(checkpoint: checkpoint).map { .chunk($0) } : .keys(keys)
    }

    private mutating func nextChunk(checkpoint: ReplicationPosition?) -> ValidationTask.ChunkTask? {
        if let floor, let checkpoint, !checkpoint.covers(floor) { return nil }
        guard let chunks else { return nil }
        while let first = waiting.first, !open.contains(first) { waiting.removeFirst() }
        guard let index = waiting.popFirst() else { return nil }
        isOverwhelmed = false
        return ValidationTask.ChunkTask(bounds: chunks[index], index: index, generation: generation)
    }

    private mutating func nextKeys(limit: Int, checkpoint: ReplicationPosition?) -> [ValidationTask.MarkedKey] {
        var keys: [ValidationTask.MarkedKey] = []
        var budget = min(queue.count, limit * 4)
        // Under a backlog every key waits for the target: each look passes some of them over, not all.
        var early = 0
        while budget > 0, keys.count < limit, early < 64, let key = queue.popFirst() {
            budget -= 1
            guard let mark = marks[key] else { continue }
            if let position = mark.position, let checkpoint, !checkpoint.covers(position) {
                queue.append(key)
                early += 1
            } else {
                early = 0
                keys.append(ValidationTask.MarkedKey(key: key, version: mark.version))
            }
        }
        return keys
    }

    mutating func rechecked(_ key: ValidationTask.MarkedKey, equal: Bool, _ alignment: Alignment) {
        guard var mark = marks[key.key] else { return }
        let aligned = mark.position.map { alignment.covers($0) } ?? true || !Remedy.alignedComparison.isOn
        guard mark.version == key.version || !Remedy.unchangedMarks.isOn, aligned else {
            queue.append(key.key)
            return
        }
        if equal {
            marks[key.key] = nil
            settled(mark)
        } else if alignment.checkpoint.covers(alignment.sourceUpper) || !Remedy.settledDifferences.isOn
            || mark.suspectUntil.map({ alignment.checkpoint.covers($0) }) == true
        {
            marks[key.key] = nil
            failed[key.key] = mark.version
            settled(mark)
        } else {
            mark.suspectUntil = mark.suspectUntil ?? alignment.sourceUpper
            marks[key.key] = mark
            queue.append(key.key)
        }
    }

    private mutating func settled(_ mark: Mark) {
        if let firstPass, mark.first <= firstPass.until { self.firstPass?.unsettled -= 1 }
    }

    mutating func compared(
        _ chunk: ValidationTask.ChunkTask, unequal: [RowKey], complete: Bool, _ alignment: Alignment, version: UInt64,
        _ now: Double
    ) {
        guard chunk.generation == generation else { return }
        if let floor, !alignment.covers(floor) {
            waiting.append(chunk.index)
            return
        }
        for key in unequal where marks[key] == nil && failed[key] == nil {
            oldest = marks.isEmpty ? now : min(oldest, now)
            marks[key] = Mark(stamp: nil, since: now, version: version, first: firstPass == nil ? version : 0, suspectUntil: nil)
            firstPass?.unsettled += 1
            queue.append(key)
        }
        if complete { open.remove(chunk.index) } else { waiting.append(chunk.index) }
        if open.isEmpty, firstPass == nil { firstPass = (version, marks.count) }
    }

    mutating func comparedWhole(_ seen: UInt64, equal: Bool, _ alignment: Alignment) {
        guard whole == .busy else { return }
        whole = .pending
        guard seen == wholeVersion, floor.map({ alignment.covers($0) }) ?? true else { return }
        if equal {
            whole = .equal
        } else if alignment.checkpoint.covers(alignment.sourceUpper)
            || wholeSuspect.map({ $0.version == seen && alignment.checkpoint.covers($0.until) }) == true
        {
            whole = .unequal
        } else if wholeSuspect?.version != seen {
            wholeSuspect = (seen, alignment.sourceUpper)
        }
    }

    mutating func abandoned(_ work: ValidationTask.Work) {
        switch work {
        case .keys(let keys): queue.append(contentsOf: keys.map(\.key).filter { marks[$0] != nil })
        case .chunk(let chunk): if chunk.generation == generation { waiting.append(chunk.index) }
        case .whole: if whole == .busy { whole = .pending }
        }
    }

    mutating func repaired(_ keys: [RowKey], _ version: UInt64, _ now: Double) {
        for key in keys where failed.removeValue(forKey: key) != nil && marks[key] == nil {
            oldest = marks.isEmpty ? now : min(oldest, now)
            marks[key] = Mark(stamp: nil, since: now, version: version, first: 0, suspectUntil: nil)
            firstPass?.unsettled += 1
            queue.append(key)
        }
        // Too many differed to go on: with some of them mended the rest is looked at again.
        if isSuspended, failed.isEmpty {
            isSuspended = false
            if let chunks { plan(chunks) }
        }
    }

    mutating func suspend(after limit: Int) {
        guard failed.count >= limit else { return }
        isSuspended = true
        marks.removeAll()
        queue.removeAll()
    }

    /// The same, for workers who know nothing of those before them: all that was handed out and did not come back is handed out again.
    /// nil: it has come to an end that a new attempt looks into anew.
    func resumed() -> TableLedger? {
        guard error == nil, !isSuspended, failedCount == 0 else { return nil }
        var next = self
        next.generation += 1
        next.waiting = Deque(open.sorted())
        next.queue = Deque(marks.keys)
        if whole == .busy { next.whole = .pending }
        return next
    }

    // MARK: State

    /// Every row compared after its last change, and equal.
    var isValidated: Bool {
        guard error == nil else { return false }
        return hasKey ? chunks != nil && open.isEmpty && marks.isEmpty && failed.isEmpty : whole == .equal
    }

    /// There was a position such that every row was compared after its last change up to it, and equal. Where a mark stays for seconds (without
    /// GTIDs) and rows come all the while, some key is always marked.
    var wasValidated: Bool {
        guard hasKey, error == nil, !isSuspended, failed.isEmpty, open.isEmpty, let firstPass else { return false }
        return firstPass.unsettled == 0
    }

    var failedCount: Int { hasKey ? failed.count : (whole == .unequal ? 1 : 0) }

    var chunksTotal: Int { chunks?.count ?? 0 }
    var chunksCompared: Int { chunksTotal - open.count }

    /// DMS's words for it.
    /// - Parameter suspended: keys that count as suspended.
    func state(suspended: UInt64) -> String {
        if error != nil { return "Error" }
        if failedCount > 0 { return "Mismatched records" }
        if isValidated { return "Validated" }
        if suspended > 0 { return "Suspended records" }
        guard hasKey else { return lostBefore ? "Pending revalidation" : "Pending validation" }
        if chunks == nil { return "Preparing table" }
        if !open.isEmpty { return lostBefore ? "Pending revalidation" : "Pending validation" }
        return "Pending records"
    }
}

extension MarkPosition {
    fileprivate static func inOrder(_ left: MarkPosition, _ right: MarkPosition) -> Bool {
        switch (left, right) {
        case (.gtid(let left), .gtid(let right)):
            (left.source, left.tag, left.number) < (right.source, right.tag, right.number)
        case (.file(let left), .file(let right)): left < right
        case (.file, .gtid): true
        case (.gtid, .file): false
        }
    }

    /// The position that covers just this.
    fileprivate var alone: ReplicationPosition {
        switch self {
        case .gtid(let gtid):
            var set = GTIDSet()
            set.insert(gtid)
            return .gtids(set)
        case .file(let coordinates): return .file(coordinates)
        }
    }
}

extension Remedy {
    static let settledStartOfMarks = Remedy("start-of-marks", pitfalls: [42], test: "ModelTests/everyScheduleKeepsTheInvariants")
    static let unchangedMarks = Remedy("unchanged-marks", pitfalls: [42], test: "ValidationLedgerTests/markClearsOnlyWhenProven")
    static let settledDifferences = Remedy("settled-differences", pitfalls: [42], test: "ModelTests/everyScheduleKeepsTheInvariants")
}
