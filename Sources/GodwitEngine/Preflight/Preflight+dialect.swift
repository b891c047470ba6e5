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
        for object in facts.objects.source {
            found.append(
                Finding(
                    .refusal, "dialect", object.name.description, "The \(object.kind.rawValue) \(object.name) is not moved between MySQL and MariaDB.",
                    why: "Its definition is a program in the source's dialect, which Godwit does not translate.",
                    cure: "Add `without: [\(object.kind.group.rawValue)]` to the plan, and create it on the target yourself."))
        }
        return found
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
