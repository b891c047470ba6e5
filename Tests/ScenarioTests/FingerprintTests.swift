import GodwitTesting
import Testing

/// The proof must be able to fail: every kind of difference between two tables changes the fingerprint.
@Suite(.serialized) struct FingerprintTests {
    /// One table with what each server has of types; a value pair per column that people take for equal.
    struct Pair: Sendable {
        var type: String
        var first: String
        var second: String
        var mysqlOnly = false
    }
    static let pairs: [Pair] = [
        Pair(type: "INT", first: "NULL", second: "0"),
        Pair(type: "BIGINT UNSIGNED", first: "18446744073709551615", second: "18446744073709551614"),
        // MariaDB prints minus zero as 0 everywhere: no SQL can tell it there.
        Pair(type: "DOUBLE", first: "0e0", second: "-0e0", mysqlOnly: true),
        Pair(type: "DOUBLE", first: "0.1e0", second: "0.10000000000000002e0"),
        Pair(type: "FLOAT", first: "16777215", second: "16777214"),
        Pair(type: "DECIMAL(65,30)", first: "0.000000000000000000000000000001", second: "0"),
        Pair(type: "VARCHAR(20)", first: "'a'", second: "'A'"),
        Pair(type: "VARCHAR(20)", first: "'a'", second: "'a '"),
        Pair(type: "VARCHAR(20)", first: "''", second: "NULL"),
        Pair(type: "VARCHAR(20) CHARACTER SET latin1", first: "0xE9", second: "0x65"),
        Pair(type: "BINARY(4)", first: "0x61", second: "0x6120"),
        Pair(type: "VARBINARY(4)", first: "0x61", second: "0x6100"),
        Pair(type: "LONGBLOB", first: "REPEAT('x', 3000000)", second: "CONCAT(REPEAT('x', 2999999), 'y')"),
        Pair(type: "TEXT", first: "'n'", second: "NULL"),
        Pair(type: "DATE", first: "'0000-00-00'", second: "NULL"),
        Pair(type: "TIME(6)", first: "'-00:00:00.000001'", second: "'00:00:00.000001'"),
        Pair(type: "DATETIME(6)", first: "'2000-01-01'", second: "'2000-01-01 00:00:00.000001'"),
        Pair(type: "TIMESTAMP NULL", first: "'2038-01-19 03:14:07'", second: "'2038-01-19 03:14:06'"),
        Pair(type: "YEAR", first: "0", second: "2000"),
        Pair(type: "BIT(64)", first: "b'1'", second: "b'0'"),
        Pair(type: "ENUM('a', '')", first: "''", second: "0"),
        Pair(type: "SET('a', 'b')", first: "'a,b'", second: "'a'"),
        Pair(type: "JSON", first: "'[1]'", second: "'[1.0]'"),
        Pair(type: "JSON", first: "'null'", second: "NULL"),
        Pair(type: "POINT", first: "ST_GeomFromText('POINT(1 2)')", second: "ST_GeomFromText('POINT(2 1)')"),
        Pair(
            type: "POINT", first: "ST_GeomFromText('POINT(1 2)', 0)", second: "ST_GeomFromText('POINT(1 2)', 4326)",
            mysqlOnly: true),
        Pair(type: "VECTOR(2)", first: "TO_VECTOR('[1,2]')", second: "TO_VECTOR('[1,-2]')", mysqlOnly: true),
    ]

    @Test(arguments: ServerFlavour.allCases)
    func tellsEveryDifference(flavour: ServerFlavour) async throws {
        try await withServer(flavour, ServerOptions(extra: ["--sql-mode="])) { server in
            let pairs = Self.pairs.filter { flavour == .mysql9 || !$0.mysqlOnly }
            // Three schemas: a and b hold the same, c the other value of each pair.
            var sql = ""
            for schema in ["a", "b", "c"] {
                sql += "CREATE DATABASE \(schema) CHARACTER SET utf8mb4; USE \(schema);\n"
                for (index, pair) in pairs.enumerated() {
                    let value = schema == "c" ? pair.second : pair.first
                    sql += "CREATE TABLE t\(index) (id INT PRIMARY KEY, `o'd``d` \(pair.type));\n"
                    sql += "INSERT INTO t\(index) VALUES (1, \(value)), (2, NULL);\n"
                }
            }
            try await server.sql(sql)
            let equal = try await TableFingerprint.differences(of: "a", on: server, and: server, as: "b")
            #expect(equal.isEmpty)
            let first = try await TableFingerprint.all(of: "a", on: server)
            let second = try await TableFingerprint.all(of: "c", on: server)
            for (index, pair) in pairs.enumerated() {
                let one = try #require(first["t\(index)"])
                let other = try #require(second["t\(index)"])
                #expect(one.rows == 2)
                #expect(one != other, "\(pair.type): \(pair.first) and \(pair.second) look equal")
            }
        }
    }

    @Test func tellsKeylessDuplicatesAndMissingTables() async throws {
        try await withServer(.mariadb) { server in
            try await server.sql(
                """
                CREATE DATABASE a; CREATE TABLE a.k (v INT); INSERT INTO a.k VALUES (1), (1), (2);
                CREATE DATABASE b; CREATE TABLE b.k (v INT); INSERT INTO b.k VALUES (1), (2), (2);
                CREATE TABLE b.more (v INT);
                """)
            let lines = try await TableFingerprint.differences(of: "a", on: server, and: server, as: "b")
            #expect(lines.count == 2)
            #expect(lines.last == "more: only on the target")
        }
    }
}
