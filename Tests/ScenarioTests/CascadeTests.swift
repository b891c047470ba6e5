import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// What foreign keys do to child rows, where the source's log does not carry it and where it does.
@Suite struct CascadeTests {
    /// Cascades are not in the log of a server that runs its foreign keys inside InnoDB.
    private static let native = ServerOptions(extra: ["--innodb-native-foreign-keys=ON"])

    private static let schema = """
        CREATE DATABASE k; USE k;
        CREATE TABLE p (id INT PRIMARY KEY, code VARCHAR(20) UNIQUE, j JSON);
        CREATE TABLE kids (id INT PRIMARY KEY, pid INT, at TIMESTAMP(6) NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP(6),
          FOREIGN KEY (pid) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE grand (id INT PRIMARY KEY, kid INT, FOREIGN KEY (kid) REFERENCES kids (id));
        CREATE TABLE codes (id INT PRIMARY KEY, code VARCHAR(20), FOREIGN KEY (code) REFERENCES p (code) ON DELETE SET NULL ON UPDATE CASCADE);
        CREATE TABLE loose (id INT PRIMARY KEY, pid INT, FOREIGN KEY (pid) REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL);
        CREATE TABLE keyless (pid INT, v INT, FOREIGN KEY (pid) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE a (id INT PRIMARY KEY);
        CREATE TABLE b (id INT, n INT, PRIMARY KEY (id, n), FOREIGN KEY (id) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE c (id INT, n INT, m INT, PRIMARY KEY (id, n, m), FOREIGN KEY (id, n) REFERENCES b (id, n) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE d (k INT PRIMARY KEY, id INT, n INT, m INT, FOREIGN KEY (id, n, m) REFERENCES c (id, n, m) ON DELETE SET NULL ON UPDATE CASCADE);
        CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);
        CREATE TABLE forest (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES forest (id) ON DELETE SET NULL);
        CREATE TABLE hen (id INT PRIMARY KEY, egg INT);
        CREATE TABLE egg (id INT PRIMARY KEY, hen INT, FOREIGN KEY (hen) REFERENCES hen (id) ON DELETE CASCADE);
        ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg (id) ON DELETE CASCADE;
        CREATE TABLE plain (id INT PRIMARY KEY, v INT);
        CREATE TABLE heap (v INT)
        """

    /// Rows whose numbers begin with `base`.
    private static func fill(_ base: Int) -> String {
        let x = { (number: Int) in String(base * 100 + number) }
        return """
            INSERT INTO k.p VALUES (\(x(1)), 'x\(x(1))', '{"a": 1}'), (\(x(2)), 'x\(x(2))', '1'), (\(x(3)), NULL, NULL), (\(x(4)), 'x\(x(4))', '[]');
            INSERT INTO k.kids (id, pid) VALUES (\(x(1)), \(x(1))), (\(x(2)), \(x(1))), (\(x(3)), \(x(2))), (\(x(4)), \(x(4))), (\(x(5)), NULL);
            INSERT INTO k.grand VALUES (\(x(1)), \(x(1))), (\(x(3)), \(x(3)));
            INSERT INTO k.codes VALUES (\(x(1)), 'x\(x(1))'), (\(x(2)), 'x\(x(2))'), (\(x(4)), 'x\(x(4))');
            INSERT INTO k.loose VALUES (\(x(1)), \(x(1))), (\(x(2)), \(x(2))), (\(x(4)), \(x(4)));
            INSERT INTO k.keyless VALUES (\(x(1)), 1), (\(x(1)), 1), (\(x(2)), 1), (\(x(4)), 1), (\(x(4)), 1);
            INSERT INTO k.a VALUES (\(x(1))), (\(x(2)));
            INSERT INTO k.b VALUES (\(x(1)), 1), (\(x(1)), 2), (\(x(2)), 1);
            INSERT INTO k.c VALUES (\(x(1)), 1, 1), (\(x(1)), 2, 1), (\(x(2)), 1, 1);
            INSERT INTO k.d VALUES (\(x(1)), \(x(1)), 1, 1), (\(x(2)), \(x(1)), 2, 1), (\(x(3)), \(x(2)), 1, 1);
            INSERT INTO k.tree VALUES (\(x(1)), NULL), (\(x(2)), \(x(1))), (\(x(3)), \(x(2))), (\(x(4)), \(x(3))), (\(x(5)), \(x(4))), (\(x(6)), \(x(5))), (\(x(7)), \(x(1))), (\(x(9)), \(x(9)));
            INSERT INTO k.forest VALUES (\(x(1)), NULL), (\(x(2)), \(x(1))), (\(x(3)), \(x(1))), (\(x(4)), \(x(3)));
            INSERT INTO k.hen VALUES (\(x(1)), NULL), (\(x(2)), NULL); INSERT INTO k.egg VALUES (\(x(1)), \(x(1))), (\(x(2)), \(x(2)));
            UPDATE k.hen SET egg = \(x(1)) WHERE id = \(x(2)); UPDATE k.hen SET egg = \(x(2)) WHERE id = \(x(1));
            INSERT INTO k.plain VALUES (\(x(1)), 1); INSERT INTO k.heap VALUES (\(x(1))), (\(x(1)))
            """
    }

    /// Every action on them; each parent's change is one event, of which the children's are no part.
    private static func stir(_ base: Int, of source: MigrationRig) async throws {
        let x = { (number: Int) in String(base * 100 + number) }
        try await source.source.sql(
            """
            UPDATE k.p SET id = \(x(11)) WHERE id = \(x(1));
            UPDATE k.p SET code = 'y\(x(2))', j = '1.0' WHERE id = \(x(2));
            UPDATE k.a SET id = \(x(51)) WHERE id = \(x(1));
            UPDATE k.b SET n = 9 WHERE id = \(x(51)) AND n = 2;
            INSERT INTO k.p VALUES (\(x(20)), 'X\(x(20))', NULL); INSERT INTO k.codes VALUES (\(x(20)), 'x\(x(20))'); UPDATE k.p SET code = LOWER(code) WHERE id = \(x(20));
            BEGIN; DELETE FROM k.grand WHERE id = \(x(3)); DELETE FROM k.p WHERE id = \(x(2)); INSERT INTO k.p VALUES (\(x(2)), 'again\(x(2))', '2'); COMMIT;
            DELETE FROM k.a WHERE id = \(x(2));
            DELETE FROM k.b WHERE id = \(x(51)) AND n = 1;
            DELETE FROM k.tree WHERE id = \(x(9));
            DELETE FROM k.tree WHERE id = \(x(1));
            DELETE FROM k.forest WHERE id IN (\(x(1)), \(x(3)));
            DELETE FROM k.hen WHERE id = \(x(1));
            SET foreign_key_checks = 0; DELETE FROM k.p WHERE id = \(x(4)); INSERT INTO k.kids (id, pid) VALUES (\(x(40)), 999999); SET foreign_key_checks = 1;
            UPDATE k.kids SET at = '2021-01-01' WHERE id = \(x(40));
            UPDATE k.plain SET v = v + 1; DELETE FROM k.heap WHERE v = \(x(1)) LIMIT 1
            """)
    }

    /// To a target of its own kind: a source that logs no cascades runs its foreign keys inside InnoDB, MySQL 9's own target does not.
    private static func withRig(
        _ flavour: ServerFlavour, _ options: ServerOptions, _ body: (MigrationRig) async throws -> Void
    ) async throws {
        try await withServers(source: (flavour, options), target: (flavour, ServerOptions())) { source, target in
            for server in [source, target] {
                try await server.sql("CREATE USER godwit; GRANT ALL ON *.* TO godwit WITH GRANT OPTION")
            }
            try await withTemporaryFolder("rig") { folder in
                try await body(MigrationRig(source: source, target: target, folder: folder))
            }
        }
    }

    /// During the load, the replay and the strict phase; killed once.
    @Test(arguments: [
        (ServerFlavour.mysql9, native), (.mysql9, ServerOptions(gtids: false, extra: native.extra)),
        (.mariadb, ServerOptions()), (.mariadb11, ServerOptions()),
    ])
    func everyAction(flavour: ServerFlavour, options: ServerOptions) async throws {
        try await Self.withRig(flavour, options) { rig in
            try await rig.source.sql(Self.schema)
            for base in 1...4 { try await rig.source.sql(Self.fill(base)) }
            try rig.plan(tables: #"{ include: ["k.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let loading = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.keyless.snapshot:2")
            try await loading.halted()
            try await Self.stir(1, of: rig)
            try await rig.source.sql(Self.fill(5))
            try Data().write(to: URL(fileURLWithPath: signal))
            let exit = try await loading.exit()
            #expect(exit == .code(0), "\(loading.standardError.lines)")
            guard exit == .code(0) else { return }
            try await rig.expectEqual("k", "stirred while loading")
            try await Self.stir(2, of: rig)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("k", "stirred while following")
            try await Self.stir(5, of: rig)
            let killed = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: "follow.before-commit")
            try await killed.halted()
            try await killed.kill9()
            try await Self.stir(3, of: rig)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("k", "killed")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'k'")
                == rig.source.value("SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'k'"))
        }
    }

    /// A load of a component that is cut off begins again, with another moment; what came in between is applied once.
    @Test func exactSnapshots() async throws {
        try await MigrationRig.with(source: Self.native) { rig in
            try await rig.source.sql(Self.schema)
            try await rig.source.sql(Self.fill(1))
            try rig.plan(tables: #"{ include: ["k.*"] }"#)
            for moment in ["prepare.stored", "load.chunk.after-commit:3", "load.exact.done"] {
                let killed = try await GodwitProcess.start(["migrate", "--until", "validated"], in: rig.folder, haltAt: moment)
                try await killed.halted()
                try await killed.kill9()
                try await rig.source.sql("INSERT INTO k.heap VALUES (7), (7); INSERT INTO k.keyless VALUES (101, 5); DELETE FROM k.keyless WHERE pid = 102 LIMIT 1")
            }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("k")
        }
    }

    /// Foreign keys that come and go make other components of the tables.
    @Test func definitionsChange() async throws {
        try await MigrationRig.with(source: Self.native) { rig in
            try await rig.source.sql(Self.schema)
            for base in 1...4 { try await rig.source.sql(Self.fill(base)) }
            try rig.plan(tables: #"{ include: ["k.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let loading = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.end")
            try await loading.halted()
            try await rig.source.sql(
                """
                SET foreign_key_checks = 0; ALTER TABLE k.plain ADD CONSTRAINT late FOREIGN KEY (v) REFERENCES k.p (id) ON DELETE SET NULL; SET foreign_key_checks = 1;
                INSERT INTO k.plain VALUES (1, 101), (2, 201); DELETE FROM k.grand; DELETE FROM k.p WHERE id = 101;
                RENAME TABLE k.a TO k.aa; UPDATE k.aa SET id = 777 WHERE id = 201
                """)
            try Data().write(to: URL(fileURLWithPath: signal))
            let exit = try await loading.exit()
            #expect(exit == .code(0), "\(loading.standardError.lines)")
            guard exit == .code(0) else { return }
            try await rig.expectEqual("k", "before the consistency point")
            try await rig.source.sql(
                """
                DELETE FROM k.p WHERE id = 201; ALTER TABLE k.plain DROP FOREIGN KEY late;
                RENAME TABLE k.aa TO k.az; UPDATE k.az SET id = 888 WHERE id = 777;
                USE k; CREATE TABLE new (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES az (id) ON DELETE CASCADE ON UPDATE CASCADE);
                INSERT INTO new VALUES (1, 888), (2, 301); UPDATE az SET id = 999 WHERE id = 888; DELETE FROM az WHERE id = 301;
                SET foreign_key_checks = 0; ALTER TABLE heap ADD CONSTRAINT orphans FOREIGN KEY (v) REFERENCES forest (id) ON DELETE SET NULL; SET foreign_key_checks = 1;
                DELETE FROM forest WHERE id = 301; ALTER TABLE kids ADD COLUMN x INT; DELETE FROM p WHERE id = 301; ALTER TABLE loose DROP FOREIGN KEY loose_ibfk_1; UPDATE p SET id = 499 WHERE id = 401
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("k", "following")
        }
    }

    /// Where cascades are logged, oddities of the log included: rows twice in one statement, orphans.
    @Test func loggedCascades() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            for base in 1...3 { try await rig.source.sql(Self.fill(base)) }
            try rig.plan(tables: #"{ include: ["k.*"] }"#)
            func odd(_ base: Int) -> String {
                let x = { (number: Int) in String(base * 100 + number) }
                return """
                    USE k; DELETE FROM k.grand; DELETE p, kids FROM k.p JOIN k.kids ON kids.pid = p.id WHERE p.id = \(x(1));
                    DELETE kids, p FROM k.p JOIN k.kids ON kids.pid = p.id WHERE p.id = \(x(2));
                    DELETE FROM k.hen WHERE id = \(x(1)); DELETE FROM k.forest WHERE id = \(x(1)); DELETE FROM k.tree WHERE id = \(x(5));
                    UPDATE k.p SET id = \(x(60)) WHERE id = \(x(4)); DELETE a, b FROM k.a JOIN k.b ON b.id = a.id WHERE a.id = \(x(2))
                    """
            }
            let signal = rig.folder.appending("go-on").string
            let loading = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.end")
            try await loading.halted()
            try await rig.source.sql(odd(1))
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await loading.exit() == .code(0), "\(loading.standardError.lines)")
            try await rig.source.sql(odd(2))
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("k")
        }
    }

    /// What cannot be followed is refused by name: a part of a component, by rows or by tables.
    @Test func refusals() async throws {
        try await MigrationRig.with(source: Self.native) { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["k.kids", "k.grand"] }"#)
            var outcome = try await rig.godwit(["migrate", "--until", "validated"], expecting: 2)
            #expect(outcome.errors.contains("k.p"), "\(outcome.errors)")
            try rig.plan(
                rules: """
                    { "rules": [ { "rule-type": "selection", "rule-id": "1", "rule-name": "1", "object-locator": { "schema-name": "k", "table-name": "%" }, "rule-action": "include" },
                      { "rule-type": "selection", "rule-id": "2", "rule-name": "2", "object-locator": { "schema-name": "k", "table-name": "p" }, "rule-action": "include",
                        "filters": [ { "filter-type": "source", "column-name": "id", "filter-conditions": [ { "filter-operator": "gte", "value": "5" } ] } ] } ] }
                    """)
            outcome = try await rig.godwit(["migrate", "--until", "validated"], expecting: 2)
            #expect(outcome.errors.contains("k.p"), "\(outcome.errors)")
            // A parent without its child is whole.
            try rig.plan(tables: #"{ include: ["k.p", "k.plain"] }"#)
            try await rig.source.sql(Self.fill(1))
            try await rig.godwit(["migrate", "--until", "validated"])
            #expect(try await rig.target.value("SELECT COUNT(*) FROM k.p") == "4")
        }
    }
}
