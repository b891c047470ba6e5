/// JSON text (RFC 8259) to a document, with the line and column of every value.
///
/// Foundation's decoder tells neither the place of an unknown member nor of a wrong type, and keeps the last of two equal
/// members: a table mapping that is half overwritten by itself would go unseen.
struct JSONDocument {
    private var scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var column = 1
    private let reader: DocumentReader
    /// Deeper than any mapping; bounds the recursion.
    private static let depthMax = 64

    static func parse(_ text: String, reader: DocumentReader) throws(EngineError) -> DocumentNode {
        var parser = JSONDocument(text, reader)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.peek == nil else {
            throw parser.wrong("something follows the document's end")
        }
        return value
    }

    private init(_ text: String, _ reader: DocumentReader) {
        scalars = Array(text.unicodeScalars)
        self.reader = reader
        // A byte order mark at the start is an editor's habit, not a value.
        if scalars.first == "\u{FEFF}" { index = 1 }
    }

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    private var mark: DocumentNode.Mark { .init(line: line, column: column) }

    private func wrong(_ problem: String, at place: DocumentNode.Mark? = nil) -> EngineError {
        reader.error(place ?? mark, "this is no JSON: \(problem).", cure: "Mend the file there, or take it again from where it was exported.")
    }

    private func unexpected(_ wanted: String) -> EngineError {
        guard let scalar = peek else { return wrong("the text ends where \(wanted) should stand") }
        return wrong("\(scalar.value < 0x20 ? "a control character" : "'\(scalar)'") stands where \(wanted) should")
    }

    private mutating func advance() {
        if scalars[index] == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
        index += 1
    }

    private mutating func skipSpace() {
        while let scalar = peek, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" { advance() }
    }

    private mutating func value(depth: Int) throws(EngineError) -> DocumentNode {
        guard depth < Self.depthMax else { throw wrong("values are nested more than \(Self.depthMax) deep") }
        skipSpace()
        let place = mark
        switch peek {
        case "{": return DocumentNode(content: .map(try members(depth)), mark: place)
        case "[": return DocumentNode(content: .list(try elements(depth)), mark: place)
        case "\"": return DocumentNode(content: .scalar(try string(), plain: false), mark: place)
        default: return DocumentNode(content: .scalar(try word(), plain: true), mark: place)
        }
    }

    private mutating func members(_ depth: Int) throws(EngineError) -> [DocumentNode.Entry] {
        var result: [DocumentNode.Entry] = []
        advance()
        skipSpace()
        if peek == "}" {
            advance()
            return result
        }
        while true {
            skipSpace()
            let place = mark
            guard peek == "\"" else { throw unexpected("a member's name in quotes") }
            let key = try string()
            skipSpace()
            guard peek == ":" else { throw unexpected("a colon") }
            advance()
            result.append(.init(key: key, mark: place, value: try value(depth: depth + 1)))
            if try closes("}") { return result }
        }
    }

    private mutating func elements(_ depth: Int) throws(EngineError) -> [DocumentNode] {
        var result: [DocumentNode] = []
        advance()
        skipSpace()
        if peek == "]" {
            advance()
            return result
        }
        while true {
            result.append(try value(depth: depth + 1))
            if try closes("]") { return result }
        }
    }

    /// After a member or element: true at the end, false after a comma.
    private mutating func closes(_ end: Unicode.Scalar) throws(EngineError) -> Bool {
        skipSpace()
        guard let scalar = peek, scalar == end || scalar == "," else { throw unexpected("a comma or '\(end)'") }
        advance()
        return scalar == end
    }

    private mutating func string() throws(EngineError) -> String {
        let place = mark
        var text = String.UnicodeScalarView()
        advance()
        while let scalar = peek {
            switch scalar {
            case "\"":
                advance()
                return String(text)
            case "\\":
                advance()
                text.append(try escape())
            case _ where scalar.value < 0x20:
                throw wrong("a control character stands in a text", at: mark)
            default:
                text.append(scalar)
                advance()
            }
        }
        throw wrong("a text is not closed", at: place)
    }

    private mutating func escape() throws(EngineError) -> Unicode.Scalar {
        guard let scalar = peek else { throw unexpected("the rest of an escape") }
        let place = mark
        advance()
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": break
        default: throw wrong("there is no escape \\\(scalar)", at: place)
        }
        let first = try hexUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), peek == "\\" else {
            throw wrong("half of a surrogate pair stands alone", at: place)
        }
        advance()
        guard peek == "u" else { throw wrong("half of a surrogate pair stands alone", at: place) }
        advance()
        let second = try hexUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw wrong("half of a surrogate pair stands alone", at: place) }
        return scalar
    }

    private mutating func hexUnit() throws(EngineError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let scalar = peek, scalar.isASCII, let digit = Character(scalar).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            advance()
        }
        return unit
    }

    /// true, false, null or a number.
    private mutating func word() throws(EngineError) -> String {
        let place = mark
        let start = index
        while let scalar = peek, scalar.isASCII, scalar.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains(scalar) {
            advance()
        }
        let text = String(String.UnicodeScalarView(scalars[start..<index]))
        guard !text.isEmpty else { throw unexpected("a value") }
        if ["true", "false", "null"].contains(text) { return text }
        guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil else {
            throw wrong("'\(text.prefix(40))' is no value", at: place)
        }
        return text
    }
}
