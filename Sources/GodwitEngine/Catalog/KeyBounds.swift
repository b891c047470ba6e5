/// A chunk of a table: the rows whose row key is greater than `lower` and not greater than `upper`, in the server's own
/// order of that key. A missing side is open: the first chunk has no `lower`, the last no `upper`, so that rows beyond
/// the smallest and greatest key seen at planning belong to a chunk too.
///
/// Bounds are SQL literals, one per key column (see `KeyLiteral`), and are only ever compared by a server: collations
/// order text, no byte comparison does.
package struct KeyBounds: Codable, Hashable, Sendable {
    package var lower: [String]?
    package var upper: [String]?

    package init(lower: [String]? = nil, upper: [String]? = nil) {
        self.lower = lower
        self.upper = upper
    }

    /// The whole table.
    package static let all = KeyBounds()

    /// The condition that selects the chunk's rows, `TRUE` for the whole table. `columns` are the key's column names in
    /// index order, unquoted.
    ///
    /// Row values (`(a, b) > (x, y)`) are no range for MySQL's optimizer, so the lexicographic order is written out,
    /// led by the plain range on the first column, which every version turns into an index range.
    package func condition(columns: [String]) -> String {
        let names = columns.map(SQL.identifier)
        var parts: [String] = []
        if let lower {
            parts.append(Self.comparison(names[...], lower[...], strict: ">", last: ">"))
        }
        if let upper {
            parts.append(Self.comparison(names[...], upper[...], strict: "<", last: "<="))
        }
        return parts.isEmpty ? "TRUE" : parts.joined(separator: " AND ")
    }

    private static func comparison(
        _ names: ArraySlice<String>, _ literals: ArraySlice<String>, strict: String, last: String
    ) -> String {
        guard names.count == literals.count, let name = names.first, let literal = literals.first else {
            // A stored bound of another key: a row comparison of unequal widths, which every server refuses (1241).
            return "(\(names.joined(separator: ", "))) > (\(literals.joined(separator: ", ")))"
        }
        if names.count == 1 { return "\(name) \(last) \(literal)" }
        let rest = nested(names, literals, strict: strict, last: last)
        return "\(name) \(strict)= \(literal) AND (\(rest))"
    }

    /// `a > x OR (a = x AND (b > y OR (b = y AND c > z)))`.
    private static func nested(
        _ names: ArraySlice<String>, _ literals: ArraySlice<String>, strict: String, last: String
    ) -> String {
        guard let name = names.first, let literal = literals.first else { return "TRUE" }
        if names.count == 1 { return "\(name) \(last) \(literal)" }
        let rest = nested(names.dropFirst(), literals.dropFirst(), strict: strict, last: last)
        return "\(name) \(strict) \(literal) OR (\(name) = \(literal) AND (\(rest)))"
    }

    /// The condition that selects exactly the rows with these keys; each key has one literal per key column.
    /// `FALSE` for no keys.
    package static func equality(columns: [String], keys: [[String]]) -> String {
        let names = columns.map(SQL.identifier)
        guard !keys.isEmpty else { return "FALSE" }
        if names.count == 1 { return "\(names[0]) IN (\(keys.map { $0[0] }.joined(separator: ", ")))" }
        let rows = keys.map { key in
            "(" + zip(names, key).map { "\($0) = \($1)" }.joined(separator: " AND ") + ")"
        }
        return "(" + rows.joined(separator: " OR ") + ")"
    }
}

/// Key values as SQL literals that compare exactly as the column does.
package enum KeyLiteral {
    /// What to SELECT of a key column so that `sql(bytes:column:)` can render it. ENUM, SET and BIT are ordered by
    /// their numbers, in the index and in ORDER BY, but compare as text against a text: they travel as numbers. (Not by
    /// `+ 0`: that of ENUM and SET is a double.)
    package static func selectExpression(_ column: ColumnDefinition) -> String {
        let name = SQL.identifier(column.name)
        return isNumeric(column.dataType) ? "CAST(\(name) AS UNSIGNED)" : name
    }

    /// The literal for a key value as the text protocol carries it in a session with character_set_results = NULL (text
    /// in the column's own character set) and time_zone = '+00:00', selected with `selectExpression`.
    ///
    /// Text has no COLLATE: against a column the column's collation wins, which is right on either server and lets the
    /// index be used. It keeps its character set by an introducer, so no connection setting can touch it.
    package static func sql(bytes: [UInt8], column: ColumnDefinition) -> String {
        switch column.dataType {
        case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "year", "float",
            "double", "enum", "set", "bit":
            return withoutLeadingZeros(String(decoding: bytes, as: UTF8.self))
        case "date", "time", "datetime", "timestamp", "uuid", "inet6", "inet4":
            return "'" + String(decoding: bytes, as: UTF8.self) + "'"
        default:
            return "_\(column.characterSet ?? "binary") X'\(hex(bytes))'"
        }
    }

    /// Types whose key travels as a number although SELECT would give something else.
    private static func isNumeric(_ dataType: String) -> Bool { ["enum", "set", "bit"].contains(dataType) }

    /// ZEROFILL and YEAR print zeros before a number; a key has one spelling.
    private static func withoutLeadingZeros(_ number: String) -> String {
        let sign = number.hasPrefix("-") ? "-" : ""
        var digits = number.dropFirst(sign.count)
        while digits.first == "0", let next = digits.dropFirst().first, next.isNumber { digits = digits.dropFirst() }
        return sign + digits
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Cuts a table into chunks along its row key, one query per bound; nothing but the bound crosses the wire.
///
/// Walk: `nextBound(after: nil)` gives the upper bound of the first chunk, which is the lower bound of the next, until
/// the query answers with no row: the chunk after the last bound is open-ended and the last.
package struct ChunkPlanner: Sendable, Hashable {
    package let table: TableName
    /// The table in FROM.
    private let rows: String
    /// The index that addresses rows, and its columns in index order.
    package let index: String
    package let columns: [ColumnDefinition]
    /// Rows in a chunk, at least 1.
    package let size: Int

    /// nil for a table without a row key.
    package init?(table: TableDefinition, size: Int) {
        guard let key = table.rowKey else { return nil }
        self.table = table.name
        rows = table.rowsSQL
        index = key.name
        columns = key.columns.map { table.columns[$0] }
        self.size = max(1, size)
    }

    /// Names of the key's columns, unquoted, in index order.
    package var keyColumns: [String] { columns.map(\.name) }

    /// SELECT of the key of the row `size` rows after `lower` in key order: no row when fewer remain. The caller turns
    /// the row into a bound with `bound(_:)`.
    package func nextBound(after lower: [String]?) -> String {
        let names = columns.map { SQL.identifier($0.name) }
        let condition = KeyBounds(lower: lower).condition(columns: keyColumns)
        // FORCE INDEX: without it the optimizer may sort the whole table for an OFFSET query.
        return """
            SELECT \(columns.map(KeyLiteral.selectExpression).joined(separator: ", ")) FROM \(rows) \
            FORCE INDEX (\(SQL.identifier(index))) WHERE \(condition) \
            ORDER BY \(names.joined(separator: ", ")) LIMIT 1 OFFSET \(size - 1)
            """
    }

    /// A row of `nextBound` as literals. A NULL in it is an error: row keys have NOT NULL columns only.
    package func bound(_ row: [[UInt8]?]) throws(EngineError) -> [String] {
        guard row.count == columns.count else {
            throw EngineError(
                .failed, "The server answered the chunk query of \(table) with \(row.count) columns.",
                why: "Its key has \(columns.count).")
        }
        var literals: [String] = []
        for (value, column) in zip(row, columns) {
            guard let value else {
                throw EngineError(
                    .failed, "Key column \(column.name) of \(table) is NULL.",
                    why: "A key that addresses rows must be NOT NULL.",
                    cure: "Has the table changed since the start? Start again.")
            }
            literals.append(KeyLiteral.sql(bytes: value, column: column))
        }
        return literals
    }
}
