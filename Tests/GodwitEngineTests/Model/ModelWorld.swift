import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore
import OrderedCollections

@testable import GodwitEngine

/// Something that may never be.
struct ModelViolation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// The two servers, what happens to them between any two statements, and the invariants that are checked after each.
actor ModelWorld {
    var choices: Choices
    private(set) var source: ModelSource
    private(set) var target: ModelTarget
    /// A COMMIT whose client is gone and which the server has not carried out yet.
    private var late: ModelTarget?
    /// Open transactions by session.
    private var open: [Int: (data: ModelTarget, isDirty: Bool)] = [:]
    private var sessions = 0
    private var budget: Int
    private var faults: Int
    private(set) var violation: ModelViolation?
    private(set) var trace: [String] = []
    // Validation.
    private var ledger: ValidationLedger?
    private var ledgerEpoch: UInt64 = 0
    private var comparison: (task: ValidationTask, visible: ReplicationPosition, upper: ReplicationPosition, table: ModelTable)?

    init(choices: Choices) {
        var choices = choices
        let widths = [1 + choices.next(2), 1 + choices.next(2)]
        let schema = ModelSchema(
            keyWidths: widths, isUnique: [choices.next(3) > 0, choices.next(3) > 0], cascades: widths[0] == 1 && choices.next(2) == 1)
        var source = ModelSource(schema: schema, usesGTIDs: choices.next(3) > 0)
        for _ in 0...choices.next(6) { source.commit(source.transaction(&choices)) }
        while !source.isQuiet {
            source.show()
            source.note()
        }
        budget = 2 + choices.next(10)
        faults = choices.next(4)
        self.source = source
        self.choices = choices
        target = ModelTarget(schema: schema, p0: .gtids(GTIDSet()))
    }

    func begin(at p0: ReplicationPosition) { target = ModelTarget(schema: source.schema, p0: p0) }

    func newSession() -> Int {
        sessions += 1
        return sessions
    }

    func choose(_ limit: Int) -> Int { choices.next(limit) }
    var isDone: Bool {
        guard budget == 0, source.isQuiet, target.phase == .following, late == nil, violation == nil else { return violation != nil }
        return count(target) == source.flushed
    }
    var schema: ModelSchema { source.schema }
    var usesGTIDs: Bool { source.usesGTIDs }
    func events(from position: ReplicationPosition) -> [BinlogEvent] { source.events(from: position) }
    func fail(_ text: String) { if violation == nil { violation = ModelViolation(text) } }
    private func count(_ target: ModelTarget) -> Int? {
        guard let position = try? TargetState.decode(ReplicationPosition.self, target.position) else { return nil }
        return source.count(at: position)
    }

    /// The world goes on between two statements.
    func tick() {
        switch choices.next(8) {
        case 5 where budget > 0:
            budget -= 1
            if choices.next(6) == 5 { source.rotate() }
            source.commit(source.transaction(&choices))
            trace.append("source commits \(source.flushed)")
        case 6: source.show()
        case 7: source.note()
        case 4: if let late { settle(late) }
        default: break
        }
        if ledger != nil, choices.next(2) == 1 { validate() }
    }

    /// With nobody at work: every transaction comes to its end.
    func calm() {
        if budget > 0 {
            budget -= 1
            source.commit(source.transaction(&choices))
        }
        source.show()
        source.note()
        if let late { settle(late) }
    }

    private func settle(_ data: ModelTarget) {
        late = nil
        commit(data, by: "a late COMMIT")
    }

    // MARK: Statements

    func ask(_ sql: String) throws(MySQLError) -> MySQLResult {
        tick()
        if sql == "SELECT @@GLOBAL.gtid_executed" { return .rows([[source.set(source.executed).description]]) }
        if sql == "SELECT @@GLOBAL.gtid_owned" {
            let owned = (source.executed..<source.flushed).map { ":\($0 + 1)#7" }.joined()
            return .rows([[owned.isEmpty ? "" : ModelSource.uuid.description + owned]])
        }
        if sql == "SHOW BINARY LOG STATUS" { return .rows([[source.end.file, String(source.end.offset)]]) }
        guard let table = [0, 1].first(where: { sql.contains("`m`.`t\($0)`") }),
            let condition = sql.between(" WHERE ", sql.contains(" ORDER BY ") ? " ORDER BY " : "")
        else { throw ModelTarget.unknown(sql) }
        let rows = Self.rows(source.states[source.visible][table], condition, source.schema, table)
        let width = source.schema.keyWidths[table]
        if let offset = sql.between(" OFFSET ", "").flatMap({ Int($0) }) {
            return .rows(rows.dropFirst(offset).prefix(1).map { $0.prefix(width).map { $0.map(String.init) } })
        }
        return .rows(rows.map { $0.map { $0.map(String.init) } })
    }

    private static func rows(_ table: ModelTable, _ condition: String, _ schema: ModelSchema, _ number: Int) -> [ModelRow] {
        var parser = ModelSQL(condition)
        let names = schema.definition(number).columns.map(\.name)
        return table.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value).filter { row in
            parser.condition(Dictionary(uniqueKeysWithValues: zip(names, row)))
        }
    }

    func run(_ sql: String, session: Int, file: [ModelRow]? = nil) throws(MySQLError) -> MySQLResult {
        tick()
        trace.append("\(session): \(sql.prefix(150))")
        let fate = faults > 0 ? choices.next(40) : 0
        if fate >= 37 {
            faults -= 1
            if sql == "COMMIT", fate > 37, let own = open[session] {
                // The answer is lost: the server has committed, or will.
                open[session] = nil
                if fate == 38 { commit(own.data, by: "\(session)") } else { late = own.data }
            }
            open[session] = nil
            trace.append("\(session): connection lost (\(fate))")
            throw MySQLError(.connectionClosed, "lost")
        }
        switch sql {
        case "BEGIN":
            open[session] = (target, false)
            return .affected(0)
        case "COMMIT":
            if let own = open.removeValue(forKey: session), own.isDirty { commit(own.data, by: "\(session)") }
            return .affected(0)
        case "ROLLBACK":
            open[session] = nil
            return .affected(0)
        default: break
        }
        var own = open[session] ?? (target, false)
        if ModelTarget.isLocking(sql) {
            if let late { settle(late) }
            if !own.isDirty { own.data = target }
        }
        let result: MySQLResult
        if let file, let table = [0, 1].first(where: { sql.contains("`m`.`t\($0)`") }) {
            // LOCAL behaves as IGNORE: what is there already is skipped.
            let new = file.filter { own.data.tables[table][source.schema.key($0, table)] == nil }
            _ = try own.data.insert(new, table, upsert: false)
            result = .affected(
                new.count, info: "Records: \(file.count)  Deleted: 0  Skipped: \(file.count - new.count)  Warnings: 0")
        } else {
            result = try own.data.execute(sql)
        }
        own.isDirty = own.isDirty || !sql.hasPrefix("SELECT")
        if open[session] == nil {
            if own.isDirty { commit(own.data, by: "\(session)") }
        } else {
            open[session] = own
        }
        return result
    }

    /// The connection breaks at COMMIT, and the server carries it out later.
    func loseCommit(of session: Int) { late = open.removeValue(forKey: session)?.data }

    func close(_ session: Int) { open[session] = nil }
    func isInTransaction(_ session: Int) -> Bool { open[session] != nil }

    // MARK: Invariants

    private func commit(_ new: ModelTarget, by who: String) {
        let old = target
        target = new
        guard violation == nil, new.phase == .following, Fault.current == nil else { return }
        if old.phase != .following {
            for table in [0, 1] where source.schema.isUnique[table] {
                let values = new.tables[table].values.compactMap { $0[source.schema.keyWidths[table]] }
                if Set(values).count != values.count { fail("the unique key of t\(table) cannot be built at the consistency point") }
            }
        }
        guard let count = count(new) else { return fail("the checkpoint \(new.position) is no position of the log") }
        if let before = self.count(old), count < before { fail("the checkpoint goes back from \(before) to \(count)") }
        for table in [0, 1] where new.tables[table] != source.states[count][table] {
            fail("after a commit of \(who) t\(table) is not the source's after \(count) transactions: \(new.tables[table]) is not \(source.states[count][table])")
        }
    }

    // MARK: Validation

    /// From nothing, or, as after a lost connection, from what the attempt just before knew.
    func startValidation(_ epoch: UInt64) {
        guard source.usesGTIDs else { return }
        var ledger = ValidationLedger()
        defer { ledgerEpoch = epoch }
        let start = try? TargetState.decode(ReplicationPosition.self, target.position)
        for table in [0, 1] {
            let name = source.schema.definition(table).name
            ledger.add(name, hasKey: true, start: start)
            let cut = source.schema.keyWidths[table] == 1 ? ["3"] : ["3", "0"]
            ledger.planned(name, chunks: [KeyBounds(upper: cut), KeyBounds(lower: cut)])
        }
        comparison = nil
        if let kept = self.ledger, epoch == ledgerEpoch + 1, choices.next(2) == 1 {
            ledger.resume(kept, same: Set([0, 1].map { source.schema.definition($0).name }))
            trace.append("validation goes on")
        }
        self.ledger = ledger
    }

    func touched(_ keys: [TouchedKey], _ mark: MarkPosition) {
        for key in keys { ledger?.touched(source.schema.definition(key.table).name, key.key, at: mark) }
    }

    /// One half of a comparison: the source is read, or, later, the target.
    func validate() {
        guard let compared = comparison else {
            guard let task = ledger?.next(keys: 1 + choices.next(3)) else { return }
            let table = task.table.table == "t0" ? 0 : 1
            var upper = source.set(source.executed)
            for index in source.executed..<source.flushed { upper.insert(source.gtid(index)) }
            comparison = (task, .gtids(source.set(source.executed)), .gtids(upper), source.states[source.visible][table])
            return
        }
        comparison = nil
        let table = compared.task.table.table == "t0" ? 0 : 1
        guard let checkpoint = try? TargetState.decode(ReplicationPosition.self, target.position) else { return }
        let alignment = Alignment(sourceVisible: compared.visible, sourceUpper: compared.upper, checkpoint: checkpoint)
        let other = target.tables[table]
        switch compared.task.work {
        case .keys(let keys):
            let unequal = keys.map(\.key).filter { key in
                let own = key.literals.compactMap { Int($0) }
                return compared.table[own] != other[own]
            }
            ledger?.finished(compared.task, unequal: Set(unequal), at: alignment)
        case .chunk(let chunk):
            let columns = Array(source.schema.definition(table).columns.map(\.name).prefix(source.schema.keyWidths[table]))
            let condition = chunk.bounds.condition(columns: columns)
            let one = Self.rows(compared.table, condition, source.schema, table)
            let two = Self.rows(other, condition, source.schema, table)
            let keys = Set((one + two).map { source.schema.key($0, table) }).filter { compared.table[$0] != other[$0] }
            ledger?.finished(compared.task, unequal: keys.map { RowKey($0.map(String.init)) }, complete: true, at: alignment)
        case .whole: break
        }
        if Fault.current == nil, let failed = ledger?.status(compared.task.table)?.failed, failed > 0 {
            fail("validation calls a row of \(compared.task.table) different where all is equal")
        }
    }

    /// At rest, everything compared: Validated exactly if equal (I8).
    func finish() {
        guard violation == nil, ledger != nil else { return }
        for _ in 0..<400 { validate() }
        for table in [0, 1] {
            let isEqual = target.tables[table] == source.states[source.flushed][table]
            let isValidated = ledger.map { !$0.notValidated.contains(source.schema.definition(table).name) } ?? false
            if isValidated != isEqual { fail("t\(table) is \(isValidated ? "" : "not ")Validated and \(isEqual ? "equal" : "different")") }
        }
    }

    var isEqual: Bool { target.tables == source.states[source.flushed] }
}
