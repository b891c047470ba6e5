import Testing

@testable import GodwitEngine

/// Statements made of hostile pieces come apart into exactly these pieces.
@Suite("CREATE TABLE statements of random hostile pieces")
struct CatalogPropertyTests {
    /// SplitMix64; the seed is printed with a failure.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    static let pieces = [
        "`", "'", "\"", ",", "(", ")", "\\", "\n", " ", ".", ";", "/*", "*/", "/*!50100 ", "-- ", "#", "KEY", "PRIMARY KEY",
        "REFERENCES", "PARTITION BY", "AUTO_INCREMENT=3", "a", "ä", "😀", "\u{0}", "=", "COLLATE", "CHARACTER SET",
    ]

    static func hostile(_ random: inout Random) -> String {
        (0..<Int.random(in: 1...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
    }

    /// As MySQL prints a literal: quotes doubled in definitions, or escaped in expressions.
    static func literal(_ text: String, _ random: inout Random) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\0", with: "\\0")
        return "'" + escaped.replacing("'", with: Bool.random(using: &random) ? "''" : "\\'") + "'"
    }

    @Test(arguments: 0..<300)
    func roundTrip(_ seed: Int) throws {
        var random = Random(state: UInt64(seed))
        var expected: [(kind: CreateStatement.Item.Kind, name: String, text: String)] = []
        func name() -> String { Self.hostile(&random) }
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let column = name()
            let tail = [
                "int NOT NULL", "varchar(10) DEFAULT \(Self.literal(Self.hostile(&random), &random))",
                "int COMMENT \(Self.literal(Self.hostile(&random), &random)) /*!80023 INVISIBLE */",
                "enum(\(Self.literal(Self.hostile(&random), &random)),'b')",
                "int GENERATED ALWAYS AS (concat(\(SQL.identifier(Self.hostile(&random))),_utf8mb4\(Self.literal(Self.hostile(&random), &random)))) VIRTUAL",
            ]
            expected.append((.column, column, "\(SQL.identifier(column)) \(tail.randomElement(using: &random) ?? "int")"))
        }
        let a = SQL.identifier(expected[0].name)
        expected.append((.primaryKey, "PRIMARY", "PRIMARY KEY (\(a)(3))"))
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let key = name()
            let id = SQL.identifier(key)
            switch Int.random(in: 0...5, using: &random) {
            case 0: expected.append((.uniqueKey, key, "UNIQUE KEY \(id) (\(a),(lower(\(a))))"))
            case 1: expected.append((.key, key, "KEY \(id) (\(a) DESC) COMMENT \(Self.literal(Self.hostile(&random), &random))"))
            case 2: expected.append((.fulltextKey, key, "FULLTEXT KEY \(id) (\(a)) /*!50100 WITH PARSER `ngram` */"))
            case 3: expected.append((.spatialKey, key, "SPATIAL KEY \(id) (\(a))"))
            case 4:
                expected.append((.foreignKey, key, "CONSTRAINT \(id) FOREIGN KEY (\(a)) REFERENCES \(SQL.identifier(Self.hostile(&random))) (\(a)) ON DELETE CASCADE"))
            default: expected.append((.check, key, "CONSTRAINT \(id) CHECK ((\(a) <> \(Self.literal(Self.hostile(&random), &random))))"))
            }
        }
        let table = name()
        let comment = Self.literal(Self.hostile(&random), &random)
        let text =
            "CREATE TABLE \(SQL.identifier(table)) (\n  " + expected.map(\.text).joined(separator: ",\n  ")
            + "\n) ENGINE=InnoDB AUTO_INCREMENT=9 COMMENT=\(comment)"
        let statement = try CreateStatement(parsing: text)
        #expect(statement.name.table == table, "seed \(seed)")
        #expect(statement.items.map(\.text) == expected.map(\.text), "seed \(seed)")
        #expect(statement.items.map(\.name) == expected.map(\.name), "seed \(seed)")
        #expect(statement.items.map(\.kind) == expected.map(\.kind), "seed \(seed)")
        #expect(statement.options == "ENGINE=InnoDB COMMENT=\(comment)", "seed \(seed)")
        #expect(statement.autoIncrement == 9, "seed \(seed)")

        // What is created and what waits are together what there was, and both can be read again.
        let base = statement.base(
            for: TableName(schema: table, table: table), keeping: "PRIMARY", autoIncrement: nil,
            source: TableName(schema: "s", table: table)) { TableName(schema: $0.table, table: $0.table) }
        let again = try CreateStatement(parsing: base.createStatement)
        let count = again.items.count + base.deferredIndexes.count + base.deferredForeignKeys.count
        #expect(count == expected.count, "seed \(seed)")
        for clause in base.deferredIndexes + base.deferredForeignKeys {
            let item = try CreateStatement(parsing: "CREATE TABLE `t` (\(clause.dropFirst(4)))").items
            #expect(item.count == 1, "seed \(seed)")
            if let key = item.first, key.kind == .foreignKey {
                #expect(key.references?.schema == key.references?.table, "seed \(seed)")
            }
        }
    }

    /// Cut anywhere, a statement is refused or still whole: never a trap.
    @Test(arguments: 0..<20)
    func truncation(_ seed: Int) {
        var random = Random(state: UInt64(seed))
        let bytes = Array(hostileCreateStatement.utf8)
        for _ in 0..<100 {
            let cut = Int.random(in: 0..<bytes.count, using: &random)
            let text = String(decoding: bytes[..<cut], as: UTF8.self)
            guard let statement = try? CreateStatement(parsing: text) else { continue }
            #expect(statement.items.count == 38, "seed \(seed), cut at \(cut)")
        }
    }
}
