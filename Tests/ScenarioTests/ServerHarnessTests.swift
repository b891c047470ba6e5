import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// The harness itself: a server of each flavour starts, answers, survives a kill, and leaves nothing behind.
@Suite(.serialized) struct ServerHarnessTests {
    @Test(arguments: ServerFlavour.allCases)
    func startsAnswersAndLeavesNothing(flavour: ServerFlavour) async throws {
        var pids: [Int32] = []
        var folder = ""
        try await withServer(flavour) { server in
            pids.append(server.pid)
            folder = server.folder.string
            let version = try await server.value("SELECT VERSION()")
            #expect(flavour == .mysql9 ? version.hasPrefix("9.") : version.contains("MariaDB"))
            #expect(try await server.value("SELECT @@port") == "\(server.port)")
            #expect(try await server.value("SELECT @@binlog_format, @@binlog_row_metadata") == "ROW")
            #expect(isRunning(server.pid))
        }
        for pid in pids { #expect(!isRunning(pid)) }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test(arguments: ServerFlavour.allCases)
    func survivesKillAndRestartOnTheSamePort(flavour: ServerFlavour) async throws {
        try await withServer(flavour) { server in
            try await server.sql("CREATE DATABASE a; CREATE TABLE a.t (i INT PRIMARY KEY); INSERT a.t VALUES (1), (2)")
            let first = server.pid
            try await server.kill()
            #expect(!isRunning(first))
            await #expect(throws: TestingError.self) { try await server.sql("SELECT 1") }
            try await server.start()
            #expect(server.pid != first)
            #expect(try await server.sql("SELECT i FROM t ORDER BY i", schema: "a") == [["1"], ["2"]])
            try await server.restart()
            #expect(try await server.value("SELECT COUNT(*) FROM a.t") == "2")
            #expect(try await server.value("SELECT @@port") == "\(server.port)")
        }
    }

    @Test func aFailingBodyLeavesNothing() async throws {
        struct Deliberate: Error {}
        let seen = SendableBox<Int32>()
        await #expect(throws: Deliberate.self) {
            try await withServer(.mariadb) { server in
                seen.value = server.pid
                throw Deliberate()
            }
        }
        let pid = try #require(seen.value)
        #expect(!isRunning(pid))
    }

    @Test func aServerThatCannotStartSaysWhy() async throws {
        let error = await #expect(throws: TestingError.self) {
            try await withServer(.mysql9, ServerOptions(extra: ["--no-such-option"])) { _ in }
        }
        #expect(error?.message.contains("no-such-option") == true)
    }

    @Test func serversHaveTheirOwnIdentity() async throws {
        try await withServers { source, target in
            #expect(source.port != target.port)
            for variable in ["server_uuid", "server_id"] {
                let first = try await source.value("SELECT @@\(variable)")
                let second = try await target.value("SELECT @@\(variable)")
                #expect(first != second)
            }
        }
    }
}

/// Is there a process of this id? (A zombie counts: nobody has waited for it.)
func isRunning(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }
