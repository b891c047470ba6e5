import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// What the plan says is what happens: filters, names, preparation of the target, task settings.
@Suite struct MigrationPlanTests {
    // MARK: Filters

    static let filters: [(name: String, filter: String, sql: String)] = [
        ("lte", #"{"filter-operator": "lte", "value": "5"}"#, "n <= 5"),
        ("ste", #"{"filter-operator": "ste", "value": "5"}"#, "n <= 5"),
        ("gte", #"{"filter-operator": "gte", "value": "5"}"#, "n >= 5"),
        ("eq", #"{"filter-operator": "eq", "value": "5"}, {"filter-operator": "eq", "value": "7"}"#, "n = 5 OR n = 7"),
        ("noteq", #"{"filter-operator": "noteq", "value": "5"}"#, "n <> 5"),
        ("between", #"{"filter-operator": "between", "start-value": "3", "end-value": "6"}"#, "n BETWEEN 3 AND 6"),
        ("notbetween", #"{"filter-operator": "notbetween", "start-value": "3", "end-value": "6"}"#, "n NOT BETWEEN 3 AND 6"),
        ("null", #"{"filter-operator": "null"}"#, "n IS NULL"),
        ("notnull", #"{"filter-operator": "notnull"}"#, "n IS NOT NULL"),
    ]

    /// One table for each operator, in one migration; updates move rows in and out, before and after the consistency point.
    @Test func filtersHoldForLoadAndReplay() async throws {
        try await MigrationRig.with { rig in
            var rules: [String] = []
            var sql = "CREATE DATABASE f; USE f;"
            let values = (1...9).map { "(\($0), \($0), 'w\($0)')" } + ["(10, NULL, 'x')"]
            for (index, filter) in Self.filters.enumerated() {
                sql += "CREATE TABLE t_\(filter.name) (id INT PRIMARY KEY, n INT, w VARCHAR(10), UNIQUE KEY w (w));"
                sql += "INSERT INTO t_\(filter.name) VALUES \(values.joined(separator: ", "));"
                rules.append(
                    """
                    {"rule-type": "selection", "rule-id": "\(index + 1)", "rule-name": "\(filter.name)", "rule-action": "include",
                     "object-locator": {"schema-name": "f", "table-name": "t[_]\(filter.name)"},
                     "filters": [{"filter-type": "source", "column-name": "n", "filter-conditions": [\(filter.filter)]}]}
                    """)
            }
            try await rig.source.sql(sql)
            let changes = Self.filters.map { filter in
                """
                USE f; UPDATE t_\(filter.name) SET n = n + 2 WHERE id IN (3, 4, 5); UPDATE t_\(filter.name) SET n = NULL WHERE id = 6;
                UPDATE t_\(filter.name) SET n = 5 WHERE id = 10; DELETE FROM t_\(filter.name) WHERE id = 1;
                INSERT INTO t_\(filter.name) VALUES (11, 4, 'n4'), (12, 40, 'n40'); UPDATE t_\(filter.name) SET id = id + 100, n = 9 - n WHERE id IN (7, 8);
                UPDATE t_\(filter.name) SET w = CONCAT('q', id) WHERE id IN (2, 9);
                """
            }.joined(separator: "\n")
            try rig.plan(rules: "{\"rules\": [\(rules.joined(separator: ","))]}")
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder, haltAt: "load.end")
            try await godwit.halted()
            try await rig.source.sql(changes)
            try await godwit.kill9()
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(changes.replacing("id IN (3, 4, 5)", with: "id IN (2, 4, 5)").replacing("(11, 4, 'n4'), (12, 40, 'n40')", with: "(21, 4, 'm4'), (22, 40, 'm40')").replacing("id + 100", with: "id + 200"))
            try await rig.godwit(["migrate", "--until", "validated"])
            for filter in Self.filters {
                let query = "SELECT id, n, w FROM f.t_\(filter.name)"
                let wanted = try await rig.source.sql(query + " WHERE \(filter.sql) ORDER BY id")
                let found = try await rig.target.sql(query + " ORDER BY id")
                #expect(wanted == found, "\(filter.name)")
            }
        }
    }

    @Test func theGuidesSixRulesAndRenamings() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE packages_onpremise; USE packages_onpremise; CREATE TABLE ar_internal_metadata (k INT PRIMARY KEY);
                CREATE TABLE users (id INT PRIMARY KEY); CREATE TABLE packages (id INT PRIMARY KEY, u INT, FOREIGN KEY (u) REFERENCES users (id));
                INSERT INTO users VALUES (1), (2); INSERT INTO packages VALUES (1, 1); CREATE DATABASE other; CREATE TABLE other.t (id INT PRIMARY KEY);
                """)
            let exclude = ["mysql", "performance_schema", "information_schema", "test"].enumerated().map {
                #"{"rule-type":"selection","rule-id":"\#($0 + 2)","rule-name":"\#($0 + 2)","object-locator":{"schema-name":"\#($1)","table-name":"%"},"rule-action":"exclude"}"#
            }.joined(separator: ",")
            try rig.plan(
                rules: #"{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"1","object-locator":{"schema-name":"packages_onpremise","table-name":"%"},"rule-action":"include"},"#
                    + exclude
                    + #",{"rule-type":"selection","rule-id":"6","rule-name":"6","object-locator":{"schema-name":"packages_onpremise","table-name":"ar_internal_metadata"},"rule-action":"exclude"},"#
                    + #"{"rule-type":"transformation","rule-id":"7","rule-name":"7","rule-target":"schema","object-locator":{"schema-name":"packages_onpremise"},"rule-action":"rename","value":"moved"},"#
                    + #"{"rule-type":"transformation","rule-id":"8","rule-name":"8","rule-target":"table","object-locator":{"schema-name":"packages_onpremise","table-name":"users"},"rule-action":"rename","value":"people"}]}"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            let tables = try await rig.target.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'moved' ORDER BY 1")
            #expect(tables == [["packages"], ["people"]])
            let key = try await rig.definition("moved.packages", on: rig.target)
            #expect(key.contains("REFERENCES `people` (`id`)"))
            #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('other', 'packages_onpremise')") == "0")
        }
    }

    // MARK: Preparation

    @Test func anExistingTargetUnderAllThreeModes() async throws {
        try await MigrationRig.with { rig in
            let tables = """
                CREATE DATABASE p; USE p; CREATE TABLE a (id INT PRIMARY KEY, x INT, UNIQUE KEY x (x), KEY y (x, id)) COMMENT 'mine';
                CREATE TABLE b (id INT AUTO_INCREMENT PRIMARY KEY, a INT, KEY (a), CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a (id));
                """
            try await rig.source.sql(tables + "INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO b (a) VALUES (1), (2);")
            try await rig.target.sql(tables)
            let wanted = try await rig.definition("p.b", on: rig.target)
            // Empty tables: indexes and foreign keys are dropped, and rebuilt as they were.
            try rig.plan(tables: #"{ include: ["p.*"] }"#, extra: "name: first")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("p")
            #expect(try await rig.definition("p.b", on: rig.target) == wanted)
            #expect(try await rig.definition("p.a", on: rig.target) == rig.definition("p.a", on: rig.source))
            // Rows: refused before the first write, with the choices.
            try rig.plan(tables: #"{ include: ["p.*"] }"#, extra: "name: second")
            let refused = try await rig.godwit(["migrate", "--until", "validated"], expecting: 2)
            for word in ["DO_NOTHING", "TRUNCATE_BEFORE_LOAD", "DROP_AND_CREATE"] { #expect(refused.errors.contains(word), "\(refused.errors)") }
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.task WHERE task = 'second'") == "0")
            for (name, mode) in [("third", "TRUNCATE_BEFORE_LOAD"), ("fourth", "DROP_AND_CREATE")] {
                try await rig.target.sql("INSERT INTO p.a VALUES (77, 77); ALTER TABLE p.a COMMENT 'theirs'")
                try rig.plan(
                    tables: #"{ include: ["p.*"] }"#, extra: "name: \(name)\ntask: { FullLoadSettings: { TargetTablePrepMode: \(mode) } }")
                try await rig.godwit(["migrate", "--until", "validated"])
                try await rig.expectEqual("p", mode)
                let comment = try await rig.definition("p.a", on: rig.target).contains("theirs")
                #expect(comment == (mode == "TRUNCATE_BEFORE_LOAD"), "\(mode)")
                #expect(try await rig.definition("p.b", on: rig.target) == wanted)
            }
        }
    }

    // MARK: Settings

    @Test func settingsMakeTheirDifference() async throws {
        try await MigrationRig.with { rig in
            let rows = (1...400).map { "(\($0))" }.joined(separator: ",")
            try await rig.source.sql("CREATE DATABASE s; CREATE TABLE s.t (id INT PRIMARY KEY); INSERT INTO s.t VALUES \(rows)")
            try rig.plan(
                tables: #"{ include: ["s.*"] }"#,
                extra: "name: one\ntask: { FullLoadSettings: { CommitRate: 100, StopTaskCachedChangesNotApplied: true }, Logging: { EnableLogContext: true } }")
            let halted = try await rig.godwit(["migrate"])
            // CommitRate: chunks of 100 rows; the open-ended last one may be empty.
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.chunks WHERE task = 'one' AND row_count = 100") == "4")
            #expect(try await rig.target.value("SELECT phase FROM godwit.fence WHERE task = 'one'") == "replaying")
            #expect(halted.errors.contains("EnableLogContext") || halted.output.contains("EnableLogContext"), "unhonoured keys are named: \(halted.errors)")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.target.sql("DROP DATABASE s")
            try rig.plan(
                tables: #"{ include: ["s.*"] }"#,
                extra: "name: two\ntask: { FullLoadSettings: { StopTaskCachedChangesApplied: true }, ValidationSettings: { EnableValidation: false } }")
            let applied = try await rig.godwit(["migrate"])
            #expect(try await rig.target.value("SELECT phase FROM godwit.fence WHERE task = 'two'") == "following")
            #expect(applied.output.contains("Not enabled"), "\(applied.output)")
            #expect(try await rig.target.value("SELECT COUNT(*) FROM godwit.chunks WHERE task = 'two'") == "1")
        }
    }

    // MARK: Refusals

    static let refusals: [(sql: String, words: [String])] = [
        ("CREATE TABLE r.t (id INT PRIMARY KEY) ENGINE=MyISAM", ["r.t", "MyISAM"]),
        ("CREATE TABLE r.t (id INT PRIMARY KEY); CREATE DATABASE q; CREATE TABLE q.x (id INT); CREATE VIEW r.v AS SELECT * FROM q.x", ["r.v", "q.x", "without: [views]"]),
        ("CREATE TABLE r.t (id INT PRIMARY KEY); CREATE TABLE r.x (id INT); CREATE VIEW r.v AS SELECT * FROM r.x; DROP TABLE r.x", ["r.v", "r.x", "DROP VIEW"]),
        ("CREATE TABLE r.t (id INT PRIMARY KEY); SET NAMES latin1; CREATE PROCEDURE r.`pö`() SELECT 1", ["procedure r.p", "latin1"]),
        ("SET GLOBAL binlog_format = STATEMENT; CREATE TABLE r.t (id INT PRIMARY KEY)", ["binlog_format"]),
        ("CREATE DATABASE q; CREATE TABLE q.p (id INT PRIMARY KEY); CREATE TABLE r.t (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES q.p (id) ON DELETE CASCADE)", ["r.t", "q.p"]),
    ]

    /// Out of scope is named before any write: the target has not even Godwit's own schema afterwards.
    @Test func whatIsOutOfScopeIsRefusedByNameBeforeAnyWrite() async throws {
        try await MigrationRig.with { rig in
            try rig.plan(tables: #"{ include: ["r.*"] }"#)
            for refusal in Self.refusals {
                try await rig.source.sql("CREATE DATABASE r; " + refusal.sql)
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: 2)
                for word in refusal.words { #expect(run.errors.contains(word), "\(refusal.sql): \(run.errors)") }
                #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('godwit', 'r')") == "0")
                try await rig.source.sql("DROP DATABASE r; DROP DATABASE IF EXISTS q; SET GLOBAL binlog_format = ROW")
            }
        }
    }

    /// At the event: a change that is logged as a statement. Named, never passed over.
    @Test(arguments: [
        ("SET SESSION binlog_format = STATEMENT; UPDATE e.t SET v = 9 WHERE id = 1", "UPDATE"),
    ])
    func atTheEvent(change: String, word: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v INT); INSERT INTO e.t VALUES (1, 1);
                CREATE DATABASE o; CREATE TABLE o.o (id INT PRIMARY KEY);
                CREATE TABLE e.q (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10))
                """)
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.source.sql("UPDATE e.t SET v = 2 WHERE id = 1; " + change)
            let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
            #expect(run.code == 3)
            #expect(run.errors.contains(word), "\(run.errors)")
            // Everything before it is there: the target stands just before the event.
            #expect(try await rig.target.value("SELECT v FROM e.t WHERE id = 1") == "2", "\(change)")
        }
    }

    /// A table of the target that somebody changes under the load is named.
    @Test(arguments: [
        ("DROP TABLE e.t", "Table e.t of the target is gone"), ("ALTER TABLE e.t DROP COLUMN v", "Table e.t of the target is gone or altered"),
    ])
    func targetChangedDuringTheLoad(change: String, words: String) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql("CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY, v INT); INSERT INTO e.t VALUES (1, 1)")
            try rig.plan(tables: #"{ include: ["e.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal],
                haltAt: "load.chunk.begin")
            try await godwit.halted()
            try await rig.target.sql(change)
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(1))
            #expect(godwit.standardError.lines.joined().contains(words), "\(godwit.standardError.lines)")
        }
    }
}
