import ArgumentParser
import GodwitEngine

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare both sides in full; change neither, unless told to repair.",
        discussion: """
            Rows, views, routines, triggers and events. Works for any two servers, with or without a migration between them. \
            Exit code 4 when something differs.
            """
    )
    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var direction: DirectionOption
    @Flag(help: "Rewrite rows of the target that differ, from the source. Not for tables of a running migration.")
    var repair = false
    @OptionGroup var masking: MaskOption
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try direction.plan(planOptions.load(context))
        let progress = VerifyProgress(context: context, json: json.isOn)
        var report: VerifyReport
        do {
            defer { progress.close() }
            report = try await Interruption.guarded(context: context) {
                try await context.engine.verify(plan: plan, repairs: repair) { progress.compared($0) }
            }
        }
        report = masking.mask.report(report)
        if json.isOn {
            for row in report.repaired { try context.printJSON(RepairJSON(row: row)) }
            for table in report.tables { try context.printJSON(VerifyTableJSON(table: table)) }
            try context.printJSON(VerifyJSON(report: report))
        } else {
            context.printLines(VerifyText.lines(report, paint: context.paint))
        }
        if let failure = report.failure { throw failure }
    }
}

struct VerifyTableJSON: Encodable {
    var table: VerifyReport.Table
    enum CodingKeys: String, CodingKey {
        case type, schema, table, target, equal, different, missing, extra, rows, error
        case sourceRows = "source_rows"
        case targetRows = "target_rows"
        case hasMore = "has_more"
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("table", forKey: .type)
        try container.encode(table.schema, forKey: .schema)
        try container.encode(table.table, forKey: .table)
        try container.encode(table.target, forKey: .target)
        try container.encode(table.isEqual, forKey: .equal)
        try container.encode(table.sourceRows, forKey: .sourceRows)
        try container.encode(table.targetRows, forKey: .targetRows)
        try container.encode(table.different, forKey: .different)
        try container.encode(table.missing, forKey: .missing)
        try container.encode(table.extra, forKey: .extra)
        try container.encode(table.hasMore, forKey: .hasMore)
        try container.encode(table.rows, forKey: .rows)
        try container.encode(table.error, forKey: .error)
    }
}

struct RepairJSON: Encodable {
    var row: RepairedRow
    enum CodingKeys: String, CodingKey { case type, schema, table, key, was, now }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("repair", forKey: .type)
        try container.encode(row.schema, forKey: .schema)
        try container.encode(row.table, forKey: .table)
        try container.encode(row.key, forKey: .key)
        try container.encode(row.was, forKey: .was)
        try container.encode(row.now, forKey: .now)
    }
}

struct VerifyJSON: Encodable {
    var report: VerifyReport
    enum CodingKeys: String, CodingKey {
        case type, equal, tables, seconds, objects, repaired
        case equalTables = "equal_tables"
        case notCompared = "not_compared"
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("verify", forKey: .type)
        try container.encode(report.isEqual, forKey: .equal)
        try container.encode(report.tables.count, forKey: .tables)
        try container.encode(report.tables.count(where: \.isEqual), forKey: .equalTables)
        try container.encode(report.tables.count { $0.error != nil }, forKey: .notCompared)
        try container.encode(report.objects, forKey: .objects)
        try container.encode(report.repaired.count, forKey: .repaired)
        try container.encode(report.seconds, forKey: .seconds)
    }
}
