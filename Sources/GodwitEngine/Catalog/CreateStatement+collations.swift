extension CreateStatement {
    /// Writes out what a source leaves to its defaults: older servers print no collation where it is the character set's default,
    /// and that default is another one on newer servers (utf8mb4_general_ci became utf8mb4_0900_ai_ci).
    ///
    /// - Parameter columns: collation by column name.
    package func withCollations(table: String, columns: [String: String]) throws(SQLTokenError) -> CreateStatement {
        var result = self
        for index in items.indices where items[index].kind == .column {
            guard let collation = columns[items[index].name] else { continue }
            result.items[index].text = try Self.withCollation(items[index].text, collation)
        }
        let sql = try SQLText(options)
        let named = sql.tokens.indices.contains { sql.keyword($0) == "COLLATE" }
        if !named, !table.isEmpty { result.options += " COLLATE=\(table)" }
        return result
    }

    private static func withCollation(_ text: String, _ collation: String) throws(SQLTokenError) -> String {
        let sql = try SQLText(text)
        var depth = 0
        for index in sql.tokens.indices {
            switch sql.kind(index) {
            case .open: depth += 1
            case .close: depth -= 1
            default: break
            }
            guard depth == 0 else { continue }
            if sql.keyword(index) == "COLLATE" { return text }
            if sql.keyword(index) == "CHARACTER", sql.keyword(index + 1) == "SET", sql.keyword(index + 3) != "COLLATE" {
                return sql.text(0..<index + 3) + " COLLATE \(collation) " + sql.text(index + 3..<sql.count)
            }
        }
        return text
    }
}
