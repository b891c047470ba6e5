/// One item of a CREATE TABLE in the other family's spelling. See `DialectTranslation`.
struct DialectText {
    let translation: DialectTranslation
    let item: CreateStatement.Item
    /// DATA_TYPE, for columns.
    let type: String

    func translated() throws(SQLTokenError) -> String {
        let sql = try SQLText(item.text)
        guard translation.crosses else { return Self.joined(sql, try edits(sql)) }
        if translation.toMariaDB, item.kind.isIndex, item.columns.contains(nil) {
            throw SQLTokenError(offset: 0, reason: "Index \(SQL.identifier(item.name)) is over an expression, which MariaDB does not have")
        }
        if item.kind.isIndex, let parser = sql.tokens.indices.first(where: { sql.keyword($0) == "PARSER" }) {
            throw SQLTokenError(offset: 0, reason: "Index \(SQL.identifier(item.name)) uses the full-text parser \(sql.raw(parser + 1)), which the target does not have")
        }
        if !translation.toMariaDB, item.kind == .uniqueKey, sql.tokens.indices.contains(where: { sql.keyword($0) == "HASH" }) {
            throw SQLTokenError(offset: 0, reason: "Unique key \(SQL.identifier(item.name)) covers whole long values (USING HASH), which MySQL does not have")
        }
        return Self.joined(sql, try edits(sql))
    }

    /// Replacements by token range, in order, not overlapping.
    private func edits(_ sql: SQLText) throws(SQLTokenError) -> [(range: Range<Int>, text: String)] {
        var found: [(range: Range<Int>, text: String)] = []
        var at = 0
        var depth = 0
        while at < sql.count {
            switch sql.kind(at) {
            case .open: depth += 1
            case .close: depth -= 1
            case .versionStart where translation.crosses:
                let end = try Self.end(of: at, sql)
                found.append((at..<end, try comment(sql, at + 1..<end - 1)))
                at = end
                continue
            case .word:
                let word = sql.keyword(at)
                if word == "COLLATE", sql.kind(at + 1) == .word, let mapped = translation.collation(sql.raw(at + 1)), mapped.name != sql.raw(at + 1) {
                    found.append((at + 1..<at + 2, mapped.name))
                    at += 2
                    continue
                }
                if translation.crosses, word == "GEOMCOLLECTION", item.kind == .column, at == 1 {
                    found.append((at..<at + 1, "geometrycollection"))
                }
                if translation.crosses, translation.fromMariaDB, depth == 0 {
                    if word == "IGNORED", item.kind.isIndex { found.append((at..<at + 1, "INVISIBLE")) }
                    if word == "REF_SYSTEM_ID" {
                        throw SQLTokenError(offset: 0, reason: "Column \(SQL.identifier(item.name)) has a REF_SYSTEM_ID, which MySQL does not have")
                    }
                    if word == "DEFAULT", item.kind == .column, let (range, text) = try defaultValue(sql, at + 1) {
                        found.append((range, text))
                        at = range.upperBound
                        continue
                    }
                }
            default: break
            }
            at += 1
        }
        return found
    }

    /// What stands in a version comment, which the other family does not read.
    private func comment(_ sql: SQLText, _ inside: Range<Int>) throws(SQLTokenError) -> String {
        let first = sql.keyword(inside.lowerBound)
        switch first {
        case "INVISIBLE": return item.kind.isIndex && translation.toMariaDB ? "IGNORED" : "INVISIBLE"
        // A note to spatial indexes; every value carries its own.
        case "SRID": return ""
        case "COLUMN_FORMAT", "STORAGE", "COMPRESSED", "PARTITION", "ENCRYPTION": return first == "PARTITION" ? sql.text(inside) : ""
        default:
            throw SQLTokenError(
                offset: sql.tokens[inside.lowerBound].range.lowerBound,
                reason: "\(SQL.identifier(item.name)) is defined with \(sql.text(inside)), which the target does not have")
        }
    }

    /// MariaDB prints expressions without the parentheses that MySQL requires, and takes literals for TEXT and BLOB.
    private func defaultValue(_ sql: SQLText, _ start: Int) throws(SQLTokenError) -> (Range<Int>, String)? {
        let ends: Set<String> = ["ON", "COMMENT", "INVISIBLE", "CHECK", "AUTO_INCREMENT", "REFERENCES"]
        var end = start
        var depth = 0
        while end < sql.count {
            if sql.kind(end) == .open { depth += 1 }
            if sql.kind(end) == .close { depth -= 1 }
            if depth == 0, end > start, ends.contains(sql.keyword(end)) || sql.kind(end) == .versionStart { break }
            end += 1
        }
        let range = start..<end
        let words = range.map { sql.keyword($0) }
        if words.contains("NEXTVAL") || words.contains("LASTVAL") || (words.contains("VALUE") && words.contains("NEXT")) {
            throw SQLTokenError(offset: 0, reason: "The default of column \(SQL.identifier(item.name)) is a sequence's next value, which MySQL does not have")
        }
        if words == ["NULL"] { return nil }
        let isTime = ["timestamp", "datetime"].contains(type) && words.first == "CURRENT_TIMESTAMP"
        let isLong = type.hasSuffix("text") || type.hasSuffix("blob") || type.contains("geometry") || type == "json"
        let isLiteral = range.allSatisfy { index in
            switch sql.kind(index) {
            case .string, .symbol, .dot: true
            case .word: sql.raw(index).first.map { $0.isNumber || $0 == "_" } ?? false || ["B", "X", "NULL", "TRUE", "FALSE"].contains(sql.keyword(index))
            default: false
            }
        }
        if isTime || (isLiteral && !isLong) { return nil }
        if sql.kind(start) == .open, try sql.endOfGroup(start, limit: end) == end { return nil }
        return (range, "(\(sql.text(range)))")
    }

    // MARK: Options

    /// Table options without those that only the source's family has.
    static func options(_ text: String, _ translation: DialectTranslation) throws(SQLTokenError) -> String {
        let sql = try SQLText(text)
        var found: [(range: Range<Int>, text: String)] = []
        var at = 0
        while at < sql.count {
            if translation.crosses, sql.kind(at) == .versionStart {
                let end = try end(of: at, sql)
                found.append((at..<end, ""))
                at = end
                continue
            }
            let equals = sql.raw(at + 1) == "=" ? 1 : 0
            if sql.keyword(at) == "COLLATE", let mapped = translation.collation(sql.raw(at + 1 + equals)) {
                found.append((at + 1 + equals..<at + 2 + equals, mapped.name))
                at += 2 + equals
                continue
            }
            if translation.crosses, equals == 1, dropped.contains(sql.keyword(at)) || sql.kind(at) == .identifier {
                found.append((at..<at + 3, ""))
                at += 3
                continue
            }
            at += 1
        }
        return joined(sql, found)
    }

    private static let dropped: Set<String> = [
        "COMPRESSION", "ENCRYPTION", "SECONDARY_ENGINE", "SECONDARY_LOAD", "AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE",
        "SECONDARY_ENGINE_ATTRIBUTE", "PAGE_CHECKSUM", "TRANSACTIONAL", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "ENCRYPTED",
        "ENCRYPTION_KEY_ID",
    ]

    private static func end(of start: Int, _ sql: SQLText) throws(SQLTokenError) -> Int {
        guard let close = (start..<sql.count).first(where: { sql.kind($0) == .versionEnd }) else {
            throw SQLTokenError(offset: sql.bytes.count, reason: "a comment is not closed")
        }
        return close + 1
    }

    private static func joined(_ sql: SQLText, _ edits: [(range: Range<Int>, text: String)]) -> String {
        guard !edits.isEmpty else { return sql.text(0..<sql.count) }
        var pieces: [String] = []
        var from = 0
        for edit in edits {
            if from < edit.range.lowerBound { pieces.append(sql.text(from..<edit.range.lowerBound)) }
            if !edit.text.isEmpty { pieces.append(edit.text) }
            from = edit.range.upperBound
        }
        if from < sql.count { pieces.append(sql.text(from..<sql.count)) }
        // `COLLATE=x`: the sign and the name are tokens of their own, and a space between them does no harm.
        return pieces.joined(separator: " ")
    }
}
