import GodwitTesting
import Testing

/// Views, routines, triggers and events between MySQL and MariaDB: they do on the target what they did on the source, and what would not
/// is named before anything is written.
@Suite(.serialized) struct DialectObjectTests {
    private static func with(_ source: ServerFlavour, _ target: ServerFlavour, _ body: (MigrationRig) async throws -> Void) async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (source, target), body)
    }

    private static let cutover = "application: { profile: commands, switch: [[\"true\"]], switch_back: [[\"true\"]] }"

    /// Programs that say what they are by what they give.
    private static let answers = [
        "SELECT a.f1(3), a.`fa\"q``x`(1), a.half('2020-01-01 10:00:00.6'), a.latest('b')", "CALL a.p1(4, @y); SELECT @y",
        "SELECT * FROM a.v1 ORDER BY id", "SELECT * FROM a.a0 ORDER BY 1", "SELECT * FROM b.vv ORDER BY 1", "SELECT * FROM a.aaa", "SELECT * FROM a.many ORDER BY 1",
        "SELECT EVENT_NAME, STATUS = 'ENABLED', TIME_ZONE, DEFINER, ON_COMPLETION, STARTS, ENDS, INTERVAL_VALUE, INTERVAL_FIELD, EVENT_COMMENT FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'a' ORDER BY 1",
        "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, DEFINER, HEX(ACTION_STATEMENT) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ('a', 'b') ORDER BY 1",
        "SELECT ROUTINE_NAME, ROUTINE_TYPE, DEFINER, SECURITY_TYPE, IS_DETERMINISTIC, SQL_DATA_ACCESS, ROUTINE_COMMENT, HEX(ROUTINE_DEFINITION), CHARACTER_SET_CLIENT FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'a' ORDER BY 1",
        "SELECT TABLE_NAME, DEFINER, SECURITY_TYPE, CHECK_OPTION, IS_UPDATABLE FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN ('a', 'b') ORDER BY 1",
    ]

    /// What the families print in their own ways, and what they say otherwise where no mode is set (fractions).
    private static let more = """
        USE a; SET NAMES utf8mb4; DROP FUNCTION b.lat;
        DELIMITER //
        CREATE FUNCTION half(t DATETIME(1)) RETURNS VARCHAR(30) NO SQL BEGIN DECLARE whole DATETIME; SET whole = t; RETURN CAST(whole AS CHAR); END//
        CREATE FUNCTION latest(x VARCHAR(9) CHARSET utf8mb4) RETURNS VARCHAR(90) READS SQL DATA BEGIN
          DECLARE done INT DEFAULT 0; DECLARE s VARCHAR(90) DEFAULT ''; DECLARE v INT; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id DESC LIMIT 3;
          DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; OPEN c; l: LOOP FETCH c INTO v; IF done THEN LEAVE l; END IF; SET s = CONCAT(s, x, v); END LOOP; CLOSE c; RETURN s; END//
        CREATE VIEW many AS SELECT t.id, n + 1 AS m, CASE WHEN n > 3 OR w LIKE 'a%' THEN UPPER(w) ELSE CONCAT(w, 'x') END AS c, NOT n AS nn, n BETWEEN 1 AND 3 AS b,
          (n + 1) * 2 - (n - (1 - n)) AS e, n IS NULL AS isn, EXISTS (SELECT 1 FROM log l WHERE l.id = t.id) AS ex, IF(n, 1, 0) AS i, LENGTH(w) AS ln, LOWER(w) AS lw, -n AS ng, n <=> 1 AS ns,
          SUBSTRING(w, 1, 3) AS ss, DATE_FORMAT('2020-01-02', '%Y') AS y, CAST(n AS CHAR) AS ch, w REGEXP '^a' AS rx, '2020-01-01' + INTERVAL 1 MONTH AS nextm, n DIV 2 AS dv, MOD(n, 2) AS md,
          (SELECT MAX(id) FROM b.t2) AS mx, CONVERT(COALESCE(w, 'q') USING utf8mb4) COLLATE utf8mb4_bin AS co, 'ö\\\\''"' AS q, COUNT(*) OVER (PARTITION BY n) AS ov
          FROM t LEFT JOIN log ON log.id = t.id AND (t.n > 1 OR log.m IS NOT NULL) WHERE NOT (n = 77 AND (w = 'z' OR n = 78))//
        DELIMITER ;
        """

    @Test(arguments: [
        (ServerFlavour.mysql9, ServerFlavour.mariadb), (.mysql9, .mariadb11), (.mariadb, .mysql9), (.mariadb11, .mysql9),
    ])
    func objects(source: ServerFlavour, target: ServerFlavour) async throws {
        try await Self.with(source, target) { rig in
            for server in [rig.source, rig.target] { try await server.sql(SchemaObjectTests.accounts + "SET GLOBAL event_scheduler = ON;") }
            try await rig.source.sql(SchemaObjectTests.schema)
            try await rig.source.sql(Self.more)
            try rig.plan(tables: #"{ include: ["a.*", "b.*"] }"#, extra: Self.cutover)
            try await rig.godwit(["migrate", "--until", "validated"])
            #expect(try await SchemaObjectTests.active(rig).isEmpty)
            try await rig.source.sql(
                """
                INSERT INTO a.t (n) VALUES (5); UPDATE a.t SET n = 9 WHERE id = 1; CREATE OR REPLACE VIEW a.aaa AS SELECT SUM(id) AS n FROM a.t; DROP EVENT a.off_1; DROP VIEW b.vv;
                CREATE VIEW b.vv AS SELECT t2.id FROM b.t2; CREATE PROCEDURE a.late() SELECT VERSION()
                """)
            // What came later, and cannot be moved, keeps the task from its cutover, by name.
            let refused = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: 3)
            #expect(refused.errors.contains("procedure a.late is not moved between MySQL and MariaDB. It calls VERSION()"), "\(refused.errors)")
            try await rig.source.sql("DROP PROCEDURE a.late; ALTER EVENT a.`DO ENABLE` DISABLE")
            try await rig.godwit(["migrate", "--cutover", "auto"])
            for query in Self.answers {
                let (wanted, found) = (try await rig.source.sql(query), try await rig.target.sql(query))
                #expect(!wanted.isEmpty && wanted == found, "\(query)")
            }
            try await rig.godwit(["verify"])
            // They do what they did: twice the value and one, in this order; each row in the log once.
            try await rig.target.sql("INSERT INTO a.t (n) VALUES (5)")
            let last = "SELECT n, HEX(w) FROM a.t ORDER BY id DESC LIMIT 1"
            #expect(try await rig.target.sql(last).first?.first == "11")
            #expect(try await rig.target.sql(last) == rig.source.sql(last))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM a.log WHERE m = CONCAT('ins ', (SELECT MAX(id) FROM a.t))") == "1")
            try await rig.target.sql("DELETE FROM a.t WHERE n = 11 ORDER BY id DESC LIMIT 1; DELETE FROM a.log ORDER BY id DESC LIMIT 1; CREATE OR REPLACE VIEW a.many AS SELECT 1 AS id")
            let changed = try await rig.godwit(["verify"], expecting: 4)
            #expect((changed.output + changed.errors).contains("view a.many was changed on the target"), "\(changed.output) \(changed.errors)")
        }
    }

    /// Before anything is written: words that only one has, or that mean another thing; what the target's parser and functions say.
    @Test(arguments: [(ServerFlavour.mysql9, ServerFlavour.mariadb), (.mariadb11, .mysql9)])
    func refusals(source: ServerFlavour, target: ServerFlavour) async throws {
        try await Self.with(source, target) { rig in
            try await rig.source.sql("CREATE DATABASE r; CREATE TABLE r.t (id INT PRIMARY KEY, a VARCHAR(20)); SET GLOBAL log_bin_trust_function_creators = 1;")
            let isMySQL = source == .mysql9
            try await rig.source.sql(
                isMySQL
                    ? """
                    USE r; CREATE PROCEDURE arrow() SELECT id FROM t FOR UPDATE OF t; CREATE PROCEDURE bin() SELECT BIN_TO_UUID(a) FROM t; CREATE VIEW any1 AS SELECT ANY_VALUE(a) FROM t GROUP BY id;
                    CREATE PROCEDURE good() SELECT id, 'ANY_VALUE(a)' FROM t
                    """
                    : """
                    USE r; CREATE PROCEDURE arrow() DELETE FROM t RETURNING id; CREATE PROCEDURE bin() SELECT NATURAL_SORT_KEY(a) FROM t; CREATE VIEW any1 AS SELECT MD5(a) FROM t;
                    CREATE PROCEDURE good() SELECT id, 'MD5(a)' FROM t
                    """)
            try rig.plan(tables: #"{ include: ["r.*"] }"#)
            let run = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 2)
            let words = [
                "procedure r.arrow is not moved between MySQL and MariaDB. The target does not understand it", "procedure r.bin is not moved between",
                isMySQL ? "calls any_value()" : "It calls MD5(), which the target does not have",
            ]
            for word in words { #expect(run.errors.contains(word), "\(word): \(run.errors)") }
            #expect(!run.errors.contains("r.good"))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('r', 'godwit')") == "0")
            try rig.plan(tables: #"{ include: ["r.*"] }"#, extra: "without: [routines, views]")
            try await rig.godwit(["migrate", "--until", "validated"])
        }
    }
}
