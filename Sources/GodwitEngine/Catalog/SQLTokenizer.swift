/// One token of a statement that a server printed. `range` indexes the statement's UTF-8 bytes.
package struct SQLToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Keyword, number, unquoted name, character set introducer.
        case word
        /// A name in backticks, or in double quotes under ANSI_QUOTES (quotes included in the range).
        case identifier
        /// A literal in single or double quotes (quotes included). Adjacent literals are tokens of their own.
        case string
        case open, close, comma, dot
        /// `/*!80016` or `/*M!100100`: the opening of a version comment. What follows is SQL, up to `versionEnd`.
        case versionStart
        case versionEnd
        /// Any other single byte: `=`, `+` …
        case symbol
    }
    package var kind: Kind
    package var range: Range<Int>
}

/// Why a text is not a statement as servers print it.
package struct SQLTokenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Byte offset in the UTF-8 text.
    package var offset: Int
    package var reason: String
    package var description: String { "\(reason) at byte \(offset)" }
}

/// What quotes and backslashes mean: a matter of the session's sql_mode.
package struct SQLQuoting: Hashable, Sendable {
    /// ANSI_QUOTES: `"a"` is a name.
    package var namesInDoubleQuotes = false
    /// NO_BACKSLASH_ESCAPES: a backslash is a character as any other.
    package var plainBackslashes = false

    package static let usual = SQLQuoting()

    /// - Parameter sqlMode: as the log has it; nil: unknown, so the usual one.
    /// Source: MySQL source documentation, `Query_event_status_vars`, Q_SQL_MODE_CODE.
    package init(sqlMode: UInt64? = nil) {
        guard let sqlMode else { return }
        namesInDoubleQuotes = sqlMode & 4 != 0
        plainBackslashes = sqlMode & 1 << 20 != 0
    }
}

/// Cuts SQL into tokens, so that no comma, parenthesis or keyword within a name, literal or comment is taken for SQL.
///
/// Source: MySQL manual, "Language Structure": literals, identifiers, comments.
package struct SQLTokenizer {
    private let bytes: [UInt8]
    private let quoting: SQLQuoting
    private var position = 0
    private var tokens: [SQLToken] = []
    private var openVersionComments = 0

    package static func tokens(of bytes: [UInt8], quoting: SQLQuoting = .usual) throws(SQLTokenError) -> [SQLToken] {
        var tokenizer = SQLTokenizer(bytes: bytes, quoting: quoting)
        try tokenizer.run()
        return tokenizer.tokens
    }

    private init(bytes: [UInt8], quoting: SQLQuoting) {
        self.bytes = bytes
        self.quoting = quoting
    }

    private func peek(_ ahead: Int) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private mutating func run() throws(SQLTokenError) {
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "`"): try quoted(by: byte, .identifier, backslashes: false)
            case UInt8(ascii: "\"") where quoting.namesInDoubleQuotes: try quoted(by: byte, .identifier, backslashes: false)
            case UInt8(ascii: "'"), UInt8(ascii: "\""): try quoted(by: byte, .string, backslashes: !quoting.plainBackslashes)
            case UInt8(ascii: "("): single(.open)
            case UInt8(ascii: ")"): single(.close)
            case UInt8(ascii: ","): single(.comma)
            case UInt8(ascii: "."): single(.dot)
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try commentStart()
            case UInt8(ascii: "*") where peek(1) == UInt8(ascii: "/") && openVersionComments > 0:
                openVersionComments -= 1
                append(.versionEnd, length: 2)
            case UInt8(ascii: "#"): lineComment()
            case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-") && (peek(2).map { $0 <= 0x20 } ?? true): lineComment()
            default: Self.isWord(byte) ? word() : single(.symbol)
            }
        }
        if openVersionComments > 0 {
            throw SQLTokenError(offset: bytes.count, reason: "a comment is not closed")
        }
    }

    private mutating func append(_ kind: SQLToken.Kind, length: Int) {
        tokens.append(SQLToken(kind: kind, range: position..<position + length))
        position += length
    }

    private mutating func single(_ kind: SQLToken.Kind) { append(kind, length: 1) }

    private mutating func word() {
        var end = position
        while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
        append(.word, length: end - position)
    }

    private mutating func quoted(by quote: UInt8, _ kind: SQLToken.Kind, backslashes: Bool) throws(SQLTokenError) {
        var end = position + 1
        while end < bytes.count {
            if backslashes && bytes[end] == UInt8(ascii: "\\") {
                end += 2
            } else if bytes[end] == quote {
                // A doubled quote is the quote itself.
                guard end + 1 < bytes.count, bytes[end + 1] == quote else {
                    return append(kind, length: end + 1 - position)
                }
                end += 2
            } else {
                end += 1
            }
        }
        throw SQLTokenError(offset: position, reason: "a quote is not closed")
    }

    private mutating func commentStart() throws(SQLTokenError) {
        var end = position + 2
        if peek(2) == UInt8(ascii: "M"), peek(3) == UInt8(ascii: "!") { end += 1 }
        if end < bytes.count, bytes[end] == UInt8(ascii: "!") {
            end += 1
            while end < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[end]) { end += 1 }
            openVersionComments += 1
            return append(.versionStart, length: end - position)
        }
        end = position + 2
        while end + 1 < bytes.count {
            if bytes[end] == UInt8(ascii: "*"), bytes[end + 1] == UInt8(ascii: "/") {
                position = end + 2
                return
            }
            end += 1
        }
        throw SQLTokenError(offset: position, reason: "a comment is not closed")
    }

    private mutating func lineComment() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "@"), 0x80...0xFF:
            true
        default: false
        }
    }
}

/// A statement with its tokens: what the readers of SHOW CREATE texts walk over.
package struct SQLText: Hashable, Sendable {
    package let bytes: [UInt8]
    package let tokens: [SQLToken]

    package init(_ text: String, quoting: SQLQuoting = .usual) throws(SQLTokenError) {
        bytes = Array(text.utf8)
        tokens = try SQLTokenizer.tokens(of: bytes, quoting: quoting)
    }

    package var count: Int { tokens.count }

    package func kind(_ index: Int) -> SQLToken.Kind? {
        tokens.indices.contains(index) ? tokens[index].kind : nil
    }

    /// The token's own bytes.
    package func raw(_ index: Int) -> String {
        tokens.indices.contains(index) ? String(decoding: bytes[tokens[index].range], as: UTF8.self) : ""
    }

    /// A word in upper case, empty for any other token.
    package func keyword(_ index: Int) -> String { kind(index) == .word ? raw(index).uppercased() : "" }

    /// A name: an identifier without its quotes, or an unquoted word; nil for any other token.
    package func name(_ index: Int) -> String? {
        switch kind(index) {
        case .identifier:
            let raw = raw(index)
            let quote = String(raw.prefix(1))
            return String(raw.dropFirst().dropLast()).replacing(quote + quote, with: quote)
        case .word: return raw(index)
        default: return nil
        }
    }

    /// The bytes from the first to the last of the tokens, as they stand.
    package func text(_ range: Range<Int>) -> String {
        guard let first = range.first, let last = range.last else { return "" }
        return String(decoding: bytes[tokens[first].range.lowerBound..<tokens[last].range.upperBound], as: UTF8.self)
    }

    /// Index behind the parenthesis that closes the one at `open`.
    package func endOfGroup(_ open: Int, limit: Int) throws(SQLTokenError) -> Int {
        var depth = 0
        for index in open..<limit {
            switch tokens[index].kind {
            case .open: depth += 1
            case .close:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
        }
        throw SQLTokenError(offset: tokens[open].range.lowerBound, reason: "a parenthesis is not closed")
    }

    /// The token ranges between the commas at the first level of `range`.
    package func split(_ range: Range<Int>) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var depth = 0
        var start = range.lowerBound
        for index in range {
            switch tokens[index].kind {
            case .open: depth += 1
            case .close: depth -= 1
            case .comma where depth == 0:
                parts.append(start..<index)
                start = index + 1
            default: break
            }
        }
        parts.append(start..<range.upperBound)
        return parts
    }
}
