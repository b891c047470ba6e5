import Foundation
import Testing

@testable import GodwitEngine

@Suite("How tables are prepared on the target")
struct CatalogPreparationTests {
    let target = TableName(schema: "new", table: "t")

    /// A parent with a second unique key, and a child that refers to it.
    static func existing(rows: Bool = false, _ table: String = "t") -> TargetPreparation.Found {
        let definition = sampleTable("new", table) {
            $0.indexes.append(IndexDefinition(name: "u", isUnique: true, isPrimary: false, columns: [1]))
            $0.indexes.append(IndexDefinition(name: "k", isUnique: false, isPrimary: false, columns: [1]))
            $0.foreignKeys = [
                ForeignKeyDefinition(
                    name: "fk", columns: ["id"], referenced: TableName(schema: "new", table: "p"), referencedColumns: ["id"],
                    onDelete: "CASCADE", onUpdate: "NO ACTION")
            ]
            $0.createStatement = """
                CREATE TABLE `\(table)` (
                  `id` int NOT NULL,
                  `name` varchar(20) DEFAULT NULL,
                  PRIMARY KEY (`id`),
                  UNIQUE KEY `u` (`name`),
                  KEY `k` (`name`),
                  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE
                ) ENGINE=InnoDB
                """
        }
        return TargetPreparation.Found(definition: definition, isEmpty: !rows)
    }

    func decide(
        _ mode: TaskSettings.TablePreparation, _ found: TargetPreparation.Found?, _ source: TableDefinition = sampleTable()
    ) throws(EngineError) -> PreparedTable {
        try TargetPreparation.decide(mode: mode, source: source, target: target, found: found) { name in
            name.schema == "app" ? TableName(schema: "new", table: name.table) : nil
        }
    }

    @Test(arguments: [
        (TaskSettings.TablePreparation.doNothing, false, PreparedTable.Action.create),
        (.truncateBeforeLoad, false, .create), (.dropAndCreate, false, .dropAndCreate),
        (.doNothing, true, .keep), (.truncateBeforeLoad, true, .truncate), (.dropAndCreate, true, .dropAndCreate),
    ])
    func actions(mode: TaskSettings.TablePreparation, exists: Bool, action: PreparedTable.Action) throws {
        let prepared = try decide(mode, exists ? Self.existing() : nil)
        #expect(prepared.action == action)
        #expect(prepared.target == target)
        #expect(prepared.targetDefinition.name == target)
        #expect(prepared.targetDefinition.indexes.map(\.name) == ["PRIMARY"])
        #expect(prepared.targetDefinition.foreignKeys.isEmpty)
    }

    @Test func rowsAreNeverMixed() throws {
        let error = #expect(throws: EngineError.self) { try decide(.doNothing, Self.existing(rows: true)) }
        #expect(error?.kind == .plan)
        #expect(error?.cure.contains("TRUNCATE_BEFORE_LOAD") == true)
        #expect(error?.cure.contains("DROP_AND_CREATE") == true)
        #expect(try decide(.truncateBeforeLoad, Self.existing(rows: true)).action == .truncate)
        #expect(try decide(.dropAndCreate, Self.existing(rows: true)).action == .dropAndCreate)
    }

    @Test func aTableThatDoesNotFitIsRefused() throws {
        var found = Self.existing()
        found.definition.columns[1].columnType = "varchar(5)"
        let error = #expect(throws: EngineError.self) { try decide(.doNothing, found) }
        #expect(error?.why.contains("varchar(5)") == true)
        #expect(try decide(.dropAndCreate, found).action == .dropAndCreate)
    }

    @Test func anExistingTableIsStrippedAndRebuiltAsItWas() throws {
        let found = Self.existing()
        let prepared = try decide(.doNothing, found)
        let all = PreparedTarget(databases: ["CREATE DATABASE `new`"], tables: [prepared])
        #expect(
            try all.statements(found: [target: found]) == [
                "CREATE DATABASE `new`", "ALTER TABLE `new`.`t` DROP FOREIGN KEY `fk`",
                "ALTER TABLE `new`.`t` DROP KEY `u`, DROP KEY `k`",
            ])
        #expect(
            prepared.indexBuild(on: prepared.targetDefinition)
                == "ALTER TABLE `new`.`t` ADD UNIQUE KEY `u` (`name`), ADD KEY `k` (`name`)")
        #expect(
            prepared.foreignKeyBuild(on: prepared.targetDefinition)
                == "ALTER TABLE `new`.`t` ADD CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `new`.`p` (`id`) ON DELETE CASCADE")
        #expect(prepared.indexBuild(on: found.definition) == nil)
        #expect(prepared.foreignKeyBuild(on: found.definition) == nil)
    }

    /// Whatever was done before the crash, what is left to do follows from the stored decision, not from the half-stripped table.
    @Test func preparationIsFinishedAfterACrash() throws {
        let decided = try decide(.doNothing, Self.existing())
        let stored = try JSONEncoder().encode(PreparedTarget(databases: [], tables: [decided]))
        let again = try JSONDecoder().decode(PreparedTarget.self, from: stored)
        #expect(again.tables == [decided])
        var half = Self.existing()
        half.definition.foreignKeys = []
        #expect(try again.statements(found: [target: half]) == ["ALTER TABLE `new`.`t` DROP KEY `u`, DROP KEY `k`"])
        half.definition.indexes.removeAll { $0.name == "u" }
        #expect(try again.statements(found: [target: half]) == ["ALTER TABLE `new`.`t` DROP KEY `k`"])
        half.definition.indexes.removeAll { $0.name == "k" }
        #expect(try again.statements(found: [target: half]) == [])
        #expect(decided.deferredIndexes.count == 2)
        half.isEmpty = false
        #expect(throws: EngineError.self) { try again.statements(found: [target: half]) }
        #expect(throws: EngineError.self) { try again.statements(found: [:]) }
    }

    @Test func createdTables() throws {
        let prepared = try decide(.doNothing, nil)
        let all = PreparedTarget(databases: [], tables: [prepared])
        #expect(try all.statements(found: [:]) == [prepared.createStatement])
        #expect(prepared.createStatement.hasPrefix("CREATE TABLE `new`.`t` ("))
        #expect(!prepared.createStatement.contains("AUTO_INCREMENT"))
        // Created before the crash: nothing is left; with rows of somebody else: refused.
        var found = TargetPreparation.Found(definition: prepared.targetDefinition, isEmpty: true)
        #expect(try all.statements(found: [target: found]) == [])
        found.isEmpty = false
        #expect(throws: EngineError.self) { try all.statements(found: [target: found]) }
    }

    @Test func replacedTables() throws {
        let prepared = try decide(.dropAndCreate, Self.existing(rows: true))
        let all = PreparedTarget(databases: [], tables: [prepared])
        let expected = ["DROP TABLE IF EXISTS `new`.`t`", prepared.createStatement]
        #expect(try all.statements(found: [target: Self.existing(rows: true)]) == expected)
        #expect(try all.statements(found: [:]) == expected)
    }

    /// Foreign keys of every table go before any index: a parent's index is held by its children.
    @Test func foreignKeysGoFirst() throws {
        let first = try TargetPreparation.decide(
            mode: .truncateBeforeLoad, source: sampleTable(), target: TableName(schema: "new", table: "a"),
            found: Self.existing(rows: true, "a"), mapping: { $0 })
        let second = try TargetPreparation.decide(
            mode: .truncateBeforeLoad, source: sampleTable(), target: TableName(schema: "new", table: "b"),
            found: Self.existing(rows: true, "b"), mapping: { $0 })
        let statements = try PreparedTarget(databases: [], tables: [first, second]).statements(found: [
            first.target: Self.existing(rows: true, "a"), second.target: Self.existing(rows: true, "b"),
        ])
        #expect(
            statements == [
                "ALTER TABLE `new`.`a` DROP FOREIGN KEY `fk`", "ALTER TABLE `new`.`b` DROP FOREIGN KEY `fk`",
                "TRUNCATE TABLE `new`.`a`", "TRUNCATE TABLE `new`.`b`", "ALTER TABLE `new`.`a` DROP KEY `u`, DROP KEY `k`",
                "ALTER TABLE `new`.`b` DROP KEY `u`, DROP KEY `k`",
            ])
    }

    /// An AUTO_INCREMENT column whose only index is a secondary unique key gets a plain index in its place, until the rebuild.
    @Test func standIn() throws {
        let change: (inout TableDefinition) -> Void = {
            $0.columns.append(
                ColumnDefinition(name: "n", position: 2, dataType: "int", columnType: "int", isNullable: false, isAutoIncrement: true))
            $0.indexes.append(IndexDefinition(name: "n", isUnique: true, isPrimary: false, columns: [2]))
            $0.createStatement =
                "CREATE TABLE `t` (`id` int NOT NULL, `name` varchar(20), `n` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`), UNIQUE KEY `n` (`n`)) ENGINE=InnoDB"
        }
        let found = TargetPreparation.Found(definition: sampleTable("new", "t", change), isEmpty: true)
        let prepared = try decide(.doNothing, found, sampleTable("app", "t", change))
        let all = PreparedTarget(databases: [], tables: [prepared])
        #expect(try all.statements(found: [target: found]) == ["ALTER TABLE `new`.`t` DROP KEY `n`, ADD KEY `n` (`n`)"])
        var stripped = found
        stripped.definition.indexes[1].isUnique = false
        #expect(try all.statements(found: [target: stripped]) == [])
        #expect(prepared.indexBuild(on: stripped.definition) == "ALTER TABLE `new`.`t` DROP KEY `n`, ADD UNIQUE KEY `n` (`n`)")
        #expect(prepared.indexBuild(on: found.definition) == nil)
    }

    @Test func severalFulltextKeysAreBuiltByCopying() throws {
        var prepared = try decide(.doNothing, nil)
        prepared.deferredIndexes = ["ADD FULLTEXT KEY `a` (`name`)", "ADD FULLTEXT KEY `b` (`name`) /*!50100 WITH PARSER `ngram` */"]
        #expect(prepared.indexBuild(on: prepared.targetDefinition)?.hasSuffix(", ALGORITHM = COPY") == true)
        var half = prepared.targetDefinition
        half.indexes.append(IndexDefinition(name: "a", isUnique: false, isPrimary: false, columns: [1]))
        #expect(
            prepared.indexBuild(on: half) == "ALTER TABLE `new`.`t` ADD FULLTEXT KEY `b` (`name`) /*!50100 WITH PARSER `ngram` */")
    }

    @Test func databases() {
        let statements = PreparedTarget.databases(
            targets: [
                (TableName(schema: "app", table: "a"), TableName(schema: "n`ew", table: "a")),
                (TableName(schema: "app", table: "b"), TableName(schema: "there", table: "b")),
            ], sourceSchemas: [Catalog.Schema(name: "app", characterSet: "latin1", collation: "latin1_bin")], existing: ["there"])
        #expect(
            statements == [
                "CREATE DATABASE IF NOT EXISTS `n``ew` DEFAULT CHARACTER SET latin1 DEFAULT COLLATE latin1_bin"
            ])
    }
}
