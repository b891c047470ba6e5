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
                }
                status.tables.append(table)
            }
            let isProven =
                !status.tables.isEmpty && status.state != .failed
                && status.tables.allSatisfy {
                    $0.validationState == "Validated" && $0.state == .loaded
                        && $0.pending + $0.failed + $0.suspended == 0
                }
            let verdict = Verdict(status)
            #expect((verdict.tone == .good) == isProven, "seed \(seed): \(status)")
            if status.tables.contains(where: { $0.failed > 0 }) { #expect(verdict.result == .unequal, "seed \(seed)") }
        }
    }

    @Test func manyTablesAreCountedNotListed() {
        let tables = (0..<9).map { MigrationStatus.Table.sample("t\($0)", .failed) }
        #expect(Verdict(.sample(.following, tables)).summary.hasSuffix("shop.t4 and 4 more."))
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
