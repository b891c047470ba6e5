import Foundation
import MySQLTypes

/// Gathers what the parts of a run tell and hands out snapshots. All tell it, it asks none.
package actor ProgressBoard {
    package private(set) var status: MigrationStatus
    /// Chunks and transactions that this process has committed: grows while an attempt gets somewhere.
    package private(set) var commits: UInt64 = 0
    /// Where in the source's files the target stands, once something was applied.
    package private(set) var reached: BinlogCoordinates?
    private var waitsSince: [String: (wait: MigrationStatus.Wait, since: Date)] = [:]
    private var lastCommit: UInt64 = 0
    /// When this attempt began to load a table, and the seconds that earlier ones took.
    private var loadStart: [Int: (since: Date, earlier: Double)] = [:]
    /// What the last run stored.
    private var before: MigrationStatus?

    package init(task: String) { status = MigrationStatus(task: task) }

    package func snapshot() -> MigrationStatus {
        let now = Date()
        status.at = now.timeIntervalSince1970
        status.waits = waitsSince.values.map { entry in
            var wait = entry.wait
            wait.seconds = now.timeIntervalSince(entry.since)
            return wait
        }.sorted { $0.what < $1.what }
        return status
    }

    package func set(state: MigrationStatus.State) { status.state = state }
    package func set(error: String?) { status.error = error }
    package func set(sourceTLS: String, targetTLS: String) {
        status.sourceTLS = sourceTLS
        status.targetTLS = targetTLS
    }
    /// A new attempt to cut over: what an earlier one left is not shown any more.
    package func beginCutover() {
        status.steps = []
        status.error = nil
    }
    package func finished(step: String, seconds: Double) { status.steps.append(.init(name: step, seconds: seconds)) }
    package func set(objectDifferences: [String]) { status.objectDifferences = objectDifferences }
    package func set(writePause: Double) { status.writePauseSeconds = writePause }

    /// A new attempt's tables. What was counted before goes on being counted: by an earlier attempt of this process, else by the
    /// run that stored `before`. States, rows and validation are found out anew.
    package func begin(tables: [MigrationStatus.Table], before: MigrationStatus?) {
        let isFirst = status.tables.isEmpty
        loadStart = [:]
        if isFirst {
            self.before = before
            status.appliedTransactions = before?.appliedTransactions ?? 0
            status.position = before?.position ?? ""
            status.steps = before?.steps ?? []
            status.objectDifferences = before?.objectDifferences
        }
        let known = Dictionary(
            (isFirst ? before?.tables ?? [] : status.tables).map { (TableName(schema: $0.schema, table: $0.table), $0) },
            uniquingKeysWith: { first, _ in first })
        status.tables = tables.map { table in
            guard let old = known[TableName(schema: table.schema, table: table.table)] else { return table }
            var table = table
            table.loadSeconds = old.loadSeconds
            table.inserts = old.inserts
            table.updates = old.updates
            table.deletes = old.deletes
            table.ddls = old.ddls
            return table
        }
    }

    /// Nothing runs any more: the tables' validation as it was stored last. Returns that snapshot.
    package func showAsBefore() -> MigrationStatus? {
        guard let before else { return nil }
        let known = Dictionary(
            before.tables.map { (TableName(schema: $0.schema, table: $0.table), $0) }, uniquingKeysWith: { first, _ in first })
        for (index, table) in status.tables.enumerated() {
            guard let old = known[TableName(schema: table.schema, table: table.table)] else { continue }
            status.tables[index].validationState = old.validationState
            status.tables[index].pending = old.pending
            status.tables[index].failed = old.failed
            status.tables[index].suspended = old.suspended
        }
        return before
    }
    package func set(_ backlog: Backlog) {
        status.incomingChanges = UInt64(backlog.changes)
        status.waitingSince = backlog.oldest.map { Double($0) / 1_000_000 }
    }

    package func loading(_ table: Int) {
        if loadStart[table] == nil { loadStart[table] = (Date(), status.tables[table].loadSeconds) }
        if status.tables[table].state == .waiting { status.tables[table].state = .loading }
    }

    package func loaded(_ table: Int, rows: UInt64, bytes: UInt64, seconds: Double) {
        status.tables[table].rows += rows
        status.tables[table].bytes += bytes
        guard seconds > 0 else { return }
        commits += 1
        // Several workers load one table at once: its time is the clock's, not theirs together.
        if let (start, earlier) = loadStart[table] {
            status.tables[table].loadSeconds = earlier + Date().timeIntervalSince(start)
        } else {
            status.tables[table].loadSeconds += seconds
        }
    }

    package func finishedLoading(_ table: Int) {
        // A table that a policy has taken out stays so.
        if status.tables[table].state != .failed { status.tables[table].state = .loaded }
    }

    package func finishedLoading(_ table: Int, rows: UInt64, bytes: UInt64) {
        finishedLoading(table)
        status.tables[table].rows = rows
        status.tables[table].bytes = bytes
    }

    package func applied(_ progress: ApplyProgress, idle: Bool) {
        status.position = progress.position.description
        reached = progress.reached
        status.appliedTransactions += progress.transactions
        commits += progress.transactions
        for (table, counts) in progress.counts {
            status.tables[table].inserts += counts.inserts
            status.tables[table].updates += counts.updates
            status.tables[table].deletes += counts.deletes
        }
        for (name, count) in progress.skipped {
            guard let index = index(of: name) else { continue }
            status.tables[index].skipped = (status.tables[index].skipped ?? 0) + count
        }
        if progress.transactions > 0, progress.commitMicroseconds > 0 {
            let now = Date().timeIntervalSince1970
            status.lagSeconds = max(0, now - Double(progress.commitMicroseconds) / 1_000_000)
        } else if idle {
            status.lagSeconds = 0
        }
    }

    private func index(of table: TableName) -> Int? {
        status.tables.firstIndex { $0.schema == table.schema && $0.table == table.table }
    }

    /// What the target remembers of changes passed over and tables taken out.
    package func set(outcomes: TaskOutcomes) {
        for index in status.tables.indices {
            let name = TableName(schema: status.tables[index].schema, table: status.tables[index].table)
            let problems = outcomes.problems(of: name)
            status.tables[index].problems = problems.isEmpty ? nil : problems
            status.tables[index].skipped = outcomes.exceptions[name]
            if outcomes.suspended[name] != nil { status.tables[index].state = .failed }
        }
        let tables = Set(status.tables.map { TableName(schema: $0.schema, table: $0.table) })
        let gone = outcomes.notApplied.filter { !tables.contains($0.key) }.flatMap { name, lines in lines.map { "\(name): \($0)" } }
        status.notes = gone.isEmpty ? nil : gone.sorted()
    }

    package func set(skipped: UInt64?, of table: TableName) {
        if let index = index(of: table) { status.tables[index].skipped = skipped }
    }

    package func set(mismatches: [RowDetail], of table: Int) {
        status.tables[table].mismatches = mismatches.isEmpty ? nil : mismatches
    }

    package func countDefinition(of table: TableName) {
        guard let index = index(of: table) else { return }
        status.tables[index].ddls += 1
    }

    package func validation(_ table: Int, state: String, pending: UInt64, failed: UInt64, suspended: UInt64 = 0) {
        status.tables[table].validationState = state
        status.tables[table].pending = pending
        status.tables[table].failed = failed
        status.tables[table].suspended = suspended
    }

    /// Of all tables at once: thousands of them are told four times a second. `suspended` are the tables whose changes are not
    /// applied any more.
    package func validation(
        _ tables: [(table: Int, status: ValidationLedger.TableStatus)], isEnabled: Bool, suspended: Set<Int>
    ) {
        for (table, found) in tables {
            let state = suspended.contains(table) ? "Table error" : isEnabled ? found.state : "Not enabled"
            validation(table, state: state, pending: found.pending, failed: found.failed, suspended: found.suspended)
        }
    }

    // MARK: Waits

    /// Names what is waited for until `endWait` with the same name.
    package func beginWait(_ what: String, why: String, limit: Duration?) {
        let seconds = limit.map { Double($0.components.seconds) }
        if waitsSince[what] == nil {
            waitsSince[what] = (MigrationStatus.Wait(what: what, why: why, seconds: 0, limitSeconds: seconds), Date())
        } else {
            waitsSince[what]?.wait.why = why
        }
    }

    /// Many changes wait, and the last one applied is seconds old. Both, since the clocks of source and host may differ.
    package var isFarBehind: Bool { (status.lagSeconds ?? 0) > 5 && status.incomingChanges > 1_000 }

    package func endWait(_ what: String) { waitsSince[what] = nil }
}
