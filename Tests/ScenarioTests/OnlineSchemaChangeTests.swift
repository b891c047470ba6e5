import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// gh-ost and pt-online-schema-change: a shadow table is made, filled by inserts and triggers, and takes the table's place by RENAME.
/// The shadow is within the plan (`app.*`) or outside of it.
@Suite struct OnlineSchemaChangeTests {
    private static let schema = """
        CREATE DATABASE app;
        CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20), u INT, UNIQUE KEY (u));
        CREATE TABLE app.other (id INT PRIMARY KEY, u INT, UNIQUE KEY (u));
        INSERT INTO app.t SELECT n, CONCAT('v', n), n FROM (WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s) x;
        INSERT INTO app.other VALUES (1, 1), (2, 2), (3, 3)
        """
    /// The shadow is copied in pieces beside changes of the table, as both tools do.
    private static let ghost = """
        CREATE TABLE app._t_gho LIKE app.t; ALTER TABLE app._t_gho ADD COLUMN x INT NOT NULL DEFAULT 5 AFTER id, ADD KEY (v);
        CREATE TABLE app._t_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, hint VARCHAR(64)) COMMENT 'gh-ost'; INSERT INTO app._t_ghc (hint) VALUES ('copy');
        INSERT IGNORE INTO app._t_gho (id, v, u) SELECT id, v, u FROM app.t WHERE id <= 150;
        UPDATE app.t SET v = 'changed' WHERE id = 7; REPLACE INTO app._t_gho (id, v, u) SELECT id, v, u FROM app.t WHERE id = 7;
        INSERT IGNORE INTO app._t_gho (id, v, u) SELECT id, v, u FROM app.t WHERE id > 150;
        RENAME TABLE app.t TO app._t_del, app._t_gho TO app.t;
        DROP TABLE app._t_ghc; DROP TABLE app._t_del;
        INSERT INTO app.t VALUES (1000, 6, 'behind', 1000); DELETE FROM app.t WHERE id = 8
        """
    private static let percona = """
        CREATE TABLE app._t_new LIKE app.t; ALTER TABLE app._t_new DROP COLUMN x, MODIFY v VARCHAR(90);
        CREATE TRIGGER app.pt_osc_ins AFTER INSERT ON app.t FOR EACH ROW REPLACE INTO app._t_new (id, v, u) VALUES (NEW.id, NEW.v, NEW.u);
        CREATE TRIGGER app.pt_osc_upd AFTER UPDATE ON app.t FOR EACH ROW REPLACE INTO app._t_new (id, v, u) VALUES (NEW.id, NEW.v, NEW.u);
        CREATE TRIGGER app.pt_osc_del AFTER DELETE ON app.t FOR EACH ROW DELETE IGNORE FROM app._t_new WHERE id = OLD.id;
        INSERT LOW_PRIORITY IGNORE INTO app._t_new (id, v, u) SELECT id, v, u FROM app.t WHERE id < 100;
        UPDATE app.t SET v = 'by trigger' WHERE id IN (3, 250); DELETE FROM app.t WHERE id = 9;
        INSERT LOW_PRIORITY IGNORE INTO app._t_new (id, v, u) SELECT id, v, u FROM app.t WHERE id >= 100;
        RENAME TABLE app.t TO app._t_old, app._t_new TO app.t;
        DROP TABLE app._t_old;
        INSERT INTO app.t VALUES (1001, REPEAT('w', 80), 1001)
        """
    /// Of a table that is exact while the other one is loaded: a swap of unique values, and a duplicate that only strict replay sees.
    private static let swap = "UPDATE app.other SET u = 99 WHERE id = 1; UPDATE app.other SET u = 1 WHERE id = 2; UPDATE app.other SET u = 2 WHERE id = 1"

    private static func expectSame(_ rig: MigrationRig, _ tables: [String], _ comment: String) async throws {
        for table in tables {
            #expect(try await rig.definition(table, on: rig.source) == rig.definition(table, on: rig.target), "\(comment): \(table)")
            let rows = "SELECT * FROM \(table) ORDER BY id"
            #expect(try await rig.source.sql(rows) == rig.target.sql(rows), "\(comment): \(table)")
        }
    }

    @Test(arguments: [#"{ include: ["app.*"] }"#, #"{ include: ["app.t", "app.other"] }"#, #"{ include: ["app.*"], exclude: ["app._*"] }"#])
    func afterTheConsistencyPoint(tables: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: tables)
            try await rig.godwit(["migrate", "--until", "validated"])
            for (tool, statements) in [("gh-ost", Self.ghost), ("pt-osc", Self.percona)] {
                try await rig.source.sql(statements + ";" + Self.swap)
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                #expect(run.code == 0, "\(tool) \(tables): \(run.errors)")
                try await Self.expectSame(rig, ["app.t", "app.other"], "\(tool) \(tables)")
            }
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(table_name ORDER BY 1) FROM information_schema.tables WHERE table_schema = 'app'") == "other,t")
        }
    }

    @Test(arguments: [#"{ include: ["app.*"] }"#, #"{ include: ["app.t", "app.other"] }"#])
    func duringTheLoad(tables: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: tables)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.chunk.begin")
            try await godwit.halted()
            try await rig.source.sql(Self.ghost + ";" + Self.swap + ";" + Self.percona)
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await Self.expectSame(rig, ["app.t", "app.other"], tables)
        }
    }

    /// While the table that came in is loaded, the others are followed strictly; killed in between, it goes on.
    @Test func oneTableIsLoadedWhileTheOthersAreFollowed() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["app.t", "app.other"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql(Self.ghost)
            for moment in ["definition.reset.after", "load.chunk.begin", "load.end", "replay.before-commit"] {
                let godwit = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await godwit.halted()
                try await rig.source.sql(Self.swap + "; UPDATE app.other SET u = u + 10 WHERE id = 3; UPDATE app.t SET u = u + 5000 WHERE id < 50; UPDATE app.t SET u = u - 5000 WHERE id < 50")
                try await godwit.kill9()
            }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, ["app.t", "app.other"], "killed")
        }
    }

    /// Rows that leave the plan leave the target; what comes in is loaded.
    @Test func acrossThePlansBorder() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + "; CREATE DATABASE o; CREATE TABLE o.in (id INT PRIMARY KEY, w TEXT); INSERT INTO o.in VALUES (1, 'w'), (2, NULL)".replacing("o.in", with: "o.`in`"))
            try rig.plan(tables: #"{ include: ["app.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("RENAME TABLE app.other TO o.other; RENAME TABLE o.`in` TO app.came; INSERT INTO app.came VALUES (3, 'x'); UPDATE app.t SET u = -u")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, ["app.t", "app.came"], "border")
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(table_name ORDER BY 1) FROM information_schema.tables WHERE table_schema = 'app'") == "came,t")
            try await rig.godwit(["migrate", "--cutover", "auto"])
        }
    }

    /// A table that others refer to by a unique key is loaded again: it stands without that key for a while.
    @Test func aParentIsLoadedAgain() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + "; CREATE TABLE app.child (id INT PRIMARY KEY, u INT, CONSTRAINT f FOREIGN KEY (u) REFERENCES app.t (u)); INSERT INTO app.child VALUES (1, 1), (2, 2); CREATE DATABASE o")
            try rig.plan(tables: #"{ include: ["app.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql(
                """
                CREATE TABLE o.t LIKE app.t; INSERT INTO o.t SELECT * FROM app.t; SET foreign_key_checks = 0;
                ALTER TABLE app.child DROP FOREIGN KEY f; RENAME TABLE app.t TO o.gone, o.t TO app.t; ALTER TABLE app.child ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES app.t (u);
                SET foreign_key_checks = 1; INSERT INTO app.child VALUES (3, 3); RENAME TABLE app.child TO app.kid
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, ["app.t", "app.kid"], "parent")
            // In one statement, with the key standing.
            try await rig.source.sql("SET foreign_key_checks = 0; CREATE TABLE o.t LIKE app.t; INSERT INTO o.t SELECT * FROM app.t; RENAME TABLE app.t TO o.gone2, o.t TO app.t; INSERT INTO app.t VALUES (900, 'n', 900)")
            try await rig.godwit(["migrate", "--until", "caught-up"])
            #expect(try await rig.target.value("SELECT COUNT(*) FROM app.t") == rig.source.value("SELECT COUNT(*) FROM app.t"))
        }
    }
}
