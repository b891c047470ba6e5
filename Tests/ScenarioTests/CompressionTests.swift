import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Compressed transactions (`binlog_transaction_compression`) of a real server.
@Suite struct CompressionTests {
    private static let withoutChecksums = ServerOptions(durable: false, extra: ["--binlog-checksum=NONE"])

    /// The same statements with compression on and off: the same lines, but for positions and identities.
    @Test func compressedLogsReadAsPlainOnes() async throws {
        try await withServer(.mysql9, Self.withoutChecksums) { server in
            try await server.sql("CREATE DATABASE ty; SET NAMES utf8mb4; \(TypeExtremes.definition); CREATE TABLE ty.w (id INT PRIMARY KEY, a LONGTEXT, j JSON)")
            func workload(_ compression: String) -> String {
                """
                SET timestamp = 1700000000.5, binlog_transaction_compression = \(compression), binlog_rows_query_log_events = ON;
                \(TypeExtremes.inserts(from: 1))
                START TRANSACTION;
                INSERT INTO ty.w VALUES (1, REPEAT('long ', 4000), '{"a": [1, 2.5]}'), (2, 'x', '1'), (3, NULL, NULL);
                UPDATE ty.w SET a = CONCAT(a, 'y'), j = JSON_OBJECT('d', CAST(1.10 AS DECIMAL(10,2)));
                DELETE FROM ty.t; DELETE FROM ty.w;
                COMMIT;
                """
            }
            var logs: [FilePath] = []
            for compression in ["OFF", "ON"] {
                try await server.sql("FLUSH BINARY LOGS")
                let name = try await server.value("SHOW BINARY LOG STATUS")
                logs.append(server.dataFolder.appending(name))
                try await server.sql(workload(compression))
            }
            try await server.sql("FLUSH BINARY LOGS")
            let plain = try await Self.lines(logs[0])
            let packed = try await Self.lines(logs[1])
            #expect(packed.payloads == TypeExtremes.rows.count + 1 && plain.payloads == 0)
            #expect(plain.events.count > 30)
            #expect(plain.events == packed.events)
        }
    }

    /// The lines of a log without what has to differ; how many of them were payloads.
    private static func lines(_ log: FilePath) async throws -> (events: [String], payloads: Int) {
        let run = try await GodwitProcess.run(["binlog", log.string], in: log.removingLastComponent())
        #expect(run.exit == .code(0), "\(run.errors)")
        var events: [String] = []
        var payloads = 0
        // Only near the beginning of a line: rows are long.
        let apart = try Regex(#""(position|thread_id|xid|table_id)":[0-9]+,?"#)
        for line in run.output {
            if line.hasPrefix(#"{"type":"transaction_payload""#) {
                payloads += 1
            } else if !["format_description", "previous_gtids", "gtid", "rotate"].contains(where: { line.hasPrefix(#"{"type":"\#($0)""#) }) {
                events.append(String(line.prefix(200)).replacing(apart, with: "") + String(line.dropFirst(200)))
            }
        }
        return (events, payloads)
    }

    /// Damage in a payload that no checksum protects: every whole event before it, then one error with its offset.
    @Test func damagedPayloads() async throws {
        try await withServer(.mysql9, Self.withoutChecksums) { server in
            let name = try await server.value("SHOW BINARY LOG STATUS")
            try await server.sql("""
                CREATE DATABASE p; CREATE TABLE p.t (id INT PRIMARY KEY, v VARBINARY(2000));
                SET binlog_transaction_compression = ON, cte_max_recursion_depth = 5000;
                INSERT INTO p.t WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 800) SELECT i, RANDOM_BYTES(1000) FROM n;
                FLUSH BINARY LOGS
                """)
            let sound = [UInt8](try Data(contentsOf: URL(fileURLWithPath: server.dataFolder.appending(name).string)))
            try await withTemporaryFolder("damaged") { folder in
                let file = folder.appending("log")
                func binlog(_ bytes: [UInt8]) async throws -> (code: GuardedProcess.Exit, output: [String], errors: [String]) {
                    try Data(bytes).write(to: URL(fileURLWithPath: file.string))
                    let run = try await GodwitProcess.run(["binlog", file.string], in: folder)
                    return (run.exit, run.output, run.errors)
                }
                let whole = try await binlog(sound).output
                let position = try #require(whole.firstIndex { $0.contains("transaction_payload") })
                let offset = try #require(Int(whole[position].split(separator: ",")[1].dropFirst(#""position":"#.count)))
                let size = (0..<4).reduce(0) { $0 | Int(sound[offset + 9 + $1]) << (8 * $1) }
                try #require(size > 700_000)
                // More than a block of zstd: the header of the next, which comes to lie inside, names a type that does not exist.
                var damaged = sound
                for index in (offset + size / 2)..<(offset + size / 2 + 140_000) { damaged[index] = 0xff }
                let run = try await binlog(damaged)
                #expect(run.code == .code(1) && run.errors.count == 1)
                #expect(run.errors.first?.hasPrefix("godwit: \(file): binlog byte \(offset): ") == true, "\(run.errors)")
                let same = zip(run.output, whole).prefix { $0 == $1 }.count
                #expect(same > position + 100, "\(same) lines are whole")
                // The file ends in the middle of the payload's event: nothing of the payload.
                let cut = try await binlog(Array(sound[..<(offset + size / 2)]))
                #expect(cut.code == .code(1) && cut.output == Array(whole[..<position]))
                #expect(cut.errors.contains { $0.contains("binlog byte \(offset): truncated") })
            }
        }
    }

    /// More than 200 MB in one transaction of less than one on the wire: applied whole, in bounded memory.
    @Test func largeCompressedTransactionsStayCompressed() async throws {
        try await MigrationRig.with(
            source: ServerOptions(durable: false, extra: ["--binlog-transaction-compression=ON"]),
            target: ServerOptions(durable: false)
        ) { rig in
            try await rig.source.sql("""
                CREATE DATABASE numbers; CREATE TABLE numbers.n (n INT PRIMARY KEY); INSERT INTO numbers.n VALUES (0),(1),(2),(3),(4),(5),(6),(7);
                CREATE DATABASE zip; CREATE TABLE zip.t (id INT PRIMARY KEY, v LONGTEXT, n INT);
                INSERT INTO zip.t VALUES (1, 'first', 0), (2, 'second', 0)
                """)
            try rig.plan(tables: #"{ include: ["zip.*"] }"#)
            try await rig.godwit(["migrate", "--until", "loaded"])
            // One transaction follows and no other: the first commit is its. Rows come and go within a batch, so that the servers have little to write.
            let round = """
                INSERT INTO zip.t SELECT 100 + help.n, REPEAT(CHAR(97 + help.n), 250000), 0 FROM numbers.n help;
                UPDATE zip.t SET n = n + 1 WHERE id < 10; DELETE FROM zip.t WHERE id >= 100;
                """
            try await rig.source.sql("""
                START TRANSACTION; \(String(repeating: round, count: 55))
                INSERT INTO zip.t SELECT 50 + help.n, REPEAT(CHAR(65 + help.n), 250000), 0 FROM numbers.n help;
                COMMIT
                """)
            let written = try await rig.source.value("""
                SELECT SUM(UNCOMPRESSED_BYTES_COUNTER) FROM performance_schema.binary_log_transaction_compression_stats WHERE LOG_TYPE = 'BINARY' AND COMPRESSION_TYPE = 'ZSTD'
                """)
            #expect((Int(written) ?? 0) > 200_000_000, "\(written) bytes")
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "follow.after-commit")
            try await godwit.halted()
            let status = try String(contentsOfFile: "/proc/\(godwit.process.pid)/status", encoding: .utf8)
            try await godwit.kill9()
            let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let kilobytes = try #require(peak?.split(separator: " ").compactMap { Int($0) }.first)
            #expect(kilobytes < 300_000, "VmHWM \(kilobytes) kB")
            let changed = try await rig.target.value("SELECT CONCAT(COUNT(*), ' ', SUM(n)) FROM zip.t")
            #expect(changed == "10 110")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("zip")
        }
    }
}
