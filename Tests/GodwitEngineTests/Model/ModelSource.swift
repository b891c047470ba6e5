import MySQLBinlog
import MySQLTypes

@testable import GodwitEngine

/// A source that is a value: its log, and the state after each transaction. A transaction is flushed to the log, then visible to
/// reads, then in `gtid_executed`: three moments, in this order.
struct ModelSource: Sendable {
    struct Transaction: Sendable {
        var changes: [ModelChange]
        var start: BinlogCoordinates
        var end: BinlogCoordinates
    }

    let schema: ModelSchema
    let usesGTIDs: Bool
    private(set) var log: [Transaction] = []
    /// State after so many transactions.
    private(set) var states: [[ModelTable]]
    private(set) var visible = 0
    private(set) var executed = 0
    private(set) var end = BinlogCoordinates(file: "log.000001", offset: 4)

    static let uuid = SourceUUID(high: 1, low: 1)

    init(schema: ModelSchema, usesGTIDs: Bool) {
        self.schema = schema
        self.usesGTIDs = usesGTIDs
        states = [[[:], [:]]]
    }

    var flushed: Int { log.count }
    var isQuiet: Bool { executed == flushed }

    mutating func rotate() {
        // Waits for engine commits.
        visible = flushed
        end = BinlogCoordinates(file: "log.\(String(end.sequence + 1_000_001).dropFirst())", offset: 4)
    }

    mutating func show() { visible = min(visible + 1, flushed) }
    mutating func note() { executed = min(executed + 1, visible) }

    mutating func commit(_ changes: [ModelChange]) {
        guard !changes.isEmpty else { return }
        var state = states[log.count]
        for change in changes {
            if let before = change.before { state[change.table][schema.key(before, change.table)] = nil }
            if let after = change.after { state[change.table][schema.key(after, change.table)] = after }
        }
        let start = end
        end.offset += UInt64(100 + 10 * changes.count)
        log.append(Transaction(changes: changes, start: start, end: end))
        states.append(state)
    }

    /// How many transactions a position includes; nil: none that this log has ever stood at.
    func count(at position: ReplicationPosition) -> Int? {
        switch position {
        case .gtids(let set):
            let count = (0..<flushed).prefix { set.contains(gtid($0)) }.count
            return set == self.set(count) ? count : nil
        case .file(let here):
            return log.prefix { $0.end <= here }.count
        }
    }

    func gtid(_ index: Int) -> GTID { GTID(source: Self.uuid, number: Int64(index + 1)) }
    func set(_ count: Int) -> GTIDSet {
        var set = GTIDSet()
        for index in 0..<count { set.insert(gtid(index)) }
        return set
    }

    /// What the stream delivers from a position: of the log as far as it is flushed.
    func events(from position: ReplicationPosition) -> [BinlogEvent] {
        var events: [BinlogEvent] = []
        func add(_ next: UInt64, _ body: BinlogEvent.Body, flags: UInt16 = 0) {
            events.append(
                BinlogEvent(
                    header: EventHeader(timestamp: 1, type: 0, serverID: 1, size: 0, nextPosition: UInt32(next), flags: flags),
                    body: body))
        }
        var wanted = Array(log.enumerated())
        var file = ""
        switch position {
        case .gtids(let set): wanted = wanted.filter { !set.contains(gtid($0.offset)) }
        case .file(let here):
            wanted = wanted.filter { $0.element.start >= here }
            add(0, .rotate(here), flags: 0x20)
            file = here.file
        }
        for (index, transaction) in wanted {
            if transaction.start.file != file {
                file = transaction.start.file
                add(0, .rotate(BinlogCoordinates(file: file, offset: 4)), flags: 0x20)
            }
            var place = transaction.start.offset + 10
            add(place, .gtid(GTIDEvent(
                gtid: usesGTIDs ? gtid(index) : nil, immediateCommitMicroseconds: 1, originalCommitMicroseconds: 1,
                lastCommitted: 0, sequenceNumber: 0, transactionLength: 0)))
            add(place + 10, .query(QueryEvent(
                threadID: 1, executionSeconds: 0, errorCode: 0, schema: "m", statement: Array("BEGIN".utf8), status: QueryStatus())))
            place += 10
            for change in transaction.changes {
                place += 10
                add(place, .rows(schema.event(change)))
            }
            add(transaction.end.offset, .xid(1))
        }
        if end.file != file { add(0, .rotate(BinlogCoordinates(file: end.file, offset: 4)), flags: 0x20) }
        add(0, .heartbeat(end), flags: 0x20)
        return events
    }

    /// A random transaction: inserts, updates, deletes, moves of keys, swaps of unique values, and the cascades of each.
    func transaction(_ choices: inout Choices) -> [ModelChange] {
        var state = states[flushed]
        var changes: [ModelChange] = []
        func carryOut(_ change: ModelChange) {
            if let before = change.before { state[change.table][schema.key(before, change.table)] = nil }
            if let after = change.after { state[change.table][schema.key(after, change.table)] = after }
            changes.append(change)
        }
        for _ in 0...choices.next(4) {
            let table = choices.next(2)
            var key = [1 + choices.next(6)]
            if schema.keyWidths[table] == 2 { key.append(choices.next(2)) }
            let unique = [nil, 1, 2, 3, 4, 5][choices.next(6)]
            let payload = choices.next(6)
            let kind = choices.next(8)
            let taken = { (value: Int?, owner: [Int]) in
                value != nil && schema.isUnique[table] && state[table].values.contains {
                    $0[schema.keyWidths[table]] == value && schema.key($0, table) != owner
                }
            }
            let row: ModelRow = key.map(Optional.some) + [unique, payload]
            guard let old = state[table][key] else {
                if !taken(unique, key) { carryOut(ModelChange(table: table, before: nil, after: row)) }
                continue
            }
            switch kind {
            case 0, 1:
                cascade(table, key, nil, state, carryOut)
                carryOut(ModelChange(table: table, before: old, after: nil))
            case 2, 3:
                var to = key
                to[0] = 1 + payload
                guard state[table][to] == nil else { continue }
                var new = old
                new[0] = to[0]
                cascade(table, key, to, state, carryOut)
                carryOut(ModelChange(table: table, before: old, after: new))
            case 4:
                // a and b swap their unique values by way of NULL.
                let column = schema.keyWidths[table]
                guard let other = state[table].sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).first(where: { $0.key != key }) else { continue }
                var (free, one, two) = (old, old, other.value)
                free[column] = nil
                one[column] = other.value[column]
                two[column] = old[column]
                carryOut(ModelChange(table: table, before: old, after: free))
                carryOut(ModelChange(table: table, before: other.value, after: two))
                carryOut(ModelChange(table: table, before: free, after: one))
            default:
                if !taken(unique, key), row != old { carryOut(ModelChange(table: table, before: old, after: row)) }
            }
        }
        return changes
    }

    private func cascade(
        _ table: Int, _ key: [Int], _ to: [Int]?, _ state: [ModelTable], _ carryOut: (ModelChange) -> Void
    ) {
        guard schema.cascades, table == 0, key.count == 1 else { return }
        for child in state[1].values.sorted(by: { schema.key($0, 1).lexicographicallyPrecedes(schema.key($1, 1)) })
        where child.last == key[0] {
            var moved = child
            moved[moved.count - 1] = to?[0]
            carryOut(ModelChange(table: 1, before: child, after: to == nil ? nil : moved))
        }
    }
}
