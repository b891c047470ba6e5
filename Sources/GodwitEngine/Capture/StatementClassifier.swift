extension Remedy { static let temporaryTables = Remedy("temporary-tables", pitfalls: [28], test: "StatementClassifierTests") }

/// What a QUERY event's statement means for a migration. Pure: text in, meaning out.
///
/// It never parses a statement to run it: it only decides whether the statement can touch an included table. Whatever
/// it does not understand is `.unknown`, and the caller stops unless no included schema can be meant (invariant I4).
package enum StatementMeaning: Hashable, Sendable {
    case begin
    case commit
    case rollback
    /// SAVEPOINT, ROLLBACK TO, RELEASE: row events of what was rolled back are not in the log.
    case savepoint
    case xaStart, xaEnd, xaCommit, xaRollback
    /// Users, grants, roles, server objects, statistics: no rows and no table definitions.
    case harmless
    /// CREATE or DROP TEMPORARY TABLE: never the base table of that name.
    case temporary
    /// A change of definition (or TRUNCATE) of these tables; schema nil: the event's default schema.
    case tables(verb: String, [Name])
    /// CREATE, ALTER or DROP DATABASE.
    case schema(verb: String, String)
    /// A view, routine, trigger or event.
    case object(verb: String, Name?)
    /// INSERT, UPDATE, DELETE, REPLACE, LOAD DATA as text: statement format.
    case dataChange(verb: String)
    case unknown

    package struct Name: Hashable, Sendable {
        package var schema: String?
        package var name: String
        package init(schema: String?, name: String) {
            self.schema = schema
            self.name = name
        }
    }
}

package enum StatementClassifier {
    package static func classify(_ statement: String, quoting: SQLQuoting = .usual) -> StatementMeaning {
        var words = SQLWords(statement, quoting: quoting)
        if Remedy.statementSettings.isOn, !words.skipSettings() { return .unknown }
        guard let first = words.keyword() else { return .unknown }
        switch first {
        case "BEGIN": return .begin
        case "START": return words.keyword() == "TRANSACTION" ? .begin : .harmless
        case "COMMIT": return .commit
        case "ROLLBACK": return words.keyword() == "TO" ? .savepoint : .rollback
        case "SAVEPOINT", "RELEASE": return .savepoint
        case "XA": return xa(words.keyword())
        case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "CALL", "DO", "SELECT":
            return .dataChange(verb: first)
        case "GRANT", "REVOKE", "FLUSH", "ANALYZE", "SET", "OPTIMIZE", "REPAIR", "CHECK", "INSTALL", "UNINSTALL":
            return .harmless
        case "TRUNCATE":
            words.skip("TABLE")
            return tables("TRUNCATE", &words, list: false)
        case "RENAME": return rename(&words)
        case "CREATE", "ALTER", "DROP": return definition(first, &words)
        default: return .unknown
        }
    }

    private static func xa(_ verb: String?) -> StatementMeaning {
        switch verb {
        case "START", "BEGIN": .xaStart
        case "END": .xaEnd
        case "COMMIT": .xaCommit
        case "ROLLBACK": .xaRollback
        default: .unknown
        }
    }

    private static func definition(_ verb: String, _ words: inout SQLWords) -> StatementMeaning {
        // Words that may stand between the verb and the kind of object.
        let modifiers: Set = [
            "OR", "REPLACE", "UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE", "IGNORE", "AGGREGATE", "UNDO", "EXTERNAL",
        ]
        while let word = words.keyword() {
            if modifiers.contains(word) { continue }
            switch word {
            case "TEMPORARY" where !Remedy.temporaryTables.isOn: continue
            case "TEMPORARY": return .temporary
            case "TABLE", "TABLES":
                words.skip("IF", "NOT", "EXISTS")
                return tables("\(verb) TABLE", &words, list: verb == "DROP")
            case "INDEX": return index(verb, &words)
            case "DATABASE", "SCHEMA":
                words.skip("IF", "NOT", "EXISTS")
                guard let name = words.name() else { return .unknown }
                return .schema(verb: "\(verb) DATABASE", name.name)
            case "USER", "ROLE", "SERVER", "TABLESPACE", "RESOURCE", "LOGFILE", "INSTANCE", "SPATIAL REFERENCE":
                return .harmless
            case "REFERENCE": return .harmless
            case "VIEW", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "SEQUENCE", "PACKAGE":
                words.skip("IF", "NOT", "EXISTS")
                return .object(verb: "\(verb) \(word)", words.name())
            case "ALGORITHM", "SQL":
                // ALGORITHM = …, SQL SECURITY … stand before VIEW only.
                return .object(verb: "\(verb) VIEW", nil)
            case "DEFINER": return definer(verb, &words)
            default: return .unknown
            }
        }
        return .unknown
    }

    /// `DEFINER = user` comes before views, routines, triggers and events, never before a table.
    private static func definer(_ verb: String, _ words: inout SQLWords) -> StatementMeaning {
        let kinds: Set = ["VIEW", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]
        while let word = words.any() {
            if kinds.contains(word.uppercased()) {
                words.skip("IF", "NOT", "EXISTS")
                return .object(verb: "\(verb) \(word.uppercased())", words.name())
            }
        }
        return .unknown
    }

    /// `CREATE INDEX i ON t`, `DROP INDEX i ON t`.
    private static func index(_ verb: String, _ words: inout SQLWords) -> StatementMeaning {
        words.skip("IF", "NOT", "EXISTS")
        guard words.name() != nil else { return .unknown }
        while let word = words.any() {
            if word.uppercased() == "ON", let table = words.name() { return .tables(verb: "\(verb) INDEX", [table]) }
        }
        return .unknown
    }

    private static func tables(_ verb: String, _ words: inout SQLWords, list: Bool) -> StatementMeaning {
        guard let first = words.name() else { return .unknown }
        var names = [first]
        while list, words.symbol(",") {
            guard let next = words.name() else { return .unknown }
            names.append(next)
        }
        if verb == "ALTER TABLE" {
            while let word = words.any() {
                switch word.uppercased() {
                case "RENAME":
                    // The new name may be an included one.
                    _ = words.symbol("=")
                    words.skip("TO", "AS")
                    if let target = words.name(), !["COLUMN", "INDEX", "KEY"].contains(target.name.uppercased()) {
                        names.append(target)
                    }
                case "WITH":
                    // EXCHANGE PARTITION p WITH TABLE t swaps all rows of both tables without a single row event.
                    guard words.keyword() == "TABLE" else { continue }
                    guard let other = words.name() else { return .unknown }
                    names.append(other)
                case "CONVERT":
                    // MariaDB: CONVERT PARTITION p TO TABLE t, CONVERT TABLE t TO PARTITION p; not CONVERT TO CHARACTER SET.
                    let what = words.keyword()
                    if what == "PARTITION" {
                        guard words.name() != nil, words.keyword() == "TO", words.keyword() == "TABLE" else { return .unknown }
                    } else if what != "TABLE" {
                        continue
                    }
                    guard let other = words.name() else { return .unknown }
                    names.append(other)
                default: continue
                }
            }
        }
        return .tables(verb: verb, names)
    }

    private static func rename(_ words: inout SQLWords) -> StatementMeaning {
        guard let kind = words.keyword() else { return .unknown }
        if kind == "USER" { return .harmless }
        guard kind == "TABLE" || kind == "TABLES" else { return .unknown }
        words.skip("IF", "EXISTS")
        var names: [StatementMeaning.Name] = []
        repeat {
            guard let from = words.name(), words.keyword() == "TO", let to = words.name() else { return .unknown }
            names += [from, to]
        } while words.symbol(",")
        return .tables(verb: "RENAME TABLE", names)
    }
}

/// The words of a statement: comments and white space dropped, quoted names taken apart from plain words.
struct SQLWords {
    private enum Token: Equatable {
        case word(String)
        case quoted(String)
        case text
        case symbol(Character)
    }
    private let tokens: [Token]
    private var position = 0

    init(_ statement: String, quoting: SQLQuoting = .usual) {
        tokens = Self.scan(Array(statement), quoting)
    }

    /// Past MariaDB's `SET STATEMENT name = value, … FOR`, which is logged in front of the statement that it is for. False: there is
    /// one without an end.
    mutating func skipSettings() -> Bool {
        while position + 1 < tokens.count, isWord("SET", at: position), isWord("STATEMENT", at: position + 1) {
            var depth = 0
            position += 2
            while position < tokens.count, depth > 0 || !isWord("FOR", at: position) {
                if tokens[position] == .symbol("(") { depth += 1 }
                if tokens[position] == .symbol(")") { depth -= 1 }
                position += 1
            }
            guard position < tokens.count else { return false }
            position += 1
        }
        return true
    }

    private func isWord(_ word: String, at index: Int) -> Bool {
        if case .word(let text) = tokens[index] { text.uppercased() == word } else { false }
    }

    /// The next plain word in capitals, nil (and nothing consumed) if the next token is none.
    mutating func keyword() -> String? {
        guard position < tokens.count, case .word(let word) = tokens[position] else { return nil }
        position += 1
        return word.uppercased()
    }

    /// The next token of any kind, as text.
    mutating func any() -> String? {
        guard position < tokens.count else { return nil }
        defer { position += 1 }
        switch tokens[position] {
        case .word(let word): return word
        case .quoted: return "`"
        case .text: return "'"
        case .symbol(let symbol): return String(symbol)
        }
    }

    mutating func skip(_ words: String...) {
        while position < tokens.count, case .word(let word) = tokens[position], words.contains(word.uppercased()) {
            position += 1
        }
    }

    mutating func symbol(_ wanted: Character) -> Bool {
        guard position < tokens.count, tokens[position] == .symbol(wanted) else { return false }
        position += 1
        return true
    }

    /// `name` or `schema.name`.
    mutating func name() -> StatementMeaning.Name? {
        guard let first = part() else { return nil }
        guard symbol("."), let second = part() else { return StatementMeaning.Name(schema: nil, name: first) }
        return StatementMeaning.Name(schema: first, name: second)
    }

    private mutating func part() -> String? {
        guard position < tokens.count else { return nil }
        switch tokens[position] {
        case .word(let word), .quoted(let word):
            position += 1
            return word
        case .text, .symbol: return nil
        }
    }

    private static func scan(_ characters: [Character], _ quoting: SQLQuoting) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < characters.count {
            let character = characters[index]
            let next = index + 1 < characters.count ? characters[index + 1] : " "
            if character.isWhitespace {
                index += 1
            } else if character == "#" || (character == "-" && next == "-") {
                while index < characters.count, characters[index] != "\n", characters[index] != "\r\n" { index += 1 }
            } else if character == "/" && next == "*" {
                let executable = index + 2 < characters.count && (characters[index + 2] == "!" || characters[index + 2] == "M")
                if executable {
                    // /*!50001 … */ is run by the server: its words count, its marks do not.
                    index += 3
                    if index < characters.count, characters[index] == "!" { index += 1 }
                    while index < characters.count, characters[index].isNumber { index += 1 }
                } else {
                    index += 2
                    while index < characters.count, !(characters[index] == "/" && characters[index - 1] == "*") { index += 1 }
                    index += 1
                }
            } else if character == "*" && next == "/" {
                index += 2
            } else if character == "`" || character == "\"" || character == "'" {
                let escapes = character != "`" && !quoting.plainBackslashes && !(character == "\"" && quoting.namesInDoubleQuotes)
                let (text, end) = quoted(characters, from: index, escapes: escapes)
                tokens.append(character == "'" ? .text : .quoted(text))
                index = end
            } else if character.isLetter || character.isNumber || character == "_" || character == "$" {
                var word = ""
                while index < characters.count,
                    characters[index].isLetter || characters[index].isNumber || characters[index] == "_" || characters[index] == "$"
                {
                    word.append(characters[index])
                    index += 1
                }
                tokens.append(.word(word))
            } else {
                tokens.append(.symbol(character))
                index += 1
            }
        }
        return tokens
    }

    private static func quoted(_ characters: [Character], from start: Int, escapes: Bool) -> (String, Int) {
        let quote = characters[start]
        var text = ""
        var index = start + 1
        while index < characters.count {
            let character = characters[index]
            if character == quote {
                guard index + 1 < characters.count, characters[index + 1] == quote else { return (text, index + 1) }
                text.append(quote)
                index += 2
            } else if character == "\\" && escapes && index + 1 < characters.count {
                text.append(characters[index + 1])
                index += 2
            } else {
                text.append(character)
                index += 1
            }
        }
        return (text, index)
    }
}

extension Remedy { static let statementSettings = Remedy("statement-settings", pitfalls: [24, 43], test: "StatementClassifierTests") }
