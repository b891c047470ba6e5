/// What one family of servers has and the other has not: each named before anything is written.
extension Preflight {
    /// One table, as far as the two dialects go.
    static func dialect(_ table: TableDefinition, _ translation: DialectTranslation) -> [Finding] {
        let subject = table.name.description
        return translation.objections(table).map { sentence in
            Finding(
                .refusal, "dialect", subject, "Table \(subject) has no equal on the target. \(sentence)",
                why: "What a server does not have cannot be kept there.",
                cure: "Change it on the source to something that both have (for a key: a collation that both have, for example utf8mb4_unicode_520_ci or utf8mb4_bin), or exclude the table.")
        }
            + translation.remarks(table).map { Finding(.warning, "dialect", subject, "Table \(subject): \($0)") }
    }

    static func dialects(_ facts: PreflightFacts) -> [Finding] {
        let translation = DialectTranslation(source: facts.source, target: facts.target)
        var found = facts.tables.flatMap { dialect($0, translation) }
        guard translation.crosses else { return found }
        for outcome in facts.objects.translated { found += refusals(outcome) }
        found += remarks(facts.objects.translated)
        return found
    }

    /// What keeps one view, routine, trigger or event from moving.
    static func refusals(_ outcome: ObjectTranslation.Outcome) -> [Finding] {
        let object = outcome.object
        let group = object.kind.group.rawValue
        return outcome.objections.map { sentence in
            Finding(
                .refusal, "dialect", object.name.description, "The \(object.id) is not moved between MySQL and MariaDB. \(sentence)",
                why: "A program that runs there with another meaning writes wrong rows.",
                cure: "Change it on the source to words that both have, or add `without: [\(group)]` to the plan and create it on the target yourself.")
        }
    }

    /// What may come out otherwise, each thing once with the objects that it is true of: a schema's programs have most of them in common.
    static func remarks(_ outcomes: [ObjectTranslation.Outcome]) -> [Finding] {
        var byRemark: [String: [ObjectDefinition.ID]] = [:]
        var order: [String] = []
        for outcome in outcomes where outcome.objections.isEmpty {
            for remark in outcome.remarks {
                if byRemark[remark] == nil { order.append(remark) }
                byRemark[remark, default: []].append(outcome.object.id)
            }
        }
        return order.map { remark in
            let objects = byRemark[remark] ?? []
            let names = objects.prefix(5).map(\.description).joined(separator: ", ") + (objects.count > 5 ? " and \(objects.count - 5) more" : "")
            return Finding(
                .warning, "dialect", objects.first?.name.description ?? "",
                (objects.count == 1 ? "The \(names) is" : "\(objects.count) objects (\(names)) are") + " moved to another family of servers. \(remark)",
                why: "Texts are kept; what the server does with them is the server's.",
                cure: objects.count == 1 ? "Look at it on the target before the cutover." : "Look at each on the target before the cutover.")
        }
    }

    /// MariaDB keeps no setting by a statement: what shall outlive a restart stands in its configuration.
    static func spelled(_ finding: Finding, _ facts: PreflightFacts) -> Finding {
        let onTarget = finding.subject == "target" || finding.cure.contains("on the target")
        guard (onTarget ? facts.target : facts.source).isMariaDB, finding.cure.contains("PERSIST") else { return finding }
        var result = finding
        result.cure =
            finding.cure.replacing("SET PERSIST super_read_only = OFF, PERSIST read_only = OFF;", with: "SET GLOBAL read_only = OFF;")
            .replacing("PERSIST", with: "GLOBAL") + " And in its configuration, so that it outlives a restart."
        return result
    }
}
