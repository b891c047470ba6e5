/// Takes a Ruby file apart into tokens, so that what merely looks like a setting (in a string, a heredoc, a comment block,
/// behind `__END__`) is never taken for one. Follows the lexical states of Ruby's own lexer (`parse.y`, `EXPR_*`), as far as they
/// decide what a slash, a percent sign, a question mark or `<<` begins. Where a file can be read in two ways, it says so.
struct RubyLexer {
    enum State: Sendable, Hashable {
        /// A value is expected: a slash begins a regular expression.
        case begin
        /// A value has ended: a slash divides.
        case end
        /// Behind a method's name: its first argument may stand there without brackets.
        case argument
        /// Behind `return`, `break`, `next`, `rescue`: a value may follow, and a line break ends the statement.
        case middle
        /// Behind a dot: whatever word follows is a method's name.
        case dot
        /// Behind `def`, `alias` and `undef`: a name follows, which may be a keyword or an operator.
        case methodName
        /// Behind `class`: `<<` opens the singleton class.
        case classHead
    }
    struct Heredoc: Sendable {
        var start: Int
        var identifier: [UInt8]
        var mayBeIndented: Bool
        var interpolates: Bool
    }

    let text: [UInt8]
    /// Where the file's code ends: at `__END__`, at a byte that Ruby takes for the end, or at the end of the file.
    private(set) var codeEnd: Int
    var tokens: [RubyToken] = []
    var openers: [RubyOpener] = []
    var at = 0
    var state = State.begin
    var isAtStatementStart = true
    var spaceBefore = false
    /// Names that were assigned to: behind one of them an operator is an operator.
    var locals: Set<[UInt8]> = []
    /// Names up to the next `|` are a block's parameters.
    var isInBlockParameters = false
    /// Names that `alias` still expects.
    var namesToCome = 0
    var waitingHeredocs: [Heredoc] = []
    var isInHeredocBody = false
    /// Where the bodies of heredocs lie: from behind the line break of the line that began them.
    var heredocRanges: [Range<Int>] = []
    var isAtEnd = false
    /// Offset behind the last line break that joins two lines.
    private var joinedAt: Int?
    /// The file could take another statement behind its code.
    var mayGrow: Bool {
        joinedAt != codeEnd && (isAtStatementStart || state == .end || state == .argument || state == .middle)
    }

    init(_ text: [UInt8]) {
        self.text = text
        codeEnd = text.count
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// All tokens of the file.
    static func read(_ text: [UInt8]) throws(RubyDoubt) -> RubyLexer {
        var lexer = RubyLexer(text)
        while !lexer.isAtEnd { try lexer.step() }
        if let heredoc = lexer.waitingHeredocs.first {
            throw RubyDoubt(offset: heredoc.start, why: "a heredoc has no end")
        }
        if !lexer.openers.isEmpty {
            throw RubyDoubt(offset: lexer.codeEnd, why: "something that was opened is not closed at the end of the file")
        }
        return lexer
    }

    // MARK: Bytes

    func byte(_ offset: Int) -> UInt8? { offset < codeEnd ? text[offset] : nil }
    var isAtLineStart: Bool { at == 0 || text[at - 1] == Ascii.newline || (at == 3 && text[0] == 0xEF) }

    /// Does `word` stand at the offset?
    func stands(_ word: StaticString, at offset: Int) -> Bool {
        word.withUTF8Buffer { text[min(offset, codeEnd)..<codeEnd].starts(with: $0) }
    }

    /// Offset behind the line break that ends this line, or the end of the code.
    func lineEnd(from offset: Int) -> Int {
        text[offset..<codeEnd].firstIndex(of: Ascii.newline).map { $0 + 1 } ?? codeEnd
    }

    // MARK: Tokens

    /// Adds a token that ends here. `depth`: nil for that of the moment.
    mutating func add(_ kind: RubyToken.Kind, from start: Int, depth: Int? = nil, then next: State? = nil) {
        closeMethodHead(before: kind, start: start)
        tokens.append(
            RubyToken(
                kind: kind, range: start..<at, depth: depth ?? openers.count, startsStatement: isAtStatementStart))
        if kind == .comment { return }
        isAtStatementStart = kind == .terminator && openers.isEmpty
        if let next { state = next }
    }

    /// One token, or space.
    mutating func step() throws(RubyDoubt) {
        guard let first = byte(at) else {
            isAtEnd = true
            return
        }
        if isAtLineStart, endsCodeHere() { return }
        if isAtLineStart, blockComment() { return }
        switch first {
        case Ascii.newline: try newline()
        case Ascii.space, Ascii.tab, Ascii.formFeed, Ascii.verticalTab, Ascii.carriageReturn:
            at += 1
            spaceBefore = true
            return
        case Ascii.backslash where stands("\\\n", at: at) || stands("\\\r\n", at: at):
            at = lineEnd(from: at)
            joinedAt = at
            try heredocBodies()
            spaceBefore = true
            return
        case 0, 4, 26:
            // NUL, ^D and ^Z end a script.
            codeEnd = at
            isAtEnd = true
        case Ascii.hash: comment()
        case UInt8(ascii: ";"):
            at += 1
            endLoopHead()
            add(.terminator, from: at - 1, then: .begin)
        case _ where Ascii.isDigit(first): number()
        case _ where Ascii.isNameStart(first): try word()
        case UInt8(ascii: "@"), UInt8(ascii: "$"): try variable()
        default: try punctuation(first)
        }
        spaceBefore = false
    }

    /// `__END__`, alone on its line.
    private mutating func endsCodeHere() -> Bool {
        guard stands("__END__", at: at) else { return false }
        var rest = text[(at + 7)..<min(lineEnd(from: at), codeEnd)]
        if rest.last == Ascii.newline { rest.removeLast() }
        if rest.last == Ascii.carriageReturn { rest.removeLast() }
        guard rest.isEmpty else { return false }
        codeEnd = at
        isAtEnd = true
        return true
    }

    /// `=begin` to `=end`, both at the start of a line. Without an end it goes to the end of the file, which Ruby refuses.
    private mutating func blockComment() -> Bool {
        func isMark(_ word: StaticString, _ offset: Int) -> Bool {
            guard stands(word, at: offset) else { return false }
            guard let next = byte(offset + word.utf8CodeUnitCount) else { return true }
            return Ascii.isBlank(next) || next == Ascii.newline || next == 0
        }
        guard isMark("=begin", at) else { return false }
        let start = at
        repeat {
            at = lineEnd(from: at)
            if isMark("=end", at) {
                at = lineEnd(from: at)
                break
            }
        } while at < codeEnd
        add(.comment, from: start)
        return true
    }

    private mutating func comment() {
        let start = at
        at = text[at..<codeEnd].firstIndex(of: Ascii.newline) ?? codeEnd
        if at > start, text[at - 1] == Ascii.carriageReturn, at < codeEnd { at -= 1 }
        add(.comment, from: start)
    }

    private mutating func newline() throws(RubyDoubt) {
        let start = at
        at += 1
        try heredocBodies()
        let goesOn = state == .begin || state == .dot || state == .methodName || state == .classHead
        guard !goesOn, !nextLineGoesOn() else { return }
        endLoopHead()
        let end = at
        at = start + 1
        add(.terminator, from: start, then: .begin)
        at = end
    }

    /// A line that begins with a dot goes on with the statement above it, comments between them or not.
    private func nextLineGoesOn() -> Bool {
        var offset = at
        while let next = byte(offset) {
            switch next {
            case _ where Ascii.isBlank(next), Ascii.newline: offset += 1
            case Ascii.hash: offset = lineEnd(from: offset)
            case Ascii.dot: return byte(offset + 1) != Ascii.dot
            case UInt8(ascii: "&"): return byte(offset + 1) == Ascii.dot || byte(offset + 1) == UInt8(ascii: "&")
            case UInt8(ascii: "|"): return byte(offset + 1) == UInt8(ascii: "|")
            default: return false
            }
        }
        return false
    }

    private mutating func number() {
        let start = at
        while let next = byte(at) {
            if Ascii.isNameByte(next) {
                let isExponent = (next | 0x20) == UInt8(ascii: "e") && !stands("0x", at: start) && !stands("0X", at: start)
                at += 1
                if isExponent, let sign = byte(at), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { at += 1 }
            } else if next == Ascii.dot, let digit = byte(at + 1), Ascii.isDigit(digit) {
                at += 1
            } else {
                break
            }
        }
        add(.number, from: start, then: .end)
    }

    private mutating func variable() throws(RubyDoubt) {
        let start = at
        if stands("@@", at: at) { at += 1 }
        at += 1
        guard let next = byte(at) else { throw RubyDoubt(offset: start, why: "a variable has no name") }
        if Ascii.isNameByte(next) {
            while let next = byte(at), Ascii.isNameByte(next) { at += 1 }
        } else if text[start] == UInt8(ascii: "$") {
            // $', $", $/ and the like; $-w has one more.
            at += next == UInt8(ascii: "-") ? 2 : 1
            at = min(at, codeEnd)
        } else {
            throw RubyDoubt(offset: start, why: "a variable has no name")
        }
        add(.variable, from: start, then: .end)
    }

    // MARK: Blocks

    /// A loop's `do` stands on its line.
    private mutating func endLoopHead() {
        if case .loop(awaitsDo: true) = openers.last { openers[openers.count - 1] = .loop(awaitsDo: false) }
    }

    /// Anything but its parameters and an equals sign ends the head of a `def`.
    private mutating func closeMethodHead(before kind: RubyToken.Kind, start: Int) {
        guard case .method(headIsOpen: true) = openers.last, kind != .comment else { return }
        if kind == .operator, text[start..<at].elementsEqual([Ascii.equals]) {
            openers.removeLast()
        } else if kind != .close {
            openers[openers.count - 1] = .method(headIsOpen: false)
        }
    }

    mutating func open(_ bracket: UInt8) {
        at += 1
        // The parameters belong to the head.
        if case .method(headIsOpen: true) = openers.last, bracket == UInt8(ascii: "(") {
            tokens.append(
                RubyToken(kind: .open, range: (at - 1)..<at, depth: openers.count, startsStatement: isAtStatementStart))
            isAtStatementStart = false
        } else {
            add(.open, from: at - 1)
        }
        openers.append(.bracket(bracket))
        state = .begin
    }

    mutating func close(_ bracket: UInt8, opener: UInt8) throws(RubyDoubt) {
        switch openers.last {
        case .bracket(opener): break
        case .interpolation where bracket == Ascii.rightBrace: break
        default: throw RubyDoubt(offset: at, why: "a bracket closes nothing")
        }
        openers.removeLast()
        at += 1
        add(.close, from: at - 1, then: .end)
    }
}
