import GodwitEngine
import Testing

@testable import GodwitCommands

@Suite struct DryRunPlannerTests {
    private func table(_ name: String, key: Bool = true, indexes: Int = 0, bytes: UInt64 = 36_000_000) -> TableDefinition {
        var all: [IndexDefinition] = []
        if key { all.append(.init(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])) }
        for index in 0..<indexes {
            all.append(.init(name: "i\(index)", isUnique: false, isPrimary: false, columns: [0]))
        }
        return TableDefinition(
            name: .init(schema: "shop", table: name), engine: "InnoDB", tableCollation: "utf8mb4_0900_ai_ci",
            columns: [.init(name: "id", position: 0, dataType: "int", columnType: "int", isNullable: false)],
            indexes: all, createStatement: "", estimatedRows: 1000, dataBytes: bytes)
    }

    private func planner(
        _ preparation: TaskSettings.TablePreparation, existing: Bool, rows: Bool = false, hasRun: Bool = false,
        schemas: Set<String> = ["shop", "godwit"]
    ) -> DryRunPlanner {
        let source = table("a", indexes: 2)
        return DryRunPlanner(
            task: "app", preparation: preparation,
            entries: [
                .init(source: source, target: source.name, existing: existing ? source : nil, existingHasRows: rows)
            ],
            targetSchemas: schemas, targetAddress: "new:3306", hasRunBefore: hasRun)
    }

    @Test(arguments: [
        (.doNothing, false, false, "create"), (.doNothing, true, false, "load into the empty table"),
        (.doNothing, true, true, "REFUSED: the target table holds rows"), (.truncateBeforeLoad, true, true, "truncate"),
        (.truncateBeforeLoad, false, false, "create"), (.dropAndCreate, true, true, "drop and create"),
    ] as [(TaskSettings.TablePreparation, Bool, Bool, String)])
    func actions(preparation: TaskSettings.TablePreparation, existing: Bool, rows: Bool, action: String) {
        let dry = planner(preparation, existing: existing, rows: rows).dryRun()
        #expect(dry.tables.map(\.action) == [action])
    }

    @Test func whatIsCreatedAndWhere() {
        let dry = planner(.doNothing, existing: false, schemas: []).dryRun()
        #expect(dry.changes.contains("On the target new:3306: create schema `godwit` for the task's state"))
        #expect(dry.changes.contains("On the target new:3306: create schema `shop`"))
        #expect(dry.tables[0].notes == ["2 indexes built after the load"])
        #expect(dry.estimatedSeconds == 2)
        #expect(!planner(.doNothing, existing: true).dryRun().changes.contains { $0.contains("create schema") })
    }

    @Test func aTaskThatRanBeforeResumes() {
        let dry = planner(.dropAndCreate, existing: true, rows: true, hasRun: true).dryRun()
        #expect(dry.tables[0].action == "resume", "nothing is dropped under a task that goes on")
        #expect(dry.changes[0].contains("resumes"))
    }

    @Test func keylessTablesAreNamed() {
        var planner = planner(.doNothing, existing: false)
        planner.entries[0].source = table("a", key: false)
        #expect(planner.dryRun().tables[0].notes == ["no usable key: loaded from one exact snapshot"])
    }
}
