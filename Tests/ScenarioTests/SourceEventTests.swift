import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Events of the source's sessions that are easily taken for something else, once changes are followed.
@Suite struct SourceEventTests {
    /// A temporary table of an included table's name, by a session in either format, is not that table.
    @Test func temporaryTables() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql("CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v INT); INSERT INTO e.t VALUES (1, 1), (2, 2)")
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for format in ["ROW", "MIXED"] {
                try await rig.source.sql(
                    """
                    SET SESSION binlog_format = \(format); USE e;
                    CREATE TEMPORARY TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 100), (7, 100); UPDATE t SET v = 0; DELETE FROM t WHERE id = 1;
                    CREATE TEMPORARY TABLE other LIKE t; ALTER TABLE t ADD COLUMN x INT; TRUNCATE TABLE t; DROP TEMPORARY TABLE t;
                    CREATE TEMPORARY TABLE u SELECT id + 100 AS id, v FROM t; DROP TEMPORARY TABLE u
                    """)
            }
            // Of the table itself only rows are followed.
            try await rig.source.sql(
                """
                USE e; CREATE TEMPORARY TABLE u SELECT id + 100 AS id, v FROM t; UPDATE t SET v = v + 1;
                BEGIN; INSERT INTO t SELECT id, v FROM u; DROP TEMPORARY TABLE u; COMMIT
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'e'") == "1")
        }
    }

    /// LOAD DATA is rows, those of a statement that was undone in part are not there.
    @Test func loadDataAndSavepoints() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql("SET GLOBAL local_infile = ON; CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO e.t VALUES (1, 'one')")
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            let file = rig.folder.appending("rows.tsv").string
            try Data((1...2000).map { "\($0)\trow \($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: file))
            try await rig.source.sql(
                """
                LOAD DATA LOCAL INFILE '\(file)' REPLACE INTO TABLE e.t;
                BEGIN; DELETE FROM e.t WHERE id < 100; SAVEPOINT a; LOAD DATA LOCAL INFILE '\(file)' IGNORE INTO TABLE e.t; ROLLBACK TO a; UPDATE e.t SET v = 'kept' WHERE id = 500; COMMIT
                """, arguments: ["--local-infile=1"])
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM e.t") == "1901")
        }
    }
}
