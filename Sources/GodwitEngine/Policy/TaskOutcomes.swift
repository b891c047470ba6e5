import MySQLTypes
import MySQLWire

/// What the target remembers of a task beside its data: changes passed over, tables suspended, statements not carried out.
package struct TaskOutcomes: Sendable {
    package var exceptions: [TableName: UInt64] = [:]
    package var suspended: [TableName: String] = [:]
    package var notApplied: [TableName: [String]] = [:]
    package init() {}

    package static func read(_ state: TargetState, on target: MySQLConnection) async throws -> TaskOutcomes {
        var outcomes = TaskOutcomes()
        outcomes.exceptions = try await state.openExceptions(on: target)
        for table in try await state.suspended(on: target) { outcomes.suspended[table.table] = "\(table.reason) (since \(table.position))" }
        outcomes.notApplied = try await state.notApplied(on: target)
        return outcomes
    }

    package func problems(of table: TableName) -> [String] {
        (suspended[table].map { ["suspended, its changes are not applied any more: \($0)"] } ?? []) + (notApplied[table] ?? [])
    }
}
