import Foundation
import GodwitTesting
import MySQLTypes
import MySQLWire
import SystemPackage
import Testing

/// Servers that allow little, as a cloud's do: what is missing is found out by asking, and is either done in another way or named.
@Suite struct RestrictedServerTests {
    private static let schema = """
        CREATE DATABASE app; CREATE TABLE app.p (id INT PRIMARY KEY, v VARCHAR(30), UNIQUE KEY (v));
        CREATE TABLE app.c (id INT AUTO_INCREMENT PRIMARY KEY, p INT, j JSON, FOREIGN KEY (p) REFERENCES app.p (id));
        CREATE TABLE app.k (a INT, b VARBINARY(9));
        INSERT INTO app.p VALUES (1, 'one'), (2, 'two'); INSERT INTO app.c (p, j) VALUES (1, '[1]'), (2, '{"a": 1.5}'); INSERT INTO app.k VALUES (1, x'00'), (1, x'00');
        """

    /// The least that a migration needs: the source's account reads, the target's writes its schemas.
    private static let sourceAccount = """
        CREATE USER least; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON app.* TO least;
        GRANT REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN, SHOW_ROUTINE ON *.* TO least
        """
    private static let targetAccount = """
        CREATE USER least; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON app.* TO least;
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON godwit.* TO least
        """

    private static func plan(_ rig: MigrationRig, _ application: String) throws {
        func server(_ server: TestServer) -> String { "{ host: 127.0.0.1, port: \(server.port), user: least, tls: { mode: disabled } }" }
        try rig.plan(source: server(rig.source), target: server(rig.target), tables: #"{ include: ["app.*"] }"#, extra: "application: \(application)")
    }

    /// All of it at once: file positions, cascades in the storage engine, no LOAD DATA, no super_read_only for the account.
    @Test func allRestrictionsAtOnce() async throws {
        let source = ServerOptions(gtids: false, extra: ["--innodb-native-foreign-keys=ON"])
        var target = ServerOptions()
        target.localInfile = false
        try await MigrationRig.with(source: source, target: target) { rig in
            try await rig.source.sql(Self.schema + Self.sourceAccount)
            try await rig.target.sql(Self.targetAccount)
            try Self.plan(rig, #"{ profile: commands, stop: ["true"], start: ["true"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("UPDATE app.p SET v = 'x' WHERE id = 1; UPDATE app.p SET v = 'one' WHERE id = 2; DELETE FROM app.k LIMIT 1; INSERT INTO app.c (p) VALUES (2); ALTER TABLE app.c ADD COLUMN n INT DEFAULT 3")
            // The default promises more than this account can keep: named, and nothing is taken in its place.
            let refused = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: nil)
            #expect(refused.code == 3 && refused.errors.contains("block: application"), "\(refused.errors)")

            try Self.plan(rig, #"{ profile: commands, stop: ["true"], start: ["true"], block: application }"#)
            let writer = Task {
                while !Task.isCancelled { try await rig.source.sql("INSERT INTO app.c (p) VALUES (1)") }
            }
            let moving = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: nil)
            writer.cancel()
            _ = await writer.result
            #expect(moving.code == 3 && moving.errors.contains("does not stand still"), "\(moving.errors)")
            try await rig.godwit(["migrate", "--cutover", "auto"])
            try await rig.expectEqual("app", "cut over")
            let next = "SELECT AUTO_INCREMENT FROM information_schema.tables WHERE table_schema = 'app' AND table_name = 'c'"
            #expect(try await rig.target.value("SET information_schema_stats_expiry = 0; " + next) == rig.source.value("SET information_schema_stats_expiry = 0; " + next))
        }
    }

    /// Accounts locked instead of super_read_only: those that were open, and they alone, are open again if the cutover is undone.
    @Test func accountsAreLocked() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + "CREATE USER app; GRANT ALL ON app.* TO app; CREATE USER shut ACCOUNT LOCK")
            let locks = "SELECT GROUP_CONCAT(User, account_locked ORDER BY User) FROM mysql.user WHERE User IN ('app', 'shut', 'root', 'godwit')"
            func application(_ switching: String) -> String {
                #"application: { profile: commands, block: accounts, stop: ["true"], start: ["true"], switch: ["\#(switching)"], switch_back: ["true"] }"#
            }
            try rig.plan(tables: #"{ include: ["app.*"] }"#, extra: application("false"))
            let undone = try await rig.godwit(["migrate", "--cutover", "auto"], expecting: nil)
            #expect(undone.code == 3, "\(undone.errors)")
            #expect(try await rig.source.value(locks) == "appN,godwitN,rootN,shutY")

            try rig.plan(tables: #"{ include: ["app.*"] }"#, extra: application("true"))
            var configuration = rig.source.configuration()
            configuration.username = "app"
            try await rig.source.withConnection(configuration) { session in
                // Open, and not committed: its rows must not be waited for, and never arrive.
                try await session.query("BEGIN")
                try await session.query("INSERT INTO app.p VALUES (9, 'open')")
                try await rig.godwit(["migrate", "--cutover", "auto"])
                await #expect(throws: MySQLError.self) { try await session.query("COMMIT") }
            }
            #expect(try await rig.source.value(locks) == "appY,godwitN,rootN,shutY")
            try await rig.expectEqual("app", "cut over")
        }
    }
}
