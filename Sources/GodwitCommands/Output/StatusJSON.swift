import GodwitEngine

/// A status as `--json` prints it: the stable form, apart from the one that is stored on the target. Every key is always
/// there; what is not known is null.
struct StatusJSON: Encodable {
    let type = "status"
    var status: MigrationStatus
    /// nil: not asked (`migrate` itself).
    var runnerAlive: Bool?
    /// The state to show, where it is not the stored one.
    var state: String

    /// `runnerAlive` false turns a state that needs a runner into `stopped`: nobody moves there any more.
    init(_ status: MigrationStatus, runnerAlive: Bool? = nil) {
        self.status = status
        self.runnerAlive = runnerAlive
        state = StatusJSON.shownState(status, runnerAlive: runnerAlive)
    }

    static func shownState(_ status: MigrationStatus, runnerAlive: Bool?) -> String {
        switch status.state {
        case .cutOver, .failed, .stopped: status.state.rawValue
        case .starting, .loading, .replaying, .indexing, .following, .paused, .cuttingOver:
            runnerAlive == false ? MigrationStatus.State.stopped.rawValue : status.state.rawValue
        }
    }

    enum CodingKeys: String, CodingKey {
        case type, task, state, position, tables, waits, error, at, steps, notes
        case lastState = "last_state"
        case runnerAlive = "runner_alive"
        case lag = "lag_s"
        case incomingChanges = "incoming_changes"
        case appliedTransactions = "applied_transactions"
        case sourceTLS = "source_tls"
        case targetTLS = "target_tls"
        case writePause = "write_pause_s"
        case objectDifferences = "object_differences"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(status.task, forKey: .task)
        try container.encode(state, forKey: .state)
        try container.encode(status.state.rawValue, forKey: .lastState)
        if let runnerAlive { try container.encode(runnerAlive, forKey: .runnerAlive) }
        try container.encode(status.position, forKey: .position)
        try container.encode(status.lagSeconds, forKey: .lag)
        try container.encode(status.incomingChanges, forKey: .incomingChanges)
        try container.encode(status.appliedTransactions, forKey: .appliedTransactions)
        try container.encode(status.tables.map(TableJSON.init), forKey: .tables)
        try container.encode(status.waits.map(WaitJSON.init), forKey: .waits)
        try container.encode(status.sourceTLS, forKey: .sourceTLS)
        try container.encode(status.targetTLS, forKey: .targetTLS)
        try container.encode(status.error, forKey: .error)
        try container.encode(status.at, forKey: .at)
        try container.encode(status.writePauseSeconds, forKey: .writePause)
        try container.encode(status.steps, forKey: .steps)
        try container.encode(status.objectDifferences, forKey: .objectDifferences)
        try container.encode(status.notes ?? [], forKey: .notes)
    }
}

struct TableJSON: Encodable {
    var table: MigrationStatus.Table
    init(_ table: MigrationStatus.Table) { self.table = table }

    enum CodingKeys: String, CodingKey {
        case schema, table, state, rows, bytes, inserts, updates, deletes, ddls, pending, failed, suspended
        case skipped, problems, mismatches
        case estimatedRows = "estimated_rows"
        case loadSeconds = "load_s"
        case validationState = "validation_state"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(table.schema, forKey: .schema)
        try container.encode(table.table, forKey: .table)
        try container.encode(table.state.rawValue, forKey: .state)
        try container.encode(table.rows, forKey: .rows)
        try container.encode(table.estimatedRows, forKey: .estimatedRows)
        try container.encode(table.bytes, forKey: .bytes)
        try container.encode(table.loadSeconds, forKey: .loadSeconds)
        try container.encode(table.inserts, forKey: .inserts)
        try container.encode(table.updates, forKey: .updates)
        try container.encode(table.deletes, forKey: .deletes)
        try container.encode(table.ddls, forKey: .ddls)
        try container.encode(table.validationState, forKey: .validationState)
        try container.encode(table.pending, forKey: .pending)
        try container.encode(table.failed, forKey: .failed)
        try container.encode(table.suspended, forKey: .suspended)
        try container.encode(table.skipped ?? 0, forKey: .skipped)
        try container.encode(table.problems ?? [], forKey: .problems)
        try container.encode(table.mismatches ?? [], forKey: .mismatches)
    }
}

struct WaitJSON: Encodable {
    var wait: MigrationStatus.Wait
    init(_ wait: MigrationStatus.Wait) { self.wait = wait }

    enum CodingKeys: String, CodingKey {
        case what, why, seconds
        case limit = "limit_s"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(wait.what, forKey: .what)
        try container.encode(wait.why, forKey: .why)
        try container.encode(wait.seconds, forKey: .seconds)
        try container.encode(wait.limitSeconds, forKey: .limit)
    }
}

/// What `status` says of a task that never ran.
struct NotStartedJSON: Encodable {
    var task: String
    enum CodingKeys: String, CodingKey {
        case type, task, state, position, tables, waits, error, steps, notes
        case runnerAlive = "runner_alive"
        case lag = "lag_s"
        case incomingChanges = "incoming_changes"
        case writePause = "write_pause_s"
        case objectDifferences = "object_differences"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("status", forKey: .type)
        try container.encode(task, forKey: .task)
        try container.encode("not_started", forKey: .state)
        try container.encode(false, forKey: .runnerAlive)
        try container.encodeNil(forKey: .position)
        try container.encodeNil(forKey: .lag)
        try container.encode(0, forKey: .incomingChanges)
        try container.encode([String](), forKey: .tables)
        try container.encode([String](), forKey: .waits)
        try container.encodeNil(forKey: .error)
        try container.encodeNil(forKey: .writePause)
        try container.encode([String](), forKey: .steps)
        try container.encodeNil(forKey: .objectDifferences)
        try container.encode([String](), forKey: .notes)
    }
}

/// The final object of `migrate` and `cutover`.
struct ReportJSON: Encodable {
    /// `report`, or `cutover` for the cutover's own object.
    var type: String
    var report: MigrationReport
    var verdict: Verdict

    enum CodingKeys: String, CodingKey {
        case type, seconds, steps, status, result, summary
        case writePause = "write_pause_s"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(verdict.result.rawValue, forKey: .result)
        try container.encode(verdict.summary, forKey: .summary)
        try container.encode(report.seconds, forKey: .seconds)
        try container.encode(report.status.writePauseSeconds, forKey: .writePause)
        try container.encode(report.steps, forKey: .steps)
        if type == "report" { try container.encode(StatusJSON(report.status), forKey: .status) }
    }
}
