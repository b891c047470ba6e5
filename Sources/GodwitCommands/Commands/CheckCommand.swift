import ArgumentParser
import GodwitEngine

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether the migration can start, and what to change first.",
        discussion: "Changes nothing. Exit code 2 when anything is refused, 0 otherwise."
    )

    @OptionGroup var planOptions: PlanOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let plan = try planOptions.load(context)
        let findings = try await Interruption.guarded(context: context) { try await context.engine.check(plan: plan) }
        let refused = findings.count(where: \.blocks)
        if json.isOn {
            for finding in findings { try context.printJSON(FindingJSON(finding: finding)) }
            try context.printJSON(CheckJSON(findings: findings))
        } else {
            context.printLines(FindingsText.lines(findings, paint: context.paint))
        }
        guard refused == 0 else {
            throw EngineError(
                .plan,
                "The migration cannot start: \(refused == 1 ? "1 finding refuses it" : "\(refused) findings refuse it").",
                cure: "Each says its cure above; then run `godwit check` again.")
        }
    }
}

struct FindingJSON: Encodable {
    var finding: Finding
    enum CodingKeys: String, CodingKey {
        case type, severity, check, subject, what, why, cure
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("finding", forKey: .type)
        try container.encode(finding.severity.rawValue, forKey: .severity)
        try container.encode(finding.check, forKey: .check)
        try container.encode(finding.subject, forKey: .subject)
        try container.encode(finding.what, forKey: .what)
        try container.encode(finding.why, forKey: .why)
        try container.encode(finding.cure, forKey: .cure)
    }
}

struct CheckJSON: Encodable {
    let type = "check"
    /// Nothing stands against the start.
    var canStart: Bool
    /// Findings of each severity.
    var counts: [String: Int]

    init(findings: [Finding]) {
        canStart = !findings.contains(where: \.blocks)
        counts = Dictionary(
            Finding.Severity.allCases.map { severity in (severity.rawValue, findings.count { $0.severity == severity })
            },
            uniquingKeysWith: { first, _ in first })
    }

    enum CodingKeys: String, CodingKey {
        case type, counts
        case canStart = "can_start"
    }
}
