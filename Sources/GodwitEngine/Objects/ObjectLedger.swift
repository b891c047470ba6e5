import MySQLWire

/// What Godwit has made on the target beside tables, in `godwit.objects`: what an undone cutover takes away again, what a changed
/// source takes away, which events are switched on behind the point of no return (the source may be gone by then).
package struct ObjectLedger: Sendable {
    package struct Row: Hashable, Sendable {
        /// As the source had it when the object was made.
        package var object: ObjectDefinition
        /// False: making it was begun, and may have happened.
        package var isMade: Bool
        /// Between the families: as the target printed it right after it was made from `object`'s translation.
        package var printed: ObjectDefinition?
        package init(_ object: ObjectDefinition, isMade: Bool, printed: ObjectDefinition? = nil) {
            self.object = object
            self.isMade = isMade
            self.printed = printed
        }
    }

    private let key: String
    private let triggerLock: String
    package init(task: String) {
        key = SQL.string(task)
        triggerLock = RunnerLock(task: task).name("triggers")
    }

    static let createStatement = """
        CREATE TABLE IF NOT EXISTS `godwit`.`objects` (
          `task` VARCHAR(191) NOT NULL,
          `kind` VARCHAR(16) NOT NULL,
          `object_schema` VARCHAR(64) NOT NULL,
          `object_name` VARCHAR(64) NOT NULL,
          `definition` LONGTEXT NOT NULL,
          `is_made` TINYINT NOT NULL DEFAULT 0,
          `printed` LONGTEXT NULL,
          PRIMARY KEY (`task`, `kind`, `object_schema`, `object_name`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """

    /// Tasks of earlier versions have no such table, or one without its last column.
    package func install(on target: MySQLConnection) async throws {
        let columns = try await target.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'godwit' AND table_name = 'objects'"
        ).rows.compactMap { $0.string(0) }
        if columns.isEmpty {
            try await target.query(Self.createStatement)
        } else if !columns.contains("printed") {
            try await target.query("ALTER TABLE `godwit`.`objects` ADD COLUMN `printed` LONGTEXT NULL")
        }
    }

    package func rows(_ kind: ObjectDefinition.Kind? = nil, on target: MySQLConnection) async throws -> [Row] {
        let only = kind.map { " AND kind = \(SQL.string($0.rawValue))" } ?? " AND kind <> '\(Self.schemaKind)'"
        let result = try await target.query("SELECT definition, is_made, printed FROM `godwit`.`objects` WHERE task = \(key)\(only)")
        return try result.rows.map { row in
            Row(
                try TargetState.decode(ObjectDefinition.self, row.string(0) ?? ""), isMade: row.int(1) == 1,
                printed: try row.string(2).map { try TargetState.decode(ObjectDefinition.self, $0) })
        }
    }

    package func write(_ row: Row, on target: MySQLConnection) async throws { try await write([row], on: target) }

    /// A hundred rows to a statement: definitions may be long.
    package func write(_ rows: [Row], on target: MySQLConnection) async throws {
        for start in stride(from: 0, to: rows.count, by: 100) {
            let values = rows[start..<min(start + 100, rows.count)].map { row in
                let id = row.object.id
                return "(\(key), \(SQL.string(id.kind.rawValue)), \(SQL.string(id.name.schema)), \(SQL.string(id.name.table)), "
                    + "\(SQL.string(TargetState.json(row.object))), \(row.isMade ? 1 : 0), "
                    + (row.printed.map { SQL.string(TargetState.json($0)) } ?? "NULL") + ")"
            }
            try await target.query(
                "REPLACE INTO `godwit`.`objects` (task, kind, object_schema, object_name, definition, is_made, printed) VALUES "
                    + values.joined(separator: ", "))
        }
    }

    package func remove(_ id: ObjectDefinition.ID, on target: MySQLConnection) async throws {
        try await target.query(
            """
            DELETE FROM `godwit`.`objects` WHERE task = \(key) AND kind = \(SQL.string(id.kind.rawValue))
              AND object_schema = \(SQL.string(id.name.schema)) AND object_name = \(SQL.string(id.name.table))
            """)
    }

    // MARK: Defaults of schemas

    private static let schemaKind = "schema"

    /// Remembers a schema's own default collation while it is another one for the sake of an object. What is remembered already stays:
    /// it is from before a crash.
    func rememberDefault(_ collation: String, of schema: String, on target: MySQLConnection) async throws {
        try await target.query(
            """
            INSERT IGNORE INTO `godwit`.`objects` (task, kind, object_schema, object_name, definition)
            VALUES (\(key), '\(Self.schemaKind)', \(SQL.string(schema)), '', \(SQL.string(collation)))
            """)
    }

    /// Gives schemas their own defaults back.
    func restoreDefaults(on target: MySQLConnection) async throws {
        let result = try await target.query(
            "SELECT object_schema, definition FROM `godwit`.`objects` WHERE task = \(key) AND kind = '\(Self.schemaKind)'")
        for row in result.rows {
            guard let schema = row.string(0), let collation = row.string(1) else { continue }
            try await target.query("ALTER DATABASE \(SQL.identifier(schema)) COLLATE \(collation)")
            try await target.query(
                "DELETE FROM `godwit`.`objects` WHERE task = \(key) AND kind = '\(Self.schemaKind)' AND object_schema = \(SQL.string(schema))")
        }
    }

    /// Takes every trigger away that Godwit made: with one of them standing, the applier would do twice what the log already holds.
    package func dropTriggers(on target: MySQLConnection) async throws {
        try await install(on: target)
        let rows = try await rows(.trigger, on: target)
        guard !rows.isEmpty else { return }
        try await endTriggerMaker(on: target)
        for row in rows {
            try await target.query(ObjectStatements.drop(row.object.id))
            try await remove(row.object.id, on: target)
        }
        try await target.query("SELECT RELEASE_LOCK('\(triggerLock)')")
    }

    /// Held by the session that makes triggers, so that it can be found and ended: a CREATE TRIGGER that waits for a table outlives
    /// its client, and would be carried out after everything was dropped.
    func holdTriggerLock(_ maker: MySQLConnection) async throws {
        guard try await maker.query("SELECT GET_LOCK('\(triggerLock)', 30)").rows.first?.int(0) == 1 else {
            throw EngineError(.resumable, "Another session makes triggers on the target.")
        }
    }

    private func endTriggerMaker(on target: MySQLConnection) async throws {
        let holder = try await target.query("SELECT NULLIF(IS_USED_LOCK('\(triggerLock)'), CONNECTION_ID())").rows.first?.int(0)
        if let holder {
            do {
                try await target.query("KILL \(holder)")
            } catch {
                // 1094: it has ended by itself.
                if error.serverCode != 1094 { throw error }
            }
        }
        guard try await target.query("SELECT GET_LOCK('\(triggerLock)', 60)").rows.first?.int(0) == 1 else {
            throw EngineError(.resumable, "The session that makes triggers on the target does not end.")
        }
    }
}

extension ObjectLedger.Row {
    /// Between the families: was it made from this very definition, and does the target print it as it did then?
    package func standsFor(_ source: ObjectDefinition, as target: ObjectDefinition?) -> Bool {
        guard isMade, let printed, let target else { return false }
        return ObjectComparison.isSame(object, source) && ObjectComparison.isSame(printed, target)
    }
}
