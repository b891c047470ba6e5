import Foundation

/// One object's text, read word by word for the other family. See `ObjectTranslation`.
struct ObjectReading {
    private let object: ObjectDefinition
    private let dialect: DialectTranslation
    private let stored: Set<String>
    private let bytes: [UInt8]
    /// Where the body begins, which may be one statement alone.
    private let body: Int?
    private var tokens: [SQLToken] = []
    private var edits: [(range: Range<Int>, text: String)] = []

    private(set) var objections: [String] = []
    private(set) var remarks: [String] = []
    private(set) var functions: Set<String> = []

    init(_ object: ObjectDefinition, dialect: DialectTranslation, stored: Set<String>) {
        self.object = object
        self.dialect = dialect
        self.stored = stored
        bytes = Array(object.statement)
        body = ObjectBody.range(object)?.lowerBound
    }

    /// The text with the target's names in it.
    var result: Data {
        var text = Data()
        var from = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            text += bytes[from..<edit.range.lowerBound]
            text += Data(edit.text.utf8)
            from = edit.range.upperBound
        }
        return text + bytes[from...]
    }

    mutating func read() throws(SQLTokenError) {
        tokens = try SQLTokenizer.tokens(of: bytes, quoting: SQLQuoting(modes: object.kind == .view ? "" : object.sqlMode ?? ""))
        for index in tokens.indices {
            switch tokens[index].kind {
            case .versionStart:
                objections.append("It has a version comment (\(raw(index))), which the two families read otherwise.")
            case .word: try word(index)
            case .identifier: qualifier(index)
            case .symbol where isBitOperator(index):
                remarks.append("It uses bit operators: on binary strings they work bit by bit in MySQL, and on numbers made of them in MariaDB.")
            default: break
            }
        }
    }

    // MARK: Tokens

    private func kind(_ index: Int) -> SQLToken.Kind? { tokens.indices.contains(index) ? tokens[index].kind : nil }
    private func raw(_ index: Int) -> String {
        tokens.indices.contains(index) ? String(decoding: bytes[tokens[index].range], as: UTF8.self) : ""
    }
    private func keyword(_ index: Int) -> String { kind(index) == .word ? raw(index).uppercased() : "" }

    private mutating func word(_ index: Int) throws(SQLTokenError) {
        let word = keyword(index)
        // After a dot stands a name, whatever it looks like.
        if kind(index - 1) == .dot { return }
        if word.hasPrefix("@") { return variable(index, word) }
        qualifier(index)
        if kind(index + 1) == .open { return try call(index, word) }
        switch word {
        case "COLLATE": collation(index)
        case "ENGINE": engine(index)
        case "SQL_MODE", "OPTIMIZER_SWITCH": objections.append("It sets or names \(word.lowercased()), whose words are not the same on both.")
        case "PREPARE", "IMMEDIATE": remarks.append("It builds statements while it runs, which Godwit cannot look into.")
        case "SEQUENCE", "NEXT", "PREVIOUS":
            if word == "SEQUENCE" || keyword(index + 1) == "VALUE" { objections.append("It uses a sequence, which MySQL does not have.") }
        case "USER", "ROLE":
            if ["CREATE", "DROP", "ALTER", "RENAME"].contains(keyword(index - 1)) { objections.append("It makes or changes accounts (\(keyword(index - 1)) \(word)).") }
        case "FOR": errorNumber(index)
        case "JSON": remarks.append(Self.jsonRemark)
        default:
            if ObjectWords.patterns.contains(word) { remarks.append(Self.patternRemark) }
            if ObjectWords.statements.contains(word), isStatementStart(index) {
                objections.append("It runs \(word), a statement of administration.")
            }
        }
    }

    private static let jsonRemark = "It works on JSON, which is a type in MySQL and text in MariaDB: look at what it compares and prints."
    private static let patternRemark = "It uses regular expressions: MySQL's are ICU's, MariaDB's are PCRE's."

    /// Does a statement begin here? A label or a name may stand in between; then it is not seen, and the target judges the text.
    private func isStatementStart(_ index: Int) -> Bool {
        if tokens[index].range.lowerBound == body { return true }
        if kind(index - 1) == .symbol { return raw(index - 1) == ";" }
        return ["BEGIN", "THEN", "ELSE", "LOOP", "REPEAT", "DO", "ROW"].contains(keyword(index - 1))
    }

    /// `&`, `|`, `^`, `~`, `<<`, `>>`; not `&&` and `||`.
    private func isBitOperator(_ index: Int) -> Bool {
        func touches(_ other: Int, _ text: String) -> Bool {
            guard tokens.indices.contains(other), tokens[other].kind == .symbol, raw(other) == text else { return false }
            return tokens[other].range.lowerBound == tokens[index].range.upperBound || tokens[other].range.upperBound == tokens[index].range.lowerBound
        }
        let text = raw(index)
        switch text {
        case "^", "~": return true
        case "&", "|": return !touches(index - 1, text) && !touches(index + 1, text)
        case "<", ">": return touches(index + 1, text)
        default: return false
        }
    }

    // MARK: Names

    private mutating func qualifier(_ index: Int) {
        guard kind(index + 1) == .dot, kind(index - 1) != .dot else { return }
        switch raw(index).trimmingCharacters(in: CharacterSet(charactersIn: "`\"")).lowercased() {
        case "mysql", "performance_schema", "sys": objections.append("It reads or writes schema \(raw(index)), which is another one on each server.")
        case "information_schema": remarks.append("It reads information_schema, whose tables are not the same on both.")
        default: break
        }
    }

    private mutating func variable(_ index: Int, _ word: String) {
        // `@x` is the session's own.
        guard word.hasPrefix("@@") else { return }
        var name = String(word.dropFirst(2))
        if ["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"].contains(name), kind(index + 1) == .dot { name = keyword(index + 2) }
        if !ObjectWords.variables.contains(name) {
            objections.append("It reads the system variable \(name.lowercased()), which is not known to mean the same on both.")
        }
    }

    private mutating func call(_ index: Int, _ word: String) throws(SQLTokenError) {
        let before = keyword(index - 1)
        if ObjectWords.clauses.contains(word) || stored.contains(word.lowercased()) { return }
        if word == "REGEXP_LIKE" { return try regexpLike(index) }
        if ObjectWords.json.contains(word) {
            functions.insert(word)
            remarks.append(Self.jsonRemark)
            if word == "JSON_EXTRACT", !(kind(index - 1) == .open && keyword(index - 2) == "JSON_UNQUOTE") {
                objections.append("It calls JSON_EXTRACT, which gives a JSON value on MySQL and text on MariaDB (JSON_UNQUOTE around it, or JSON_VALUE, gives the same on both).")
            }
            return
        }
        if ObjectWords.patterns.contains(word) {
            remarks.append(Self.patternRemark)
            if word.contains("_") { functions.insert(word) }
            return
        }
        if ObjectWords.beforeNames.contains(before) { return }
        // `INSERT` and `REPLACE` are statements and functions, and both are the same on both.
        guard ObjectWords.functions.contains(word) else {
            objections.append("It calls \(raw(index))(), which is not known to be there and to mean the same on both.")
            return
        }
        functions.insert(word)
    }

    /// MySQL prints REGEXP as a function, which MariaDB does not have.
    private mutating func regexpLike(_ index: Int) throws(SQLTokenError) {
        var depth = 0
        var commas: [Int] = []
        var at = index + 1
        scan: while at < tokens.count {
            switch tokens[at].kind {
            case .open: depth += 1
            case .close:
                depth -= 1
                if depth == 0 { break scan }
            case .comma where depth == 1: commas.append(at)
            default: break
            }
            at += 1
        }
        remarks.append(Self.patternRemark)
        guard dialect.toMariaDB, object.kind == .view, commas.count == 1, let comma = commas.first else {
            objections.append("It calls regexp_like(), which only MySQL has (REGEXP is there on both).")
            return
        }
        // A view's operands are printed in parentheses.
        edits.append((tokens[index].range, ""))
        edits.append((tokens[comma].range, " regexp "))
    }

    private mutating func collation(_ index: Int) {
        let at = raw(index + 1) == "=" ? index + 2 : index + 1
        guard kind(at) == .word else { return }
        let name = raw(at)
        guard let mapped = dialect.collation(name.lowercased()) else {
            objections.append("It names the collation \(name), which has no equal on the target.")
            return
        }
        if !mapped.isExact { remarks.append("What it compares by \(name) it compares by \(mapped.name) there: accents and new characters may come out otherwise.") }
        if mapped.name != name.lowercased() { edits.append((tokens[at].range, mapped.name)) }
    }

    private mutating func engine(_ index: Int) {
        let at = raw(index + 1) == "=" ? index + 2 : index + 1
        guard kind(at) == .word, at == index + 2 || kind(index - 1) == .close else { return }
        if !ObjectWords.engines.contains(keyword(at)) { objections.append("It makes a table of engine \(raw(at)), which both do not have.") }
    }

    /// A handler for an error by its number: beyond the old ones each family counts by itself.
    private mutating func errorNumber(_ index: Int) {
        var at = index + 1
        while let number = Int(raw(at)), kind(at) == .word {
            if number >= 1700 { objections.append("It handles error \(number), which is another one on each server (SQLSTATE is the same).") }
            guard kind(at + 1) == .comma else { return }
            at += 2
        }
    }
}

extension SQLQuoting {
    /// - Parameter modes: as `SELECT @@sql_mode` gives them.
    init(modes: String) {
        let words = Set(modes.uppercased().split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
        self.init()
        namesInDoubleQuotes = words.contains("ANSI_QUOTES")
        plainBackslashes = words.contains("NO_BACKSLASH_ESCAPES")
    }
}
