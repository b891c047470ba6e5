import Foundation
import GodwitTesting

/// Random transactions of one session, from a seed, beside the sample schema's writers: every type at its extremes, moved keys,
/// unique swaps, large rows, savepoints, rollbacks, changes of definition. A pure value.
struct TortureScript: Sendable {
    /// Accounts on each side, and the money of all of them together, which never changes.
    static let accounts = 20
    static let money = accounts * 2 * 1000

    /// Every type that both servers have, at its extremes: table `ty.t`.
    struct Types: Sendable {
        var definition: String
        /// The key first.
        var columns: [String]
        var rows: [String]
        var inserts: String
        /// A collation that both servers have.
        var schemaDefaults = ""
        /// At least so many transactions between two changes of definition. Between two kinds of servers many of them load a table again,
        /// and one that interrupts every try of the cutover keeps it from ever being made.
        var definitionDistance = 120
        /// A system-versioned table is among those that are written.
        var keepsHistory: Bool

        init(from source: ServerFlavour, to target: ServerFlavour) {
            keepsHistory = source.isMariaDB && source == target
            if source == .mysql9, target == .mysql9 {
                (definition, rows) = (TypeExtremes.definition, TypeExtremes.rows)
                (columns, inserts) = (TypeExtremes.columns.split(separator: ",").map(String.init), TypeExtremes.inserts(from: 1))
            } else {
                let hasEnumErrors = target == .mysql9
                schemaDefaults = " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
                if source.isMariaDB != target.isMariaDB { definitionDistance = 400 }
                (definition, rows) = (PortableTypes.definition, PortableTypes.rows(enumErrors: hasEnumErrors))
                (columns, inserts) = (PortableTypes.columns, PortableTypes.inserts(from: 1, enumErrors: hasEnumErrors))
            }
        }
    }
    let types: Types
    private var random: SplitMix64
    private var fresh: Int
    private var typed: [Int] = []
    private var words: [Int] = []
    private var big: [Int] = []
    private var extraColumn: String?
    private var comers: [String] = []
    private var sinceDefinition = 0

    init(seed: UInt64, types: Types) {
        random = SplitMix64(state: seed)
        self.types = types
        fresh = 1000
        typed = Array(1...types.rows.count)
    }

    var definition: String {
        """
        CREATE DATABASE torture CHARACTER SET utf8mb4; GRANT ALL ON torture.* TO \(Scenario.applicationUser); GRANT ALL ON ty.* TO \(Scenario.applicationUser);
        CREATE TABLE torture.lefts (id INT PRIMARY KEY, balance BIGINT NOT NULL);
        CREATE TABLE torture.rights (id INT PRIMARY KEY, balance BIGINT NOT NULL);
        CREATE TABLE torture.counter (id INT PRIMARY KEY, n BIGINT NOT NULL);
        INSERT INTO torture.counter VALUES (1, 0);
        CREATE TABLE torture.words (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, word VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE, n INT UNIQUE, note TEXT) COMMENT 'words';
        CREATE TABLE torture.big (id INT PRIMARY KEY, v LONGBLOB, note VARCHAR(20));
        CREATE TABLE torture.shape (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(50));
        CREATE TABLE torture.heap (a INT, b VARCHAR(20));
        \(types.keepsHistory ? "CREATE TABLE torture.kept (id INT PRIMARY KEY, n INT UNIQUE, note VARCHAR(20), free INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;" : "")
        \((1...Self.accounts).map { "INSERT INTO torture.lefts VALUES (\($0), 1000); INSERT INTO torture.rights VALUES (\($0), 1000);" }.joined())
        INSERT INTO torture.shape (a, b) VALUES (1, 'x'), (2, 'y'), (3, NULL);
        CREATE DATABASE ty\(types.schemaDefaults); SET sql_mode = 'ALLOW_INVALID_DATES'; SET NAMES utf8mb4;
        \(types.definition);
        \(types.inserts)
        """
    }

    static let session = ["SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'", "SET NAMES utf8mb4"]

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func next(_ keys: [Int]) -> Int? { keys.randomElement(using: &random) }
    private mutating func new() -> Int {
        fresh += 1
        return fresh
    }

    /// A transfer between the tables, the counter last.
    mutating func transfer() -> [String] {
        let amount = number(1..<50)
        let (left, right) = (number(1..<Self.accounts + 1), number(1..<Self.accounts + 1))
        let sign = number(0..<2) == 0 ? "-" : "+"
        return [
            "UPDATE torture.lefts SET balance = balance \(sign) \(amount) WHERE id = \(left)",
            "UPDATE torture.rights SET balance = balance \(sign == "-" ? "+" : "-") \(amount) WHERE id = \(right)",
            "UPDATE torture.counter SET n = n + 1 WHERE id = 1",
        ]
    }

    /// The next transaction; the last statement says how it ends, a single statement ends by itself.
    mutating func next() -> [String] {
        sinceDefinition += 1
        if sinceDefinition > types.definitionDistance, number(0..<40) == 0 {
            sinceDefinition = 0
            return [definitionChange()]
        }
        if types.keepsHistory, number(0..<5) == 0 { return versionChange() }
        switch number(0..<100) {
        case 0..<35: return typeChange()
        case 35..<60: return wordChange()
        case 60..<66: return large()
        case 66..<78: return savepoints()
        case 78..<88: return ["INSERT INTO torture.heap VALUES (\(number(0..<5)), 'h'), (\(number(0..<5)), NULL)"]
        case 88..<92: return ["DELETE FROM torture.heap WHERE a = \(number(0..<5)) LIMIT 1"]
        default: return ["INSERT INTO torture.shape (a, b) VALUES (\(number(0..<9)), 'é')"]
        }
    }

    private mutating func typeChange() -> [String] {
        let row = types.rows[number(0..<types.rows.count)]
        guard typed.count > 3, let key = next(typed), let other = next(typed) else { return newTyped(row) }
        switch number(0..<6) {
        case 0, 1: return newTyped(row)
        case 2: return ["REPLACE INTO ty.t (\(types.columns.joined(separator: ","))) VALUES (\(key), \(row))"]
        case 3:
            let columns = types.columns.dropFirst().map { "l.\($0) = r.\($0)" }.joined(separator: ", ")
            return ["UPDATE ty.t AS l JOIN ty.t AS r ON r.id = \(other) SET \(columns) WHERE l.id = \(key)"]
        case 4:
            let moved = new()
            typed.removeAll { $0 == key }
            typed.append(moved)
            return ["UPDATE ty.t SET id = \(moved) WHERE id = \(key)"]
        default:
            typed.removeAll { $0 == key }
            return ["DELETE FROM ty.t WHERE id = \(key)"]
        }
    }

    private mutating func newTyped(_ row: String) -> [String] {
        let key = new()
        typed.append(key)
        return ["INSERT INTO ty.t (\(types.columns.joined(separator: ","))) VALUES (\(key), \(row))"]
    }

    private mutating func wordChange() -> [String] {
        guard words.count > 4, let first = next(words), let second = next(words), first != second, number(0..<3) > 0 else {
            let n = new()
            words.append(n)
            return ["INSERT INTO torture.words (word, n, note) VALUES ('Wort \(n) ', \(n), REPEAT('n', \(number(0..<300))))"]
        }
        switch number(0..<4) {
        case 0:
            // The unique values of two rows change places.
            return [
                "BEGIN", "UPDATE torture.words SET word = 'x' WHERE n = \(first)",
                "UPDATE torture.words SET word = 'Wort \(first) ' WHERE n = \(second)",
                "UPDATE torture.words SET word = 'Wort \(second) ' WHERE n = \(first)",
                "UPDATE torture.words SET n = -1 WHERE n = \(first)", "UPDATE torture.words SET n = \(first) WHERE n = \(second)",
                "UPDATE torture.words SET n = \(second) WHERE n = -1", "COMMIT",
            ]
        case 1: return ["UPDATE torture.words SET id = \(1_000_000 + new()) WHERE n = \(first)"]
        case 2: return ["UPDATE torture.words SET note = NULL WHERE n = \(first)"]
        default:
            words.removeAll { $0 == first }
            return ["DELETE FROM torture.words WHERE n = \(first)"]
        }
    }

    private mutating func versionChange() -> [String] {
        let (key, other, n) = (number(0..<30), number(0..<30), new())
        switch number(0..<9) {
        case 0, 1: return ["REPLACE INTO torture.kept VALUES (\(key), \(n), 'replaced', \(other))"]
        case 2: return ["INSERT INTO torture.kept VALUES (\(key), \(n), 'new', 0) ON DUPLICATE KEY UPDATE note = 'again'"]
        case 3: return ["UPDATE torture.kept SET note = 'n\(n)' WHERE id BETWEEN \(key) AND \(key + 5)"]
        case 4: return ["UPDATE torture.kept SET free = \(n) WHERE id = \(key)"]
        case 5: return ["DELETE FROM torture.kept WHERE id = \(key)"]
        case 6: return ["BEGIN", "DELETE FROM torture.kept WHERE id = \(key)", "INSERT INTO torture.kept VALUES (\(key), \(n), 'anew', 1)", "UPDATE torture.kept SET n = \(new()) WHERE id = \(key)", "COMMIT"]
        case 7: return ["UPDATE torture.kept SET id = \(100 + new()) WHERE id = \(key)"]
        default: return ["DELETE HISTORY FROM torture.kept BEFORE SYSTEM_TIME NOW(6) - INTERVAL 3 SECOND"]
        }
    }

    private mutating func large() -> [String] {
        if big.count > 2 {
            let key = big.removeFirst()
            return ["DELETE FROM torture.big WHERE id = \(key)"]
        }
        if let key = next(big), number(0..<2) == 0 { return ["UPDATE torture.big SET note = 'changed' WHERE id = \(key)"] }
        let key = new()
        big.append(key)
        return ["INSERT INTO torture.big VALUES (\(key), REPEAT(RANDOM_BYTES(1000), \(number(100..<1500))), 'new')"]
    }

    private mutating func savepoints() -> [String] {
        let n = new()
        let kept = number(0..<2) == 0
        var list = [
            "BEGIN", "INSERT INTO torture.words (word, n) VALUES ('kept \(n)', \(n))", "SAVEPOINT a",
            "UPDATE torture.lefts SET balance = balance + 1000000 WHERE id = 1", "DELETE FROM torture.rights WHERE id = 2",
            "ROLLBACK TO SAVEPOINT a", "UPDATE torture.words SET note = 'after' WHERE n = \(n)",
        ]
        list.append(kept ? "COMMIT" : "ROLLBACK")
        if kept { words.append(n) }
        return list
    }

    private mutating func definitionChange() -> String {
        switch number(0..<5) {
        case 0:
            if let column = extraColumn {
                extraColumn = nil
                return "ALTER TABLE torture.shape DROP COLUMN \(column)"
            }
            let column = "c\(new())"
            extraColumn = column
            return "ALTER TABLE torture.shape ADD COLUMN \(column) VARCHAR(30) DEFAULT 'd', ADD INDEX k_\(column) (\(column))"
        case 1:
            let name = "torture.comer\(new())"
            comers.append(name)
            return "CREATE TABLE \(name) (id INT AUTO_INCREMENT PRIMARY KEY, t TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)) COMMENT 'came'"
        case 2 where !comers.isEmpty:
            return "DROP TABLE \(comers.removeFirst())"
        case 3: return "TRUNCATE TABLE torture.heap"
        default: return "ALTER TABLE torture.shape MODIFY b VARCHAR(\(50 + number(1..<50)))"
        }
    }
}
