import GodwitTesting
import MySQLTypes
import MySQLWire
import Testing

@testable import GodwitEngine

/// The checksum's expressions on real servers: nearly equal values are told apart, equal ones are equal.
@Suite struct ValidationChecksumServerTests {
    struct Pair: Sendable {
        let left: String
        let right: String
        let first: String
        let second: String
        init(_ type: String, _ first: String, _ second: String, right: String? = nil) {
            left = type
            self.right = right ?? type
            self.first = first
            self.second = second
        }
    }

    static let set64 = "set(" + (0..<64).map { "'m\($0)'" }.joined(separator: ",") + ")"

    static let unequal: [Pair] = [
        Pair("int", "0", "NULL"), Pair("int", "1", "-1"), Pair("tinyint(1)", "0", "1"),
        Pair("bigint unsigned", "18446744073709551615", "18446744073709551614"),
        Pair("int(8) unsigned zerofill", "1", "10"),
        Pair("float", "0e0", "-0e0"), Pair("float", "0.1", "0.10000001"), Pair("float", "16777216", "16777215"),
        Pair("float", "1.4e-45", "0"), Pair("float(10,3)", "123.456", "123.457"),
        Pair("float", "3.4028235e38", "3.4028233e38"), Pair("float", "-1.1754944e-38", "-1.1754945e-38"),
        Pair("double", "0e0", "-0e0"), Pair("double", "0.1", "0.10000000000000002"), Pair("double", "5e-324", "0"),
        Pair("double", "-2.2250738585072014e-308", "-2.225073858507202e-308"),
        Pair("double", "1.7976931348623157e308", "1.7976931348623155e308"),
        Pair("double", "9007199254740992", "9007199254740994"), Pair("double(10,2)", "1.25", "1.26"),
        Pair("decimal(10,2)", "1.00", "1.01"), Pair("decimal(10,2)", "-0.01", "0.01"), Pair("decimal(10,2)", "0", "NULL"),
        Pair("decimal(65,30)", "99999999999999999999999999999999999.999999999999999999999999999999",
            "99999999999999999999999999999999999.999999999999999999999999999998"),
        Pair("varchar(10)", "''", "NULL"), Pair("varchar(10)", "'a'", "'a '"), Pair("varchar(10)", "'a'", "'A'"),
        Pair("varchar(10)", "'e'", "'é'"), Pair("varchar(10)", "'N'", "NULL"), Pair("varchar(10)", "'0:'", "''"),
        Pair("char(5)", "'a'", "'A'"), Pair("char(5)", "''", "NULL"),
        Pair("varchar(10) character set latin1", "'é'", "'e'"),
        Pair("varchar(10) character set utf16", "'a'", "'a '"),
        Pair("varchar(10) character set gb18030", "'中'", "'国'"),
        Pair("varbinary(5)", "X'6100'", "X'61'"), Pair("varbinary(5)", "X''", "X'00'"), Pair("binary(2)", "X'61'", "X'6120'"),
        Pair("text", "'ab'", "'Ab'"), Pair("text", "'a'", "'a '"), Pair("text", "''", "NULL"),
        Pair("tinyblob", "X'00'", "X''"), Pair("longblob", "REPEAT('x', 100000)", "CONCAT(REPEAT('x', 99999), 'y')"),
        Pair("longblob", "NULL", "X''"), Pair("mediumtext", "'ü'", "'u'"),
        Pair("json", "'{\"a\": 1}'", "'{\"a\": 1.0}'"), Pair("json", "'null'", "NULL"), Pair("json", "'\"1\"'", "'1'"),
        Pair("json", "'[1, 2]'", "'[2, 1]'"), Pair("json", "'0.1'", "'0.10000000000000002'"),
        Pair("bit(64)", "~0", "~0 - 1"), Pair("bit(1)", "b'0'", "NULL"), Pair("bit(8)", "b'110000'", "b'110001'"),
        Pair("enum('', 'a')", "''", "'no such member'"), Pair("enum('a', 'A ')  collate utf8mb4_bin", "1", "2"),
        Pair("set('a', 'b')", "''", "'a'"), Pair(set64, "'m63'", "'m62'"), Pair(set64, "'m63'", "'m63,m0'"),
        Pair("date", "'0000-00-00'", "NULL"), Pair("date", "'2024-02-31'", "'2024-03-02'"),
        Pair("datetime(6)", "'2024-02-29 00:00:00.000001'", "'2024-02-29 00:00:00.000002'"),
        Pair("datetime", "'9999-12-31 23:59:59'", "'9999-12-31 23:59:58'"),
        Pair("timestamp(6) null", "'2038-01-19 03:14:07.999999'", "'2038-01-19 03:14:07.999998'"),
        Pair("timestamp null", "'0000-00-00 00:00:00'", "NULL"),
        Pair("time(3)", "'-00:00:01'", "'00:00:01'"), Pair("time(6)", "'838:59:59'", "'838:59:58.999999'"),
        Pair("year", "0", "2000"), Pair("year", "1901", "2155"),
        Pair("geometry", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(2 1)')"),
        Pair("geometry", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(1 2)', 4326)"),
        Pair("linestring", "ST_GeomFromText('LINESTRING(0 0,1 1)')", "ST_GeomFromText('LINESTRING(0 0,1 -1)')"),
        Pair("geometrycollection", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')", "NULL"),
        Pair("vector(2)", "TO_VECTOR('[1, 2]')", "TO_VECTOR('[1, 2.0000002]')"),
        Pair("vector(2)", "TO_VECTOR('[0, 0]')", "TO_VECTOR('[0, -0.0]')"),
        // Definitions that differ but show the same.
        Pair("enum('a', 'b')", "'a'", "'b'", right: "enum('b', 'a')"),
        Pair("varchar(5) character set latin1", "'é'", "'e'", right: "varchar(5)"),
    ]

    static let equal: [Pair] = [
        Pair("json", "'{\"b\": 1, \"a\": 2}'", "'{\"a\": 2, \"b\": 1}'"), Pair("decimal(10,2)", "1.0", "1.00"),
        Pair("decimal(10,2)", "-0.0", "0"), Pair("char(5)", "'a'", "'a '"), Pair("binary(3)", "X'61'", "X'610000'"),
        Pair("varchar(5) character set latin1", "'é'", "'é'", right: "varchar(5)"),
        Pair("text character set utf8mb3", "'é中'", "'é中'", right: "longtext"),
        Pair("varchar(9)", "'ab'", "'ab'", right: "text"), Pair("decimal(5,1)", "1.5", "1.50", right: "decimal(9,3)"),
        Pair("decimal(5,0)", "10", "10", right: "decimal(9,3)"), Pair("int", "-5", "-5", right: "bigint"),
        Pair("int zerofill", "7", "7", right: "int unsigned"), Pair("float", "0.1", "0.1"), Pair("double", "1e300", "1e300"),
        Pair("enum('a', 'b')", "'a'", "'a'", right: "enum('b', 'a')"), Pair(set64, "'m63,m0'", "'m0,m63'"),
        Pair("geometry", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(1 2)')"),
        Pair("vector(3)", "TO_VECTOR('[1, 2, 3]')", "TO_VECTOR('[1, 2, 3]')"), Pair("int", "NULL", "NULL"),
    ]

    @Test func nearlyEqualValuesAreToldApart() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                for (number, pair) in Self.unequal.enumerated() {
                    let sql = try await lab.pair(number, pair)
                    let found = try await lab.comparer(sql).compare(.all)
                    #expect(found.differences.count == 1, "\(pair)")
                    let details = try await lab.comparer(sql).details(found.differences)
                    #expect(details.first?.columns.map(\.name) == ["c"], "\(pair)")
                    // The same value on both sides is equal, whatever its type.
                    // (By INSERT: an UPDATE of JSON 1 to 1.0 is none for the server.)
                    if pair.left == pair.right {
                        try await lab.write("DELETE FROM \(sql.target.name.sql)")
                        try await lab.write("INSERT INTO \(sql.target.name.sql) SELECT * FROM \(sql.source.name.sql)")
                        let again = try await lab.comparer(sql).compareWhole()
                        #expect(again.isEqual, "\(pair)")
                    }
                }
            }
        }
    }

    @Test func equalValuesAreEqual() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                for (number, pair) in Self.equal.enumerated() {
                    let whole = try await lab.comparer(try await lab.pair(number, pair)).compareWhole()
                    #expect(whole.isEqual, "\(pair)")
                    #expect(whole.source.rows == 1)
                }
            }
        }
    }

    /// MySQL and MariaDB print the same canonical text for the same stored values.
    @Test func mySQLAndMariaDBAgree() async throws {
        let columns: [(String, [String])] = [
            ("BIGINT UNSIGNED", ["18446744073709551615", "0"]), ("INT(8) UNSIGNED ZEROFILL", ["7", "4294967295"]),
            // No negative zero: MariaDB shows it as 0, so on such a target it is a difference.
            ("FLOAT", ["3.4028235e38", "0.1", "1.4e-45", "16777216"]), ("FLOAT(10,3)", ["123.456"]),
            ("DOUBLE", ["1.7976931348623157e308", "-2.2250738585072014e-308", "0.1", "1e15", "1e20", "123456789012345678"]),
            ("DOUBLE(10,2)", ["1.25"]), ("DECIMAL(38,10)", ["-0.0000000001", "12345678901234567890.5"]),
            ("VARCHAR(20)", ["'a '", "'A'", "''", "'😀'"]), ("CHAR(5) CHARACTER SET latin1", ["'é'", "'a '"]),
            ("VARBINARY(9)", ["X'6100'", "X''"]), ("BINARY(4)", ["X'61'"]), ("LONGBLOB", ["REPEAT('x', 70000)", "X'00'"]),
            ("MEDIUMTEXT", ["'ü '"]), ("BIT(64)", ["~0", "1"]), ("ENUM('a', 'B', '')", ["'B'", "''", "'none'"]),
            ("SET('a', 'b', 'c')", ["''", "'a,c'"]), (Self.set64, ["'m63,m0'", "'m63'"]),
            ("DATE", ["'0000-00-00'", "'2024-02-31'", "'9999-12-31'"]),
            ("DATETIME(6)", ["'2024-02-29 00:00:00.000001'", "'0000-00-00'"]), ("DATETIME", ["'2024-02-29 10:00:00'"]),
            ("TIMESTAMP(3) NULL", ["'2038-01-19 03:14:07.999'", "'1970-01-01 00:00:01'", "'0000-00-00'"]),
            ("TIME(3)", ["'-838:59:59'", "'-00:00:00.001'", "'00:00:01'"]), ("YEAR", ["0", "1901", "2155"]),
            ("GEOMETRY", ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 -1)')"]),
        ]
        let fast = ServerOptions(durable: false)
        try await withServers(source: (.mysql9, fast), target: (.mariadb, fast)) { source, target in
            try await Lab.with(source, target) { lab in
                for (number, column) in columns.enumerated() {
                    let values = column.1 + ["NULL"]
                    let rows = values.enumerated().map { "(\($0.offset), \($0.element))" }.joined(separator: ", ")
                    for connection in [lab.source, lab.target] {
                        try await connection.query("CREATE TABLE lab.t\(number) (id INT PRIMARY KEY, c \(column.0))")
                        try await connection.query("INSERT INTO lab.t\(number) VALUES \(rows)")
                    }
                    let name = TableName(schema: "lab", table: "t\(number)")
                    let sql = try ChecksumSQL(
                        source: try #require(try await Catalog.read(lab.source, table: name)),
                        target: try #require(try await Catalog.read(lab.target, table: name)))
                    let found = try await lab.comparer(sql).compare(.all)
                    let details = try await lab.comparer(sql).details(found.differences)
                    #expect(details.isEmpty, "\(column.0)")
                    #expect(found.sourceRows == UInt64(values.count) && found.targetRows == found.sourceRows)
                    try await lab.target.query("UPDATE lab.t\(number) SET c = NULL WHERE id = 0")
                    #expect(try await lab.comparer(sql).compare(.all).differences.count == 1, "\(column.0)")
                }
            }
        }
    }

    /// Values can't slide between columns, nor change places between rows, nor pass for one another in numbers.
    @Test func rowsAreToldApart() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                let columns = "id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), c INT, d BLOB, v INT AS (c + 1) INVISIBLE, i INT INVISIBLE"
                let rows: [(String, String)] = [
                    ("(1, 'ab', 'c', 1, '')", "(1, 'a', 'bc', 1, '')"),
                    ("(1, NULL, 'N', 1, '')", "(1, 'N', NULL, 1, '')"),
                    ("(1, 'a', NULL, 1, '')", "(1, NULL, 'a', 1, '')"),
                    ("(1, '1:a,', '', 1, '')", "(1, '', '1:a,', 1, '')"),
                    ("(1, 'x', 'y', 1, ''), (2, 'z', 'w', 2, '')", "(1, 'z', 'y', 1, ''), (2, 'x', 'w', 2, '')"),
                    ("(1, 'x', 'y', 1, ''), (2, 'x', 'y', 1, '')", "(1, 'x', 'y', 1, '')"),
                    ("(1, 'x', 'y', 1, '')", "(2, 'x', 'y', 1, '')"),
                    ("(1, 'x', 'y', 1, NULL)", "(1, 'x', 'y', NULL, '1')"),
                ]
                for (number, row) in rows.enumerated() {
                    let insert = "(id, a, b, c, d) VALUES "
                    let sql = try await lab.tables("rows\(number)", columns, insert + row.0, insert + row.1)
                    #expect(sql.columns.map(\.name) == ["id", "a", "b", "c", "d", "i"], "generated out, invisible in")
                    let whole = try await lab.comparer(sql).compareWhole()
                    #expect(!whole.isEqual, "\(row)")
                    #expect(try await !lab.comparer(sql).compare(.all).differences.isEmpty, "\(row)")
                }
                let invisible = try await lab.tables("invisible", columns, "(id, i) VALUES (1, 1)", "(id, i) VALUES (1, 2)")
                #expect(try await lab.comparer(invisible).compare(.all).differences.map(\.kind) == [.different])
            }
        }
    }

    /// Two rows that trade values leave the XOR of their CRCs as it was; the sums do not let it pass.
    @Test func tradedValuesAreFound() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await Lab.with(server) { lab in
                try await lab.write("CREATE TABLE lab.trade_s (a VARCHAR(9), b VARCHAR(9))")
                try await lab.write("CREATE TABLE lab.trade_t LIKE lab.trade_s")
                for number in 0..<40 {
                    try await lab.write("DELETE FROM lab.trade_s")
                    try await lab.write("DELETE FROM lab.trade_t")
                    let (one, two) = ("k\(number)", "q\(number)")
                    try await lab.write("INSERT INTO lab.trade_s VALUES ('\(one)', 'left'), ('\(two)', 'rite')")
                    try await lab.write("INSERT INTO lab.trade_t VALUES ('\(one)', 'rite'), ('\(two)', 'left')")
                    let sql = try await lab.checksum("trade_s", "trade_t")
                    let whole = try await lab.comparer(sql).compareWhole()
                    #expect(whole.source.xor == whole.target.xor, "the XOR alone is blind for it")
                    #expect(!whole.isEqual)
                }
            }
        }
    }

    @Test func aRowThatCannotBeHashedIsAnErrorAndNeverEqual() async throws {
        let options = ServerOptions(durable: false, extra: ["--max-allowed-packet=1024"])
        try await withServer(.mysql9, options) { server in
            try await Lab.with(server) { lab in
                let insert = "VALUES (1, REPEAT('a', 900), REPEAT('b', 900))"
                let sql = try await lab.tables("big", "id INT PRIMARY KEY, a VARCHAR(1000), b VARCHAR(1000)", insert, insert)
                await #expect(throws: EngineError.self) { try await lab.comparer(sql).compareWhole() }
            }
        }
    }
}

/// Two tables of one server as the two sides of a comparison.
struct Lab {
    let source: MySQLWire.MySQLConnection
    let target: MySQLWire.MySQLConnection

    static func with(_ server: TestServer, _ body: (Lab) async throws -> Void) async throws {
        try await with(server, server, body)
    }

    static func with(_ source: TestServer, _ target: TestServer, _ body: (Lab) async throws -> Void) async throws {
        var configurations = [source.configuration(), target.configuration()]
        for index in configurations.indices { configurations[index].sessionStatements = ValidationSession.statements }
        try await source.withConnection(configurations[0]) { left in
            try await target.withConnection(configurations[1]) { right in
                for connection in source === target ? [left] : [left, right] {
                    try await connection.query("CREATE DATABASE lab DEFAULT CHARACTER SET utf8mb4")
                }
                try await body(Lab(source: left, target: right))
            }
        }
    }

    func write(_ sql: String) async throws { try await source.query(sql) }

    func comparer(_ sql: ChecksumSQL, rowsPerRead: Int = 20_000) -> TableComparer {
        TableComparer(sql, source: source, target: target, readers: .none, rowsPerRead: rowsPerRead)
    }

    func definition(_ table: String) async throws -> TableDefinition {
        try #require(try await Catalog.read(source, table: TableName(schema: "lab", table: table)))
    }

    func checksum(_ source: String, _ target: String) async throws -> ChecksumSQL {
        try ChecksumSQL(source: try await definition(source), target: try await definition(target))
    }

    func pair(_ number: Int, _ pair: ValidationChecksumServerTests.Pair) async throws -> ChecksumSQL {
        try await write("CREATE TABLE lab.s\(number) (id INT PRIMARY KEY, c \(pair.left))")
        try await write("CREATE TABLE lab.t\(number) (id INT PRIMARY KEY, c \(pair.right))")
        try await write("INSERT INTO lab.s\(number) VALUES (1, \(pair.first))")
        try await write("INSERT INTO lab.t\(number) VALUES (1, \(pair.second))")
        return try await checksum("s\(number)", "t\(number)")
    }

    /// Two tables `NAME_s` and `NAME_t` with the same columns; `insert` stands behind the table's name.
    func tables(_ name: String, _ columns: String, _ sourceInsert: String, _ targetInsert: String) async throws -> ChecksumSQL {
        for (side, insert) in [("s", sourceInsert), ("t", targetInsert)] {
            try await write("CREATE TABLE lab.\(name)_\(side) (\(columns))")
            try await write("INSERT INTO lab.\(name)_\(side) \(insert)")
        }
        return try await checksum("\(name)_s", "\(name)_t")
    }
}
