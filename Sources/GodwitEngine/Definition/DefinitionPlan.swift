import MySQLTypes

/// What a change of definition means for the task, decided before anything runs. Pure.
package struct DefinitionPlan: Sendable, Hashable {
    /// Runs on the target; empty: there is nothing to run.
    package var statement: [UInt8]
    /// Names on the target that exist, or may, before and after it.
    package var targets: [TableName]
    /// On the task's tables, in order.
    package var effects: [DefinitionStatement.Effect]
    /// Tables, or their rows, change names: their definitions may be the same before and after.
    package var isRename: Bool
    /// Between MySQL and MariaDB: what `statement` was made of.
    var translated: AlterTranslation.Result? = nil
    /// DROP TABLE alone.
    package var isDrop: Bool {
        !statement.isEmpty && effects.allSatisfy { if case .drop = $0 { true } else { false } }
    }

    /// - Parameters:
    ///   - tables: the task's tables, by source name.
    ///   - decision: what the plan's mappings say of a table.
    /// - Throws: `DefinitionStatement.Unclear` where the target would not be what the source is.
    package static func decide(
        _ statement: DefinitionStatement, tables: [TableName: TableName], decision: (TableName) -> TableDecision?
    ) throws(DefinitionStatement.Unclear) -> DefinitionPlan {
        var names = tables
        var effects: [DefinitionStatement.Effect] = []
        var targets: [TableName] = []
        func filters(_ table: TableName) -> [RowFilter] { decision(table)?.filters ?? [] }
        func leaves(_ table: TableName) -> DefinitionStatement.Unclear {
            DefinitionStatement.Unclear(reason: "it takes \(table) out of the plan's tables", isReload: true)
        }
        for effect in statement.effects {
            switch effect {
            case .create(let table, let ifNotExists):
                guard names[table] == nil else {
                    guard ifNotExists else { throw DefinitionStatement.Unclear(reason: "\(table) exists already") }
                    continue
                }
                guard let decision = decision(table) else { continue }
                names[table] = decision.target
                targets.append(decision.target)
                effects.append(effect)
            case .alter(let table), .truncate(let table):
                guard let target = names[table] else {
                    guard statement.exchangesRows else { throw DefinitionStatement.Unclear(reason: "\(table) is not known") }
                    throw DefinitionStatement.Unclear(reason: "it exchanges rows with \(table), which the plan does not include", isReload: true)
                }
                if statement.exchangesRows, let first = effects.first, filters(first.subject) != filters(table) {
                    throw DefinitionStatement.Unclear(reason: "another row filter is for \(table) than for \(first.subject)", isReload: true)
                }
                targets.append(target)
                effects.append(effect)
            case .drop(let table):
                guard let target = names.removeValue(forKey: table) else { continue }
                targets.append(target)
                effects.append(effect)
            case .rename(let old, let new):
                guard let target = names.removeValue(forKey: old) else {
                    if decision(new) == nil { continue }
                    throw DefinitionStatement.Unclear(
                        reason: "it brings rows of \(old), which the plan does not include, in as \(new)", isReload: true)
                }
                guard let decision = decision(new) else { throw leaves(old) }
                guard decision.filters == filters(old) else {
                    throw DefinitionStatement.Unclear(reason: "another row filter is for \(new) than for \(old)", isReload: true)
                }
                names[new] = decision.target
                targets += [target, decision.target]
                effects.append(effect)
            }
        }
        guard !effects.isEmpty else {
            return DefinitionPlan(statement: [], targets: [], effects: [], isRename: false)
        }
        return DefinitionPlan(
            statement: try text(statement, effects, tables, decision), targets: targets, effects: effects,
            isRename: statement.exchangesRows && Remedy.exchangedRows.isOn || effects.contains { if case .rename = $0 { true } else { false } })
    }

    /// The statement under the target's names; of a list only what belongs to the task.
    private static func text(
        _ statement: DefinitionStatement, _ effects: [DefinitionStatement.Effect], _ tables: [TableName: TableName],
        _ decision: (TableName) -> TableDecision?
    ) throws(DefinitionStatement.Unclear) -> [UInt8] {
        func naming(_ table: TableName) -> TableName { tables[table] ?? decision(table)?.target ?? table }
        let drops = effects.compactMap { effect -> String? in
            if case .drop(let table) = effect { naming(table).sql } else { nil }
        }
        if !drops.isEmpty { return Array("DROP TABLE \(drops.joined(separator: ", "))".utf8) }
        if case .rename = statement.effects.first {
            let renames = effects.compactMap { effect -> String? in
                if case .rename(let old, let new) = effect { "\(naming(old).sql) TO \(naming(new).sql)" } else { nil }
            }
            return Array("RENAME TABLE \(renames.joined(separator: ", "))".utf8)
        }
        if case .create(let table, _) = statement.effects.first {
            let subject = statement.references.first?.table
            for reference in statement.references where reference.table != subject {
                // CREATE TABLE … LIKE, and parents of foreign keys.
                if tables[reference.table] != nil || decision(reference.table) == nil { continue }
                throw DefinitionStatement.Unclear(reason: "\(table) refers to \(reference.table), which is not known")
            }
        }
        return statement.rewritten(naming)
    }
}

/// After a crash the identities of tables and partitions say whether their rows were exchanged.
extension Remedy { static let exchangedRows = Remedy("exchanged-rows", pitfalls: [24], test: "DefinitionChangeTests/killedInAStatement") }
