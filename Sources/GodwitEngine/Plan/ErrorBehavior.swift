/// What is done about a change that does not fit the target, and about a table that cannot be followed. DMS's names and values;
/// source: DMS user guide, "Error handling task settings".
///
/// A policy that the settings do not name is STOP_TASK here, where DMS logs or ignores: a row is never passed over that nobody
/// asked to have passed over. Whatever is passed over, by whatever policy, is stored on the target and keeps the table from
/// being green until it is repaired or loaded again.
package struct ErrorBehavior: Sendable, Hashable {
    package enum RecordPolicy: String, Sendable, Hashable, CaseIterable {
        case ignore = "IGNORE_RECORD", log = "LOG_ERROR", suspend = "SUSPEND_TABLE", stop = "STOP_TASK"
    }
    package enum InsertPolicy: String, Sendable, Hashable, CaseIterable {
        case ignore = "IGNORE_RECORD", log = "LOG_ERROR", suspend = "SUSPEND_TABLE", stop = "STOP_TASK"
        /// The row that is in the way is made the one to insert.
        case update = "UPDATE_RECORD"
    }
    package enum UpdatePolicy: String, Sendable, Hashable, CaseIterable {
        case ignore = "IGNORE_RECORD", log = "LOG_ERROR", suspend = "SUSPEND_TABLE", stop = "STOP_TASK"
        /// The row that is missing is inserted as the update leaves it.
        case insert = "INSERT_RECORD"
    }
    package enum TablePolicy: String, Sendable, Hashable, CaseIterable { case suspend = "SUSPEND_TABLE", stop = "STOP_TASK" }
    package enum ApplyEscalation: String, Sendable, Hashable, CaseIterable {
        case log = "LOG_ERROR", suspend = "SUSPEND_TABLE", stop = "STOP_TASK"
    }

    package var dataError = RecordPolicy.stop
    package var dataTruncation = RecordPolicy.stop
    package var dataEscalation = TablePolicy.suspend
    /// Errors of one table after which it escalates; 0: never.
    package var dataEscalationCount = 0
    package var table = TablePolicy.stop
    /// Suspended tables at which the task stops; 0: never.
    package var tableEscalationCount = 0
    package var delete = RecordPolicy.stop
    package var insert = InsertPolicy.stop
    package var update = UpdatePolicy.stop
    package var applyEscalation = ApplyEscalation.log
    package var applyEscalationCount = 0
    /// A TRUNCATE in the log stops the task.
    package var failOnTruncation = false
    package init() {}

    /// Some policy goes on over a row: statements are then undone one by one to find it.
    package var goesOn: Bool {
        delete != .stop || insert != .stop || update != .stop || dataError != .stop || dataTruncation != .stop || table != .stop
    }
}

/// What was wrong with one change.
package enum RowFault: String, Sendable, Hashable, CaseIterable {
    /// The row to delete is not there.
    case missingDelete = "delete"
    /// The row to change is not there.
    case missingUpdate = "update"
    /// A row stands where one is to be inserted.
    case duplicate = "insert"
    /// The target would have to change the value.
    case truncation = "truncation"
    /// The target refuses the value.
    case data = "data"
    /// The table itself: it is not there, or has other columns.
    case table = "table"

    /// What a server's error on a statement with one row means; nil: nothing that a policy is for.
    /// Source: MySQL manual, "Server Error Message Reference"; 4025 is MariaDB's of a CHECK.
    package init?(serverCode: UInt16) {
        switch serverCode {
        case 1062, 1586: self = .duplicate
        case 1264, 1265, 1406: self = .truncation
        case 1048, 1292, 1366, 1411, 1416, 1451, 1452, 3140, 3819, 4025: self = .data
        case 1049, 1054, 1136, 1146, 1364: self = .table
        default: return nil
        }
    }
}

extension ErrorBehavior {
    package enum Outcome: Sendable, Hashable {
        /// Passed over and recorded; `isLogged`: also said as an error.
        case skip(isLogged: Bool)
        /// Written whatever stands there.
        case force
        case suspend
        case stop
    }

    /// - Parameter count: such errors of the table so far, this one among them.
    package func outcome(of fault: RowFault, count: Int) -> Outcome {
        let own: Outcome =
            switch fault {
            case .missingDelete: Self.outcome(delete)
            case .missingUpdate: update == .insert ? .force : Self.outcome(RecordPolicy(rawValue: update.rawValue) ?? .stop)
            case .duplicate: insert == .update ? .force : Self.outcome(RecordPolicy(rawValue: insert.rawValue) ?? .stop)
            case .truncation: Self.outcome(dataTruncation)
            case .data: Self.outcome(dataError)
            case .table: table == .suspend ? .suspend : .stop
            }
        guard case .skip = own else { return own }
        switch fault {
        case .missingDelete, .missingUpdate, .duplicate:
            guard applyEscalationCount > 0, count >= applyEscalationCount else { return own }
            return switch applyEscalation {
            case .log: .skip(isLogged: true)
            case .suspend: .suspend
            case .stop: .stop
            }
        case .truncation, .data:
            guard dataEscalationCount > 0, count >= dataEscalationCount else { return own }
            return dataEscalation == .suspend ? .suspend : .stop
        case .table: return own
        }
    }

    private static func outcome(_ policy: RecordPolicy) -> Outcome {
        switch policy {
        case .ignore: .skip(isLogged: false)
        case .log: .skip(isLogged: true)
        case .suspend: .suspend
        case .stop: .stop
        }
    }

    /// May one more table be suspended, with so many suspended already?
    package func maySuspend(beside suspended: Int) -> Bool {
        tableEscalationCount == 0 || suspended + 1 < tableEscalationCount
    }
}

/// DMS's HandleSourceTable settings: is such a statement of the source's log run on the target? They hold from the consistency
/// point on; before it a table is read again as it is, whatever was done to it.
package struct DDLHandling: Sendable, Hashable {
    package var drops = true
    package var truncates = true
    package var alters = true
    package init() {}
}

/// How broken connections are tried again.
package struct RecoverySettings: Sendable, Hashable {
    /// Tries; -1: no bound. 0: a lost connection ends the run.
    package var count = -1
    /// Seconds before the first try.
    package var interval = 5
    /// The pause doubles up to `intervalMax` seconds.
    package var doubles = true
    package var intervalMax = 1800
    /// Ends once the pause has reached its greatest.
    package var stopsAtMax = true
    package init() {}

    /// Seconds before try number `attempt` (from 1), nil: given up.
    package func pause(before attempt: Int) -> Int? {
        guard count < 0 || attempt <= count else { return nil }
        guard doubles else { return interval }
        var pause = max(1, interval)
        for _ in 1..<max(1, attempt) {
            if pause >= intervalMax { return stopsAtMax ? nil : intervalMax }
            pause *= 2
        }
        return min(pause, intervalMax)
    }
}

/// DMS's control tables on the target.
package struct ControlTableSettings: Sendable, Hashable {
    /// Empty: DMS's own name.
    package var schema = ""
    package var slotMinutes = 5
    package var history = false
    package var suspended = false
    package var status = false
    package init() {}

    package static let defaultSchema = "awsdms_control"
    package var name: String { schema.isEmpty ? Self.defaultSchema : schema }
}
