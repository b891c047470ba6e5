import Foundation
import Testing

@testable import GodwitEngine

/// Programs between MySQL and MariaDB, word by word.
@Suite struct ObjectTranslationTests {
    private static let toMariaDB = DialectTranslation(fromMariaDB: false, toMariaDB: true)
    private static let toMySQL = DialectTranslation(fromMariaDB: true, toMariaDB: false)

    private static func object(
        _ statement: String, _ kind: ObjectDefinition.Kind = .procedure, mode: String? = "STRICT_TRANS_TABLES", client: String = "utf8mb4"
    ) -> ObjectDefinition {
        ObjectDefinition(
            id: .init(kind, TableName(schema: "s", table: "o")), statement: Data(statement.utf8), sqlMode: kind == .view ? nil : mode,
            characterSetClient: client, collationConnection: "utf8mb4_general_ci",
            databaseCollation: kind == .view ? nil : "utf8mb4_general_ci", definer: "root@localhost")
    }

    private static func outcome(_ text: String, _ dialect: DialectTranslation = toMariaDB, stored: [ObjectDefinition] = []) -> ObjectTranslation.Outcome {
        ObjectTranslation(dialect, objects: stored).translated(object("CREATE DEFINER=`root`@`localhost` PROCEDURE `o`()\n\(text)"))
    }

    @Test(arguments: [
        "BEGIN DECLARE a INT DEFAULT 1; IF (a > 1) THEN INSERT INTO log(m, n) VALUES (CONCAT('it''s', a), NOW()); END IF; END",
        "SELECT `md5x`(1) FROM t WHERE (a,b) IN (SELECT 1, 2) AND EXISTS (SELECT 1)",
        "SELECT t.count, COUNT(*) FROM t GROUP BY 1 HAVING (COUNT(*) > 2)",
        "UPDATE t SET a = COALESCE(a, 0) + LAST_INSERT_ID() WHERE id = NEW.id",
        "BEGIN /* JSON_TABLE() */ SELECT 'json_extract(x)'; -- regexp_like()\n END",
        "CREATE TEMPORARY TABLE IF NOT EXISTS tmp (a DECIMAL(10,2), b VARCHAR(9)) ENGINE=MEMORY",
        "SELECT @a, @@session.time_zone, @@last_insert_id",
        "BEGIN DECLARE CONTINUE HANDLER FOR 1062, SQLSTATE '23000' SET @x = 1; END",
        "SELECT JSON_UNQUOTE(a) FROM (VALUES ROW(1)) v",
        "CALL other(1, 2)", "SELECT 1 <> 2 || a && b, a <=> b, a >= b, '~^&|'",
    ])
    func whatMeansTheSameIsKeptAsItIs(text: String) {
        for dialect in [Self.toMariaDB, Self.toMySQL] {
            let outcome = Self.outcome(text, dialect)
            #expect(outcome.objections == [], "\(text)")
            #expect(String(decoding: outcome.object.statement, as: UTF8.self).hasSuffix(text))
        }
    }

    @Test(arguments: [
        ("SELECT ANY_VALUE(a) FROM t", "ANY_VALUE()"), ("SELECT uuid_to_bin(a)", "uuid_to_bin()"), ("SELECT SESSION_USER()", "SESSION_USER()"), ("SELECT st_x(a)", "st_x()"),
        ("SELECT 1 /*!80000 + 1 */", "version comment"), ("SELECT JSON_EXTRACT(a, '$.b') = 'x'", "JSON_EXTRACT"),
        ("SELECT * FROM mysql.user", "schema mysql"), ("SELECT * FROM `sys`.x", "schema `sys`"), ("SELECT @@version", "variable version"),
        ("SELECT @@global . optimizer_switch", "variable optimizer_switch"), ("SET SESSION sql_mode = 'ANSI'", "sql_mode"),
        ("BEGIN FLUSH TABLES; END", "FLUSH"), ("FLUSH TABLES", "FLUSH"), ("SHOW TABLES", "SHOW"), ("SELECT _loaded(1)", "_loaded()"), ("BEGIN DROP USER x; END", "accounts"), ("CREATE TABLE x (a INT) ENGINE = Aria", "Aria"),
        ("BEGIN DECLARE EXIT HANDLER FOR 1062, 3819 SET @x = 1; END", "3819"), ("SELECT regexp_like(a, 'b')", "regexp_like"),
        ("SELECT NEXT VALUE FOR q", "sequence"), ("SELECT NEXTVAL(q)", "NEXTVAL"), ("SELECT a COLLATE utf8mb4_zh_0900_as_cs", "utf8mb4_zh_0900_as_cs"),
        ("SELECT 'abc", "cannot be read"),
    ])
    func whatDoesNotIsNamed(text: String, word: String) {
        let target = DialectTranslation(toMariaDB: true, targetCollations: ["utf8mb4_general_ci", "utf8mb4_bin"])
        let outcome = Self.outcome(text, target)
        #expect(outcome.objections.count == 1 && outcome.objections.allSatisfy { $0.contains(word) }, "\(text): \(outcome.objections)")
    }

    @Test(arguments: [
        ("SELECT a REGEXP 'b'", "regular expressions"), ("SELECT JSON_VALUE(a, '$.b')", "JSON"), ("PREPARE x FROM @s", "builds statements"),
        ("SELECT a & b", "bit operators"), ("SELECT a<<1", "bit operators"), ("SELECT ~a | b", "bit operators"),
        ("SELECT * FROM information_schema.tables", "information_schema"), ("SELECT a COLLATE utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci"),
    ])
    func whatMayComeOutOtherwiseIsSaid(text: String, word: String) {
        let outcome = Self.outcome(text)
        #expect(outcome.objections == [])
        #expect(outcome.remarks.count == 1 && outcome.remarks[0].contains(word), "\(text): \(outcome.remarks)")
    }

    @Test func collationsGetTheTargetsNames() {
        let there = Self.outcome("SELECT a COLLATE utf8mb4_0900_bin, 'COLLATE utf8mb4_0900_bin'")
        #expect(String(decoding: there.object.statement, as: UTF8.self).hasSuffix("SELECT a COLLATE utf8mb4_nopad_bin, 'COLLATE utf8mb4_0900_bin'"))
        let back = Self.outcome("SELECT a COLLATE utf8mb4_nopad_bin", Self.toMySQL)
        #expect(String(decoding: back.object.statement, as: UTF8.self).hasSuffix("SELECT a COLLATE utf8mb4_0900_bin"))
        #expect(there.remarks == [] && back.remarks == [])
    }

    @Test func viewsOfMySQLSayRegexpAgain() {
        let view = Self.object(
            "CREATE VIEW `s`.`o` AS select (regexp_like(`s`.`t`.`a`,concat('^',`s`.`t`.`b`)) and (1 = 1)) AS `r` from `s`.`t`", .view)
        let outcome = ObjectTranslation(Self.toMariaDB).translated(view)
        #expect(outcome.objections == [])
        #expect(
            String(decoding: outcome.object.statement, as: UTF8.self)
                == "CREATE VIEW `s`.`o` AS select ((`s`.`t`.`a` regexp concat('^',`s`.`t`.`b`)) and (1 = 1)) AS `r` from `s`.`t`")
    }

    /// Fractions of a second that do not fit are rounded here and cut off there.
    @Test(arguments: [
        (toMariaDB, "STRICT_TRANS_TABLES,ANSI", "STRICT_TRANS_TABLES,TIME_ROUND_FRACTIONAL"),
        (toMariaDB, "TIME_TRUNCATE_FRACTIONAL", ""), (toMySQL, "NO_AUTO_CREATE_USER,PIPES_AS_CONCAT", "PIPES_AS_CONCAT,TIME_TRUNCATE_FRACTIONAL"),
        (toMySQL, "TIME_ROUND_FRACTIONAL", ""),
    ])
    func modes(dialect: DialectTranslation, from: String, to: String) throws {
        #expect(try ObjectTranslation(dialect).modes(from) == to)
    }

    @Test(arguments: ["ORACLE", "EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT"])
    func modesOfOneFamilyAreNamed(mode: String) {
        let outcome = ObjectTranslation(Self.toMySQL).translated(Self.object("CREATE PROCEDURE o() SELECT 1", mode: mode))
        #expect(outcome.objections.count == 1 && outcome.objections[0].contains(mode))
    }

    @Test func storedFunctionsAreKnown() {
        let own = Self.object("", .function)
        #expect(Self.outcome("SELECT o(1)", stored: [own]).objections == [])
        #expect(Self.outcome("SELECT o(1)").objections.count == 1)
    }

    @Test func textsInOtherCharacterSetsAreNotRead() {
        let outcome = ObjectTranslation(Self.toMariaDB).translated(Self.object("CREATE PROCEDURE o() SELECT 1", client: "sjis"))
        #expect(outcome.objections.count == 1 && outcome.objections[0].contains("sjis"))
    }

    @Test(arguments: [
        ("CREATE DEFINER=`r`@`h` PROCEDURE `o`(IN `x` INT, OUT y DECIMAL(3,1))\n    READS SQL DATA\n    SQL SECURITY INVOKER\n    COMMENT 'BEGIN'\nBEGIN SELECT 1; END ", ObjectDefinition.Kind.procedure, "BEGIN SELECT 1; END"),
        ("CREATE DEFINER=`r`@`h` FUNCTION `o`(x INT) RETURNS varchar(50) CHARSET utf8mb4 COLLATE utf8mb4_bin\n    DETERMINISTIC\nRETURN (1)", .function, "RETURN (1)"),
        ("CREATE FUNCTION `o`() RETURNS int(11) unsigned\nNO SQL RETURN 1", .function, "RETURN 1"),
        ("CREATE DEFINER=`r`@`h` TRIGGER `for each row` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.a = 1", .trigger, "SET NEW.a = 1"),
        ("CREATE EVENT `DO` ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'DO' DO BEGIN DO 1; END", .event, "BEGIN DO 1; END"),
    ])
    func bodies(text: String, kind: ObjectDefinition.Kind, body: String) throws {
        #expect(ObjectBody.text(Self.object(text, kind)).map { String(decoding: $0, as: UTF8.self) } == body)
    }

    /// What is true of many is said once.
    @Test func remarksAreGathered() {
        func outcome(_ name: String, _ remarks: [String], _ objections: [String] = []) -> ObjectTranslation.Outcome {
            var object = Self.object("")
            object.id = .init(.procedure, TableName(schema: "s", table: name))
            return .init(object: object, objections: objections, remarks: remarks)
        }
        let many = (1...7).map { outcome("p\($0)", ["One."]) }
        let found = Preflight.remarks(many + [outcome("q", ["Two."]), outcome("refused", ["One.", "Three."], ["No."])])
        #expect(found.map(\.what) == [
            "7 objects (procedure s.p1, procedure s.p2, procedure s.p3, procedure s.p4, procedure s.p5 and 2 more) are moved to another family of servers. One.",
            "The procedure s.q is moved to another family of servers. Two.",
        ])
    }

    /// What was made of an object stays while the source has it in words that cannot be moved: it is not gone.
    @Test func whatCannotBeMovedAnyMoreIsNotDropped() {
        let before = Self.object("CREATE PROCEDURE `o`()\nSELECT 1")
        let row = ObjectLedger.Row(before, isMade: true, printed: before)
        #expect(ObjectChanges(source: [], target: [before], ledger: [row], kept: [before.id], crosses: true).drops == [])
        #expect(ObjectChanges(source: [], target: [before], ledger: [row], crosses: true).drops == [before.id])
    }

    /// Same only if both sides are what they were when it was made.
    @Test func whatWasNotedIsCompared() {
        let source = Self.object("CREATE PROCEDURE `o`()\nSELECT 1")
        let printed = Self.object("CREATE DEFINER=x PROCEDURE `o`()\nSELECT 1", mode: "STRICT_TRANS_TABLES,TIME_ROUND_FRACTIONAL")
        let twins = ObjectTwins([source], Self.toMariaDB)
        let (rows, failures) = twins.noted([source], found: [printed])
        #expect(failures == [])
        #expect(ObjectTwins.sentences(source: [source], target: [printed], ledger: rows) == [])
        #expect(ObjectTwins.sentences(source: [source], target: [], ledger: rows).count == 1)
        #expect(ObjectTwins.sentences(source: [source], target: [printed], ledger: [])[0].contains("no task of Godwit"))
        var other = source
        other.statement = Data("CREATE PROCEDURE `o`()\nSELECT 2".utf8)
        #expect(ObjectTwins.sentences(source: [other], target: [printed], ledger: rows)[0].contains("on the source"))
        var changed = printed
        changed.definer = "other@localhost"
        #expect(ObjectTwins.sentences(source: [source], target: [changed], ledger: rows)[0].contains("on the target"))
        changed = printed
        changed.statement = Data("CREATE PROCEDURE `o`()\nSELECT 3".utf8)
        #expect(twins.noted([source], found: [changed]).failures[0].contains("body"))
        changed = printed
        changed.sqlMode = "STRICT_TRANS_TABLES"
        #expect(twins.noted([source], found: [changed]).failures[0].contains("sql_mode"))
    }
}
