import GodwitEngine
import Testing

@testable import GodwitCommands

@Suite struct VerdictTests {
    static let cases: [(name: String, status: MigrationStatus, result: Verdict.Result, words: String)] = [
        ("all equal", .sample(.following, [.sample("a"), .sample("b")]), .validated, "All 2 tables are Validated."),
        ("one table", .sample(.cutOver, [.sample("a")]), .validated, "The table is Validated."),
        ("no tables", .sample(.following), .unproven, "nothing was compared"),
        (
            "pending", .sample(.following, [.sample("a"), .sample("b", validation: "Pending records", pending: 12)]),
            .unproven, "1 of 2 tables Validated; open: shop.b (12 rows pending)."
        ),
        (
            "validated with rows pending", .sample(.following, [.sample("a", pending: 1)]), .unproven,
            "shop.a (1 rows pending)"
        ),
        ("off", .sample(.following, [.sample("a", validation: "Not enabled")]), .unproven, "shop.a (Not enabled)"),
        (
            "still loading", .sample(.loading, [.sample("a", .loading)]), .unproven, "0 of 1 table Validated"
        ),
        (
            "mismatch", .sample(.following, [.sample("a"), .sample("b", validation: "Mismatched records", failed: 3)]),
            .unequal, "1 table NOT EQUAL: shop.b (3 rows differ)."
        ),
        ("failed rows under a green name", .sample(.following, [.sample("a", failed: 1)]), .unequal, "NOT EQUAL"),
        ("table error", .sample(.following, [.sample("a", .failed)]), .failed, "1 table FAILED: shop.a."),
        ("a change passed over", .sample(.following, [.notWhole("a", skipped: 2), .sample("b")]), .failed, "1 table NOT WHOLE: shop.a (2 changes passed over)."),
        ("a statement passed over", .sample(.following, [.notWhole("a", problem: "TRUNCATE was not carried out")]), .failed, "NOT WHOLE: shop.a (TRUNCATE was not carried out)."),
        ("suspended", .sample(.following, [.notWhole("a", .failed, problem: "suspended: gone")]), .failed, "1 table FAILED: shop.a (suspended: gone)."),
        ("differs and passed over", .sample(.following, [.notWhole("a", skipped: 1, failed: 1)]), .unequal, "NOT EQUAL"),
        ("validation error", .sample(.following, [.sample("a", validation: "Error")]), .failed, "FAILED"),
        ("a view differs", .differing, .unequal, "Not the same on both sides: The view shop.v is not the same on the target: the text differs. (and 1 more)"),
        ("run failed", .sample(.failed, [.sample("a")]), .failed, "The migration FAILED."),
    ]

    @Test(arguments: cases.indices)
    func verdicts(index: Int) {
        let test = Self.cases[index]
        let verdict = Verdict(test.status)
        #expect(verdict.result == test.result, "\(test.name)")
        #expect(verdict.summary.contains(test.words), "\(test.name): \(verdict.summary)")
    }

    /// A cutover whose objects differ does not end 0, in either form of output.
    @Test(arguments: [["cutover"], ["cutover", "--json"]])
    func aCutoverWithADifferenceIsNotGreen(arguments: [String]) async {
        let control = ScriptedControl([MigrationStatus.differing])
        let outcome = await godwit(arguments, engine: ScriptedEngine(control: control))
        #expect(outcome.code == 4, "\(outcome)")
        #expect((outcome.out + outcome.err).contains("shop.v"), "\(outcome)")
    }

    /// Nobody sees green over a table that is not loaded, equal and without anything open.
    @Test func greenMeansAllProven() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let words = [
            "Not enabled", "Pending records", "Mismatched records", "Suspended records", "No primary key",
            "Table error",
            "Validated", "Error", "Pending validation", "Preparing table", "Pending revalidation",
        ]
        let states: [MigrationStatus.Table.State] = [.waiting, .loading, .loaded, .failed]
        for _ in 0..<2000 {
            var status = MigrationStatus.sample(
                [.loading, .following, .cutOver, .failed].randomElement(using: &random) ?? .failed)
            for index in 0..<Int.random(in: 0...3, using: &random) {
                var table = MigrationStatus.Table.sample("t\(index)")
                // Mostly good, so that all-good lists occur.
                if Bool.random(using: &random) {
                    table.validationState = words.randomElement(using: &random) ?? ""
                    table.state = states.randomElement(using: &random) ?? .failed
                    table.pending = UInt64.random(in: 0...1, using: &random)
                    table.failed = UInt64.random(in: 0...1, using: &random)
                    table.suspended = UInt64.random(in: 0...1, using: &random)
                    table.skipped = [nil, 0, 1].randomElement(using: &random) ?? nil
                    table.problems = [nil, [], ["suspended"]].randomElement(using: &random) ?? nil
                }
                status.tables.append(table)
            }
            let isProven =
                !status.tables.isEmpty && status.state != .failed
                && status.tables.allSatisfy {
                    $0.validationState == "Validated" && $0.state == .loaded
                        && $0.pending + $0.failed + $0.suspended + ($0.skipped ?? 0) == 0 && ($0.problems ?? []).isEmpty
                }
            let verdict = Verdict(status)
            #expect((verdict.tone == .good) == isProven, "seed \(seed): \(status)")
            if status.tables.contains(where: { $0.failed > 0 }) { #expect(verdict.result == .unequal, "seed \(seed)") }
        }
    }

    /// A change that was passed over, a suspended table, a statement that was not carried out: in text, JSON and exit code.
    @Test(arguments: [
        MigrationStatus.Table.notWhole("a", skipped: 3), .notWhole("a", .failed, problem: "suspended, its changes are not applied any more: x"),
        .notWhole("a", problem: "ALTER TABLE was not carried out"),
    ], [[String](), ["--json"]])
    func whatIsNotWholeIsSeenEverywhere(table: MigrationStatus.Table, json: [String]) async {
        let status = MigrationStatus.sample(.stopped, [.sample("b"), table])
        let engine = ScriptedEngine(
            run: { _, _, _ in MigrationReport(status: status, seconds: 1, steps: []) }, control: ScriptedControl([status]),
            answer: { _ in ServerAnswer(version: "9.7.0", tls: "none") })
        let words = table.problems?.first ?? "3"
        for command in [["migrate", "--until", "validated"], ["status"], ["diagnose"]] {
            let outcome = await godwit(command + json, engine: engine)
            #expect((outcome.out + outcome.err).contains(words), "\(command): \(outcome)")
            if command[0] == "migrate" { #expect(outcome.code == 1, "\(outcome)") }
            #expect(!(outcome.out + outcome.err).contains("All 2 tables are Validated"))
        }
        if !json.isEmpty {
            let line = await godwit(["status", "--json"], engine: engine).out
            #expect(line.contains("\"skipped\":\(table.skipped ?? 0)"), "\(line)")
        }
    }

    /// Values of named columns, or all, are hidden wherever rows are shown; keys stay unless they are named.
    @Test func masks() {
        let row = RowDetail(
            key: RowKey(["7", "'k'"]), kind: .different,
            columns: [.init(name: "card", source: "4111", target: "4112", note: "long"), .init(name: "city", source: nil, target: "Ulm")],
            keyColumns: ["id", "name"])
        func shown(_ names: String...) -> String { VerifyText.row(Mask(names).row(row, schema: "shop", table: "people")) }
        #expect(shown().contains("4111") && shown().contains("Ulm"))
        #expect(!shown("card").contains("411") && !shown("card").contains("long") && shown("card").contains("Ulm"))
        #expect(!shown("SHOP.People.card").contains("411"))
        #expect(shown("other.card").contains("4111"))
        #expect(!shown("*").contains("Ulm") && !shown("*").contains("411") && shown("*").contains("(7, 'k')"))
        #expect(shown("*").contains("NULL"))
        #expect(!shown("name").contains("'k'") && shown("name").contains("7"))
        var status = MigrationStatus.sample(.following, [.sample("people", failed: 1)])
        status.tables[0].mismatches = [row]
        #expect(Mask(["*"]).status(status).tables[0].mismatches?[0].columns[0].source == Mask.shown)
    }

    @Test func manyTablesAreCountedNotListed() {
        let tables = (0..<9).map { MigrationStatus.Table.sample("t\($0)", .failed) }
        #expect(Verdict(.sample(.following, tables)).summary.hasSuffix("shop.t4 and 4 more."))
    }
}

extension MigrationStatus.Table {
    fileprivate static func notWhole(
        _ name: String, _ state: State = .loaded, skipped: UInt64? = nil, problem: String? = nil, failed: UInt64 = 0
    ) -> Self {
        var table = Self.sample(name, state, failed: failed)
        table.skipped = skipped
        table.problems = problem.map { [$0] }
        return table
    }
}

extension MigrationStatus {
    /// Cut over, every row equal, two objects not.
    fileprivate static var differing: MigrationStatus {
        var status = MigrationStatus.sample(.cutOver, [.sample("a")])
        status.objectDifferences = ["The view shop.v is not the same on the target: the text differs.", "The event shop.e is not on the target."]
        return status
    }
}
