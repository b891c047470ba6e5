extension TableMappings {
    /// DMS's table-mapping JSON (`{"rules": […]}`). Also returns what is worth a warning.
    ///
    /// Refused with line, column and rule-id: what is not known, not well formed, or known and not there yet.
    package static func parse(
        json: String, file: String
    ) throws(EngineError) -> (mappings: TableMappings, warnings: [String]) {
        let reader = DocumentReader(file: file)
        let document = try JSONDocument.parse(json, reader: reader)
        var parser = RuleParser(reader: reader)
        try parser.document(document)
        return (TableMappings(selections: parser.selections, renamings: parser.renamings, file: file), parser.warnings)
    }

    /// The plan's `{ include: ["app.*"], exclude: ["app.tmp?"] }`.
    static func patterns(_ node: DocumentNode, _ reader: DocumentReader) throws(EngineError) -> TableMappings {
        let map = try reader.map(node, "tables", known: ["include", "exclude"])
        var selections: [Selection] = []
        for action in [Selection.Action.include, .exclude] {
            guard let value = map[action.rawValue] else { continue }
            for item in try reader.list(value, "tables.\(action.rawValue)") {
                let text = try reader.text(item, "tables.\(action.rawValue)")
                guard let dot = text.firstIndex(of: "."), dot != text.startIndex, text.index(after: dot) != text.endIndex
                else {
                    throw reader.error(
                        item.mark, "tables.\(action.rawValue): \(text) names no schema and table.",
                        cure: "Write schema.table; app.* is every table of app.")
                }
                let rule = Selection(
                    label: text, id: selections.count, action: action, schema: NamePattern(glob: String(text[..<dot])),
                    table: NamePattern(glob: String(text[text.index(after: dot)...])))
                try refuseReserved(rule, item.mark, reader)
                selections.append(rule)
            }
        }
        guard selections.contains(where: { $0.action == .include }) else {
            throw reader.error(node.mark, "tables includes nothing.", cure: "Write include: [\"app.*\"].")
        }
        return TableMappings(selections: selections, renamings: [], file: reader.file)
    }

    /// A rule that names a server's own schema would be silently empty: say so instead.
    static func refuseReserved(
        _ rule: Selection, _ mark: DocumentNode.Mark, _ reader: DocumentReader
    ) throws(EngineError) {
        guard rule.action != .exclude, let name = rule.schema.plainName, isReserved(name) else { return }
        throw reader.error(
            mark, "\(rule.label) includes the schema \(name), which belongs to the server or to Godwit.",
            cure: "Remove the rule: such schemas are never migrated.")
    }
}

/// Reads the rules one by one; each refusal names the rule.
struct RuleParser {
    let reader: DocumentReader
    var selections: [TableMappings.Selection] = []
    var renamings: [TableMappings.Renaming] = []
    var warnings: [String] = []
    private var ids: [Int: DocumentNode.Mark] = [:]
    private var names: [String: DocumentNode.Mark] = [:]

    init(reader: DocumentReader) { self.reader = reader }

    private enum Kind: String, CaseIterable { case selection, transformation, validation, tableSettings = "table-settings" }
    private static let common = ["rule-type", "rule-id", "rule-name", "object-locator", "rule-action"]

    mutating func document(_ node: DocumentNode) throws(EngineError) {
        let map = try reader.map(node, "The document", known: ["rules"])
        guard let rules = map["rules"] else { throw reader.error(node.mark, "the document has no member rules.") }
        for rule in try reader.list(rules, "rules") { try self.rule(rule) }
        guard selections.contains(where: { $0.action != .exclude }) else {
            throw reader.error(
                rules.mark, "no selection rule includes a table.",
                cure: "Add a rule with \"rule-type\": \"selection\" and \"rule-action\": \"include\".")
        }
    }

    private mutating func rule(_ node: DocumentNode) throws(EngineError) {
        let map = try members(node, "a rule")
        let kind: Kind = try reader.choice(required(map, "rule-type", node, "a rule"), "rule-type")
        let idNode = try required(map, "rule-id", node, "a rule")
        let id = try reader.integer(idNode, "rule-id", in: 0...Int.max)
        let label = "rule-id \(id)"
        if let earlier = ids.updateValue(idNode.mark, forKey: id) {
            throw reader.error(idNode.mark, "\(label) stands already in line \(earlier.line).", cure: "Give each rule its own.")
        }
        let nameNode = try required(map, "rule-name", node, label)
        let name = try reader.text(nameNode, "\(label): rule-name")
        if let earlier = names.updateValue(nameNode.mark, forKey: name) {
            throw reader.error(
                nameNode.mark, "\(label): the rule-name \(name) stands already in line \(earlier.line).",
                cure: "Give each rule its own.")
        }
        switch kind {
        case .selection: try selection(node, map, id, label)
        case .transformation: try transformation(node, map, id, label)
        case .tableSettings: try tableSettings(node, map, label)
        case .validation:
            throw reader.error(
                node.mark, "\(label): validation rules are not supported: every column is compared as it is.",
                cure: "Remove the rule.")
        }
    }

    private func members(_ node: DocumentNode, _ subject: String) throws(EngineError) -> [String: DocumentNode] {
        var map: [String: DocumentNode] = [:]
        for entry in try reader.entries(node, subject) { map[entry.key] = entry.value }
        return map
    }

    func required(
        _ map: [String: DocumentNode], _ key: String, _ node: DocumentNode, _ label: String
    ) throws(EngineError) -> DocumentNode {
        guard let value = map[key], !value.isNull else { throw reader.error(node.mark, "\(label) has no \(key).") }
        return value
    }

    // MARK: selection

    private mutating func selection(
        _ node: DocumentNode, _ map: [String: DocumentNode], _ id: Int, _ label: String
    ) throws(EngineError) {
        _ = try reader.map(node, label, known: Self.common + ["filters", "load-order"])
        let action: TableMappings.Selection.Action = try reader.choice(
            required(map, "rule-action", node, label), "\(label): rule-action")
        let locator = try locator(map, node, label, exact: action == .explicit)
        if let type = locator.type, type != "table", action != .exclude {
            throw reader.error(
                locator.mark, "\(label): table-type \(type) is not supported: views are not migrated yet.",
                cure: "Use table-type table, or leave it out.")
        }
        var rule = TableMappings.Selection(
            label: label, id: id, action: action, schema: locator.schema, table: locator.table)
        if let order = map["load-order"], !order.isNull {
            rule.loadOrder = try reader.integer(order, "\(label): load-order", in: 0...2_147_483_647)
        }
        if let filters = map["filters"], !filters.isNull {
            rule.filters = try FilterParser(reader: reader, label: label).filters(filters)
            if action != .include, !rule.filters.isEmpty {
                throw reader.error(filters.mark, "\(label): filters stand only with the rule-action include.")
            }
        }
        try TableMappings.refuseReserved(rule, node.mark, reader)
        selections.append(rule)
    }

    struct Locator {
        var schema: NamePattern
        var table: NamePattern
        var type: String?
        var mark: DocumentNode.Mark
    }

    /// `exact`: names without wildcards, taken letter by letter.
    private func locator(
        _ map: [String: DocumentNode], _ node: DocumentNode, _ label: String, exact: Bool, tableNeeded: Bool = true
    ) throws(EngineError) -> Locator {
        let place = try required(map, "object-locator", node, label)
        let members = try reader.map(
            place, "\(label): object-locator",
            known: ["schema-name", "table-name", "table-type", "column-name", "table-tablespace-name", "index-tablespace-name", "data-type"])
        if let other = members.keys.filter({ !["schema-name", "table-name", "table-type"].contains($0) }).sorted().first {
            throw reader.error(place.mark, "\(label): object-locator with \(other) is not supported.", cure: "Remove the rule.")
        }
        let schema = try pattern(required(members, "schema-name", place, "\(label): object-locator"), label, "schema-name", exact)
        var table = NamePattern(glob: "*")
        if tableNeeded || members["table-name"] != nil {
            table = try pattern(required(members, "table-name", place, "\(label): object-locator"), label, "table-name", exact)
        }
        var type: String?
        if let value = members["table-type"], !value.isNull {
            type = try reader.choice(value, "\(label): table-type", of: TableType.self).rawValue
        }
        return Locator(schema: schema, table: table, type: type, mark: place.mark)
    }

    private enum TableType: String, CaseIterable { case table, view, all }

    private func pattern(
        _ node: DocumentNode, _ label: String, _ member: String, _ exact: Bool
    ) throws(EngineError) -> NamePattern {
        let text = try reader.text(node, "\(label): \(member)")
        if exact {
            guard !text.contains("%") else {
                throw reader.error(
                    node.mark, "\(label): \(member) \(text) has a wildcard, and this rule needs the exact name.",
                    cure: "Use the rule-action include for patterns.")
            }
            return NamePattern(exactly: text)
        }
        do {
            return try NamePattern(dms: text)
        } catch {
            throw reader.error(
                node.mark, "\(label): \(member) \(text) can't be read: \(error.reason).",
                cure: "A set is [ab], a range [a-d], an underscore itself [_].")
        }
    }

    // MARK: transformation

    /// Members that belong to actions refused by name; known so that the refusal is the right one.
    private static let transformationMembers =
        common + ["rule-target", "value", "old-value", "expression", "data-type", "primary-key-def", "before-image-def", "filters"]

    private mutating func transformation(
        _ node: DocumentNode, _ map: [String: DocumentNode], _ id: Int, _ label: String
    ) throws(EngineError) {
        _ = try reader.map(node, label, known: Self.transformationMembers)
        let action = try reader.text(required(map, "rule-action", node, label), "\(label): rule-action")
        let target: RuleTarget = try reader.choice(required(map, "rule-target", node, label), "\(label): rule-target")
        guard target == .schema || target == .table else {
            throw reader.error(
                node.mark, "\(label): the transformation \(action) of a \(target.rawValue) is not supported.",
                cure: "Columns are copied as they are; remove the rule.")
        }
        let change = try change(action, map, node, label)
        for member in ["expression", "data-type", "primary-key-def", "before-image-def"] {
            guard let value = map[member], !value.isNull else { continue }
            throw reader.error(value.mark, "\(label): \(member) does not go with \(action).")
        }
        if let filters = map["filters"], !filters.isNull, try !reader.list(filters, "\(label): filters").isEmpty {
            throw reader.error(filters.mark, "\(label): filters stand only in selection rules.")
        }
        let locator = try locator(map, node, label, exact: false, tableNeeded: target == .table)
        renamings.append(
            .init(
                id: id, object: target == .table ? .table : .schema, schema: locator.schema, table: locator.table,
                change: change))
    }

    private enum RuleTarget: String, CaseIterable {
        case schema, table, column
        case tableTablespace = "table-tablespace", indexTablespace = "index-tablespace"
    }

    /// DMS's actions that change columns or keys; refused by name.
    private static let columnActions = [
        "remove-column", "include-column", "add-column", "define-primary-key", "change-data-type",
        "add-before-image-columns", "data-masking-digits-mask", "data-masking-digits-randomize", "data-masking-hash-mask",
    ]
    private static let nameActions = [
        "rename", "convert-lowercase", "convert-uppercase", "add-prefix", "remove-prefix", "replace-prefix", "add-suffix",
        "remove-suffix", "replace-suffix",
    ]

    private func change(
        _ action: String, _ map: [String: DocumentNode], _ node: DocumentNode, _ label: String
    ) throws(EngineError) -> NameChange {
        func value(_ member: String) throws(EngineError) -> String {
            try reader.text(required(map, member, node, "\(label), \(action),"), "\(label): \(member)")
        }
        switch action {
        case "rename": return .rename(try value("value"))
        case "convert-lowercase": return .lowercase
        case "convert-uppercase": return .uppercase
        case "add-prefix": return .addPrefix(try value("value"))
        case "remove-prefix": return .removePrefix(try value("value"))
        case "replace-prefix": return .replacePrefix(try value("old-value"), with: try value("value"))
        case "add-suffix": return .addSuffix(try value("value"))
        case "remove-suffix": return .removeSuffix(try value("value"))
        case "replace-suffix": return .replaceSuffix(try value("old-value"), with: try value("value"))
        case _ where Self.columnActions.contains(action):
            throw reader.error(
                node.mark, "\(label): the transformation \(action) is not supported.",
                cure: "Rows and columns are copied as they are; remove the rule.")
        default:
            let nearest = Suggestion.nearest(to: action, in: Self.nameActions + Self.columnActions)
            throw reader.error(
                node.mark, "\(label): there is no transformation \(action).",
                cure: nearest.map { "Did you mean \($0)?" } ?? "Supported are \(Self.nameActions.joined(separator: ", ")).")
        }
    }

    // MARK: table-settings

    /// Godwit loads every table in parallel chunks and never cuts a LOB, so the settings have nothing to set.
    private mutating func tableSettings(
        _ node: DocumentNode, _ map: [String: DocumentNode], _ label: String
    ) throws(EngineError) {
        _ = try reader.map(node, label, known: Self.common + ["parallel-load", "lob-settings"])
        _ = try locator(map, node, label, exact: true)
        if let lob = map["lob-settings"], !lob.isNull {
            let members = try reader.map(lob, "\(label): lob-settings", known: ["mode", "bulk-max-size"])
            if let mode = members["mode"], try reader.text(mode, "\(label): lob-settings mode") == "none" {
                throw reader.error(
                    mode.mark, "\(label): lob-settings mode none, which leaves LOB columns out, is not supported.",
                    cure: "Remove the rule: LOBs are copied whole.")
            }
            warnings.append(
                "\(reader.file):\(lob.mark): \(label): lob-settings has no effect. LOBs of any size are copied whole.")
        }
        if let parallel = map["parallel-load"], !parallel.isNull {
            _ = try reader.map(
                parallel, "\(label): parallel-load",
                known: ["type", "partitions", "subpartitions", "columns", "boundaries", "number-of-partitions", "collection-count-from-metadata", "max-records-skip-per-page", "batch-size"])
            warnings.append(
                "\(reader.file):\(parallel.mark): \(label): parallel-load has no effect. "
                    + "Every table is loaded in parallel, by key ranges found by itself.")
        }
    }
}
