import GodwitEngine

/// The end of a run for people.
enum ReportText {
    static func lines(_ report: MigrationReport, verdict: Verdict, paint: Paint) -> [String] {
        let status = report.status
        var lines: [String] = []
        if let pause = status.writePauseSeconds {
            lines.append(paint("Cut over. Write pause: \(Format.duration(pause)).", .strong))
            lines.append("")
        } else if status.state == .cutOver {
            lines.append(paint("Cut over.", .strong))
            lines.append("")
        }
        lines += StatusText.table(status.tables).lines(paint)
        lines += StatusText.details(status, paint)
        if !report.steps.isEmpty {
            lines.append("")
            var steps = TextTable([.init("Cutover step"), .init("Time", number: true)])
            for step in report.steps { steps.add([.init(step.name), .init(Format.duration(step.seconds))]) }
            lines += steps.lines(paint)
        }
        lines.append("")
        let rows = status.tables.reduce(UInt64(0)) { $0 &+ $1.rows }
        let bytes = status.tables.reduce(UInt64(0)) { $0 &+ $1.bytes }
        lines.append(
            "\(Format.count(rows)) rows, \(Format.bytes(bytes)), "
                + "\(Format.count(status.appliedTransactions)) transactions in \(Format.duration(report.seconds)); "
                + "state: \(status.state.rawValue.replacing("_", with: " "))")
        if !status.position.isEmpty { lines.append("position: \(TextWidth.printable(status.position))") }
        lines.append(paint(verdict.summary, verdict.tone))
        return lines
    }
}

/// A status for people, once.
enum StatusText {
    static func lines(_ status: MigrationStatus, runnerAlive: Bool, now: Double, paint: Paint) -> [String] {
        let state = StatusJSON.shownState(status, runnerAlive: runnerAlive).replacing("_", with: " ")
        let last = status.state.rawValue.replacing("_", with: " ")
        let age = Format.duration(max(0, now - status.at))
        let runner =
            runnerAlive
            ? "running, as of \(age) ago"
            : state == last ? "no process runs it" : "no process runs it, last seen \(last) \(age) ago"
        var lines = [paint("\(TextWidth.printable(status.task)): \(state)", .strong) + " (\(runner))"]
        if let pause = status.writePauseSeconds { lines.append("write pause: \(Format.duration(pause))") }
        lines.append("position: \(status.position.isEmpty ? "none yet" : TextWidth.printable(status.position))")
        lines.append(
            "lag: \(Format.duration(status.lagSeconds ?? -1)), \(Format.count(status.incomingChanges)) incoming changes, "
                + "\(Format.count(status.appliedTransactions)) transactions applied")
        lines.append("TLS: source \(status.sourceTLS), target \(status.targetTLS)")
        for wait in status.waits where runnerAlive {
            lines.append(
                "waiting \(Format.duration(wait.seconds)) for \(TextWidth.printable("\(wait.what): \(wait.why)"))")
        }
        lines.append("")
        lines += table(status.tables).lines(paint)
        lines += details(status, paint)
        lines.append("")
        let verdict = Verdict(status)
        lines.append(paint(verdict.summary, verdict.tone))
        if let error = status.error {
            lines.append(paint("Error: \(TextWidth.printable(Format.sentence(error)))", .bad))
        }
        return lines
    }

    /// What is wrong with tables, and the first rows that differ.
    static func details(_ status: MigrationStatus, _ paint: Paint) -> [String] {
        var lines: [String] = []
        for table in status.tables {
            let name = TextWidth.printable("\(table.schema).\(table.table)")
            for problem in table.problems ?? [] { lines.append(paint("\(name): \(TextWidth.printable(problem))", .bad)) }
            for row in table.mismatches ?? [] { lines.append("\(name) \(VerifyText.row(row))") }
        }
        for note in status.notes ?? [] { lines.append(paint(TextWidth.printable("Note: \(note)"), .warning)) }
        return lines.isEmpty ? [] : [""] + lines
    }

    /// Per table: rows, bytes, time, changes applied, validation.
    static func table(_ tables: [MigrationStatus.Table]) -> TextTable {
        var text = TextTable([
            .init("Table"), .init("State"), .init("Rows", number: true), .init("Bytes", number: true),
            .init("Time", number: true), .init("Inserts", number: true), .init("Updates", number: true),
            .init("Deletes", number: true), .init("DDL", number: true), .init("Validation"),
        ])
        for table in tables {
            let notes = [
                table.pending > 0 ? "\(Format.count(table.pending)) pending" : nil,
                table.failed > 0 ? "\(Format.count(table.failed)) differ" : nil,
                table.suspended > 0 ? "\(Format.count(table.suspended)) suspended" : nil,
                table.skipped.flatMap { $0 > 0 ? "\(Format.count($0)) changes passed over" : nil },
                table.problems == nil ? nil : "see below",
            ].compactMap { $0 }.joined(separator: ", ")
            text.add([
                .init("\(table.schema).\(table.table)"),
                .init(table.state.rawValue, table.state == .failed ? .bad : .plain),
                .init(Format.count(table.rows)), .init(Format.bytes(table.bytes)),
                .init(Format.duration(table.loadSeconds)), .init(Format.count(table.inserts)),
                .init(Format.count(table.updates)), .init(Format.count(table.deletes)), .init(Format.count(table.ddls)),
                .init(table.validationState + (notes.isEmpty ? "" : " (\(notes))"), Verdict.tone(table)),
            ])
        }
        return text
    }
}
