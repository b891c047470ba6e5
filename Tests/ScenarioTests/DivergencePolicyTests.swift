import Foundation
import GodwitTesting
import MySQLWire
import SystemPackage
import Testing

/// The target is not what the log says: what the task settings say is done, exactly once, and everybody sees it.
@Suite struct DivergencePolicyTests {
    private static let schema = """
        CREATE DATABASE e;
        CREATE TABLE e.t (id INT PRIMARY KEY, v VARCHAR(20), u INT UNIQUE);
        CREATE TABLE e.o (id INT PRIMARY KEY, v INT);
        CREATE TABLE e.k (a INT, b INT);
        INSERT INTO e.t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4), (5, 'e', 5);
        INSERT INTO e.o VALUES (1, 0); INSERT INTO e.k VALUES (1, 1), (2, 2)
        """

    private func rig(_ task: String, _ body: (MigrationRig) async throws -> Void) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema)
            try rig.plan(tables: #"{ include: ["e.*"] }"#, extra: "task: \(task)")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await body(rig)
        }
    }

    private static let goOn = """
        { ErrorBehavior: { ApplyErrorDeletePolicy: IGNORE_RECORD, ApplyErrorInsertPolicy: LOG_ERROR, ApplyErrorUpdatePolicy: LOG_ERROR, \
        DataErrorPolicy: LOG_ERROR, DataTruncationErrorPolicy: LOG_ERROR }, ControlTablesSettings: { StatusTableEnabled: true, \
        SuspendedTablesTableEnabled: true, HistoryTableEnabled: true } }
        """

    /// One source transaction, rows of it that do not fit among rows that do, another table beside them; killed where the exceptions
    /// are written and not committed. Each is recorded once, everything else is applied, and no output is green. A repair mends it.
    @Test func passedOverRecordedOnceAndRepaired() async throws {
        try await rig(Self.goOn) { rig in
            try await rig.target.sql("DELETE FROM e.t WHERE id IN (2, 3); INSERT INTO e.t VALUES (9, 'mine', 90); DELETE FROM e.k WHERE a = 2")
            try await rig.source.sql(
                """
                BEGIN; DELETE FROM e.t WHERE id = 2; UPDATE e.t SET v = 'cc' WHERE id = 3; INSERT INTO e.t VALUES (9, 'theirs', 91), (10, 'j', 10);
                UPDATE e.t SET u = 44 WHERE id = 4; UPDATE e.k SET b = 7 WHERE a = 2; UPDATE e.o SET v = 1; DELETE FROM e.t WHERE id = 5; COMMIT
                """)
            let first = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "follow.recorded")
            try await first.halted()
            try await first.kill9()
            #expect(try await rig.target.value("SELECT v FROM e.o") == "0")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM awsdms_control.awsdms_apply_exceptions") == "0")
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: 4)
            #expect((run.output + run.errors).contains("e.t"))
            #expect(try await rig.target.value("SELECT v FROM e.o") == "1")
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(id, v, u ORDER BY id) FROM e.t") == "1a1,4d44,9mine90,10j10")
            let faults = "SELECT GROUP_CONCAT(fault ORDER BY id) FROM godwit.exceptions WHERE source_table = 't'"
            #expect(try await rig.target.value(faults) == "delete,update,insert")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM awsdms_control.awsdms_apply_exceptions") == "4")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM awsdms_control.awsdms_status") == "1")
            for arguments in [["status"], ["status", "--json"], ["diagnose"]] {
                let shown = try await rig.godwit(arguments, expecting: nil)
                #expect(!shown.output.contains("are Validated"), "\(shown.output)")
            }
            let json = try await rig.godwit(["status", "--json"]).output
            #expect(json.contains("\"skipped\":3") && json.contains("\"skipped\":1"), "\(json)")
            // The keyless table has nothing by which a row could be rewritten: said, and mended by hand here.
            try await rig.target.sql("INSERT INTO e.k VALUES (2, 7)")
            try await rig.godwit(["migrate", "--until", "validated", "--repair"])
            try await rig.expectEqual("e")
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(kind ORDER BY kind) FROM godwit.repairs") == "inserted,rewritten")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.exceptions WHERE cleared = 0") == "0")
            #expect(try await rig.godwit(["status"]).output.contains("are Validated"))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM awsdms_control.awsdms_validation_failures_v1") != "0")
        }
    }

    /// UPDATE_RECORD and INSERT_RECORD make the rows what the log says.
    @Test func forced() async throws {
        try await rig("{ ErrorBehavior: { ApplyErrorInsertPolicy: UPDATE_RECORD, ApplyErrorUpdatePolicy: INSERT_RECORD } }") { rig in
            try await rig.target.sql("DELETE FROM e.t WHERE id IN (2, 3); INSERT INTO e.t VALUES (9, 'mine', 90)")
            try await rig.source.sql(
                "BEGIN; UPDATE e.t SET v = 'cc' WHERE id = 3; UPDATE e.t SET u = 22 WHERE id = 2; INSERT INTO e.t VALUES (9, 'theirs', 91); COMMIT")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.exceptions WHERE cleared = 1") == "3")
        }
    }

    /// Another row holds the unique value: what cannot be written over stays as it was, is written down, and is red.
    @Test func whatCannotBeForcedTakesNothingAway() async throws {
        try await rig("{ ErrorBehavior: { ApplyErrorInsertPolicy: UPDATE_RECORD } }") { rig in
            try await rig.target.sql("INSERT INTO e.t VALUES (9, 'mine', 90), (8, 'other', 91)")
            try await rig.source.sql("INSERT INTO e.t VALUES (9, 'theirs', 91)")
            try await rig.godwit(["migrate", "--until", "validated"], expecting: 4)
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(id, v, u ORDER BY id) FROM e.t WHERE id > 5") == "8other91,9mine90")
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(fault) FROM godwit.exceptions") == "insert")
        }
    }

    /// A suspended table stands still and is seen; the others go on; it is loaded again while the task runs, and is whole then.
    @Test func suspendedAndReloaded() async throws {
        try await rig(
            "{ ErrorBehavior: { ApplyErrorUpdatePolicy: SUSPEND_TABLE, TableErrorPolicy: SUSPEND_TABLE }, ControlTablesSettings: { SuspendedTablesTableEnabled: true } }"
        ) { rig in
            try await rig.target.sql("DELETE FROM e.t WHERE id = 3")
            try await rig.source.sql("BEGIN; UPDATE e.t SET v = 'x'; UPDATE e.o SET v = 1; COMMIT; ALTER TABLE e.t ADD COLUMN w INT; INSERT INTO e.t VALUES (6, 'f', 6, 6); UPDATE e.o SET v = 2")
            let run = try await rig.godwit(["migrate", "--until", "caught-up"], expecting: 1)
            #expect((run.output + run.errors).contains("suspended"))
            #expect(try await rig.target.value("SELECT v FROM e.o") == "2")
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(v ORDER BY id) FROM e.t") == "a,b,d,e")
            #expect(try await rig.godwit(["status"]).output.contains("Table error"))
            try await rig.godwit(["migrate", "--until", "validated"], expecting: 1)
            let runner = try await GodwitProcess.start(["migrate"], in: rig.folder)
            do {
                try await runner.moment("follow.begin")
                #expect(try await rig.target.value("SELECT COUNT(*) FROM e.o") == "1")
                try await rig.godwit(["reload", "e.t"])
                let nothing = try await rig.godwit(["reload", "e.nothing"], expecting: 1)
                #expect(nothing.errors.contains("no table e.nothing"))
                runner.interrupt()
                _ = try await runner.exit()
            } catch {
                try await runner.kill9()
                throw error
            }
            try await rig.source.sql("UPDATE e.t SET v = 'y' WHERE id > 3; INSERT INTO e.o VALUES (2, 2); UPDATE e.t SET u = u + 100 ORDER BY id DESC")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
            #expect(try await rig.definition("e.t", on: rig.source) == rig.definition("e.t", on: rig.target))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.suspended") == "0")
        }
    }

    /// Settings that keep statements from the target: nothing pretends that both sides are the same.
    @Test func statementsNotCarriedOut() async throws {
        try await rig(
            "{ ChangeProcessingDdlHandlingPolicy: { HandleSourceTableDropped: false, HandleSourceTableTruncated: false, HandleSourceTableAltered: false } }"
        ) { rig in
            try await rig.source.sql("DROP TABLE e.o; INSERT INTO e.t VALUES (6, 'f', 6)")
            let dropped = try await rig.godwit(["migrate", "--until", "validated"])
            #expect((dropped.output + dropped.errors).contains("e.o: DROP"), "\(dropped.output)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM e.o") == "1")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM e.t") == "6")
            try await rig.source.sql("TRUNCATE TABLE e.k; ALTER TABLE e.t ADD INDEX (v)")
            let run = try await rig.godwit(["migrate", "--until", "caught-up"], expecting: nil)
            // Validation may have found the rows that the TRUNCATE left by then.
            #expect(run.code == 1 && run.output.contains("NOT WHOLE") || run.code == 4 && run.output.contains("NOT EQUAL"), "\(run.output)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM e.k") == "2")
            #expect(try await rig.godwit(["status", "--json"]).output.contains("not carried out"))
            #expect(try await rig.target.value("SHOW CREATE TABLE e.t").contains("KEY `v`") == false)
        }
    }

    /// Rows that differ, with no task between the servers and with one.
    @Test func verifyRepairs() async throws {
        try await MigrationRig.with { rig in
            let schema = """
                CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v VARCHAR(20), j JSON, u INT UNIQUE);
                INSERT INTO e.t VALUES (1, 'a', '[1.10]', 1), (2, 'b', NULL, 2), (3, 'c', '{}', 3); CREATE VIEW e.w AS SELECT id FROM e.t
                """
            for server in [rig.source, rig.target] { try await server.sql(schema) }
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["verify"])
            try await rig.target.sql("UPDATE e.t SET u = 5 WHERE id = 1; UPDATE e.t SET u = 1, v = 'secret' WHERE id = 2; DELETE FROM e.t WHERE id = 3; INSERT INTO e.t VALUES (4, 'x', NULL, 4)")
            let found = try await rig.godwit(["verify", "--mask", "v"], expecting: 4)
            #expect(found.output.contains("only on the target") && found.output.contains("(masked)") && !found.output.contains("secret"))
            let repaired = try await rig.godwit(["verify", "--repair"])
            #expect(repaired.output.contains("repaired e.t 4: was {") && repaired.output.contains("is deleted"), "\(repaired.output)")
            try await rig.expectEqual("e")
            try await rig.target.sql("DROP VIEW e.w")
            let view = try await rig.godwit(["verify", "--json"], expecting: 4)
            #expect(view.output.contains("e.w is not on the target"), "\(view.output)")
            // A task's tables are the task's.
            try await rig.target.sql("DROP DATABASE e")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.target.sql("DELETE FROM e.t WHERE id = 1")
            #expect(try await rig.godwit(["verify", "--repair"], expecting: 2).errors.contains("migrate --repair"))
        }
    }

    /// The row is deleted on the source after a repair has read it: what was read is not written any more, not even for a moment.
    @Test func aRowThatChangesAfterItWasReadIsNotRepaired() async throws {
        try await rig("{ ValidationSettings: { ThreadCount: 1 } }") { rig in
            try await rig.target.sql("UPDATE e.t SET v = 'by hand' WHERE id = 2")
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated", "--repair"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "repair.read")
            try await godwit.halted()
            try await rig.source.sql("DELETE FROM e.t WHERE id = 2")
            while try await rig.target.value("SELECT COUNT(*) FROM e.t WHERE id = 2") != "0" {}
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.repairs") == "0")
            try await rig.expectEqual("e")
        }
    }

    /// Rows are repaired under a writer that changes the same rows all the while: what is written is never newer than the checkpoint.
    @Test func repairUnderAWriter() async throws {
        try await rig("{ ValidationSettings: { ThreadCount: 2 } }") { rig in
            try await rig.source.sql("INSERT INTO e.o SELECT 10 + a.id * 10 + b.id, 0 FROM e.t a, e.t b")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.target.sql("UPDATE e.o SET v = -1 WHERE id % 2 = 0; DELETE FROM e.o WHERE id % 5 = 0")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await rig.source.withConnection { writer in
                        while !Task.isCancelled {
                            // Every change is of a row that is right: those that were changed by hand are left to the repair.
                            try await writer.query("UPDATE e.t SET v = UUID_SHORT() % 1000 WHERE id = 1 + FLOOR(RAND() * 5)")
                            try await writer.query("UPDATE e.o SET v = v + 1 WHERE id % 2 = 1 AND id % 5 <> 0 ORDER BY RAND() LIMIT 1")
                        }
                    }
                }
                try await rig.godwit(["migrate", "--until", "validated", "--repair"])
                group.cancelAll()
            }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("e")
        }
    }
}
