import OrderedCollections
import Testing

@testable import GodwitEngine

/// A row that may refer to a parent.
private struct Node: RowContent, Hashable {
    var key: Int
    var parent: Int?
    var payload: Int
    func hasSameContent(as other: Node) -> Bool { self == other }
    func hasSameContent(as other: Node, in columns: [Int]) -> Bool { !columns.contains(1) || parent == other.parent }
}

/// Parents (table 0), their children (1) and children without a key (2), both ON DELETE and ON UPDATE CASCADE, which no event shows.
private struct Family: Equatable {
    var parents: [Int: Node] = [:]
    var children: [Int: Node] = [:]
    /// Sorted.
    var keyless: [[Int?]] = []

    mutating func one(_ change: OrderedRun<Node>.Change) {
        switch change.table {
        case 0: Self.apply(change, &parents)
        case 1: Self.apply(change, &children)
        default:
            if let row = change.before, let at = keyless.firstIndex(of: [row.parent, row.payload]) { keyless.remove(at: at) }
            if let row = change.after { keyless.append([row.parent, row.payload]) }
            keyless.sort { "\($0)" < "\($1)" }
        }
    }

    private static func apply(_ change: OrderedRun<Node>.Change, _ table: inout [Int: Node]) {
        if let row = change.before { table[row.key] = nil }
        if let row = change.after { table[row.key] = row }
    }

    /// What InnoDB does by itself, unlogged.
    mutating func cascade(_ change: OrderedRun<Node>.Change) {
        guard change.table == 0, let old = change.before, change.after?.key != old.key else { return }
        for (key, row) in children where row.parent == old.key {
            children[key]?.parent = change.after?.key
            if change.after == nil { children[key] = nil }
        }
        keyless = keyless.compactMap { row in
            guard row[0] == old.key else { return row }
            return change.after.map { [$0.key, row[1]] }
        }.sorted { "\($0)" < "\($1)" }
    }

    /// As the applier does: deletes, rows in place, inserts, one table after the other.
    mutating func together(_ run: OrderedRun<Node>) {
        for (table, effects) in run.keyed {
            let plan = effects.strictPlan(rewritten: [], rewriteUpdates: false)
            for row in plan.deletes { one(.init(table: table, before: row, after: nil)) }
            for row in plan.upserts + plan.inserts { one(.init(table: table, before: nil, after: row)) }
        }
        for change in run.keyless.values.joined() { one(change) }
    }
}

@Suite struct OrderedRunTests {
    /// Random changes with unlogged cascades between them end where they end one by one; and nothing is gathered over a cascade.
    @Test(arguments: 0..<300)
    func stepsEndWhereTheChangesEnd(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var family = Family()
        var changes: [OrderedRun<Node>.Change] = []
        func number(_ limit: UInt64) -> Int { Int(random.next() % limit) }
        for step in 0..<60 {
            let key = number(5)
            // A child refers to a parent that is there, or to none.
            let parent = family.parents.keys.sorted().first { _ in number(2) == 0 }
            let change: OrderedRun<Node>.Change
            switch number(3) {
            case 0:
                let old = family.parents[key]
                let to = number(3) == 0 ? number(5) : key
                guard to == key || old == nil || family.parents[to] == nil else { continue }
                change = .init(table: 0, before: old, after: old != nil && number(3) == 0 ? nil : Node(key: old == nil ? key : to, parent: nil, payload: step))
            case 1:
                let old = family.children[key]
                change = .init(table: 1, before: old, after: old != nil && number(3) == 0 ? nil : Node(key: key, parent: parent, payload: step))
            default:
                let old = family.keyless.isEmpty || number(2) == 0 ? nil : family.keyless[number(UInt64(family.keyless.count))]
                let before = old.map { Node(key: 0, parent: $0[0], payload: $0[1] ?? 0) }
                change = .init(table: 2, before: before, after: before != nil && number(2) == 0 ? nil : Node(key: 0, parent: parent, payload: number(3)))
            }
            changes.append(change)
            family.one(change)
            family.cascade(change)
        }
        var target = Family()
        let steps = try OrderedRun.steps(
            changes, key: { $0 == 2 ? nil : [UInt8($1.key)] },
            cascades: { changes[$0].table == 0 && changes[$0].before != nil && changes[$0].after?.key != changes[$0].before?.key })
        var alone = 0
        for step in steps {
            switch step {
            case .together(let run): target.together(run)
            case .alone(let index):
                alone += 1
                target.one(changes[index])
                target.cascade(changes[index])
            }
        }
        #expect(target == family, "seed \(seed)")
        #expect(steps.count <= 2 * alone + 1, "changes between two cascades go together")
    }

    @Test func aContradictionNamesItsTable() {
        let row = Node(key: 1, parent: nil, payload: 0)
        #expect(throws: OrderedRun<Node>.Contradiction.self) {
            try OrderedRun.steps(
                [.init(table: 1, before: nil, after: row), .init(table: 1, before: nil, after: row)], key: { [UInt8($1.key)] }, cascades: { _ in false })
        }
    }

    /// What the target's log holds is read by the order that its columns had at the switch.
    @Test func columnsAtTheSwitch() throws {
        let names = ["id", "a", "b"]
        let table = TableDefinition(
            name: TableName(schema: "s", table: "t"), engine: "InnoDB", tableCollation: "utf8mb4_bin",
            columns: names.enumerated().map { ColumnDefinition(name: $1, position: $0, dataType: "int", columnType: "int", isNullable: false) },
            indexes: [], createStatement: "")
        #expect(try ReversePreparation.definition(of: table, columns: names).name == table.name)
        for others in [["id", "b", "a"], ["id", "a"], ["id", "a", "b", "c"]] {
            #expect(throws: EngineError.self) { try ReversePreparation.definition(of: table, columns: others) }
        }
    }
}
