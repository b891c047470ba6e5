/// DMS table mappings: which tables, under which name, which rows.
package struct TableMappings: Sendable {
    package init() {}
    /// What the rules say of a source table. nil: not included.
    package func decision(for table: TableName) -> TableDecision? { nil }
    /// Could any table of this schema be included? Lets the catalog skip schemas.
    package func mayInclude(schema: String) -> Bool { true }
}

package struct TableDecision: Sendable, Hashable {
    package var target: TableName
    /// Rows to take; empty: all. AND between filters, OR between the conditions of one.
    package var filters: [RowFilter]
    /// Higher first.
    package var loadOrder: Int
    package init(target: TableName, filters: [RowFilter] = [], loadOrder: Int = 0) {
        self.target = target
        self.filters = filters
        self.loadOrder = loadOrder
    }
}

package struct RowFilter: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case lte, ste, gte, eq, noteq, between, notbetween, null, notnull
    }
    package struct Condition: Sendable, Hashable {
        package var `operator`: Operator
        /// value, or start-value and end-value.
        package var values: [String]
        package init(operator: Operator, values: [String]) {
            self.operator = `operator`
            self.values = values
        }
    }
    package var column: String
    package var conditions: [Condition]
    package init(column: String, conditions: [Condition]) {
        self.column = column
        self.conditions = conditions
    }
}
