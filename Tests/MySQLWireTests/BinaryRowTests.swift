import GodwitTesting
import MySQLTypes
import MySQLWire
import Testing

extension RealServers {
    /// Every type at its extremes: a prepared statement's values are those of a text query.
    @Suite struct BinaryRowTests {
        private struct Case: Sendable {
            var type: String
            var values: [String]
            var mysqlOnly = false
        }

        private static let cases: [Case] = [
            Case(type: "TINYINT", values: ["-128", "127", "0", "NULL"]),
            Case(type: "TINYINT UNSIGNED", values: ["0", "255"]),
            Case(type: "SMALLINT", values: ["-32768", "32767"]),
            Case(type: "SMALLINT UNSIGNED", values: ["65535"]),
            Case(type: "MEDIUMINT", values: ["-8388608", "8388607"]),
            Case(type: "MEDIUMINT UNSIGNED", values: ["16777215"]),
            Case(type: "INT", values: ["-2147483648", "2147483647"]),
            Case(type: "INT UNSIGNED", values: ["4294967295"]),
            Case(type: "INT(8) ZEROFILL", values: ["42", "4294967295"]),
            Case(type: "BIGINT", values: ["-9223372036854775808", "9223372036854775807"]),
            Case(type: "BIGINT UNSIGNED", values: ["18446744073709551615"]),
            Case(
                type: "DECIMAL(65,30)",
                values: ["-12345678901234567890123456789012345.123456789012345678901234567890", "0"]),
            Case(type: "DECIMAL(10,2)", values: ["-0.50", "99999999.99"]),
            Case(type: "FLOAT", values: ["0", "1.5", "-0.125", "1e20", "NULL"]),
            Case(
                type: "DOUBLE",
                values: [
                    "0", "0.1", "-1e308", "1.7976931348623157e308", "1e-10", "123456789.125", "1e14", "1e15", "-1e16",
                    "1e-14",
                    "1e-15", "1e-16", "1.25e-15", "12345678901234567890", "123456789012345.5", "999999999999999.9",
                    "2.2250738585072014e-308", "-0.001234", "5e-324", "100",
                ]),
            Case(type: "YEAR", values: ["0", "1901", "2155"]),
            Case(type: "DATE", values: ["'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-00'"]),
            Case(type: "DATETIME", values: ["'0000-00-00'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"]),
            Case(type: "DATETIME(6)", values: ["'2024-02-29 12:00:00.000001'", "'2024-02-29'", "'0000-00-00'"]),
            Case(type: "DATETIME(3)", values: ["'2024-02-29 12:00:00.5'"]),
            Case(type: "TIMESTAMP NULL", values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "NULL"]),
            Case(type: "TIMESTAMP(6) NULL", values: ["'2038-01-19 03:14:07.999999'"]),
            Case(type: "TIME", values: ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'", "'24:00:00'"]),
            Case(type: "TIME(6)", values: ["'-838:59:58.999999'", "'00:00:00.000001'", "'00:00:00'"]),
            Case(type: "CHAR(10)", values: ["''", "'é€'"]),
            Case(type: "VARCHAR(300)", values: ["''", "REPEAT('x', 250)", "REPEAT('y', 251)", "REPEAT('é', 300)"]),
            Case(type: "BINARY(4)", values: ["X'00FF'"]),
            Case(type: "VARBINARY(10)", values: ["X'00FB00'"]),
            Case(type: "LONGTEXT", values: ["REPEAT('x', 70000)"]),
            Case(type: "LONGBLOB", values: ["REPEAT(X'FF', 70000)", "''"]),
            Case(type: "BIT(1)", values: ["b'0'", "b'1'"]),
            Case(type: "BIT(64)", values: ["X'FFFFFFFFFFFFFFFF'", "b'1'"]),
            Case(type: "ENUM('a','ü')", values: ["'a'", "'ü'", "0"]),
            Case(type: "SET('a','b','c')", values: ["''", "'a,c'"]),
            Case(type: "JSON", values: ["'{\"a\": [1, 2.5, null]}'", "'null'"]),
            Case(type: "GEOMETRY", values: ["ST_GeomFromText('POINT(1 2)')"]),
            Case(type: "VECTOR(3)", values: ["TO_VECTOR('[1,2,3]')"], mysqlOnly: true),
        ]

        @Test(arguments: ServerFlavour.allCases)
        func textAndBinaryAgree(_ flavour: ServerFlavour) async throws {
            let tls = flavour == .mariadb ? ServerOptions.TLS.off : .generated
            try await withServer(flavour, ServerOptions(tls: tls, durable: false)) { server in
                try await server.withConnection { connection in
                    try await connection.query("CREATE DATABASE b")
                    try await connection.query("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
                    let cases = Self.cases.filter { flavour == .mysql9 || !$0.mysqlOnly }
                    for (index, item) in cases.enumerated() {
                        let table = "b.t\(index)"
                        try await connection.query("CREATE TABLE \(table) (v \(item.type))")
                        for value in item.values {
                            try await connection.query("INSERT INTO \(table) VALUES (\(value))")
                        }
                        let text = try await connection.query("SELECT v FROM \(table)")
                        let binary = try await connection.execute(prepared: "SELECT v FROM \(table)", [])
                        #expect(text.rows.count == item.values.count)
                        for (value, (left, right)) in zip(item.values, zip(text.rows, binary.rows)) {
                            #expect(left == right, "\(item.type) \(value): \(show(left)) / \(show(right))")
                        }
                    }
                    // All in one row: the places of the NULL bits.
                    let columns = cases.indices.map { "t\($0).v" }.joined(separator: ",")
                    let tables = cases.indices.map { "(SELECT v FROM b.t\($0) LIMIT 1) t\($0)" }.joined(separator: ",")
                    let sql = "SELECT NULL, \(columns), NULL FROM \(tables)"
                    let binary = try await connection.execute(prepared: sql, [])
                    #expect(try await connection.query(sql).rows == binary.rows)
                    try await parameters(connection)
                }
            }
        }

        private func show(_ row: MySQLRow) -> String { row.string(0) ?? "NULL" }

        private func parameters(_ connection: MySQLConnection) async throws {
            let many = (0..<40).map { $0 % 3 == 0 ? MySQLParameter.null : .int(Int64($0)) }
            let places = many.map { _ in "?" }.joined(separator: ",")
            let row = try await connection.execute(prepared: "SELECT \(places)", many).rows[0]
            for index in 0..<40 { #expect(row.int(index) == (index % 3 == 0 ? nil : Int64(index))) }
            let rest = try await connection.execute(
                prepared: "SELECT ?, ?, ?, HEX(?)",
                [.int(.min), .double(0.1), .string(String(repeating: "é", count: 40_000)), .bytes([0xFF, 0x00, 0x27])]
            ).rows[0]
            #expect(rest.int(0) == .min)
            #expect(rest.string(1) == "0.1")
            #expect(rest.string(2)?.count == 40_000)
            #expect(rest.string(3) == "FF0027")
        }
    }
}
