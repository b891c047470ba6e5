import GodwitEngine

/// Turns a snapshot into the lines of one frame. Pure.
struct ProgressView: Sendable {
    var paint: Paint
    var hasUnicode: Bool
    /// Characters of a bar.
    static let barWidth = 20

    /// At most `rows` lines, none wider than `columns`: a wrapped line would break redrawing.
    func frame(
        _ status: MigrationStatus, meter: RateMeter, columns: Int, rows: Int, state: String? = nil
    ) -> [String] {
        let width = max(20, columns - 1)
        var lines = [headline(status, state: state ?? status.state.rawValue, width: width)]
        let shown = interesting(status)
        let room = max(1, rows - 4)
        let visible = shown.count > room ? Array(shown.prefix(max(0, room - 1))) : shown
        let nameWidth = min(40, max(12, visible.map { TextWidth.of(Self.name($0)) }.max() ?? 12), width / 3)
        for table in visible { lines.append(tableLine(table, meter: meter, nameWidth: nameWidth, width: width)) }
        if visible.count < shown.count {
            lines.append(paint(fit("  … \(shown.count - visible.count) more tables", width), .dim))
        }
        lines.append(summary(status, meter: meter, width: width))
        if let wait = status.waits.first {
            let more = status.waits.count > 1 ? " (+\(status.waits.count - 1) more)" : ""
            lines.append(
                paint(fit("waiting \(Format.duration(wait.seconds)) for \(wait.what): \(wait.why)\(more)", width), .dim)
            )
        }
        return lines
    }

    /// One line for logs and pipes: no colour, no bars.
    func plainLine(_ status: MigrationStatus, meter: RateMeter, state: String? = nil) -> String {
        if status.tables.isEmpty { return state ?? status.state.rawValue }
        return "\(state ?? status.state.rawValue): \(summaryParts(status, meter: meter).joined(separator: ", "))"
    }

    private func headline(_ status: MigrationStatus, state: String, width: Int) -> String {
        let tone: Paint.Tone =
            switch status.state {
            case .failed: .bad
            case .paused, .stopped: .warning
            default: .strong
            }
        let text = fit("\(TextWidth.printable(status.task)): \(state.replacing("_", with: " "))", width)
        return paint(text, tone)
    }

    /// While loading: tables in work. Afterwards: those that are not proven yet.
    private func interesting(_ status: MigrationStatus) -> [MigrationStatus.Table] {
        let bad = status.tables.filter { Verdict.isFailed($0) || Verdict.isUnequal($0) }
        let isBad = Set(bad.map(Self.name))
        let rest = status.tables.filter { table in
            guard !isBad.contains(Self.name(table)) else { return false }
            switch status.state {
            case .starting, .loading: return table.state == .loading
            default: return !Verdict.isValidated(table)
            }
        }
        return bad + rest
    }

    private func tableLine(
        _ table: MigrationStatus.Table, meter: RateMeter, nameWidth: Int, width: Int
    ) -> String {
        let name = TextWidth.padded(TextWidth.truncated(Self.name(table), to: nameWidth), to: nameWidth)
        if table.state == .loading {
            let rate = meter.rate(of: table)
            let percent = Format.percent(table.rows, of: table.estimatedRows)
            let rest =
                " \(TextWidth.padded("\(percent)%", to: 4, right: true))  "
                + "\(Format.count(table.rows))/\(Format.count(table.estimatedRows)) rows  "
                + "\(Format.rowRate(rate.rows))  \(Format.byteRate(rate.bytes))"
            return fit("  \(name) \(bar(percent))\(rest)", width)
        }
        let changes = "+\(Format.count(table.inserts)) ~\(Format.count(table.updates)) -\(Format.count(table.deletes))"
        let pending = table.pending > 0 ? " \(Format.count(table.pending)) pending" : ""
        let failed = table.failed > 0 ? " \(Format.count(table.failed)) differ" : ""
        let text = fit(
            "  \(name) \(Format.count(table.rows)) rows  \(changes)  \(table.state == .failed ? table.state.rawValue : table.validationState)\(pending)\(failed)",
            width)
        return paint(text, Verdict.tone(table))
    }

    private func summary(_ status: MigrationStatus, meter: RateMeter, width: Int) -> String {
        fit(summaryParts(status, meter: meter).joined(separator: "  "), width)
    }

    private func summaryParts(_ status: MigrationStatus, meter: RateMeter) -> [String] {
        var parts: [String] = []
        let rows = status.tables.reduce(UInt64(0)) { $0 &+ $1.rows }
        let bytes = status.tables.reduce(UInt64(0)) { $0 &+ $1.bytes }
        let loaded = status.tables.count { $0.state == .loaded }
        switch status.state {
        case .starting, .loading:
            let estimate = status.tables.reduce(UInt64(0)) { $0 &+ max($1.rows, $1.estimatedRows) }
            let rate = meter.totalRate
            parts.append("\(loaded)/\(status.tables.count) tables loaded")
            parts.append("\(Format.count(rows)) rows (\(Format.percent(rows, of: estimate))%)")
            parts.append(Format.bytes(bytes))
            parts.append(Format.rowRate(rate.rows))
            parts.append(Format.byteRate(rate.bytes))
            parts.append("ETA \(Format.duration(meter.remainingSeconds(status) ?? -1))")
        default:
            let validated = status.tables.count { Verdict.isValidated($0) }
            parts.append("lag \(Format.duration(status.lagSeconds ?? -1))")
            parts.append("\(Format.count(status.appliedTransactions)) transactions applied")
            parts.append("\(validated)/\(status.tables.count) tables Validated")
            let failed = status.tables.count { Verdict.isFailed($0) || Verdict.isUnequal($0) }
            if failed > 0 { parts.append("\(failed) FAILED OR UNEQUAL") }
        }
        parts.append("\(Format.count(status.incomingChanges)) incoming changes")
        return parts
    }

    private func bar(_ percent: Int) -> String {
        let filled = Self.barWidth * min(100, max(0, percent)) / 100
        let (full, empty) = hasUnicode ? ("█", "░") : ("#", "-")
        return "[" + String(repeating: full, count: filled)
            + String(repeating: empty, count: Self.barWidth - filled) + "]"
    }

    private func fit(_ text: String, _ width: Int) -> String {
        TextWidth.truncated(
            TextWidth.printable(hasUnicode ? text : text.replacing("…", with: "...").replacing("–", with: "-")),
            to: width)
    }

    private static func name(_ table: MigrationStatus.Table) -> String {
        TextWidth.printable("\(table.schema).\(table.table)")
    }
}
