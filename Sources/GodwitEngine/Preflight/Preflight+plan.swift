import Foundation
import MySQLWire

extension Preflight {
    /// The whole check of a plan: opens both servers, reads them, judges. Writes nothing.
    package static func check(plan: Plan) async throws -> [Finding] {
        try await Sessions(plan: plan).withBoth { source, target in
            var plan = plan
            let folding = try await source.query("SELECT @@lower_case_table_names").rows.first?.int(0)
            plan.mappings.foldsCase = folding != 0
            return try await check(source: source, target: target, plan: plan, prepared: preparedTables(plan, target))
        }
    }

    /// Tables on the target that an earlier run of the task has prepared: their rows are Godwit's own.
    package static func preparedTables(_ plan: Plan, _ target: any SQLSession) async throws -> Set<TableName> {
        let state = TargetState(task: plan.task)
        guard try await state.readTask(on: target) != nil else { return [] }
        let decoder = JSONDecoder()
        return Set(
            try await state.tables(on: target).filter(\.isPrepared).map {
                try decoder.decode(PreparedTable.self, from: Data($0.prepared.utf8)).target
            })
    }
}
