import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Pitfall 40: after the cutover the old source follows the target, and `godwit rollback` switches back without losing a row.
@Suite struct ReverseTests {
    static let schema = """
        CREATE DATABASE app; USE app;
        CREATE TABLE parents (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), UNIQUE (name));
        CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, parent INT, v JSON, at TIMESTAMP(3) NULL,
          FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);
        CREATE TABLE keyless (a INT, b VARCHAR(20));
        CREATE TABLE swapped (id INT PRIMARY KEY, a VARCHAR(10), b VARCHAR(10)); INSERT INTO swapped VALUES (1, 'a1', 'b1');
        CREATE TABLE written (id INT PRIMARY KEY, place VARCHAR(10));
        CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(60));
        INSERT INTO parents (name) VALUES ('a'), ('b'), ('c');
        INSERT INTO items (parent, v) VALUES (1, '{"a": 1}'), (2, '[1.0]'), (3, NULL);
        INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, 'y');
        CREATE TRIGGER ai AFTER INSERT ON items FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('ins ', NEW.id));
        CREATE TRIGGER bu BEFORE UPDATE ON parents FOR EACH ROW SET NEW.name = CONCAT(NEW.name, '!');
        CREATE VIEW names AS SELECT name FROM parents;
        CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO audit (what) VALUES ('tick');
        """

    /// What an application does once it runs on the target: every kind of change, of rows, definitions and objects.
    static let afterTheSwitch = """
        INSERT INTO parents (name) VALUES ('d'), ('e'); UPDATE parents SET name = 'B' WHERE id = 2; DELETE FROM parents WHERE id = 1;
        INSERT INTO items (parent, v, at) VALUES (4, '{"b": [true, 1.50]}', NOW(3)); DELETE FROM keyless WHERE b = 'x' LIMIT 1;
        INSERT INTO keyless VALUES (3, 'z'), (3, 'z'); ALTER TABLE items ADD COLUMN note VARCHAR(20) DEFAULT 'n', ADD INDEX (note);
        INSERT INTO items (parent, note) VALUES (5, 'late'); CREATE TABLE fresh (id INT PRIMARY KEY, w TEXT); INSERT INTO fresh VALUES (1, 'w');
        DROP TRIGGER bu; CREATE TRIGGER bd BEFORE DELETE ON items FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('del ', OLD.id));
        INSERT INTO swapped VALUES (2, 'a2', 'b2'); ALTER TABLE swapped MODIFY b VARCHAR(10) AFTER id; INSERT INTO swapped VALUES (3, 'b3', 'a3');
        DELETE FROM items WHERE note = 'late'; UPDATE parents SET name = 'plain' WHERE id = 3;
        """

    static let objects = """
        SELECT TRIGGER_NAME, HEX(ACTION_STATEMENT) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'app' ORDER BY 1;
        SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'app';
        SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'app'
        """

    static func with(
        flavours: (source: ServerFlavour, target: ServerFlavour) = (.mysql9, .mysql9), options: ServerOptions = ServerOptions(), block: String = "read-only", _ body: (MigrationRig) async throws -> Void
    ) async throws {
        try await MigrationRig.with(source: options, target: options, flavours: flavours) { rig in
            for server in [rig.source, rig.target] {
                try await server.sql("SET GLOBAL log_bin_trust_function_creators = 1; CREATE USER app; GRANT ALL ON app.* TO app")
            }
            try await rig.source.sql(schema)
            let folder = rig.folder.string
            try Data("source\n".utf8).write(to: URL(fileURLWithPath: folder + "/where"))
            func point(_ side: String) -> String { "[sh, -c, \"echo \(side) > \(folder)/where\"]" }
            try rig.plan(
                tables: #"{ include: ["app.*"] }"#,
                extra: "reverse: true\napplication: { profile: commands, stop: [\"true\"], start: [\"true\"], switch: \(point("target")), switch_back: \(point("source")), block: \(block) }")
            try await body(rig)
        }
    }

    static func place(_ rig: MigrationRig) throws -> String {
        try String(contentsOfFile: rig.folder.appending("where").string, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Without names in the log: which column is which is known by their order at the switch alone.
    @Test func switchesBackWithoutLosingARow() async throws {
        try await Self.with(options: ServerOptions(fullRowMetadata: false)) { rig in
            try await rig.godwit(["migrate", "--cutover", "auto"])
            #expect(try Self.place(rig) == "target")
            // Written before anything follows the target: the way back begins at the switch, not at now.
            try await rig.target.sql("USE app; \(Self.afterTheSwitch)")
            try await rig.godwit(["migrate", "--until", "validated"])
            let status = try await rig.godwit(["status"])
            #expect(status.output.contains("godwit.reverse"))
            #expect(try await rig.source.value("SELECT CONCAT(@@read_only, @@super_read_only)") == "10")
            #expect(try await rig.source.value("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'app'") == "0")
            // More, and from now on the rollback does it by itself.
            try await rig.target.sql("USE app; INSERT INTO items (parent) VALUES (5); UPDATE keyless SET b = 'k'")
            try await rig.godwit(["rollback"])
            #expect(try Self.place(rig) == "source")
            try await rig.expectEqual("app")
            #expect(try await rig.source.sql(Self.objects) == rig.target.sql(Self.objects))
            #expect(try await rig.source.value("SELECT CONCAT(@@read_only, @@super_read_only)") == "00")
            #expect(try await rig.target.value("SELECT @@super_read_only") == "1")
            // The application goes on where it came back to; AUTO_INCREMENT is behind what the target gave out.
            let next = try await rig.target.value("SELECT MAX(id) + 1 FROM app.items")
            try await rig.source.sql("INSERT INTO app.items (parent) VALUES (5)")
            #expect(try await rig.source.value("SELECT MAX(id) FROM app.items") == next)
            // Again, and the command that began it all: neither does anything.
            try await rig.godwit(["rollback"])
            try await rig.godwit(["migrate"])
            let again = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: 2)
            #expect(again.errors.contains("its way back is gone"), "\(again.errors)")
            #expect(try Self.place(rig) == "source")
            // And the end: nothing of Godwit is left, both take writes.
            let plan = try await rig.godwit(["cleanup"])
            #expect(plan.output.contains("would let the target take writes again"))
            try await rig.godwit(["cleanup", "--yes"])
            for server in [rig.source, rig.target] {
                #expect(try await server.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'godwit'") == "0")
                #expect(try await server.value("SELECT CONCAT(@@read_only, @@super_read_only)") == "00")
            }
        }
    }

    @Test func theWayBackIsProvenBeforeTheSwitch() async throws {
        try await Self.with { rig in
            try await rig.godwit(["migrate", "--until", "validated"])
            // Everything but writing to the old source.
            try await rig.source.sql("REVOKE UPDATE ON *.* FROM godwit")
            let refused = try await rig.godwit(["cutover"], expecting: 3)
            #expect(refused.errors.contains("The way back is not open"), "\(refused.errors)")
            #expect(try await rig.source.value("SELECT CONCAT(@@read_only, @@super_read_only)") == "00")
            try await rig.source.sql("GRANT UPDATE ON *.* TO godwit")
            try await rig.godwit(["migrate", "--cutover", "auto"])
        }
    }

    /// An application that never rests, from the source to the target and back: what it was told is there is there.
    @Test(arguments: Pair.all)
    func anApplicationGoesThereAndBack(pair: Pair) async throws {
        try await Self.with(flavours: pair.flavours, options: pair.options, block: pair.block) { rig in
            // Nothing but the block `read-only` holds events.
            if pair.block != "read-only" { try await rig.source.sql("DROP EVENT app.tick") }
            let writer = Self.application(rig)
            defer { writer.cancel() }
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder)
            do {
                try await godwit.moment("follow.begin")
                try await rig.godwit(["cutover"])
                try await godwit.moment("reverse.silent")
                try await rig.target.sql("ALTER TABLE app.written ADD COLUMN extra INT DEFAULT 5")
                let back = try await rig.godwit(["rollback"])
                #expect(back.code == 0, "\(godwit.standardError.tail())")
                #expect(try await godwit.exit(within: .seconds(60)) == .code(0), "\(godwit.standardError.tail())")
            } catch {
                try await godwit.kill9()
                throw error
            }
            #expect(try Self.place(rig) == "source")
            // It writes on the source again.
            let before = Int(try await rig.source.value("SELECT MAX(id) FROM app.written")) ?? 0
            try await withTimeLimit(.seconds(60), "the application writes nothing") {
                while Int(try await rig.source.value("SELECT MAX(id) FROM app.written")) ?? 0 < before + 3 { try await Task.sleep(for: .milliseconds(50)) }
            }
            writer.cancel()
            let last = try await writer.value
            let found = try await rig.source.value("SELECT CONCAT(COUNT(*), ' ', MAX(id) >= \(last), ' ', SUM(extra) = 5 * COUNT(*)) FROM app.written WHERE id <= \(last)")
            #expect(found == "\(last) 1 1")
            for side in ["source", "target"] {
                #expect(Int(try await rig.source.value("SELECT COUNT(*) FROM app.written WHERE place = '\(side)'")) ?? 0 > 0, "nothing was written on the \(side)")
            }
            #expect(try await rig.source.sql("CHECKSUM TABLE app.items, app.parents, app.keyless") == rig.target.sql("CHECKSUM TABLE app.items, app.parents, app.keyless"))
        }
    }

    struct Pair: Sendable, CustomTestStringConvertible {
        var flavours: (source: ServerFlavour, target: ServerFlavour)
        var options = ServerOptions()
        var block = "read-only"
        var testDescription: String { "\(flavours.source) to \(flavours.target), \(block), GTIDs \(options.gtids)" }
        static let all = [
            Pair(flavours: (.mysql9, .mysql9), block: "accounts"), Pair(flavours: (.mysql9, .mysql9), options: ServerOptions(gtids: false)),
            Pair(flavours: (.mariadb, .mariadb), options: ServerOptions(tls: .off)),
        ]
    }

    /// One row after the other, where the application's configuration says; a row that was refused is written again. Returns the last
    /// that was taken.
    static func application(_ rig: MigrationRig) -> Task<Int, any Error> {
        Task {
            var number = 0
            while !Task.isCancelled {
                let place = (try? Self.place(rig)) ?? ""
                if place.isEmpty { continue }
                do {
                    try await (place == "target" ? rig.target : rig.source).sql(
                        "INSERT IGNORE INTO app.written (id, place) VALUES (\(number + 1), '\(place)')", arguments: ["--user=app"])
                    number += 1
                } catch {
                    // Refused, locked out, or between the two: the configuration says where to go on.
                    let expected = ["read-only", "read_only", "is locked", "Lost connection", "gone away", "1927", "killed"]
                    guard Task.isCancelled || expected.contains(where: { "\(error)".contains($0) }) else { throw error }
                }
            }
            return number
        }
    }

    /// Killed at any moment of the way back, the same command again comes to the same end.
    @Test(arguments: [
        "reverse.stored", "reverse.silent", "cutover.block_source.end", "cutover.triggers.end", "cutover.switch_application.end",
        "cutover.journal.point_of_no_return.begun", "cutover.start_application.begin",
    ])
    func killedOnTheWayBack(moment: String) async throws {
        try await Self.with { rig in
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await rig.target.sql("USE app; \(Self.afterTheSwitch)")
            let killed = try await GodwitProcess.start(["rollback"], in: rig.folder, haltAt: moment)
            do {
                try await killed.halted()
                try await killed.kill9()
            } catch {
                try await killed.kill9()
                throw error
            }
            try await rig.godwit(["rollback"])
            #expect(try Self.place(rig) == "source")
            try await rig.expectEqual("app")
            #expect(try await rig.source.sql(Self.objects) == rig.target.sql(Self.objects))
            #expect(try await rig.source.value("SELECT CONCAT(@@read_only, @@super_read_only, @@event_scheduler)") == "00ON")
            #expect(try await rig.target.value("SELECT @@super_read_only") == "1")
        }
    }

    /// Of a migration that is not cut over nothing is touched.
    @Test func nothingToGoBackFrom() async throws {
        try await Self.with { rig in
            try await rig.godwit(["migrate", "--until", "validated"])
            let refused = try await rig.godwit(["rollback"], expecting: 2)
            #expect(refused.errors.contains("is not cut over"), "\(refused.errors)")
            #expect(try await rig.source.value("SELECT CONCAT(@@read_only, @@super_read_only)") == "00")
            #expect(try await rig.source.value("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'app'") == "2")
        }
    }

    /// A table less on the old source is told, not left out of the way back.
    @Test func aTableThatIsGone() async throws {
        try await Self.with { rig in
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await rig.source.sql("SET GLOBAL super_read_only = OFF; RENAME TABLE app.swapped TO app.elsewhere; SET GLOBAL super_read_only = ON")
            let refused = try await rig.godwit(["rollback"], expecting: nil)
            #expect(refused.code != 0 && refused.errors.contains("app.swapped"), "\(refused.errors)")
            try await rig.source.sql("SET GLOBAL super_read_only = OFF; RENAME TABLE app.elsewhere TO app.swapped; SET GLOBAL super_read_only = ON")
            try await rig.godwit(["rollback"])
            try await rig.expectEqual("app")
        }
    }
}
