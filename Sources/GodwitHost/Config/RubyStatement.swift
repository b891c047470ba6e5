/// `mysql['port']`: a setting of an attribute file, by the object and the keys that lead to it.
package struct RubySetting: Sendable, Hashable, CustomStringConvertible {
    /// A lower-case Ruby name.
    package var receiver: String
    package var keys: [String]

    package init(_ receiver: String, _ keys: String...) {
        self.receiver = receiver
        self.keys = keys
    }
    init(receiver: String, keys: [String]) {
        self.receiver = receiver
        self.keys = keys
    }

    package var description: String {
        receiver + keys.map { "[" + String(decoding: RubyValue.text($0).source(), as: UTF8.self) + "]" }.joined()
    }

    /// Does its value look like one that no report may show?
    package var isSecret: Bool {
        let name = (keys.last ?? "").lowercased()
        return ["password", "passwd", "secret", "token", "key", "credential"].contains { name.contains($0) }
    }
}

/// An assignment to a setting that is a statement of its own, outside of every block.
struct RubyAssignment: Sendable, Hashable {
    var setting: RubySetting
    /// From the first byte of the statement to behind its last; a heredoc's body is not in it.
    var range: Range<Int>
    /// What stands behind the equals sign, to the statement's end.
    var valueRange: Range<Int>
    /// The value is one literal, and this is what it means.
    var value: RubyValue?
    /// Something decides whether it is carried out at all (`… if x`), or the value is not all of it.
    var isConditional: Bool
    var hasHeredoc: Bool
    /// Offset of the terminator that ends the statement, or of the end of the code.
    var end: Int
    /// Offset behind the last byte that belongs to it, bodies of heredocs included; not in the middle of a line where it has one.
    var bodyEnd: Int
}

/// All that matters of a Ruby file to whoever edits settings.
struct RubyOutline: Sendable {
    /// In the order of the file.
    var assignments: [RubyAssignment] = []
    /// Settings that are changed in another way than by such an assignment: in a block, together with others, by an operator.
    var otherChanges: [(setting: RubySetting, offset: Int)] = []
    /// Comments that are on lines of their own, at places where a statement may stand.
    var freeComments: [Range<Int>] = []
    /// Offsets of all statements outside of every block.
    var starts: [Int] = []
    /// Offset of a statement that ends the script early, outside of every block.
    var leaves: Int?
    var codeEnd: Int
    /// The file could take another statement at the end of its code.
    var mayGrow: Bool

    init(_ text: [UInt8]) throws(RubyDoubt) {
        let lexer = try RubyLexer.read(text)
        codeEnd = lexer.codeEnd
        mayGrow = lexer.mayGrow
        var index = 0
        let tokens = lexer.tokens
        while index < tokens.count {
            let token = tokens[index]
            if token.kind == .comment, token.startsStatement, token.depth == 0, Self.isAlone(token, text) {
                freeComments.append(token.range)
            }
            guard token.startsStatement, token.kind != .comment, token.kind != .terminator else {
                index += 1
                continue
            }
            let end = tokens[index...].firstIndex { $0.kind == .terminator && $0.depth == 0 } ?? tokens.count
            let statement = tokens[index..<end].filter { $0.kind != .comment }
            starts.append(token.range.lowerBound)
            take(statement, text, end: end < tokens.count ? tokens[end].range.lowerBound : codeEnd, lexer.heredocRanges)
            index = end
        }
    }

    private static func isAlone(_ token: RubyToken, _ text: [UInt8]) -> Bool {
        guard text[token.range.lowerBound] == Ascii.hash else { return false }
        let before = text[..<token.range.lowerBound]
        let lineStart = before.lastIndex(of: Ascii.newline).map { $0 + 1 } ?? 0
        return before[lineStart...].allSatisfy { Ascii.isBlank($0) }
    }

    private mutating func take(_ statement: [RubyToken], _ text: [UInt8], end: Int, _ heredocs: [Range<Int>]) {
        guard let first = statement.first, let last = statement.last else { return }
        let isReturn = first.kind == .keyword && text[first.range].elementsEqual("return".utf8)
        let isCall = first.kind == .name && ["exit", "abort", "raise", "exit!"].contains { text[first.range].elementsEqual($0.utf8) }
        if isReturn || isCall, leaves == nil { leaves = first.range.lowerBound }
        let bodies = heredocs.filter { first.range.lowerBound < $0.lowerBound && $0.lowerBound <= end + 1 }
        let bodyEnd = bodies.reduce(last.range.upperBound) { max($0, $1.upperBound) }
        var startOfRest = 0
        if let (setting, next) = Self.setting(in: statement, at: 0, text), next < statement.count,
            Self.isEquals(statement[next], text), next + 1 < statement.count
        {
            let value = Array(statement[(next + 1)...])
            let range = value[0].range.lowerBound..<last.range.upperBound
            assignments.append(
                RubyAssignment(
                    setting: setting, range: first.range.lowerBound..<last.range.upperBound, valueRange: range,
                    value: Self.literal(value, text), isConditional: value.contains { Self.splits($0, text) },
                    hasHeredoc: value.contains { $0.kind == .heredoc }, end: end, bodyEnd: bodyEnd))
            startOfRest = next
        }
        noteOthers(statement, from: startOfRest, text)
    }

    /// Every other place where a setting is assigned to: directly before any assignment operator, or left of a comma before one.
    private mutating func noteOthers(_ statement: [RubyToken], from start: Int, _ text: [UInt8]) {
        var targets: [(RubySetting, Int)] = []
        var index = start
        while index < statement.count {
            guard let (setting, next) = Self.setting(in: statement, at: index, text) else {
                if Self.isAssignment(statement[index], text), index > start {
                    otherChanges += targets.map { (setting: $0.0, offset: $0.1) }
                    targets = []
                } else if !Self.mayStandBetweenTargets(statement[index], text) {
                    targets = []
                }
                index += 1
                continue
            }
            targets.append((setting, statement[index].range.lowerBound))
            index = next
        }
    }

    private static func mayStandBetweenTargets(_ token: RubyToken, _ text: [UInt8]) -> Bool {
        switch token.kind {
        case .name, .open, .close, .variable, .string, .symbol, .number: true
        case .operator: [",", "*", "."].contains { text[token.range].elementsEqual($0.utf8) }
        default: false
        }
    }

    /// `name['key']['key']` at an index, and the index behind it.
    private static func setting(in tokens: [RubyToken], at index: Int, _ text: [UInt8]) -> (RubySetting, Int)? {
        guard tokens[index].kind == .name else { return nil }
        if index > 0, tokens[index - 1].kind == .operator, [".", "&.", "::"].contains(where: { text[tokens[index - 1].range].elementsEqual($0.utf8) }) {
            return nil
        }
        var keys: [String] = []
        var next = index + 1
        while next + 2 < tokens.count, tokens[next].kind == .open, text[tokens[next].range.lowerBound] == UInt8(ascii: "["),
            tokens[next + 2].kind == .close, let key = key(tokens[next + 1], text)
        {
            keys.append(key)
            next += 3
        }
        guard !keys.isEmpty else { return nil }
        return (RubySetting(receiver: String(decoding: text[tokens[index].range], as: UTF8.self), keys: keys), next)
    }

    private static func key(_ token: RubyToken, _ text: [UInt8]) -> String? {
        guard token.kind == .string(isPlain: true) || token.kind == .symbol else { return nil }
        return RubyText.decode(text[token.range]).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func isEquals(_ token: RubyToken, _ text: [UInt8]) -> Bool {
        token.kind == .operator && text[token.range].elementsEqual([Ascii.equals])
    }

    private static func isAssignment(_ token: RubyToken, _ text: [UInt8]) -> Bool {
        guard token.kind == .operator, text[token.range].last == Ascii.equals else { return false }
        return !["==", "===", "!=", "<=", ">="].contains { text[token.range].elementsEqual($0.utf8) }
    }

    /// A word that makes one statement of two, or a condition of one.
    private static func splits(_ token: RubyToken, _ text: [UInt8]) -> Bool {
        switch token.kind {
        case .keyword:
            token.depth == 0 && ["if", "unless", "while", "until", "rescue", "and", "or"].contains { text[token.range].elementsEqual($0.utf8) }
        case .operator: token.depth == 0 && isAssignment(token, text)
        default: false
        }
    }

    /// The value of one literal, with a sign or without.
    private static func literal(_ value: [RubyToken], _ text: [UInt8]) -> RubyValue? {
        guard let first = value.first, let last = value.last else { return nil }
        if value.count == 2, first.kind == .operator, text[first.range].elementsEqual("-".utf8), last.kind == .number,
            first.range.upperBound == last.range.lowerBound
        {
            return RubyValue(source: text[first.range.lowerBound..<last.range.upperBound])
        }
        guard value.count == 1 else { return nil }
        switch first.kind {
        case .number, .keyword, .string(isPlain: true): return RubyValue(source: text[first.range])
        default: return nil
        }
    }
}
