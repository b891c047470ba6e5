import Foundation
import Testing

@testable import GodwitEngine

@Suite struct CutoverCommandsTests {
    private func outcome(_ argvs: [[String]], timeout: Duration = .seconds(20), folder: String? = nil) async -> CutoverFailure? {
        do {
            try await ApplicationCommands(timeout: timeout, grace: .milliseconds(200), logFolder: folder).run(argvs, name: "switch")
            return nil
        } catch {
            return error
        }
    }

    @Test func success() async { #expect(await outcome([["true"], ["/bin/true"]]) == nil) }

    @Test func nothingToRun() async { #expect(await outcome([]) == nil) }

    @Test func failureStatus() async throws {
        let failure = try #require(await outcome([["sh", "-c", "echo out; echo to stderr >&2; exit 3"]]))
        #expect(failure.effect == .none)
        #expect(failure.reason.contains("application.switch"))
        #expect(failure.reason.contains("status 3"))
        #expect(failure.reason.contains("out\nto stderr"))
    }

    @Test func secondOfTwoFails() async throws {
        let failure = try #require(await outcome([["true"], ["false"]]))
        #expect(failure.effect == .unknown)
        #expect(failure.reason.contains("[false]"))
        #expect(failure.reason.contains("status 1"))
        #expect(failure.reason.contains("printed nothing"))
    }

    @Test func firstFailureStops() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await outcome([["false"], ["touch", folder + "/ran"]]) != nil)
        #expect(!FileManager.default.fileExists(atPath: folder + "/ran"))
    }

    @Test(arguments: ["no-such-command-anywhere", "/no/such/command"]) func notFound(program: String) async throws {
        let failure = try #require(await outcome([[program]]))
        #expect(failure.effect == .none)
        #expect(failure.reason.contains("can't be started"))
        #expect(failure.reason.contains(program))
    }

    @Test func timeLimit() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let failure = try #require(await outcome([["sh", "-c", "echo waiting; sleep 300"]], timeout: .milliseconds(300)))
        #expect(failure.effect == .unknown)
        #expect(failure.reason.contains("took longer than"))
        #expect(failure.reason.contains("waiting"))
        #expect(clock.now - start < .seconds(60))
    }

    /// SIGTERM is not enough for it.
    @Test func timeLimitOfAStubbornCommand() async throws {
        let failure = try #require(await outcome([["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]], timeout: .milliseconds(300)))
        #expect(failure.effect == .unknown)
        #expect(failure.reason.contains("took longer than"))
    }

    /// A command outlives the Godwit that was killed: the next command waits for it, or ends it when it is over its limit.
    /// The limit is the next command's too, so it is wide: on a busy machine a process takes seconds to start.
    @Test(arguments: [(Duration.seconds(60), true), (.seconds(15), false)])
    func commandOfAKilledRun(timeout: Duration, ends: Bool) async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let gate = folder + "/gate"
        #expect(mkfifo(gate, 0o600) == 0)
        let orphan = Process()
        orphan.executableURL = URL(fileURLWithPath: "/bin/sh")
        orphan.arguments = ["-c", "read line < \(gate); echo late >> \(folder)/order"]
        try orphan.run()
        defer { orphan.terminate() }
        try RunningCommand(folder: folder).begin(pid: orphan.processIdentifier, name: "switch")
        let next = Task { await outcome([["sh", "-c", "echo next >> \(folder)/order"]], timeout: timeout, folder: folder) }
        if ends { try Data("go\n".utf8).write(to: URL(fileURLWithPath: gate)) }
        #expect(await next.value == nil)
        let order = try String(contentsOfFile: folder + "/order", encoding: .utf8)
        #expect(order == (ends ? "late\nnext\n" : "next\n"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/command.running"))
    }

    @Test func cancellation() async throws {
        let task = Task { await outcome([["sleep", "300"]], timeout: .seconds(600)) }
        task.cancel()
        let failure = try #require(await task.value)
        #expect(failure.reason.contains("stopped"))
    }

    /// A start command that leaves a service behind, which holds its output open.
    @Test func backgroundService() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = ContinuousClock()
        let start = clock.now
        let script = "sleep 300 & echo $! > \(folder)/pid; echo started"
        #expect(await outcome([["sh", "-c", script]], timeout: .seconds(100), folder: folder) == nil)
        #expect(clock.now - start < .seconds(60))
        let pid = try String(contentsOfFile: folder + "/pid", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try String(contentsOfFile: folder + "/application.log", encoding: .utf8) == "started\n")
        // Ended here, and it was still there to be ended.
        #expect(await outcome([["kill", pid]]) == nil)
    }

    @Test func onlyTheEndOfTheOutputIsKept() async throws {
        let failure = try #require(await outcome([["sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; printf 'a\\033[1mb\\n'; exit 1"]]))
        #expect(failure.reason.contains("line 4999"))
        #expect(!failure.reason.contains("line 100\n"))
        #expect(!failure.reason.contains("\u{1B}"))
        #expect(failure.reason.utf8.count < ApplicationCommands.tailBytes + 500)
    }

    /// The log is appended to; a message shows its own command's output only.
    @Test func logIsAppended() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await outcome([["echo", "first"]], folder: folder) == nil)
        let second = try #require(await outcome([["sh", "-c", "echo second; exit 1"]], folder: folder))
        #expect(second.reason.contains("second") && !second.reason.contains("first"))
        #expect(try String(contentsOfFile: folder + "/application.log", encoding: .utf8) == "first\nsecond\n")
    }

    @Test func environmentIsPassedOn() async throws {
        let failure = try #require(await outcome([["sh", "-c", "echo \"$PATH\"; exit 1"]]))
        #expect(failure.reason.contains(ProcessInfo.processInfo.environment["PATH"] ?? "?"))
    }

    private func temporaryFolder() throws -> String {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-commands-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }
}
