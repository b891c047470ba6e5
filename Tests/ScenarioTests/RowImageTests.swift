import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Row images that leave columns out, and documents that are logged as changes: before the consistency point, from it on, and with
/// Godwit killed between.
@Suite struct RowImageTests {
    private static let schema = """
        SET SESSION sql_mode = '';
        CREATE DATABASE m; USE m;
        CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 5, b VARCHAR(20) DEFAULT 'it''s', c INT DEFAULT (FLOOR(RAND() * 1000)),
          e TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), n INT, g INT AS (a + 1) STORED, bl TEXT, u INT UNIQUE,
          nn INT NOT NULL, nt TEXT NOT NULL, s SET('x','y','z') DEFAULT 'x,z', en ENUM('p','q') NOT NULL, d DECIMAL(6,2) DEFAULT -1.5,
          tm TIME(2) DEFAULT '-01:02:03.4', dt DATETIME DEFAULT '2020-02-03 04:05:06', ts TIMESTAMP NULL DEFAULT '2021-02-03 04:05:06', da DATE DEFAULT '0000-00-00', bi BIT(3) DEFAULT b'101', y YEAR DEFAULT 2001,
          f FLOAT DEFAULT 1.1, q BIGINT UNSIGNED DEFAULT 18446744073709551615, w VARCHAR(5) CHARACTER SET utf16 DEFAULT 'aé', l CHAR(4) CHARACTER SET latin1 DEFAULT 'l');
        CREATE TABLE p (a INT DEFAULT 3, b INT DEFAULT 4, PRIMARY KEY (a));
        CREATE TABLE j (id INT PRIMARY KEY, j JSON, k JSON NOT NULL, n INT);
        CREATE TABLE k (a INT, b TEXT, j JSON);
        CREATE TABLE un (a INT NOT NULL UNIQUE, b TEXT, c INT);
        CREATE TABLE fu (id INT PRIMARY KEY, v VARCHAR(20), x INT, UNIQUE KEY ((LOWER(v))));
        CREATE TABLE s (code VARCHAR(10) PRIMARY KEY, v INT, x TEXT, y VARCHAR(10), UNIQUE KEY (v));
        INSERT INTO t (id, a, b) VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, NULL), (4, 4, 'four'), (5, 5, 'five'), (6, 6, 'six');
        INSERT INTO j VALUES (1, '1', '[1, 2]', 1), (2, '{"a": 1, "b": {"c": [1, 2, {"d": "x"}]}}', '{"k": "v"}', 2), (3, JSON_OBJECT('d', CAST(1.50 AS DECIMAL(5,2)), 't', CAST('2020-01-02 03:04:05' AS DATETIME)), '{}', 3);
        INSERT INTO k VALUES (1, 'x', '{"a": 1}'), (1, 'x', '{"a": 1}'), (2, 'y', NULL); INSERT INTO un VALUES (1, 'x', 1), (2, 'y', 2);
        INSERT INTO fu VALUES (1, 'A', 1), (2, 'B', 2);
        INSERT INTO s VALUES ('a', 1, 'text a', 'ya'), ('b', 2, 'text b', 'yb'), ('c', 3, 'text c', 'yc')
        """

    /// Round `r`, all by one session with those settings.
    private static func changes(_ r: Int, _ session: String, documents: Bool, moves: Bool) -> String {
        var sql = """
            USE m; SET SESSION sql_mode = ''; \(session);
            INSERT INTO t (a) VALUES (\(r)), (\(r + 1)); INSERT INTO t () VALUES (); INSERT INTO t (b, bl) VALUES (NULL, 'text'), (DEFAULT, NULL);
            DELETE FROM p; INSERT INTO p () VALUES ();
            UPDATE t SET a = a + 1 WHERE id % 2 = 0; UPDATE t SET bl = REPEAT('z', \(r) + 5) WHERE id % 3 = 0; UPDATE t SET a = a + 1, bl = NULL WHERE id % 3 = 0;
            INSERT INTO t (id, a) VALUES (1, 3) ON DUPLICATE KEY UPDATE b = 'odku\(r)'; REPLACE INTO t (id, a) VALUES (3, \(r)); DELETE FROM t WHERE id = 4 + \(r);
            UPDATE t SET u = id * 10 + \(r) WHERE id IN (1, 2);
            BEGIN; UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 10 + \(r) WHERE id = 2; UPDATE t SET u = 20 + \(r) WHERE id = 1; UPDATE t SET nt = 'n\(r)' WHERE id = 1; COMMIT;
            BEGIN; INSERT INTO t (id, a) VALUES (-500 - \(r), 1); UPDATE t SET b = 'in one' WHERE id = -500 - \(r); SAVEPOINT x; UPDATE t SET b = 'lost'; ROLLBACK TO x; UPDATE t SET bl = 'b' WHERE id = -500 - \(r); COMMIT;
            BEGIN; UPDATE t SET b = 'gone' WHERE id = 3; DELETE FROM t WHERE id = 3; INSERT INTO t (id) VALUES (3); UPDATE t SET n = \(r) WHERE id = 3; COMMIT;
            INSERT INTO k (a) VALUES (\(r)), (\(r)); UPDATE k SET b = 'k\(r)' WHERE a = 1 LIMIT 1; DELETE FROM k WHERE a = \(r) LIMIT 1;
            UPDATE un SET b = 'u\(r)' WHERE a = 2; UPDATE un SET c = c + 1; INSERT INTO un (a) VALUES (100 + \(r));
            UPDATE fu SET x = x + 1; UPDATE fu SET v = 'tmp' WHERE id = 1; UPDATE fu SET v = IF('\(r % 2)' = '0', 'a', 'b') WHERE id = 2; UPDATE fu SET v = IF('\(r % 2)' = '0', 'B', 'A') WHERE id = 1;
            UPDATE s SET y = 'y\(r)' WHERE code = 'c'; UPDATE s SET v = NULL WHERE code = 'b'; UPDATE s SET v = v + 1 WHERE code = 'c';
            UPDATE j SET j = IF(JSON_TYPE(j) = 'INTEGER', CAST('1.0' AS JSON), CAST('1' AS JSON)), k = CAST('[1.0, \(r)]' AS JSON) WHERE id = 1;
            INSERT INTO j (id, n) VALUES (10 + \(r), 1);
            """
        if moves {
            sql += """
                UPDATE t SET id = id + 1000 * (\(r) + 1) WHERE id = 6 OR id = 1006 OR id = 3006; UPDATE un SET a = a + 1000 WHERE a = 1 + \(r) * 1000;
                BEGIN; UPDATE s SET code = 'zz' WHERE code = 'a'; UPDATE s SET code = 'a' WHERE code = 'b'; UPDATE s SET code = 'b' WHERE code = 'zz'; UPDATE s SET y = 'after' WHERE code = 'a'; COMMIT;
                UPDATE s SET code = UPPER(code) WHERE code = 'c'; UPDATE s SET code = LOWER(code), x = 'low' WHERE code = 'c';
                """
        }
        if documents {
            sql += """
                SET SESSION binlog_row_value_options = PARTIAL_JSON;
                UPDATE j SET j = JSON_SET(j, '$.b.c[1]', \(r)) WHERE id = 2; UPDATE j SET j = JSON_SET(j, '$.b.c[2].d', 'longer than before, \(r)', '$.new\(r)', CAST(\(r).25 AS DECIMAL(5,2))) WHERE id = 2;
                UPDATE j SET j = JSON_REMOVE(j, '$.b.c[0]') WHERE id = 2; UPDATE j SET j = JSON_ARRAY_INSERT(j, '$.b.c[0]', JSON_OBJECT('é "q"', CAST('2020-01-02' AS DATE))) WHERE id = 2;
                UPDATE j SET k = JSON_REPLACE(k, '$.k', \(r)), j = JSON_SET(j, '$.d', CAST('\(r).75' AS DECIMAL(6,3)), '$.t', CAST('2021-02-03 04:05:0\(r)' AS DATETIME)) WHERE id IN (2, 3);
                UPDATE j SET j = JSON_SET(j, '$.b.c[1]', CAST('\(r).0' AS JSON)), n = n + 1 WHERE id = 2; UPDATE k SET j = JSON_SET(j, '$.a', \(r)) WHERE a = 1;
                BEGIN; UPDATE j SET j = JSON_SET(j, '$.x', REPEAT('y', 300)) WHERE id = 3; UPDATE j SET j = JSON_SET(j, '$.x', 'short') WHERE id = 3; UPDATE j SET id = 30 + \(r) WHERE id = 10 + \(r); COMMIT;
                """
        }
        return sql
    }

    @Test(arguments: [
        ("SET SESSION binlog_row_image = MINIMAL", false, false, true), ("SET SESSION binlog_row_image = NOBLOB", true, true, true),
        ("SET SESSION binlog_row_image = MINIMAL", true, true, false), ("SET SESSION binlog_row_image = FULL", true, true, true),
    ])
    func partsOfRows(session: String, documents: Bool, moves: Bool, gtids: Bool) async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: gtids)) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["m.*"] }"#)
            let first = try await GodwitProcess.start(["migrate", "--until", "loaded"], in: rig.folder, haltAt: "load.end")
            try await first.halted()
            try await rig.source.sql(Self.changes(0, session, documents: documents, moves: moves))
            try await first.kill9()
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(Self.changes(1, session, documents: documents, moves: moves))
            let second = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "follow.before-commit")
            try await second.halted()
            try await second.kill9()
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("m", "\(session), \(documents)")
            // Now with other images between, in one run.
            try await rig.source.sql(Self.changes(2, session, documents: documents, moves: moves))
            try await rig.source.sql(Self.changes(3, "SET SESSION binlog_row_image = FULL", documents: documents, moves: true))
            try await rig.source.sql(Self.changes(4, session, documents: documents, moves: true))
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("m", "\(session), \(documents), again")
        }
    }

    /// Without what MariaDB has not: documents and keys over expressions.
    private static func maria(_ sql: String) -> String {
        let foreign = ["CREATE TABLE j ", "CREATE TABLE fu ", "INSERT INTO j ", "INSERT INTO fu ", "UPDATE fu ", "UPDATE j "]
        return sql.split(separator: "\n").filter { line in !foreign.contains { line.hasPrefix($0) } }.joined(separator: "\n")
    }

    @Test(arguments: [("MINIMAL", ServerFlavour.mariadb), ("NOBLOB", .mariadb), ("FULL_NODUP", .mariadb11)])
    func partsOfMariaDBRows(image: String, flavour: ServerFlavour) async throws {
        try await MigrationRig.with(flavours: (flavour, .mariadb11)) { rig in
            let session = "SET SESSION binlog_row_image = \(image)"
            let changes = { Self.maria(Self.changes($0, session, documents: false, moves: image != "MINIMAL")) }
            try await rig.source.sql(Self.maria(Self.schema))
            try rig.plan(tables: #"{ include: ["m.*"] }"#)
            let first = try await GodwitProcess.start(["migrate", "--until", "loaded"], in: rig.folder, haltAt: "load.end")
            try await first.halted()
            try await rig.source.sql(changes(0))
            try await first.kill9()
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(changes(1))
            let second = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "follow.before-commit")
            try await second.halted()
            try await second.kill9()
            try await rig.source.sql(Self.maria(Self.changes(2, "SET SESSION binlog_row_image = FULL", documents: false, moves: true)))
            try await rig.source.sql(changes(3))
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("m", image)
        }
    }

    /// What a cascade does follows from whole rows: it stops, by name, and says what to do.
    @Test func partsOfParents() async throws {
        try await MigrationRig.with(source: ServerOptions(extra: ["--innodb-native-foreign-keys=ON"])) { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE m; CREATE TABLE m.p (id INT PRIMARY KEY, v INT, w INT);
                CREATE TABLE m.c (id INT PRIMARY KEY, pid INT, FOREIGN KEY (pid) REFERENCES m.p (id) ON DELETE CASCADE ON UPDATE CASCADE);
                INSERT INTO m.p VALUES (1, 1, 1), (2, 2, 2); INSERT INTO m.c VALUES (1, 1), (2, 2)
                """)
            try rig.plan(tables: #"{ include: ["m.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("SET SESSION binlog_row_image = MINIMAL; UPDATE m.p SET v = 7 WHERE id = 1")
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: 1)
            #expect(run.errors.contains("m.p carries only part of its columns") && run.errors.contains("binlog_row_image = FULL"), "\(run.errors)")
        }
    }

    /// What cannot be told stops, by name: a filter by a column that the event leaves out.
    @Test func aFilterByWhatIsLeftOut() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql("CREATE DATABASE r; CREATE TABLE r.t (id INT PRIMARY KEY, n INT, v INT); INSERT INTO r.t VALUES (1, 1, 1), (20, 2, 2)")
            func rules(_ column: String) -> String {
                #"{"rules": [{"rule-type": "selection", "rule-id": "1", "rule-name": "1", "object-locator": {"schema-name": "r", "table-name": "t"}, "rule-action": "include", "filters": [{"filter-type": "source", "column-name": "\#(column)", "filter-conditions": [{"filter-operator": "ste", "value": "9"}]}]}]}"#
            }
            try rig.plan(rules: rules("id"), extra: "name: byKey")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("SET SESSION binlog_row_image = MINIMAL; UPDATE r.t SET v = v + 1; INSERT INTO r.t (id) VALUES (5), (50); DELETE FROM r.t WHERE id = 20; UPDATE r.t SET id = 60 WHERE id = 5")
            try await rig.godwit(["migrate", "--until", "validated"])
            #expect(try await rig.target.sql("SELECT * FROM r.t") == [["1", "1", "2"]])
            try await rig.target.sql("DROP DATABASE r")
            try rig.plan(rules: rules("n"), extra: "name: byOther")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("SET SESSION binlog_row_image = MINIMAL; UPDATE r.t SET v = 7 WHERE id = 1")
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: 3)
            #expect(run.errors.contains("binlog_row_image"), "\(run.errors)")
        }
    }
}
