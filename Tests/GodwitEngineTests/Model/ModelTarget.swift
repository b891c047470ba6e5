import MySQLTypes
import MySQLWire

@testable import GodwitEngine

/// What a model target holds: the migrated tables and the task's rows of schema godwit. A transaction is a copy that replaces it.
struct ModelTarget: Sendable {
    struct Chunk: Sendable {
        var table: Int
        var number: Int
        var bounds: String
        var isDone = false
    }

    let schema: ModelSchema
    var tables: [ModelTable] = [[:], [:]]
    var epoch = 0
    var phase = TaskPhase.loading
    var sequence = 0
    /// JSON, as the engine wrote it.
    var position: String
    var p1: BinlogCoordinates?
    var chunks: [Chunk] = []
    var planned: Set<Int> = []
    /// Secondary unique keys stand from the consistency point on.
    var hasUnique: Bool { phase == .following }

    init(schema: ModelSchema, p0: ReplicationPosition) {
        self.schema = schema
        position = TargetState.json(p0)
    }

    /// Statements that wait for locks and read what is newest.
    static func isLocking(_ sql: String) -> Bool { sql.hasSuffix("FOR SHARE") || sql.hasSuffix("FOR UPDATE") || !sql.hasPrefix("SELECT") }

    mutating func execute(_ sql: String) throws(MySQLError) -> MySQLResult {
        if sql.contains("`godwit`.") { return try executeState(sql) }
        guard let table = [0, 1].first(where: { sql.contains("`m`.`t\($0)`") }) else { throw Self.unknown(sql) }
        if sql.hasPrefix("DELETE FROM"), var list = sql.between(" WHERE ", "").map({ ModelSQL($0) }) {
            var count = 0
            let lists = list.lists()
            // `a` IN (1,2) is one list of keys of one column.
            let keys = schema.keyWidths[table] == 1 ? lists.flatMap { $0.map { [$0] } } : lists
            for key in keys where tables[table].removeValue(forKey: key.map { $0 ?? 0 }) != nil { count += 1 }
            return .affected(count)
        }
        if sql.hasPrefix("INSERT INTO"), let values = sql.between(") VALUES ", "") {
            let upsert = values.contains("ON DUPLICATE KEY UPDATE")
            var parser = ModelSQL(upsert ? String(values[..<(values.firstRange(of: " AS `new`")?.lowerBound ?? values.endIndex)]) : values)
            return .affected(try insert(parser.lists(), table, upsert: upsert))
        }
        throw Self.unknown(sql)
    }

    /// As a server does it: ON DUPLICATE KEY UPDATE follows any unique key.
    mutating func insert(_ rows: [ModelRow], _ table: Int, upsert: Bool) throws(MySQLError) -> Int {
        var count = 0
        for row in rows {
            let key = schema.key(row, table)
            let column = schema.keyWidths[table]
            var found = tables[table][key].map { _ in key }
            if found == nil, hasUnique, schema.isUnique[table], let value = row[column] {
                found = tables[table].first { $0.value[column] == value }?.key
            }
            guard let found else {
                tables[table][key] = row
                count += 1
                continue
            }
            guard upsert else { throw Self.duplicate }
            if tables[table][found] == row { continue }
            tables[table][found] = nil
            let clashes = hasUnique && schema.isUnique[table] && row[column] != nil
                && tables[table].values.contains { $0[column] == row[column] }
            guard !clashes, tables[table][key] == nil else { throw Self.duplicate }
            tables[table][key] = row
            count += 2
        }
        return count
    }

    private mutating func executeState(_ sql: String) throws(MySQLError) -> MySQLResult {
        if sql.hasPrefix("SELECT epoch, phase FROM `godwit`.`fence`") { return .rows([[String(epoch), phase.rawValue]]) }
        if sql.hasPrefix("UPDATE `godwit`.`fence` SET epoch = epoch + 1") {
            epoch += 1
            return .affected(1)
        }
        if sql.hasPrefix("UPDATE `godwit`.`fence` SET phase"), let text = sql.literal(after: "phase = "), let new = TaskPhase(rawValue: text) {
            phase = new
            return .affected(1)
        }
        if sql.hasPrefix("SELECT seq, position") { return .rows([[String(sequence), position, "0"]]) }
        if sql.hasPrefix("UPDATE `godwit`.`checkpoint`") {
            if let expected = sql.between("AND seq = ", ""), Int(expected) != sequence { return .affected(0) }
            if sql.contains("seq = seq + 1") { sequence += 1 }
            if let text = sql.literal(after: "position = ") { position = text }
            return .affected(1)
        }
        if sql.hasPrefix("UPDATE `godwit`.`task` SET p1_file"), let file = sql.literal(after: "p1_file = "),
            let offset = sql.between("p1_offset = ", " ").flatMap({ UInt64($0) })
        {
            p1 = BinlogCoordinates(file: file, offset: offset)
            return .affected(1)
        }
        if sql.hasPrefix("INSERT INTO `godwit`.`chunks`") {
            var rest = sql
            while let row = rest.between("('model', ", ""), let bounds = row.literal(after: ", ") {
                let numbers = row.split(separator: ",").prefix(2).compactMap { Int($0.filter(\.isNumber)) }
                guard numbers.count == 2 else { throw Self.unknown(sql) }
                guard !chunks.contains(where: { $0.table == numbers[0] && $0.number == numbers[1] }) else { throw Self.duplicate }
                chunks.append(Chunk(table: numbers[0], number: numbers[1], bounds: bounds))
                rest = row
            }
            return .affected(1)
        }
        if sql.hasPrefix("UPDATE `godwit`.`tables` SET `is_planned`"), let ids = sql.between("id IN (", ")") {
            planned.formUnion(ids.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) })
            return .affected(1)
        }
        if sql.hasPrefix("SELECT table_id, number, bounds") {
            return .rows(chunks.map { ["\($0.table)", "\($0.number)", $0.bounds, $0.isDone ? "1" : "0", "0", "0"] })
        }
        if let table = sql.between("table_id = ", " ").flatMap({ Int($0) }), let text = sql.between("number = ", ""),
            let number = Int(text.prefix { $0.isNumber }),
            let index = chunks.firstIndex(where: { $0.table == table && $0.number == number })
        {
            if sql.hasPrefix("SELECT done") { return .rows([[chunks[index].isDone ? "1" : "0"]]) }
            if sql.contains("SET done = 1") {
                if chunks[index].isDone { return .affected(0) }
                chunks[index].isDone = true
                return .affected(1)
            }
        }
        throw Self.unknown(sql)
    }

    static let duplicate = MySQLError(.server, "Duplicate entry", serverCode: 1062, sqlState: "23000")
    static func unknown(_ sql: String) -> MySQLError { MySQLError(.usage, "the model does not know the statement \(sql)") }
}
