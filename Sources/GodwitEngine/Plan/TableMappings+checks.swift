/// An unescaped `_` of a DMS pattern that matched more than the name it spells.
package struct WildcardSurprise: Sendable, Hashable, CustomStringConvertible {
    /// `rule-id 1`.
    package var rule: String
    package var action: String
    /// As written.
    package var pattern: String
    /// The schemas, or the tables as schema.table, that match only because `_` stands for any character.
    package var names: [String]

    package var description: String {
        let literal = pattern.replacing("_", with: "[_]")
        return "\(rule): in \(pattern) each _ stands for any one character, so that it also \(action)s "
            + "\(names.joined(separator: ", ")). If only an underscore is meant, write \(literal)."
    }
}

// What can only be said once the source's tables are known.
extension TableMappings {
    /// Refuses two source tables for one target table, names that a server can't take, and rules that contradict each other.
    ///
    /// `tables`: every table of the source; those not included are passed over. `targetFoldsCase`: the target's
    /// lower_case_table_names is not 0, so that names which differ in case only are one.
    package func checkTargets(of tables: [TableName], targetFoldsCase: Bool = false) throws(EngineError) {
        var sources: [TableName: TableName] = [:]
        for table in tables.sorted() {
            let rules = takers(of: table)
            guard let first = rules.first else { continue }
            if let other = rules.first(where: { $0.filters != first.filters }) {
                throw EngineError(
                    .plan, "\(file): \(first.label) and \(other.label) both include \(table), with different filters.",
                    cure: "Keep the filters in one rule that names the table.")
            }
            let target = target(of: table)
            try checkName(target.schema, of: table, "schema")
            try checkName(target.table, of: table, "table")
            if Self.isReserved(target.schema) {
                throw EngineError(
                    .plan, "\(file): \(table) would go to \(target), and that schema belongs to the server or to Godwit.",
                    cure: "Change the transformation rules.")
            }
            let folded = TableName(schema: target.schema.lowercased(), table: target.table.lowercased())
            if let earlier = sources.updateValue(table, forKey: targetFoldsCase ? folded : target) {
                throw EngineError(
                    .plan, "\(file): \(earlier) and \(table) would both go to \(target).",
                    why: "Two tables can't be merged into one.", cure: "Change the transformation rules, or exclude one.")
            }
        }
    }

    /// MySQL manual, "Identifier Length Limits" and "Schema Object Names".
    private func checkName(_ name: String, of table: TableName, _ kind: String) throws(EngineError) {
        let problem: String? =
            if name.isEmpty {
                "is empty"
            } else if name.unicodeScalars.count > 64 {
                "has more than 64 characters"
            } else if name.last == " " || name.unicodeScalars.contains(where: { $0.value == 0 || $0.value > 0xFFFF }) {
                "holds a character that names can't have"
            } else {
                nil
            }
        guard let problem else { return }
        throw EngineError(
            .plan, "\(file): the \(kind) name that the rules give to \(table), \"\(name)\", \(problem).",
            cure: "Change the transformation rules.")
    }

    /// Names that rules match though their author most likely meant another one, for warnings.
    ///
    /// Only where the name that the pattern spells exists too: without it the `_` is a wildcard on purpose.
    package func wildcardSurprises(in tables: [TableName]) -> [WildcardSurprise] {
        let tables = tables.filter { !Self.isReserved($0.schema) }.sorted()
        let schemas = Set(tables.map(\.schema)).sorted()
        var result: [WildcardSurprise] = []
        func look(_ rule: String, _ action: String, _ schema: NamePattern, _ table: NamePattern?) {
            // A schema in which the rule takes no table surprises nobody.
            let found = surprises(schema, schemas).filter { name in
                guard let table else { return true }
                return tables.contains { $0.schema == name && table.matches($0.table, foldsCase: foldsCase) }
            }
            if !found.isEmpty {
                result.append(.init(rule: rule, action: action, pattern: schema.text, names: found))
            }
            guard let table else { return }
            for name in schemas where schema.matches(name, foldsCase: foldsCase) {
                let found = surprises(table, tables.filter { $0.schema == name }.map(\.table))
                if !found.isEmpty {
                    let names = found.map { "\(name).\($0)" }
                    result.append(.init(rule: rule, action: action, pattern: table.text, names: names))
                }
            }
        }
        for rule in selections { look(rule.label, rule.action == .exclude ? "exclude" : "include", rule.schema, rule.table) }
        for rule in renamings {
            look("rule-id \(rule.id)", "rename", rule.schema, rule.object == .table ? rule.table : nil)
        }
        return result
    }

    private func surprises(_ pattern: NamePattern, _ names: [String]) -> [String] {
        guard pattern.hasUnderscore else { return [] }
        let literal = pattern.underscoresLiteral
        let matching = names.filter { pattern.matches($0, foldsCase: foldsCase) }
        let surprising = matching.filter { !literal.matches($0, foldsCase: foldsCase) }
        return surprising.count < matching.count ? surprising : []
    }
}
