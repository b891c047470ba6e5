import Foundation
import GodwitTesting
import SystemPackage
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
        ALTER DATABASE b COLLATE utf8mb4_bin//
        CREATE FUNCTION b.bin(x VARCHAR(9)) RETURNS VARCHAR(9) READS SQL DATA RETURN x//
        CREATE TRIGGER b.tb BEFORE INSERT ON b.t2 FOR EACH ROW SET NEW.id = NEW.id//
        ALTER DATABASE b COLLATE latin1_german1_ci//
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

    /// Writes to the source as an application does, until the source refuses; with `waits` it tries again until it is cancelled.
    static func writer(_ rig: MigrationRig, waits: Bool = false) -> Task<Int, any Error> {
        Task {
            var written = 0
            while !Task.isCancelled {
                do {
                    try await rig.source.sql("INSERT INTO a.t (n) VALUES (\(written)); UPDATE a.t SET n = n + 1 WHERE id = 1")
                    written += 1
                } catch {
                    if Task.isCancelled { return written }
                    guard "\(error)".contains("read-only") else { throw error }
                    if !waits { return written }
                }
            }
            return written
        }
    }

    /// What of the source's objects would do something by itself on the target.
    static func active(_ rig: MigrationRig) async throws -> [[String]] {
        try await rig.target.sql(
            """
            SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ('a', 'b');
            SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN ('a', 'b') AND STATUS = 'ENABLED'
            """)
    }

    @Test func everythingIsMovedAndNothingHappensTwice() async throws {
        try await Self.with { rig in
            let writer = Self.writer(rig)
            defer { writer.cancel() }
            let godwit = try await GodwitProcess.start(
                ["migrate", "--cutover", "auto"], in: rig.folder, environment: ["GODWIT_MOMENTS": "1"], haltAt: "cutover.point_of_no_return.begin")
            do {
                try await godwit.halted(within: .seconds(400))
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

    /// A cutover that does not come to its switch takes the triggers away before the stream goes on; what the source changes meanwhile
    /// is made anew.
    @Test func anUndoneCutoverLeavesNoTrigger() async throws {
        try await Self.with { rig in
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"] }"#,
                extra: "application: { profile: commands, switch: [[\"false\"]], switch_back: [[\"true\"]] }")
            let undone = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: 3)
            #expect(undone.errors.contains("switch"), "\(undone.errors)")
            #expect(try await Self.active(rig).isEmpty)
            #expect(try await rig.source.value("SELECT @@GLOBAL.super_read_only") == "0")
            try await rig.source.sql(
                """
                INSERT INTO a.t (n) VALUES (9); DROP FUNCTION b.bin; DROP TRIGGER a.zz; DROP VIEW a.aaa; ALTER EVENT a.later DISABLE;
                CREATE PROCEDURE a.more() SELECT 1; ALTER VIEW a.a0 AS SELECT id AS `c``1` FROM a.t; DROP EVENT a.off_1;
                CREATE EVENT a.off_1 ON SCHEDULE EVERY 1 HOUR DO SELECT 2; CREATE VIEW a.aaa AS SELECT * FROM a.t; DROP PROCEDURE a.p1;
                CREATE DEFINER=owner@'%' PROCEDURE a.p1() SELECT 2; CREATE TRIGGER b.more BEFORE UPDATE ON b.t2 FOR EACH ROW SET NEW.id = NEW.id + 0
                """)
            try await rig.godwit(["migrate", "--until", "caught-up"])
            try await rig.source.sql("SET GLOBAL event_scheduler = OFF")
            try await rig.godwit(["migrate", "--until", "validated"])
            for schema in ["a", "b"] { try await rig.expectEqual(schema) }
            #expect(try await Self.active(rig).isEmpty)
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"] }"#,
                extra: "application: { profile: commands, switch: [[\"true\"]], switch_back: [[\"true\"]] }")
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await Self.expectSame(rig)
            #expect(try await Self.active(rig).count == 8)
            #expect(try await rig.target.value("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'b'") == "latin1_german1_ci")
        }
    }

    /// `kill -9` wherever an object is made, with a writer that never gives up: each time the same command, and each change once.
    @Test func killedWhileObjectsAreMade() async throws {
        try await Self.with { rig in
            let writer = Self.writer(rig, waits: true)
            defer { writer.cancel() }
            for moment in [
                "objects.make:2", "objects.default", "objects.made:5", "objects.trigger:3", "cutover.triggers.end", "cutover.triggers.undo",
                "cutover.journal.triggers.undone", "cutover.switch_application.begin", "cutover.point_of_no_return.end",
            ] {
                let godwit = try await GodwitProcess.start(["migrate", "--cutover", "auto"], in: rig.folder, haltAt: moment)
                do {
                    try await godwit.halted(within: .seconds(400))
                } catch {
                    try await godwit.kill9()
                    throw TestingError("waiting for \(moment): \(error)\n\(godwit.standardError.tail(20))")
                }
                try await godwit.kill9()
            }
            writer.cancel()
            #expect(try await writer.value > 0)
            try await rig.godwit(["migrate", "--cutover", "auto"])
            for schema in ["b"] { try await rig.expectEqual(schema) }
            for table in ["t", "log"] {
                let query = "SELECT * FROM a.\(table) ORDER BY id"
                #expect(try await rig.source.sql(query) == rig.target.sql(query))
            }
            try await Self.expectSame(rig)
            #expect(try await rig.target.value("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'b'") == "latin1_german1_ci")
        }
    }

    /// A switch that cannot be undone is carried on by the next run, which follows the source again first: the triggers go before that.
    @Test func carriedOnWithoutTheTriggersOfBefore() async throws {
        try await Self.with { rig in
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"] }"#, extra: "application: { profile: commands, switch: [[\"true\"]] }")
            // Once cut over the target's own event would write what the source does not have.
            try await rig.target.sql("SET GLOBAL event_scheduler = OFF")
            let godwit = try await GodwitProcess.start(["migrate", "--cutover", "auto"], in: rig.folder, haltAt: "cutover.switch_application.begin")
            try await godwit.halted(within: .seconds(400))
            try await godwit.kill9()
            #expect(try await Self.active(rig).count == 6)
            // Somebody opens the source by hand.
            try await rig.source.sql(
                "SET GLOBAL event_scheduler = OFF; SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF; INSERT INTO a.t (n) VALUES (5), (6)")
            try await rig.godwit(["migrate", "--cutover", "auto"])
            for schema in ["a", "b"] { try await rig.expectEqual(schema) }
            try await Self.expectSame(rig)
        }
    }

    @Test func withoutLeavesThemBehind() async throws {
        try await Self.with { rig in
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"] }"#,
                extra: "application: { profile: none }\nwithout: [views, routines, triggers, events]")
            let run = try await rig.godwit(["migrate", "--cutover", "auto"])
            for name in ["a.v1", "a.f1", "`zz`", "a.later"] { #expect((run.output + run.errors).contains(name), "\(run.output) \(run.errors)") }
            for query in Self.listing.prefix(4) { #expect(try await rig.target.sql(query).isEmpty) }
        }
    }

    /// What is on the target already: kept where it is the same, refused by name or replaced where it is not.
    @Test func whatTheTargetHasAlready() async throws {
        try await Self.with { rig in
            try await rig.source.sql("SET GLOBAL event_scheduler = OFF")
            try await rig.target.sql("CREATE DATABASE a; CREATE PROCEDURE a.p1() SELECT 'mine'; CREATE PROCEDURE a.own() SELECT 'mine'")
            let refused = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 2)
            #expect(refused.errors.contains("procedure a.p1") && refused.errors.contains("DROP PROCEDURE"), "\(refused.errors)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'godwit'") == "0")
            try rig.plan(
                tables: #"{ include: ["a.*", "b.*"], exclude: ["a.aaa"] }"#, extra: "task: { FullLoadSettings: { TargetTablePrepMode: DROP_AND_CREATE } }")
            let run = try await rig.godwit(["migrate", "--until", "loaded"])
            #expect((run.output + run.errors).contains("procedure a.p1 of the target is replaced"), "\(run.output) \(run.errors)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'a' AND TABLE_NAME = 'aaa'") == "0")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'a' AND ROUTINE_NAME = 'own'") == "1")
            try await Self.expectSame(rig, Self.listing[4...].map { $0.replacing("SHOW CREATE VIEW a.aaa; ", with: "") }[...])
        }
    }

    /// Somebody changes an object on the target: the run ends, and is not green.
    @Test func aDifferenceIsNotGreen() async throws {
        try await Self.with { rig in
            try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
            try await rig.target.sql("ALTER VIEW a.a0 AS SELECT id AS `c``1` FROM a.t LIMIT 1")
            let run = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: 4)
            #expect((run.output + run.errors).contains("The view a.a0 is not the same on the target"), "\(run.output) \(run.errors)")
            let status = try await rig.godwit(["status"], expecting: nil)
            #expect(status.output.contains("a.a0"), "\(status.output)")
        }
    }

    /// The grants that the README names, and no other.
    @Test func theReadmesGrantsAreEnough() async throws {
        try await Self.with { rig in
            let schemas = ["a", "b"]
            var source = "CREATE USER few; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN, SHOW_ROUTINE ON *.* TO few;"
            var target = "CREATE USER few; GRANT SHOW_ROUTINE, SET_ANY_DEFINER, SYSTEM_USER, PROCESS ON *.* TO few;"
            for schema in schemas { source += "GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON \(schema).* TO few;" }
            for schema in schemas + ["godwit"] {
                target += "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON \(schema).* TO few;"
            }
            for schema in schemas { target += "GRANT CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, TRIGGER, EVENT ON \(schema).* TO few;" }
            try await rig.source.sql(source)
            try await rig.target.sql(target)
            try rig.plan(tables: #"{ include: ["a.*", "b.*"] }"#, extra: "application: { profile: none }")
            let file = rig.folder.appending("godwit.yml").string
            let plan = try String(contentsOfFile: file, encoding: .utf8).replacing("user: godwit", with: "user: few")
            try Data(plan.utf8).write(to: URL(fileURLWithPath: file))
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await Self.expectSame(rig)
        }
    }
}
