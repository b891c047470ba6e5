import GodwitEngine

/// The preflight's findings for people: refusals first, then warnings, then what is good to know.
enum FindingsText {
    static func lines(_ findings: [Finding], paint: Paint) -> [String] {
        var lines: [String] = []
        let groups: [(Finding.Severity, String, Paint.Tone)] = [
            (.refusal, "Refused", .bad), (.error, "To be changed first", .bad), (.warning, "Warnings", .warning),
            (.info, "Good to know", .strong),
        ]
        for (severity, title, tone) in groups {
            let group = findings.filter { $0.severity == severity }
            guard !group.isEmpty else { continue }
            lines.append(paint("\(title) (\(group.count))", tone))
            for finding in group {
                let subject = finding.subject.isEmpty ? "" : "\(finding.subject): "
                lines.append("  \(TextWidth.printable(subject + Format.sentence(finding.what)))  [\(finding.check)]")
                if !finding.why.isEmpty {
                    lines.append("      why:  \(TextWidth.printable(Format.sentence(finding.why)))")
                }
                if !finding.cure.isEmpty { lines.append("      cure: \(TextWidth.printable(finding.cure))") }
            }
            lines.append("")
        }
        let refused = findings.count(where: \.blocks)
        let passed = findings.count { $0.severity == .ok }
        if passed > 0 { lines.append("\(passed) \(passed == 1 ? "check" : "checks") found nothing to say.") }
        let warnings = findings.count { $0.severity == .warning }
        let noted = warnings == 0 ? "" : warnings == 1 ? ", with 1 warning" : ", with \(warnings) warnings"
        lines.append(
            refused == 0
                ? paint("The migration can start\(noted).", warnings == 0 ? .good : .warning)
                : paint(
                    "The migration cannot start: \(refused) \(refused == 1 ? "finding stands" : "findings stand") against it.",
                    .bad))
        return lines
    }
}
