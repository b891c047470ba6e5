/// The sample application's tables: each kind of key, each family of types, foreign keys with cascades, and one table
/// without any key. Rows are made inside the server, by INSERT … SELECT, the same for the same number.
package struct SampleSchema: Sendable {
    package struct Table: Sendable {
        package var name: String
        package var columns: String
        /// SELECT list of one seeded row as a function of `n`, 1-based.
        package var row: String
        package var rows: Int
    }

    package var name: String
    /// Rows of the largest tables; the others have a part of it.
    package var rows: Int
    /// MariaDB has no `utf8mb4_0900_ai_ci`.
    package var mariaDB: Bool
    package var foreignKeys = true

    package init(name: String = "shop", rows: Int, mariaDB: Bool = false) {
        self.name = name
        self.rows = max(rows, 100)
        self.mariaDB = mariaDB
    }

    /// Accounts 1 ... n hold all the money: they are never deleted or moved, and the sum of their balances never changes.
    package static let coreAccounts = 100
    package static let coreBalance = 1000

    /// Parents before children.
    package var tables: [Table] {
        let collation = mariaDB ? "utf8mb4_unicode_ci" : "utf8mb4_0900_ai_ci"
        return [
            Table(
                name: "accounts",
                columns: """
                    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, owner VARCHAR(60) COLLATE \(collation) NOT NULL,
                    balance DECIMAL(20,4) NOT NULL, visits INT NOT NULL DEFAULT 0, flags BIT(8), kind ENUM('free','paid','été'),
                    tags SET('new','old','gone'), created TIMESTAMP(6) NULL, born DATE, rate DOUBLE, ratio FLOAT, KEY (owner)
                    """,
                row: """
                    n, CONCAT('Zoë ', n), IF(n <= \(Self.coreAccounts), \(Self.coreBalance), 0), n % 7, n % 256, n % 3 + 1, n % 8,
                    TIMESTAMPADD(SECOND, n, '2020-01-01 00:00:00.123456'), DATE_ADD('1950-01-01', INTERVAL n % 20000 DAY),
                    n / 7, n / 3
                    """, rows: rows),
            Table(
                name: "orders",
                columns: """
                    region CHAR(3) CHARACTER SET latin1 NOT NULL, number INT UNSIGNED NOT NULL,
                    account_id BIGINT UNSIGNED NOT NULL, total DECIMAL(12,2) NOT NULL DEFAULT 0, placed DATETIME(3),
                    PRIMARY KEY (region, number), KEY (account_id), CONSTRAINT orders_account FOREIGN KEY (account_id)
                    REFERENCES accounts (id) ON DELETE CASCADE ON UPDATE CASCADE
                    """,
                row: """
                    ELT(n % 5 + 1, 'EU', 'US', 'APJ', 'LAT', 'AFR'), n, n, n % 1000 / 10,
                    TIMESTAMPADD(MINUTE, n, '2021-06-01 12:00:00')
                    """, rows: rows),
            Table(
                name: "order_lines",
                columns: """
                    region CHAR(3) CHARACTER SET latin1 NOT NULL, number INT UNSIGNED NOT NULL, line TINYINT UNSIGNED NOT NULL,
                    product VARCHAR(40), amount SMALLINT NOT NULL, PRIMARY KEY (region, number, line),
                    CONSTRAINT lines_order FOREIGN KEY (region, number) REFERENCES orders (region, number)
                    ON DELETE CASCADE ON UPDATE CASCADE
                    """,
                row: "ELT(n % 5 + 1, 'EU', 'US', 'APJ', 'LAT', 'AFR'), n, 1, CONCAT('Item ', n), n % 9 + 1", rows: rows),
            Table(
                name: "products",
                columns: """
                    sku VARCHAR(40) COLLATE \(collation) NOT NULL PRIMARY KEY, attributes JSON, price DECIMAL(12,2) NOT NULL,
                    picture BLOB, changed DATETIME(3), weight DOUBLE
                    """,
                row: """
                    CONCAT('Item ', LPAD(n, 8, '0')), JSON_OBJECT('n', n, 'name', CONCAT('Größe ', n), 'list', JSON_ARRAY(n, n / 4E0)),
                    n % 10000 / 100, UNHEX(SHA2(n, 512)), TIMESTAMPADD(SECOND, n, '2022-02-02'), n / 1000
                    """, rows: rows / 2),
            Table(
                name: "codes",
                columns: "code VARBINARY(16) NOT NULL, n INT NOT NULL, note TEXT, UNIQUE KEY (code)",
                row:
                    "UNHEX(CONCAT(LPAD(HEX(n), 8, '0'), '00')), n, IF(n % 10 = 0, NULL, REPEAT(CONCAT('note ', n, ' '), n % 5))",
                rows: rows / 2),
            Table(
                name: "seats",
                columns: """
                    id INT NOT NULL PRIMARY KEY, place VARCHAR(20), line INT NOT NULL, number INT NOT NULL, holder VARCHAR(60),
                    UNIQUE KEY (place), UNIQUE KEY line_number (line, number)
                    """,
                row: "n, CONCAT('P', n), n DIV 100, n % 100, NULL", rows: rows / 4),
            Table(
                name: "labels",
                columns: """
                    label CHAR(12) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, amount SMALLINT NOT NULL, lasted TIME(6),
                    since YEAR
                    """,
                row: "CONCAT('Label ', n), n % 1000, SEC_TO_TIME(n % 80000 - 40000), 1970 + n % 100",
                rows: min(rows / 10, 99_999)),
            Table(
                name: "events",
                columns: "at DATETIME(6) NOT NULL, who SMALLINT NOT NULL, what VARCHAR(100) NOT NULL, KEY (what)",
                row: "TIMESTAMPADD(SECOND, n DIV 2, '2023-03-03'), n % 16, CONCAT('event ', n DIV 2 % 500)",
                rows: min(rows / 10, 2000)),
        ]
    }

    /// The rows of one statement of `seeding`.
    static let batch = 10_000

    /// Statements that make the schema, in order.
    package var definition: [String] {
        ["CREATE DATABASE \(name) CHARACTER SET utf8mb4\(mariaDB ? " COLLATE utf8mb4_unicode_ci" : "")"]
            + tables.map { table in
                let columns = table.columns.replacing("\n", with: " ")
                let keyed = foreignKeys ? columns : columns.replacing(/, CONSTRAINT .* ON UPDATE CASCADE/, with: "")
                return "CREATE TABLE \(name).\(table.name) (\(keyed)) ENGINE=InnoDB"
            }
    }

    /// Statements that fill one table, each at most `batch` rows, any order.
    package func seeding(_ table: Table) -> [String] {
        let digit =
            "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4"
            + " UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
        return stride(from: 0, to: table.rows, by: Self.batch).map { base in
            """
            INSERT INTO \(name).\(table.name) SELECT \(table.row) FROM (
            SELECT \(base) + 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n
            FROM \(digit) a, \(digit) b, \(digit) c, \(digit) e) AS numbers WHERE n <= \(table.rows) ORDER BY n
            """
        }
    }
}
