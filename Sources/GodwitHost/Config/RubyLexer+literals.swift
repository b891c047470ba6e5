// Punctuation, and what begins with it: strings, regular expressions, symbols, word lists, heredocs, operators.
extension RubyLexer {
    /// At a place where a literal and an operator look alike, does a literal begin? Ruby's rule: where a value is expected, or
    /// behind a method's name with space before and none after.
    private func beginsLiteral(width: Int) -> Bool {
        switch state {
        case .begin, .middle: return true
        case .argument:
            guard spaceBefore, let next = byte(at + width) else { return false }
            return !Ascii.isBlank(next) && next != Ascii.newline
        case .end, .dot, .methodName, .classHead: return false
        }
    }

    mutating func punctuation(_ first: UInt8) throws(RubyDoubt) {
        let start = at
        if state == .methodName, first != UInt8(ascii: "("), first != Ascii.colon, first != Ascii.comma { return try operatorName() }
        switch first {
        case Ascii.doubleQuote, Ascii.backtick:
            at += 1
            try string(from: start, open: nil, close: first, interpolates: true)
        case Ascii.quote:
            at += 1
            try string(from: start, open: nil, close: first, interpolates: false)
        case UInt8(ascii: "("), UInt8(ascii: "["):
            open(first)
        case Ascii.leftBrace:
            open(first)
            beginBlockParameters()
        case UInt8(ascii: ")"): try close(first, opener: UInt8(ascii: "("))
        case UInt8(ascii: "]"): try close(first, opener: UInt8(ascii: "["))
        case Ascii.rightBrace: try close(first, opener: Ascii.leftBrace)
        case Ascii.colon: try colon()
        case UInt8(ascii: "/") where beginsLiteral(width: 1) && !(state == .argument && byte(at + 1) == Ascii.equals):
            at += 1
            try string(from: start, open: nil, close: first, interpolates: true, hasFlags: true)
        case UInt8(ascii: "%") where beginsLiteral(width: 1) && !(state == .argument && byte(at + 1) == Ascii.equals):
            try percent()
        case UInt8(ascii: "?") where state != .end && state != .dot && isCharacter():
            try character()
        case Ascii.less where stands("<<", at: at) && state != .classHead:
            if try !heredoc() { anOperator() }
        case Ascii.dot:
            at += stands("...", at: at) ? 3 : stands("..", at: at) ? 2 : 1
            add(.operator, from: start, then: at - start == 1 ? .dot : .begin)
        default: anOperator()
        }
    }

    private static let operators: [StaticString] = [
        "**=", "<=>", "===", "<<=", ">>=", "&&=", "||=", "&.", "**", "==", "=~", "!=", "!~", "=>", "<=", ">=", "<<", ">>", "&&", "||",
        "->", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=",
    ]

    private mutating func anOperator() {
        let start = at
        at += Self.operators.first { stands($0, at: start) }?.utf8CodeUnitCount ?? 1
        let name = String(decoding: text[start..<at], as: UTF8.self)
        if name.hasSuffix("="), !["==", "===", "!=", "<=", ">="].contains(name) { noteAssigned() }
        if isInBlockParameters, name == "|", tokens.last.map({ !opensParameters($0) }) ?? false { isInBlockParameters = false }
        add(.operator, from: start, then: name == "&." ? .dot : .begin)
    }

    /// Is the token what a block's parameters begin behind?
    private func opensParameters(_ token: RubyToken) -> Bool {
        token.kind == .open || token.kind == .keyword && text[token.range].elementsEqual("do".utf8)
    }

    private mutating func colon() throws(RubyDoubt) {
        let start = at
        at += 1
        guard let next = byte(at) else { return add(.operator, from: start, then: .begin) }
        if next == Ascii.colon {
            at += 1
            return add(.operator, from: start, then: .dot)
        }
        if state == .end || Ascii.isBlank(next) || next == Ascii.newline || next == Ascii.hash, state != .methodName {
            return add(.operator, from: start, then: .begin)
        }
        if next == Ascii.doubleQuote || next == Ascii.quote {
            at += 1
            return try string(from: start, open: nil, close: next, interpolates: next == Ascii.doubleQuote, isSymbol: true)
        }
        if Ascii.isNameStart(next) || next == UInt8(ascii: "@") || next == UInt8(ascii: "$") {
            at += 1
            while let next = byte(at), Ascii.isNameByte(next) || next == UInt8(ascii: "@") { at += 1 }
            if let mark = byte(at), mark == UInt8(ascii: "?") || mark == UInt8(ascii: "!"), byte(at + 1) != Ascii.equals { at += 1 }
            // `:name=`, but not `:name => value` nor `a ? :b == c`.
            if byte(at) == Ascii.equals, let after = byte(at + 1),
                after != UInt8(ascii: "~"), after != Ascii.greater, after != Ascii.equals
            {
                at += 1
            }
            return endSymbol(from: start)
        }
        for name: StaticString in [
            "[]=", "[]", "<=>", "===", "==", "=~", "!=", "!~", "**", "+@", "-@", "<<", ">>", "<=", ">=", "+", "-", "*", "/", "%", "<", ">",
            "&", "|", "^", "~", "!", "`",
        ] where stands(name, at: at) {
            at += name.utf8CodeUnitCount
            return endSymbol(from: start)
        }
        add(.operator, from: start, then: .begin)
    }

    private mutating func endSymbol(from start: Int) {
        if state == .methodName { return takeName(from: start) }
        add(.symbol, from: start, then: .end)
    }

    // MARK: Characters, strings

    /// `?a`: no space, and no second letter behind it.
    private func isCharacter() -> Bool {
        guard let next = byte(at + 1), !Ascii.isBlank(next), next != Ascii.newline else { return false }
        guard Ascii.isNameByte(next), next < 0x80 else { return true }
        return byte(at + 2).map { !Ascii.isNameByte($0) } ?? true
    }

    private mutating func character() throws(RubyDoubt) {
        let start = at
        at += 1
        while byte(at) == Ascii.backslash {
            guard let escaped = byte(at + 1) else { throw RubyDoubt(offset: start, why: "a character has no end") }
            at += 2
            switch escaped {
            case UInt8(ascii: "C"), UInt8(ascii: "M"):
                at += byte(at) == UInt8(ascii: "-") ? 1 : 0
            case UInt8(ascii: "c"): break
            case UInt8(ascii: "u") where byte(at) == Ascii.leftBrace:
                at = text[at..<codeEnd].firstIndex(of: Ascii.rightBrace).map { $0 + 1 } ?? codeEnd
                return add(.string(isPlain: false), from: start, then: .end)
            case UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "0")...UInt8(ascii: "7"):
                while let next = byte(at), Ascii.isNameByte(next) { at += 1 }
                return add(.string(isPlain: false), from: start, then: .end)
            default: return add(.string(isPlain: false), from: start, then: .end)
            }
        }
        at = min(at + 1, codeEnd)
        while let next = byte(at), next & 0xC0 == 0x80 { at += 1 }
        add(.string(isPlain: false), from: start, then: .end)
    }

    private mutating func percent() throws(RubyDoubt) {
        let start = at
        at += 1
        guard var delimiter = byte(at) else { throw RubyDoubt(offset: start, why: "a string has no end") }
        var kind = UInt8(ascii: "Q")
        if Ascii.isLetter(delimiter) {
            kind = delimiter
            at += 1
            guard let next = byte(at), "qQwWiIxrs".utf8.contains(kind) else {
                throw RubyDoubt(offset: start, why: "a percent sign begins no literal that is known")
            }
            delimiter = next
        }
        guard delimiter < 0x80, !Ascii.isNameByte(delimiter) else {
            throw RubyDoubt(offset: start, why: "a percent sign begins no literal that is known")
        }
        at += 1
        let pairs: [UInt8: UInt8] = [
            UInt8(ascii: "("): UInt8(ascii: ")"), UInt8(ascii: "["): UInt8(ascii: "]"), Ascii.leftBrace: Ascii.rightBrace,
            Ascii.less: Ascii.greater,
        ]
        try string(
            from: start, open: pairs[delimiter] == nil ? nil : delimiter, close: pairs[delimiter] ?? delimiter,
            interpolates: !"qwis".utf8.contains(kind), hasFlags: kind == UInt8(ascii: "r"), isSymbol: kind == UInt8(ascii: "s"))
    }

    /// From behind the opening delimiter to behind the closing one.
    private mutating func string(
        from start: Int, open: UInt8?, close: UInt8, interpolates: Bool, hasFlags: Bool = false, isSymbol: Bool = false
    ) throws(RubyDoubt) {
        // The token comes before those of what is put into it.
        let wasMethodName = state == .methodName
        let index = tokens.count
        if !wasMethodName { add(.string(isPlain: true), from: start) }
        var nesting = 0
        var isPlain = true
        while true {
            guard let next = byte(at) else { throw RubyDoubt(offset: start, why: "a string has no end") }
            if next == Ascii.backslash {
                at += 1
                if byte(at) != Ascii.newline { at = min(at + 1, codeEnd) }
            } else if next == close, nesting == 0 {
                at += 1
                break
            } else if next == Ascii.newline {
                at += 1
                try heredocBodies()
            } else if interpolates, next == Ascii.hash, byte(at + 1) == Ascii.leftBrace {
                isPlain = false
                try interpolation()
            } else {
                if interpolates, next == Ascii.hash { isPlain = false }
                if next == open { nesting += 1 }
                if next == close { nesting -= 1 }
                at += 1
            }
        }
        if hasFlags { while let flag = byte(at), Ascii.isLetter(flag) { at += 1 } }
        if wasMethodName { return takeName(from: start) }
        let first = text[start]
        let isText = first == Ascii.doubleQuote || first == Ascii.quote || first == UInt8(ascii: "%") && !hasFlags
        tokens[index].kind = isSymbol ? .symbol : .string(isPlain: isPlain && isText)
        tokens[index].range = start..<at
        state = .end
    }

    /// `#{ code }`, from the hash to behind the brace.
    private mutating func interpolation() throws(RubyDoubt) {
        guard !isInHeredocBody else { return try heredocInterpolation() }
        let start = at
        let depth = openers.count
        let saved = (state, spaceBefore)
        at += 2
        openers.append(.interpolation)
        state = .begin
        while openers.count > depth {
            try step()
            if isAtEnd { throw RubyDoubt(offset: start, why: "what is put into a string has no end") }
        }
        (state, spaceBefore) = saved
    }

    /// In a heredoc's body only what is on one line and holds no brace or quote of its own: everything else would have to be
    /// read with the heredoc's own lines in mind.
    private mutating func heredocInterpolation() throws(RubyDoubt) {
        let start = at
        let depth = openers.count
        let saved = (state, spaceBefore)
        let end = lineEnd(from: at)
        at += 2
        openers.append(.interpolation)
        state = .begin
        while openers.count > depth {
            try step()
            if isAtEnd || at >= end || !waitingHeredocs.isEmpty {
                throw RubyDoubt(offset: start, why: "what is put into a heredoc goes over more than its line")
            }
        }
        (state, spaceBefore) = saved
    }

    // MARK: Heredocs

    /// Takes a heredoc's head; false where `<<` is an operator.
    private mutating func heredoc() throws(RubyDoubt) -> Bool {
        let start = at
        guard state == .begin || state == .middle || state == .argument && spaceBefore || state == .end else { return false }
        var offset = at + 2
        var isIndented = false
        if let mark = byte(offset), mark == UInt8(ascii: "~") || mark == UInt8(ascii: "-") {
            isIndented = true
            offset += 1
        }
        guard let first = byte(offset) else { return false }
        var identifier: ArraySlice<UInt8>
        var interpolates = true
        if [Ascii.quote, Ascii.doubleQuote, Ascii.backtick].contains(first) {
            let line = text[(offset + 1)..<lineEnd(from: offset)]
            guard let end = line.firstIndex(of: first) else { return false }
            identifier = line[..<end]
            interpolates = first != Ascii.quote
            offset = end + 1
        } else if Ascii.isNameByte(first) {
            var end = offset
            while let next = byte(end), Ascii.isNameByte(next) { end += 1 }
            identifier = text[offset..<end]
            offset = end
        } else {
            return false
        }
        let heredoc = Heredoc(
            start: start, identifier: Array(identifier), mayBeIndented: isIndented, interpolates: interpolates)
        if state == .end {
            // Behind a variable it is a shift. Where the name that comes before could be a method as well, and such a line
            // comes later, nobody can tell without running the file.
            if spaceBefore, tokens.last?.kind == .name, hasEnd(heredoc) {
                throw RubyDoubt(offset: start, why: "`<<` may begin a heredoc or not")
            }
            return false
        }
        waitingHeredocs.append(heredoc)
        at = offset
        add(.heredoc, from: start, then: .end)
        return true
    }

    private func hasEnd(_ heredoc: Heredoc) -> Bool {
        var offset = lineEnd(from: heredoc.start)
        while offset < text.count {
            if isEnd(of: heredoc, at: offset) { return true }
            let end = lineEnd(from: offset)
            guard end > offset else { return false }
            offset = end
        }
        return false
    }

    private func isEnd(of heredoc: Heredoc, at offset: Int) -> Bool {
        var line = text[offset..<(text[offset...].firstIndex(of: Ascii.newline) ?? text.count)]
        if line.last == Ascii.carriageReturn { line.removeLast() }
        if heredoc.mayBeIndented { line = line.drop { Ascii.isBlank($0) } }
        return line.elementsEqual(heredoc.identifier)
    }

    /// At the start of a line: the bodies of all heredocs that the line above began.
    mutating func heredocBodies() throws(RubyDoubt) {
        guard !waitingHeredocs.isEmpty, !isInHeredocBody else { return }
        let heredocs = waitingHeredocs
        waitingHeredocs = []
        isInHeredocBody = true
        defer { isInHeredocBody = false }
        let start = at
        for heredoc in heredocs { try body(of: heredoc) }
        heredocRanges.append(start..<at)
    }

    private mutating func body(of heredoc: Heredoc) throws(RubyDoubt) {
        var isJoined = false
        while true {
            guard at < codeEnd else { throw RubyDoubt(offset: heredoc.start, why: "a heredoc has no end") }
            if isEnd(of: heredoc, at: at) {
                if isJoined { throw RubyDoubt(offset: at, why: "a heredoc's last line is joined with the one above it") }
                at = lineEnd(from: at)
                return
            }
            isJoined = false
            let end = lineEnd(from: at)
            guard heredoc.interpolates else {
                at = end
                continue
            }
            while at < end {
                if text[at] == Ascii.backslash {
                    isJoined = byte(at + 1) == Ascii.newline
                    at = min(at + 2, end)
                } else if text[at] == Ascii.hash, byte(at + 1) == Ascii.leftBrace {
                    try interpolation()
                } else {
                    at += 1
                }
            }
        }
    }
}
