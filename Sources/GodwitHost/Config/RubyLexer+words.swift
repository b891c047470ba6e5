// Names and keywords: which of them open a block that `end` closes, and what may follow.
extension RubyLexer {
    /// What a keyword does.
    private enum Keyword {
        /// Opens a block where a value may begin; elsewhere it is a modifier (`x if y`).
        case conditional
        /// The same, with a `do` of its own.
        case loop
        case opens
        case closes
        /// A value or a statement follows.
        case goesOn
        /// A value may follow.
        case jump
        /// Is a value.
        case value
        /// Takes arguments, as a method does.
        case call
    }

    private static let keywords: [String: Keyword] = [
        "if": .conditional, "unless": .conditional, "while": .loop, "until": .loop, "for": .opens, "case": .opens, "begin": .opens,
        "module": .opens, "do": .opens, "class": .opens, "def": .opens, "end": .closes, "when": .goesOn, "in": .goesOn, "then": .goesOn,
        "else": .goesOn, "elsif": .goesOn, "ensure": .goesOn, "and": .goesOn, "or": .goesOn, "not": .call, "return": .jump,
        "break": .jump, "next": .jump, "rescue": .jump, "self": .value, "nil": .value, "true": .value, "false": .value,
        "redo": .value, "retry": .value, "__FILE__": .value, "__LINE__": .value, "__ENCODING__": .value, "BEGIN": .value,
        "END": .value, "yield": .call, "super": .call, "defined?": .call, "alias": .goesOn, "undef": .goesOn,
    ]

    mutating func word() throws(RubyDoubt) {
        let start = at
        while let next = byte(at), Ascii.isNameByte(next) { at += 1 }
        if let mark = byte(at), mark == UInt8(ascii: "?") || mark == UInt8(ascii: "!"), byte(at + 1) != Ascii.equals { at += 1 }
        if state == .methodName { return methodName(from: start) }
        let name = Array(text[start..<at])
        if state != .dot, byte(at) == Ascii.colon, byte(at + 1) != Ascii.colon, !isAtStatementStart {
            at += 1
            noteParameter(name)
            return add(.label, from: start, then: .begin)
        }
        if state != .dot, let keyword = Self.keywords[String(decoding: name, as: UTF8.self)] {
            return try take(keyword, name, from: start)
        }
        let wasDot = state == .dot
        noteParameter(name)
        if !wasDot, isRescueVariable() { locals.insert(name) }
        add(.name, from: start, then: !wasDot && locals.contains(name) ? .end : .argument)
    }

    private mutating func take(_ keyword: Keyword, _ name: [UInt8], from start: Int) throws(RubyDoubt) {
        let beginsValue = state == .begin || state == .classHead
        switch keyword {
        case .conditional:
            add(.keyword, from: start, then: .begin)
            if beginsValue { openers.append(.block) }
        case .loop:
            add(.keyword, from: start, then: .begin)
            if beginsValue { openers.append(.loop(awaitsDo: true)) }
        case .opens: try takeOpener(name, from: start)
        case .closes:
            guard openers.last?.isClosedByEnd == true else { throw RubyDoubt(offset: start, why: "an `end` closes nothing") }
            openers.removeLast()
            add(.keyword, from: start, then: .end)
        case .goesOn:
            let isAlias = name.elementsEqual("alias".utf8)
            add(.keyword, from: start, then: isAlias || name.elementsEqual("undef".utf8) ? .methodName : .begin)
            if isAlias { namesToCome = 2 }
        case .jump: add(.keyword, from: start, then: .middle)
        case .value: add(.keyword, from: start, then: .end)
        case .call: add(.keyword, from: start, then: .argument)
        }
    }

    private mutating func takeOpener(_ name: [UInt8], from start: Int) throws(RubyDoubt) {
        switch String(decoding: name, as: UTF8.self) {
        case "do":
            if case .loop(awaitsDo: true) = openers.last {
                openers[openers.count - 1] = .loop(awaitsDo: false)
                add(.keyword, from: start, depth: openers.count - 1, then: .begin)
            } else {
                add(.keyword, from: start, then: .begin)
                openers.append(.block)
            }
            beginBlockParameters()
        case "for":
            add(.keyword, from: start, then: .begin)
            openers.append(.loop(awaitsDo: true))
        case "class":
            add(.keyword, from: start, then: .classHead)
            openers.append(.block)
        case "def":
            add(.keyword, from: start, then: .methodName)
            openers.append(.method(headIsOpen: true))
        default:
            add(.keyword, from: start, then: .begin)
            openers.append(.block)
        }
    }

    /// Behind `def`, `alias`, `undef`: the word is a name whatever it is, with `=` where it is a setter's.
    private mutating func methodName(from start: Int) {
        if byte(at) == Ascii.equals, let next = byte(at + 1), next != UInt8(ascii: "~"), next != Ascii.greater,
            next != Ascii.equals || byte(at + 2) == Ascii.greater
        {
            at += 1
        } else if byte(at) == Ascii.dot, namesToCome == 0 {
            // `def self.name`, `def Const.name`.
            at += 1
            return addInHead(from: start, then: .methodName)
        }
        takeName(from: start)
    }

    /// An operator as a method's name: `def ==(other)`, `alias << push`.
    mutating func operatorName() throws(RubyDoubt) {
        let start = at
        for name: StaticString in [
            "[]=", "[]", "<=>", "===", "==", "=~", "!=", "!~", "!", "**", "+@", "-@", "~@", "<<", ">>", "<=", ">=", "+", "-", "*", "/",
            "%", "<", ">", "&", "|", "^", "~", "`",
        ] where stands(name, at: at) {
            at += name.utf8CodeUnitCount
            return takeName(from: start)
        }
        throw RubyDoubt(offset: start, why: "a method's name is expected")
    }

    /// The name ends here; `alias` has another.
    mutating func takeName(from start: Int) {
        namesToCome = max(0, namesToCome - 1)
        addInHead(from: start, then: namesToCome > 0 ? .methodName : .end)
    }

    /// A name that leaves the head of a `def` open.
    private mutating func addInHead(from start: Int, then next: State) {
        tokens.append(RubyToken(kind: .name, range: start..<at, depth: openers.count, startsStatement: isAtStatementStart))
        isAtStatementStart = false
        state = next
    }

    // MARK: Local variables

    /// `{ |a, b|` and `do |a, b|`.
    mutating func beginBlockParameters() {
        var offset = at
        while let next = byte(offset), Ascii.isBlank(next) || next == Ascii.newline { offset += 1 }
        guard byte(offset) == UInt8(ascii: "|"), byte(offset + 1) != UInt8(ascii: "|") else { return }
        isInBlockParameters = true
    }

    /// A name among parameters of a block, a method or a lambda is a variable from here on.
    private mutating func noteParameter(_ name: [UInt8]) {
        if isInBlockParameters { locals.insert(name) }
        if case .method = openers.dropLast().last, openers.last == .bracket(UInt8(ascii: "(")) { locals.insert(name) }
        guard let last = tokens.last else { return }
        if last.kind == .operator, text[last.range].elementsEqual("->".utf8) { locals.insert(name) }
        if last.kind == .keyword, text[last.range].elementsEqual("for".utf8) { locals.insert(name) }
    }

    /// `rescue Error => name`; a value of a hash that is noted here only costs a doubt.
    private func isRescueVariable() -> Bool {
        guard let last = tokens.last else { return false }
        return last.kind == .operator && text[last.range].elementsEqual("=>".utf8) && openers.last?.isClosedByEnd == true
    }

    /// At an assignment: the names before it (`a = `, `a, b = `) are variables.
    mutating func noteAssigned() {
        for token in tokens.reversed() {
            switch token.kind {
            case .name: locals.insert(Array(text[token.range]))
            case .operator where text[token.range].elementsEqual([Ascii.comma]) || text[token.range].elementsEqual("*".utf8): continue
            default: return
            }
        }
    }
}
