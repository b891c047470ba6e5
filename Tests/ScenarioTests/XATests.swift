import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// XA transactions: applied at their outcome, wherever Godwit and the source are restarted in between.
@Suite struct XATests {
    private static func prepare(_ name: String, _ sql: String) -> String { "XA START \(name); \(sql); XA END \(name); XA PREPARE \(name)" }

    private static let schema = """
        CREATE DATABASE x; CREATE TABLE x.t (id INT PRIMARY KEY, v VARCHAR(20), u INT UNIQUE); CREATE TABLE x.k (a INT, b INT); CREATE DATABASE o; CREATE TABLE o.t (id INT PRIMARY KEY);
        INSERT INTO x.t VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3); INSERT INTO x.k VALUES (1, 1), (1, 1)
        """

    private static let mysql = (source: ServerFlavour.mysql9, target: ServerFlavour.mysql9)

    /// Names of one length: MySQL 9.7 forgets prepared transactions when it restarts and their names differ in length (measured).
    @Test(arguments: [(true, mysql), (false, mysql), (true, (.mariadb, .mariadb11))])
    func decidedAfterRestarts(gtids: Bool, flavours: (source: ServerFlavour, target: ServerFlavour)) async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: gtids), flavours: flavours) { rig in
            // Without GTIDs the log is followed from the start of a file, and a table that comes in it is read again, under a lock.
            try await rig.source.sql(Self.schema + "; FLUSH BINARY LOGS")
            try rig.plan(tables: #"{ include: ["x.*"] }"#)
            let first = try await GodwitProcess.start(["migrate", "--until", "loaded"], in: rig.folder, haltAt: "load.end")
            try await first.halted()
            // Prepared before the consistency point: decided before it, after it, and never by name of the plan's tables.
            try await rig.source.sql(Self.prepare("'early'", "INSERT INTO x.t VALUES (10, 'early', 10); UPDATE x.t SET v = 'e' WHERE id = 1"))
            try await rig.source.sql(Self.prepare("'late', 'b\\'r', 7", "INSERT INTO x.t VALUES (11, 'late', 11); DELETE FROM x.t WHERE id = 2; INSERT INTO x.k VALUES (5, 5)"))
            try await rig.source.sql(Self.prepare("'nope', 'b\\'r', 7", "INSERT INTO x.t VALUES (12, 'never', 12)"))
            try await rig.source.sql(Self.prepare("'else', 'b\\'r', 7", "INSERT INTO o.t VALUES (1)"))
            try await rig.source.sql("XA COMMIT 'early'; XA START 'one'; INSERT INTO x.t VALUES (13, 'one phase', 13); XA END 'one'; XA COMMIT 'one' ONE PHASE")
            try await first.kill9()
            try await rig.godwit(["migrate", "--until", "loaded"])
            #expect(try await rig.target.value("SELECT COUNT(DISTINCT xid) FROM godwit.xa WHERE xid <> ''") == "3")
            try await rig.source.restart()
            try await rig.source.sql("XA COMMIT 'late', 'b\\'r', 7; XA ROLLBACK 'nope', 'b\\'r', 7; XA COMMIT 'else', 'b\\'r', 7")
            try await rig.source.sql(Self.prepare("'again'", "UPDATE x.t SET u = 30 WHERE id = 3; INSERT INTO x.k VALUES (6, 6)"))
            let second = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "xa.kept")
            try await second.halted()
            try await second.kill9()
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("x", "while one is prepared")
            try await rig.source.restart()
            // The same name twice, once forgotten.
            try await rig.source.sql("XA COMMIT 'again'; " + Self.prepare("'again'", "DELETE FROM x.t WHERE id = 1") + "; XA ROLLBACK 'again'; "
                + Self.prepare("'again'", "INSERT INTO x.t VALUES (20, 'twice', 20)") + "; XA COMMIT 'again'")
            let third = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "follow.before-commit")
            try await third.halted()
            try await third.kill9()
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("x", "at the end")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.xa WHERE xid <> ''") == "0")
        }
    }

    /// Too large to hold: kept, and applied, part by part.
    @Test func largerThanMemory() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + "; CREATE TABLE x.big (id INT PRIMARY KEY, v TEXT)")
            try rig.plan(tables: #"{ include: ["x.*"] }"#, extra: "task: { ChangeProcessingTuning: { MemoryLimitTotal: 8 } }")
            try await rig.godwit(["migrate", "--until", "loaded"])
            let rows = { (first: Int) in "INSERT INTO x.big VALUES " + (first..<first + 3000).map { "(\($0), REPEAT('x', 3000))" }.joined(separator: ",") }
            try await rig.source.sql(Self.prepare("'big'", rows(0) + "; DELETE FROM x.t WHERE id = 1") + "; INSERT INTO x.t VALUES (9, 'between', 9)")
            try await rig.source.sql("XA START 'one'; " + rows(10_000) + "; XA END 'one'; XA COMMIT 'one' ONE PHASE")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("x", "prepared")
            try await rig.source.sql("XA COMMIT 'big'")
            try await rig.source.sql(Self.prepare("'soon'", rows(20_000)) + "; XA COMMIT 'soon'")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("x", "committed")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.xa WHERE xid <> ''") == "0")
        }
    }

    /// What is prepared before the start is in no log behind it: waited for, and `status` says so.
    @Test func preparedBeforeTheStart() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + "; " + Self.prepare("'old'", "INSERT INTO x.t VALUES (50, 'old', 50)"))
            try rig.plan(tables: #"{ include: ["x.*"] }"#)
            let run = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder)
            try await run.moment("prepare.xa-wait")
            let status = try await rig.godwit(["status"], expecting: nil)
            #expect(status.output.contains("prepared XA transactions"), "\(status.output) \(status.errors)")
            try await rig.source.sql(Self.prepare("'new'", "UPDATE x.t SET v = 'new' WHERE id = 3") + "; XA COMMIT 'old'; UPDATE x.t SET v = 'x' WHERE id = 50; XA COMMIT 'new'")
            #expect(try await run.exit() == .code(0), "\(run.standardError.lines)")
            try await rig.expectEqual("x")
        }
    }
}
