// Views, routines, triggers and events: what stands against moving them, each by its name.
extension Preflight {
    /// What an account needs on the source to see objects; what it may not see is not listed, so that it could not even be named.
    static func objectVisibility(_ facts: PreflightFacts) -> [Finding] {
        let source = facts.source
        var found: [Finding] = []
        func unseen(_ kind: ObjectKind, _ subject: String, _ what: String, _ grant: String, why: String = "") {
            guard !facts.without.contains(kind) else { return }
            found.append(
                Finding(
                    .error, "source-grants", subject, what,
                    why: "Those that exist would be missing on the target, unnoticed." + why, cure: grant))
        }
        for schema in facts.usedSourceSchemas {
            let tables = facts.tables.filter { $0.name.schema == schema }.map(\.name)
            if !tables.allSatisfy({ source.grants.allows("TRIGGER", schema: $0.schema, table: $0.table) }) {
                unseen(
                    .triggers, schema, "Triggers in \(SQL.identifier(schema)) cannot be seen.",
                    "GRANT TRIGGER ON \(pattern(schema, source)).* TO \(account(source));")
            }
            if !source.grants.allows("EVENT", schema: schema) {
                unseen(
                    .events, schema, "Events in \(SQL.identifier(schema)) cannot be seen.",
                    "GRANT EVENT ON \(pattern(schema, source)).* TO \(account(source));")
            }
            let hasViews = facts.sourceObjects.objects.contains { $0.kind == .view && $0.name.schema == schema }
            if hasViews, !facts.without.contains(.views), !source.grants.allows("SHOW VIEW", schema: schema) {
                found.append(
                    Finding(
                        .error, "source-grants", schema, "Definitions of views in \(SQL.identifier(schema)) cannot be seen.",
                        why: "They are moved.", cure: "GRANT SELECT, SHOW VIEW ON \(pattern(schema, source)).* TO \(account(source));"))
            }
        }
        if !facts.tables.isEmpty, !source.grants.allowsAny(["SHOW_ROUTINE", "SELECT"]) {
            unseen(
                .routines, "source", "Procedures and functions of other accounts cannot be seen.",
                "GRANT SHOW_ROUTINE ON *.* TO \(account(source));", why: " Before MySQL 8.0.20 this takes SELECT ON *.*.")
        }
        return found
    }

    /// The objects that move.
    static func movedObjects(_ facts: PreflightFacts) -> [Finding] {
        let objects = facts.objects
        var found: [Finding] = []
        for unreadable in objects.sourceUnreadable {
            found.append(
                Finding(
                    .error, "source-grants", unreadable.id.name.description, "The source does not show the definition of \(unreadable.id).",
                    why: unreadable.message.isEmpty ? "The account lacks the privilege." : unreadable.message,
                    cure: ObjectReader.grant(for: unreadable.id, account: account(facts.source))))
        }
        for view in objects.excluded.sorted() {
            found.append(
                Finding(.info, "objects", view.description, "The view \(view) is left behind: an exclude rule names it."))
        }
        let renamed = RenamedNames(facts)
        let moved = Set(objects.source.map(\.id))
        for object in objects.source {
            found += object.kind == .view ? view(object, facts, moved) : []
            found += self.object(object, renamed)
            found += existing(object, facts)
        }
        guard !objects.source.isEmpty else { return found }
        return found + definers(facts) + objectGrants(facts) + functionCreators(facts) + scheduler(facts)
    }

    private static func choice(_ object: ObjectDefinition) -> String {
        "add `without: [\(object.kind.group.rawValue)]` to the plan to leave all \(object.kind.group.rawValue) behind."
    }

    private static func object(_ object: ObjectDefinition, _ renamed: RenamedNames) -> [Finding] {
        let subject = object.name.description
        var found: [Finding] = []
        if let name = renamed.mentioned(in: object) {
            found.append(
                Finding(
                    .refusal, "objects-renamed", subject, "The \(object.id) stands in, or names, \(name), which the plan renames.",
                    why: "Names inside definitions are not rewritten.", cure: "Drop the renaming, or " + choice(object)))
        }
        if object.isMixedText {
            found.append(
                Finding(
                    .refusal, "objects-text", subject,
                    "The \(object.id) was made by a client in \(object.characterSetClient) and has characters beyond ASCII in its name, "
                        + "comment, table or definer.",
                    why: "The server prints such a definition in two character sets at once.",
                    cure: "Make it again on the source after SET NAMES utf8mb4, or " + choice(object)))
        }
        if object.isExpired {
            found.append(
                Finding(
                    .warning, "objects", subject, "The \(object.id) is left behind: its last time has passed.",
                    why: "A server drops such an event as soon as it is made."))
        }
        return found
    }

    private static func view(_ view: ObjectDefinition, _ facts: PreflightFacts, _ moved: Set<ObjectDefinition.ID>) -> [Finding] {
        let subject = view.name.description
        if let words = facts.objects.broken[view.id] {
            return [
                Finding(
                    .refusal, "objects-invalid", subject, "The \(view.id) names what the source does not have: \(words)",
                    why: "No server would make it.",
                    cure: "DROP VIEW \(view.name.sql); on the source, exclude it in the table rules, or " + choice(view))
            ]
        }
        var found: [Finding] = []
        if let invalid = view.invalid {
            found.append(
                Finding(
                    .warning, "objects-invalid", subject, "The \(view.id) cannot be used on the source: \(invalid).",
                    why: "It is moved as it is.", cure: "Look at its definer (\(view.definer)) and what that may do."))
        }
        let missing = view.uses.filter { name in
            !Catalog.systemSchemas.contains(name.schema.lowercased()) && facts.decisions[name] == nil
                && !moved.contains(.init(.view, name))
        }
        if !missing.isEmpty {
            found.append(
                Finding(
                    .refusal, "objects-view", subject,
                    "The \(view.id) reads \(missing.map(\.description).joined(separator: ", ")), which the plan does not move.",
                    why: "It could not be made on the target.",
                    cure: "Include what it reads, exclude the view in the table rules, or " + choice(view)))
        }
        return found
    }

    /// An object of the same name on the target. What an earlier run of this task made is judged by that run.
    private static func existing(_ object: ObjectDefinition, _ facts: PreflightFacts) -> [Finding] {
        if object.kind == .view, facts.objects.tables.contains(object.name) {
            return [
                Finding(
                    .error, "target-object", object.name.description, "\(object.name) is a table on the target.",
                    why: "A view cannot be made under this name.", cure: "Drop or rename it there.")
            ]
        }
        guard facts.prepared.isEmpty, object.kind != .trigger,
            let other = facts.objects.target.first(where: { $0.id == object.id })
        else { return [] }
        let subject = object.name.description
        var found: [Finding] = []
        let differences = ObjectComparison.differences(object, other)
        if !differences.isEmpty {
            let replaces = facts.preparation != .doNothing
            found.append(
                Finding(
                    replaces ? .warning : .error, "target-object", subject,
                    replaces ? "The \(object.id) of the target is replaced by the source's." : "The \(object.id) exists on the target with another definition.",
                    why: differences.joined(separator: ", ") + ".",
                    cure: replaces
                        ? "" : "\(ObjectStatements.drop(object.id)); on the target, or set TargetTablePrepMode to DROP_AND_CREATE, or " + choice(object)))
        }
        if object.kind == .event, other.isEnabled {
            found.append(
                Finding(
                    .error, "target-events", subject, "The \(object.id) is switched on on the target.",
                    why: "What it writes would be a difference from the source. Godwit switches it on at the cutover.",
                    cure: "ALTER EVENT \(object.name.sql) DISABLE; on the target."))
        }
        return found
    }

    // MARK: Accounts and grants on the target

    private static func definers(_ facts: PreflightFacts) -> [Finding] {
        let target = facts.target
        let byDefiner = Dictionary(grouping: facts.objects.source.filter { !$0.isExpired }, by: \.definer)
        let others = byDefiner.filter { $0.key != target.currentUser }.sorted { $0.key < $1.key }
        guard !others.isEmpty else { return [] }
        var found: [Finding] = []
        func names(_ objects: [ObjectDefinition]) -> String {
            objects.prefix(3).map(\.id.description).joined(separator: ", ") + (objects.count > 3 ? " and \(objects.count - 3) more" : "")
        }
        let knows = { (name: String) in facts.objects.privileges.isEmpty || facts.objects.privileges.contains(name) }
        let setsDefiner = knows("SET_ANY_DEFINER") ? "SET_ANY_DEFINER" : "SET_USER_ID"
        if !target.grants.allowsAny([setsDefiner, "SUPER"]) {
            let all = others.flatMap(\.value)
            found.append(
                Finding(
                    .error, "target-grants", "target", "The account \(account(target)) lacks \(setsDefiner) on the target.",
                    why: "Definers other than itself are kept: \(names(all)).", cure: "GRANT \(setsDefiner) ON *.* TO \(account(target));"))
        }
        let makesOrphans = target.grants.allowsAny(["ALLOW_NONEXISTENT_DEFINER", "SET_USER_ID", "SUPER"])
        for (definer, objects) in others {
            if let accounts = facts.objects.accounts, !accounts.contains(definer), !facts.movedAccounts.contains(definer) {
                found.append(
                    Finding(
                        makesOrphans ? .warning : .error, "definer", definer, "The account \(ObjectStatements.account(definer)) is not on the target.",
                        why: "It is the definer of \(names(objects)), which fail there in its name (error 1449).",
                        cure: "CREATE USER \(ObjectStatements.account(definer)) …; on the target, with its grants, before the cutover"
                            + (makesOrphans ? "." : "; or GRANT ALLOW_NONEXISTENT_DEFINER ON *.* TO \(account(target));")))
            }
            if facts.objects.systemAccounts?.contains(definer) == true, !target.grants.allowsAny(["SYSTEM_USER"]) {
                found.append(
                    Finding(
                        .error, "target-grants", definer, "The account \(account(target)) lacks SYSTEM_USER on the target.",
                        why: "\(ObjectStatements.account(definer)) has it, and is the definer of \(names(objects)).",
                        cure: "GRANT SYSTEM_USER ON *.* TO \(account(target));"))
            }
        }
        if facts.objects.accounts == nil, !makesOrphans {
            found.append(
                Finding(
                    .warning, "definer", "target", "Whether the definers are accounts of the target cannot be seen: "
                        + others.map(\.key).joined(separator: ", ") + ".",
                    why: "Objects in the name of an account that is not there are refused by the target.",
                    cure: "GRANT SELECT ON `mysql`.`user` TO \(account(target));"))
        }
        return found
    }

    static func objectGrants(_ facts: PreflightFacts) -> [Finding] {
        let target = facts.target
        var found: [Finding] = []
        let bySchema = Dictionary(grouping: facts.objects.source, by: \.schema)
        for (schema, objects) in bySchema.sorted(by: { $0.key < $1.key }) {
            let kinds = Set(objects.map(\.kind.group))
            var needed: [String] = []
            if kinds.contains(.views) { needed += ["CREATE VIEW", "SHOW VIEW"] }
            if kinds.contains(.routines) { needed += ["CREATE ROUTINE", "ALTER ROUTINE"] }
            if kinds.contains(.triggers) { needed.append("TRIGGER") }
            if kinds.contains(.events) { needed.append("EVENT") }
            let lacking = needed.filter { !target.grants.allows($0, schema: schema) }
            guard !lacking.isEmpty else { continue }
            found.append(
                Finding(
                    .error, "target-grants", schema,
                    "The account \(account(target)) lacks \(lacking.joined(separator: ", ")) on \(SQL.identifier(schema)) of the target.",
                    why: "Views, routines, triggers and events are made there.",
                    cure: "GRANT \(lacking.joined(separator: ", ")) ON \(pattern(schema, target)).* TO \(account(target));"))
        }
        let hasRoutines = facts.objects.source.contains { $0.kind.group == .routines && $0.definer != target.currentUser }
        if hasRoutines, !target.grants.allowsAny(["SHOW_ROUTINE", "SELECT"]) {
            found.append(
                Finding(
                    .error, "target-grants", "target", "The account \(account(target)) lacks SHOW_ROUTINE on the target.",
                    why: "Routines of other definers are read back and compared.", cure: "GRANT SHOW_ROUTINE ON *.* TO \(account(target));"))
        }
        return found
    }

    private static func scheduler(_ facts: PreflightFacts) -> [Finding] {
        guard let event = facts.objects.source.first(where: { $0.kind == .event && $0.isEnabled && !$0.isExpired }),
            facts.target.flag("event_scheduler") == false
        else { return [] }
        return [
            Finding(
                .warning, "event-scheduler", "target", "The target's event scheduler is off.",
                why: "After the cutover nothing would run \(event.id) there.", cure: "SET PERSIST event_scheduler = ON; on the target.")
        ]
    }

    /// Errors 1418 and 1419: a server that writes a binary log does not take functions and triggers from everybody.
    static func functionCreators(_ facts: PreflightFacts) -> [Finding] {
        let target = facts.target
        guard target.logsBinary, target.flag("log_bin_trust_function_creators") == false else { return [] }
        let guarded = facts.objects.source.filter { $0.kind == .function || $0.kind == .trigger }
        let refused = target.grants.allowsAny(["SUPER"]) ? guarded.filter(\.isUnsafeForLog) : guarded
        guard let first = refused.first else { return [] }
        let more = refused.count > 1 ? " and \(refused.count - 1) more" : ""
        return [
            Finding(
                .error, "function-creators", "target", "log_bin_trust_function_creators is OFF on the target.",
                why: "With its binary log on it would refuse \(first.id)\(more).",
                cure: "SET PERSIST log_bin_trust_function_creators = ON; on the target.")
        ]
    }
}

/// Names that the plan changes, and definitions keep.
struct RenamedNames {
    /// In lower case.
    private var schemas: [String: String] = [:]
    private var tables: [String: TableName] = [:]
    private var renamedTables: Set<TableName> = []

    init(_ facts: PreflightFacts) {
        for (source, decision) in facts.decisions {
            if source.schema != decision.target.schema { schemas[source.schema.lowercased()] = source.schema }
            if source.table != decision.target.table {
                tables[source.table.lowercased()] = source
                renamedTables.insert(source)
            }
        }
    }

    /// The renamed name that an object stands in, depends on, or seems to mention: a word of its text is enough.
    func mentioned(in object: ObjectDefinition) -> String? {
        guard !schemas.isEmpty || !tables.isEmpty else { return nil }
        if let schema = schemas[object.schema.lowercased()] { return "schema \(schema)" }
        if let table = object.table, renamedTables.contains(table) { return "table \(table)" }
        if let used = object.uses.first(where: { renamedTables.contains($0) }) { return "table \(used)" }
        let text = String(decoding: object.statement, as: UTF8.self).lowercased()
        for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "$") }) {
            if let schema = schemas[String(word)] { return "schema \(schema)" }
            if let table = tables[String(word)] { return "table \(table)" }
        }
        return nil
    }
}
