import Testing

@testable import GodwitEngine

private func column(_ name: String, _ type: String, _ charset: String? = nil, _ collation: String? = nil, generated: Bool = false) -> ColumnDefinition {
    ColumnDefinition(name: name, position: 0, dataType: type, columnType: type, characterSet: charset, collation: collation, isGenerated: generated)
}

private let columns = [
    column("id", "bigint"), column("price", "decimal"), column("ratio", "double"), column("f", "float"),
    column("name", "varchar", "utf8mb4", "utf8mb4_0900_ai_ci"), column("city", "char", "latin1", "latin1_swedish_ci"),
    column("sj", "varchar", "sjis", "sjis_japanese_ci"), column("kind", "enum", "utf8mb3", "utf8mb3_bin"), column("hash", "varbinary"), column("day", "date"),
    column("at", "datetime"), column("ts", "timestamp"), column("tm", "time"), column("y", "year"), column("b", "bit"),
    column("body", "text", "utf8mb4", "utf8mb4_bin"), column("blob", "blob"), column("doc", "json"), column("geo", "point"),
    column("gen", "int", generated: true),
]

private func sql(_ column: String, _ operator: RowFilter.Operator, _ values: String...) throws -> String {
    try RowFilter(column: column, conditions: [.init(operator: `operator`, values: values)])
        .sql(columns: columns) { SQL.identifier($0.name) }
}

@Suite struct PlanFilterTests {
    @Test(arguments: [
        (RowFilter.Operator.lte, ["5"], "((`id` <= 5) IS TRUE)"), (.ste, ["5"], "((`id` <= 5) IS TRUE)"),
        (.gte, ["-5"], "((`id` >= -5) IS TRUE)"), (.eq, ["+5.50"], "((`id` = +5.50) IS TRUE)"), (.noteq, ["5"], "((`id` <> 5) IS TRUE)"),
        (.between, ["1", "2"], "((`id` BETWEEN 1 AND 2) IS TRUE)"), (.notbetween, ["1", "2"], "((`id` NOT BETWEEN 1 AND 2) IS TRUE)"),
        (.null, [], "((`id` IS NULL) IS TRUE)"), (.notnull, [], "((`id` IS NOT NULL) IS TRUE)"),
    ])
    func operators(operator: RowFilter.Operator, values: [String], expected: String) throws {
        let filter = RowFilter(column: "ID", conditions: [.init(operator: `operator`, values: values)])
        #expect(try filter.sql(columns: columns) { SQL.identifier($0.name) } == expected)
    }

    @Test func andBetweenFiltersOrWithinOne() throws {
        let filters = [
            RowFilter(column: "id", conditions: [.init(operator: .eq, values: ["1"]), .init(operator: .null, values: [])]),
            RowFilter(column: "y", conditions: [.init(operator: .gte, values: ["2000"])]),
        ]
        #expect(
            try filters.sql(columns: columns) { _ in "7" } == "(((7 = 1 OR 7 IS NULL) IS TRUE) AND ((7 >= 2000) IS TRUE))")
        #expect(try [RowFilter]().sql(columns: columns) { _ in "7" } == nil)
    }

    @Test(arguments: [
        ("price", "1.10", "1.10"), ("ratio", "1.5", "1.5e0"), ("ratio", "1e-3", "1e-3"), ("b", "5", "5"), ("y", "2026", "2026"),
        ("name", "O'Brien\\", "CONVERT('O''Brien\\\\' USING utf8mb4) COLLATE utf8mb4_0900_ai_ci"),
        ("name", "", "CONVERT('' USING utf8mb4) COLLATE utf8mb4_0900_ai_ci"),
        ("city", "Zürich", "CONVERT('Zürich' USING latin1) COLLATE latin1_swedish_ci"),
        ("kind", "a", "CONVERT('a' USING utf8mb3) COLLATE utf8mb3_bin"), ("hash", "aé", "X'61C3A9'"),
        ("day", "2024-02-29", "CAST('2024-02-29' AS DATE)"), ("day", "0000-00-00", "CAST('0000-00-00' AS DATE)"),
        ("at", "2026-01-31", "CAST('2026-01-31' AS DATE)"), ("at", "2026-01-31T23:59:59", "CAST('2026-01-31 23:59:59' AS DATETIME(6))"),
        ("ts", "2026-01-31 23:59:59.5", "CAST('2026-01-31 23:59:59.5' AS DATETIME(6))"),
    ])
    func literals(column: String, value: String, expected: String) throws {
        #expect(try sql(column, .eq, value) == "((`\(column)` = \(expected)) IS TRUE)")
    }

    @Test func operandsOfFloatAndTime() throws {
        #expect(try sql("f", .eq, "1.1") == "((CAST(`f` AS FLOAT) = CAST(1.1 AS FLOAT)) IS TRUE)")
        #expect(try sql("tm", .eq, "-838:59:59") == "((CAST(`tm` AS TIME(6)) = CAST('-838:59:59' AS TIME(6))) IS TRUE)")
    }

    @Test(arguments: [
        ("id", "5 OR 1=1"), ("id", ""), ("id", "0x10"), ("id", "1e3"), ("id", "٣"), ("price", "1."), ("ratio", "nan"), ("ratio", "1e9999"),
        ("day", "2023-02-29"), ("day", "2023-13-01"), ("day", "2023-00-01"), ("day", "20230101"), ("day", "2023-1-1"), ("at", "2023-01-01 24:00:00"),
        ("tm", "839:00:00"), ("tm", "12:60:00"), ("y", "MMXX"), ("b", "b'1'"), ("city", "東京"), ("city", "\u{80}"), ("kind", "😀"), ("sj", "é"),
    ])
    func wrongValues(column: String, value: String) {
        #expect {
            try sql(column, .eq, value)
        } throws: { error in
            (error as? EngineError)?.kind == .plan && "\(error)".contains("filter on \(column)")
        }
    }

    @Test(arguments: ["body", "blob", "doc", "geo", "gen"]) func refusedColumns(column: String) {
        #expect { try sql(column, .notnull) } throws: { "\($0)".contains("can't be filtered by the column \(column)") }
    }

    @Test func unknownColumn() {
        #expect { try sql("nam", .eq, "1") } throws: { "\($0)".contains("Did you mean name?") }
    }
}
