import GodwitTesting
import Testing

/// Invariant I6: a value read by SELECT and the same value decoded from its insert event land as the same bytes.
@Suite struct MigrationValueTests {
    struct Way: Sendable, CustomTestStringConvertible {
        var gtids = true
        var localInfile = true
        var fullMetadata = true
        var testDescription: String {
            "\(gtids ? "GTIDs" : "file positions"), \(localInfile ? "LOAD DATA" : "INSERT"), \(fullMetadata ? "full" : "minimal") metadata"
        }
    }

    @Test(arguments: [Way(), Way(gtids: false, fullMetadata: false), Way(localInfile: false)])
    func everyTypeLandsTheSameBothWays(way: Way) async throws {
        let source = ServerOptions(gtids: way.gtids, fullRowMetadata: way.fullMetadata)
        var target = ServerOptions()
        target.localInfile = way.localInfile
        try await MigrationRig.with(source: source, target: target) { rig in
            try await rig.source.sql("CREATE DATABASE ty; SET NAMES utf8mb4; \(TypeExtremes.definition)")
            try await rig.source.sql(TypeExtremes.inserts(from: 1))
            try rig.plan(tables: #"{ include: ["ty.*"] }"#)
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(TypeExtremes.inserts(from: 101))
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("ty")
            // On the target every loaded row equals its replayed twin, column by column.
            let columns = TypeExtremes.columns.split(separator: ",").dropFirst().map(String.init)
            for column in columns {
                // HEX rounds numbers, and spatial values have no text.
                let same = ["g", "p", "v"].contains(column)
                    ? "HEX(a.`\(column)`) <=> HEX(b.`\(column)`)"
                    : "HEX(CAST(a.`\(column)` AS CHAR)) <=> HEX(CAST(b.`\(column)` AS CHAR))"
                let unequal = try await rig.target.value(
                    "SELECT COUNT(*) FROM ty.t a JOIN ty.t b ON b.id = a.id + 100 WHERE NOT (\(same))")
                #expect(unequal == "0", "column \(column) differs between load and replay")
            }
            let rows = try await rig.target.value("SELECT COUNT(*) FROM ty.t")
            #expect(rows == "\(2 * TypeExtremes.rows.count)")
        }
    }

    /// Keys of every shape, changed in every way that has lost rows somewhere.
    @Test func keysOfEveryShapeAreFollowed() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(KeyShapes.definitions)
            try await rig.source.sql(KeyShapes.before)
            try rig.plan(tables: #"{ include: ["ks.*"] }"#)
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(KeyShapes.changes)
            let run = try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("ks", run.output)
            for table in KeyShapes.tables {
                let (left, right) = (
                    try await rig.definition("ks.`\(table.replacing("`", with: "``"))`", on: rig.source), try await rig.definition("ks.`\(table.replacing("`", with: "``"))`", on: rig.target)
                )
                #expect(left == right)
            }
        }
    }

    /// All changes are made while the load stands still before its first commit, so that all of them are replayed
    /// absolutely over chunks that saw them already.
    @Test func keysOfEveryShapeSurviveChangesDuringTheLoad() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(KeyShapes.definitions)
            try await rig.source.sql(KeyShapes.before)
            try rig.plan(tables: #"{ include: ["ks.*"] }"#)
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "load.end")
            try await godwit.halted()
            try await rig.source.sql(KeyShapes.changes)
            try await godwit.kill9()
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("ks")
        }
    }
}

enum KeyShapes {
    static let tables = ["ints", "pair", "words", "padded", "bytes", "uniq", "swaps", "parent", "child", "keyless", "docs", "sets", "fun`ny n'a\"me"]

    static let definitions = """
        CREATE DATABASE ks DEFAULT CHARACTER SET utf8mb4; USE ks;
        CREATE TABLE ints (id BIGINT UNSIGNED PRIMARY KEY, v INT);
        CREATE TABLE pair (a INT, b VARCHAR(20), v INT, PRIMARY KEY (a, b));
        CREATE TABLE words (w VARCHAR(50) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v INT);
        CREATE TABLE padded (w CHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY, v INT);
        CREATE TABLE bytes (k BINARY(8) PRIMARY KEY, v INT);
        CREATE TABLE uniq (k INT NOT NULL, v INT, UNIQUE KEY k (k));
        CREATE TABLE swaps (id INT PRIMARY KEY, a VARCHAR(20), b INT, UNIQUE KEY a (a), UNIQUE KEY b (b), KEY v (a, b));
        CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(20));
        CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, parent_id INT, KEY p (parent_id),
          CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE keyless (a INT, b VARCHAR(20), j JSON);
        CREATE TABLE docs (id INT PRIMARY KEY, j JSON, v INT);
        CREATE TABLE sets (id INT PRIMARY KEY, s SET(\((1...64).map { "'m\($0)'" }.joined(separator: ","))));
        CREATE TABLE `fun``ny n'a\"me` (`sel``ect` INT PRIMARY KEY, `from` VARCHAR(10), `x'y"z` INT);
        """

    static let before = """
        USE ks;
        INSERT INTO ints VALUES (0, 0), (1, 1), (9223372036854775808, 2), (18446744073709551615, 3);
        INSERT INTO pair VALUES (1, 'a', 1), (1, 'b', 2), (2, 'A', 3), (2, '', 4);
        INSERT INTO words VALUES ('apple', 1), ('Éclair', 2), ('zebra', 3), ('trail ', 4), ('', 5);
        INSERT INTO padded VALUES ('a', 1), ('b', 2), ('ß', 3);
        INSERT INTO bytes VALUES (0x0100000000000000, 1), (0x0001, 2), (0xFF00FF0000000000, 3), (0x0, 4);
        INSERT INTO uniq VALUES (1, 1), (2, 2), (3, 3);
        INSERT INTO swaps VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3), (4, NULL, NULL), (5, NULL, NULL);
        INSERT INTO parent VALUES (1, 'one'), (2, 'two'), (3, 'three');
        INSERT INTO child (parent_id) VALUES (1), (1), (2), (3), (NULL);
        INSERT INTO keyless VALUES (1, 'a', '1'), (1, 'a', '1'), (1, 'A', '1.0'), (NULL, NULL, NULL), (2, 'b ', '{"k": 1}');
        INSERT INTO docs VALUES (1, '1', 1), (2, '{"a": 2}', 2), (3, '3', 3);
        INSERT INTO sets VALUES (1, 18446744073709551615), (2, 18446744073709551614), (3, 9223372036854775809);
        INSERT INTO `fun``ny n'a\"me` VALUES (1, 'a', 1), (2, 'b', 2);
        """

    static let changes = """
        USE ks;
        UPDATE ints SET id = id - 1 WHERE id = 18446744073709551615; DELETE FROM ints WHERE id = 0; INSERT INTO ints VALUES (0, 9);
        UPDATE pair SET b = 'B' WHERE a = 1 AND b = 'b'; UPDATE pair SET a = 3 WHERE a = 2 AND b = 'A'; DELETE FROM pair WHERE a = 1 AND b = 'a';
        UPDATE words SET w = 'APPLE' WHERE w = 'apple'; UPDATE words SET w = 'eclair' WHERE w = 'Éclair';
        DELETE FROM words WHERE w = 'zebra'; INSERT INTO words VALUES ('ZEBRA', 7); UPDATE words SET v = 8 WHERE w = 'trail ';
        UPDATE words SET v = 6 WHERE w = '';
        UPDATE padded SET w = 'A' WHERE w = 'a'; UPDATE padded SET v = 9 WHERE w = 'ß';
        UPDATE bytes SET v = 9 WHERE k = 0x0100000000000000; DELETE FROM bytes WHERE k = 0x0001000000000000;
        UPDATE bytes SET k = 0xAA00000000000000 WHERE k = 0x0000000000000000;
        UPDATE uniq SET k = k + 10 ORDER BY k DESC; DELETE FROM uniq WHERE k = 12;
        START TRANSACTION; UPDATE swaps SET a = 't' WHERE id = 1; UPDATE swaps SET a = 'x' WHERE id = 2; UPDATE swaps SET a = 'y' WHERE id = 1; COMMIT;
        START TRANSACTION; UPDATE swaps SET b = 99 WHERE id = 3; UPDATE swaps SET b = 3 WHERE id = 2; UPDATE swaps SET b = 2 WHERE id = 3; COMMIT;
        START TRANSACTION; DELETE FROM swaps WHERE id = 1; INSERT INTO swaps VALUES (10, 'y', 1); COMMIT;
        START TRANSACTION; INSERT INTO swaps VALUES (11, 'w', 11); SAVEPOINT s; INSERT INTO swaps VALUES (12, 'q', 12); ROLLBACK TO s; COMMIT;
        UPDATE parent SET id = 20 WHERE id = 2; DELETE FROM parent WHERE id = 1; INSERT INTO child (parent_id) VALUES (20), (3);
        DELETE FROM keyless WHERE a = 1 AND BINARY b = 'a' LIMIT 1; UPDATE keyless SET b = 'c' WHERE BINARY b = 'A';
        INSERT INTO keyless VALUES (NULL, NULL, NULL), (2, 'b', '{"k": 1.0}'); DELETE FROM keyless WHERE b = 'b ' AND j->'$.k' = 1 LIMIT 1;
        UPDATE docs SET j = '1.0' WHERE id = 1; UPDATE docs SET j = '{"a": 2.0}' WHERE id = 2; DELETE FROM docs WHERE id = 3; INSERT INTO docs VALUES (3, '3.0', 3);
        UPDATE sets SET s = 1 WHERE id = 2;
        UPDATE `fun``ny n'a\"me` SET `sel``ect` = 3, `x'y"z` = 7 WHERE `sel``ect` = 1;
        """
}
