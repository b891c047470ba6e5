/// One piece of a Ruby file, as far as attribute files need to be told apart: the words are only those that decide where a
/// statement begins and ends.
struct RubyToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// A name: variable, method or constant, without a sigil.
        case name
        /// `key:` in a hash or a call.
        case label
        /// `@x`, `@@x`, `$x`.
        case variable
        case keyword
        case number
        /// A string, a character, a command, a regular expression or a word list; `isPlain` where nothing is put into it.
        case string(isPlain: Bool)
        /// `<<~TEXT`: its body lies behind the end of its line.
        case heredoc
        case symbol
        case `operator`
        case open
        case close
        /// The end of a statement: a line break that is one, or a semicolon.
        case terminator
        case comment
    }
    var kind: Kind
    /// Bytes of the file.
    var range: Range<Int>
    /// Brackets and blocks around it. For brackets and block keywords: around the whole.
    var depth: Int
    /// Nothing but space, comments and ends of statements stands before it in its statement.
    var startsStatement: Bool
}

/// What of a Ruby file stands open while it is read.
enum RubyOpener: Sendable, Hashable {
    case bracket(UInt8)
    /// `#{` in a string.
    case interpolation
    /// `if`, `begin`, `do` and all that `end` closes.
    case block
    /// `while`, `until`, `for`: the next `do` of the same line belongs to it.
    case loop(awaitsDo: Bool)
    /// `def`: an equals sign right after its head makes it one without an `end`.
    case method(headIsOpen: Bool)

    var isClosedByEnd: Bool {
        switch self {
        case .bracket, .interpolation: false
        case .block, .loop, .method: true
        }
    }
}

/// A Ruby file that Godwit can't take apart for certain, by line.
struct RubyDoubt: Error, Sendable, Hashable {
    /// Offset in bytes.
    var offset: Int
    var why: String
}

/// Bytes by name; the table is ASCII's.
enum Ascii {
    static let tab = UInt8(ascii: "\t"), newline = UInt8(ascii: "\n"), verticalTab: UInt8 = 0x0B, formFeed: UInt8 = 0x0C
    static let carriageReturn = UInt8(ascii: "\r"), space = UInt8(ascii: " "), backslash = UInt8(ascii: "\\")
    static let hash = UInt8(ascii: "#"), quote = UInt8(ascii: "'"), doubleQuote = UInt8(ascii: "\""), backtick = UInt8(ascii: "`")
    static let equals = UInt8(ascii: "="), colon = UInt8(ascii: ":"), dot = UInt8(ascii: "."), comma = UInt8(ascii: ",")
    static let leftBrace = UInt8(ascii: "{"), rightBrace = UInt8(ascii: "}"), less = UInt8(ascii: "<"), greater = UInt8(ascii: ">")

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }
    /// What a Ruby name may hold behind its first byte; everything beyond ASCII may.
    static func isNameByte(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }
    static func isNameStart(_ byte: UInt8) -> Bool { isLetter(byte) || byte == UInt8(ascii: "_") || byte >= 0x80 }
    /// Space inside a line; a carriage return counts, since Ruby passes over it.
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || byte == tab || byte == formFeed || byte == verticalTab || byte == carriageReturn
    }
}
