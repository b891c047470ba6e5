import GodwitTesting
import Testing

/// JSON holds values that its text does not show: DECIMALs, temporals, bytes, signed and unsigned numbers. They keep their
/// types, loaded and replayed, and a type that differs is a difference.
@Suite struct JSONTypeTests {
    /// Every type of scalar that JSON has, as an SQL expression.
    private static let scalars = [
        "CAST('null' AS JSON)", "true", "false", "1", "-1", "0", "4294967295", "4294967296", "-4294967296", "9223372036854775807",
        "-9223372036854775808", "CAST(1 AS UNSIGNED)", "CAST(4294967295 AS UNSIGNED)", "CAST(4294967296 AS UNSIGNED)",
        "18446744073709551615", "1e0", "-0e0", "1.5e0", "1e300", "4.9e-324", "0.1e0", "1.0", "1.10", "-1.10", "0.00", "15.", "-15.",
        "12345.5", "0.000000000000000000000000000001", "99999999999999999999999999999999999.999999999999999999999999999999",
        "CAST(12 AS DECIMAL(65,30))", "CAST(1.10 AS DECIMAL(10,2))", "CAST(7 AS DECIMAL(20,0))", "DATE'2020-02-29'", "DATE'0000-00-00'",
        "DATE'2020-02-31'", "DATE'9999-12-31'", "TIME'00:00:00'", "TIME'-838:59:59'", "TIME'838:59:59'", "TIME'-00:00:00.000001'",
        "TIME'12:34:56.5'", "TIMESTAMP'2020-01-01 10:11:12'", "TIMESTAMP'9999-12-31 23:59:59.999999'",
        "TIMESTAMP'0000-00-00 00:00:00'", "x''", "x'00FF0A275C22'", "REPEAT(x'00FF', 100)", "c.tmb", "c.blb", "c.lob", "c.bin", "c.vbn",
        "c.bt", "c.ts", "c.dt", "c.tm", "c.yr", "c.en", "c.fl", "c.bi", "c.bu", "''", "'2020-01-01'", "'1.10'", "'base64:type15:AP8='",
        "CONCAT('quote \" slash \\\\ line ', CHAR(10 USING utf8mb4), CHAR(0 USING utf8mb4))", "'é😀'",
    ]

    private static let setup = """
        SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES';
        CREATE DATABASE js; USE js;
        CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10), j JSON, k JSON);
        CREATE TABLE keyless (j JSON, n INT);
        CREATE DATABASE help; CREATE TABLE help.c (blb BLOB, tmb MEDIUMBLOB, lob LONGBLOB, bin BINARY(5), vbn VARBINARY(9), bt BIT(64), ts TIMESTAMP(6) NULL, dt DATETIME(3), tm TIME(2),
          yr YEAR, en ENUM('a','b'), fl FLOAT, bi BIGINT, bu BIGINT UNSIGNED);
        INSERT INTO help.c VALUES (x'00FF', x'00FF', x'00FF', x'00FF', x'00FF', b'1000000000000000000000000000000000000000000000000000000000000001',
          '2020-01-01 01:02:03.5', '2020-01-01 01:02:03.5', '-1:2:3.5', 2020, 'b', 0.1, 5000000000, 5);
        """

    /// Documents with every scalar alone, in an object, in an array and deep inside both, between plain values.
    private static func inserts(from first: Int) -> String {
        var statements = ["SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', cte_max_recursion_depth = 10000; USE js;"]
        for (index, scalar) in scalars.enumerated() {
            let alone = "JSON_EXTRACT(JSON_ARRAY(\(scalar)), '$[0]')"
            let shapes = [
                alone, "JSON_OBJECT('a', \(scalar))", "JSON_ARRAY(\(scalar))",
                """
                JSON_OBJECT('', JSON_ARRAY(1, JSON_OBJECT('q"\\\\ é', \(scalar), 'z', 2)), 'b', JSON_ARRAY(JSON_ARRAY(), JSON_ARRAY(\(scalar), 'x'), JSON_OBJECT()), \
                'a', \(scalar), CONCAT('n', CHAR(0 USING utf8mb4)), JSON_OBJECT('b', JSON_OBJECT('c', \(scalar))))
                """,
            ]
            for (number, shape) in shapes.enumerated() {
                statements.append("INSERT INTO t SELECT \(first + 4 * index + number), 'x', \(shape), \(number == 0 ? "NULL" : "JSON_ARRAY(\(scalar))") FROM help.c;")
            }
        }
        // Long and deep.
        let deep = (0..<90).reduce("1.10") { inner, _ in "JSON_ARRAY(\(inner))" }
        statements.append("INSERT INTO t SELECT \(first + 1000), 'x', \(deep), NULL;")
        statements.append("INSERT INTO t SELECT \(first + 1001), 'x', JSON_ARRAYAGG(JSON_OBJECT('i', i, 'd', i / 8)), NULL FROM (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n) s;")
        return statements.joined(separator: "\n")
    }

    /// Type and text of all values of both servers' documents, by paths of the server's own: nothing of Godwit's SQL.
    private static func types(_ server: TestServer, _ where: String) async throws -> [[String]] {
        try await server.sql("""
            SELECT id, JSON_TYPE(j), JSON_TYPE(j->'$.a'), JSON_TYPE(j->'$[0]'), JSON_TYPE(j->'$.b[1][0]'), JSON_TYPE(JSON_EXTRACT(j, '$.""[1]."q\\\\"\\\\\\\\ é"')),
              JSON_TYPE(JSON_EXTRACT(j, '$."n\\\\u0000".b.c')), JSON_TYPE(j->'$[1999].d'), JSON_TYPE(j->'$[1999].i'), JSON_TYPE(k->'$[0]'), HEX(CAST(j AS CHAR)), HEX(CAST(k AS CHAR))
            FROM js.t WHERE \(`where`) ORDER BY id
            """)
    }

    @Test(arguments: [true, false])
    func typesTravel(localInfile: Bool) async throws {
        var target = ServerOptions(durable: false)
        target.localInfile = localInfile
        try await MigrationRig.with(source: ServerOptions(durable: false), target: target) { rig in
            try await rig.source.sql(Self.setup)
            try await rig.source.sql(Self.inserts(from: 1))
            try await rig.source.sql("INSERT INTO js.keyless VALUES (JSON_ARRAY(1.5), 1), (JSON_ARRAY(1.5e0), 1), (JSON_EXTRACT('1', '$'), 2), (CAST(CAST(1 AS UNSIGNED) AS JSON), 2)")
            try rig.plan(tables: #"{ include: ["js.*"] }"#)
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(Self.inserts(from: 5001))
            // The type alone changes; and of two rows of equal text the right one goes.
            try await rig.source.sql("""
                UPDATE js.t SET j = JSON_ARRAY(1.5e0) WHERE id = 5001; UPDATE js.t SET j = JSON_ARRAY(1.5) WHERE id = 5001;
                DELETE FROM js.keyless WHERE JSON_TYPE(j->'$[0]') = 'DOUBLE'; DELETE FROM js.keyless WHERE JSON_TYPE(j) = 'INTEGER'
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            let (left, right) = (try await Self.types(rig.source, "true"), try await Self.types(rig.target, "true"))
            #expect(left.count > 500 && Set(left.flatMap { $0[1...10] }).isSuperset(of: ["DECIMAL", "DATE", "TIME", "DATETIME", "TIMESTAMP", "BLOB", "BIT", "UNSIGNED INTEGER", "INTEGER", "DOUBLE"]))
            for (source, target) in zip(left, right) where source != target { Issue.record("\(source) became \(target)") }
            #expect(left.count == right.count)
            let types = "SELECT COALESCE(JSON_TYPE(j->'$[0]'), JSON_TYPE(j)) FROM js.keyless ORDER BY 1"
            #expect(try await rig.target.sql(types) == [["DECIMAL"], ["UNSIGNED INTEGER"]])
        }
    }

    /// The comparison of both sides sees a type that was changed by hand, whatever the text.
    @Test func changedTypesAreDifferences() async throws {
        try await MigrationRig.with(source: ServerOptions(durable: false), target: ServerOptions(durable: false)) { rig in
            try await rig.source.sql("""
                CREATE DATABASE js; CREATE TABLE js.t (id INT PRIMARY KEY, j JSON);
                INSERT INTO js.t VALUES (1, JSON_OBJECT('a', 12345.5)), (2, CAST(DATE'2020-01-01' AS JSON)), (3, JSON_ARRAY(1.5, 1.5e0)), (4, JSON_ARRAY(5000000000))
                """)
            try rig.plan(tables: #"{ include: ["js.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.godwit(["verify"])
            for (id, changed) in [(1, #"'{"a": 12345.5}'"#), (2, #"'"2020-01-01"'"#), (3, "JSON_ARRAY(1.5e0, 1.5)"), (4, "'[5000000000]'")] {
                try await rig.target.sql("CREATE TABLE js.kept AS SELECT * FROM js.t WHERE id = \(id); DELETE FROM js.t WHERE id = \(id); INSERT INTO js.t VALUES (\(id), \(changed))")
                let equal = try await rig.target.value("SELECT COUNT(*) FROM js.t JOIN js.kept USING (id) WHERE CAST(t.j AS CHAR) = CAST(kept.j AS CHAR)")
                #expect(equal == "1", "row \(id) has the same text")
                try await rig.godwit(["verify"], expecting: 4)
                try await rig.target.sql("DELETE FROM js.t WHERE id = \(id); INSERT INTO js.t SELECT * FROM js.kept; DROP TABLE js.kept")
            }
            try await rig.godwit(["verify"])
        }
    }
}
