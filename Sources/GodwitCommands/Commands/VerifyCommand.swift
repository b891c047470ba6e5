import ArgumentParser
import GodwitEngine

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare both sides in full; change neither.",
        discussion: "Exit code 4 when a table differs."
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context)
        let display = Displays.make(context: context, json: json.isOn)
        let report: VerifyReport
        do {
            defer { display.close() }
            report = try await Interruption.guarded(context: context) {
                try await context.engine.verify(plan: plan, observer: display)
            }
        }
        if json.isOn {
            for table in report.tables { try context.printJSON(VerifyTableJSON(table: table)) }
            try context.printJSON(VerifyJSON(report: report))
        } else {
            context.printLines(VerifyText.lines(report, paint: context.paint))
        }
        try Self.judge(report)
    }

    /// Throws unless every table was compared and is equal.
    static func judge(_ report: VerifyReport) throws {
        let unequal = report.tables.filter { $0.state == .unequal }
        guard unequal.isEmpty else {
            let names = unequal.prefix(5).map { "\($0.schema).\($0.table)" }.joined(separator: ", ")
            throw EngineError(
                .unequal, "\(unequal.count == 1 ? "1 table differs" : "\(unequal.count) tables differ"): \(names).",
                cure: "The keys are listed above; reload or repair the tables before a cutover.")
        }
        let open = report.tables.filter { $0.state == .notCompared }
        guard open.isEmpty, !report.tables.isEmpty else {
            throw EngineError(
                .failed,
                report.tables.isEmpty
                    ? "No table was compared." : "\(open.count) of \(report.tables.count) tables were not compared.",
                why: open.first.map { "\($0.schema).\($0.table): \(Format.sentence($0.note))" } ?? "",
                cure: "Nothing is proven of a table that was not compared.")
        }
    }
}

struct VerifyTableJSON: Encodable {
    var table: VerifyReport.Table
    enum CodingKeys: String, CodingKey {
        case type, schema, table, state, rows, differences, examples, note
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("table", forKey: .type)
        try container.encode(table.schema, forKey: .schema)
        try container.encode(table.table, forKey: .table)
        try container.encode(table.state, forKey: .state)
        try container.encode(table.rows, forKey: .rows)
        try container.encode(table.differences, forKey: .differences)
        try container.encode(table.examples, forKey: .examples)
        try container.encode(table.note, forKey: .note)
    }
}

struct VerifyJSON: Encodable {
    var report: VerifyReport
    enum CodingKeys: String, CodingKey {
        case type, equal, unequal, seconds, position
        case notCompared = "not_compared"
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("verify", forKey: .type)
        try container.encode(report.tables.count { $0.state == .equal }, forKey: .equal)
        try container.encode(report.tables.count { $0.state == .unequal }, forKey: .unequal)
        try container.encode(report.tables.count { $0.state == .notCompared }, forKey: .notCompared)
        try container.encode(report.seconds, forKey: .seconds)
        try container.encode(report.position, forKey: .position)
    }
}
