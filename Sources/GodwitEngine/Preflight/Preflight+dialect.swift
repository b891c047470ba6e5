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
        for outcome in facts.objects.translated { found += object(outcome) }
        return found
    }

    /// One view, routine, trigger or event.
    static func object(_ outcome: ObjectTranslation.Outcome) -> [Finding] {
        let object = outcome.object
        let group = object.kind.group.rawValue
        let refusals = outcome.objections.map { sentence in
            Finding(
                .refusal, "dialect", object.name.description, "The \(object.id) is not moved between MySQL and MariaDB. \(sentence)",
                why: "A program that runs there with another meaning writes wrong rows.",
                cure: "Change it on the source to words that both have, or add `without: [\(group)]` to the plan and create it on the target yourself.")
        }
        return refusals
            + outcome.remarks.map { sentence in
                Finding(
                    .warning, "dialect", object.name.description, "The \(object.id) is moved to another family of servers. \(sentence)",
                    why: "Its text is kept; what the server does with it is the server's.", cure: "Look at it on the target before the cutover.")
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
