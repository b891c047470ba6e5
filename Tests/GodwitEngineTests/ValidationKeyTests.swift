import MySQLTypes
import Testing

@testable import GodwitEngine

@Suite struct ValidationKeyTests {
    @Test(arguments: [
        (KeyBounds(), ["a"], "TRUE"),
        (KeyBounds(lower: ["5"]), ["a"], "`a` > 5"),
        (KeyBounds(lower: ["5"], upper: ["9"]), ["a"], "`a` > 5 AND `a` <= 9"),
        (KeyBounds(lower: ["1", "2"]), ["a", "b"], "`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND (`b` > 2)))"),
        (
            KeyBounds(upper: ["1", "2", "3"]), ["a", "b", "c"],
            "`a` <= 1 AND (`a` < 1 OR (`a` = 1 AND (`b` < 2 OR (`b` = 2 AND (`c` <= 3)))))"
        ),
    ])
    func conditions(_ bounds: KeyBounds, _ columns: [String], _ expected: String) {
        #expect(bounds.condition(columns: columns) == expected)
    }

    @Test func aBoundOfAnotherKeyIsRefusedByTheServer() {
        #expect(KeyBounds(lower: ["1"]).condition(columns: ["a", "b"]) == "(`a`, `b`) > (1)")
    }

    func column(_ type: String, charset: String? = nil, octets: UInt64? = nil) -> ColumnDefinition {
        ColumnDefinition(
            name: "c", position: 0, dataType: type, columnType: type, isNullable: false, characterSet: charset,
            octetLength: octets)
    }

    /// A key read by SELECT and the same key in a row image are one literal.
    @Test(arguments: [
        ("int", nil, nil, "-7", MySQLValue.int(-7), "-7"),
        ("bigint", nil, nil, "18446744073709551615", .uint(.max), "18446744073709551615"),
        ("int", nil, nil, "00042", .int(42), "42"),
        ("year", nil, nil, "0000", .year(0), "0"),
        ("decimal", nil, nil, "-0.50", .decimal("-0.50"), "-0.50"),
        ("decimal", nil, nil, "0000000001.50", .decimal("1.50"), "1.50"),
        ("date", nil, nil, "0000-00-00", .date(MySQLDate(year: 0, month: 0, day: 0)), "'0000-00-00'"),
        ("time", nil, nil, "-838:59:59.000", .time("-838:59:59.000"), "'-838:59:59.000'"),
        ("datetime", nil, nil, "2024-02-31 00:00:00", .datetime("2024-02-31 00:00:00"), "'2024-02-31 00:00:00'"),
        ("varchar", "utf8mb4", nil, "a ", .bytes(Array("a ".utf8)), "_utf8mb4 X'6120'"),
        ("varchar", "latin1", nil, "", .bytes([]), "_latin1 X''"),
        ("char", "utf8mb4", nil, "a", .bytes(Array("a  ".utf8)), "_utf8mb4 X'61'"),
        ("varbinary", nil, nil, "a\0", .bytes([0x61, 0]), "_binary X'6100'"),
        ("binary", nil, 3, "a\0\0", .bytes([0x61]), "_binary X'610000'"),
        ("enum", "utf8mb4", nil, "300", .enumeration(300), "300"),
        ("set", "utf8mb4", nil, "5", .set(5), "5"),
        ("bit", nil, nil, "9", .bit(9), "9"),
    ] as [(String, String?, UInt64?, String, MySQLValue, String)])
    func literals(_ type: String, _ charset: String?, _ octets: UInt64?, _ text: String, _ value: MySQLValue, _ sql: String) {
        let column = column(type, charset: charset, octets: octets)
        #expect(KeyLiteral.sql(bytes: Array(text.utf8), column: column) == sql)
        #expect(KeyLiteral.sql(value: value, column: column) == sql)
    }

    @Test func keysKeepTheirParts() {
        for parts in [["1"], ["_utf8mb4 X''", "2"], ["", ""], ["'a'", "'b'", "3"]] {
            #expect(RowKey(parts).literals == parts)
        }
        #expect(RowKey(["1", "23"]) != RowKey(["12", "3"]))
    }

    @Test func positionsOfAnotherKindNeverCover() {
        let file = BinlogCoordinates(file: "b.000009", offset: 100)
        let later = BinlogCoordinates(file: "b.000010", offset: 4)
        let gtid = GTID(source: SourceUUID(high: 1, low: 2), number: 5)
        #expect(ReplicationPosition.file(later).covers(MarkPosition.file(file)))
        #expect(ReplicationPosition.file(file).covers(MarkPosition.file(file)))
        #expect(!ReplicationPosition.file(file).covers(MarkPosition.file(later)))
        #expect(!ReplicationPosition.file(later).covers(MarkPosition.gtid(gtid)))
        #expect(!ReplicationPosition.gtids(GTIDSet()).covers(MarkPosition.file(file)))
    }
}
