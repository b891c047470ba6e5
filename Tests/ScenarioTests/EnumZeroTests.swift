import GodwitTesting
import Testing

@testable import GodwitEngine

/// The error value of an ENUM, '' of index 0, and members that look like its literal.
@Suite struct EnumZeroTests {
    @Test(arguments: [
        ("enum('a','b')", "0"), ("enum('0','a')", "00"), ("enum('0','00')", "000"), ("enum('０','1:1')", "000"), ("enum('','x')", "0"),
        ("enum('1','22','333','4444','55555')", nil),
    ] as [(String, String?)])
    func text(type: String, expected: String?) {
        let column = ColumnDefinition(name: "e", position: 0, dataType: "enum", columnType: type)
        #expect((try? EnumZero.text(column)) == expected)
    }

    /// By the load and by the replay, as a value and within a key.
    @Test func membersThatLookLikeZero() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast) { rig in
            func rows(_ from: Int) -> String {
                "SET sql_mode = ''; INSERT INTO z.t VALUES (\(from), 0, 0, 0), (\(from + 1), '0', '00', 'a'), (\(from + 2), 'x', '0', NULL), (\(from + 3), NULL, 0, 0);"
            }
            try await rig.source.sql(
                """
                CREATE DATABASE z; CREATE TABLE z.t (id INT PRIMARY KEY, a ENUM('0', 'x'), b ENUM('0', '00'), c ENUM('a', ''));
                CREATE TABLE z.k (e ENUM('0', '1') NOT NULL, n INT NOT NULL, v INT, PRIMARY KEY (e, n));
                SET sql_mode = ''; INSERT INTO z.k VALUES (0, 1, 1), ('0', 1, 2), (0, 2, 3), ('0', 2, 4); \(rows(1))
                """)
            try rig.plan(tables: #"{ include: ["z.*"] }"#)
            try await rig.godwit(["migrate", "--until", "loaded"])
            try await rig.source.sql(
                """
                SET sql_mode = ''; \(rows(11)) UPDATE z.t SET a = 0 WHERE id = 2; UPDATE z.t SET a = '0' WHERE id = 1;
                DELETE FROM z.k WHERE e = 0 AND n = 1; UPDATE z.k SET v = 9 WHERE e = 0 AND n = 2; INSERT INTO z.k VALUES (0, 3, 1);
                """)
            try await rig.godwit(["migrate", "--until", "validated"])
            for table in ["t", "k"] {
                let sql = table == "t" ? "SELECT id, a+0, b+0, c+0 FROM z.t ORDER BY 1" : "SELECT e+0, n, v FROM z.k ORDER BY 1, 2"
                #expect(try await rig.target.sql(sql) == rig.source.sql(sql))
            }
        }
    }

    /// MariaDB 10.11 stores it only with a warning: the load stops, and says which column and what to do.
    @Test func refusedByName() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mysql9, .mariadb)) { rig in
            try await rig.source.sql("CREATE DATABASE z CHARACTER SET latin1; CREATE TABLE z.t (id INT PRIMARY KEY, a ENUM('b', 'x')); SET sql_mode = ''; INSERT INTO z.t VALUES (1, 'b'), (2, 0)")
            try rig.plan(tables: #"{ include: ["z.*"] }"#)
            let run = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 1)
            #expect(run.errors.contains("Data truncated for column 'a' at row 2") && run.errors.contains("UPDATE it to NULL"), "\(run.errors)")
            try await rig.source.sql("UPDATE z.t SET a = 'x' WHERE id = 2")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("z")
        }
    }
}
