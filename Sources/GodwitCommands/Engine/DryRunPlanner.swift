import GodwitEngine

/// Works out what a run would do from what both servers hold. Pure.
struct DryRunPlanner: Sendable {
    /// A table that moves, and what stands at its place.
    struct Entry: Sendable {
        var source: TableDefinition
        var target: TableName
        /// nil: there is none yet.
        var existing: TableDefinition?
        var existingHasRows: Bool
    }
    /// Source bytes loaded per second: measured on two cores with LOAD DATA on four connections.
    static let loadRate = 18_000_000.0

    var task: String
    var preparation: TaskSettings.TablePreparation
    var entries: [Entry]
    /// Schemas on the target.
    var targetSchemas: Set<String>
    var targetAddress: String
    /// The task has state on the target already.
    var hasRunBefore: Bool

    func dryRun() -> DryRun {
        var changes: [String] = []
        if hasRunBefore {
            changes.append("Task '\(task)' has state on the target: the run resumes it; tables loaded already stay")
        }
        if !targetSchemas.contains("godwit") {
            changes.append("On the target \(targetAddress): create schema `godwit` for the task's state")
        }
        let missing = Set(entries.map(\.target.schema)).subtracting(targetSchemas).sorted()
        changes += missing.map { "On the target \(targetAddress): create schema \(SQL.identifier($0))" }
        changes.append("On the source: nothing is written before a cutover")
        let bytes = entries.reduce(UInt64(0)) { $0 &+ $1.source.dataBytes }
        return DryRun(
            changes: changes, tables: entries.map(table), estimatedSeconds: Double(bytes) / Self.loadRate,
            basis: "at \(Format.byteRate(Self.loadRate)), as measured on two cores; sizes are the source's statistics")
    }

    private func table(_ entry: Entry) -> DryRun.Table {
        var notes: [String] = []
        let action = action(entry, &notes)
        if entry.source.rowKey == nil { notes.append("no usable key: loaded from one exact snapshot") }
        return DryRun.Table(
            source: entry.source.name.description, target: entry.target.description, action: action,
            rows: entry.source.estimatedRows, bytes: entry.source.dataBytes, notes: notes)
    }

    private func action(_ entry: Entry, _ notes: inout [String]) -> String {
        guard let existing = entry.existing else {
            notes += Self.deferred(entry.source).map { "\($0) built after the load" }
            return "create"
        }
        if hasRunBefore { return "resume" }
        switch preparation {
        case .dropAndCreate:
            notes += Self.deferred(entry.source).map { "\($0) built after the load" }
            return "drop and create"
        case .truncateBeforeLoad:
            notes += Self.deferred(existing).map { "\($0) dropped and built again" }
            return "truncate"
        case .doNothing:
            guard !entry.existingHasRows else {
                notes.append("set TargetTablePrepMode to TRUNCATE_BEFORE_LOAD or DROP_AND_CREATE, or exclude it")
                return "REFUSED: the target table holds rows"
            }
            notes += Self.deferred(existing).map { "\($0) dropped and built again" }
            return "load into the empty table"
        }
    }

    /// What does not stand during the load: `2 indexes and 1 foreign key`.
    private static func deferred(_ table: TableDefinition) -> [String] {
        let key = table.rowKey?.name
        let indexes = table.indexes.count { $0.name != key && !$0.isPrimary }
        let foreignKeys = table.foreignKeys.count
        let parts = [
            indexes > 0 ? "\(indexes) \(indexes == 1 ? "index" : "indexes")" : nil,
            foreignKeys > 0 ? "\(foreignKeys) foreign \(foreignKeys == 1 ? "key" : "keys")" : nil,
        ].compactMap { $0 }
        return parts.isEmpty ? [] : [parts.joined(separator: " and ")]
    }
}
