/// Reads a selection rule's `filters`.
struct FilterParser {
    let reader: DocumentReader
    let label: String

    func filters(_ node: DocumentNode) throws(EngineError) -> [RowFilter] {
        var result: [RowFilter] = []
        for item in try reader.list(node, "\(label): filters") { result.append(try filter(item)) }
        return result
    }

    private func filter(_ node: DocumentNode) throws(EngineError) -> RowFilter {
        let map = try reader.map(
            node, "\(label): a filter", known: ["filter-type", "column-name", "filter-conditions"])
        if let type = map["filter-type"] {
            let written = try reader.text(type, "\(label): filter-type")
            guard written == "source" else {
                throw reader.error(type.mark, "\(label): filter-type can't be \(written).", cure: "Write source.")
            }
        }
        guard let columnNode = map["column-name"] else { throw reader.error(node.mark, "\(label): a filter has no column-name.") }
        guard let list = map["filter-conditions"] else {
            throw reader.error(node.mark, "\(label): a filter has no filter-conditions.")
        }
        let column = try reader.text(columnNode, "\(label): column-name")
        var conditions: [RowFilter.Condition] = []
        for item in try reader.list(list, "\(label): filter-conditions") { conditions.append(try condition(item)) }
        guard !conditions.isEmpty else {
            throw reader.error(list.mark, "\(label): the filter on \(column) has no condition, which would take no row.")
        }
        let negative = conditions.first { [.noteq, .notbetween, .notnull].contains($0.operator) }
        if let negative, conditions.count > 1 {
            throw reader.error(
                list.mark, "\(label): \(negative.operator.rawValue) must be the only condition of its filter.",
                cure: "Conditions of one filter are joined by OR; give it a filter of its own, joined by AND.")
        }
        return RowFilter(column: column, conditions: conditions)
    }

    private func condition(_ node: DocumentNode) throws(EngineError) -> RowFilter.Condition {
        let map = try reader.map(
            node, "\(label): a condition", known: ["filter-operator", "value", "start-value", "end-value"])
        guard let operatorNode = map["filter-operator"] else {
            throw reader.error(node.mark, "\(label): a condition has no filter-operator.")
        }
        let `operator`: RowFilter.Operator = try reader.choice(operatorNode, "\(label): filter-operator")
        let wanted: [String] =
            switch `operator` {
            case .between, .notbetween: ["start-value", "end-value"]
            case .null, .notnull: []
            case .lte, .ste, .gte, .eq, .noteq: ["value"]
            }
        var values: [String] = []
        for member in wanted {
            guard let value = map[member], !value.isNull else {
                throw reader.error(node.mark, "\(label): the condition \(`operator`.rawValue) has no \(member).")
            }
            values.append(try reader.text(value, "\(label): \(member)", emptyAllowed: true))
        }
        for member in ["value", "start-value", "end-value"] where !wanted.contains(member) {
            // Consoles write an empty value where there is none to give.
            guard let value = map[member], !value.isNull else { continue }
            guard try reader.text(value, "\(label): \(member)", emptyAllowed: true).isEmpty else {
                throw reader.error(value.mark, "\(label): the condition \(`operator`.rawValue) takes no \(member).")
            }
        }
        return .init(operator: `operator`, values: values)
    }
}
