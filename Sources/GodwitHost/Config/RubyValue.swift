/// A setting's value.
package enum RubyValue: Sendable, Hashable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case none

    /// As Ruby source in ASCII, so that the file's encoding has no say.
    ///
    /// - Parameter doubleQuoted: as the line it replaces has it; what single quotes can't hold gets double ones anyway.
    func source(doubleQuoted: Bool = false) -> [UInt8] {
        switch self {
        case .integer(let number): return Array("\(number)".utf8)
        case .boolean(let flag): return Array("\(flag)".utf8)
        case .none: return Array("nil".utf8)
        case .text(let text):
            let isPrintable = text.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
            return Array((doubleQuoted || !isPrintable ? Self.double(text) : Self.single(text)).utf8)
        }
    }

    /// Only the quote and the backslash mean something in single quotes.
    private static func single(_ text: String) -> String {
        "'" + text.unicodeScalars.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "'"
    }

    private static func double(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\", "#": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where (0x20...0x7E).contains(scalar.value): result.unicodeScalars.append(scalar)
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result + "\""
    }

    /// What a literal's source means; nil where that takes more than reading it.
    init?(source: ArraySlice<UInt8>) {
        switch String(decoding: source, as: UTF8.self) {
        case "true": self = .boolean(true)
        case "false": self = .boolean(false)
        case "nil": self = .none
        case let other:
            // A leading zero is octal.
            let digits = other.hasPrefix("-") ? other.dropFirst() : other[...]
            if !digits.hasPrefix("0") || digits == "0", let number = Int(other.filter { $0 != "_" }) {
                self = .integer(number)
            } else if let bytes = RubyText.decode(source), let text = String(validating: bytes, as: UTF8.self) {
                self = .text(text)
            } else {
                return nil
            }
        }
    }
}

/// What strings and symbols stand for. Source: Ruby's manual, *Literals*.
enum RubyText {
    /// The bytes of a plain string or symbol; nil where an escape is not known here.
    static func decode(_ source: ArraySlice<UInt8>) -> [UInt8]? {
        guard var first = source.first else { return nil }
        var body = source.dropFirst()
        if first == Ascii.colon {
            guard let quote = body.first else { return nil }
            guard quote == Ascii.quote || quote == Ascii.doubleQuote else { return Array(body) }
            first = quote
            body = body.dropFirst()
        }
        switch first {
        case Ascii.quote: return single(body.dropLast(), delimiters: [Ascii.quote])
        case Ascii.doubleQuote: return double(body.dropLast())
        case UInt8(ascii: "%"):
            guard let kind = body.first, let close = source.last else { return nil }
            let isNamed = Ascii.isLetter(kind)
            if isNamed { body = body.dropFirst() }
            guard let open = body.first, !isNamed || kind | 0x20 == UInt8(ascii: "q") else { return nil }
            let inner = body.dropFirst().dropLast()
            return kind == UInt8(ascii: "q") ? single(inner, delimiters: [open, close]) : double(inner)
        default: return nil
        }
    }

    private static func single(_ body: ArraySlice<UInt8>, delimiters: Set<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = body
        while let byte = rest.popFirst() {
            if byte == Ascii.backslash, let next = rest.first, next == Ascii.backslash || delimiters.contains(next) {
                result.append(next)
                rest.removeFirst()
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "s"): 32, UInt8(ascii: "r"): 13, UInt8(ascii: "e"): 27,
        UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "v"): 11, UInt8(ascii: "f"): 12,
    ]

    private static func double(_ body: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = body
        while let byte = rest.popFirst() {
            guard byte == Ascii.backslash else {
                result.append(byte)
                continue
            }
            guard let next = rest.popFirst() else { return nil }
            switch next {
            case Ascii.newline: break
            case UInt8(ascii: "x"), UInt8(ascii: "0")...UInt8(ascii: "7"), UInt8(ascii: "C"), UInt8(ascii: "M"), UInt8(ascii: "c"):
                return nil
            case UInt8(ascii: "u"):
                guard let text = unicode(&rest) else { return nil }
                result += text.utf8
            default: result.append(escapes[next] ?? next)
            }
        }
        return result
    }

    /// `\u00e9` and `\u{e9}`, behind the `u`.
    private static func unicode(_ rest: inout ArraySlice<UInt8>) -> String? {
        let digits: ArraySlice<UInt8>
        if rest.first == Ascii.leftBrace {
            guard let end = rest.firstIndex(of: Ascii.rightBrace) else { return nil }
            digits = rest[(rest.startIndex + 1)..<end]
            rest = rest[(end + 1)...]
        } else {
            digits = rest.prefix(4)
            rest = rest.dropFirst(4)
        }
        guard let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
        return Unicode.Scalar(value).map { String($0) }
    }
}
