import MySQLTypes

/// What the applier knows of a task's policies and of what has come of them so far.
package struct ApplyPolicy: Sendable {
    package var errors = ErrorBehavior()
    /// Errors of tables before this attempt.
    package var faults: [Int: Int] = [:]
    /// Tables suspended before this attempt.
    package var suspended = 0
    /// Where DMS's own tables are told; nil: nowhere.
    package var control: ControlTables?
    package init() {}

    init(_ context: RunContext) {
        errors = context.plan.settings.errors
        for (index, table) in context.tables.enumerated() where table.exceptions > 0 { faults[index] = table.exceptions }
        suspended = context.tables.count { $0.suspension != nil }
        if errors.goesOn { control = ControlTables(settings: context.plan.settings.control, task: context.plan.task) }
    }

    package func isLogged(_ fault: RowFault) -> Bool { errors.outcome(of: fault, count: 0) != .skip(isLogged: false) }
}
