import MySQLBinlog
import MySQLTypes
import MySQLWire
import OrderedCollections

extension Remedy { static let unloggedCascades = Remedy("unlogged-cascades", pitfalls: [13], test: "CascadeTests/everyAction") }
extension Remedy { static let foreignKeyOrder = Remedy("foreign-key-order", pitfalls: [14], test: "CascadeTests/everyAction") }

/// A row's change in a component of tables with cascades that are not logged (see `CascadeComponents`), applied where it
/// stands in the log; only those between two cascades are merged.
package struct OrderedChange: Sendable {
    package var table: Int
    package var before: ImageRow?
    package var after: ImageRow?
    /// The event stands for what foreign keys did to children too.
    package var cascades: Bool
    /// Of its transaction; nil: not known yet.
    package var mark: MarkPosition?
}

/// Applies ordered changes and carries out their cascades, as InnoDB does: from the rows that refer to the changed one, down.
///
/// By statements of its own and not by the target's foreign keys: what `foreign_key_checks = 1` does depends on the server.
/// MySQL 9.7.4 in its default mode refuses multi-level ON UPDATE CASCADE (1452) and deep self references (6575) that
/// InnoDB carries out, and leaves orphans in cycles (measured). With checks off no server does anything by itself.
struct OrderedReplay: Sendable {
    let shapes: [TableShape]
    let rules: CascadeRules
    let statementLimit: Int
    let target: MySQLConnection
    let execute: @Sendable (ApplyStatement, Int) async throws -> Void
    /// Told before they can be seen: keys that are in no event.
    let touched: @Sendable ([TouchedKey], MarkPosition) async -> Void

    /// Rows read and changed at once.
    private static let page = 500

    /// Returns the tables of which rows were changed whose position is not known yet.
    func run(_ changes: [OrderedChange]) async throws -> Set<Int> {
        // Refused before the start, and where a definition comes to it later.
        if let table = Set(changes.map(\.table)).first(where: { shapes[$0].source.period != nil }) {
            throw EngineError(
                .failed, "Table \(shapes[table].source.name) is system-versioned, and foreign keys that cascade connect it to others.",
                why: "The source does not log what they do, and done again it would make history that is not the source's.",
                cure: "Drop the foreign key, or the versioning, and start a new migration.")
        }
        var unmarked: Set<Int> = []
        for step in try steps(changes) {
            switch step {
            case .together(let run): try await carryOut(run)
            case .alone(let index):
                let change = changes[index]
                try await applyOne(change.before, change.after, TableStatements(shape: shapes[change.table], limit: statementLimit), change.table)
                guard let (old, new) = try cascadingValues(change) else { continue }
                try await cascade(change.table, before: old, after: new, change.mark, &unmarked)
            }
        }
        return unmarked
    }

    private func steps(_ changes: [OrderedChange]) throws -> [OrderedRun<ImageRow>.Step] {
        do {
            return try OrderedRun.steps(
                changes.map { .init(table: $0.table, before: $0.before, after: $0.after) },
                key: { shapes[$0].isKeyless ? nil : shapes[$0].keyBytes(of: $1.image) }, cascades: { try cascadingValues(changes[$0]) != nil })
        } catch let contradiction as OrderedRun<ImageRow>.Contradiction {
            throw ApplyBatch.contradiction(shapes[contradiction.table], contradiction.error)
        }
    }

    /// The values that children refer to, before and after; nil where the change does nothing to any child.
    private func cascadingValues(_ change: OrderedChange) throws -> (old: [Int: String], new: [Int: String]?)? {
        guard change.cascades, Remedy.unloggedCascades.isOn, let before = change.before, !rules.referenced(change.table).isEmpty else { return nil }
        let old = try literals(before, change.table)
        let new = try change.after.map { try literals($0, change.table) }
        return rules.effects(on: change.table, before: old, after: new).isEmpty ? nil : (old, new)
    }

    private func carryOut(_ run: OrderedRun<ImageRow>) async throws {
        for (table, effects) in run.keyed {
            let shape = shapes[table]
            let statements = TableStatements(shape: shape, limit: statementLimit)
            let plan = effects.strictPlan(rewritten: shape.rewrittenColumns, rewriteUpdates: shape.rewriteUpdates)
            guard plan.updates.isEmpty else {
                // `ApplyBatch` refuses such rows before they come here.
                throw EngineError(
                    .failed, "A change of \(shape.source.name) carries only part of its columns, where cascades are not logged.",
                    cure: "This is an error of Godwit: please report it.")
            }
            let execute: (ApplyStatement) async throws -> Void = { try await self.execute($0, table) }
            try await statements.deletes(plan.deletes, strict: true, execute)
            try await statements.upserts(plan.upserts, strict: true, execute)
            try await statements.inserts(plan.inserts, execute)
        }
        for (table, changes) in run.keyless {
            let statements = TableStatements(shape: shapes[table], limit: statementLimit)
            var inserts: [ImageRow] = []
            for change in changes {
                if change.before == nil, let row = change.after {
                    inserts.append(row)
                    continue
                }
                try await statements.keylessInserts(inserts) { try await execute($0, table) }
                inserts = []
                try await applyOne(change.before, change.after, statements, table)
            }
            try await statements.keylessInserts(inserts) { try await execute($0, table) }
        }
    }

    private func applyOne(_ before: ImageRow?, _ after: ImageRow?, _ statements: TableStatements, _ table: Int) async throws {
        guard let before else { return }
        let run: (ApplyStatement) async throws -> Void = { try await execute($0, table) }
        let isKeyless = statements.shape.isKeyless
        guard let after else {
            if isKeyless { return try await run(try statements.keylessDelete(before)) }
            return try await statements.deletes([before], strict: true, run)
        }
        if before.hasSameContent(as: after) { return }
        if statements.shape.hasJSON {
            // An update of 1 to 1.0 changes nothing on the server. With checks off a parent may go and come again.
            if isKeyless { try await run(try statements.keylessDelete(before)) } else { try await statements.deletes([before], strict: true, run) }
            return try await statements.inserts([after], run)
        }
        try await run(isKeyless ? try statements.keylessUpdate(from: before, to: after) : try statements.keyedUpdate(from: before, to: after))
    }

    /// The values that children may refer to, as literals; NULLs are left out.
    private func literals(_ row: ImageRow, _ table: Int) throws -> [Int: String] {
        var values: [Int: String] = [:]
        for position in rules.referenced(table) {
            let column = shapes[table].source.columns[position]
            values[position] = KeyLiteral.sql(value: try row.value(column), column: column)
        }
        return values
    }

    // MARK: Cascades

    private func cascade(
        _ parent: Int, before: [Int: String], after: [Int: String]?, _ mark: MarkPosition?, _ unmarked: inout Set<Int>
    ) async throws {
        for (rule, key, effect) in rules.effects(on: parent, before: before, after: after) {
            let child = ChildTable(shapes[rule.child], referenced: rules.referenced(rule.child), rule: rule, key: key)
            if shapes[rule.child].isKeyless {
                try await changeKeyless(child, effect, mark, &unmarked)
            } else {
                try await change(child, effect, mark, &unmarked)
            }
        }
    }

    private func change(
        _ child: ChildTable, _ effect: CascadeRules.Effect, _ mark: MarkPosition?, _ unmarked: inout Set<Int>
    ) async throws {
        let table = child.rule.child
        var last: [String]?
        while true {
            let rows = try child.rows(await target.query(child.select(after: last, limit: Self.page)).rows)
            guard let end = rows.last else { return }
            var keys = rows.map(\.key)
            let statement: String
            switch effect {
            case .delete: statement = child.delete(keys)
            case .update(let values):
                statement = child.update(values, where: child.keyCondition(keys))
                keys += rows.map { child.moved($0.key, values) }
                // A row whose key the update has moved may be behind the last one, but does not refer to the old value any more.
                last = end.key
            }
            await tell(keys.map { TouchedKey(table: table, key: RowKey($0)) }, table, mark, &unmarked)
            let affected = try await target.query(statement).ok.affectedRows
            if case .delete = effect, affected != UInt64(rows.count) {
                throw EngineError(
                    .failed, "Table \(child.shape.target) on the target changed while a cascade was carried out.",
                    why: "Somebody writes to the target.", cure: "Nothing of this batch was kept. Find the writer, then migrate this table again.")
            }
            for row in rows { try await descend(child, row.values, effect, mark, &unmarked) }
        }
    }

    private func changeKeyless(
        _ child: ChildTable, _ effect: CascadeRules.Effect, _ mark: MarkPosition?, _ unmarked: inout Set<Int>
    ) async throws {
        let below = child.referenced.isEmpty ? [] : try child.rows(await target.query(child.selectReferenced).rows)
        let statement: String
        switch effect {
        case .delete: statement = child.deleteAll
        case .update(let values): statement = child.update(values, where: child.condition)
        }
        await tell([TouchedKey(table: child.rule.child, key: nil)], child.rule.child, mark, &unmarked)
        try await target.query(statement)
        for row in below { try await descend(child, row.values, effect, mark, &unmarked) }
    }

    private func descend(
        _ child: ChildTable, _ values: [Int: String], _ effect: CascadeRules.Effect, _ mark: MarkPosition?, _ unmarked: inout Set<Int>
    ) async throws {
        guard !child.referenced.isEmpty else { return }
        switch effect {
        case .delete: try await cascade(child.rule.child, before: values, after: nil, mark, &unmarked)
        case .update(let new):
            var after = values
            for (column, value) in zip(child.rule.columns, new) where child.referenced.contains(column) { after[column] = value }
            try await cascade(child.rule.child, before: values, after: after, mark, &unmarked)
        }
    }

    private func tell(_ keys: [TouchedKey], _ table: Int, _ mark: MarkPosition?, _ unmarked: inout Set<Int>) async {
        if let mark { await touched(keys, mark) } else { unmarked.insert(table) }
    }
}

/// The statements that find and change the rows of a child that refer to one key. Pure text.
struct ChildTable: Sendable {
    let shape: TableShape
    /// Positions of columns that further children refer to.
    let referenced: [Int]
    let rule: CascadeRules.Rule
    let condition: String

    struct Row: Sendable {
        /// Literals of the row key; empty for a keyless table.
        var key: [String]
        /// Literals of the referenced columns, without NULLs.
        var values: [Int: String]
    }

    init(_ shape: TableShape, referenced: [Int], rule: CascadeRules.Rule, key: [String]) {
        self.shape = shape
        self.referenced = referenced
        self.rule = rule
        condition = zip(rule.columns, key).map { "\(SQL.identifier(shape.source.columns[$0].name)) = \($1)" }.joined(separator: " AND ")
    }

    private var keyColumns: [ColumnDefinition] { shape.key.map { shape.source.columns[$0] } }

    func select(after last: [String]?, limit: Int) -> String {
        let selected = (shape.key + referenced).map { KeyLiteral.selectExpression(shape.source.columns[$0]) }
        let beyond = last.map { " AND " + KeyBounds(lower: $0).condition(columns: keyColumns.map(\.name)) } ?? ""
        let order = keyColumns.map { SQL.identifier($0.name) }.joined(separator: ", ")
        return "SELECT \(selected.joined(separator: ", ")) FROM \(shape.target.sql) WHERE \(condition)\(beyond) ORDER BY \(order) LIMIT \(limit)"
    }

    var selectReferenced: String {
        let selected = referenced.map { KeyLiteral.selectExpression(shape.source.columns[$0]) }
        return "SELECT DISTINCT \(selected.joined(separator: ", ")) FROM \(shape.target.sql) WHERE \(condition)"
    }

    func rows(_ rows: [MySQLRow]) throws(EngineError) -> [Row] {
        var found: [Row] = []
        for row in rows {
            guard row.values.count == shape.key.count + referenced.count else {
                throw EngineError(.failed, "The rows of \(shape.target) that a cascade changes came with \(row.values.count) columns.")
            }
            var key: [String] = []
            for (value, column) in zip(row.values, keyColumns) {
                guard let value else { throw EngineError(.failed, "Key column \(column.name) of \(shape.target) is NULL.") }
                key.append(KeyLiteral.sql(bytes: value, column: column))
            }
            var values: [Int: String] = [:]
            for (position, value) in zip(referenced, row.values.dropFirst(shape.key.count)) {
                values[position] = value.map { KeyLiteral.sql(bytes: $0, column: shape.source.columns[position]) }
            }
            found.append(Row(key: key, values: values))
        }
        return found
    }

    func keyCondition(_ keys: [[String]]) -> String { KeyBounds.equality(columns: keyColumns.map(\.name), keys: keys) }

    func delete(_ keys: [[String]]) -> String { "DELETE FROM \(shape.target.sql) WHERE \(keyCondition(keys))" }
    var deleteAll: String { "DELETE FROM \(shape.target.sql) WHERE \(condition)" }

    /// The columns that follow the clock (ON UPDATE CURRENT_TIMESTAMP) are kept: a cascade leaves them alone (measured).
    func update(_ values: [String?], where condition: String) -> String {
        let keys = Set(rule.columns)
        var clauses = shape.writable.filter { ["timestamp", "datetime"].contains($0.dataType) && !keys.contains($0.position) }
            .map { "\(SQL.identifier($0.name)) = \(SQL.identifier($0.name))" }
        for (position, value) in zip(rule.columns, values) where !shape.source.columns[position].isGenerated {
            clauses.append("\(SQL.identifier(shape.source.columns[position].name)) = \(value ?? "NULL")")
        }
        return "UPDATE \(shape.target.sql) SET \(clauses.joined(separator: ", ")) WHERE \(condition)"
    }

    /// The row's key once the foreign key's columns have these values.
    func moved(_ key: [String], _ values: [String?]) -> [String] {
        var key = key
        for (place, position) in shape.key.enumerated() {
            if let at = rule.columns.firstIndex(of: position), let value = values[at] { key[place] = value }
        }
        return key
    }
}
