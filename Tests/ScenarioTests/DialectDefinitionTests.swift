import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Definitions change between MySQL and MariaDB once everything is loaded: rows before, between and after, compared at the end by the
/// servers' own SQL, and `kill -9` in the middle.
@Suite struct DialectDefinitionTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        var source: ServerFlavour
        var target: ServerFlavour
        var testDescription: String { "\(source) to \(target)" }
    }
    static let pairs = [
        Pair(source: .mysql9, target: .mariadb), Pair(source: .mysql9, target: .mariadb11), Pair(source: .mariadb, target: .mysql9),
        Pair(source: .mariadb11, target: .mysql9),
    ]

    private static let schema = """
        CREATE DATABASE e DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; USE e;
        CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n INT UNSIGNED NOT NULL DEFAULT 0);
        CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(20), n INT UNSIGNED NOT NULL DEFAULT 0); INSERT INTO u VALUES (7, 'u', 7);
        CREATE TABLE o (id INT PRIMARY KEY, k INT, UNIQUE KEY u (k));
        CREATE TABLE keyless (a INT, b VARCHAR(10));
        CREATE TABLE p (id INT PRIMARY KEY, k INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN MAXVALUE);
        INSERT INTO t (id, v) VALUES (1, 'one'), (2, 'two'), (3, 'three');
        INSERT INTO o VALUES (1, 1), (2, 2), (3, 3);
        INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, 'y'); INSERT INTO p VALUES (1, 1), (50, 50)
        """

    /// `inPlace`: no table is read again.
    private static let steps: [(inPlace: Bool, sql: String)] = [
        (true, "ALTER TABLE t ADD COLUMN x INT DEFAULT 7 AFTER id; UPDATE t SET x = id WHERE id < 3; INSERT INTO t VALUES (4, 4, 'four', 0)"),
        (true, "ALTER TABLE t ADD (c DATETIME(3) NULL, s SET('a','b') NOT NULL DEFAULT 'a', w TEXT); INSERT INTO t (id, v, w) VALUES (5, 'v', 'ü'), (6, 'v', NULL)"),
        (true, "ALTER TABLE t MODIFY v VARCHAR(90) COMMENT 'longer', MODIFY n BIGINT UNSIGNED NOT NULL DEFAULT 1; INSERT INTO t (id, v, n) VALUES (7, REPEAT('v', 80), 18446744073709551615)"),
        (true, "ALTER TABLE t CHANGE v vv VARCHAR(90) NOT NULL DEFAULT ''; UPDATE t SET vv = CONCAT(vv, '!') WHERE id < 5"),
        (true, "ALTER TABLE t RENAME COLUMN vv TO z, DROP COLUMN w, ADD INDEX zi (z (10)); DELETE FROM t WHERE id = 3; INSERT INTO t (id, z) VALUES (8, 'z')"),
        (true, "CREATE UNIQUE INDEX un ON t (x, id); DROP INDEX zi ON t; UPDATE t SET x = 99 WHERE id = 1; ALTER TABLE t ADD CONSTRAINT big CHECK (x < 1000)"),
        (true, "ALTER TABLE t DROP CONSTRAINT big; ALTER TABLE keyless ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES o (id); ALTER TABLE keyless DROP FOREIGN KEY fk"),
        (true, "ALTER TABLE t COMMENT = 'about t', ENGINE = InnoDB; ALTER TABLE t DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci; ALTER TABLE t ADD l VARCHAR(9); INSERT INTO t (id, l) VALUES (9, 'ä')"),
        (true, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (x, id), DROP INDEX un; UPDATE t SET x = 5 WHERE id = 1; DELETE FROM t WHERE id = 2"),
        (true, "ALTER TABLE t ADD g INT AS (id + 1) VIRTUAL; INSERT INTO t (id, x) VALUES (10, 10)"),
        (true, "TRUNCATE TABLE keyless; INSERT INTO keyless VALUES (9, 'z'), (9, 'z'); ALTER TABLE keyless ADD c INT NOT NULL DEFAULT 3 FIRST; UPDATE keyless SET c = 4 LIMIT 1"),
        (true, "ALTER TABLE o ALTER k SET DEFAULT 12; UPDATE o SET k = 99 WHERE id = 1; UPDATE o SET k = 1 WHERE id = 2; UPDATE o SET k = 2 WHERE id = 1; INSERT INTO o (id) VALUES (4)"),
        (false, "CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, t JSON, c TIMESTAMP(6) NULL DEFAULT CURRENT_TIMESTAMP(6)); INSERT INTO n (t) VALUES ('[1]'), ('{}')"),
        (true, "ALTER TABLE n ADD j JSON; UPDATE n SET j = '[1, 2]'; ALTER TABLE n ADD m INT; INSERT INTO n (t, j) VALUES ('3', '\"x\"')"),
        (false, "CREATE TABLE l LIKE n; INSERT INTO l (t) VALUES ('null')"),
        (true, "RENAME TABLE t TO _t_del, n TO t, l TO n; INSERT INTO t (t) VALUES ('5'); UPDATE _t_del SET x = 0 WHERE id = 10"),
        (true, "RENAME TABLE t TO tmp, n TO t, tmp TO n; INSERT INTO t (t) VALUES ('[7, 8]'); ALTER TABLE n RENAME TO m, COMMENT 'renamed'; DELETE FROM m LIMIT 1"),
        (true, "DROP TABLE _t_del, m; UPDATE t SET t = '0' WHERE id = 1"),
        (false, "ALTER TABLE o MODIFY k VARCHAR(20); UPDATE o SET k = 'word' WHERE id = 3"),
        (false, "ALTER TABLE p DROP PARTITION b; INSERT INTO p VALUES (7, 7); ALTER TABLE o ADD r CHAR(36) DEFAULT 'r', ADD q DOUBLE PRECISION; UPDATE o SET q = 0.1"),
        (false, "CREATE TABLE cs (id INT PRIMARY KEY) SELECT id, k FROM p; UPDATE cs SET k = k + 1"),
        // gh-ost's way.
        (false, "CREATE TABLE _o_gho LIKE o; ALTER TABLE _o_gho ADD COLUMN y INT NOT NULL DEFAULT 5 AFTER id, ADD KEY (k); INSERT IGNORE INTO _o_gho (id, k, r) SELECT id, k, r FROM o; UPDATE o SET k = 'changed' WHERE id = 2; REPLACE INTO _o_gho (id, k, r) SELECT id, k, r FROM o WHERE id = 2; RENAME TABLE o TO _o_del, _o_gho TO o; DROP TABLE _o_del; INSERT INTO o (id, y) VALUES (100, 1)"),
    ]

    /// Columns as both families name them.
    private static func columns(_ server: TestServer) async throws -> [[String]] {
        try await server.sql(
            """
            SELECT TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, REPLACE(DATA_TYPE, 'json', 'longtext'), IS_NULLABLE, IF(DATA_TYPE = 'json', 'utf8mb4', CHARACTER_SET_NAME),
              IF(DATA_TYPE IN ('json', 'longtext'), 0, CHARACTER_MAXIMUM_LENGTH), COLUMN_COMMENT
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'e' ORDER BY HEX(TABLE_NAME), 2
            """)
    }

    private static func keys(_ server: TestServer) async throws -> [[String]] {
        try await server.sql(
            "SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, SUB_PART FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'e' ORDER BY HEX(TABLE_NAME), HEX(INDEX_NAME), 3")
    }

    private static func expectSame(_ rig: MigrationRig, _ comment: String) async throws {
        try await rig.expectEqual("e", comment)
        #expect(try await columns(rig.source) == columns(rig.target), "\(comment)")
        #expect(try await keys(rig.source) == keys(rig.target), "\(comment)")
    }

    private static let fast = ServerOptions(tls: .off, durable: false)

    @Test(arguments: pairs) func afterTheConsistencyPoint(pair: Pair) async throws {
        try await MigrationRig.with(source: Self.fast, target: Self.fast, flavours: (pair.source, pair.target)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for step in Self.steps {
                try await rig.source.sql("USE e; SET SESSION sql_mode = 'STRICT_TRANS_TABLES'; " + step.sql)
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                #expect(run.code == 0, "\(step.sql): \(run.errors)")
                try await Self.expectSame(rig, step.sql)
                let isReadAgain = run.errors.contains("moment: definition.reset.after")
                #expect(isReadAgain != step.inPlace, "\(step.sql): \(run.errors)")
                guard run.code == 0 else { return }
            }
        }
    }

    /// All at once: the log is far ahead of what Godwit reads of the source.
    @Test(arguments: pairs) func farBehind(pair: Pair) async throws {
        try await MigrationRig.with(source: Self.fast, target: Self.fast, flavours: (pair.source, pair.target)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for step in Self.steps { try await rig.source.sql("USE e; SET SESSION sql_mode = 'STRICT_TRANS_TABLES'; " + step.sql) }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, "far behind")
        }
    }

    @Test(arguments: [pairs[1], pairs[2]], ["definition.intent", "definition.executed", "definition.done"])
    func killedInAStatement(pair: Pair, moment: String) async throws {
        try await MigrationRig.with(source: Self.fast, target: Self.fast, flavours: (pair.source, pair.target)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in [
                "RENAME TABLE t TO tmp, u TO t, tmp TO u", "ALTER TABLE t ADD COLUMN y INT DEFAULT 4 FIRST", "TRUNCATE TABLE o",
                "ALTER TABLE u CHANGE v w VARCHAR(50), DROP n, ADD UNIQUE (id)", "DROP TABLE t",
            ] {
                try await rig.source.sql("USE e; INSERT INTO o VALUES (\(statement.count + 1000), \(statement.count)); \(statement); INSERT INTO o VALUES (\(statement.count), NULL)")
                let godwit = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await godwit.halted()
                try await godwit.kill9()
                try await rig.godwit(["migrate", "--until", "validated"])
                try await Self.expectSame(rig, "\(moment): \(statement)")
            }
        }
    }
}
