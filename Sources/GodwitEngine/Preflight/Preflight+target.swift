extension Remedy { static let noTargetTriggers = Remedy("no-target-triggers", pitfalls: [15], test: "PreflightTests") }

extension Preflight {
    /// Settings in which the two servers differ.
    static func differences(_ facts: PreflightFacts) -> [Finding] {
        let (source, target) = (facts.source, facts.target)
        var found: [Finding] = []
        if target.maxAllowedPacket < source.maxAllowedPacket {
            found.append(
                Finding(
                    .warning, "packet", "target",
                    "max_allowed_packet is \(target.maxAllowedPacket) on the target and \(source.maxAllowedPacket) on the source.",
                    why: "A row that the source took may be too large for the target.",
                    cure: "SET PERSIST max_allowed_packet = \(source.maxAllowedPacket); on the target."))
        } else {
            found.append(Finding(.ok, "packet", "target", "max_allowed_packet is \(target.maxAllowedPacket)."))
        }
        if source.lowerCaseTableNames != target.lowerCaseTableNames {
            found.append(
                Finding(
                    .warning, "lower-case-table-names", "target",
                    "lower_case_table_names is \(source.lowerCaseTableNames) on the source and \(target.lowerCaseTableNames) on the target.",
                    why: "The application may find tables by a spelling on one side that the other does not accept.",
                    cure: "Initialize the target with lower_case_table_names = \(source.lowerCaseTableNames)."))
        }
        func compare(_ variable: String, _ check: String, why: String) {
            guard let left = source.variable(variable), let right = target.variable(variable), left != right else { return }
            found.append(
                Finding(
                    .warning, check, "target", "\(variable) is \(shown(left)) on the source and \(shown(right)) on the target.", why: why,
                    cure: "SET PERSIST \(variable) = \(literal(left)); on the target."))
        }
        compare(
            "explicit_defaults_for_timestamp", "explicit-defaults",
            why: "TIMESTAMP columns that the application adds later would get other defaults.")
        if source.isMariaDB == target.isMariaDB {
            compare("sql_mode", "sql-mode", why: "Godwit sets its own; the application's statements may be accepted on one side only.")
        }
        if let left = zone(source), let right = zone(target), left != right {
            found.append(
                Finding(
                    .warning, "time-zone", "target", "The time zone is \(left) on the source and \(right) on the target.",
                    why: "Godwit moves TIMESTAMP values in UTC; but NOW() and the application's sessions would use the other zone.",
                    cure: "SET PERSIST time_zone = '\(left == "UTC" ? "+00:00" : left)'; on the target."))
        }
        compare("innodb_page_size", "page-size", why: "Rows and keys that fit a larger page may not fit the target's.")
        return found + collations(facts)
    }

    private static func shown(_ value: String) -> String { value.isEmpty ? "empty" : value }

    private static func literal(_ value: String) -> String {
        value.uppercased() == "ON" || value.uppercased() == "OFF" || Int64(value) != nil ? value : SQL.string(value)
    }

    private static func zone(_ server: ServerFacts) -> String? {
        let zone = server.variable("time_zone")
        return zone == "SYSTEM" ? server.variable("system_time_zone") : zone
    }

    /// Character sets and collations that included columns use, and the target does not have.
    private static func collations(_ facts: PreflightFacts) -> [Finding] {
        guard !facts.target.collations.isEmpty else { return [] }
        var users: [String: [String]] = [:]
        let translation = DialectTranslation(source: facts.source, target: facts.target)
        func use(_ collation: String?, _ user: String) {
            guard let collation, !collation.isEmpty, translation.collation(collation) == nil else { return }
            users[collation, default: []].append(user)
        }
        for table in facts.tables {
            use(table.tableCollation, "table \(table.name)")
            for column in table.columns { use(column.collation, "column \(table.name).\(column.name)") }
        }
        for schema in facts.sourceSchemas where facts.usedSourceSchemas.contains(schema.name) {
            use(schema.collation, "schema \(schema.name)")
        }
        return users.sorted { $0.key < $1.key }.map { collation, users in
            let more = users.count > 5 ? " and \(users.count - 5) more" : ""
            return Finding(
                .error, "collation", collation,
                "The target does not have the collation \(collation), used by \(users.prefix(5).joined(separator: ", "))\(more).",
                why: "The tables could not be created, and another collation may take different values for equal.",
                cure: "Use a target that has it, or ALTER TABLE … CONVERT TO another collation on the source.")
        }
    }

    /// The target as it is set up.
    static func targetServer(_ facts: PreflightFacts) -> [Finding] {
        let target = facts.target
        var found: [Finding] = []
        if target.isSuperReadOnly || target.isReadOnly {
            let variable = target.isSuperReadOnly ? "super_read_only" : "read_only"
            found.append(
                Finding(
                    .error, "target-read-only", "target", "The target is read-only (\(variable) = ON).", why: "Nothing can be written there.",
                    cure: "SET PERSIST super_read_only = OFF, PERSIST read_only = OFF; on the target."))
        }
        if target.isApplyingReplica == true {
            found.append(
                Finding(
                    .error, "target-replica", "target", "The target is a replica and applies another server's changes.",
                    why: "Two writers would change the same server.", cure: "STOP REPLICA; on the target, or choose another."))
        }
        if target.flag("local_infile") == false {
            found.append(
                Finding(
                    .info, "local-infile", "target", "local_infile is OFF on the target: rows are loaded by multi-row INSERT.",
                    why: "LOAD DATA is about twice as fast.", cure: "SET GLOBAL local_infile = ON; on the target for the time of the load."))
        } else {
            found.append(Finding(.ok, "local-infile", "target", "LOAD DATA LOCAL is allowed on the target."))
        }
        if !target.logsBinary {
            found.append(
                Finding(
                    .info, "target-log", "target", "The target writes no binary log.", why: "After a cutover there is no way back without it.",
                    cure: "Start the target with log_bin, if you want to be able to switch back."))
        }
        let withoutPrimary = facts.tables.filter { table in !table.indexes.contains { $0.isPrimary } }.map(\.name.description)
        for variable in ["sql_require_primary_key", "sql_generate_invisible_primary_key"]
        where target.flag(variable) == true && !withoutPrimary.isEmpty {
            guard !target.grants.allowsAny(["SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER"]) else { continue }
            found.append(
                Finding(
                    .error, "target-primary-key", "target",
                    "\(variable) is ON on the target, and these tables have no primary key: \(withoutPrimary.joined(separator: ", ")).",
                    why: "They could not be created as they are on the source.",
                    cure: "GRANT SESSION_VARIABLES_ADMIN ON *.* TO \(account(target)); or SET PERSIST \(variable) = OFF; on the target."))
        }
        if target.flag("event_scheduler") == true {
            for object in facts.targetObjects.objects where object.kind == .event && object.isEnabled {
                found.append(
                    Finding(
                        .warning, "target-events", object.name.description, "The event \(object.name) runs on the target.",
                        why: "What it writes would be a difference from the source.",
                        cure: "ALTER EVENT \(object.name.sql) DISABLE; until the cutover."))
            }
        }
        return found
    }

    /// Tables that stand on the target already.
    static func targetTables(_ facts: PreflightFacts) -> [Finding] {
        var found: [Finding] = []
        let objects = Dictionary(
            facts.targetObjects.objects.filter(\.isTableLike).map { ($0.name, $0.kind) }, uniquingKeysWith: { first, _ in first })
        for source in facts.tables {
            guard let target = facts.targetName(source.name) else { continue }
            if let kind = objects[target] {
                found.append(
                    Finding(
                        .error, "target-object", target.description, "\(target) is a \(kind.rawValue) on the target.",
                        why: "A table cannot be created under this name.", cure: "Drop or rename it there."))
            }
            // What an earlier run of this task prepared is judged by that run.
            guard let existing = facts.found[target], !facts.prepared.contains(target) else { continue }
            found += targetTable(
                source, target, existing, facts.preparation, DialectTranslation(source: facts.source, target: facts.target))
        }
        return found + outsideReferences(facts)
    }

    private static func targetTable(
        _ source: TableDefinition, _ target: TableName, _ existing: TargetPreparation.Found, _ mode: TaskSettings.TablePreparation,
        _ translation: DialectTranslation
    ) -> [Finding] {
        let subject = target.description
        if mode == .dropAndCreate {
            return [
                Finding(
                    existing.isEmpty ? .info : .warning, "target-drop", subject,
                    "Table \(target) on the target is dropped\(existing.isEmpty ? "" : " with its rows") and created as on the source.",
                    why: "TargetTablePrepMode is DROP_AND_CREATE.")
            ]
        }
        var found: [Finding] = []
        if !existing.isEmpty {
            if mode == .doNothing {
                let error = TargetPreparation.mixedRows(target)
                found.append(Finding(.error, "target-rows", subject, error.what, why: error.why, cure: error.cure))
            } else {
                found.append(
                    Finding(
                        .warning, "target-truncate", subject, "The rows of \(target) on the target are removed.",
                        why: "TargetTablePrepMode is TRUNCATE_BEFORE_LOAD."))
            }
        }
        for sentence in Definitions.differences(source: translation.table(source), target: existing.definition) {
            found.append(
                Finding(
                    .error, "target-fit", subject, "Table \(target) exists on the target and does not fit \(source.name). " + sentence,
                    why: "Rows would be refused or changed.",
                    cure: "Change it, drop it, or set TargetTablePrepMode to DROP_AND_CREATE."))
        }
        for sentence in Definitions.remarks(source: translation.table(source), target: existing.definition) {
            found.append(Finding(.warning, "target-remark", subject, "Table \(target): " + sentence))
        }
        if !existing.definition.triggers.isEmpty, Remedy.noTargetTriggers.isOn {
            let names = existing.definition.triggers.map(SQL.identifier).joined(separator: ", ")
            found.append(
                Finding(
                    .refusal, "target-triggers", subject, "Table \(target) has triggers on the target: \(names).",
                    why: "They would fire for every row that Godwit writes.",
                    cure: "Drop them and create them again after the cutover, or set TargetTablePrepMode to DROP_AND_CREATE."))
        }
        return found
    }

    /// Tables of the target that the plan does not touch and that refer to one that it fills.
    private static func outsideReferences(_ facts: PreflightFacts) -> [Finding] {
        let filled = Set(facts.decisions.values.map(\.target))
        let sources = Dictionary(
            facts.tables.compactMap { table in facts.targetName(table.name).map { ($0, table) } }, uniquingKeysWith: { first, _ in first })
        return facts.targetObjects.references.filter { filled.contains($0.parent) && !filled.contains($0.child) }.map { reference in
            let holds = facts.preparation != .dropAndCreate && needsDroppedIndex(reference, facts.found[reference.parent], sources[reference.parent])
            return Finding(
                holds ? .error : .warning, "target-reference", reference.child.description,
                "On the target \(reference.child) refers to \(reference.parent) (\(SQL.identifier(reference.name))) and is not part of the plan.",
                why: holds
                    ? "It needs an index of \(reference.parent) that must be dropped for the load, which the server does not allow."
                    : "Its rows would point at other rows than before, or at none.",
                cure: "ALTER TABLE \(reference.child.sql) DROP FOREIGN KEY \(SQL.identifier(reference.name)); on the target, or include the table.")
        }
    }

    /// Only the index that addresses rows stays on an existing table.
    private static func needsDroppedIndex(
        _ reference: SchemaObjects.Reference, _ parent: TargetPreparation.Found?, _ source: TableDefinition?
    ) -> Bool {
        guard let parent = parent?.definition, let source else { return false }
        let kept = Definitions.rowKey(of: parent, for: source) ?? parent.indexes.first { $0.isPrimary }
        let columns = kept?.columns.map { parent.columns[$0].name.lowercased() } ?? []
        return !columns.starts(with: reference.parentColumns.map { $0.lowercased() })
    }
}
