extension Remedy { static let transactionalEngines = Remedy("transactional-engines", pitfalls: [29], test: "PreflightTests") }

extension Preflight {
    /// The included tables, each for itself.
    static func tables(_ facts: PreflightFacts) -> [Finding] {
        let unseen = unseenSchemas(facts)
        guard !facts.tables.isEmpty else {
            guard unseen.isEmpty else { return unseen }
            return [
                Finding(
                    .error, "no-tables", "source", "The plan includes no table that the account \(account(facts.source)) can see.",
                    why: "Nothing would be moved.", cure: "Check the names in the table rules, and GRANT SELECT on the tables.")
            ]
        }
        var found = [Finding(.ok, "tables", "source", "\(facts.tables.count) tables are included.")]
        for table in facts.tables { found += self.table(table) }
        return found + unseen
    }

    /// Schemas that the rules name and of which nothing is seen. Without SELECT their tables do not show at all: the migration
    /// would go on without them, and be green.
    private static func unseenSchemas(_ facts: PreflightFacts) -> [Finding] {
        let source = facts.source
        let folds = source.lowerCaseTableNames != 0
        let seen = Set(facts.tables.map { folds ? $0.name.schema.lowercased() : $0.name.schema })
        return facts.namedSchemas.filter { !seen.contains(folds ? $0.lowercased() : $0) && !source.grants.allows("SELECT", schema: $0) }
            .map { schema in
                Finding(
                    .error, "source-grants", schema, "The account \(account(source)) sees no table of \(SQL.identifier(schema)), which the table rules name.",
                    why: "Without SELECT a table does not show, and would stay behind.",
                    cure: "GRANT SELECT ON \(pattern(schema, source)).* TO \(account(source));")
            }
    }

    /// What stands against a table by itself.
    static func table(_ table: TableDefinition) -> [Finding] {
        let subject = table.name.description
        var found: [Finding] = []
        if table.engine.uppercased() != "INNODB", Remedy.transactionalEngines.isOn {
            let engine = table.engine.isEmpty ? "(none)" : table.engine
            found.append(
                Finding(
                    .refusal, "engine", subject, "Table \(subject) uses the engine \(engine); only InnoDB tables are moved yet.",
                    why: "Without transactions there is no moment at which a read of it is exact.",
                    cure: "ALTER TABLE \(table.name.sql) ENGINE = InnoDB; or exclude the table."))
        }
        if table.rowKey == nil { found += keyless(table) }
        for index in table.indexes where index.isUnique && index.hasFunctionalParts {
            found.append(
                Finding(
                    .info, "functional-unique", subject, "Unique key \(SQL.identifier(index.name)) of \(subject) has an expression.",
                    why: "Its value is not in the log, so updates of this table are applied as delete and insert."))
        }
        found += statement(table)
        found += table.columns.compactMap { oldTemporal($0, subject, table) }
        return found
    }

    /// MariaDB 5.3's storage of TIME(n), DATETIME(n) and TIMESTAMP(n): the log does not say how long such a value is.
    private static func oldTemporal(_ column: ColumnDefinition, _ subject: String, _ table: TableDefinition) -> Finding? {
        guard column.columnType.contains("mariadb-5.3"), (column.datetimePrecision ?? 0) > 0 else { return nil }
        return Finding(
            .refusal, "old-temporal", subject, "Column \(SQL.identifier(column.name)) of \(subject) is stored as MariaDB 5.3 did it.",
            why: "The binary log does not carry the length of such values, so rows behind one could be read wrongly.",
            cure: "SET GLOBAL mysql56_temporal_format = ON; ALTER TABLE \(table.name.sql) FORCE;")
    }

    private static func keyless(_ table: TableDefinition) -> [Finding] {
        let subject = table.name.description
        let unique = table.indexes.filter(\.isUnique)
        let floats = unique.contains { index in
            index.columns.contains { ["float", "double"].contains(table.columns[$0].dataType) }
        }
        let reason =
            unique.isEmpty
            ? "It has no unique key."
            : floats
                ? "Its unique key has a FLOAT or DOUBLE column, whose values cannot be named exactly."
                : "Its unique keys may be NULL, or cover prefixes or expressions."
        var found = [
            Finding(
                .info, "keyless", subject, "Table \(subject) has no key that names its rows: it is read from one exact moment.",
                why: reason + " Changes are applied row by row, each a search by all columns.",
                cure: "Add a primary key where that is possible (it may be invisible); large tables are slow without.")
        ]
        let inexact = table.columns.filter { ["float", "double"].contains($0.dataType) }.map { SQL.identifier($0.name) }
        if !inexact.isEmpty {
            found.append(
                Finding(
                    .warning, "keyless-inexact", subject,
                    "Rows of \(subject) are found by all columns, and \(inexact.joined(separator: ", ")) cannot be compared exactly.",
                    why: "A change whose row is not found stops the table.", cure: "Add a primary key (it may be invisible)."))
        }
        return found
    }

    /// What only the definition's text tells.
    private static func statement(_ table: TableDefinition) -> [Finding] {
        let subject = table.name.description
        let statement: CreateStatement
        do {
            statement = try CreateStatement(parsing: table.createStatement)
        } catch {
            return [
                Finding(
                    .refusal, "definition", subject, "The definition of table \(subject) cannot be read: \(error).",
                    why: "Godwit moves only definitions that it understands in full.", cure: "Exclude the table.")
            ]
        }
        var found: [Finding] = []
        if !statement.storageClauses.isEmpty {
            found.append(
                Finding(
                    .warning, "storage", subject,
                    "Table \(subject) is created on the target without \(statement.storageClauses.joined(separator: ", ")).",
                    why: "Folders and tablespaces belong to the source's host.",
                    cure: "Create the table on the target yourself, where its place matters."))
        }
        if statement.isEncrypted {
            found.append(
                Finding(
                    .warning, "encryption", subject, "Table \(subject) is encrypted on the source.",
                    why: "It can only be created on a target that has a keyring.",
                    cure: "Set up a keyring on the target, or create the table there without encryption."))
        }
        return found
    }

    /// Foreign keys among the tables, and out of them.
    static func foreignKeys(_ facts: PreflightFacts) -> [Finding] {
        var found: [Finding] = []
        let byName = Dictionary(facts.tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for table in facts.tables {
            if !facts.source.logsCascades {
                found += unloggedCascades(
                    table, among: facts.tables, isFiltered: { facts.decisions[$0]?.filters.isEmpty == false },
                    foldsCase: facts.source.lowerCaseTableNames != 0) + standingForeignKeys(table, facts)
            }
            for key in table.foreignKeys {
                let subject = "\(table.name).\(key.name)"
                if facts.decisions[key.referenced] == nil {
                    found.append(
                        Finding(
                            .refusal, "foreign-key-parent", subject,
                            "Table \(table.name) refers to \(key.referenced) (\(SQL.identifier(key.name))), which is not included.",
                            why: "The foreign key could not be created, and changes that come from its parent would be missed.",
                            cure: "Include \(key.referenced), or exclude \(table.name), or drop the foreign key."))
                    continue
                }
                found += parentKey(facts, table, key, byName[key.referenced])
                if let decision = facts.decisions[key.referenced], !decision.filters.isEmpty {
                    found.append(
                        Finding(
                            .warning, "foreign-key-filter", subject,
                            "\(key.referenced) is moved in part only, and \(table.name) refers to it.",
                            why: "Rows whose parents stay behind are orphans on the target; the foreign key is created all the same.",
                            cure: "Filter the child by the same rows."))
                }
            }
        }
        return found
    }

    /// Where the log does not carry cascades: what of them cannot be followed.
    static func unloggedCascades(
        _ table: TableDefinition, among tables: [TableDefinition], isFiltered: (TableName) -> Bool, foldsCase: Bool
    ) -> [Finding] {
        CascadeComponents.objections(to: table, among: tables, isFiltered: isFiltered, foldsCase: foldsCase).map { reason in
            Finding(
                .refusal, "cascades", table.name.description, reason + ".",
                why: "This source does not write what foreign keys do to its binary log (before MySQL 9.6, with innodb_native_foreign_keys = ON, MariaDB); Godwit carries it out itself, and needs to know the rows.",
                cure: "Include all rows, or define the key with RESTRICT, or exclude its tables; or start the source with innodb_native_foreign_keys = OFF where it has that variable.")
        }
    }

    /// Later changes of definition are read from the target, so a table that stands there needs the source's cascades.
    private static func standingForeignKeys(_ table: TableDefinition, _ facts: PreflightFacts) -> [Finding] {
        guard facts.preparation != .dropAndCreate, table.foreignKeys.contains(where: \.cascades),
            let name = facts.targetName(table.name), let standing = facts.found[name]?.definition
        else { return [] }
        func shown(_ key: ForeignKeyDefinition, _ referenced: TableName) -> String {
            "(\(key.columns.joined(separator: ", "))) to \(referenced) (\(key.referencedColumns.joined(separator: ", "))) ON DELETE \(key.onDelete) ON UPDATE \(key.onUpdate)".lowercased()
        }
        let own = Set(table.foreignKeys.filter(\.cascades).map { shown($0, facts.targetName($0.referenced) ?? $0.referenced) })
        let missing = own.subtracting(standing.foreignKeys.map { shown($0, $0.referenced) }).sorted()
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .error, "cascades-target", name.description, "Table \(name) stands on the target without the foreign key \(missing.joined(separator: "; ")).",
                why: "The source does not log what this foreign key does, and the target's definition is what later changes of it are read from.",
                cure: "Add it there (while the table is empty), drop the table, or set TargetTablePrepMode to DROP_AND_CREATE.")
        ]
    }

    /// A foreign key that refers to something else than a whole unique key can be forbidden on the target, which would show only
    /// when the loaded table gets its keys.
    private static func parentKey(
        _ facts: PreflightFacts, _ table: TableDefinition, _ key: ForeignKeyDefinition, _ parent: TableDefinition?
    ) -> [Finding] {
        guard let parent, facts.target.flag("restrict_fk_on_non_standard_key") == true else { return [] }
        let wanted = Set(key.referencedColumns.map { $0.lowercased() })
        let isWhole = parent.indexes.contains { index in
            index.isUnique && !index.hasFunctionalParts && !index.hasPrefixParts
                && Set(index.columns.map { parent.columns[$0].name.lowercased() }) == wanted
        }
        guard !isWhole else { return [] }
        return [
            Finding(
                .error, "foreign-key-parent-key", "\(table.name).\(key.name)",
                "Foreign key \(SQL.identifier(key.name)) of \(table.name) refers to columns of \(key.referenced) that are no unique key.",
                why: "The target refuses such foreign keys (restrict_fk_on_non_standard_key).",
                cure: "SET PERSIST restrict_fk_on_non_standard_key = OFF; on the target.")
        ]
    }

    /// The operator has said that this kind stays behind.
    private static func stayingBehind(_ kind: ObjectKind, _ facts: PreflightFacts, _ subject: String, _ what: String) -> [Finding] {
        guard facts.without.contains(kind) else { return [] }
        return [
            Finding(
                .warning, "objects", subject, what, why: "The plan says `without: [\(kind.rawValue)]`.",
                cure: "Create it on the target yourself before the application starts.")
        ]
    }

    /// Triggers of included tables that stay behind.
    static func triggers(_ facts: PreflightFacts) -> [Finding] {
        facts.tables.filter { !$0.triggers.isEmpty }.flatMap { table in
            stayingBehind(
                .triggers, facts, table.name.description,
                "Triggers of \(table.name) are not moved: \(table.triggers.map(SQL.identifier).joined(separator: ", ")).")
        }
    }

    /// Views, routines, events that stay behind, and what is not moved at all, each by its name.
    static func objects(_ facts: PreflightFacts) -> [Finding] {
        let schemas = Set(facts.usedSourceSchemas)
        return facts.sourceObjects.objects.flatMap { object -> [Finding] in
            let isIncluded = facts.includedObjects.contains(object.name)
            let isRoutineOrEvent = !object.isTableLike
            guard isIncluded || isRoutineOrEvent || schemas.contains(object.name.schema) else { return [] }
            switch object.kind {
            case .view, .procedure, .function, .event:
                let kind: ObjectKind = object.kind == .view ? .views : object.kind == .event ? .events : .routines
                guard schemas.contains(object.name.schema) || facts.without.contains(kind) else {
                    return [
                        Finding(
                            isIncluded ? .refusal : .warning, "objects", object.name.description,
                            "The \(object.kind.rawValue) \(object.name) is not moved: the plan moves no table of its schema.",
                            why: "Views, routines and events move with the tables of their schema.",
                            cure: isIncluded ? "Exclude it in the table rules." : "Create it on the target yourself before the application starts.")
                    ]
                }
                return stayingBehind(
                    kind, facts, object.name.description,
                    "The \(object.kind.rawValue) \(object.name) is not moved\(isIncluded ? ", although the table rules include its name" : "").")
            case .sequence where isIncluded && facts.source.isMariaDB && facts.target.isMariaDB:
                return sequence(object.name, facts)
            case .oraclePackage:
                guard schemas.contains(object.name.schema) else { return [] }
                if facts.without.contains(.routines) {
                    return stayingBehind(.routines, facts, object.name.description, "The package \(object.name) is not moved.")
                }
                return [
                    Finding(
                        .refusal, "objects", object.name.description, "The package \(object.name) is not moved.",
                        why: "Godwit does not move packages of MariaDB's Oracle mode.",
                        cure: "Add `without: [routines]` to the plan, and create them on the target yourself.")
                ]
            case .sequence, .other:
                return [
                    Finding(
                        isIncluded ? .refusal : .warning, "objects", object.name.description,
                        "The \(object.kind.rawValue) \(object.name) is not moved.", why: "Godwit does not move objects of this kind yet.",
                        cure: isIncluded ? "Exclude it in the table rules." : "Create it on the target yourself before the application starts.")
                ]
            }
        }
    }

    /// From MariaDB to MariaDB a sequence moves under its own name: defaults of tables name it in their texts.
    private static func sequence(_ name: TableName, _ facts: PreflightFacts) -> [Finding] {
        let subject = name.description
        if facts.renamedObjects.contains(name) {
            return [
                Finding(
                    .refusal, "objects", subject, "The sequence \(name) would have another name on the target.",
                    why: "Names inside definitions are not rewritten.", cure: "Exclude it, or do not rename it.")
            ]
        }
        let isThere = facts.targetObjects.objects.contains { $0.isTableLike && $0.name == name }
        guard isThere, facts.prepared.isEmpty, facts.preparation == .doNothing else { return [] }
        return [
            Finding(
                .refusal, "objects", subject, "\(name) stands on the target already.",
                why: "A sequence that is there would be set to the source's value.", cure: "DROP SEQUENCE \(name.sql); on the target, or exclude it.")
        ]
    }

    /// Names on the target: no two tables in one place, no constraint twice, nothing in Godwit's own schema.
    static func names(_ facts: PreflightFacts) -> [Finding] {
        var found: [Finding] = []
        let folds = facts.target.lowerCaseTableNames != 0
        func place(_ name: TableName) -> TableName {
            folds ? TableName(schema: name.schema.lowercased(), table: name.table.lowercased()) : name
        }
        let byPlace = Dictionary(grouping: facts.decisions.sorted { $0.key < $1.key }, by: { place($0.value.target) })
        for (target, sources) in byPlace.sorted(by: { $0.key < $1.key }) {
            if sources.count > 1 {
                found.append(
                    Finding(
                        .error, "mapping-collision", target.description,
                        "\(sources.map(\.key.description).joined(separator: " and ")) would both become \(target).",
                        why: "Their rows would be mixed.", cure: "Change the renaming rules."))
            }
            if folds, let name = sources.first?.value.target, place(name) != name {
                found.append(
                    Finding(
                        .error, "lower-case-table-names", name.description,
                        "The target stores table names in lower case (lower_case_table_names = \(facts.target.lowerCaseTableNames)), and \(name) is not.",
                        why: "The application may look for it by a name that the target does not have.",
                        cure: "Rename it by a convert-lowercase rule, or use a target with lower_case_table_names = 0."))
            }
            let system = Catalog.systemSchemas.contains(target.schema.lowercased())
            if system || target.schema.lowercased() == ownSchema {
                found.append(
                    Finding(
                        .error, "own-schema", target.description, "\(sources[0].key) would go to schema \(SQL.identifier(target.schema)).",
                        why: system ? "That schema belongs to the server." : "Godwit keeps its own state there.",
                        cure: "Rename the schema by a transformation rule, or exclude it."))
            }
        }
        return found + constraintNames(facts)
    }

    /// Names of foreign keys and checks are unique within a schema: two schemas that become one may clash, late.
    private static func constraintNames(_ facts: PreflightFacts) -> [Finding] {
        var owners: [String: [String: [TableName]]] = [:]
        for table in facts.tables {
            guard let target = facts.targetName(table.name), facts.found[target] == nil || facts.preparation == .dropAndCreate,
                let statement = try? CreateStatement(parsing: table.createStatement)
            else { continue }
            for item in statement.items where item.kind == .foreignKey || item.kind == .check {
                owners[target.schema, default: [:]][item.name.lowercased(), default: []].append(table.name)
            }
        }
        return owners.sorted { $0.key < $1.key }.flatMap { schema, names in
            names.sorted { $0.key < $1.key }.filter { $0.value.count > 1 }.map { name, tables in
                Finding(
                    .error, "constraint-names", schema,
                    "\(tables.map(\.description).joined(separator: " and ")) each have a constraint \(SQL.identifier(name)), and go to one schema.",
                    why: "Constraint names are unique within a schema.", cure: "Rename one of them on the source, or map to two schemas.")
            }
        }
    }
}
