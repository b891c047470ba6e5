import GodwitEngine

/// A dry run as one object.
struct DryRunJSON: Encodable {
    var dryRun: DryRun
    enum CodingKeys: String, CodingKey {
        case type, changes, tables, statements, basis, refusal
        case estimatedSeconds = "estimated_s"
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("dry_run", forKey: .type)
        try container.encode(dryRun.changes, forKey: .changes)
        try container.encode(dryRun.tables, forKey: .tables)
        try container.encode(dryRun.statements, forKey: .statements)
        try container.encode(dryRun.refusal?.description, forKey: .refusal)
        try container.encode(dryRun.estimatedSeconds, forKey: .estimatedSeconds)
        try container.encode(dryRun.basis, forKey: .basis)
    }
}

/// A dry run for people.
enum DryRunText {
    static func lines(_ dryRun: DryRun, paint: Paint) -> [String] {
        var lines = dryRun.changes.map { "- \(TextWidth.printable(Format.sentence($0)))" }
        lines.append("")
        var table = TextTable([
            .init("Source table"), .init("Target table"), .init("Action"), .init("Rows, about", number: true),
            .init("Bytes, about", number: true), .init("Notes"),
        ])
        for entry in dryRun.tables {
            table.add([
                .init(entry.source), .init(entry.target), .init(entry.action), .init(Format.count(entry.rows)),
                .init(Format.bytes(entry.bytes)), .init(entry.notes.joined(separator: "; ")),
            ])
        }
        lines += table.lines(paint)
        let rows = dryRun.tables.reduce(UInt64(0)) { $0 &+ $1.rows }
        let bytes = dryRun.tables.reduce(UInt64(0)) { $0 &+ $1.bytes }
        lines.append("")
        lines.append(
            "\(dryRun.tables.count) tables, about \(Format.count(rows)) rows, \(Format.bytes(bytes)); "
                + "the load takes \(time(dryRun.estimatedSeconds)) (\(dryRun.basis)).")
        lines.append("Nothing was written.")
        return lines
    }

    private static func time(_ seconds: Double) -> String {
        seconds < 1 ? "less than a second" : "about \(Format.duration(seconds))"
    }
}
