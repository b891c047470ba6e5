/// What one writer does next: whole transactions as SQL, random from a seed, on every table of the sample schema:
/// inserts, updates, deletes, moved keys, swapped unique values, cascades, and transfers that keep a sum.
/// A pure value: the same seed gives the same transactions.
package struct WriterScript: Sendable {
    /// More than one statement: between BEGIN and COMMIT.
    package struct Transaction: Sendable {
        package var name: String
        package var statements: [String]
    }

    let schema: SampleSchema
    let writer: Int
    let writers: Int
    private var random: SplitMix64
    /// Numbers for new keys: different for every writer and every call.
    private var counter = 0
    /// Keys this writer has inserted and may move and delete; bounded, so the tables keep their size.
    private var accounts: [UInt64] = []
    private var products: [String] = []
    private var codes: [String] = []
    private var seats: [Int] = []
    private var labels: [String] = []

    package init(schema: SampleSchema, writer: Int, writers: Int, seed: UInt64) {
        self.schema = schema
        self.writer = writer
        self.writers = writers
        self.random = SplitMix64(state: seed &+ UInt64(writer) &* 0x9E37_79B9_7F4A_7C15)
        // A second run on the same schema must not meet the keys of the first.
        self.counter = Int(random.next() >> 40)
    }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func fresh() -> Int {
        counter += 1
        return counter * writers + writer
    }
    private mutating func seeded(_ index: Int) -> Int { number(1..<max(schema.tables[index].rows, 2)) }
    private mutating func take<Key>(_ keys: WritableKeyPath<WriterScript, [Key]>) -> Key? {
        let count = self[keyPath: keys].count
        guard count > 0 else { return nil }
        let index = number(0..<count)
        return self[keyPath: keys].remove(at: index)
    }
    private func place(_ table: String) -> String { "\(schema.name).\(table)" }

    /// The next transaction.
    package mutating func next() -> Transaction {
        switch number(0..<100) {
        case 0..<14: return one("update account", updateAccount())
        case 14..<28: return transfer()
        case 28..<38: return newAccount()
        case 38..<43: return one("delete account", deleteAccount())
        case 43..<48: return one("move account", moveAccount())
        case 48..<56: return one("order", changeOrder())
        case 56..<68: return one("product", changeProduct())
        case 68..<77: return one("code", changeCode())
        case 77..<82: return swapSeats()
        case 82..<87: return one("seat", changeSeat())
        case 87..<94: return one("label", changeLabel())
        default: return one("event", changeEvent())
        }
    }

    private func one(_ name: String, _ statement: String) -> Transaction {
        Transaction(name: name, statements: [statement])
    }

    // MARK: accounts, orders, lines

    private mutating func updateAccount() -> String {
        let id = seeded(0)
        let change =
            switch number(0..<4) {
            case 0: "visits = visits + 1"
            case 1: "owner = CONCAT('Ωmega ', \(number(0..<1000))), created = NOW(6)"
            case 2: "flags = \(number(0..<256)), tags = \(number(0..<8)), kind = NULL"
            default: "rate = RAND() * 1e10 - 5e9, ratio = RAND(), born = NULL"
            }
        return "UPDATE \(place("accounts")) SET \(change) WHERE id = \(id)"
    }

    private mutating func transfer() -> Transaction {
        let first = number(1..<SampleSchema.coreAccounts + 1)
        let second = first % SampleSchema.coreAccounts + 1
        // In the order of the key, so that two transfers don't deadlock more than they must.
        let amount = "\(number(0..<100)).\(number(10..<100))"
        let statements = [(min(first, second), "-"), (max(first, second), "+")].map { id, sign in
            "UPDATE \(place("accounts")) SET balance = balance \(sign) \(amount) WHERE id = \(id)"
        }
        return Transaction(name: "transfer", statements: statements)
    }

    private mutating func newAccount() -> Transaction {
        let id = UInt64(10_000_000_000 + fresh())
        let order = 1_000_000_000 + fresh() % 1_000_000_000
        accounts.append(id)
        var statements = [
            """
            INSERT INTO \(place("accounts")) (id, owner, balance, visits, flags, kind, created)
            VALUES (\(id), 'writer \(writer)', 0, 1, 7, 'paid', NOW(6))
            """,
            """
            INSERT INTO \(place("orders")) (region, number, account_id, total, placed)
            VALUES ('NEW', \(order), \(id), \(number(1..<1000)).5, NOW(3))
            """,
        ]
        let lines = (1...3).map { "('NEW', \(order), \($0), 'Item \(number(1..<1000))', \(number(1..<9)))" }
        statements.append(
            "INSERT INTO \(place("order_lines")) (region, number, line, product, amount) VALUES "
                + lines.joined(separator: ", "))
        if number(0..<4) == 0 {
            // Written and gone in the same transaction.
            statements.append(
                "DELETE FROM \(place("order_lines")) WHERE region = 'NEW' AND number = \(order) AND line = 2")
        }
        return Transaction(name: "new account", statements: statements)
    }

    private mutating func deleteAccount() -> String {
        guard accounts.count > 50, let id = take(\.accounts) else { return updateAccount() }
        return "DELETE FROM \(place("accounts")) WHERE id = \(id)"
    }

    private mutating func moveAccount() -> String {
        guard let id = take(\.accounts) else { return updateAccount() }
        let new = UInt64(20_000_000_000 + fresh())
        accounts.append(new)
        return "UPDATE \(place("accounts")) SET id = \(new), visits = visits + 1 WHERE id = \(id)"
    }

    private mutating func changeOrder() -> String {
        let order = seeded(1)
        switch number(0..<3) {
        case 0:
            return
                "UPDATE \(place("orders")) SET total = total + 0.01 WHERE number = \(order) AND region IN ('EU', 'US')"
        case 1:
            // A moved composite key, with its lines; back and forth between two regions.
            return "UPDATE \(place("orders")) SET region = IF(region = 'EU', 'EUX', 'EU') WHERE number = \(order)"
                + " AND region IN ('EU', 'EUX')"
        default:
            return "UPDATE \(place("order_lines")) SET amount = amount % 1000 + 1 WHERE number = \(order) AND line = 1"
                + " AND region IN ('EU', 'US', 'APJ')"
        }
    }

    // MARK: products (collated text key), codes (unique key, bytes)

    private mutating func changeProduct() -> String {
        let table = place("products")
        let known = "Item \(padded(seeded(3), 8))"
        switch number(0..<6) {
        case 0:
            let sku = "Neu \(fresh()) ß"
            products.append(sku)
            return "INSERT INTO \(table) VALUES ('\(sku)', '{\"a\": [1, 2.5, null, true], \"b\": \"é\"}', 1.25,"
                + " UNHEX(SHA2(RAND(), 256)), NOW(3), RAND())"
        case 1:
            guard products.count > 30, let sku = take(\.products) else { fallthrough }
            return "DELETE FROM \(table) WHERE sku = '\(sku)'"
        case 2:
            guard let sku = take(\.products) else { fallthrough }
            let new = "Verschoben \(fresh())"
            products.append(new)
            return "UPDATE \(table) SET sku = '\(new)', price = price + 1 WHERE sku = '\(sku)'"
        case 3:
            // Equal under the collation, other bytes: a key that moves onto itself.
            return
                "UPDATE \(table) SET sku = IF(CAST(sku AS BINARY) = CAST(UPPER(sku) AS BINARY), CONCAT('Item', SUBSTR(sku, 5)), UPPER(sku))"
                + " WHERE sku = '\(known)'"
        case 4:
            return "UPDATE \(table) SET attributes = JSON_SET(attributes, '$.n', \(number(0..<1000)), '$.x', RAND())"
                + " WHERE sku = '\(known)'"
        default:
            return "UPDATE \(table) SET price = price + 0.01, picture = UNHEX(SHA2(RAND(), 512)) WHERE sku = '\(known)'"
        }
    }

    private mutating func changeCode() -> String {
        let table = place("codes")
        switch number(0..<4) {
        case 0:
            let code = "FF\(hex(fresh()))00"
            codes.append(code)
            return "INSERT INTO \(table) VALUES (0x\(code), \(number(0..<1000)), REPEAT('n', \(number(0..<300))))"
        case 1:
            guard codes.count > 30, let code = take(\.codes) else { fallthrough }
            return "DELETE FROM \(table) WHERE code = 0x\(code)"
        case 2:
            guard let code = take(\.codes) else { fallthrough }
            let new = "FE\(hex(fresh()))"
            codes.append(new)
            return "UPDATE \(table) SET code = 0x\(new) WHERE code = 0x\(code)"
        default:
            return
                "UPDATE \(table) SET n = n + 1, note = IF(n % 2, NULL, 'ü') WHERE code = 0x\(padded(seeded(4), 8, 16))00"
        }
    }

    // MARK: seats (secondary unique keys), labels (padded key), events (no key)

    private mutating func swapSeats() -> Transaction {
        let first = seeded(5)
        let second = seeded(5)
        guard first != second else { return one("seat", changeSeat()) }
        let table = place("seats")
        return Transaction(
            name: "swap seats",
            statements: [
                "SELECT place INTO @a FROM \(table) WHERE id = \(first) FOR UPDATE",
                "SELECT place INTO @b FROM \(table) WHERE id = \(second) FOR UPDATE",
                "UPDATE \(table) SET place = NULL WHERE id = \(first)",
                "UPDATE \(table) SET place = @a WHERE id = \(second)",
                "UPDATE \(table) SET place = @b WHERE id = \(first)",
            ])
    }

    private mutating func changeSeat() -> String {
        let table = place("seats")
        switch number(0..<4) {
        case 0:
            let id = 1_000_000_000 + fresh() % 1_000_000_000
            seats.append(id)
            return "INSERT INTO \(table) VALUES (\(id), 'W\(id)', \(id), 1, 'w\(writer)')"
        case 1:
            guard seats.count > 30, let id = take(\.seats) else { fallthrough }
            return "DELETE FROM \(table) WHERE id = \(id)"
        case 2:
            guard let id = take(\.seats) else { fallthrough }
            let new = -1 - fresh() % 1_000_000_000
            seats.append(new)
            return "UPDATE \(table) SET id = \(new), line = \(new) WHERE id = \(id)"
        default:
            return "UPDATE \(table) SET holder = IF(holder IS NULL, 'gebucht', NULL) WHERE id = \(seeded(5))"
        }
    }

    private mutating func changeLabel() -> String {
        let table = place("labels")
        switch number(0..<5) {
        case 0:
            let label = "w\(String(fresh(), radix: 36))"
            labels.append(label)
            return "INSERT INTO \(table) VALUES ('\(label)', 1, '-838:59:58.999999', 2155)"
        case 1:
            guard labels.count > 30, let label = take(\.labels) else { fallthrough }
            return "DELETE FROM \(table) WHERE label = '\(label)  '"
        case 2:
            guard let label = take(\.labels) else { fallthrough }
            let new = "m\(String(fresh(), radix: 36))"
            labels.append(new)
            return "UPDATE \(table) SET label = '\(new)' WHERE label = '\(label)'"
        case 3: return "UPDATE \(table) SET label = UPPER(label), amount = 2 WHERE label = 'label \(seeded(6))'"
        default:
            return "UPDATE \(table) SET amount = (amount + 1) % 30000, lasted = '10:11:12.000001'"
                + " WHERE label = 'Label \(seeded(6))'"
        }
    }

    private mutating func changeEvent() -> String {
        let table = place("events")
        let what = "event \(number(0..<500))"
        switch number(0..<4) {
        case 0: return "UPDATE \(table) SET who = (who + 1) % 100 WHERE what = '\(what)' LIMIT 1"
        case 1: return "DELETE FROM \(table) WHERE what = '\(what)' LIMIT 1"
        // Two rows equal in every column.
        default: return "INSERT INTO \(table) VALUES ('2024-01-01', 1, '\(what)'), ('2024-01-01', 1, '\(what)')"
        }
    }

    private func padded(_ number: Int, _ width: Int, _ radix: Int = 10) -> String {
        let text = String(number, radix: radix, uppercase: true)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    private func hex(_ number: Int) -> String { padded(number, 16, 16).suffix(12).description }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64), so that a run can be repeated.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    package var state: UInt64
    package init(state: UInt64) { self.state = state }
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
