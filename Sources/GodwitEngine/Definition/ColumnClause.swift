import MySQLTypes

/// A column's definition as a person wrote it in an ALTER TABLE, taken apart as far as the other family of servers has to be told it.
/// Pure. What it does not know in full is `Unclear`, and the table is read again instead.
///
/// Source: MySQL manual, "CREATE TABLE Statement" (column definitions); MariaDB manual, "CREATE TABLE".
struct ColumnClause: Hashable, Sendable {
    enum Default: Hashable, Sendable {
        /// As written.
        case literal(String)
        case null
        /// `CURRENT_TIMESTAMP(n)`.
        case now(String)
        /// Without outer parentheses.
        case expression(String)
    }
    var name: String
    /// DATA_TYPE's word in lower case, one spelling for each type.
    var type = ""
    /// What stands in the type's parentheses; empty without.
    var arguments: [String] = []
    var isUnsigned = false
    var isZerofill = false
    var characterSet: String?
    var collation: String?
    /// nil: not said.
    var isNullable: Bool?
    var defaultValue: Default?
    var onUpdate: String?
    var isAutoIncrement = false
    var isUnique = false
    var isPrimary = false
    var comment: String?
    var isInvisible = false
    /// `(expression) VIRTUAL` or `(expression) STORED`.
    var generated: String?
    /// `FIRST`, or ``AFTER `name` ``.
    var place = ""

    static let texts: Set<String> = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]
    private static let synonyms = [
        "integer": "int", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "real": "double", "character": "char",
    ]
    private static let types: Set<String> = [
        "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit", "date", "time", "datetime",
        "timestamp", "year", "char", "varchar", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "tinytext",
        "text", "mediumtext", "longtext", "enum", "set", "json",
    ]

    var isText: Bool { Self.texts.contains(type) }

    /// - Parameter range: from the column's name to the clause's end.
    init(_ sql: SQLText, _ range: Range<Int>) throws(DefinitionStatement.Unclear) {
        guard let first = range.first, let name = sql.name(first) else { throw Self.unclear("a column without a name") }
        self.name = name
        var at = first + 1
        try readType(sql, &at, range.upperBound)
        while at < range.upperBound { try readAttribute(sql, &at, range.upperBound) }
    }

    /// COLUMN_TYPE as a server prints it: for comparing.
    init(name: String, columnType: String) throws(DefinitionStatement.Unclear) {
        let sql: SQLText
        do { sql = try SQLText("`x` " + columnType) } catch { throw Self.unclear("the type \(columnType)") }
        try self.init(sql, 0..<sql.count)
        self.name = name
    }

    static func unclear(_ what: String) -> DefinitionStatement.Unclear {
        DefinitionStatement.Unclear(reason: "Godwit does not translate \(what) between MySQL and MariaDB", isReload: true)
    }

    private mutating func readType(_ sql: SQLText, _ at: inout Int, _ end: Int) throws(DefinitionStatement.Unclear) {
        let word = sql.raw(at).lowercased()
        type = Self.synonyms[word] ?? word
        at += 1
        if type == "bool" || type == "boolean" {
            type = "tinyint"
            arguments = ["1"]
            return
        }
        guard Self.types.contains(type), sql.keyword(at) != "VARYING", sql.keyword(at) != "PRECISION" else {
            throw Self.unclear("the type \(word) of \(SQL.identifier(name))")
        }
        guard sql.kind(at) == .open else { return }
        do {
            let close = try sql.endOfGroup(at, limit: end)
            arguments = sql.split(at + 1..<close - 1).map { sql.text($0) }
            at = close
        } catch {
            throw Self.unclear("the type of \(SQL.identifier(name))")
        }
    }

    private mutating func readAttribute(_ sql: SQLText, _ at: inout Int, _ end: Int) throws(DefinitionStatement.Unclear) {
        let word = sql.keyword(at)
        at += 1
        switch word {
        case "UNSIGNED": isUnsigned = true
        case "SIGNED": break
        case "ZEROFILL":
            isZerofill = true
            isUnsigned = true
        case "CHARACTER" where sql.keyword(at) == "SET":
            at += 1
            characterSet = try plainName(sql, &at)
        case "CHARSET": characterSet = try plainName(sql, &at)
        case "COLLATE": collation = try plainName(sql, &at)
        case "NULL": isNullable = true
        case "NOT" where sql.keyword(at) == "NULL":
            at += 1
            isNullable = false
        case "DEFAULT": defaultValue = try readDefault(sql, &at, end)
        case "ON" where sql.keyword(at) == "UPDATE":
            at += 1
            guard let now = now(sql, &at) else { throw Self.unclear("ON UPDATE of \(SQL.identifier(name))") }
            onUpdate = now
        case "AUTO_INCREMENT": isAutoIncrement = true
        case "UNIQUE":
            if sql.keyword(at) == "KEY" { at += 1 }
            isUnique = true
        case "PRIMARY" where sql.keyword(at) == "KEY":
            at += 1
            isPrimary = true
        case "KEY": isPrimary = true
        case "COMMENT":
            guard sql.kind(at) == .string else { throw Self.unclear("the comment of \(SQL.identifier(name))") }
            comment = sql.raw(at)
            at += 1
        case "VISIBLE": isInvisible = false
        case "INVISIBLE": isInvisible = true
        case "GENERATED" where sql.keyword(at) == "ALWAYS" && sql.keyword(at + 1) == "AS":
            at += 2
            try readGenerated(sql, &at, end)
        case "AS": try readGenerated(sql, &at, end)
        case "COLUMN_FORMAT", "STORAGE": at += 1
        case "FIRST": place = "FIRST"
        case "AFTER":
            guard let other = sql.name(at) else { throw Self.unclear("the place of \(SQL.identifier(name))") }
            place = "AFTER " + SQL.identifier(other)
            at += 1
        default: throw Self.unclear("\(sql.raw(at - 1)) of column \(SQL.identifier(name))")
        }
    }

    private func plainName(_ sql: SQLText, _ at: inout Int) throws(DefinitionStatement.Unclear) -> String {
        if sql.raw(at) == "=" { at += 1 }
        let text = sql.kind(at) == .string ? String(sql.raw(at).dropFirst().dropLast()) : sql.name(at) ?? ""
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
            throw Self.unclear("the character set of \(SQL.identifier(name))")
        }
        at += 1
        return text.lowercased()
    }

    private mutating func readGenerated(_ sql: SQLText, _ at: inout Int, _ end: Int) throws(DefinitionStatement.Unclear) {
        let text = try group(sql, &at, end)
        var kind = "VIRTUAL"
        if ["STORED", "PERSISTENT"].contains(sql.keyword(at)) {
            kind = "STORED"
            at += 1
        } else if sql.keyword(at) == "VIRTUAL" {
            at += 1
        }
        generated = "\(text) \(kind)"
    }

    /// `( … )`, which may not name columns by their table.
    private func group(_ sql: SQLText, _ at: inout Int, _ end: Int) throws(DefinitionStatement.Unclear) -> String {
        guard sql.kind(at) == .open, let close = try? sql.endOfGroup(at, limit: end),
            !(at..<close).contains(where: { sql.kind($0) == .dot || sql.kind($0) == .versionStart })
        else { throw Self.unclear("an expression of \(SQL.identifier(name))") }
        let text = sql.text(at..<close)
        at = close
        return text
    }

    private mutating func readDefault(
        _ sql: SQLText, _ at: inout Int, _ end: Int
    ) throws(DefinitionStatement.Unclear) -> Default {
        if let value = now(sql, &at) { return .now(value) }
        if sql.keyword(at) == "NULL" {
            at += 1
            return .null
        }
        if let value = literal(sql, at..<end) {
            at = value.upperBound
            return .literal(sql.text(value))
        }
        if sql.kind(at) == .open {
            let start = at
            let text = try group(sql, &at, end)
            if let inner = literal(sql, start + 1..<at - 1), inner.upperBound == at - 1 { return .literal(sql.text(inner)) }
            return .expression(String(text.dropFirst().dropLast()))
        }
        // MariaDB: a function without parentheses around it.
        if sql.kind(at) == .word, sql.kind(at + 1) == .open {
            var after = at + 1
            let text = sql.raw(at) + (try group(sql, &after, end))
            at = after
            return .expression(text)
        }
        throw Self.unclear("the default of \(SQL.identifier(name))")
    }

    /// The tokens of one literal at the start of `range`.
    private func literal(_ sql: SQLText, _ range: Range<Int>) -> Range<Int>? {
        var at = range.lowerBound
        guard at < range.upperBound else { return nil }
        if sql.kind(at) == .string {
            // Two strings side by side are one.
            return sql.kind(at + 1) == .string && at + 1 < range.upperBound ? nil : at..<at + 1
        }
        if ["TRUE", "FALSE"].contains(sql.keyword(at)) { return at..<at + 1 }
        if ["B", "X"].contains(sql.keyword(at)), sql.kind(at + 1) == .string { return at..<at + 2 }
        if sql.raw(at) == "-" || sql.raw(at) == "+" { at += 1 }
        func isNumber(_ index: Int) -> Bool { sql.kind(index) == .word && sql.raw(index).first?.isNumber == true }
        guard at < range.upperBound, isNumber(at), sql.raw(at).allSatisfy({ $0.isNumber }) else { return nil }
        at += 1
        if sql.kind(at) == .dot, isNumber(at + 1), sql.raw(at + 1).allSatisfy({ $0.isNumber }) { at += 2 }
        return range.lowerBound..<at
    }

    private func now(_ sql: SQLText, _ at: inout Int) -> String? {
        guard ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].contains(sql.keyword(at)) else { return nil }
        at += 1
        guard sql.kind(at) == .open else { return "CURRENT_TIMESTAMP" }
        if sql.kind(at + 1) == .close {
            at += 2
            return "CURRENT_TIMESTAMP"
        }
        guard sql.kind(at + 2) == .close else {
            at -= 1
            return nil
        }
        defer { at += 3 }
        return "CURRENT_TIMESTAMP(\(sql.raw(at + 1)))"
    }
}

extension ColumnClause {
    /// Do all values of a column of the `old` type stay what they are in this one? Both in one character set.
    func keepsValues(of old: ColumnClause) -> Bool {
        guard isUnsigned == old.isUnsigned, isZerofill == old.isZerofill else { return false }
        // TEXT(100) is the smallest type that takes so much.
        if type.hasSuffix("text") || type.hasSuffix("blob"), !arguments.isEmpty { return false }
        func number(_ clause: ColumnClause, _ index: Int, _ standard: Int) -> Int {
            clause.arguments.indices.contains(index) ? Int(clause.arguments[index]) ?? -1 : standard
        }
        for family in Self.widening {
            if let before = family.firstIndex(of: old.type), let after = family.firstIndex(of: type) { return after >= before }
        }
        guard type == old.type else { return false }
        switch type {
        case "decimal":
            let (before, after) = ((number(old, 0, 10), number(old, 1, 0)), (number(self, 0, 10), number(self, 1, 0)))
            return after.1 >= before.1 && after.0 - after.1 >= before.0 - before.1
        case "char", "varchar", "varbinary", "bit": return number(self, 0, 1) >= number(old, 0, 1)
        case "binary": return number(self, 0, 1) == number(old, 0, 1)
        case "time", "datetime", "timestamp": return number(self, 0, 0) >= number(old, 0, 0)
        case "float", "double": return arguments == old.arguments
        case "enum", "set":
            // A backslash means itself or not: not worth knowing.
            return !(arguments + old.arguments).contains { $0.contains("\\") } && arguments.starts(with: old.arguments)
                && (type == "enum" || arguments.count == old.arguments.count || old.arguments.count < 64)
        default: return true
        }
    }

    private static let widening = [
        ["tinyint", "smallint", "mediumint", "int", "bigint"], ["tinytext", "text", "mediumtext", "longtext"],
        ["tinyblob", "blob", "mediumblob", "longblob"],
    ]
}
