import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// The source becomes another server of the same GTID lineage, or loses something, or changes how it numbers transactions.
@Suite struct SourceContinuityTests {
    private static let schema = """
        CREATE DATABASE c; CREATE TABLE c.t (id INT PRIMARY KEY, v INT, UNIQUE KEY (v)); CREATE TABLE c.k (a INT);
        INSERT INTO c.t VALUES (1, 1), (2, 2), (3, 3); INSERT INTO c.k VALUES (1), (1), (2)
        """

    /// A replica of the rig's source, at its position.
    private static func withReplica(_ rig: MigrationRig, _ body: (TestServer) async throws -> Void) async throws {
        try await rig.source.sql("CREATE USER repl@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        try await withServer { replica in
            try await replica.sql(
                """
                RESET BINARY LOGS AND GTIDS;
                CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = \(rig.source.port), SOURCE_USER = 'repl', SOURCE_PASSWORD = 'r',
                  SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;
                START REPLICA
                """)
            try await level(replica, with: rig.source)
            try await body(replica)
        }
    }

    private static func level(_ replica: TestServer, with source: TestServer) async throws {
        let executed = try await source.value("SELECT @@GLOBAL.gtid_executed")
        #expect(try await replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET('\(executed)', 60)") == "0")
    }

    /// The plan's port, turned by hand.
    private static func turn(_ rig: MigrationRig, to server: TestServer) throws -> MigrationRig {
        let other = MigrationRig(source: server, target: rig.target, folder: rig.folder)
        try other.plan(tables: #"{ include: ["c.*"] }"#)
        return other
    }

    @Test func aReplicaTakesOver() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try await Self.withReplica(rig) { replica in
                let after = try Self.turn(rig, to: replica)
                _ = try Self.turn(rig, to: rig.source)
                try await rig.godwit(["migrate", "--until", "validated"])
                try await rig.source.sql("UPDATE c.t SET v = v + 100; INSERT INTO c.k VALUES (9); ALTER TABLE c.t ADD COLUMN x INT DEFAULT 4")
                try await Self.level(replica, with: rig.source)
                try await rig.source.stop()
                try await replica.sql("STOP REPLICA; RESET REPLICA ALL; UPDATE c.t SET v = v - 50 WHERE id = 2; DELETE FROM c.k WHERE a = 1 LIMIT 1; RENAME TABLE c.t TO c.u")
                _ = try Self.turn(rig, to: replica)
                try await after.godwit(["migrate", "--until", "validated"])
                try await after.expectEqual("c", "after the failover")
                // And back again: the first server is behind now, and says so by name.
                try await rig.source.start()
                _ = try Self.turn(rig, to: rig.source)
                let behind = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
                #expect(behind.errors.contains("lacks transactions that the target holds"), "\(behind.errors)")
            }
            try await withServer { stranger in
                try await stranger.sql("CREATE USER godwit; GRANT ALL ON *.* TO godwit; CREATE DATABASE c; CREATE TABLE c.u (id INT PRIMARY KEY)")
                let refused = try await Self.turn(rig, to: stranger).godwit(["migrate", "--until", "validated"], expecting: 2)
                #expect(refused.errors.contains("another lineage"), "\(refused.errors)")
            }
        }
    }

    /// MariaDB's positions are files of one server: the place is found again by the number of the last transaction.
    @Test(arguments: [ServerFlavour.mariadb, .mariadb11]) func aMariaDBReplicaTakesOver(flavour: ServerFlavour) async throws {
        try await MigrationRig.with(flavours: (flavour, flavour)) { rig in
            try await rig.source.sql(Self.schema + "; CREATE USER repl@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
            try await withServer(flavour) { replica in
                // Its own files are others: rotated, and with other things in between.
                let plain = flavour == .mariadb11 ? ", MASTER_SSL_VERIFY_SERVER_CERT = 0" : ""
                try await replica.sql(
                    """
                    RESET MASTER; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = \(rig.source.port), MASTER_USER = 'repl', MASTER_PASSWORD = 'r',
                      MASTER_USE_GTID = slave_pos\(plain);
                    START SLAVE; FLUSH BINARY LOGS; FLUSH BINARY LOGS
                    """)
                func level() async throws {
                    let end = try await rig.source.value("SELECT @@GLOBAL.gtid_binlog_pos")
                    #expect(try await replica.value("SELECT MASTER_GTID_WAIT('\(end)', 60)") == "0")
                }
                let after = try Self.turn(rig, to: replica)
                _ = try Self.turn(rig, to: rig.source)
                try await rig.godwit(["migrate", "--until", "validated"])
                try await rig.source.sql("UPDATE c.t SET v = v + 100; INSERT INTO c.k VALUES (9); ALTER TABLE c.t ADD COLUMN x INT DEFAULT 4; FLUSH BINARY LOGS; UPDATE c.t SET x = id")
                try await level()
                // The target is a transaction ahead of what is followed next, behind it, and level with it.
                try await rig.godwit(["migrate", "--until", "validated"])
                try await rig.source.sql("UPDATE c.k SET a = a + 1; DELETE FROM c.t WHERE id = 3")
                try await level()
                try await rig.source.stop()
                try await replica.sql("STOP SLAVE; RESET SLAVE ALL; UPDATE c.t SET v = v - 50 WHERE id = 2; FLUSH BINARY LOGS; DELETE FROM c.k WHERE a = 2 LIMIT 1; RENAME TABLE c.t TO c.u")
                _ = try Self.turn(rig, to: replica)
                try await after.godwit(["migrate", "--until", "validated"])
                try await after.expectEqual("c", "after the failover")
                try await replica.sql("INSERT INTO c.u VALUES (50, 50, 50); ALTER TABLE c.k ADD COLUMN b INT; UPDATE c.k SET b = a")
                try await after.godwit(["migrate", "--until", "validated"])
                try await after.expectEqual("c", "on the new server")
                // The first server never had what the target holds.
                try await rig.source.start()
                _ = try Self.turn(rig, to: rig.source)
                let behind = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
                #expect(behind.errors.contains("lacks transactions that the target holds"), "\(behind.errors)")
                // It wrote on by itself: the same numbers, other transactions.
                try await rig.source.sql("INSERT INTO c.k VALUES (1), (2); UPDATE c.k SET a = 3; UPDATE c.k SET a = 4; UPDATE c.k SET a = 5; UPDATE c.k SET a = 6; UPDATE c.k SET a = 7; UPDATE c.k SET a = 8; UPDATE c.k SET a = 9")
                let other = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
                #expect(other.errors.contains("of another lineage"), "\(other.errors)")
            }
        }
    }

    /// Rows that a chunk read of the old source and the new one never had: the tables are loaded again.
    @Test(arguments: ["load.end", "replay.before-commit"]) func duringTheLoad(moment: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try await Self.withReplica(rig) { replica in
                // What follows is on the source alone, and lost with it.
                try await replica.sql("STOP REPLICA; RESET REPLICA ALL")
                _ = try Self.turn(rig, to: rig.source)
                if moment == "load.end" { try await rig.source.sql("INSERT INTO c.t VALUES (77, 77); INSERT INTO c.k VALUES (77)") }
                let godwit = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "load.chunk.begin")
                try await godwit.halted()
                try await godwit.kill9()
                // P0 is from before them where the checkpoint has to be on the new server.
                try await rig.source.sql("INSERT INTO c.t VALUES (78, 78); INSERT INTO c.k VALUES (78)")
                let second = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await second.halted()
                try await second.kill9()
                try await rig.source.stop()
                try await replica.sql("INSERT INTO c.t VALUES (79, 79)")
                let after = try Self.turn(rig, to: replica)
                let run = try await after.godwit(["migrate", "--until", "validated"], expecting: nil)
                if moment == "load.end" {
                    // P0 itself was taken after what is lost.
                    #expect(run.code == 3 && run.errors.contains("lacks transactions"), "\(run.errors)")
                } else {
                    #expect(run.code == 0, "\(run.errors)")
                    try await after.expectEqual("c", moment)
                }
            }
        }
    }

    /// Begun by file positions, a task does not care how the source numbers its transactions.
    @Test(arguments: ["following", "load.chunk.begin"]) func gtidsAreSwitchedOnAndOff(moment: String) async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: false)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["c.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            if moment == "following" { try await rig.godwit(["migrate", "--until", "validated"]) }
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal],
                haltAt: moment == "following" ? "follow.begin" : moment)
            try await godwit.halted()
            let steps = [
                "ENFORCE_GTID_CONSISTENCY = ON", "GTID_MODE = OFF_PERMISSIVE", "GTID_MODE = ON_PERMISSIVE", "GTID_MODE = ON",
                "GTID_MODE = ON_PERMISSIVE", "GTID_MODE = OFF_PERMISSIVE", "GTID_MODE = OFF",
            ]
            for (number, step) in steps.enumerated() {
                try await rig.source.sql("SET GLOBAL \(step); INSERT INTO c.t (id, v) VALUES (\(100 + number), \(100 + number)); UPDATE c.k SET a = a + 1; FLUSH BINARY LOGS")
                if step == "GTID_MODE = ON" { try await rig.source.sql("ALTER TABLE c.t ADD COLUMN x INT; INSERT INTO c.t VALUES (200, 200, 1)") }
            }
            try Data().write(to: URL(fileURLWithPath: signal))
            // A server that has no GTIDs any more does not send what it logged with them: said by name, with the cure.
            #expect(try await godwit.exit() == .code(3), "\(godwit.standardError.lines)")
            #expect(godwit.standardError.lines.contains { $0.contains("gtid_mode = OFF_PERMISSIVE") })
            try await rig.source.sql("SET GLOBAL gtid_mode = OFF_PERMISSIVE")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("c", moment)
            try await rig.godwit(["migrate", "--cutover", "auto"])
        }
    }

    /// Tags, gaps and rotation are nothing special; a transaction without a GTID stops, by name, and is not passed over.
    @Test func tagsGapsAndTheEndOfGTIDs() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["c.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql(
                """
                SET gtid_next = 'AUTOMATIC:tag_a'; UPDATE c.t SET v = v + 10; FLUSH BINARY LOGS; INSERT INTO c.t VALUES (10, 10);
                SET gtid_next = 'dddddddd-0000-0000-0000-00000000000d:5'; INSERT INTO c.t VALUES (11, 111);
                SET gtid_next = 'dddddddd-0000-0000-0000-00000000000d:3'; INSERT INTO c.t VALUES (14, 114);
                SET gtid_next = 'dddddddd-0000-0000-0000-00000000000d:tag_b:9'; DELETE FROM c.k WHERE a = 2; SET gtid_next = 'AUTOMATIC'; FLUSH BINARY LOGS; INSERT INTO c.k VALUES (5)
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("c", "tags and gaps")
            // There and back without a transaction that has none: it goes on.
            try await rig.source.sql("SET GLOBAL gtid_mode = ON_PERMISSIVE; INSERT INTO c.t VALUES (12, 112)")
            let stopped = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
            #expect(stopped.errors.contains("gtid_mode is ON_PERMISSIVE"), "\(stopped.errors)")
            try await rig.source.sql("SET GLOBAL gtid_mode = ON; INSERT INTO c.t VALUES (16, 116)")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("c", "permissive")
            // With one that has none: never passed over.
            try await rig.source.sql(
                "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE; INSERT INTO c.t VALUES (13, 113); SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = ON; INSERT INTO c.t VALUES (15, 115)")
            let lost = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
            #expect(lost.errors.contains("a transaction without a GTID"), "\(lost.errors)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM c.t WHERE id = 13") == "0")
        }
    }
}
