/// What a running migration says of itself: shown by `migrate`, stored on the target for `status`, printed as JSON.
package struct MigrationStatus: Codable, Sendable, Hashable {
    /// In the order in which a migration passes them.
    package enum State: String, Codable, Sendable, Hashable {
        case starting, loading, replaying, indexing, following, paused
        case cuttingOver = "cutting_over"
        case cutOver = "cut_over"
        case failed, stopped
    }

    package struct Table: Codable, Sendable, Hashable {
        package enum State: String, Codable, Sendable, Hashable {
            case waiting = "Before load"
            case loading = "Full load"
            case loaded = "Table completed"
            case failed = "Table error"
        }
        package var schema: String
        package var table: String
        package var state: State
        /// Rows loaded so far.
        package var rows: UInt64
        package var estimatedRows: UInt64
        package var bytes: UInt64
        package var loadSeconds: Double
        package var inserts: UInt64
        package var updates: UInt64
        package var deletes: UInt64
        package var ddls: UInt64
        /// DMS's strings: `Not enabled`, `Pending records`, `Mismatched records`, `Suspended records`, `No primary key`,
        /// `Table error`, `Validated`, `Error`, `Pending validation`, `Preparing table`, `Pending revalidation`.
        package var validationState: String
        package var pending: UInt64
        package var failed: UInt64
        package var suspended: UInt64
        /// Changes that a policy passed over and that were not made good since; nil: none.
        package var skipped: UInt64?
        /// What else keeps the table from being proven, a sentence each: suspended, a statement that was not carried out.
        package var problems: [String]?
        /// The first rows that differ, column by column.
        package var mismatches: [RowDetail]?

        enum CodingKeys: String, CodingKey {
            case schema, table, state, rows, bytes, inserts, updates, deletes, ddls, pending, failed, suspended
            case skipped, problems, mismatches
            case estimatedRows = "estimated_rows"
            case loadSeconds = "load_s"
            case validationState = "validation_state"
        }

        package init(schema: String, table: String, estimatedRows: UInt64 = 0) {
            self.schema = schema
            self.table = table
            state = .waiting
            rows = 0
            self.estimatedRows = estimatedRows
            bytes = 0
            loadSeconds = 0
            inserts = 0
            updates = 0
            deletes = 0
            ddls = 0
            validationState = "Pending validation"
            pending = 0
            failed = 0
            suspended = 0
            skipped = nil
            problems = nil
            mismatches = nil
        }
    }

    /// One thing that is being waited for, with its reason: `diagnose` prints these.
    package struct Wait: Codable, Sendable, Hashable {
        package var what: String
        package var why: String
        /// Seconds so far, and after how many it is given up (nil: never).
        package var seconds: Double
        package var limitSeconds: Double?
        package init(what: String, why: String, seconds: Double, limitSeconds: Double?) {
            self.what = what
            self.why = why
            self.seconds = seconds
            self.limitSeconds = limitSeconds
        }
        enum CodingKeys: String, CodingKey {
            case what, why, seconds
            case limitSeconds = "limit_s"
        }
    }

    package var task: String
    package var state: State
    /// The checkpoint: GTID set, or file:offset.
    package var position: String
    /// Seconds between the commit of the last applied transaction on the source and its commit on the target; nil when
    /// not following yet.
    package var lagSeconds: Double?
    /// Changes (rows) read from the source and not applied yet.
    package var incomingChanges: UInt64
    /// When the oldest of them was committed on the source, seconds since 1970; nil where nothing waits.
    package var waitingSince: Double?
    package var appliedTransactions: UInt64
    package var tables: [Table]
    package var waits: [Wait]
    /// Protocol and cipher of both sides, `none` where unencrypted.
    package var sourceTLS: String
    package var targetTLS: String
    /// The error that stopped the run.
    package var error: String?
    /// Seconds since 1970 at which this was taken.
    package var at: Double
    /// Set once cut over.
    package var writePauseSeconds: Double?
    /// Steps of the cutover that is running or done, in order, each added when it ends.
    package var steps: [MigrationReport.Step]
    /// Views, routines and events that could not be made on the target; after a cutover those, and triggers, that are not the same
    /// on both sides. A sentence each; nil before the consistency point.
    package var objectDifferences: [String]?
    /// What the operator should know and what is no table's: for example a table that was dropped on the source and kept here.
    package var notes: [String]?

    enum CodingKeys: String, CodingKey {
        case task, state, position, tables, waits, error, at, steps, notes
        case lagSeconds = "lag_s"
        case incomingChanges = "incoming_changes"
        case waitingSince = "waiting_since"
        case appliedTransactions = "applied_transactions"
        case sourceTLS = "source_tls"
        case targetTLS = "target_tls"
        case writePauseSeconds = "write_pause_s"
        case objectDifferences = "object_differences"
    }

    package init(task: String) {
        self.task = task
        state = .starting
        position = ""
        lagSeconds = nil
        incomingChanges = 0
        waitingSince = nil
        appliedTransactions = 0
        tables = []
        waits = []
        sourceTLS = "none"
        targetTLS = "none"
        error = nil
        at = 0
        writePauseSeconds = nil
        steps = []
        objectDifferences = nil
        notes = nil
    }
}

/// Hears what a run does. Implementations print, store or drop; they answer at once and never throw.
package protocol ProgressObserver: Sendable {
    /// About once a second, and at every change of state.
    func update(_ status: MigrationStatus)
    /// A step worth a line: `level` is `info`, `warning` or `error`.
    func say(_ level: String, _ line: String)
    /// A named moment for fault tests, for example `load.chunk.before-commit`.
    func moment(_ name: String)
}
