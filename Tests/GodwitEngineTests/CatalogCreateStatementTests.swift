import Testing

@testable import GodwitEngine

@Suite("CREATE TABLE statements are taken apart")
struct CatalogCreateStatementTests {
    let hostileName = "we`ird, (x'y\""

    @Test func hostileTable() throws {
        let statement = try CreateStatement(parsing: hostileCreateStatement)
        #expect(statement.name == TableName(schema: "", table: hostileName))
        let columns = statement.items.filter { $0.kind == .column }.map(\.name)
        #expect(columns.count == 24)
        #expect(columns[1] == "na`me, (''\"")
        #expect(columns.last == "par_id")
        #expect(
            statement.indexes.map(\.name) == [
                "PRIMARY", "pre", "u,n", "fnc", "inv", "sp", "fk1", "fk,2", "mv", "ft", "ft2",
            ])
        #expect(
            statement.indexes.map(\.kind) == [
                .primaryKey, .uniqueKey, .uniqueKey, .uniqueKey, .key, .spatialKey, .key, .key, .key, .fulltextKey, .fulltextKey,
            ])
        #expect(statement.indexes[1].hasPrefixParts)
        #expect(statement.indexes[3].columns == [nil, "u1"])
        #expect(statement.foreignKeys.map(\.name) == ["fk,2", "fk1"])
        #expect(statement.foreignKeys[1].references == TableName(schema: "", table: "par"))
        #expect(statement.items.filter { $0.kind == .check }.map(\.name) == ["c,k"])
        #expect(statement.autoIncrement == 77)
        #expect(
            statement.options
                == "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci STATS_PERSISTENT=1 ROW_FORMAT=DYNAMIC COMMENT='t,''a)ble; PARTITION BY AUTO_INCREMENT=9'"
        )
        #expect(statement.partitioning.isEmpty)
    }

    /// Every item's text is in the original, and the items together are the whole list.
    @Test func nothingIsLost() throws {
        let statement = try CreateStatement(parsing: hostileCreateStatement)
        let list = "(\n  " + statement.items.map(\.text).joined(separator: ",\n  ") + "\n)"
        let squeezed = hostileCreateStatement.replacing("*/ ,", with: "*/,")
        #expect(squeezed.contains(list))
    }

    @Test func baseHoldsOnlyTheRowKey() throws {
        let statement = try CreateStatement(parsing: hostileCreateStatement)
        let base = statement.base(
            for: TableName(schema: "n`ew", table: "t"), keeping: "PRIMARY", autoIncrement: "id",
            source: TableName(schema: "feat", table: hostileName)
        ) { TableName(schema: "n`ew", table: "x`" + $0.table) }
        let again = try CreateStatement(parsing: base.createStatement)
        #expect(again.name == TableName(schema: "n`ew", table: "t"))
        #expect(again.indexes.map(\.name) == ["PRIMARY"])
        #expect(again.foreignKeys.isEmpty)
        #expect(again.autoIncrement == nil)
        #expect(again.items.filter { $0.kind == .column || $0.kind == .check } == statement.items.filter { $0.kind == .column || $0.kind == .check })
        #expect(base.deferredIndexes.count == 10)
        #expect(base.deferredIndexes.allSatisfy { $0.hasPrefix("ADD ") })
        #expect(
            base.deferredForeignKeys == [
                "ADD CONSTRAINT `fk,2` FOREIGN KEY (`u2`) REFERENCES `n``ew`.`x``par` (`k`)",
                "ADD CONSTRAINT `fk1` FOREIGN KEY (`par_id`) REFERENCES `n``ew`.`x``par` (`id`) ON DELETE CASCADE ON UPDATE SET NULL",
            ])
    }

    @Test func foreignKeysToTablesThatDoNotMove() throws {
        let statement = try CreateStatement(parsing: hostileCreateStatement)
        let result = statement.deferredForeignKeys(of: TableName(schema: "feat", table: "t")) { _ in nil }
        #expect(result.clauses.isEmpty)
        #expect(result.outside.map(\.name) == ["fk,2", "fk1"])
    }

    struct Tail: Sendable, CustomTestStringConvertible {
        var tail: String
        var options: String
        var partitioning = ""
        var autoIncrement: UInt64?
        var storage: [String] = []
        var encrypted = false
        var testDescription: String { tail }
    }

    @Test(arguments: [
        Tail(tail: "", options: ""),
        Tail(tail: " ENGINE=InnoDB AUTO_INCREMENT=18446744073709551615", options: "ENGINE=InnoDB", autoIncrement: .max),
        Tail(tail: " AUTO_INCREMENT=5 ENGINE=InnoDB COMMENT='AUTO_INCREMENT=7'", options: "ENGINE=InnoDB COMMENT='AUTO_INCREMENT=7'", autoIncrement: 5),
        Tail(
            tail: " ENGINE=InnoDB COMMENT='p'\n/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */",
            options: "ENGINE=InnoDB COMMENT='p'",
            partitioning: "/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */"),
        Tail(
            tail: " ENGINE=InnoDB\n PARTITION BY HASH (`a`)\nPARTITIONS 4", options: "ENGINE=InnoDB",
            partitioning: "PARTITION BY HASH (`a`)\nPARTITIONS 4"),
        Tail(
            tail: " /*!50100 TABLESPACE `ts 1` */ ENGINE=InnoDB DATA DIRECTORY='/da''ta/' ENCRYPTION='Y'",
            options: "ENGINE=InnoDB ENCRYPTION='Y'", storage: ["TABLESPACE `ts 1`", "DATA DIRECTORY='/da''ta/'"], encrypted: true),
        Tail(
            tail: " ENGINE=InnoDB /*!50100 PARTITION BY LIST (`a`) (PARTITION tablespace VALUES IN (1) DATA DIRECTORY = '/x' ENGINE = InnoDB) */",
            options: "ENGINE=InnoDB",
            partitioning: "/*!50100 PARTITION BY LIST (`a`) (PARTITION tablespace VALUES IN (1) ENGINE = InnoDB) */",
            storage: ["DATA DIRECTORY = '/x'"]),
        Tail(tail: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='/*!50100 PARTITION BY'", options: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='/*!50100 PARTITION BY'"),
    ])
    func tails(_ row: Tail) throws {
        let statement = try CreateStatement(parsing: "CREATE TABLE `t` (\n  `a` int\n)" + row.tail)
        #expect(statement.options == row.options)
        #expect(statement.partitioning == row.partitioning)
        #expect(statement.autoIncrement == row.autoIncrement)
        #expect(statement.storageClauses == row.storage)
        #expect(statement.isEncrypted == row.encrypted)
    }

    @Test(arguments: [
        "", "CREATE VIEW v AS SELECT 1", "CREATE TABLE `t` (`a` int", "CREATE TABLE `t (`a` int)", "CREATE TABLE `t` (`a` int DEFAULT 'x)",
        "CREATE TABLE `t` ()", "CREATE TABLE `t` (`a` int,)", "CREATE TABLE `t` (PERIOD FOR `p` (`a`, `b`))",
        "CREATE TEMPORARY TABLE `t` (`a` int)", "CREATE TABLE `t` (`a` int) /*!50100 PARTITION BY HASH (a)",
        "CREATE TABLE `t` (KEY `a`)", "CREATE TABLE `t` (CONSTRAINT `f` FOREIGN KEY (`a`))",
    ])
    func refusesWhatItDoesNotKnow(_ text: String) {
        #expect(throws: SQLTokenError.self) { try CreateStatement(parsing: text) }
    }

    struct Key: Sendable {
        var rowKey: String?
        var auto: String?
        var kept: [String]
        var first: String?
    }
    @Test(arguments: [
        Key(rowKey: "PRIMARY", auto: nil, kept: ["PRIMARY"], first: "ADD UNIQUE KEY `u` (`a`)"),
        Key(rowKey: "u", auto: nil, kept: ["u"], first: "ADD PRIMARY KEY (`p`)"),
        Key(rowKey: nil, auto: nil, kept: ["PRIMARY"], first: "ADD UNIQUE KEY `u` (`a`)"),
        // A plain index that begins with the AUTO_INCREMENT column stays.
        Key(rowKey: "PRIMARY", auto: "b", kept: ["PRIMARY", "k"], first: "ADD UNIQUE KEY `u` (`a`)"),
        // A unique one cannot: a plain one stands in.
        Key(rowKey: "PRIMARY", auto: "a", kept: ["PRIMARY"], first: "DROP KEY `u`"),
        Key(rowKey: "u", auto: "p", kept: ["u"], first: "DROP KEY `godwit_auto_increment`"),
    ])
    func rowKeys(_ row: Key) throws {
        let statement = try CreateStatement(
            parsing: "CREATE TABLE `t` (`p` int NOT NULL, `a` int NOT NULL, `b` int, PRIMARY KEY (`p`), UNIQUE KEY `u` (`a`), KEY `k` (`b`))")
        let base = statement.base(
            for: TableName(schema: "s", table: "t"), keeping: row.rowKey, autoIncrement: row.auto,
            source: TableName(schema: "s", table: "t"), mapping: { $0 })
        #expect(base.keptIndexes == row.kept)
        #expect(base.deferredIndexes.first == row.first)
        let again = try CreateStatement(parsing: base.createStatement)
        let unique = again.indexes.filter(\.kind.isUnique)
        #expect(unique.count == 1)
        if let auto = row.auto { #expect(again.indexes.contains { $0.columns.first == auto }) }
    }

    /// The default collation of a character set differs between servers: it is written out.
    @Test func collationsAreWrittenOut() throws {
        let text = "CREATE TABLE `t` (`a` varchar(9) CHARACTER SET utf8mb4 DEFAULT 'CHARACTER SET x', `b` text CHARACTER SET latin1 COLLATE latin1_bin, `c` text) DEFAULT CHARSET=utf8mb4"
        let statement = try CreateStatement(parsing: text).withCollations(
            table: "utf8mb4_general_ci", columns: ["a": "utf8mb4_general_ci", "b": "latin1_bin", "c": "utf8mb4_general_ci"])
        #expect(
            statement.items.map(\.text) == [
                "`a` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT 'CHARACTER SET x'",
                "`b` text CHARACTER SET latin1 COLLATE latin1_bin", "`c` text",
            ])
        #expect(statement.options == "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci")
    }
}
