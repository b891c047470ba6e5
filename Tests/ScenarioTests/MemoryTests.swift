import Foundation
import GodwitTesting
import Testing

/// Invariant I7, for the largest rows that are promised: 60 MB.
@Suite struct MemoryTests {
    /// Inserts and updates (events of 120 MB), one after the other and in one transaction, under TLS.
    @Test func replayOfVeryLargeRowsStaysWithinItsBound() async throws {
        var options = ServerOptions(durable: false)
        options.extra = ["--max-allowed-packet=256M", "--innodb-redo-log-capacity=1G"]
        try await MigrationRig.with(source: options, target: options) { rig in
            try await rig.source.sql("CREATE DATABASE big; CREATE TABLE big.t (id INT PRIMARY KEY, v LONGBLOB)")
            try rig.plan(tables: #"{ include: ["big.*"] }"#, tls: "required")
            try await rig.godwit(["migrate", "--until", "loaded"])
            let value = "REPEAT(RANDOM_BYTES(1000), 60000)"
            try await rig.source.sql(
                """
                USE big; INSERT INTO t VALUES (1, \(value)); INSERT INTO t VALUES (2, \(value));
                UPDATE t SET v = \(value) WHERE id = 1; UPDATE t SET v = \(value) WHERE id = 2;
                BEGIN; UPDATE t SET v = \(value) WHERE id = 1; UPDATE t SET v = \(value) WHERE id = 2; COMMIT;
                """)
            // Each transaction is larger than a batch, so each has a commit of its own: it halts after the last.
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "follow.after-commit:5")
            try await godwit.halted(within: .seconds(300))
            let peak = try Self.peakMegabytes(of: godwit.process.pid)
            try await godwit.kill9()
            #expect(peak < 300, "\(peak) MB")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("big")
        }
    }

    /// The peak of a process's resident memory, in megabytes.
    private static func peakMegabytes(of pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first) / 1024
    }
}
