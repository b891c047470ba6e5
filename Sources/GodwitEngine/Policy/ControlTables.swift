import Foundation
import MySQLTypes
import MySQLWire

/// DMS's control tables, in its shapes. For tools that read them: Godwit itself reads only its own schema, and rows here may be
/// deleted at any time. Source of names and columns: DMS user guide, "Control table task settings" and "Validation task settings".
package struct ControlTables: Sendable {
    package let settings: ControlTableSettings
    package let task: String
    /// The machine that runs the task.
    package let server: String

    package init(settings: ControlTableSettings, task: String, server: String = ControlTables.hostName) {
        self.settings = settings
        self.task = task
        self.server = server
    }

    package static let hostName: String = {
        let name = (try? String(contentsOfFile: "/etc/hostname", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        return name.flatMap { $0.isEmpty ? nil : $0 } ?? "localhost.localdomain"
    }()

    private func name(_ table: String) -> String { "\(SQL.identifier(settings.name)).`\(table)`" }
    private func text(_ value: String, _ limit: Int) -> String { SQL.string(String(value.prefix(limit))) }
    private var owner: String { "\(text(server, 128)), \(text(task, 128))" }

    package var createStatements: [String] {
        var statements = [
            "CREATE DATABASE IF NOT EXISTS \(SQL.identifier(settings.name)) DEFAULT CHARACTER SET utf8mb4",
            """
            CREATE TABLE IF NOT EXISTS \(name("awsdms_apply_exceptions")) (
              `TASK_NAME` VARCHAR(128) NOT NULL, `TABLE_OWNER` VARCHAR(128) NOT NULL, `TABLE_NAME` VARCHAR(128) NOT NULL,
              `ERROR_TIME` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, `STATEMENT` LONGTEXT NOT NULL, `ERROR` LONGTEXT NOT NULL
            ) DEFAULT CHARACTER SET utf8mb4
            """,
            """
            CREATE TABLE IF NOT EXISTS \(name("awsdms_validation_failures_v1")) (
              `TASK_NAME` VARCHAR(128) NOT NULL, `TABLE_OWNER` VARCHAR(128) NOT NULL, `TABLE_NAME` VARCHAR(128) NOT NULL,
              `FAILURE_TIME` DATETIME(3) NOT NULL, `KEY_TYPE` VARCHAR(128) NOT NULL, `KEY` TEXT NOT NULL,
              `FAILURE_TYPE` VARCHAR(128) NOT NULL, `DETAILS` VARCHAR(8000) NOT NULL
            ) DEFAULT CHARACTER SET utf8mb4
            """,
        ]
        if settings.status {
            statements.append(
                """
                CREATE TABLE IF NOT EXISTS \(name("awsdms_status")) (
                  `server_name` VARCHAR(128) NOT NULL, `task_name` VARCHAR(128) NOT NULL, `task_status` VARCHAR(32) NULL,
                  `status_time` TIMESTAMP NULL, `pending_changes` BIGINT NULL, `disk_swap_size` BIGINT NULL, `task_memory` BIGINT NULL,
                  `source_current_position` VARCHAR(128) NULL, `source_current_timestamp` TIMESTAMP NULL,
                  `source_tail_position` VARCHAR(128) NULL, `source_tail_timestamp` TIMESTAMP NULL, `source_timestamp_applied` TIMESTAMP NULL,
                  UNIQUE KEY (`server_name`, `task_name`)
                ) DEFAULT CHARACTER SET utf8mb4
                """)
        }
        if settings.suspended {
            statements.append(
                """
                CREATE TABLE IF NOT EXISTS \(name("awsdms_suspended_tables")) (
                  `server_name` VARCHAR(128) NOT NULL, `task_name` VARCHAR(128) NOT NULL, `table_owner` VARCHAR(128) NOT NULL,
                  `table_name` VARCHAR(128) NOT NULL, `suspend_reason` VARCHAR(32) NULL, `suspend_timestamp` TIMESTAMP NULL
                ) DEFAULT CHARACTER SET utf8mb4
                """)
        }
        if settings.history {
            statements.append(
                """
                CREATE TABLE IF NOT EXISTS \(name("awsdms_history")) (
                  `server_name` VARCHAR(128) NOT NULL, `task_name` VARCHAR(128) NOT NULL, `timeslot_type` VARCHAR(32) NOT NULL,
                  `timeslot` TIMESTAMP NOT NULL, `timeslot_duration` BIGINT NULL, `timeslot_latency` BIGINT NULL,
                  `timeslot_records` BIGINT NULL, `timeslot_volume` BIGINT NULL,
                  UNIQUE KEY (`server_name`, `task_name`, `timeslot_type`, `timeslot`)
                ) DEFAULT CHARACTER SET utf8mb4
                """)
        }
        return statements
    }

    package func install(on target: MySQLConnection) async throws {
        let schema = SQL.string(settings.name)
        let found = try await target.query("SELECT table_name FROM information_schema.tables WHERE table_schema = \(schema)").rows
        let names = Set(found.map { $0.string(0)?.lowercased() ?? "" })
        // An account may be given the tables and not CREATE.
        for (index, statement) in createStatements.enumerated() {
            let isThere = index == 0 ? !names.isEmpty : names.contains { statement.contains("`\($0)`") }
            if !isThere { try await target.query(statement) }
        }
    }

    /// In the transaction that passes the changes over.
    package func store(_ exceptions: [ApplyException], on target: MySQLConnection) async throws {
        for exception in exceptions {
            try await target.query(
                """
                INSERT INTO \(name("awsdms_apply_exceptions")) (TASK_NAME, TABLE_OWNER, TABLE_NAME, STATEMENT, ERROR)
                VALUES (\(text(task, 128)), \(text(exception.table.schema, 128)), \(text(exception.table.table, 128)),
                  \(SQL.string(exception.statement)), \(SQL.string(exception.error)))
                """)
        }
    }

    // MARK: What the keeper writes

    package enum TaskStatus: String, Sendable { case load = "FULL LOAD", changes = "CHANGE PROCESSING", notRunning = "NOT RUNNING" }

    package static func status(_ state: MigrationStatus.State) -> TaskStatus {
        switch state {
        case .starting, .loading: .load
        case .replaying, .indexing, .following, .paused, .cuttingOver: .changes
        case .cutOver, .failed, .stopped: .notRunning
        }
    }

    /// - Parameter commit: of the last applied transaction on the source, microseconds since 1970; 0: none yet.
    package func statusStatement(_ status: MigrationStatus, commit: UInt64, memory: UInt64) -> String {
        let stamp = commit == 0 ? "NULL" : "FROM_UNIXTIME(\(commit / 1_000_000))"
        let position = text(status.position, 128)
        let values =
            "\(owner), \(SQL.string(Self.status(status.state).rawValue)), FROM_UNIXTIME(\(Int(status.at))), \(status.incomingChanges), 0, \(memory), "
            + "\(position), \(stamp), \(position), \(stamp), \(stamp)"
        return """
            REPLACE INTO \(name("awsdms_status")) (server_name, task_name, task_status, status_time, pending_changes, disk_swap_size,
              task_memory, source_current_position, source_current_timestamp, source_tail_position, source_tail_timestamp,
              source_timestamp_applied) VALUES (\(values))
            """
    }

    package func suspendedStatements(_ tables: [SuspendedTable], now: Double) -> [String] {
        let mine = "server_name = \(text(server, 128)) AND task_name = \(text(task, 128))"
        let named = tables.map { "(\(text($0.table.schema, 128)), \(text($0.table.table, 128)))" }.joined(separator: ", ")
        let rest = tables.isEmpty ? "" : " AND (table_owner, table_name) NOT IN (\(named))"
        return ["DELETE FROM \(name("awsdms_suspended_tables")) WHERE \(mine)\(rest)"]
            + tables.map { table in
                """
                INSERT INTO \(name("awsdms_suspended_tables")) (server_name, task_name, table_owner, table_name, suspend_reason, suspend_timestamp)
                SELECT \(owner), \(text(table.table.schema, 128)), \(text(table.table.table, 128)), \(text(table.reason, 32)), FROM_UNIXTIME(\(Int(now)))
                FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM \(name("awsdms_suspended_tables")) WHERE \(mine)
                  AND table_owner = \(text(table.table.schema, 128)) AND table_name = \(text(table.table.table, 128)))
                """
            }
    }

    /// What one slot of time had.
    package struct Slot: Sendable, Hashable {
        package var type: TaskStatus
        /// Its end, seconds since 1970.
        package var end: Int
        package var latency: Int
        package var records: UInt64
        package var megabytes: UInt64
        package init(type: TaskStatus, end: Int, latency: Int, records: UInt64, megabytes: UInt64) {
            self.type = type
            self.end = end
            self.latency = latency
            self.records = records
            self.megabytes = megabytes
        }
    }

    package func historyStatement(_ slot: Slot) -> String {
        """
        REPLACE INTO \(name("awsdms_history")) (server_name, task_name, timeslot_type, timeslot, timeslot_duration, timeslot_latency,
          timeslot_records, timeslot_volume)
        VALUES (\(owner), \(SQL.string(slot.type.rawValue)), FROM_UNIXTIME(\(slot.end)), \(settings.slotMinutes), \(slot.latency),
          \(slot.records), \(slot.megabytes))
        """
    }

    /// A row that differs; written once.
    package func failureStatement(_ table: TableName, _ row: RowDetail, now: Double) -> String {
        let kind =
            switch row.kind {
            case .different: "RECORD_DIFF"
            case .missing: "MISSING_TARGET"
            case .extra: "MISSING_SOURCE"
            }
        let mine =
            "TASK_NAME = \(text(task, 128)) AND TABLE_OWNER = \(text(table.schema, 128)) AND TABLE_NAME = \(text(table.table, 128)) "
            + "AND `KEY` = \(SQL.string(Self.key(row.key))) AND FAILURE_TYPE = '\(kind)'"
        return """
            INSERT INTO \(name("awsdms_validation_failures_v1")) (TASK_NAME, TABLE_OWNER, TABLE_NAME, FAILURE_TIME, KEY_TYPE, `KEY`, FAILURE_TYPE, DETAILS)
            SELECT \(text(task, 128)), \(text(table.schema, 128)), \(text(table.table, 128)), FROM_UNIXTIME(\(now)), 'Row',
              \(SQL.string(Self.key(row.key))), '\(kind)', \(SQL.string(Self.details(row)))
            FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM \(name("awsdms_validation_failures_v1")) WHERE \(mine))
            """
    }

    /// `{"key": ["1"]}`.
    static func key(_ key: RowKey) -> String {
        let values = key.literals.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
        return "{\"key\": [\(values.joined(separator: ", "))]}"
    }

    /// `[[{'COL': 'a'}, {'COL': 'b'}],]`: source and target of each column that differs. At most 8,000 characters.
    static func details(_ row: RowDetail) -> String {
        func shown(_ value: String?) -> String { value.map { "'\($0.prefix(1000))'" } ?? "NULL" }
        let columns = row.columns.map { "[{'\($0.name)': \(shown($0.source))}, {'\($0.name)': \(shown($0.target))}]," }
        return String("[\(columns.joined(separator: " "))]".prefix(8000))
    }
}
