@testable import GodwitEngine
import Testing

/// ALTER TABLE of one family in the other's words, or not at all.
@Suite struct AlterTranslationTests {
    private static let collations: [String: ServerFacts.Collation] = [
        "utf8mb4_0900_ai_ci": .init(characterSet: "utf8mb4", isDefault: true), "utf8mb4_bin": .init(characterSet: "utf8mb4", isDefault: false),
        "latin1_swedish_ci": .init(characterSet: "latin1", isDefault: true), "utf8mb4_general_ci": .init(characterSet: "utf8mb4", isDefault: false),
        "utf8mb4_uca1400_ai_ci": .init(characterSet: "utf8mb4", isDefault: false),
    ]
    private static let toMariaDB = DialectTranslation(
        toMariaDB: true, targetCollations: ["utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_bin", "latin1_swedish_ci", "utf8mb4_general_ci"])
    private static let toMySQL = DialectTranslation(
        fromMariaDB: true, targetCollations: ["utf8mb4_0900_ai_ci", "utf8mb4_bin", "latin1_swedish_ci", "utf8mb4_general_ci"])

    private static let table: TableDefinition = {
        func column(_ position: Int, _ name: String, _ type: String, _ columnType: String, _ collation: String? = nil, nullable: Bool = true) -> ColumnDefinition {
            ColumnDefinition(
                name: name, position: position, dataType: type, columnType: columnType, isUnsigned: columnType.contains("unsigned"), isNullable: nullable,
                characterSet: collation.map { String($0.prefix { $0 != "_" }) }, collation: collation)
        }
        return TableDefinition(
            name: TableName(schema: "e", table: "t"), engine: "InnoDB", tableCollation: "utf8mb4_0900_ai_ci",
            columns: [
                column(0, "id", "int", "int", nullable: false), column(1, "v", "varchar", "varchar(20)", "utf8mb4_0900_ai_ci"),
                column(2, "n", "int", "int(10) unsigned"), column(3, "e", "enum", "enum('a','b')", "utf8mb4_bin"), column(4, "d", "decimal", "decimal(8,2)"),
                column(5, "big", "text", "text", "utf8mb4_bin"),
            ],
            indexes: [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])], createStatement: "")
    }()

    private static func translate(
        _ text: String, _ translation: DialectTranslation, strict: Bool = true
    ) throws(DefinitionStatement.Unclear) -> AlterTranslation.Result {
        try AlterTranslation.translate(
            text, source: table,
            setting: .init(
                translation: translation, collations: collations, isStrict: strict, hasExplicitTimestamps: true, schema: "e",
                naming: { TableName(schema: "f", table: $0.table) }))
    }

    @Test(arguments: [
        ("ALTER TABLE t ADD x INT DEFAULT 7 AFTER id", "ADD COLUMN `x` int DEFAULT 7 AFTER `id`"),
        ("alter table e.t add column (a bool not null default true, b json)", "ADD COLUMN `a` tinyint(1) NOT NULL DEFAULT true, ADD COLUMN `b` json"),
        ("ALTER TABLE t ADD w VARCHAR(9) NOT NULL DEFAULT 'it''s' COMMENT \"a, b\"", "ADD COLUMN `w` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_ai_ci NOT NULL DEFAULT 'it''s' COMMENT \"a, b\""),
        ("ALTER TABLE t ADD w TEXT CHARSET latin1 FIRST", "ADD COLUMN `w` text CHARACTER SET latin1 COLLATE latin1_swedish_ci FIRST"),
        ("ALTER TABLE t MODIFY v VARCHAR(40), DROP n", "MODIFY COLUMN `v` varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_ai_ci, DROP COLUMN `n`"),
        ("ALTER TABLE t CHANGE COLUMN n m BIGINT UNSIGNED NOT NULL", "CHANGE COLUMN `n` `m` bigint UNSIGNED NOT NULL"),
        ("ALTER TABLE t MODIFY e ENUM('a','b','c') COLLATE utf8mb4_bin", "MODIFY COLUMN `e` enum('a', 'b', 'c') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
        ("ALTER TABLE t MODIFY d DECIMAL(10,3)", "MODIFY COLUMN `d` decimal(10, 3)"),
        ("ALTER TABLE t RENAME COLUMN v TO w, RENAME INDEX a TO b", "RENAME COLUMN `v` TO `w`, RENAME INDEX `a` TO `b`"),
        ("ALTER TABLE t ADD INDEX (n, v (10) DESC) INVISIBLE, ALGORITHM=INPLACE, LOCK = NONE", "ADD INDEX (`n`, `v` (10) DESC) IGNORED"),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE KEY USING BTREE (n) COMMENT 'c'", "ADD UNIQUE INDEX `u` (`n`) COMMENT 'c'"),
        ("CREATE UNIQUE INDEX `u``x` ON e.t (n DESC)", "ADD UNIQUE INDEX `u``x` (`n` DESC)"),
        ("DROP INDEX a ON t", "DROP INDEX `a`"), ("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (n, id)", "DROP PRIMARY KEY, ADD PRIMARY KEY (`n`, `id`)"),
        ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES o (id) ON DELETE SET NULL ON UPDATE CASCADE", "ADD CONSTRAINT `f` FOREIGN KEY (`n`) REFERENCES `f`.`o` (`id`) ON DELETE SET NULL ON UPDATE CASCADE"),
        ("ALTER TABLE t DROP FOREIGN KEY f, DROP CHECK c", "DROP FOREIGN KEY `f`, DROP CONSTRAINT `c`"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1 AND v <> ')')", "ADD CONSTRAINT `c` CHECK (n > 1 AND v <> ')')"),
        ("ALTER TABLE t ENGINE=InnoDB COMMENT='new' DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin", "ENGINE = InnoDB, COMMENT = 'new', DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
        ("ALTER TABLE t ALTER n SET DEFAULT 5, ALTER COLUMN v DROP DEFAULT", "ALTER COLUMN `n` SET DEFAULT 5, ALTER COLUMN `v` DROP DEFAULT"),
        ("ALTER TABLE t RENAME TO `s`, FORCE", "RENAME TO `f`.`s`"), ("ALTER TABLE t ADD g INT AS (n * 2) STORED", "ADD COLUMN `g` int GENERATED ALWAYS AS (n * 2) STORED"),
        ("ALTER TABLE t ADD c DATETIME(3) NULL ON UPDATE NOW(3)", "ADD COLUMN `c` datetime(3) NULL ON UPDATE CURRENT_TIMESTAMP(3)"),
        ("ALTER TABLE t FORCE", ""),
    ])
    func isWrittenAnew(text: String, clauses: String) throws {
        #expect(try Self.translate(text, Self.toMariaDB).clauses.joined(separator: ", ") == clauses)
    }

    @Test(arguments: [
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS v INT, DROP COLUMN IF EXISTS q", ""),
        ("ALTER TABLE t ADD t TEXT COLLATE utf8mb4_uca1400_ai_ci DEFAULT 'x'", "ADD COLUMN `t` text CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci DEFAULT ('x')"),
        ("ALTER TABLE t ADD j JSON", "ADD COLUMN `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (json_valid(`j`))"),
        ("ALTER TABLE t ALTER INDEX a IGNORED", "ALTER INDEX `a` INVISIBLE"),
    ])
    func isWrittenAnewForMySQL(text: String, clauses: String) throws {
        #expect(try Self.translate(text, Self.toMySQL).clauses.joined(separator: ", ") == clauses)
    }

    /// Each would end in other rows or other definitions, or may: the table is read again.
    @Test(arguments: [
        "ALTER TABLE t MODIFY v VARCHAR(10)", "ALTER TABLE t MODIFY v VARCHAR(30) CHARACTER SET latin1", "ALTER TABLE t MODIFY n INT", "ALTER TABLE t MODIFY n TEXT", "ALTER TABLE t MODIFY big TEXT(100)",
        "ALTER TABLE t MODIFY e ENUM('b','a')", "ALTER TABLE t MODIFY d DECIMAL(8,3)", "ALTER TABLE t ADD x CHAR(36) DEFAULT (UUID())",
        "ALTER TABLE t ADD x INT AUTO_INCREMENT UNIQUE", "ALTER TABLE t ADD x DATETIME(3) DEFAULT NOW(3)", "ALTER TABLE t ADD x DATE NOT NULL", "ALTER TABLE t ADD x JSON NOT NULL",
        "ALTER TABLE t ADD x VECTOR(3)", "ALTER TABLE t ADD UNIQUE (v)", "ALTER TABLE t ADD INDEX ((n + 1))", "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE t DROP PARTITION p", "ALTER TABLE t ADD CHECK (n > 0)", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT ENFORCED", "ALTER TABLE t ENGINE = MyISAM",
        "ALTER TABLE t ADD x INT REFERENCES o (id)", "ALTER TABLE t ADD x INT /*!80023 INVISIBLE */", "ALTER TABLE t DEFAULT CHARSET latin1, ADD w TEXT",
        "ALTER TABLE t ADD x DOUBLE PRECISION", "ALTER IGNORE TABLE t ADD x INT", "ALTER TABLE t ADD x INT NOT NULL UNKNOWN",
    ])
    func isReadAgain(text: String) {
        #expect { try Self.translate(text, Self.toMariaDB) } throws: { ($0 as? DefinitionStatement.Unclear)?.isReload == true }
    }

    @Test func withoutStrictnessNullsBecomeSomething() throws {
        #expect(throws: DefinitionStatement.Unclear.self) { try Self.translate("ALTER TABLE t MODIFY n INT UNSIGNED NOT NULL", Self.toMariaDB, strict: false) }
        #expect(try !Self.translate("ALTER TABLE t MODIFY n INT UNSIGNED NOT NULL", Self.toMariaDB).clauses.isEmpty)
    }
}
