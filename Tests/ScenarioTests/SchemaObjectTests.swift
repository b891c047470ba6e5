import Foundation
import GodwitTesting
import MySQLWire
import Testing

/// Views, routines, triggers and events go where their tables go, and nothing happens twice on the way.
@Suite struct SchemaObjectTests {
    /// Every kind, with what makes moving it hard.
    static let schema = """
        CREATE DATABASE a; CREATE DATABASE b DEFAULT CHARACTER SET latin1;
        CREATE TABLE a.t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, w VARCHAR(50)); CREATE TABLE a.log (id INT AUTO_INCREMENT PRIMARY KEY, m VARCHAR(50));
        CREATE TABLE a.ticks (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6));
        CREATE TABLE b.t2 (id INT PRIMARY KEY); INSERT INTO a.t (n) VALUES (1), (2), (3); INSERT INTO b.t2 VALUES (1), (2);
        USE a; SET NAMES latin1;
        DELIMITER //
        CREATE FUNCTION f1(x INT) RETURNS VARCHAR(50) DETERMINISTIC COMMENT 'it''s `a` "func"' RETURN CONCAT('ä', x)//
        SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'//
        CREATE FUNCTION "fa""q`x"(x INT) RETURNS VARCHAR(50) NO SQL BEGIN DECLARE "y z" VARCHAR(10) DEFAULT '\\'; RETURN "y z" || x; END//
        SET sql_mode = DEFAULT//
        CREATE FUNCTION b.lat(x VARCHAR(9)) RETURNS VARCHAR(9) READS SQL DATA RETURN x//
        CREATE DEFINER=owner@'%' PROCEDURE p1(IN x INT, OUT y INT) SQL SECURITY INVOKER COMMENT 'p' BEGIN -- a line
        SELECT x + 1 INTO y; /* a comment */ END//
        CREATE TRIGGER zz BEFORE INSERT ON t FOR EACH ROW SET NEW.n = COALESCE(NEW.n, 0) + 1//
        CREATE TRIGGER aa BEFORE INSERT ON t FOR EACH ROW PRECEDES zz SET NEW.n = COALESCE(NEW.n, 0) * 2//
        CREATE TRIGGER `m``m` BEFORE INSERT ON t FOR EACH ROW FOLLOWS aa SET NEW.w = 'ß'//
        CREATE DEFINER=owner@'%' TRIGGER ai AFTER INSERT ON t FOR EACH ROW INSERT INTO log (m) VALUES (CONCAT('ins ', NEW.id))//
        CREATE TRIGGER au AFTER UPDATE ON t FOR EACH ROW INSERT INTO log (m) VALUES (CONCAT('upd ', NEW.id))//
        SET time_zone = '+03:00'//
        CREATE EVENT `DO ENABLE` ON SCHEDULE EVERY 1 SECOND ON COMPLETION PRESERVE ENABLE COMMENT 'e''v' DO INSERT INTO ticks () VALUES ()//
        CREATE EVENT off_1 ON SCHEDULE AT '2035-01-01 00:00:00' DISABLE DO SELECT 1//
        CREATE EVENT off_2 ON SCHEDULE EVERY '1:10' MINUTE_SECOND STARTS '2020-01-01 00:00:00' ENDS '2035-01-01' DISABLE ON SLAVE DO BEGIN SELECT 1; END//
        CREATE DEFINER=owner@'%' EVENT later ON SCHEDULE AT '2036-01-01 00:00:00' DO SELECT 'ENABLE'//
        SET time_zone = DEFAULT//
        CREATE SQL SECURITY INVOKER VIEW v1 AS SELECT id, f1(n) AS `f``x` FROM t WHERE COALESCE(w, '') <> 'ö' WITH CASCADED CHECK OPTION//
        CREATE ALGORITHM=MERGE DEFINER=owner@'%' VIEW a0 (`c``1`) AS SELECT id FROM v1//
        CREATE VIEW b.vv AS SELECT * FROM a.a0 JOIN b.t2 ON t2.id = a0.`c``1`//
        CREATE VIEW aaa AS SELECT COUNT(*) AS n FROM b.vv//
        DELIMITER ;
        """

    static let accounts = "CREATE USER owner@'%'; GRANT ALL ON *.* TO owner@'%'; SET GLOBAL log_bin_trust_function_creators = 1;"

    /// What a server says of its objects, without the times at which they were made.
    static let listing: [String] = [
        "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, IS_UPDATABLE, DEFINER, SECURITY_TYPE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN ('a', 'b') ORDER BY 1, 2",
        "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DTD_IDENTIFIER, HEX(ROUTINE_DEFINITION), IS_DETERMINISTIC, SQL_DATA_ACCESS, SECURITY_TYPE, SQL_MODE, ROUTINE_COMMENT, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN ('a', 'b') ORDER BY 1, 2",
        "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, HEX(ACTION_STATEMENT), SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ('a', 'b') ORDER BY 1, 2",
        "SELECT EVENT_SCHEMA, EVENT_NAME, DEFINER, TIME_ZONE, HEX(EVENT_DEFINITION), EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, SQL_MODE, STARTS, ENDS, STATUS = 'ENABLED', ON_COMPLETION, EVENT_COMMENT, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN ('a', 'b') ORDER BY 1, 2",
        "SHOW CREATE VIEW a.aaa; SHOW CREATE VIEW a.a0; SHOW CREATE FUNCTION a.f1; SHOW CREATE PROCEDURE a.p1",
    ]

    static func expectSame(_ rig: MigrationRig, _ queries: ArraySlice<String> = listing[...]) async throws {
        for query in queries {
            let (wanted, found) = (try await rig.source.sql(query), try await rig.target.sql(query))
            #expect(!wanted.isEmpty, "\(query)")
            #expect(wanted == found, "\(query)")
        }
    }

    static func with(_ body: (MigrationRig) async throws -> Void) async throws {
        try await MigrationRig.with { rig in
            for server in [rig.source, rig.target] { try await server.sql(accounts) }
            try await rig.source.sql(schema)
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"] }"#,
                extra: "application: { profile: commands, switch: [[\"true\"]], switch_back: [[\"true\"]] }")
            try await body(rig)
        }
    }

    /// Writes to the source as an application does, until the source refuses.
    static func writer(_ rig: MigrationRig) -> Task<Int, any Error> {
        Task {
            var written = 0
            while !Task.isCancelled {
                do {
                    try await rig.source.sql("INSERT INTO a.t (n) VALUES (\(written)); UPDATE a.t SET n = n + 1 WHERE id = 1")
                } catch {
                    if "\(error)".contains("read-only") { return written }
                    throw error
                }
                written += 1
            }
            return written
        }
    }

    @Test func everythingIsMovedAndNothingHappensTwice() async throws {
        try await Self.with { rig in
            let writer = Self.writer(rig)
            defer { writer.cancel() }
            let godwit = try await GodwitProcess.start(
                ["migrate", "--cutover", "auto"], in: rig.folder, environment: ["GODWIT_MOMENTS": "1"], haltAt: "cutover.point_of_no_return.begin")
            do {
                try await godwit.halted(within: .seconds(120))
                // All of it stands, events are off, and only the source's own events and triggers have written.
                #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'a' AND STATUS = 'ENABLED'") == "0")
                try await Self.expectSame(rig, Self.listing.prefix(3))
                for schema in ["a", "b"] { try await rig.expectEqual(schema) }
                #expect(try await writer.value > 0)
                try await godwit.kill9()
            } catch {
                try await godwit.kill9()
                throw error
            }
            try await rig.godwit(["migrate", "--cutover", "auto"])
            #expect(try await rig.source.value("SELECT @@GLOBAL.super_read_only") == "1")
            try await Self.expectSame(rig)
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'a' AND STATUS = 'ENABLED'") == "2")
            // Each insert and each update of t has one line in the log, but for the rows from before the triggers.
            #expect(try await rig.target.sql("SELECT COUNT(*) FROM a.t WHERE id > 3") == rig.target.sql("SELECT COUNT(*) FROM a.log WHERE m LIKE 'ins%'"))
            // And now they fire here.
            let before = try await rig.target.value("SELECT COUNT(*) FROM a.log")
            try await rig.target.sql("INSERT INTO a.t (n) VALUES (7)")
            #expect(Int(try await rig.target.value("SELECT COUNT(*) FROM a.log")) == (Int(before) ?? 0) + 1)
            #expect(try await rig.target.value("SELECT CONCAT(n, w) FROM a.t ORDER BY id DESC LIMIT 1") == rig.source.value("SELECT CONCAT(15, w) FROM a.t WHERE id = 4"))
            let ticks = try await rig.target.value("SELECT COUNT(*) FROM a.ticks")
            try await withTimeLimit(.seconds(20), "the event does not run on the target") {
                while try await rig.target.value("SELECT COUNT(*) FROM a.ticks") == ticks {}
            }
        }
    }
}
