@testable import GodwitEngine
import Testing

/// Definitions of one family in the other's words. The statements are what the servers print (MySQL 9.7, MariaDB 11.8).
@Suite struct DialectTranslationTests {
    static let toMariaDB = DialectTranslation(
        toMariaDB: true,
        targetCollations: ["utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_uca1400_nopad_as_cs", "utf8mb4_nopad_bin", "utf8mb4_bin", "utf8mb4_general_ci"])
    static let toMySQL = DialectTranslation(
        fromMariaDB: true, targetCollations: ["utf8mb4_0900_ai_ci", "utf8mb4_0900_bin", "utf8mb4_bin", "utf8mb4_unicode_520_ci"])

    static func table(_ columns: [ColumnDefinition], _ items: [String], options: String) -> TableDefinition {
        TableDefinition(
            name: TableName(schema: "d", table: "t"), engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: columns, indexes: [],
            createStatement: "CREATE TABLE `t` (\n  \(items.joined(separator: ",\n  "))\n) \(options)")
    }

    @Test(arguments: [
        ("utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci", false), ("utf8mb4_0900_bin", "utf8mb4_nopad_bin", true),
        ("utf8mb4_bin", "utf8mb4_bin", true), ("utf8mb4_de_pb_0900_ai_ci", nil, false),
    ] as [(String, String?, Bool)])
    func collationsToMariaDB(name: String, mapped: String?, exact: Bool) {
        let found = Self.toMariaDB.collation(name)
        #expect(found?.name == mapped)
        #expect(found?.isExact ?? false == exact)
    }

    @Test(arguments: [
        ("utf8mb4_uca1400_ai_ci", "utf8mb4_0900_ai_ci", false), ("utf8mb4_nopad_bin", "utf8mb4_0900_bin", true),
        ("utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci", false), ("utf8mb4_unicode_520_ci", "utf8mb4_unicode_520_ci", true),
        ("utf8mb4_unicode_520_nopad_ci", "utf8mb4_unicode_520_ci", false),
    ] as [(String, String?, Bool)])
    func collationsToMySQL(name: String, mapped: String?, exact: Bool) {
        let found = Self.toMySQL.collation(name)
        #expect(found?.name == mapped)
        #expect(found?.isExact ?? false == exact)
    }

    @Test func aKeyKeepsItsCollationOrDoesNotMove() {
        var column = ColumnDefinition(name: "w", position: 0, dataType: "varchar", columnType: "varchar(9)", characterSet: "utf8mb4", collation: "utf8mb4_0900_ai_ci")
        var table = Self.table([column], ["`w` varchar(9) NOT NULL", "PRIMARY KEY (`w`)"], options: "ENGINE=InnoDB")
        #expect(Self.toMariaDB.objections(table).isEmpty)
        table.indexes = [IndexDefinition(name: "PRIMARY", isUnique: true, isPrimary: true, columns: [0])]
        #expect(Self.toMariaDB.objections(table).count == 1)
        column.collation = "utf8mb4_0900_bin"
        table.columns = [column]
        #expect(Self.toMariaDB.objections(table).isEmpty)
    }

    @Test func commentsOfMySQLBecomeWords() throws {
        let table = Self.table(
            [], ["`a` int DEFAULT '3' /*!80023 INVISIBLE */", "`p` point NOT NULL /*!80003 SRID 4326 */",
                "KEY `k` (`a`) /*!80000 INVISIBLE */"],
            options: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMPRESSION='zlib'")
        let statement = try Self.toMariaDB.translated(table)
        #expect(statement.items.map(\.text) == ["`a` int DEFAULT '3' INVISIBLE", "`p` point NOT NULL", "KEY `k` (`a`) IGNORED"])
        #expect(!statement.options.contains("COMPRESSION"))
        #expect(statement.options.contains("utf8mb4_bin"))
    }

    @Test func defaultsOfMariaDBGetParentheses() throws {
        func column(_ name: String, _ type: String) -> ColumnDefinition {
            ColumnDefinition(name: name, position: 0, dataType: type, columnType: type)
        }
        let table = Self.table(
            [column("t", "text"), column("e", "varchar"), column("ts", "timestamp"), column("d", "date"), column("n", "int"), column("c", "varchar"), column("b", "bit")],
            ["`t` text DEFAULT 'abc'", "`e` varchar(20) DEFAULT concat('a','b') COMMENT 'x'",
                "`ts` timestamp(6) NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6)", "`d` date DEFAULT curdate()",
                "`n` int(11) NOT NULL DEFAULT -5", "`c` varchar(10) /*M!100301 COMPRESSED*/ DEFAULT NULL", "`b` bit(3) DEFAULT b'101'",
                "KEY `k` (`n`) IGNORED"],
            options: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci `page_compressed`=1")
        let statement = try Self.toMySQL.translated(table)
        #expect(statement.items.map(\.text) == [
            "`t` text DEFAULT ('abc')", "`e` varchar(20) DEFAULT (concat('a','b')) COMMENT 'x'",
            "`ts` timestamp(6) NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6)", "`d` date DEFAULT (curdate())",
            "`n` int(11) NOT NULL DEFAULT -5", "`c` varchar(10) DEFAULT NULL", "`b` bit(3) DEFAULT b'101'", "KEY `k` (`n`) INVISIBLE",
        ])
        #expect(statement.options.contains("utf8mb4_0900_ai_ci"))
        #expect(!statement.options.contains("page_compressed"))
    }

    @Test(arguments: ["`id` int DEFAULT nextval(`d`.`s`)", "UNIQUE KEY `u` (`t`) USING HASH"])
    func whatMySQLHasNotIsNamed(item: String) {
        let objections = Self.toMySQL.objections(Self.table([], ["`t` text", item], options: "ENGINE=InnoDB"))
        #expect(objections.count == 1)
    }
}
