import GodwitEngine

/// A comparison for people.
enum VerifyText {
    static func lines(_ report: VerifyReport, paint: Paint) -> [String] {
        var table = TextTable([
            .init("Table"), .init("Rows, source", number: true), .init("Rows, target", number: true),
            .init("Different", number: true), .init("Missing", number: true), .init("Extra", number: true),
            .init("Result"),
        ])
        for entry in report.tables {
            let more = entry.hasMore ? "+" : ""
            let (text, tone): (String, Paint.Tone) =
                entry.isEqual ? ("equal", .good) : entry.error == nil ? ("NOT EQUAL", .bad) : ("not compared", .bad)
            table.add([
                .init(name(entry)), .init(Format.count(entry.sourceRows)), .init(Format.count(entry.targetRows)),
                .init(Format.count(UInt64(entry.different)) + more), .init(Format.count(UInt64(entry.missing)) + more),
                .init(Format.count(UInt64(entry.extra)) + more), .init(text, tone),
            ])
        }
        var lines = table.lines(paint)
        for entry in report.tables where !entry.isEqual {
            lines.append("")
            lines += details(entry)
        }
        if !report.repaired.isEmpty {
            lines.append("")
            for row in report.repaired {
                let words = "repaired \(row.schema).\(row.table) \(row.key): was \(row.was ?? "missing"), is \(row.now ?? "deleted")"
                lines.append(TextWidth.printable(words))
            }
            lines.append(paint(VerifyRepair.caution, .warning))
        }
        if !report.objects.isEmpty { lines.append("") }
        for line in report.objects { lines.append(paint(TextWidth.printable(line), .bad)) }
        lines.append("")
        let equal = report.tables.count(where: \.isEqual)
        lines.append(
            paint(
                "\(equal) of \(report.tables.count) tables equal, compared in \(Format.duration(report.seconds)).",
                report.isEqual ? .good : .bad))
        return lines
    }

    private static func name(_ table: VerifyReport.Table) -> String {
        let source = "\(table.schema).\(table.table)"
        return table.target == source ? source : "\(source) -> \(table.target)"
    }

    /// The rows that the report shows, one line each.
    private static func details(_ table: VerifyReport.Table) -> [String] {
        let name = TextWidth.printable(name(table))
        if let error = table.error { return ["\(name): \(TextWidth.printable(Format.sentence(error)))"] }
        guard !table.rows.isEmpty else { return ["\(name): the rows cannot be told apart."] }
        return ["\(name):"]
            + table.rows.map { "  " + Self.row($0) }
    }

    /// One row that differs.
    static func row(_ row: RowDetail) -> String {
        let columns = row.columns.map { column in
            let values = "\(column.source ?? "NULL") / \(column.target ?? "NULL")"
            return "\(column.name) \(column.note.map { "\(values) (\($0))" } ?? values)"
        }
        let what =
            switch row.kind {
            case .missing: "missing on the target"
            case .extra: "only on the target"
            case .different: "source / target: \(columns.joined(separator: ", "))"
            }
        return TextWidth.printable("\(row.key): \(what)")
    }
}
