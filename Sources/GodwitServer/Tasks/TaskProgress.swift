import Foundation
import GodwitEngine

/// What a task's runs have told so far: the engine's last status, and when each table's load began and ended.
struct TaskProgress: Codable, Sendable {
    struct Span: Codable, Sendable {
        var start: Double?
        var end: Double?
        /// Loaded more than once.
        var isReloaded = false
    }
    var status: MigrationStatus?
    /// By `schema\u{0}table`.
    var spans: [String: Span] = [:]
    /// Seconds since 1970.
    var freshStart: Double?
    var start: Double?
    var stop: Double?

    static func name(_ table: MigrationStatus.Table) -> String { "\(table.schema)\u{0}\(table.table)" }

    mutating func take(_ status: MigrationStatus, now: Date) {
        let seconds = now.timeIntervalSince1970
        for table in status.tables {
            let name = Self.name(table)
            var span = spans[name] ?? Span()
            switch table.state {
            case .waiting, .failed: break
            case .loading:
                if span.end != nil { span = Span(start: seconds, isReloaded: true) }
                span.start = span.start ?? seconds
            case .loaded:
                span.start = span.start ?? seconds
                span.end = span.end ?? seconds
            }
            spans[name] = span
        }
        // An end without tables (the servers were not reached) must not take away what was known.
        if status.tables.isEmpty, var known = self.status {
            known.state = status.state
            known.error = status.error
            known.at = status.at
            self.status = known
        } else {
            self.status = status
        }
    }

    /// A start from the beginning: what was counted before counts no more.
    mutating func restart() {
        status = nil
        spans = [:]
    }

    // MARK: As the API shows it

    func stats(now: Double, isRunning: Bool) -> JSON {
        let tables = status?.tables ?? []
        func number(_ states: Set<MigrationStatus.Table.State>) -> JSON { .int(Int64(tables.count { states.contains($0.state) })) }
        let loaded = tables.filter { $0.state == .loaded }
        let ends = loaded.compactMap { spans[Self.name($0)]?.end }
        var stats: [String: JSON] = [
            "FullLoadProgressPercent": .int(percent(tables)), "TablesLoaded": number([.loaded]), "TablesLoading": number([.loading]),
            "TablesQueued": number([.waiting]), "TablesErrored": number([.failed]),
            "ElapsedTimeMillis": .int(start.map { Int64((((isRunning ? nil : stop) ?? now) - $0) * 1000) } ?? 0),
        ]
        if let freshStart { stats["FreshStartDate"] = .time(freshStart) }
        if let start { stats["StartDate"] = .time(start) }
        if let stop, !isRunning { stats["StopDate"] = .time(stop) }
        if let first = spans.values.compactMap(\.start).min() { stats["FullLoadStartDate"] = .time(first) }
        if !tables.isEmpty, loaded.count == tables.count, let last = ends.max() { stats["FullLoadFinishDate"] = .time(last) }
        return .object(stats)
    }

    /// By rows, from the source's estimates; 100 only when every table is loaded.
    private func percent(_ tables: [MigrationStatus.Table]) -> Int64 {
        guard !tables.isEmpty else { return 0 }
        if tables.allSatisfy({ $0.state == .loaded }) { return 100 }
        let total = tables.reduce(0.0) { $0 + Double(max($1.estimatedRows, $1.rows, 1)) }
        let done = tables.reduce(0.0) { $0 + ($1.state == .loaded ? Double(max($1.estimatedRows, $1.rows, 1)) : Double($1.rows)) }
        return Int64(min(99, done / total * 100))
    }

    /// DMS's words for the state of a table.
    func state(of table: MigrationStatus.Table, runs: Bool) -> String {
        switch table.state {
        case .loading where spans[Self.name(table)]?.isReloaded == true: "Table is being reloaded"
        case .loading where !runs: "Table cancelled"
        default: table.state.rawValue
        }
    }

    /// One table of `DescribeTableStatistics`.
    func statistics(_ table: MigrationStatus.Table, validates: Bool, runs: Bool) -> JSON {
        let span = spans[Self.name(table)] ?? Span()
        var members: [String: JSON] = [
            "SchemaName": .string(table.schema), "TableName": .string(table.table), "Inserts": .count(table.inserts),
            "Updates": .count(table.updates), "Deletes": .count(table.deletes), "Ddls": .count(table.ddls),
            // Changes are counted when they are applied: the two never differ here.
            "AppliedInserts": .count(table.inserts), "AppliedUpdates": .count(table.updates), "AppliedDeletes": .count(table.deletes),
            "AppliedDdls": .count(table.ddls), "FullLoadRows": .count(table.rows), "FullLoadCondtnlChkFailedRows": 0,
            "FullLoadErrorRows": 0, "FullLoadReloaded": .bool(span.isReloaded), "TableState": .string(state(of: table, runs: runs)),
            "LastUpdateTime": .time(status?.at ?? 0), "ValidationPendingRecords": .count(table.pending),
            "ValidationFailedRecords": .count(table.failed), "ValidationSuspendedRecords": .count(table.suspended),
            "ValidationState": .string(validates ? table.validationState : "Not enabled"), "ResyncState": "Not enabled",
            "ResyncRowsAttempted": 0, "ResyncRowsSucceeded": 0, "ResyncRowsFailed": 0, "ResyncProgress": 0,
        ]
        if let start = span.start { members["FullLoadStartTime"] = .time(start) }
        if let end = span.end { members["FullLoadEndTime"] = .time(end) }
        let details = (table.problems ?? []) + (table.skipped.map { ["\($0) changes were passed over"] } ?? [])
        if !details.isEmpty { members["ValidationStateDetails"] = .string(details.joined(separator: "; ")) }
        return .object(members)
    }
}
