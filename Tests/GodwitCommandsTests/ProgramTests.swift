import Foundation
import GodwitEngine
import MySQLWire
import Testing

@testable import GodwitCommands

@Suite struct ProgramTests {
    @Test(arguments: [
        [], ["--help"], ["help"], ["--version"], ["migrate", "--help"], ["help", "cutover"], ["init", "-h"],
    ])
    func helpIsNoError(arguments: [String]) async {
        let outcome = await godwit(arguments)
        #expect(outcome.code == 0)
        #expect(!outcome.out.isEmpty)
        #expect(outcome.err.isEmpty)
    }

    @Test func version() async {
        #expect(await godwit(["--version"]).out == "godwit \(Version.number)\n")
    }

    @Test func helpNamesWhatWorksAndNothingElse() async {
        let text = await godwit(["--help"]).out
        for name in ["init", "check", "migrate", "status", "pause", "resume", "cutover", "verify", "diagnose", "reload", "rollback", "cleanup", "source"] {
            #expect(text.contains("\n  \(name) "), "\(name)")
        }
        for name in ["target"] {
            #expect(!text.contains("\n  \(name) "), "\(name)")
        }
    }

    @Test(arguments: [
        ["frobnicate"], ["--frobnicate"], ["migrate", "--until", "never"], ["migrate", "--until"],
        ["migrate", "--cutover", "later"], ["migrate", "--until", "loaded", "--cutover", "auto"],
        ["migrate", "--log-level", "loud"], ["status", "extra"],
        ["init", "--source-password-env", "A", "--source-password-file", "b"],
        ["init", "--source", "h", "--source-tls", "maybe"],
    ])
    func usageErrors(arguments: [String]) async {
        let outcome = await godwit(arguments)
        #expect(outcome.code == 2)
        #expect(outcome.out.isEmpty)
        #expect(outcome.err.split(separator: "\n").count == 1, "one sentence: \(outcome.err)")
        #expect(outcome.err.hasPrefix("godwit: ") && outcome.err.contains("--help"))
    }

    @Test(arguments: [["--allow", "db.internal"], ["--allow", "0.0.0.0/0"], ["--allow", "10.0.0.9", "--name", "a b"], ["--allow", "10.0.0.9", "--port", "0"], [], ["--allow", "10.0.0.9", "--firewall", "none"]])
    func exposureIsRefusedBeforeAnythingIsDone(arguments: [String]) async {
        let state = "/nowhere/godwit"
        let outcome = await godwit(["source", "expose", "--state", state] + arguments)
        #expect(outcome.code == 2 && outcome.out.isEmpty)
        #expect(outcome.err.hasPrefix("godwit: ") && outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
    }

    @Test func withoutALedgerNothingIsTakenBack() async {
        let state = "/nowhere/godwit"
        let outcome = await godwit(["source", "unexpose", "--state", state])
        #expect(outcome.code == 0 && outcome.out == "source: nothing to take back.\n")
        #expect(await godwit(["source", "status", "--state", state]).out == "Nothing is exposed from here (\(state)).\n")
    }

    @Test(arguments: ["target"])
    func laterCommandsRefuseByName(name: String) async {
        for rest in [[], ["expose", "--anything", "-x"], ["-c", "godwit.yml", "--json"]] {
            let outcome = await godwit(name.split(separator: " ").map(String.init) + rest)
            #expect(outcome.code == 2)
            #expect(outcome.err.contains("`godwit \(name)` is not in this release."))
        }
    }

    static let errors: [(error: any Error & Sendable, code: Int32, kind: String)] = [
        (EngineError(.plan, "No such table.", why: "It is missing", cure: "Add it."), 2, "plan"),
        (EngineError(.failed, "It broke"), 1, "failed"),
        (EngineError(.resumable, "Stopped."), 3, "resumable"),
        (EngineError(.unequal, "They differ."), 4, "unequal"),
        (MySQLError(.connect, "db:3306 refused the connection.", cure: "Start it."), 1, "failed"),
        (CancellationError(), 3, "resumable"),
        (ScriptedEngine.Unscripted(), 1, "failed"),
    ]

    @Test(arguments: errors.indices)
    func errorsHaveTheirExitCodes(index: Int) async throws {
        let (error, code, kind) = Self.errors[index]
        let engine = ScriptedEngine(run: { _, _, _ in throw error })
        let plain = await godwit(["migrate"], engine: engine)
        #expect(plain.code == code)
        #expect(plain.out.isEmpty)
        #expect(plain.err.split(separator: "\n").count == 1)

        let json = await godwit(["migrate", "--json"], engine: engine)
        #expect(json.code == code)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
        #expect(object["kind"] as? String == kind)
        #expect(object["exit_code"] as? Int == Int(code))
        #expect("godwit: \(object["error"] as? String ?? "")\n" == plain.err)
    }

    @Test func theSentenceHasWhatWhyAndCure() async {
        let outcome = await godwit(["migrate"], engine: ScriptedEngine(run: { _, _, _ in throw Self.errors[0].error }))
        #expect(outcome.err == "godwit: No such table. It is missing. Add it.\n")
    }

    @Test func aUsageErrorWithJSONIsOneObject() async throws {
        let outcome = await godwit(["migrate", "--json", "--until", "never"])
        #expect(outcome.code == 2)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
        #expect(object["kind"] as? String == "usage")
    }

    @Test func thePlanIsGodwitYMLUnlessNamed() async {
        let engine = ScriptedEngine(plan: { path in throw EngineError(.plan, "path=\(path)") })
        #expect(await godwit(["migrate"], engine: engine).err.contains("path=godwit.yml"))
        #expect(await godwit(["check", "-c", "a/b.yml"], engine: engine).err.contains("path=a/b.yml"))
        #expect(await godwit(["status", "--config", "c.yml"], engine: engine).err.contains("path=c.yml"))
    }

    @Test func warningsOfThePlanAreSaid() async {
        var plan = Plan.sample
        plan.warnings = ["godwit.yml:3:5: BatchApplyEnabled has no effect"]
        let warned = plan
        let engine = ScriptedEngine(plan: { _ in warned }, findings: { [] })
        #expect(await godwit(["check"], engine: engine).err.contains("BatchApplyEnabled has no effect."))
    }
}
