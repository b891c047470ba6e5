extension RowFilter {
    /// A boolean SQL expression: 1 for a row that this filter takes, 0 for every other, NULL never.
    ///
    /// `operand` gives what stands for the column: its quoted name (the load's WHERE), or a literal of a row image's value
    /// (replay). Such a literal must be of the column's own type: text in the column's character set with every
    /// pad byte of BINARY(n), ENUM and SET by name, BIT as an unsigned integer, FLOAT and DOUBLE as text that reads back
    /// as the same value, dates with four, two and two digits, TIMESTAMP in UTC. Sessions run in UTC and without NO_ZERO_DATE.
    ///
    /// Text compares under the column's collation on both ways, and a FLOAT as FLOAT. Throws where the column is missing, has a type that
    /// filters can't have (BLOB, TEXT, JSON, spatial …), or the value is none of that type.
    package func sql(
        columns: [ColumnDefinition], operand: (ColumnDefinition) -> String
    ) throws(EngineError) -> String {
        let column = try find(in: columns)
        let kind = try FilterValueKind(column)
        let subject = kind.subject(operand(column))
        var parts: [String] = []
        for condition in conditions {
            var values: [String] = []
            for value in condition.values { values.append(try kind.literal(value, of: column)) }
            parts.append(try Self.comparison(condition.operator, subject, values, column))
        }
        return "((" + parts.joined(separator: " OR ") + ") IS TRUE)"
    }

    private static func comparison(
        _ operator: Operator, _ subject: String, _ values: [String], _ column: ColumnDefinition
    ) throws(EngineError) -> String {
        switch (`operator`, values.count) {
        case (.lte, 1), (.ste, 1): return "\(subject) <= \(values[0])"
        case (.gte, 1): return "\(subject) >= \(values[0])"
        case (.eq, 1): return "\(subject) = \(values[0])"
        case (.noteq, 1): return "\(subject) <> \(values[0])"
        case (.between, 2): return "\(subject) BETWEEN \(values[0]) AND \(values[1])"
        case (.notbetween, 2): return "\(subject) NOT BETWEEN \(values[0]) AND \(values[1])"
        case (.null, 0): return "\(subject) IS NULL"
        case (.notnull, 0): return "\(subject) IS NOT NULL"
        default:
            throw EngineError(
                .plan, "The filter on \(column.name) has \(values.count) values for \(`operator`.rawValue).")
        }
    }

    /// Column names are not case-sensitive in MySQL.
    private func find(in columns: [ColumnDefinition]) throws(EngineError) -> ColumnDefinition {
        if let exact = columns.first(where: { $0.name == column }) { return exact }
        let folded = column.lowercased()
        if let found = columns.first(where: { $0.name.lowercased() == folded }) { return found }
        let nearest = Suggestion.nearest(to: column, in: columns.map(\.name)).map { "Did you mean \($0)?" }
        throw EngineError(
            .plan, "A filter names the column \(column), which the table does not have.",
            cure: nearest ?? "Columns: \(columns.map(\.name).joined(separator: ", ")).")
    }
}

extension [RowFilter] {
    /// All filters, joined by AND; nil where there is none: every row.
    package func sql(
        columns: [ColumnDefinition], operand: (ColumnDefinition) -> String
    ) throws(EngineError) -> String? {
        guard !isEmpty else { return nil }
        var parts: [String] = []
        for filter in self { parts.append(try filter.sql(columns: columns, operand: operand)) }
        return "(" + parts.joined(separator: " AND ") + ")"
    }
}
