import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Definitions change on the source while the migration runs: before the consistency point the tables are loaded again, from it on
/// the statement is carried out on the target, once.
@Suite struct DefinitionChangeTests {
    private static let schema = """
        CREATE DATABASE e;
        CREATE TABLE e.t (id INT PRIMARY KEY, v VARCHAR(20), n INT NOT NULL DEFAULT 0);
        CREATE TABLE e.p (id INT PRIMARY KEY, k INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN MAXVALUE);
        CREATE TABLE e.keyless (a INT, b VARCHAR(10));
        INSERT INTO e.t (id, v) VALUES (1, 'one'), (2, 'two'), (3, 'three');
        INSERT INTO e.p VALUES (1, 1), (5, 5), (50, 50);
        INSERT INTO e.keyless VALUES (1, 'x'), (1, 'x'), (2, 'y')
        """

    /// Each with changes of rows around it, in tables whose definition is the one before and the one after.
    private static let statements: [[String]] = [
        ["ALTER TABLE e.t ADD COLUMN x INT DEFAULT 7 AFTER id", "UPDATE e.t SET x = id WHERE id < 3", "INSERT INTO e.t VALUES (4, 4, 'four', 0)"],
        ["ALTER TABLE e.t DROP COLUMN n", "INSERT INTO e.t VALUES (5, 5, 'five')"],
        ["ALTER TABLE e.t CHANGE v w VARCHAR(40) CHARACTER SET latin1 NOT NULL DEFAULT ''", "INSERT INTO e.t VALUES (6, 6, 'sechs ü')"],
        ["CREATE UNIQUE INDEX u ON e.t (w)", "UPDATE e.t SET w = 'swap' WHERE id = 1; UPDATE e.t SET w = 'one' WHERE id = 2"],
        ["ALTER TABLE e.t MODIFY x BIGINT UNSIGNED, ADD COLUMN g INT AS (id * 2) VIRTUAL, ADD INDEX (g)", "INSERT INTO e.t (id, x, w) VALUES (7, 18446744073709551615, 'big')"],
        ["ALTER TABLE e.t DROP PRIMARY KEY, ADD PRIMARY KEY (w, id)", "DELETE FROM e.t WHERE w = 'big'"],
        ["CREATE TABLE e.n (id INT AUTO_INCREMENT PRIMARY KEY, t JSON, c TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))", "INSERT INTO e.n (t) VALUES ('[1]'), ('{}')"],
        ["CREATE TABLE e.l LIKE e.n", "INSERT INTO e.l (t) VALUES ('null')"],
        ["TRUNCATE TABLE e.keyless", "INSERT INTO e.keyless VALUES (9, 'z'), (9, 'z')"],
        ["ALTER TABLE e.p TRUNCATE PARTITION a", "INSERT INTO e.p VALUES (2, 2)"],
        ["ALTER TABLE e.p REORGANIZE PARTITION b INTO (PARTITION b VALUES LESS THAN (100), PARTITION c VALUES LESS THAN MAXVALUE)", "INSERT INTO e.p VALUES (500, 1)"],
        ["ALTER TABLE e.p DROP PARTITION c", "UPDATE e.p SET k = k + 1"],
        ["CREATE TABLE e.cs (id INT PRIMARY KEY) SELECT id, k FROM e.p", "UPDATE e.cs SET k = k + 1; INSERT INTO e.cs VALUES (1000, 1)"],
        ["CREATE TABLE e.px (id INT PRIMARY KEY, k INT); INSERT INTO e.px VALUES (3, 33), (4, 44)", "ALTER TABLE e.p EXCHANGE PARTITION a WITH TABLE e.px", "UPDATE e.px SET k = 0; UPDATE e.p SET k = k + 1"],
        ["CREATE DATABASE o; CREATE TABLE o.x (id INT PRIMARY KEY, k INT); INSERT INTO o.x VALUES (7, 7)", "ALTER TABLE e.p EXCHANGE PARTITION a WITH TABLE o.x", "UPDATE e.p SET k = k + 1; DROP DATABASE o"],
        [#"SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; ALTER TABLE e."p" ADD "c ""x" VARCHAR(9) DEFAULT 'a\' COMMENT 'RENAME TO "x"', ALGORITHM = COPY"#, "INSERT INTO e.p (id, k) VALUES (8, 8)"],
        ["RENAME TABLE e.t TO e._t_del, e.n TO e.t, e.l TO e.n", "INSERT INTO e.t (t) VALUES ('5'); UPDATE e._t_del SET x = 0"],
        ["RENAME TABLE e.t TO e.tmp, e.n TO e.t, e.tmp TO e.n", "INSERT INTO e.t (t) VALUES ('[7, 8]')"],
        ["DROP TABLE e._t_del", "INSERT INTO e.n (t) VALUES ('6')"],
        ["ALTER TABLE e.n RENAME TO e.m, COMMENT 'renamed'", "DELETE FROM e.m LIMIT 1"],
        ["USE e; SET SESSION sql_mode = ''; CREATE TABLE z (d DATE NOT NULL DEFAULT '0000-00-00', id INT PRIMARY KEY)", "SET SESSION sql_mode = ''; INSERT INTO e.z (id) VALUES (1)"],
        ["CREATE TABLE e.swap_a (id INT PRIMARY KEY); CREATE TABLE e.swap_b (id INT PRIMARY KEY); INSERT INTO e.swap_a VALUES (1)", "RENAME TABLE e.swap_a TO e.tmp, e.swap_b TO e.swap_a, e.tmp TO e.swap_b"],
    ]

    private static func expectSame(_ rig: MigrationRig, _ comment: String) async throws {
        try await rig.expectEqual("e", comment)
        for row in try await rig.source.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'e'") {
            let table = "e.`\(row[0])`"
            #expect(try await rig.definition(table, on: rig.source) == rig.definition(table, on: rig.target), "\(comment): \(table)")
        }
    }

    @Test func fromTheConsistencyPointOn() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in Self.statements {
                for part in statement { try await rig.source.sql(part) }
                // Each by itself, so that the first that fails is the one that is named.
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                #expect(run.code == 0, "\(statement[0]): \(run.errors)")
                try await Self.expectSame(rig, statement[0])
                guard run.code == 0 else { return }
            }
        }
    }

    @Test func followedByFilePositions() async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: false)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in Self.statements { for part in statement { try await rig.source.sql(part) } }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, "file positions")
        }
    }

    /// The same statements, all of them, while the first chunk is being loaded.
    @Test(arguments: [("load.chunk.begin", ServerOptions()), ("load.end", ServerOptions()), ("load.chunk.begin", ServerOptions(gtids: false))])
    func beforeTheConsistencyPoint(moment: String, options: ServerOptions) async throws {
        try await MigrationRig.with(source: options) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: moment)
            try await godwit.halted()
            for statement in Self.statements { for part in statement { try await rig.source.sql(part) } }
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await Self.expectSame(rig, moment)
        }
    }

    /// Wider values come before the statement that makes room for them is read: the table is loaded again, by either way.
    @Test(arguments: ["ON", "OFF"]) func aColumnGrowsDuringTheLoad(localInfile: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try await rig.target.sql("SET GLOBAL local_infile = \(localInfile)")
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal],
                haltAt: "load.chunk.begin")
            try await godwit.halted()
            try await rig.source.sql("ALTER TABLE e.t MODIFY v VARCHAR(200), MODIFY n BIGINT NOT NULL; UPDATE e.t SET v = REPEAT('x', 150), n = 5000000000; ALTER TABLE e.p MODIFY k BIGINT; UPDATE e.p SET k = 5000000000")
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await Self.expectSame(rig, localInfile)
        }
    }

    /// Killed where a statement has been announced, has run, or is noted: it is carried out once.
    @Test(arguments: ["definition.intent", "definition.executed", "definition.done"])
    func killedInAStatement(moment: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("CREATE TABLE e.u LIKE e.t; INSERT INTO e.u (id) VALUES (77); CREATE TABLE e.px (id INT PRIMARY KEY, k INT); INSERT INTO e.px VALUES (3, 33)")
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in [
                "RENAME TABLE e.t TO e.tmp, e.u TO e.t, e.tmp TO e.u", "ALTER TABLE e.t ADD COLUMN x INT", "TRUNCATE TABLE e.u",
                "DROP TABLE e.keyless", "CREATE TABLE e.keyless (a INT)", "ALTER TABLE e.p EXCHANGE PARTITION a WITH TABLE e.px",
            ] {
                try await rig.source.sql(statement)
                let godwit = try await GodwitProcess.start(
                    ["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await godwit.halted()
                try await godwit.kill9()
                try await rig.godwit(["migrate", "--until", "validated"])
                try await Self.expectSame(rig, "\(moment): \(statement)")
            }
        }
    }

    @Test(arguments: ["definition.reset.before", "definition.reset.after"])
    func killedWhileATableIsReadAgain(moment: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let first = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "load.end")
            try await first.halted()
            try await rig.source.sql("DROP TABLE e.p; ALTER TABLE e.t ADD COLUMN x INT; CREATE TABLE e.q (id INT PRIMARY KEY); INSERT INTO e.q VALUES (1)")
            try await first.kill9()
            for _ in 0..<3 {
                let again = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await again.halted()
                try await again.kill9()
            }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, moment)
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'e' AND table_name = 'p'") == "0")
        }
    }

    /// Under other names on the target, and with writers that never pause.
    @Test func underOtherNames() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(
                rules: """
                    { "rules": [
                      { "rule-type": "selection", "rule-id": "1", "rule-name": "1", "object-locator": { "schema-name": "e", "table-name": "%" }, "rule-action": "include" },
                      { "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "schema", "object-locator": { "schema-name": "e" }, "rule-action": "rename", "value": "f" }
                    ] }
                    """)
            try await rig.godwit(["migrate", "--until", "validated"])
            for part in Self.statements.flatMap({ $0 }) { try await rig.source.sql(part) }
            try await rig.godwit(["migrate", "--until", "validated"])
            for row in try await rig.source.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'e'") {
                let own = try await rig.source.sql("CHECKSUM TABLE e.`\(row[0])`").first?.last
                #expect(try await rig.target.sql("CHECKSUM TABLE f.`\(row[0])`").first?.last == own, "\(row[0])")
                #expect(try await rig.definition("e.`\(row[0])`", on: rig.source) == rig.definition("f.`\(row[0])`", on: rig.target))
            }
        }
    }
}

/// What MariaDB has of its own, from the consistency point on.
@Suite struct MariaDBDefinitionTests {
    @Test func tablesThatComeWithTheirRows() async throws {
        try await MigrationRig.with(flavours: (.mariadb, .mariadb11)) { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE e; CREATE TABLE e.p (id INT PRIMARY KEY, k INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (100), PARTITION c VALUES LESS THAN MAXVALUE);
                INSERT INTO e.p VALUES (1, 1), (5, 5), (50, 50), (500, 500)
                """)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in [
                "CREATE TABLE e.cs (id INT PRIMARY KEY) SELECT id, k FROM e.p; UPDATE e.cs SET k = k + 1",
                "CREATE OR REPLACE TABLE e.cs SELECT id, k + 5 AS q FROM e.p; INSERT INTO e.cs VALUES (3, 3)",
                "CREATE OR REPLACE TABLE e.cs (id INT PRIMARY KEY); INSERT INTO e.cs VALUES (3)",
                "CREATE TABLE e.px (id INT PRIMARY KEY, k INT); INSERT INTO e.px VALUES (3, 33); ALTER TABLE e.p EXCHANGE PARTITION a WITH TABLE e.px; UPDATE e.px SET k = 0; UPDATE e.p SET k = k + 1",
                "ALTER TABLE e.p CONVERT PARTITION b TO TABLE e.pb; UPDATE e.pb SET k = 7; UPDATE e.p SET k = k + 1",
            ] {
                try await rig.source.sql(statement)
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                #expect(run.code == 0, "\(statement): \(run.errors)")
                try await rig.expectEqual("e", statement)
                guard run.code == 0 else { return }
            }
        }
    }
}
