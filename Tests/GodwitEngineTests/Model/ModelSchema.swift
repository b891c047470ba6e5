import MySQLBinlog
import MySQLTypes

@testable import GodwitEngine

/// A row of a model table: integers and NULLs, in column order.
typealias ModelRow = [Int?]
/// Rows by key.
typealias ModelTable = [[Int]: ModelRow]

/// Two tables `m.t0` and `m.t1`: key columns `a` (and `b`), `u` (perhaps unique), `p`. Where `cascades`, `p` of the second refers to
/// the first's key, ON DELETE and ON UPDATE CASCADE, which the source logs.
struct ModelSchema: Sendable {
    let keyWidths: [Int]
    let isUnique: [Bool]
    let cascades: Bool

    func definition(_ table: Int) -> TableDefinition {
        let names = ["a", "b"].prefix(keyWidths[table]) + ["u", "p"]
        let columns = names.enumerated().map { position, name in
            ColumnDefinition(
                name: name, position: position, dataType: "int", columnType: "int", isNullable: position >= keyWidths[table])
        }
        var indexes = [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: Array(0..<keyWidths[table]))]
        if isUnique[table] {
            indexes.append(IndexDefinition(name: "u", isUnique: true, isPrimary: false, columns: [keyWidths[table]]))
        }
        return TableDefinition(
            name: TableName(schema: "m", table: "t\(table)"), engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: columns,
            indexes: indexes, createStatement: "")
    }

    var shapes: [TableShape] {
        (0..<2).map { TableShape(source: definition($0), target: definition($0).name, rowAlias: true) }
    }

    func key(_ row: ModelRow, _ table: Int) -> [Int] { row.prefix(keyWidths[table]).map { $0 ?? 0 } }

    func map(_ table: Int) -> TableMap {
        let columns = definition(table).columns.map { column in
            var mapped = TableMap.Column(type: .long, metadata: 0, isNullable: column.isNullable)
            mapped.isUnsigned = false
            mapped.name = column.name
            return mapped
        }
        return TableMap(tableID: UInt64(table), flags: 0, schema: "m", table: "t\(table)", columns: columns)
    }

    func event(_ change: ModelChange) -> RowsEvent {
        let map = map(change.table)
        let all = [Bool](repeating: true, count: map.columns.count)
        var bytes: [UInt8] = []
        for row in [change.before, change.after] {
            guard let row else { continue }
            var nulls: UInt8 = 0
            for (index, value) in row.enumerated() where value == nil { nulls |= 1 << UInt8(index) }
            bytes.append(nulls)
            for value in row {
                guard let value else { continue }
                let bits = UInt32(bitPattern: Int32(value))
                for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
            }
        }
        let kind: RowsEvent.Kind = change.before == nil ? .insert : change.after == nil ? .delete : .update
        return RowsEvent(
            kind: kind, flags: 1, map: map, isPartial: false, beforeColumns: change.before == nil ? [] : all,
            afterColumns: change.after == nil ? [] : all, bytes: bytes, rowsRange: 0..<bytes.count)
    }
}

/// One row event.
struct ModelChange: Sendable, Hashable {
    var table: Int
    var before: ModelRow?
    var after: ModelRow?
}

/// Decisions of a schedule: drawn from a seed, or given, as when a failing schedule is being shrunk. Zero is always the dullest choice.
struct Choices: Sendable {
    private(set) var drawn: [Int] = []
    private var given: [Int]?
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }
    init(given: [Int]) {
        self.given = given
        random = SplitMix(seed: 0)
    }

    /// 0 ..< limit.
    mutating func next(_ limit: Int) -> Int {
        var choice = 0
        if let given {
            if drawn.count < given.count { choice = given[drawn.count] % limit }
        } else {
            choice = Int(random.next() % UInt64(limit))
        }
        drawn.append(choice)
        return choice
    }

    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { next(times) == times - 1 }
}
