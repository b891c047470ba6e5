import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Tables of MariaDB that keep their history: every version of every row, with the period in which it was the row.
@Suite(.serialized) struct SystemVersionedTests {
    private static let cutover = "application: { profile: commands, switch: [[\"true\"]], switch_back: [[\"true\"]] }"

    /// Periods in no definition, periods in the middle of one, columns without history, a secondary unique key, a foreign key that does
    /// not cascade, a counter.
    private static let schema = """
        CREATE DATABASE v; USE v;
        CREATE TABLE plain (id INT PRIMARY KEY, w VARCHAR(20));
        CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, w VARCHAR(20) COLLATE utf8mb4_unicode_ci, u INT UNIQUE, free INT WITHOUT SYSTEM VERSIONING, KEY (w)) WITH SYSTEM VERSIONING;
        CREATE TABLE b (id BIGINT UNSIGNED, since TIMESTAMP(6) GENERATED ALWAYS AS ROW START, k VARCHAR(9), upto TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
          d DOUBLE, g INT AS (id % 7) VIRTUAL, PRIMARY KEY (k, id, upto), PERIOD FOR SYSTEM_TIME (since, upto)) WITH SYSTEM VERSIONING;
        CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES plain (id)) WITH SYSTEM VERSIONING;
        INSERT INTO plain VALUES (1, 'one'), (2, 'two'), (3, 'three');
        INSERT INTO a (w, u, free) SELECT CONCAT('w', seq), seq, seq FROM seq_1_to_40;
        INSERT INTO b (id, k, d) SELECT seq, CONCAT('k', seq % 5), seq / 3 FROM seq_1_to_40;
        INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)
        """

    /// Everything that makes or removes a version. `n` makes the values new.
    private static func changes(_ n: Int) -> [String] {
        [
            "UPDATE v.a SET w = CONCAT(w, '\(n)') WHERE id % 3 = 0", "DELETE FROM v.a WHERE id % 10 = \(n % 10)",
            "INSERT INTO v.a (id, w, u) VALUES (\(n % 10 + 10), 'again', 1000 + \(n)) ON DUPLICATE KEY UPDATE w = 'twice'",
            "UPDATE v.a SET free = \(n)", "REPLACE INTO v.a (id, w, u) VALUES (5, 'replaced', 5)",
            "BEGIN; UPDATE v.a SET u = -u WHERE u IN (7, 8); UPDATE v.a SET u = 15 + u WHERE u = -7; UPDATE v.a SET u = 15 + u WHERE u = -8; COMMIT",
            "BEGIN; INSERT INTO v.a (w, u) VALUES ('brief', 77777); UPDATE v.a SET w = 'briefer' WHERE u = 77777; DELETE FROM v.a WHERE u = 77777; COMMIT",
            "UPDATE v.b SET d = d * 3, k = IF(id % 4 = 0, 'moved', k)", "DELETE FROM v.b WHERE id = \(n % 40 + 1)",
            "BEGIN; UPDATE v.b SET d = 0; ROLLBACK", "UPDATE v.child SET p = p % 3 + 1", "UPDATE v.a SET id = id + 100 WHERE id = \(n % 40 + 1)",
        ]
    }

    private static func versions(_ table: String, on server: TestServer) async throws -> [[String]] {
        let period = table == "b" ? "" : ", row_start, row_end"
        return try await server.sql("SELECT *\(period) FROM v.\(table) FOR SYSTEM_TIME ALL ORDER BY 1, 2, 3\(table == "b" ? ", 4, 5" : ", row_start")")
    }

    private static func expectSame(_ rig: MigrationRig, _ comment: String, _ tables: [String] = ["a", "b", "child"]) async throws {
        for table in tables {
            let (wanted, found) = (try await versions(table, on: rig.source), try await versions(table, on: rig.target))
            #expect(wanted.count > 0)
            let isSame = wanted == found
            #expect(isSame, "\(comment): \(table) has \(wanted.count) versions on the source, \(found.count) on the target")
            #expect(try await rig.definition("v.\(table)", on: rig.source) == rig.definition("v.\(table)", on: rig.target))
        }
        try await rig.expectEqual("v", comment)
    }

    @Test(arguments: [ServerFlavour.mariadb, .mariadb11])
    func historyMoves(flavour: ServerFlavour) async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (flavour, flavour)) { rig in
            try await rig.source.sql(Self.schema)
            for n in 1...3 { for statement in Self.changes(n) { try await rig.source.sql(statement) } }
            try rig.plan(tables: #"{ include: ["v.*"] }"#, extra: Self.cutover + "\ntask: { FullLoadSettings: { CommitRate: 16 } }")
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.chunk.begin:4")
            try await godwit.halted()
            for n in 4...6 { for statement in Self.changes(n) { try await rig.source.sql(statement) } }
            try await rig.source.sql("DELETE HISTORY FROM v.b; INSERT INTO v.b (id, k, d) VALUES (900, 'late', 1); UPDATE v.b SET d = 2 WHERE id = 900")
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await Self.expectSame(rig, "loaded")

            for n in 7...12 { for statement in Self.changes(n) { try await rig.source.sql(statement) } }
            let middle = try await rig.source.value("SELECT MAX(row_end) FROM v.a FOR SYSTEM_TIME ALL WHERE row_end < NOW()")
            for statement in Self.changes(13) { try await rig.source.sql(statement) }
            try await rig.source.sql("DELETE HISTORY FROM v.a BEFORE SYSTEM_TIME '\(middle)'")
            for statement in Self.changes(14) { try await rig.source.sql(statement) }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, "followed")

            // Definitions change: columns come with values for all of history; a table starts to keep history, and a new one comes with it.
            try await rig.source.sql(
                """
                SET system_versioning_alter_history = KEEP; USE v;
                ALTER TABLE a ADD COLUMN x INT NOT NULL DEFAULT 4 AFTER id, ADD KEY (x); UPDATE a SET x = id WHERE id < 9;
                CREATE TABLE fresh (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING; INSERT INTO fresh VALUES (1, 1), (2, 2); UPDATE fresh SET x = 5; DELETE FROM fresh WHERE id = 2
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, "definitions", ["a", "b", "child", "fresh"])
            try await rig.source.sql(
                """
                USE v; CREATE TABLE turns (id INT PRIMARY KEY, x INT); INSERT INTO turns VALUES (1, 1), (2, 2); ALTER TABLE turns ADD SYSTEM VERSIONING;
                UPDATE turns SET x = 3; DELETE FROM turns WHERE id = 2; INSERT INTO turns VALUES (4, 4)
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await Self.expectSame(rig, "from now on", ["turns"])
            try await rig.source.sql("ALTER TABLE v.turns DROP SYSTEM VERSIONING; UPDATE v.turns SET x = 8; DELETE FROM v.turns WHERE id = 4")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("v", "no more")
            try await rig.godwit(["verify"])
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await Self.expectSame(rig, "cut over", ["a", "b", "child", "fresh"])
            // The application writes on: history goes on from where it was.
            try await rig.target.sql("UPDATE v.fresh SET x = 6; INSERT INTO v.a (w) VALUES ('on the target')")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM v.fresh FOR SYSTEM_TIME ALL") == "5")
        }
    }

    /// A version that is missing, one too many, and a period that is another: each is a difference, and none is mended by guessing.
    @Test func historyIsCompared() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb, .mariadb)) { rig in
            try await rig.source.sql(Self.schema)
            for statement in Self.changes(1) { try await rig.source.sql(statement) }
            try rig.plan(tables: #"{ include: ["v.*"] }"#, extra: Self.cutover)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.godwit(["verify"])
            // A row of the source never was so on the target.
            try await rig.target.sql("DELETE FROM v.child WHERE id = 1")
            let deleted = try await rig.godwit(["verify"], expecting: nil)
            #expect(deleted.code == 4, "\(deleted.output) \(deleted.errors)")
            #expect(Self.unequal(deleted) == ["v.child"], "\(deleted.output)")
            try await rig.target.sql("DELETE HISTORY FROM v.a")
            let removed = try await rig.godwit(["verify"], expecting: nil)
            #expect(removed.code == 4)
            #expect(Self.unequal(removed) == ["v.a", "v.child"], "\(removed.output)")
        }
    }

    /// The tables that `verify` calls not equal.
    private static func unequal(_ run: MigrationRig.Outcome) -> [String] {
        run.output.split(separator: "\n").filter { $0.contains("NOT EQUAL") }.compactMap { $0.split(separator: " ").first.map(String.init) }.sorted()
    }

    /// History that goes in many parts of one transaction: counted over all of them, so that nothing else goes with it unseen.
    @Test func muchHistoryGoes() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb11, .mariadb11)) { rig in
            try await rig.source.sql(
                "CREATE DATABASE v; USE v; CREATE TABLE v.t (id INT PRIMARY KEY, w VARCHAR(200)) WITH SYSTEM VERSIONING; INSERT INTO v.t SELECT seq, REPEAT('w', 200) FROM seq_1_to_20000; UPDATE v.t SET w = id")
            try rig.plan(
                tables: #"{ include: ["v.*"] }"#, extra: Self.cutover + "\ntask: { ChangeProcessingTuning: { MemoryLimitTotal: 8 } }")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("BEGIN; UPDATE v.t SET w = 'again' WHERE id % 2 = 0; DELETE HISTORY FROM v.t; COMMIT; UPDATE v.t SET w = REPEAT('v', 200)")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("v")
            // Nobody has removed this one on the source, and it is not to be removed here without a word.
            try await rig.target.sql("SET system_versioning_insert_history = 1; INSERT INTO v.t (id, w, row_start, row_end) VALUES (1, 'more', '2020-01-01', '2020-01-02')")
            try await rig.source.sql("DELETE HISTORY FROM v.t")
            let stopped = try await rig.godwit(["migrate", "--until", "caught-up"], expecting: nil)
            #expect(stopped.code != 0 && stopped.errors.contains("of its history 1 versions more"), "\(stopped.code) \(stopped.errors)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM v.t FOR SYSTEM_TIME ALL WHERE w = 'more'") == "1")
        }
    }

    /// The target's own history comes back with a rollback.
    @Test func historyComesBack() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb11, .mariadb11)) { rig in
            try await rig.source.sql(Self.schema)
            for statement in Self.changes(1) { try await rig.source.sql(statement) }
            try rig.plan(tables: #"{ include: ["v.*"] }"#, extra: "reverse: true\n" + Self.cutover)
            try await rig.godwit(["migrate", "--cutover", "auto"])
            for n in 2...4 { for statement in Self.changes(n) { try await rig.target.sql(statement) } }
            try await rig.target.sql("DELETE HISTORY FROM v.child")
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in Self.changes(5) { try await rig.target.sql(statement) }
            try await rig.godwit(["rollback"])
            try await Self.expectSame(rig, "back")
        }
    }

    /// What comes while changes are followed is looked at as what is there at the start: it stops by name, and never ends equal.
    @Test func whatIsRefusedLater() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        for (target, statement, word) in [
            (ServerFlavour.mariadb11, "CREATE TABLE v.late (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO v.late VALUES (1)", "end of time"),
            (.mariadb11, "ALTER TABLE v.t ADD SYSTEM VERSIONING; UPDATE v.t SET n = 2", "end of time"),
            (.mariadb, "ALTER TABLE v.keyless ADD SYSTEM VERSIONING; DELETE FROM v.keyless", "no key"),
            (.mariadb, "CREATE TABLE v.parts (id INT PRIMARY KEY) WITH SYSTEM VERSIONING PARTITION BY HASH (id) PARTITIONS 2; INSERT INTO v.parts VALUES (1)", "partitioned"),
            (.mariadb, "ALTER TABLE v.child ADD SYSTEM VERSIONING; DELETE FROM v.child WHERE id = 1", "cascade"),
        ] {
            try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb, target)) { rig in
                try await rig.source.sql(
                    """
                    CREATE DATABASE v; CREATE TABLE v.t (id INT PRIMARY KEY, n INT); INSERT INTO v.t VALUES (1, 1); CREATE TABLE v.keyless (id INT); INSERT INTO v.keyless VALUES (1);
                    CREATE TABLE v.child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES v.t (id) ON DELETE CASCADE); INSERT INTO v.child VALUES (1, 1), (2, 1)
                    """)
                try rig.plan(tables: #"{ include: ["v.*"] }"#)
                try await rig.godwit(["migrate", "--until", "validated"])
                try await rig.source.sql(statement)
                for _ in 0..<2 {
                    let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                    #expect(run.code != 0 && run.errors.contains(word), "\(statement): \(run.code) \(run.errors)")
                }
            }
        }
    }

    @Test func whatIsRefused() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        let tables = """
            CREATE DATABASE v; USE v;
            CREATE TABLE numbers (id INT PRIMARY KEY, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
            CREATE TABLE parts (id INT PRIMARY KEY) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION h HISTORY, PARTITION c CURRENT);
            CREATE TABLE keyless (id INT) WITH SYSTEM VERSIONING;
            CREATE TABLE parent (id INT PRIMARY KEY); CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE) WITH SYSTEM VERSIONING;
            CREATE TABLE fine (id INT PRIMARY KEY) WITH SYSTEM VERSIONING
            """
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb, .mariadb)) { rig in
            try await rig.source.sql(tables)
            try rig.plan(tables: #"{ include: ["v.*"] }"#)
            let run = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 2)
            for (table, word) in [("numbers", "transaction numbers"), ("parts", "partitioned"), ("keyless", "has no key"), ("child", "cascades")] {
                #expect(run.errors.split(separator: "\n").contains { $0.contains("v.\(table)") && $0.contains(word) }, "\(table): \(run.errors)")
            }
            #expect(!run.errors.contains("v.fine"), "\(run.errors)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('v', 'godwit')") == "0")
        }
        for (target, word) in [(ServerFlavour.mariadb11, "end of time"), (.mysql9, "MySQL keeps no history")] {
            try await MigrationRig.with(source: fast, target: fast, flavours: (.mariadb, target)) { rig in
                try await rig.source.sql("CREATE DATABASE v; CREATE TABLE v.fine (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
                try rig.plan(tables: #"{ include: ["v.*"] }"#)
                let run = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 2)
                #expect(run.errors.contains("v.fine") && run.errors.contains(word), "\(run.errors)")
            }
        }
    }
}
