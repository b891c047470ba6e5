import MySQLTypes

/// Which effects of a statement the task settings keep from the target (DMS's HandleSourceTable settings). Pure.
enum NotApplied {
    /// nil: all of it is carried out.
    static func decide(_ plan: DefinitionPlan, _ handling: DDLHandling) -> [DefinitionStatement.Effect]? {
        let left = plan.effects.filter { effect in
            switch effect {
            case .drop: !handling.drops
            case .truncate: !handling.truncates
            case .alter: !handling.alters
            // Without it the table's later rows would have no table, or another one's.
            case .create, .rename: false
            }
        }
        return left.isEmpty ? nil : left
    }
}

extension DefinitionStatement.Effect {
    /// The table that it is about.
    var subject: TableName {
        switch self {
        case .create(let table, _), .alter(let table), .truncate(let table), .drop(let table), .rename(let table, _): table
        }
    }
}
