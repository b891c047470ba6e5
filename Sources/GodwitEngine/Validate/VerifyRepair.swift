import MySQLTypes
import MySQLWire

/// `godwit verify --repair`: rewrites rows of two servers that no task joins. Nothing says at which position either side stands, so
/// this is for a source and a target that nobody writes to, or whose writers the operator knows; what Godwit can see, it refuses.
package struct VerifyRepair: Sendable {
    let plan: Plan
    let statementLimit = 1 << 20

    package init(plan: Plan) { self.plan = plan }

    /// Why nothing may be repaired here.
    package func refusal(_ tables: [TableName], on target: MySQLConnection) async throws -> EngineError? {
        let installed = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'fence'").rows
        if !installed.isEmpty {
            for row in try await target.query("SELECT task, phase FROM `godwit`.`fence`").rows {
                let task = row.string(0) ?? ""
                let own = Set(try await TargetState(task: task).tables(on: target).map(\.prepared).map {
                    try TargetState.decode(PreparedTable.self, $0).target
                })
                guard let table = tables.first(where: own.contains) else { continue }
                if row.string(1) == TaskPhase.cutOver.rawValue {
                    return EngineError(
                        .plan, "Nothing is repaired: task \(task) is cut over, and \(table) is the application's now.",
                        why: "The source has stood still since; its rows would overwrite newer ones.", cure: "Mend single rows by hand.")
                }
                return EngineError(
                    .plan, "Nothing is repaired: \(table) belongs to task \(task) on this target.",
                    why: "A row written past its checkpoint would be counted as a divergence by the changes that follow.",
                    cure: "`godwit migrate --repair` repairs in the task, at its checkpoint.")
            }
        }
        for table in tables {
            let triggers = try await target.query(
                "SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = \(SQL.string(table.schema)) AND event_object_table = \(SQL.string(table.table))")
            if let trigger = triggers.rows.first?.string(0) {
                return EngineError(
                    .plan, "Nothing is repaired: the trigger \(trigger) stands on \(table) on the target.",
                    why: "It would fire for the rows that are rewritten.", cure: "Drop it for as long as rows are repaired.")
            }
        }
        return nil
    }

    /// What this kind of repair cannot know, for people.
    package static let caution =
        "Repaired from the source as it was at that moment. Whether anybody else writes to the target cannot be seen from here."

    /// Rewrites the rows in transactions of at most a hundred; each locks its rows on the target before the source is read.
    func repair(
        _ sql: ChecksumSQL, _ filter: String?, _ keys: [RowKey], source: MySQLConnection, viewer: MySQLConnection
    ) async throws -> [RepairedRow] {
        let target = try await Sessions(plan: plan).target()
        let rows = RowRepair(
            sql: sql,
            transfer: TableTransfer(
                source: sql.source, target: sql.target.name, filter: filter, jsonIsText: target.server.isMariaDB),
            statementLimit: statementLimit)
        var repaired: [RepairedRow] = []
        do {
            var rest = keys[...]
            while !rest.isEmpty {
                let batch = Array(rest.prefix(RowRepair.batch))
                rest = rest.dropFirst(batch.count)
                try await target.query("BEGIN")
                let condition = KeyBounds.equality(columns: sql.keyColumns.map(\.name), keys: batch.map(\.literals))
                try await target.query("SELECT 1 FROM \(sql.target.name.sql) WHERE \(condition) FOR UPDATE")
                let was = try await rows.images(.target, batch, on: viewer)
                let now = try await rows.images(.source, batch, on: source)
                let inserts = try await rows.read(batch, on: source)
                try await rows.write(batch, inserts, on: target)
                try await target.query("COMMIT")
                for key in batch {
                    repaired.append(
                        RepairedRow(schema: sql.source.name.schema, table: sql.source.name.table, key: key, was: was[key], now: now[key]))
                }
            }
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        return repaired
    }
}
