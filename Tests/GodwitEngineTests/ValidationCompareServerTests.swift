import GodwitTesting
import MySQLTypes
import MySQLWire
import Testing

@testable import GodwitEngine

/// Key ranges, comparisons and their driver on real servers.
@Suite struct ValidationCompareServerTests {
    struct KeyCase: Sendable {
        let columns: String
        let key: String
        let values: [String]
        /// Led by ENUM or SET: for these the optimizer makes no range of an inequality.
        var isScanned: Bool { key.hasPrefix("a") && (columns.hasPrefix("a ENUM") || columns.hasPrefix("a SET")) || key.hasPrefix("b, c") }
        init(_ columns: String, key: String = "a", _ values: [String]) {
            self.columns = columns
            self.key = key
            self.values = values
        }
    }

    static let keys: [KeyCase] = [
        KeyCase("a INT", ["-2147483648", "-1", "0", "1", "7", "2147483647"]),
        KeyCase("a BIGINT UNSIGNED", ["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"]),
        KeyCase("a INT ZEROFILL", ["0", "7", "42", "100", "4294967295"]),
        KeyCase("a DECIMAL(65,30)", ["-99999999999999999999999999999999999.5", "-0.000000000000000000000000000001", "0", "0.1", "1"]),
        KeyCase("a VARCHAR(20)", ["''", "'a'", "'b'", "'Ö'", "'z'", "'zz'", "'ß'", "'€'", "'😀'", "'\\\\'", "'\\''"]),
        KeyCase("a VARCHAR(20) COLLATE utf8mb4_bin", ["''", "'a'", "'A'", "'a\\0'", "'b'"]),
        KeyCase("a VARCHAR(20) COLLATE utf8mb4_0900_as_cs", ["'a'", "'A'", "'a '", "'ä'", "'aa'"]),
        KeyCase("a VARCHAR(20) COLLATE utf8mb4_0900_bin", ["'a'", "'a '", "'a\\0'", "'A'", "''"]),
        KeyCase("a CHAR(5) CHARACTER SET latin1", ["''", "'a'", "'ä'", "'b'", "'ÿ'"]),
        KeyCase("a VARCHAR(5) CHARACTER SET utf16", ["''", "'a'", "'😀'", "'b'"]),
        KeyCase("a VARCHAR(5) CHARACTER SET gb18030", ["'a'", "'中'", "'国'", "'b'"]),
        KeyCase("a VARCHAR(5) CHARACTER SET sjis", ["'ソ'", "'表'", "'b'", "'a'"]),
        KeyCase("a BINARY(4)", ["X'00'", "X'01'", "X'61'", "X'ffffffff'", "X'5c27'"]),
        KeyCase("a VARBINARY(20)", ["X''", "X'00'", "X'0000'", "X'61'", "X'6100'", "X'ff'"]),
        KeyCase("a DATE", ["'0000-00-00'", "'1000-01-01'", "'2024-02-31'", "'9999-12-31'"]),
        KeyCase("a DATETIME(6)", ["'0000-00-00'", "'2024-02-31 00:00:00.000001'", "'2024-03-01 12:00:00.5'", "'9999-12-31 23:59:59.999999'"]),
        KeyCase("a TIMESTAMP(3)", ["'0000-00-00'", "'1970-01-01 00:00:01'", "'2024-03-31 02:30:00.125'", "'2038-01-19 03:14:07.999'"]),
        KeyCase("a TIME(3)", ["'-838:59:59'", "'-00:00:00.001'", "'00:00:00'", "'00:00:01.5'", "'838:59:59'"]),
        KeyCase("a YEAR", ["0", "1901", "2000", "2155"]),
        KeyCase("a ENUM('z', 'a', 'M', '10', '2')", ["'z'", "'a'", "'M'", "'10'", "'2'"]),
        KeyCase("a SET('z', 'a', 'M')", ["''", "'z'", "'a'", "'z,a'", "'M'"]),
        KeyCase("a BIT(64)", ["0", "1", "255", "9223372036854775808", "~0"]),
        KeyCase("a INT, b VARCHAR(9)", key: "a, b", ["1, 'a'", "1, 'b'", "2, ''", "2, 'B'", "3, 'a'", "3, 'b'"]),
        KeyCase("a VARCHAR(9), b ENUM('y', 'x'), c DATE", key: "b, c, a", [
            "'q', 'y', '2024-01-01'", "'p', 'y', '2024-01-01'", "'p', 'x', '2023-01-01'", "'p', 'x', '2024-01-01'",
            "'q', 'x', '2024-01-01'",
        ]),
    ]

    /// Chunks by keys of every type: they partition the table, read a range of the index, and every key finds its row.
    @Test func chunksOfEveryKeyType() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                for (number, item) in Self.keys.enumerated() { try await check(item, number, lab) }
            }
        }
    }

    func check(_ item: KeyCase, _ number: Int, _ lab: Lab) async throws {
        let columns = "\(item.columns), filler VARCHAR(100), PRIMARY KEY (\(item.key))"
        let names = item.columns.split(separator: ",").compactMap { $0.split(separator: " ").first }
            .filter { ["a", "b", "c"].contains($0) }.joined(separator: ", ")
        let insert = "(\(names)) VALUES \(item.values.map { "(\($0))" }.joined(separator: ", "))"
        let sql = try await lab.tables("k\(number)", columns, insert, insert)
        let planner = try #require(ChunkPlanner(table: sql.source, size: 2))
        var lower: [String]?
        var total = 0
        var chunks = 0
        while chunks < 20 {
            let row = try await lab.source.query(planner.nextBound(after: lower)).rows.first
            let upper = try row.map { try planner.bound($0.values) }
            let bounds = KeyBounds(lower: lower, upper: upper)
            let rows = try await lab.source.query(sql.rows(.source, bounds)).rows
            #expect(upper == nil ? rows.count < 2 : rows.count == 2, "\(item.columns) \(bounds)")
            #expect(try await lab.comparer(sql).compare(bounds).differences.isEmpty)
            total += rows.count
            chunks += 1
            for row in rows {
                let key = RowKey(try sql.literals(row.values[..<sql.keyColumns.count]))
                let found = try await lab.source.query(sql.rows(.source, keys: [key])).rows
                #expect(found == [row], "\(item.columns): \(key)")
            }
            if bounds != .all { try await checkRange(sql, bounds, lab, item) }
            guard let upper else { break }
            lower = upper
        }
        #expect(total == item.values.count, "\(item.columns)")
    }

    /// EXPLAIN says `range` on the key for the chunk's reads.
    func checkRange(_ sql: ChecksumSQL, _ bounds: KeyBounds, _ lab: Lab, _ item: KeyCase) async throws {
        let plan = try await lab.source.query("EXPLAIN FORMAT=TRADITIONAL " + sql.rows(.source, bounds)).rows
        // id, select_type, table, partitions, type, possible_keys, key …
        let access = plan.first?.string(4)
        let extra = plan.first?.string(11) ?? ""
        // Beyond the type's last value there is nothing to read; ENUM and SET have no ranges.
        let isExcused = access == nil ? extra.contains("Impossible") : item.isScanned
        #expect(access == "range" || isExcused, "\(item.columns) \(bounds): \(access ?? "-") \(extra)")
    }

    @Test func differencesAreFoundInChunksAndPieces() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                let insert = "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 900) SELECT x, x FROM r"
                let sql = try await lab.tables("n", "id INT PRIMARY KEY, v INT", insert, insert)
                try await lab.write("DELETE FROM lab.n_t WHERE id IN (1, 450)")
                try await lab.write("UPDATE lab.n_t SET v = NULL WHERE id = 900")
                try await lab.write("INSERT INTO lab.n_t VALUES (0, 0), (1000, 0)")
                let expected: Set<RowDifference> = [
                    RowDifference(key: RowKey(["1"]), kind: .missing), RowDifference(key: RowKey(["450"]), kind: .missing),
                    RowDifference(key: RowKey(["900"]), kind: .different), RowDifference(key: RowKey(["0"]), kind: .extra),
                    RowDifference(key: RowKey(["1000"]), kind: .extra),
                ]
                for rowsPerRead in [20_000, 100, 7, 2] {
                    let found = try await lab.comparer(sql, rowsPerRead: rowsPerRead).compare(.all)
                    #expect(Set(found.differences) == expected, "\(rowsPerRead)")
                    #expect(found.isComplete)
                    #expect(found.sourceRows == 900)
                    #expect(found.targetRows == 900)
                }
                let some = try await lab.comparer(sql, rowsPerRead: 100).compare(.all, differenceLimit: 2)
                #expect(!some.isComplete)
                #expect(some.differences.count == 2)
                // An empty side is cut by the other's keys.
                try await lab.write("DELETE FROM lab.n_s")
                let extra = try await lab.comparer(sql, rowsPerRead: 50).compare(.all)
                #expect(extra.differences.count == 900)
                #expect(extra.differences.allSatisfy { $0.kind == .extra })
            }
        }
    }

    @Test func keysOfAnotherSpellingAreTheirOwnDifference() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                let sql = try await lab.tables(
                    "c", "k VARCHAR(9) PRIMARY KEY, v INT", "VALUES ('a', 1), ('b', 1)", "VALUES ('A', 1), ('b', 1)")
                let key = { (text: String) in
                    RowKey([KeyLiteral.sql(bytes: Array(text.utf8), column: sql.keyColumns[0])])
                }
                let comparer = lab.comparer(sql)
                #expect(try await comparer.compare(.all).differences.count == 2)
                // Marked under a spelling that neither side has any more.
                let outcome = try await comparer.recheck([key("a "), key("Á"), key("b"), key("x")])
                #expect(Set(outcome.differences.map(\.key)) == [key("Á")])
                #expect(try await comparer.recheck([key("b"), key("B"), key("x")]).differences.isEmpty)
            }
        }
    }

    @Test func verifyFindsOneChangedRow() async throws {
        try await withServers(
            source: (.mysql9, ServerOptions(durable: false)), target: (.mysql9, ServerOptions(durable: false))
        ) { source, target in
            for server in [source, target] {
                try await server.withConnection { connection in
                    try await connection.query("CREATE DATABASE app")
                    try await connection.query("CREATE TABLE app.a (id INT PRIMARY KEY, name VARCHAR(20), bytes BLOB)")
                    try await connection.query("CREATE TABLE app.b (x INT, y FLOAT)")
                    try await connection.query(
                        """
                        INSERT INTO app.a WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 999) \
                        SELECT x, CONCAT('n', x), REPEAT('z', 200) FROM r
                        """)
                    try await connection.query("INSERT INTO app.b VALUES (1, 0.1), (1, 0.1), (NULL, NULL)")
                }
            }
            let tables = try await source.withConnection { connection in
                try await Catalog.read(connection, include: { $0.schema == "app" })
            }
            var options = Verifier.Options()
            options.threads = 3
            options.partitionSize = 100
            options.recheckPause = .milliseconds(1)
            let verifier = Verifier(
                tables: try tables.map { try ChecksumSQL(source: $0, target: $0) }, source: source.configuration(),
                target: target.configuration(), options: options)
            let equal = try await verifier.run()
            #expect(equal.isEqual)
            #expect(equal.failure == nil)
            #expect(equal.tables.map(\.sourceRows) == [999, 3])

            try await target.withConnection { connection in
                try await connection.query("UPDATE app.a SET name = 'N500' WHERE id = 500")
                try await connection.query("UPDATE app.a SET bytes = CONCAT(REPEAT('z', 199), 'y') WHERE id = 501")
                try await connection.query("DELETE FROM app.a WHERE id = 999")
                try await connection.query("DELETE FROM app.b LIMIT 1")
            }
            let unequal = try await verifier.run()
            #expect(unequal.failure?.kind == .unequal)
            let first = try #require(unequal.tables.first)
            #expect(first.different == 2 && first.missing == 1 && first.extra == 0)
            let shown = try #require(first.rows.first { $0.key == RowKey(["500"]) })
            #expect(shown.columns.map(\.name) == ["name"])
            #expect(shown.columns.map(\.source) == ["n500"] && shown.columns.map(\.target) == ["N500"])
            let bytes = try #require(first.rows.first { $0.key == RowKey(["501"]) }?.columns.first)
            #expect(bytes.note?.contains("200:") == true, "the shown parts are the same: \(bytes)")
            #expect(unequal.tables.last?.isEqual == false)

            try await target.withConnection { _ = try await $0.query("DROP TABLE app.b") }
            let broken = try await verifier.run()
            #expect(broken.tables.last?.error != nil)
            #expect(!broken.isEqual)
        }
    }
}
