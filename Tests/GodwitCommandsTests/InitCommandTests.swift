import Foundation
import GodwitEngine
import MySQLWire
import Synchronization
import Testing

@testable import GodwitCommands

@Suite struct InitCommandTests {
    /// A folder that goes with the test.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = temporaryFolder()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    private let addresses = [
        "--source", "old:3307", "--source-user", "aws", "--target", "new", "--target-user", "external",
    ]

    @Test func writesAPlanAndTestsBothSides() async throws {
        try await withFolder { folder in
            let path = folder + "/shop.yml"
            let engine = ScriptedEngine(answer: { ServerAnswer(version: "9.7.0 on \($0.address)", tls: "none") })
            let outcome = await godwit(["init", "-c", path] + addresses, engine: engine)
            #expect(outcome.code == 0)
            #expect(outcome.out.contains("The source old:3306 answers: 9.7.0"))
            #expect(outcome.out.contains("The target new:3307 answers"))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("port: 3307"))
            #expect(text.contains("password: { env: \"GODWIT_SOURCE_PASSWORD\" }"))
        }
    }

    @Test func overwritesNothing() async throws {
        try await withFolder { folder in
            let path = folder + "/shop.yml"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            let outcome = await godwit(["init", "-c", path] + addresses)
            #expect(outcome.code == 2)
            #expect(outcome.err.contains("exists already"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        }
    }

    @Test func aServerThatDoesNotAnswerIsNamedAndThePlanStays() async throws {
        try await withFolder { folder in
            let path = folder + "/shop.yml"
            let engine = ScriptedEngine(answer: { server in
                if server.address == Plan.sample.target.address { throw MySQLError(.connect, "Connection refused") }
                return ServerAnswer(version: "9", tls: "none")
            })
            let outcome = await godwit(["init", "-c", path] + addresses, engine: engine)
            #expect(outcome.code == 1)
            #expect(outcome.err.contains("The target new:3307 does not answer: Connection refused."))
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func withoutATerminalWhatIsMissingIsNamed() async throws {
        try await withFolder { folder in
            let outcome = await godwit(["init", "-c", folder + "/a.yml", "--source", "old"])
            #expect(outcome.code == 2)
            #expect(outcome.err.contains("--source-user is missing."))
            #expect(!FileManager.default.fileExists(atPath: folder + "/a.yml"))
        }
    }

    @Test func asksOnATerminal() async throws {
        try await withFolder { folder in
            let path = folder + "/a.yml"
            var terminal = Terminal.none
            terminal.canAsk = true
            let outcome = await godwit(
                ["init", "-c", path, "--no-test"], terminal: terminal,
                input: ["", "old", "aws", "", "new:33", "external", "TARGET_PW", "app.*, shop.*"])
            #expect(outcome.code == 0, "\(outcome.err)")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("env: \"TARGET_PW\""))
            #expect(text.contains("include: [\"app.*\", \"shop.*\"]"))
        }
    }

    @Test(arguments: [
        (["--include", "app"], "has no dot"), (["--source", "h:x"], "is no address"),
    ])
    func refusals(extra: [String], words: String) async throws {
        try await withFolder { folder in
            let base = ["--source-user", "a", "--target", "t", "--target-user", "b"]
            let source = extra.first == "--source" ? [] : ["--source", "s"]
            let outcome = await godwit(["init", "-c", folder + "/a.yml"] + base + source + extra)
            #expect(outcome.code == 2)
            #expect(outcome.err.contains(words))
            #expect(!FileManager.default.fileExists(atPath: folder + "/a.yml"))
        }
    }
}
