import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// What goes wrong around a migration, or is at the edge of what its tables may be.
@Suite struct MigrationEdgeTests {
    private static let schema = "CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v INT); INSERT INTO e.t VALUES (1, 1), (2, 2), (3, 3)"

    private func prepared(_ body: (MigrationRig) async throws -> Void) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await body(rig)
        }
    }

    /// Somebody writes to the target: the log's next change of such a row finds it, or the comparison does. Never green.
    @Test(arguments: [
        ("DELETE FROM e.t WHERE id = 2", "UPDATE e.t SET v = 20 WHERE id = 2", 1),
        ("INSERT INTO e.t VALUES (4, 0)", "INSERT INTO e.t VALUES (4, 4)", 1),
        ("DELETE FROM e.t WHERE id = 2", "DELETE FROM e.t WHERE id = 2", 1),
        ("UPDATE e.t SET v = 77 WHERE id = 3", "UPDATE e.t SET v = 20 WHERE id = 2", 4),
        ("DELETE FROM e.t WHERE id = 3", "UPDATE e.t SET v = 20 WHERE id = 2", 4),
        ("INSERT INTO e.t VALUES (99, 99)", "UPDATE e.t SET v = 20 WHERE id = 2", 4),
    ])
    func aTargetThatSomebodyWritesTo(byHand: String, change: String, code: Int32) async throws {
        try await prepared { rig in
            try await rig.target.sql(byHand)
            try await rig.source.sql(change)
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: code)
            #expect(run.errors.contains("e.t"))
        }
    }

    /// Without the log from the checkpoint on there is nothing right to do but load again; nothing is jumped over.
    @Test(arguments: [true, false]) func aPurgedLog(gtids: Bool) async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: gtids)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("INSERT INTO e.t VALUES (4, 4); FLUSH BINARY LOGS; INSERT INTO e.t VALUES (5, 5); FLUSH BINARY LOGS")
            let newest = try await rig.source.sql("SHOW BINARY LOGS").last?.first ?? ""
            try await rig.source.sql("PURGE BINARY LOGS TO '\(newest)'; INSERT INTO e.t VALUES (6, 6)")
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: 1)
            #expect(run.errors.contains("purged"))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM e.t") == "3")
        }
    }

    @Test func twoRunnersOfOneTask() async throws {
        try await prepared { rig in
            let first = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "follow.begin")
            try await first.halted()
            let second = try await rig.godwit(["migrate", "--until", "validated"], expecting: 1)
            #expect(second.errors.contains("another Godwit"))
            try await first.kill9()
            try await rig.source.sql("UPDATE e.t SET v = 5")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
        }
    }

    /// A FLOAT names no row: such a table is read from one exact moment, and its rows are found by all columns.
    @Test func keysOfFloats() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE e; CREATE TABLE e.f (f FLOAT PRIMARY KEY, v INT); INSERT INTO e.f VALUES (0.5, 1), (-2, 2), (1e10, 3);
                CREATE TABLE e.d (d DOUBLE NOT NULL, v INT, UNIQUE (d)); INSERT INTO e.d VALUES (0.1, 1), (1e300, 2)
                """)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "caught-up"])
            try await rig.source.sql("UPDATE e.f SET f = f * 2 WHERE v < 3; DELETE FROM e.f WHERE v = 3; UPDATE e.d SET v = v + 1; INSERT INTO e.d VALUES (-0.25, 9)")
            try await rig.godwit(["migrate", "--until", "caught-up"])
            try await rig.expectEqual("e")
        }
    }

    /// CREATE … SELECT is one transaction with its rows. During the load its table is read as it is.
    @Test func createSelectDuringTheLoad() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "caught-up"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal],
                haltAt: "load.chunk.begin")
            try await godwit.halted()
            try await rig.source.sql("CREATE TABLE e.copy (PRIMARY KEY (id)) SELECT * FROM e.t; UPDATE e.copy SET v = v * 10")
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await rig.expectEqual("e")
        }
    }

    /// The next number on the target is never one that the source has given out.
    @Test func autoIncrementAtTheCutover() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE e; CREATE TABLE e.a (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v INT);
                INSERT INTO e.a (v) VALUES (1), (2), (3); CREATE TABLE e.empty (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 500
                """)
            try rig.plan(
                tables: #"{ include: ["e.*"] }"#,
                extra: "application: { profile: commands, stop: [\"true\"], switch: [\"true\"], switch_back: [\"true\"], start: [\"true\"] }")
            try await rig.godwit(["migrate", "--until", "validated"])
            // Given out and gone: no row shows these numbers.
            try await rig.source.sql("INSERT INTO e.a (v) VALUES (4), (5); DELETE FROM e.a WHERE v > 3; INSERT INTO e.empty VALUES (900); DELETE FROM e.empty")
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await rig.target.sql("INSERT INTO e.a (v) VALUES (6); INSERT INTO e.empty () VALUES ()")
            #expect(try await rig.target.value("SELECT MAX(id) FROM e.a") == "6")
            #expect(try await rig.target.value("SELECT MAX(id) FROM e.empty") == "901")
        }
    }
}
