import MySQLTypes
import MySQLWire

/// A statement that changes definitions on the target, written down before it runs: it cannot be part of a transaction.
package struct DefinitionIntent: Sendable, Hashable {
    /// Of the source's transaction that it is.
    package var mark: String
    /// The tables on the target before it, see `DefinitionReplay`.
    package var fingerprint: String
}

/// What a task remembers of tables that come, change and go while it runs.
extension TargetState {
    /// Tables of the plan that are not there: their changes up to the position lead to nothing.
    package func gone(on target: MySQLConnection) async throws -> [TableName: ReplicationPosition] {
        let result = try await target.query(
            "SELECT source_schema, source_table, position FROM `godwit`.`gone` WHERE task = \(SQL.string(task))")
        var gone: [TableName: ReplicationPosition] = [:]
        for row in result.rows {
            gone[TableName(schema: row.string(0) ?? "", table: row.string(1) ?? "")] =
                try Self.decode(ReplicationPosition.self, row.string(2) ?? "")
        }
        return gone
    }

    package func storeGone(_ table: TableName, _ position: ReplicationPosition, on target: MySQLConnection) async throws {
        try await target.query(
            """
            REPLACE INTO `godwit`.`gone` (task, source_schema, source_table, position)
            VALUES (\(SQL.string(task)), \(SQL.string(table.schema)), \(SQL.string(table.table)), \(SQL.string(Self.json(position))))
            """)
    }

    package func forgetGone(_ table: TableName, on target: MySQLConnection) async throws {
        try await target.query(
            """
            DELETE FROM `godwit`.`gone` WHERE task = \(SQL.string(task)) AND source_schema = \(SQL.string(table.schema))
              AND source_table = \(SQL.string(table.table))
            """)
    }

    /// Tables are numbered without gaps: the last one takes the number that becomes free.
    package func removeTable(id: Int, last: Int, on target: MySQLConnection) async throws {
        let task = SQL.string(task)
        try await target.query("DELETE FROM `godwit`.`chunks` WHERE task = \(task) AND table_id = \(id)")
        try await target.query("DELETE FROM `godwit`.`tables` WHERE task = \(task) AND id = \(id)")
        guard last != id else { return }
        try await target.query("UPDATE `godwit`.`chunks` SET table_id = \(id) WHERE task = \(task) AND table_id = \(last)")
        try await target.query("UPDATE `godwit`.`tables` SET id = \(id) WHERE task = \(task) AND id = \(last)")
    }

    /// The table is to be prepared and loaded (again): what was done for it is forgotten.
    package func restartTable(
        id: Int, source: TableName, prepared: String, from position: ReplicationPosition, on target: MySQLConnection
    ) async throws {
        let task = SQL.string(task)
        try await target.query("DELETE FROM `godwit`.`chunks` WHERE task = \(task) AND table_id = \(id)")
        try await target.query("DELETE FROM `godwit`.`tables` WHERE task = \(task) AND id = \(id)")
        try await addTable(id: id, source: source, prepared: prepared, on: target)
        try await storeLoadedAt(position, table: id, on: target)
    }

    /// What was loaded of the table counts for nothing.
    package func forgetChunks(table: Int, on target: MySQLConnection) async throws {
        try await target.query("DELETE FROM `godwit`.`chunks` WHERE task = \(SQL.string(task)) AND table_id = \(table)")
        try await target.query("UPDATE `godwit`.`tables` SET is_planned = 0 WHERE task = \(SQL.string(task)) AND id = \(table)")
    }

    /// The table as it stands is what the source has at the checkpoint.
    package func replaceTable(
        id: Int, source: TableName, prepared: String, on target: MySQLConnection
    ) async throws {
        try await target.query(
            """
            UPDATE `godwit`.`tables` SET source_schema = \(SQL.string(source.schema)), source_table = \(SQL.string(source.table)),
              prepared = \(SQL.string(prepared)) WHERE task = \(SQL.string(task)) AND id = \(id)
            """)
    }

    /// A table that was created by the log: nothing of it is to be loaded.
    package func addFollowedTable(
        id: Int, source: TableName, prepared: String, on target: MySQLConnection
    ) async throws {
        try await addTable(id: id, source: source, prepared: prepared, on: target)
        for column in ["is_prepared", "is_planned", "is_indexed"] { try await mark(table: id, column, on: target) }
        let whole = StoredChunk(table: id, number: 0, bounds: .all, isDone: false, rows: 0, bytes: 0)
        try await addChunk(whole, on: target)
        try await markDone(table: id, number: 0, rows: 0, bytes: 0, on: target)
    }

    package func markPrepared(on target: MySQLConnection) async throws {
        try await target.query("UPDATE `godwit`.`tables` SET is_prepared = 1 WHERE task = \(SQL.string(task))")
    }

    // MARK: Intent

    package func intent(on target: MySQLConnection) async throws -> DefinitionIntent? {
        let result = try await target.query(
            "SELECT mark, fingerprint FROM `godwit`.`intent` WHERE task = \(SQL.string(task)) FOR UPDATE")
        return result.rows.first.map { DefinitionIntent(mark: $0.string(0) ?? "", fingerprint: $0.string(1) ?? "") }
    }

    package func store(_ intent: DefinitionIntent, statement: String, on target: MySQLConnection) async throws {
        try await target.query(
            """
            INSERT INTO `godwit`.`intent` (task, mark, fingerprint, statement)
            VALUES (\(SQL.string(task)), \(SQL.string(intent.mark)), \(SQL.string(intent.fingerprint)), \(SQL.string(statement)))
            """)
    }

    package func clearIntent(on target: MySQLConnection) async throws {
        try await target.query("DELETE FROM `godwit`.`intent` WHERE task = \(SQL.string(task))")
    }
}
