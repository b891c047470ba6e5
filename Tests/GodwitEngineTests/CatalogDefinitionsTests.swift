import Testing

@testable import GodwitEngine

/// A table for tests of decisions: `id int` as primary key, `name varchar(20)`.
func sampleTable(
    _ schema: String = "app", _ table: String = "t", _ change: (inout TableDefinition) -> Void = { _ in }
) -> TableDefinition {
    var definition = TableDefinition(
        name: TableName(schema: schema, table: table), engine: "InnoDB", tableCollation: "utf8mb4_0900_ai_ci",
        columns: [
            ColumnDefinition(name: "id", position: 0, dataType: "int", columnType: "int", isNullable: false),
            ColumnDefinition(
                name: "name", position: 1, dataType: "varchar", columnType: "varchar(20)", characterSet: "utf8mb4",
                collation: "utf8mb4_0900_ai_ci"),
        ], indexes: [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])],
        createStatement: """
            CREATE TABLE `\(table)` (
              `id` int NOT NULL,
              `name` varchar(20) DEFAULT NULL,
              PRIMARY KEY (`id`)
            ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
            """)
    change(&definition)
    return definition
}

@Suite("Does an existing table fit")
struct CatalogDefinitionsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var source: @Sendable (inout TableDefinition) -> Void = { _ in }
        var target: @Sendable (inout TableDefinition) -> Void = { _ in }
        /// Part of the only difference; nil: it fits.
        var difference: String?
        /// Part of a remark; nil: there is none.
        var remark: String?
    }
    static let unique: @Sendable (inout TableDefinition) -> Void = {
        $0.indexes.append(IndexDefinition(name: "u", isUnique: true, isPrimary: false, columns: [1]))
    }

    @Test(arguments: [
        Row(testDescription: "equal"),
        Row(testDescription: "integer display width", target: { $0.columns[0].columnType = "int(11)" }),
        Row(testDescription: "wider integer", target: { $0.columns[0].columnType = "bigint" }, difference: "bigint"),
        Row(testDescription: "unsigned", target: { $0.columns[0].columnType = "int(10) unsigned" }, difference: "unsigned"),
        Row(testDescription: "length", target: { $0.columns[1].columnType = "varchar(19)" }, difference: "varchar(19)"),
        Row(
            testDescription: "members of an ENUM by case", source: { $0.columns[1].columnType = "enum('a')" },
            target: { $0.columns[1].columnType = "enum('A')" }, difference: "enum('A')"),
        Row(testDescription: "missing column", target: { $0.columns.removeLast() }, difference: "does not exist"),
        Row(
            testDescription: "other order of columns",
            target: {
                $0.columns.swapAt(0, 1)
                $0.indexes[0].columns = [1]
            }),
        Row(
            testDescription: "extra column without default",
            target: { $0.columns.append(ColumnDefinition(name: "x", position: 2, dataType: "int", columnType: "int", isNullable: false)) },
            difference: "`x` exists on the target only"),
        Row(
            testDescription: "extra column with default",
            target: {
                $0.columns.append(
                    ColumnDefinition(name: "x", position: 2, dataType: "int", columnType: "int", isNullable: false, defaultExpression: "1"))
            }),
        Row(testDescription: "extra column that may be NULL", target: { $0.columns.append(ColumnDefinition(name: "x", position: 2, dataType: "int", columnType: "int")) }),
        Row(testDescription: "character set", target: { $0.columns[1].characterSet = "latin1" }, difference: "character set"),
        Row(
            testDescription: "old name of a character set",
            source: {
                $0.columns[1].characterSet = "utf8"
                $0.columns[1].collation = "utf8_general_ci"
            },
            target: {
                $0.columns[1].characterSet = "utf8mb3"
                $0.columns[1].collation = "utf8mb3_general_ci"
            }),
        Row(testDescription: "collation of a plain column", target: { $0.columns[1].collation = "utf8mb4_bin" }, remark: "sorted by"),
        Row(
            testDescription: "collation of a unique column", source: unique,
            target: {
                unique(&$0)
                $0.columns[1].collation = "utf8mb4_bin"
            }, difference: "compared by"),
        Row(testDescription: "NOT NULL on the target", target: { $0.columns[1].isNullable = false }, difference: "may be NULL on the source only"),
        Row(testDescription: "NULL on the target", source: { $0.columns[1].isNullable = false }, remark: "NOT NULL on the source only"),
        Row(testDescription: "generated on one side", target: { $0.columns[1].isGenerated = true }, difference: "generated on the target only"),
        Row(testDescription: "SRID", target: { $0.columns[1].srid = 4326 }, difference: "SRID 4326"),
        Row(testDescription: "no key", target: { $0.indexes = [] }, difference: "no primary or unique key", remark: "PRIMARY"),
        Row(testDescription: "keyless source", source: { $0.indexes = [] }, remark: "on the target only"),
        Row(
            testDescription: "the key as a unique key",
            target: { $0.indexes = [IndexDefinition(name: "u", isUnique: true, isPrimary: false, columns: [0])] }),
        Row(
            testDescription: "the key covers a prefix",
            target: { $0.indexes[0].hasPrefixParts = true }, difference: "no primary or unique key"),
        Row(testDescription: "engine", target: { $0.engine = "MyISAM" }, difference: "MyISAM"),
        Row(testDescription: "missing unique key", source: unique, remark: "will not be created"),
        Row(testDescription: "extra unique key", target: unique, remark: "on the target only"),
        Row(testDescription: "AUTO_INCREMENT", target: { $0.columns[0].isAutoIncrement = true }, remark: "AUTO_INCREMENT on the target only"),
    ])
    func table(_ row: Row) {
        let source = sampleTable(change: row.source)
        let target = sampleTable(change: row.target)
        let differences = Definitions.differences(source: source, target: target)
        let remarks = Definitions.remarks(source: source, target: target)
        if let part = row.difference {
            #expect(differences.count == 1)
            #expect(differences.first?.contains(part) == true, "\(differences)")
        } else {
            #expect(differences == [])
        }
        if let part = row.remark {
            #expect(remarks.contains { $0.contains(part) }, "\(remarks)")
        } else {
            #expect(remarks == [])
        }
    }
}

func sampleTable(change: (inout TableDefinition) -> Void) -> TableDefinition { sampleTable("app", "t", change) }
