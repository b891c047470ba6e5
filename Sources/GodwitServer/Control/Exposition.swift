import GodwitEngine

extension ControlPlane {
    /// The text that Prometheus reads: what the engine measured last, for every task that runs.
    package func exposition() throws -> String {
        let tasks = try store.all(.task)
        let names = Dictionary(uniqueKeysWithValues: try store.all(.instance).map { ($0.arn, $0.identifier) })
        var text = "# HELP godwit_tasks Replication tasks by status.\n# TYPE godwit_tasks gauge\n"
        let statuses = Dictionary(grouping: tasks, by: { $0.text("Status") }).mapValues(\.count)
        for (status, number) in statuses.sorted(by: { $0.key < $1.key }) {
            text += "godwit_tasks{status=\"\(status)\"} \(number)\n"
        }
        var rows: [(labels: String, status: MigrationStatus)] = []
        for task in tasks {
            guard let status = runs[task.arn]?.observer.progress.status else { continue }
            rows.append(
                ("{instance=\"\(names[task.text("ReplicationInstanceArn")] ?? "")\",task=\"\(task.identifier)\"}", status))
        }
        func metric(_ name: String, _ type: String, _ help: String, _ value: (MigrationStatus) -> String?) {
            let lines = rows.compactMap { row in value(row.status).map { "\(name)\(row.labels) \($0)\n" } }
            guard !lines.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" + lines.joined()
        }
        metric("godwit_cdc_incoming_changes", "gauge", "Changes read from the source and not applied yet.") { "\($0.incomingChanges)" }
        metric("godwit_cdc_latency_target_seconds", "gauge", "From commit on the source to commit on the target.") { $0.lagSeconds.map { "\($0)" } }
        metric("godwit_applied_transactions_total", "counter", "Source transactions applied.") { "\($0.appliedTransactions)" }
        metric("godwit_full_load_rows_total", "counter", "Rows loaded.") { "\($0.tables.reduce(UInt64(0)) { $0 + $1.rows })" }
        metric("godwit_full_load_bytes_total", "counter", "Bytes loaded.") { "\($0.tables.reduce(UInt64(0)) { $0 + $1.bytes })" }
        metric("godwit_validation_pending_records", "gauge", "Rows waiting to be compared.") { "\($0.tables.reduce(UInt64(0)) { $0 + $1.pending })" }
        metric("godwit_validation_failed_records", "gauge", "Rows that differ.") { "\($0.tables.reduce(UInt64(0)) { $0 + $1.failed })" }
        return text
    }
}
