import Testing

@testable import GodwitEngine

/// What ALTER DATABASE says of a schema's defaults.
@Suite struct SchemaDefaultsTests {
    @Test(arguments: [
        ("ALTER DATABASE app COLLATE utf8mb4_bin", "app", "COLLATE utf8mb4_bin"),
        ("alter schema `a``b` DEFAULT CHARACTER SET = latin1 DEFAULT COLLATE = latin1_german1_ci", "a`b", "CHARACTER SET latin1 COLLATE latin1_german1_ci"),
        ("ALTER DATABASE CHARSET 'latin2'", "now", "CHARACTER SET latin2"),
        ("ALTER DATABASE COLLATE utf8mb4_0900_ai_ci", "now", "COLLATE utf8mb4_0900_ai_ci"),
        ("ALTER DATABASE app ENCRYPTION = 'Y'", "app", ""), ("ALTER DATABASE app READ ONLY = 1", "app", ""),
        ("ALTER DATABASE `collate` /* COLLATE x */ DEFAULT CHARSET utf8mb4 ENCRYPTION 'N'", "collate", "CHARACTER SET utf8mb4"),
    ])
    func clauses(statement: String, schema: String, text: String) throws {
        let defaults = try SchemaDefaults(statement, schema: "now")
        #expect(defaults.schema == schema && defaults.text == text)
    }

    @Test(arguments: ["ALTER DATABASE app COLLATE", "ALTER DATABASE app COLLATE `x; DROP`", "DROP DATABASE app", "ALTER DATABASE app COLLATE 'x"])
    func unclear(statement: String) {
        #expect(throws: DefinitionStatement.Unclear.self) { try SchemaDefaults(statement, schema: "now") }
    }

    @Test func childrenOfUniqueKeysAreLoadedWithTheirParent() {
        func table(_ name: String, _ keys: [ForeignKeyDefinition] = []) -> TableDefinition {
            sampleTable("app", name) { $0.foreignKeys = keys }
        }
        func key(_ parent: String, _ column: String) -> ForeignKeyDefinition {
            ForeignKeyDefinition(
                name: "f", columns: ["x"], referenced: TableName(schema: "app", table: parent), referencedColumns: [column], onDelete: "RESTRICT",
                onUpdate: "RESTRICT")
        }
        let tables = [table("p"), table("byKey", [key("p", "ID")]), table("byUnique", [key("p", "u")]), table("grandchild", [key("byUnique", "u")]), table("other")]
        let names = DefinitionReplay.withChildren([TableName(schema: "app", table: "p")], tables).map(\.table)
        #expect(names == ["p", "byUnique", "grandchild"])
    }
}
