import GodwitEngine
import Testing

@testable import GodwitServer

@Suite struct AssessmentTests {
    private static func finding(_ severity: Finding.Severity) -> Finding { Finding(severity, "x", "s", "w", why: "", cure: "") }

    @Test(arguments: [
        ([], "passed"), ([Finding.Severity.ok, .info], "passed"), ([.ok, .warning], "warning"), ([.warning, .error], "failed"), ([.refusal], "failed"),
    ])
    func statusOfOne(severities: [Finding.Severity], status: String) {
        #expect(Assessment.status(severities.map(Self.finding)) == status)
    }

    @Test(arguments: [(["passed", "passed"], "passed"), (["passed", "warning"], "warning"), (["warning", "failed", "passed"], "failed")])
    func statusOfARun(statuses: [String], status: String) { #expect(Assessment.status(ofRun: statuses) == status) }

    @Test func everyCheckIsInOneGroup() {
        let all = Assessment.groups.flatMap(\.checks)
        #expect(all.count == Set(all).count)
        #expect(Assessment.group(of: "xa") == "transactions")
        // A check that nobody sorted in is never lost.
        #expect(Assessment.group(of: "a-new-check") == Assessment.groups.last?.name)
    }
}
