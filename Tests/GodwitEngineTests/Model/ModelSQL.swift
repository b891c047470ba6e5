import MySQLWire

/// The little SQL that the engine's statements on model tables are made of: names, integers, comparisons.
struct ModelSQL {
    private var tokens: [Substring]
    private var next = 0

    init(_ text: some StringProtocol) {
        tokens = []
        var rest = Substring(text)
        while let first = rest.first {
            let token: Substring
            if first == " " {
                rest.removeFirst()
                continue
            } else if first == "`" {
                token = rest.prefix(through: rest.dropFirst().firstIndex(of: "`") ?? rest.index(before: rest.endIndex))
            } else if first.isLetter || first.isNumber || first == "-" {
                token = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            } else if first == "<" || first == ">" {
                token = rest.prefix { "<>=".contains($0) }
            } else {
                token = rest.prefix(1)
            }
            tokens.append(token)
            rest = rest.dropFirst(token.count)
        }
    }

    /// Every integer and NULL in parentheses, list by list.
    mutating func lists() -> [[Int?]] {
        var lists: [[Int?]] = []
        var list: [Int?] = []
        for token in tokens {
            switch token {
            case "(": list = []
            case ")":
                if !list.isEmpty { lists.append(list) }
                list = []
            case "NULL": list.append(nil)
            default: if let number = Int(token) { list.append(number) }
            }
        }
        return lists
    }

    /// Evaluates the condition that the text is.
    mutating func condition(_ row: [String: Int?]) -> Bool {
        next = 0
        return alternatives(row)
    }

    private mutating func take() -> Substring {
        defer { next += 1 }
        return next < tokens.count ? tokens[next] : ""
    }
    private mutating func takes(_ token: String) -> Bool {
        guard next < tokens.count, tokens[next] == token else { return false }
        next += 1
        return true
    }
    private mutating func alternatives(_ row: [String: Int?]) -> Bool {
        var result = conjunction(row)
        while takes("OR") {
            let other = conjunction(row)
            result = result || other
        }
        return result
    }
    private mutating func conjunction(_ row: [String: Int?]) -> Bool {
        var result = term(row)
        while takes("AND") {
            let other = term(row)
            result = result && other
        }
        return result
    }
    private mutating func term(_ row: [String: Int?]) -> Bool {
        if takes("NOT") { return !term(row) }
        if takes("TRUE") { return true }
        if takes("FALSE") { return false }
        if takes("(") {
            let result = alternatives(row)
            _ = takes(")")
            return result
        }
        let name = take().filter { $0 != "`" }
        guard let value = row[name] ?? nil else { return false }
        let comparison = take()
        if comparison == "IN" {
            var isMember = false
            while next < tokens.count, !takes(")") { if Int(take()) == value { isMember = true } }
            return isMember
        }
        let other = Int(take()) ?? Int.min
        switch comparison {
        case "=": return value == other
        case "<": return value < other
        case "<=": return value <= other
        case ">": return value > other
        case ">=": return value >= other
        default: return false
        }
    }
}

extension String {
    /// What stands between two pieces of text.
    func between(_ start: String, _ end: String) -> String? {
        guard let from = firstRange(of: start)?.upperBound else { return nil }
        guard !end.isEmpty else { return String(self[from...]) }
        guard let to = self[from...].firstRange(of: end)?.lowerBound else { return nil }
        return String(self[from..<to])
    }

    /// The first string literal behind `start`, unquoted.
    func literal(after start: String) -> String? {
        guard let from = firstRange(of: start + "'")?.upperBound else { return nil }
        var text = ""
        var rest = self[from...]
        while let first = rest.first {
            rest.removeFirst()
            if first == "\\" {
                if let escaped = rest.first { text.append(escaped) }
                rest.removeFirst()
            } else if first == "'" {
                guard rest.first == "'" else { return text }
                text.append("'")
                rest.removeFirst()
            } else {
                text.append(first)
            }
        }
        return nil
    }
}

extension MySQLResult {
    static func rows(_ rows: [[String?]]) -> MySQLResult {
        MySQLResult(
            columns: [], rows: rows.map { MySQLRow(values: $0.map { $0.map { Array($0.utf8) } }) },
            ok: MySQLOK(affectedRows: 0, lastInsertID: 0, statusFlags: 0, warnings: 0, info: ""))
    }
    static func affected(_ count: Int, info: String = "") -> MySQLResult {
        MySQLResult(
            columns: [], rows: [],
            ok: MySQLOK(affectedRows: UInt64(count), lastInsertID: 0, statusFlags: 0, warnings: 0, info: info))
    }
}
