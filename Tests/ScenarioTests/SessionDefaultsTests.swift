import GodwitTesting
import Testing

/// Servers whose own defaults are others than Godwit's sessions need: zones, modes, and what travels with a statement in the log.
@Suite struct SessionDefaultsTests {
    @Test func nothingDependsOnTheServersDefaults() async throws {
        let source = ServerOptions(extra: ["--default-time-zone=-03:00", "--sql-mode="])
        let target = ServerOptions(extra: ["--default-time-zone=+05:30"])
        try await MigrationRig.with(source: source, target: target) { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE e; USE e;
                CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(3) NULL, d DATE NOT NULL, n DATETIME NOT NULL,
                  touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, g INT AS (h * 2) STORED, h INT INVISIBLE);
                SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
                INSERT INTO t (id, at, d, n) VALUES (0, '2024-03-31 01:30:00.125', '0000-00-00', '2024-00-00 00:00:00'), (1, NULL, '2024-02-31', '0000-00-00');
                """)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let load = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
            #expect(load.code == 0, "load: \(load.errors)")
            try await rig.expectEqual("e", "load")
            try await rig.source.sql(
                """
                USE e; SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; DELETE FROM t WHERE id = 0;
                INSERT INTO t (id, at, d, n) VALUES (0, '2024-10-27 01:30:00.875', '2023-02-30', '2023-01-00 00:00:00'); UPDATE t SET h = 5 WHERE id = 1
                """)
            let replay = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
            #expect(replay.code == 0, "replay: \(replay.errors)")
            try await rig.expectEqual("e", "replay")
            // Each row gets what the statement's own session makes of the default.
            try await rig.source.sql(
                """
                USE e; SET time_zone = '+09:00'; SET timestamp = 1700000000.5;
                ALTER TABLE t ADD COLUMN made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, ADD COLUMN zoned TIMESTAMP NOT NULL DEFAULT '2021-06-01 12:00:00'
                """)
            let statement = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
            #expect(statement.code == 0, "statement: \(statement.errors)")
            try await rig.expectEqual("e", "statement")
        }
    }
}
