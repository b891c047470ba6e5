import GodwitTesting
import Testing

/// Pairs with MariaDB on one side or both, the whole way: every type at its extremes, writers that never pause, validation, cutover,
/// and the servers' own SQL for the proof.
@Suite(.serialized) struct MariaDBPairTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        var source: ServerFlavour
        var target: ServerFlavour
        var testDescription: String { "\(source) to \(target)" }
    }

    @Test(arguments: [
        Pair(source: .mysql9, target: .mariadb), Pair(source: .mysql9, target: .mariadb11),
        Pair(source: .mariadb, target: .mysql9), Pair(source: .mariadb11, target: .mysql9),
        Pair(source: .mariadb, target: .mariadb), Pair(source: .mariadb11, target: .mariadb11),
        Pair(source: .mariadb, target: .mariadb11), Pair(source: .mariadb11, target: .mariadb),
    ])
    func movesLiveAndCutsOver(pair: Pair) async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        // What MariaDB's foreign keys do to children is not in its log.
        try await withScenario(
            rows: 1000, foreignKeys: !pair.source.isMariaDB, source: (pair.source, fast), target: (pair.target, fast)
        ) { scenario in
            try await scenario.source.sql("CREATE DATABASE ty CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; SET NAMES utf8mb4; \(PortableTypes.definition)")
            let hasEnumErrors = pair.target == .mysql9
            try await scenario.source.sql(PortableTypes.inserts(from: 1, enumErrors: hasEnumErrors))
            try scenario.writePlan(tables: #"{ include: ["shop.*", "ty.*"] }"#)
            let writers = scenario.writers(2, rate: 50, seed: 7)
            try await writers.started()
            let loaded = try await scenario.godwit(["migrate", "--until", "loaded"])
            #expect(try await loaded.exit() == .code(0), "\(loaded.standardError.tail())")
            try await scenario.source.sql(PortableTypes.inserts(from: 101, enumErrors: hasEnumErrors))
            let godwit = try await scenario.godwit(["migrate", "--cutover", "auto"])
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.tail())")
            try await expectMoved(scenario, writers)
            let differences = try await TableFingerprint.differences(of: "ty", on: scenario.source, and: scenario.target)
            #expect(differences.isEmpty, "\(differences)")
            for column in PortableTypes.columns.dropFirst() {
                let same = column == "g"
                    ? "HEX(a.`\(column)`) <=> HEX(b.`\(column)`)"
                    : "HEX(CAST(a.`\(column)` AS CHAR)) <=> HEX(CAST(b.`\(column)` AS CHAR))"
                let unequal = try await scenario.target.value(
                    "SELECT COUNT(*) FROM ty.t a JOIN ty.t b ON b.id = a.id + 100 WHERE NOT (\(same))")
                #expect(unequal == "0", "column \(column) differs between load and replay")
            }
        }
    }

    /// What the other family does not have is named before anything is written.
    @Test func whatHasNoEqualIsRefusedByName() async throws {
        let fast = ServerOptions(tls: .off, durable: false)
        try await MigrationRig.with(source: fast, target: fast, flavours: (.mysql9, .mariadb11)) { rig in
            try await rig.source.sql(
                """
                CREATE DATABASE odd DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci; USE odd;
                CREATE TABLE words (w VARCHAR(20) PRIMARY KEY);
                CREATE TABLE exact (w VARCHAR(20) COLLATE utf8mb4_0900_bin PRIMARY KEY, note VARCHAR(20));
                CREATE TABLE lower_words (id INT PRIMARY KEY, w VARCHAR(20) COLLATE utf8mb4_bin, KEY l ((LOWER(w))));
                CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3));
                CREATE TABLE checked (id INT PRIMARY KEY, n INT, CONSTRAINT later CHECK (n > 0) NOT ENFORCED);
                """)
            try rig.plan(tables: #"{ include: ["odd.*"] }"#)
            let run = try await rig.godwit(["migrate", "--until", "loaded"], expecting: 2)
            let said = run.output + run.errors
            for word in ["odd.words", "utf8mb4_uca1400_nopad_ai_ci", "odd.lower_words", "over an expression", "vector(3)", "NOT ENFORCED"] {
                #expect(said.contains(word), "\(word) is not in: \(said)")
            }
            #expect(!said.contains("Table odd.exact has no equal"))
            let schemas = try await rig.target.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('odd', 'godwit')")
            #expect(schemas == "0")
        }
    }
}

/// `TypeExtremes` without what only MySQL has: gb18030, SRIDs of columns, VECTOR.
enum PortableTypes {
    private static let dropped: Set<String> = ["gb", "p", "v"]

    static let definition = TypeExtremes.definition
        .replacing(" gb VARCHAR(20) CHARACTER SET gb18030,", with: "")
        .replacing(" p POINT SRID 4326, v VECTOR(3),", with: "")

    private static let allColumns = TypeExtremes.columns.split(separator: ",").map(String.init)
    static let columns = allColumns.filter { !dropped.contains($0) }

    /// - Parameter enumErrors: with the error value of an ENUM, which MariaDB (10.11; 11.8 as of 11.8.9) does not take.
    static func inserts(from first: Int, enumErrors: Bool = true) -> String {
        let session = "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'; SET NAMES utf8mb4;"
        let inserts = rows(enumErrors: enumErrors).enumerated().map { number, row in
            "INSERT INTO ty.t (\(columns.joined(separator: ","))) VALUES (\(first + number), \(row));"
        }
        return session + inserts.joined(separator: "\n")
    }

    /// Values of all columns but the key, as SQL.
    static func rows(enumErrors: Bool) -> [String] {
        TypeExtremes.rows.map { row in
            // The first column is the key, which the row does not have.
            zip(allColumns.dropFirst(), cut(row)).filter { !dropped.contains($0.0) }
                .map { $0.0 == "e" && $0.1 == "0" && !enumErrors ? "'a'" : $0.1 }.joined(separator: ",")
        }
    }

    /// Cut at the commas that are in no parentheses and no quotes.
    private static func cut(_ row: String) -> [String] {
        var found: [String] = []
        var current = ""
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        for character in row {
            if isQuoted {
                if isEscaped { isEscaped = false } else if character == "\\" { isEscaped = true } else if character == "'" { isQuoted = false }
            } else if character == "'" {
                isQuoted = true
            } else if character == "(" {
                depth += 1
            } else if character == ")" {
                depth -= 1
            } else if character == ",", depth == 0 {
                found.append(current)
                current = ""
                continue
            }
            current.append(character)
        }
        return found + [current]
    }
}
