import Foundation
import GodwitEngine

/// What the pages show of a task.
struct TaskView: Sendable {
    var arn: String
    /// The last part of the ARN: its place in addresses.
    var id: String
    var name: String
    var status: String
    var kind: String
    var source: String
    var target: String
    var instance: String
    /// The link is not encrypted though it could be.
    var isSourcePlain = false
    var isTargetPlain = false
    var failure: String?
    var stopReason: String?
    var hasRun = false
    var percent: Int = 0
    var started: Double?
    var stopped: Double?
    var validates = true
    /// The engine's last word; nil before the first run.
    var run: MigrationStatus?
    var tables: [TableView] = []

    var isRunning: Bool { ["starting", "running", "stopping"].contains(status) }
    var path: String { "/tasks/\(Fields.encode(id))" }
}

/// One line of the table statistics.
struct TableView: Sendable {
    var schema: String
    var name: String
    var state: String
    var rows: UInt64
    var inserts: UInt64
    var updates: UInt64
    var deletes: UInt64
    var ddls: UInt64
    var validation: String
    var pending: UInt64
    var failed: UInt64
    var suspended: UInt64
    var problems: [String] = []
    var mismatches: [RowDetail] = []

    init(_ table: MigrationStatus.Table, state: String, validates: Bool) {
        schema = table.schema
        name = table.table
        self.state = state
        rows = table.rows
        inserts = table.inserts
        updates = table.updates
        deletes = table.deletes
        ddls = table.ddls
        validation = validates ? table.validationState : "Not enabled"
        pending = table.pending
        failed = table.failed
        suspended = table.suspended
        problems = (table.problems ?? []) + (table.skipped.map { ["\($0) changes were passed over"] } ?? [])
        mismatches = table.mismatches ?? []
    }
}

extension ControlPlane {
    /// Every task in the order of its making; without tables.
    func consoleTasks() throws -> [TaskView] {
        let names = try Dictionary((store.all(.endpoint) + store.all(.instance)).map { ($0.arn, $0) }, uniquingKeysWith: { first, _ in first })
        return try store.all(.task).map { try view(of: $0, names, withTables: false) }
    }

    /// nil: there is none.
    func consoleTask(_ id: String) throws -> TaskView? {
        guard let task = try store.all(.task).first(where: { $0.arn.split(separator: ":").last.map(String.init) == id }) else { return nil }
        let arns = ["SourceEndpointArn", "TargetEndpointArn", "ReplicationInstanceArn"].map(task.text)
        let names = try Dictionary(arns.compactMap { try store.find($0) }.map { ($0.arn, $0) }, uniquingKeysWith: { first, _ in first })
        return try view(of: task, names, withTables: true)
    }

    private func view(of task: Resource, _ names: [String: Resource], withTables: Bool) throws -> TaskView {
        let runs = runs[task.arn] != nil
        let progress = try progress(of: task)
        let stats = progress.stats(now: Date().timeIntervalSince1970, isRunning: runs)
        let (source, target) = (names[task.text("SourceEndpointArn")], names[task.text("TargetEndpointArn")])
        func shown(_ endpoint: Resource?) -> String {
            guard let endpoint else { return "?" }
            return "\(endpoint.identifier) (\(endpoint.text("ServerName")):\(endpoint["Port"]?.integer ?? 3306))"
        }
        var view = TaskView(
            arn: task.arn, id: task.arn.split(separator: ":").last.map(String.init) ?? "", name: task.identifier,
            status: task.text("Status"), kind: task.text("MigrationType"), source: shown(source), target: shown(target),
            instance: names[task.text("ReplicationInstanceArn")]?.identifier ?? "?")
        view.isSourcePlain = source?.text("SslMode") == "none"
        view.isTargetPlain = target?.text("SslMode") == "none"
        view.failure = task["LastFailureMessage"]?.text
        view.stopReason = task["StopReason"]?.text
        view.hasRun = task["_HasRun"]?.truth == true
        view.percent = stats["FullLoadProgressPercent"]?.integer ?? 0
        view.started = progress.start
        view.stopped = runs ? nil : progress.stop
        view.run = progress.status
        guard withTables else { return view }
        // A plan that can't be made any more, because an endpoint changed, hides no statistics.
        view.validates = (try? plan(task).settings.enableValidation) ?? true
        view.tables = (progress.status?.tables ?? []).map { table in
            TableView(table, state: progress.state(of: table, runs: runs), validates: view.validates)
        }
        return view
    }
}
