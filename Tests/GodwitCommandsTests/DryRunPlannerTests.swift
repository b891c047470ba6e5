import GodwitEngine
import Testing

@testable import GodwitCommands

@Suite struct DryRunPlannerTests {
    private static let name = TableName(schema: "shop", table: "a")

    private func table(key: Bool = true) -> TableDefinition {
        var indexes = [IndexDefinition(name: "i1", isUnique: false, isPrimary: false, columns: [1])]
        if key { indexes.insert(.init(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0]), at: 0) }
        let statement = """
            CREATE TABLE `a` (
              `id` int NOT NULL,
              `n` int DEFAULT NULL,
            \(key ? "  PRIMARY KEY (`id`),\n" : "")  KEY `i1` (`n`)
            ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
            """
        return TableDefinition(
            name: Self.name, engine: "InnoDB", tableCollation: "utf8mb4_0900_ai_ci",
            columns: [
                .init(name: "id", position: 0, dataType: "int", columnType: "int", isNullable: false),
                .init(name: "n", position: 1, dataType: "int", columnType: "int"),
            ],
            indexes: indexes, createStatement: statement, estimatedRows: 1000, dataBytes: 36_000_000)
    }

    private func planner(
        _ preparation: TaskSettings.TablePreparation, existing: Bool, rows: Bool = false, hasRun: Bool = false,
        schemas: Set<String> = ["shop", "godwit"], key: Bool = true
    ) -> DryRunPlanner {
        let source = table(key: key)
        let server = ServerFacts(version: "9.7.0", isMariaDB: false, variables: [:])
        var facts = PreflightFacts(source: server, target: server, tables: [source], preparation: preparation)
        facts.decisions = [Self.name: TableDecision(target: Self.name)]
        facts.targetSchemas = schemas
        if existing { facts.found = [Self.name: .init(definition: source, isEmpty: !rows)] }
        if hasRun { facts.prepared = [Self.name] }
        return DryRunPlanner(task: "app", facts: facts, targetAddress: "new:3306", hasRunBefore: hasRun)
    }

    @Test(
        arguments: [
            (.doNothing, false, false, "create"), (.doNothing, true, false, "load into the empty table"),
            (.doNothing, true, true, "REFUSED"), (.truncateBeforeLoad, true, true, "truncate"),
            (.truncateBeforeLoad, false, false, "create"), (.dropAndCreate, true, true, "drop and create"),
        ] as [(TaskSettings.TablePreparation, Bool, Bool, String)])
    func actions(preparation: TaskSettings.TablePreparation, existing: Bool, rows: Bool, action: String) {
        let dry = planner(preparation, existing: existing, rows: rows).dryRun()
        #expect(dry.tables.map(\.action) == [action])
        #expect((dry.tables[0].notes.contains { $0.contains("already has rows") }) == (action == "REFUSED"))
    }

    @Test func whatIsCreatedAndWhere() {
        let dry = planner(.doNothing, existing: false, schemas: []).dryRun()
        #expect(dry.changes.contains("On the target new:3306: create schema `godwit` for the task's state"))
        #expect(dry.changes.contains("On the target new:3306: create schema `shop`"))
        #expect(dry.tables[0].notes == ["1 index built after the load"])
        #expect(dry.statements.first == "CREATE DATABASE `shop`")
        #expect(dry.statements.last?.hasPrefix("CREATE TABLE `shop`.`a`") == true)
        #expect(dry.estimatedSeconds == 2)
        #expect(!planner(.doNothing, existing: true).dryRun().changes.contains { $0.contains("create schema") })
    }

    @Test func anExistingTablesIndexesGoAndComeBack() {
        let dry = planner(.truncateBeforeLoad, existing: true, rows: true).dryRun()
        #expect(dry.tables[0].notes == ["1 index dropped, and built again after the load"])
        #expect(dry.statements == ["TRUNCATE TABLE `shop`.`a`", "ALTER TABLE `shop`.`a` DROP KEY `i1`"])
    }

    @Test func aTaskThatRanBeforeResumes() {
        let dry = planner(.dropAndCreate, existing: true, rows: true, hasRun: true).dryRun()
        #expect(dry.tables[0].action == "resume", "nothing is dropped under a task that goes on")
        #expect(dry.statements.isEmpty)
        #expect(dry.changes[0].contains("resumes"))
    }

    @Test func keylessTablesAreNamed() {
        let dry = planner(.doNothing, existing: false, key: false).dryRun()
        #expect(dry.tables[0].notes.first == "no usable key: loaded from one exact snapshot")
    }

    /// A server without a binary log is refused, and the dry run says so beside what it would do.
    @Test func whatPreflightRefusesIsTheRefusal() {
        #expect(planner(.doNothing, existing: false).dryRun().refusal?.kind == .plan)
    }
}
