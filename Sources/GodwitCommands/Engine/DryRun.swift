import GodwitEngine

/// What a run would create and change.
struct DryRun: Sendable, Hashable {
    struct Table: Encodable, Sendable, Hashable {
        var source: String
        var target: String
        /// create, load, truncate, drop and create, resume, refused.
        var action: String
        /// Estimates of the source's statistics.
        var rows: UInt64
        var bytes: UInt64
        /// What else happens to the table, and what stands against it.
        var notes: [String]
    }
    /// Changes that are not one table's, each a sentence that names the server.
    var changes: [String]
    var tables: [Table]
    /// What would be run on the target before the load, in order.
    var statements: [String]
    /// Seconds, a rough estimate of the load alone.
    var estimatedSeconds: Double
    /// What the estimate rests on.
    var basis: String
    /// Why the run would not start, nil where it would.
    var refusal: EngineError?

    static func == (left: Self, right: Self) -> Bool {
        left.changes == right.changes && left.tables == right.tables && left.statements == right.statements
    }
    func hash(into hasher: inout Hasher) {
        hasher.combine(changes)
        hasher.combine(tables)
    }
}

/// Works out a dry run from what the preflight read. Pure: the decisions are the engine's own.
struct DryRunPlanner: Sendable {
    /// Source bytes loaded per second: measured on two cores with LOAD DATA on four connections.
    static let loadRate = 18_000_000.0

    var task: String
    var facts: PreflightFacts
    var targetAddress: String
    /// The task has state on the target already.
    var hasRunBefore: Bool

    func dryRun() -> DryRun {
        let preparations = facts.tables.compactMap(prepare)
        let decided = preparations.compactMap(\.decided)
        let missing = facts.usedTargetSchemas.filter { !facts.targetSchemas.contains($0) }
        let bytes = facts.tables.reduce(UInt64(0)) { $0 &+ $1.dataBytes }
        // An error here is one that the table's own line shows.
        let statements = try? PreparedTarget(databases: databases(missing), tables: decided).statements(
            found: facts.found)
        return DryRun(
            changes: changes(missing), tables: preparations.map(\.line), statements: statements ?? [],
            estimatedSeconds: Double(bytes) / Self.loadRate,
            basis: "at \(Format.byteRate(Self.loadRate)), as measured on two cores; sizes are the source's statistics",
            refusal: Preflight.refusal(Preflight.findings(facts)))
    }

    private func changes(_ missing: [String]) -> [String] {
        var changes: [String] = []
        if hasRunBefore {
            changes.append("Task '\(task)' has state on the target: the run resumes it; what is loaded stays")
        }
        if !facts.targetSchemas.contains(TargetSchema.name) {
            changes.append("On the target \(targetAddress): create schema `godwit` for the task's state")
        }
        changes += missing.map { "On the target \(targetAddress): create schema \(SQL.identifier($0))" }
        for kind in ObjectDefinition.Kind.allCases {
            let names = facts.objects.source.filter { $0.kind == kind && !$0.isExpired }.map(\.name.description)
            guard let first = names.first else { continue }
            let when = kind == .trigger ? ", in the cutover" : kind == .event ? ", switched off until the cutover" : ""
            let more = names.count > 1 ? " and \(names.count - 1) more" : ""
            changes.append("On the target \(targetAddress): make \(kind.rawValue) \(first)\(more)\(when)")
        }
        changes.append("On the source: nothing is written before a cutover")
        return changes
    }

    private func databases(_ missing: [String]) -> [String] {
        missing.map { "CREATE DATABASE \(SQL.identifier($0))" }
    }

    private func prepare(_ source: TableDefinition) -> (line: DryRun.Table, decided: PreparedTable?)? {
        guard let target = facts.targetName(source.name) else { return nil }
        var line = DryRun.Table(
            source: source.name.description, target: target.description, action: "", rows: source.estimatedRows,
            bytes: source.dataBytes, notes: [])
        if source.rowKey == nil { line.notes.append("no usable key: loaded from one exact snapshot") }
        guard !facts.prepared.contains(target) else {
            line.action = "resume"
            return (line, nil)
        }
        let mapping = { (name: TableName) in facts.targetName(name) }
        do {
            let decided = try TargetPreparation.decide(
                mode: facts.preparation, source: source, target: target, found: facts.found[target], mapping: mapping,
                translation: DialectTranslation(source: facts.source, target: facts.target))
            line.action = Self.action(decided.action)
            line.notes += Self.notes(decided)
            return (line, decided)
        } catch {
            line.action = "REFUSED"
            line.notes.append([error.what, error.why].filter { !$0.isEmpty }.joined(separator: " "))
            return (line, nil)
        }
    }

    private static func action(_ action: PreparedTable.Action) -> String {
        switch action {
        case .create: "create"
        case .keep: "load into the empty table"
        case .truncate: "truncate"
        case .dropAndCreate: "drop and create"
        }
    }

    private static func notes(_ table: PreparedTable) -> [String] {
        let dropped = table.droppedIndexes.count + table.droppedForeignKeys.count
        var notes: [String] = []
        let later = [
            counted(table.deferredIndexes.count, "index", "indexes"),
            counted(table.deferredForeignKeys.count, "foreign key", "foreign keys"),
        ].compactMap { $0 }
        if !later.isEmpty {
            let verb = dropped > 0 ? "dropped, and built again after the load" : "built after the load"
            notes.append("\(later.joined(separator: " and ")) \(verb)")
        }
        return notes + table.omittedForeignKeys
    }

    private static func counted(_ count: Int, _ one: String, _ many: String) -> String? {
        count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
    }
}
