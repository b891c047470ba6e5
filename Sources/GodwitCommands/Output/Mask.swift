import GodwitEngine

/// Hides values of columns in what is shown: `--mask`.
struct Mask: Sendable, Hashable {
    /// `*`, `column`, `table.column` or `schema.table.column`, in lower case.
    var names: Set<String>

    static let shown = "(masked)"

    init(_ names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

    var isEmpty: Bool { names.isEmpty }

    /// `*` hides all values but keys: without these no row could be found. A key's column is hidden by its name.
    private func hides(_ column: String, _ schema: String, _ table: String, isKey: Bool) -> Bool {
        let column = column.lowercased()
        let table = table.lowercased()
        if names.contains("*"), !isKey { return true }
        return names.contains(column) || names.contains("\(table).\(column)") || names.contains("\(schema.lowercased()).\(table).\(column)")
    }

    func row(_ row: RowDetail, schema: String, table: String) -> RowDetail {
        guard !isEmpty else { return row }
        var row = row
        row.columns = row.columns.map { column in
            let isKey = row.keyColumns?.contains(column.name) ?? false
            guard hides(column.name, schema, table, isKey: isKey) else { return column }
            var column = column
            // NULL says that there is nothing to hide, and is often what differs.
            column.source = column.source.map { _ in Self.shown }
            column.target = column.target.map { _ in Self.shown }
            column.note = nil
            return column
        }
        guard let names = row.keyColumns else { return row }
        let literals = row.key.literals.enumerated().map { index, literal in
            names.indices.contains(index) && hides(names[index], schema, table, isKey: true) ? Self.shown : literal
        }
        row.key = RowKey(literals)
        return row
    }

    func status(_ status: MigrationStatus) -> MigrationStatus {
        guard !isEmpty else { return status }
        var status = status
        for index in status.tables.indices {
            let table = status.tables[index]
            status.tables[index].mismatches = table.mismatches?.map { row($0, schema: table.schema, table: table.table) }
            // Sentences of suspended tables name a key.
            status.tables[index].problems = table.problems?.map { _ in "The reason is not shown with --mask: godwit.suspended and godwit.not_applied on the target have it." }
        }
        return status
    }

    func report(_ report: VerifyReport) -> VerifyReport {
        guard !isEmpty else { return report }
        var report = report
        for index in report.tables.indices {
            let table = report.tables[index]
            report.tables[index].rows = table.rows.map { row($0, schema: table.schema, table: table.table) }
        }
        report.repaired = report.repaired.map { repaired in
            var repaired = repaired
            repaired.was = repaired.was.map { _ in Self.shown }
            repaired.now = repaired.now.map { _ in Self.shown }
            return repaired
        }
        return report
    }
}
