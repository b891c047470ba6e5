import MySQLTypes
import MySQLWire

extension Applier {
    /// Lets through what the plan's filter takes, as the server that holds the data judges it: a row that an update moves into
    /// the filter is an insert, one that it moves out a delete.
    func admit(
        _ changes: [FilteredChange], table: Int, into batch: inout ApplyBatch, on target: MySQLConnection
    ) async throws {
        let rows = changes.flatMap { [$0.before, $0.after].compactMap { $0 } }
        let judged = FilterEvaluator.columns(of: filters[table] ?? [], in: shapes[table])
        guard rows.allSatisfy({ row in judged.allSatisfy { row.has($0) } }) else { throw partial(table) }
        var verdicts = try await FilterEvaluator(shape: shapes[table], filters: filters[table] ?? [])
            .evaluate(rows, on: target)[...]
        for change in changes {
            let before = change.before.flatMap { row in verdicts.popFirst() == true ? row : nil }
            let after = change.after.flatMap { row in verdicts.popFirst() == true ? row : nil }
            if before == nil, after == nil {
                // Before the consistency point a chunk may have read the row while it was inside.
                if !isStrict(table), !shapes[table].isKeyless, let gone = change.after ?? change.before {
                    try batch.merge(table: table, before: gone, after: nil)
                }
                continue
            }
            if before == nil, let after, !after.isComplete { throw partial(table) }
            try batch.merge(table: table, before: before, after: after)
        }
    }

    private func partial(_ table: Int) -> EngineError {
        EngineError(
            .resumable, "A change of \(shapes[table].source.name) does not say whether its row is among those that the plan's filter takes, or what the rest of it is.",
            why: "Some session writes with binlog_row_image other than FULL.",
            cure: "SET PERSIST binlog_row_image = FULL, let every application connect anew, and start a new migration.")
    }
}
