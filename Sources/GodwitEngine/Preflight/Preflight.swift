import MySQLWire

/// Looks before anything is written: can this source be moved to this target, and if not, why and what to do.
package enum Preflight {
    /// Reads both servers and judges. Writes nothing.
    /// - Throws: `MySQLError` where a server cannot be read at all; `EngineError` for a definition that cannot be understood.
    package static func check(
        source: MySQLConnection, target: MySQLConnection, plan: Plan, prepared: Set<TableName> = []
    ) async throws -> [Finding] {
        findings(try await read(source: source, target: target, plan: plan, prepared: prepared))
    }

    /// All checks, worst first; within one severity in the order in which they were made.
    package static func findings(_ facts: PreflightFacts) -> [Finding] {
        let found =
            flavours(facts) + identity(facts) + sourceLog(facts) + sourceGrants(facts) + objectVisibility(facts)
            + targetGrants(facts) + tables(facts) + foreignKeys(facts) + objects(facts) + triggers(facts) + movedObjects(facts)
            + facts.accountFindings + names(facts) + differences(facts) + targetServer(facts)
            + targetTables(facts) + dialects(facts) + wayBack(facts)
        return found.map { spelled($0, facts) }.enumerated().sorted { ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset) }.map(\.element)
    }

    /// Nil when nothing stands against the start; else one error that names everything that does.
    package static func refusal(_ findings: [Finding]) -> EngineError? {
        let blocking = findings.filter(\.blocks)
        guard let first = blocking.first else { return nil }
        guard blocking.count > 1 else { return EngineError(.plan, first.what, why: first.why, cure: first.cure) }
        return EngineError(
            .plan, "Preflight found \(blocking.count) things that stand against the migration; nothing was written.",
            why: blocking.enumerated().map { "(\($0.offset + 1)) \($0.element.description)" }.joined(separator: "\n"), cure: "")
    }

    /// Reads the facts.
    package static func read(
        source: MySQLConnection, target: MySQLConnection, plan: Plan, prepared: Set<TableName> = []
    ) async throws -> PreflightFacts {
        var facts = PreflightFacts(
            source: try await ServerFacts.read(source), target: try await ServerFacts.read(target),
            preparation: plan.settings.preparation, prepared: prepared)
        facts.without = plan.without
        facts.block = plan.application.block
        if let reverse = plan.reverse { facts.reverseBlock = reverse.block ?? plan.application.block }
        var rules = plan.mappings
        rules.foldsCase = facts.source.lowerCaseTableNames != 0
        let mappings = rules
        facts.namedSchemas = mappings.namedSchemas
        facts.sourceSchemas = try await Catalog.schemas(source)
        facts.tables = try await Catalog.read(
            source, include: { mappings.decision(for: $0) != nil }, schemas: { mappings.mayInclude(schema: $0) })
        for table in facts.tables { facts.decisions[table.name] = mappings.decision(for: table.name) }
        let schemas = facts.sourceSchemas.map(\.name).filter { mappings.mayInclude(schema: $0) }
        facts.sourceObjects = try await SchemaObjects.read(source, schemas: schemas)
        for object in facts.sourceObjects.objects where object.isTableLike && mappings.decision(for: object.name) != nil {
            facts.includedObjects.insert(object.name)
            if mappings.decision(for: object.name)?.target != object.name { facts.renamedObjects.insert(object.name) }
        }
        try await readTarget(target, &facts)
        let scope = ObjectScope(
            tables: facts.decisions.mapValues(\.target), without: plan.without, mappings: mappings)
        facts.objects = try await ObjectFacts.read(
            source: source, target: target, scope: scope, translation: DialectTranslation(source: facts.source, target: facts.target))
        try await readAccounts(source, target, plan, &facts)
        for object in facts.sourceObjects.objects where object.kind == .view && mappings.isExcluded(object.name) {
            if scope.schemas.contains(object.name.schema), !plan.without.contains(.views) { facts.objects.excluded.insert(object.name) }
        }
        return facts
    }

    private static func readTarget(_ target: MySQLConnection, _ facts: inout PreflightFacts) async throws {
        facts.targetSchemas = Set(try await Catalog.schemas(target).map(\.name))
        let schemas = facts.usedTargetSchemas.filter { facts.targetSchemas.contains($0) }
        facts.targetObjects = try await SchemaObjects.read(target, schemas: schemas)
        facts.found = try await TargetPreparation.find(target, Set(facts.decisions.values.map(\.target)))
    }
}

extension SchemaObjects.Object {
    /// Shares the name space of tables, so rules can name it.
    package var isTableLike: Bool {
        switch kind {
        case .view, .sequence, .other: true
        case .procedure, .function, .oraclePackage, .event: false
        }
    }
}
