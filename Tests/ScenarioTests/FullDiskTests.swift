import Foundation
import GodwitTesting
import Testing

/// The target's disk is full. MySQL then either answers 1114, or, where its binary log is concerned, answers no commit at all
/// until there is space again. Godwit names it, and goes on once there is space.
@Suite struct FullDiskTests {
    private static let rows = """
        CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT);
        SET SESSION cte_max_recursion_depth = 100000;
        INSERT INTO d.t (v) WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 6000)
        SELECT REPEAT(HEX(RANDOM_BYTES(16)), 300) FROM r;
        """
    private static let plan = "task: { FullLoadSettings: { CommitRate: 200, MaxFullLoadSubTasks: 2 } }"

    /// Data files: an error at once. Each run until there is space ends the same way, then it goes on where it stopped.
    @Test(.enabled(Comment(rawValue: SmallDisk.need)) { await SmallDisk.isPossible() })
    func theDataDiskIsFull() async throws {
        try await withSmallDisk(megabytes: 150) { disk in
            try await withTemporaryFolder("log") { log in
                var options = ServerOptions(extra: ["--innodb-redo-log-capacity=16M", "--log-bin=\(log)/binlog"])
                options.dataFolder = disk.path
                try await MigrationRig.with(target: options) { rig in
                    try await rig.source.sql(Self.rows)
                    try rig.plan(tables: #"{ include: ["d.*"] }"#, extra: Self.plan)
                    for attempt in 1...2 {
                        let run = try await rig.godwit(["migrate", "--until", "validated", "--json"], expecting: 3)
                        _ = try BadInputRig.sentence(
                            run, 3, "attempt \(attempt)",
                            ["A disk of the target", "\(rig.target.port)", "is full", "Make space", "run the same command again"])
                    }
                    let done = try await rig.target.value("SELECT COUNT(*) FROM godwit.chunks WHERE done = 1")
                    try await disk.resize(megabytes: 700)
                    try await rig.godwit(["migrate", "--until", "validated"])
                    try await rig.expectEqual("d")
                    #expect(done != "0", "what was loaded before was kept")
                }
            }
        }
    }

    /// The binary log: the server waits, and looks again once a minute. The wait shows in the run's output, in `status` and in
    /// `diagnose`; the run goes on by itself.
    @Test(.enabled(Comment(rawValue: SmallDisk.need)) { await SmallDisk.isPossible() })
    func theBinaryLogsDiskIsFull() async throws {
        try await withSmallDisk(megabytes: 20) { disk in
            try await MigrationRig.with(target: ServerOptions(extra: ["--log-bin=\(disk.path)/binlog"])) { rig in
                try await rig.source.sql(Self.rows)
                try rig.plan(tables: #"{ include: ["d.*"] }"#, extra: Self.plan)
                let godwit = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder)
                do {
                    let lines = godwit.standardOutput
                    let wait = try await withTimeLimit(.seconds(400), "no wait was named:\n\(lines.tail(40))") {
                        try await lines.first { $0.contains("target's commits") }
                    }
                    #expect(wait?.contains("Make space there") == true && wait?.contains("Disk is full") == true, "\(wait ?? "ended")")
                    let status = try await rig.godwit(["status"])
                    #expect(status.output.contains("for the target's commits: The target's disk is full."), "\(status.output)")
                    let object = try JSONSerialization.jsonObject(with: Data(try await rig.godwit(["status", "--json"]).output.utf8))
                    let waits = (object as? [String: Any])?["waits"] as? [[String: Any]]
                    #expect(waits?.contains { $0["what"] as? String == "the target's commits" } == true, "\(object)")
                    let diagnosis = try await rig.godwit(["diagnose"])
                    #expect(diagnosis.output.contains("The target's disk is full."), "\(diagnosis.output)")
                    // Stops at once although the target answers nothing, and goes on waiting when it runs again.
                    godwit.interrupt()
                    #expect(try await godwit.exit(within: .seconds(60)) == .code(3), "\(godwit.standardError.tail())")
                    let again = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder)
                    do {
                        try await disk.resize(megabytes: 400)
                        #expect(try await again.exit(within: .seconds(240)) == .code(0), "\(again.standardError.tail())")
                    } catch {
                        try await again.kill9()
                        throw error
                    }
                } catch {
                    try await godwit.kill9()
                    throw error
                }
                try await rig.expectEqual("d")
            }
        }
    }
}
