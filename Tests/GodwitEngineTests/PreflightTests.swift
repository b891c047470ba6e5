import Testing

@testable import GodwitEngine

/// Every check: with the fact that it looks for, and without.
@Suite("Preflight's findings")
struct PreflightTests {
    /// A pair of servers and one table that nothing speaks against.
    static func facts() -> PreflightFacts {
        let variables = [
            "log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_value_options": "",
            "binlog_row_metadata": "FULL", "gtid_mode": "ON", "sync_binlog": "1", "innodb_flush_log_at_trx_commit": "1",
            "binlog_expire_logs_seconds": "2592000", "log_replica_updates": "ON", "max_allowed_packet": "67108864",
            "lower_case_table_names": "0", "innodb_native_foreign_keys": "OFF", "local_infile": "ON", "time_zone": "SYSTEM",
            "system_time_zone": "UTC", "explicit_defaults_for_timestamp": "ON", "sql_mode": "STRICT_TRANS_TABLES",
            "restrict_fk_on_non_standard_key": "ON", "event_scheduler": "ON",
        ]
        let grants = Grants(["GRANT ALL PRIVILEGES ON *.* TO `u`@`%`"])
        func server(_ uuid: String, _ id: String) -> ServerFacts {
            ServerFacts(
                version: "9.7.4", variables: variables.merging(["server_uuid": uuid, "server_id": id]) { $1 }, currentUser: "u@%",
                grants: grants, binaryLogStatus: .init(file: "binlog.000001", position: 4), preparedXA: 0, isApplyingReplica: false)
        }
        let table = sampleTable()
        return PreflightFacts(
            source: server("a", "1"), target: server("b", "2"), tables: [table],
            decisions: [table.name: TableDecision(target: TableName(schema: "new", table: "t"))],
            sourceSchemas: [.init(name: "app", characterSet: "utf8mb4", collation: "utf8mb4_0900_ai_ci")])
    }

    @Test func aGoodPairHasOnlyGoodNews() {
        let findings = Preflight.findings(Self.facts())
        #expect(findings.allSatisfy { $0.severity == .ok }, "\(findings.filter { $0.severity != .ok })")
        #expect(Preflight.refusal(findings) == nil)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var check: String
        var severity: Finding.Severity
        var subject: String
        var cure = ""
        var change: @Sendable (inout PreflightFacts) -> Void

        init(
            _ description: String, _ check: String, _ severity: Finding.Severity, _ subject: String, cure: String = "",
            _ change: @escaping @Sendable (inout PreflightFacts) -> Void
        ) {
            testDescription = description
            self.check = check
            self.severity = severity
            self.subject = subject
            self.cure = cure
            self.change = change
        }
    }

    static func object(_ kind: SchemaObjects.Object.Kind, _ schema: String = "app") -> SchemaObjects.Object {
        .init(kind: kind, name: TableName(schema: schema, table: "o"))
    }

    static func foreignKey(_ parent: TableName, onDelete: String = "NO ACTION", columns: [String] = ["id"]) -> ForeignKeyDefinition {
        ForeignKeyDefinition(
            name: "fk", columns: columns, referenced: parent, referencedColumns: columns, onDelete: onDelete, onUpdate: "NO ACTION")
    }

    static let servers: [Row] = [
        Row("an old source", "source-version", .refusal, "source") { $0.source.variables["binlog_row_metadata"] = nil },
        Row("one server twice", "same-server", .refusal, "target") { $0.target.variables["server_uuid"] = "a" },
        Row("the same id", "server-id", .warning, "target", cure: "server_id = 2") { $0.target.variables["server_id"] = "1" },
        Row("no id", "server-id", .error, "source") { $0.source.variables["server_id"] = "0" },
        Row("no binary log", "log-bin", .error, "source") { $0.source.variables["log_bin"] = "OFF" },
        Row("statements", "binlog-format", .error, "source", cure: "SET PERSIST binlog_format = ROW") { $0.source.variables["binlog_format"] = "MIXED" },
        Row("minimal images", "row-image", .warning, "source", cure: "binlog_row_image = FULL") { $0.source.variables["binlog_row_image"] = "MINIMAL" },
        Row("partial JSON", "partial-json", .info, "source") {
            $0.source.variables["binlog_row_value_options"] = "PARTIAL_JSON"
        },
        Row("do-db", "binlog-filters", .error, "source", cure: "binlog-do-db") { $0.source.binaryLogStatus?.doSchemas = "app" },
        Row("ignore-db", "binlog-filters", .error, "source", cure: "binlog-ignore-db") { $0.source.binaryLogStatus?.ignoreSchemas = "x" },
        Row("replica updates", "replica-updates", .warning, "source") { $0.source.variables["log_replica_updates"] = "OFF" },
        Row("replica updates of a replica", "replica-updates", .error, "source") {
            $0.source.variables["log_replica_updates"] = nil
            $0.source.variables["log_slave_updates"] = "OFF"
            $0.source.isApplyingReplica = true
        },
        Row("sync_binlog", "sync-binlog", .warning, "source", cure: "sync_binlog = 1") { $0.source.variables["sync_binlog"] = "0" },
        Row("flush", "flush-log", .warning, "source") { $0.source.variables["innodb_flush_log_at_trx_commit"] = "2" },
        Row("short retention", "retention", .warning, "source") { $0.source.variables["binlog_expire_logs_seconds"] = "3600" },
        Row("endless retention", "retention", .ok, "source") { $0.source.variables["binlog_expire_logs_seconds"] = "0" },
        Row("no GTIDs", "positions", .info, "source") { $0.source.variables["gtid_mode"] = "OFF" },
        Row("prepared XA", "xa", .warning, "source", cure: "XA RECOVER") { $0.source.preparedXA = 2 },
        Row("invisible XA", "xa", .error, "source", cure: "GRANT XA_RECOVER_ADMIN ON *.* TO 'u'@'%'") { $0.source.preparedXA = nil },
        Row("packets", "packet", .warning, "target", cure: "max_allowed_packet = 67108864") { $0.target.variables["max_allowed_packet"] = "1024" },
        Row("names", "lower-case-table-names", .warning, "target") { $0.source.variables["lower_case_table_names"] = "1" },
        Row("zones", "time-zone", .warning, "target") { $0.target.variables["system_time_zone"] = "CET" },
        Row("timestamps", "explicit-defaults", .warning, "target") { $0.target.variables["explicit_defaults_for_timestamp"] = "OFF" },
        Row("collation", "collation", .error, "utf8mb4_0900_ai_ci") { $0.target.collations = ["latin1_bin": .init(characterSet: "latin1", isDefault: false)] },
        Row("read-only", "target-read-only", .error, "target") { $0.target.variables["super_read_only"] = "ON" },
        Row("a replica as target", "target-replica", .error, "target") { $0.target.isApplyingReplica = true },
        Row("no LOCAL", "local-infile", .info, "target", cure: "SET GLOBAL local_infile = ON") { $0.target.variables["local_infile"] = "OFF" },
        Row("no way back", "target-log", .info, "target") { $0.target.variables["log_bin"] = "OFF" },
        Row("events run", "target-events", .warning, "new.o") { $0.targetObjects.objects = [object(.event, "new")] },
    ]

    static let tables: [Row] = [
        Row("nothing included", "no-tables", .error, "source") { $0.tables = [] },
        Row("MyISAM", "engine", .refusal, "app.t", cure: "ENGINE = InnoDB") { $0.tables[0].engine = "MyISAM" },
        Row("no key", "keyless", .info, "app.t") { $0.tables[0].indexes = [] },
        Row("a float key", "keyless", .info, "app.t") { $0.tables[0].columns[0].dataType = "double" },
        Row("no key, inexact columns", "keyless-inexact", .warning, "app.t") {
            $0.tables[0].indexes = []
            $0.tables[0].columns[1].dataType = "float"
        },
        Row("functional key", "functional-unique", .info, "app.t") {
            $0.tables[0].indexes.append(IndexDefinition(name: "f", isUnique: true, isPrimary: false, columns: [], hasFunctionalParts: true))
        },
        Row("unreadable", "definition", .refusal, "app.t") { $0.tables[0].createStatement = "CREATE TABLE `t` (`a" },
        Row("folder", "storage", .warning, "app.t") { $0.tables[0].createStatement = "CREATE TABLE `t` (`a` int) DATA DIRECTORY='/x'" },
        Row("encrypted", "encryption", .warning, "app.t") { $0.tables[0].createStatement = "CREATE TABLE `t` (`a` int) ENCRYPTION='Y'" },
        Row("child without parent", "foreign-key-parent", .refusal, "app.t.fk", cure: "Include app.p") {
            $0.tables[0].foreignKeys = [foreignKey(TableName(schema: "app", table: "p"))]
        },
        Row("cascades that are not logged, of rows in part", "cascades", .refusal, "app.t") {
            let name = $0.tables[0].name
            $0.tables[0].foreignKeys = [foreignKey(name, onDelete: "SET NULL")]
            $0.decisions[name]?.filters = [RowFilter(column: "id", conditions: [])]
            $0.source.variables["innodb_native_foreign_keys"] = "ON"
        },
        Row("a default set by a cascade on an old server", "cascades", .refusal, "app.t") {
            $0.tables[0].foreignKeys = [foreignKey($0.tables[0].name, onDelete: "SET DEFAULT")]
            $0.source.variables["innodb_native_foreign_keys"] = nil
        },
        Row("parent in part", "foreign-key-filter", .warning, "app.t.fk") {
            let name = $0.tables[0].name
            $0.tables[0].foreignKeys = [foreignKey(name)]
            $0.decisions[name]?.filters = [RowFilter(column: "id", conditions: [])]
        },
        Row("parent without unique key", "foreign-key-parent-key", .error, "app.t.fk", cure: "restrict_fk_on_non_standard_key") {
            $0.tables[0].foreignKeys = [foreignKey($0.tables[0].name, columns: ["name"])]
        },
        Row("two into one", "mapping-collision", .error, "new.t") {
            let second = sampleTable("app", "s")
            $0.tables.append(second)
            $0.decisions[second.name] = TableDecision(target: TableName(schema: "new", table: "t"))
        },
        Row("upper case", "lower-case-table-names", .error, "new.T") {
            $0.decisions[$0.tables[0].name] = TableDecision(target: TableName(schema: "new", table: "T"))
            $0.source.variables["lower_case_table_names"] = "1"
            $0.target.variables["lower_case_table_names"] = "1"
        },
        Row("Godwit's schema", "own-schema", .error, "godwit.t") {
            $0.decisions[$0.tables[0].name] = TableDecision(target: TableName(schema: "godwit", table: "t"))
        },
        Row("the server's schema", "own-schema", .error, "mysql.t") {
            $0.decisions[$0.tables[0].name] = TableDecision(target: TableName(schema: "mysql", table: "t"))
        },
        Row("one constraint name twice", "constraint-names", .error, "new") {
            let second = sampleTable("other", "s") { $0.createStatement = "CREATE TABLE `s` (`id` int, CONSTRAINT `c` CHECK ((1 = 1)))" }
            $0.tables[0].createStatement = "CREATE TABLE `t` (`id` int, CONSTRAINT `C` CHECK ((1 = 1)))"
            $0.tables.append(second)
            $0.decisions[second.name] = TableDecision(target: TableName(schema: "new", table: "s"))
        },
        Row("routine of a schema without tables", "objects", .warning, "other.o") { $0.sourceObjects.objects = [object(.procedure, "other")] },
        Row("view left behind", "objects", .warning, "app.o") {
            $0.sourceObjects.objects = [object(.view)]
            $0.without = [.views]
        },
        Row("triggers left behind", "objects", .warning, "app.t") {
            $0.tables[0].triggers = ["x"]
            $0.without = [.triggers]
        },
        Row("included view", "objects", .refusal, "other.o") {
            $0.sourceObjects.objects = [object(.view, "other")]
            $0.includedObjects = [TableName(schema: "other", table: "o")]
        },
        Row("included sequence", "objects", .refusal, "app.o") {
            $0.sourceObjects.objects = [object(.sequence)]
            $0.includedObjects = [TableName(schema: "app", table: "o")]
        },
        Row("primary keys required", "target-primary-key", .error, "target", cure: "SESSION_VARIABLES_ADMIN") {
            $0.tables[0].indexes = []
            $0.target.variables["sql_require_primary_key"] = "ON"
            $0.target.grants = Grants(["GRANT SELECT ON *.* TO `u`@`%`"])
        },
    ]

    static let place = TableName(schema: "new", table: "t")
    static func found(rows: Bool = false, _ change: (inout TableDefinition) -> Void = { _ in }) -> [TableName: TargetPreparation.Found] {
        [place: .init(definition: sampleTable("new", "t", change), isEmpty: !rows)]
    }
    static let targets: [Row] = [
        Row("rows", "target-rows", .error, "new.t", cure: "TRUNCATE_BEFORE_LOAD") { $0.found = found(rows: true) },
        Row("rows that go", "target-truncate", .warning, "new.t") {
            $0.found = found(rows: true)
            $0.preparation = .truncateBeforeLoad
        },
        Row("table that goes", "target-drop", .warning, "new.t") {
            $0.found = found(rows: true) { $0.columns[1].columnType = "text" }
            $0.preparation = .dropAndCreate
        },
        Row("does not fit", "target-fit", .error, "new.t") { $0.found = found { $0.columns[1].columnType = "text" } },
        Row("a remark", "target-remark", .warning, "new.t") { $0.found = found { $0.columns[1].collation = "utf8mb4_bin" } },
        Row("triggers there", "target-triggers", .refusal, "new.t") { $0.found = found { $0.triggers = ["x"] } },
        Row("a view there", "target-object", .error, "new.t") {
            $0.targetObjects.objects = [.init(kind: .view, name: TableName(schema: "new", table: "t"))]
        },
        Row("an outsider refers to it", "target-reference", .warning, "new.c", cure: "DROP FOREIGN KEY `fk`") {
            $0.found = found()
            $0.targetObjects.references = [.init(child: TableName(schema: "new", table: "c"), name: "fk", parent: place, parentColumns: ["id"])]
        },
        Row("an outsider holds an index", "target-reference", .error, "new.c") {
            $0.found = found()
            $0.targetObjects.references = [.init(child: TableName(schema: "new", table: "c"), name: "fk", parent: place, parentColumns: ["name"])]
        },
    ]

    static let grants: [Row] = [
        Row("nothing on the source", "source-grants", .error, "app", cure: "GRANT SELECT ON `app`.* TO 'u'@'%';") { $0.source.grants = Grants([]) },
        Row("no replication", "source-grants", .error, "source", cure: "GRANT REPLICATION SLAVE ON *.* TO 'u'@'%';") {
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION CLIENT, EVENT, TRIGGER, SUPER, PROCESS ON *.* TO `u`@`%`"])
        },
        Row("no position", "source-grants", .error, "source", cure: "GRANT REPLICATION CLIENT ON *.* TO 'u'@'%';") {
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION SLAVE, EVENT, TRIGGER, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS ON *.* TO `u`@`%`"])
        },
        Row("keyless without LOCK TABLES", "source-grants", .error, "app", cure: "GRANT LOCK TABLES ON `app`.* TO 'u'@'%';") {
            $0.tables[0].indexes = []
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, EVENT, TRIGGER, SUPER, PROCESS ON *.* TO `u`@`%`"])
        },
        Row("MariaDB, other sessions unseen", "source-grants", .error, "source", cure: "GRANT PROCESS ON *.* TO 'u'@'%';") {
            $0.source.isMariaDB = true
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR, EVENT, TRIGGER, READ_ONLY ADMIN, CONNECTION ADMIN ON *.* TO `u`@`%`"])
        },
        Row("MariaDB, accounts locked", "block", .refusal, "source", cure: "block: read-only") {
            $0.source.isMariaDB = true
            $0.block = .accounts
        },
        Row("no triggers", "source-grants", .error, "app", cure: "GRANT TRIGGER ON `app`.*") {
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, EVENT, SUPER, PROCESS ON *.* TO `u`@`%`"])
        },
        Row("no cutover", "source-grants", .warning, "source", cure: "GRANT SYSTEM_VARIABLES_ADMIN") {
            $0.source.grants = Grants(["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, EVENT, TRIGGER, CONNECTION_ADMIN, PROCESS ON *.* TO `u`@`%`"])
        },
        Row("nothing on the target", "target-grants", .error, "new", cure: "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON `new`.* TO 'u'@'%';") {
            $0.target.grants = Grants(["GRANT ALL PRIVILEGES ON `godwit`.* TO `u`@`%`"])
        },
        Row("not Godwit's schema", "target-grants", .error, "godwit", cure: "ON `godwit`.*") {
            $0.target.grants = Grants(["GRANT ALL PRIVILEGES ON `new`.* TO `u`@`%`"])
        },
    ]

    @Test(arguments: servers + tables + targets + grants)
    func finding(_ row: Row) {
        var facts = Self.facts()
        row.change(&facts)
        let findings = Preflight.findings(facts).filter { $0.check == row.check && $0.severity == row.severity && $0.subject == row.subject }
        #expect(!findings.isEmpty, "found instead: \(Preflight.findings(facts).filter { $0.severity != .ok })")
        #expect(findings.contains { $0.cure.contains(row.cure) }, "\(findings.map(\.cure))")
        for finding in findings where finding.severity > .info {
            #expect(!finding.what.isEmpty && (!finding.why.isEmpty || finding.check == "target-remark"))
        }
        #expect(findings.contains { $0.blocks } == (row.severity >= .error))
        if row.severity >= .error { #expect(Preflight.refusal(Preflight.findings(facts)) != nil) }
    }

    @Test func tablesOfAnEarlierRunAreNotJudgedAgain() {
        var facts = Self.facts()
        facts.found = Self.found(rows: true)
        facts.prepared = [Self.place]
        #expect(Preflight.refusal(Preflight.findings(facts)) == nil)
    }

    @Test func theWorstComesFirst() {
        var facts = Self.facts()
        facts.source.variables["log_bin"] = "OFF"
        facts.source.variables["sync_binlog"] = "0"
        let severities = Preflight.findings(facts).map(\.severity)
        #expect(severities == severities.sorted(by: >))
        #expect(severities.first == .error && severities.last == .ok)
    }

    @Test func aRefusalNamesEverything() {
        var facts = Self.facts()
        facts.source.variables["binlog_format"] = "MIXED"
        facts.tables[0].engine = "MEMORY"
        let error = Preflight.refusal(Preflight.findings(facts))
        #expect(error?.kind == .plan)
        #expect(error?.description.contains("binlog_format") == true)
        #expect(error?.description.contains("MEMORY") == true)
    }
}
