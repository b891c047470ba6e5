/// A Ruby attribute file (`packagecloud.rb`) as text whose settings can be changed while every other byte stays.
///
/// Pure: what reads and writes it is `ConfigFile`. Each change is checked by reading the result again. What can't be done for
/// certain is refused with the line, and nothing is changed.
package struct AttributeFile: Sendable {
    /// What a change did.
    package enum Change: Sendable, Hashable {
        /// It was so already.
        case none
        case replaced(line: Int)
        case uncommented(line: Int)
        case inserted(line: Int)
        case commentedOut(lines: [Int])
    }

    /// For messages.
    package let name: String
    package private(set) var text: [UInt8]
    private var outline: RubyOutline

    package init(_ text: [UInt8], name: String) throws(HostError) {
        self.name = name
        self.text = text
        if let encoding = RubyEncoding.refused(text) {
            throw HostError(
                .refused, "\(name) is written in \(encoding).", why: "Godwit edits files in UTF-8 and encodings that contain ASCII as it is.",
                cure: "Change the settings by hand.")
        }
        do {
            outline = try RubyOutline(text)
        } catch {
            throw Self.error(error, text, name)
        }
    }

    private static func error(_ doubt: RubyDoubt, _ text: [UInt8], _ name: String) -> HostError {
        HostError(
            .refused, "\(name), line \(LineTable.line(of: doubt.offset, in: text)), can't be read for certain: \(doubt.why).",
            why: "Nothing was changed.", cure: "See that `ruby -c` accepts the file, or change the settings by hand.")
    }

    private func refusal(_ setting: RubySetting, _ offset: Int, _ why: String) -> HostError {
        HostError(
            .refused, "\(name), line \(line(offset)): \(setting) \(why).", why: "Godwit changes only assignments of their own. Nothing was changed.",
            cure: "Change this setting by hand.")
    }

    private func line(_ offset: Int) -> Int { LineTable.line(of: offset, in: text) }

    // MARK: Reading

    /// The value that holds at the end of the file, where it is a literal; nil where the setting is not set, or not by a literal.
    package func value(of setting: RubySetting) -> RubyValue? {
        outline.assignments.last { $0.setting == setting }?.value
    }

    package func isSet(_ setting: RubySetting) -> Bool {
        outline.assignments.contains { $0.setting == setting }
    }

    /// Lines (from 1) that hold a secret's value, in code or in a comment.
    package var secretLines: Set<Int> {
        var lines: Set<Int> = []
        for assignment in outline.assignments where assignment.setting.isSecret {
            lines.formUnion(line(assignment.range.lowerBound)...line(max(assignment.range.lowerBound, assignment.bodyEnd - 1)))
        }
        for change in outline.otherChanges where change.setting.isSecret { lines.insert(line(change.offset)) }
        for comment in outline.freeComments where commented(comment)?.setting.isSecret ?? false {
            lines.insert(line(comment.lowerBound))
        }
        return lines
    }

    // MARK: Changing

    /// Makes the setting hold a value: the assignment that counts gets it, or a commented one with this value is uncommented, or
    /// a new line is put below the commented one, or at the end of the code.
    @discardableResult
    package mutating func set(_ setting: RubySetting, to value: RubyValue) throws(HostError) -> Change {
        try check(setting)
        let comments = outline.freeComments.filter { commented($0)?.setting == setting }
        if let last = outline.assignments.last(where: { $0.setting == setting }) {
            return try replace(last, by: value)
        }
        if let comment = comments.last(where: { commented($0)?.value == value }) {
            return try uncomment(comment, setting)
        }
        if let comment = comments.last {
            let end = text[comment.upperBound...].firstIndex(of: Ascii.newline).map { $0 + 1 } ?? text.count
            return try insert(setting, value, at: end, indent: indent(comment.lowerBound))
        }
        guard outline.mayGrow else {
            throw HostError(.refused, "\(name) ends in the middle of a statement.", cure: "Change the settings by hand.")
        }
        return try insert(setting, value, at: outline.codeEnd, indent: [])
    }

    /// Uncomments the last commented line of the setting, whatever its value; refuses where there is none.
    @discardableResult
    package mutating func uncomment(_ setting: RubySetting) throws(HostError) -> Change {
        try check(setting)
        if isSet(setting) { return .none }
        guard let comment = outline.freeComments.last(where: { commented($0)?.setting == setting }) else {
            throw HostError(.refused, "\(name) has no commented line of \(setting).", cure: "Set it with its value.")
        }
        return try uncomment(comment, setting)
    }

    /// Comments out every assignment of the setting.
    @discardableResult
    package mutating func commentOut(_ setting: RubySetting) throws(HostError) -> Change {
        try check(setting)
        let found = outline.assignments.filter { $0.setting == setting }
        guard !found.isEmpty else { return .none }
        let lines = found.map { line($0.range.lowerBound) }
        var result = text
        for assignment in found.reversed() {
            try checkOwnsLines(assignment)
            result.replaceSubrange(assignment.range.lowerBound..<assignment.bodyEnd, with: Self.commented(text[assignment.range.lowerBound..<assignment.bodyEnd]))
        }
        try take(result) { $0.isSet(setting) == false }
        return .commentedOut(lines: lines)
    }

    // MARK: How

    /// What could make an edit mean something else than it says.
    private func check(_ setting: RubySetting) throws(HostError) {
        if let other = outline.otherChanges.first(where: { $0.setting == setting }) {
            throw refusal(setting, other.offset, "is set in a block, together with others, or by an operator")
        }
        if let leaves = outline.leaves {
            throw HostError(
                .refused, "\(name), line \(line(leaves)): the file may end here.", why: "What stands below would not count. Nothing was changed.",
                cure: "Change the settings by hand.")
        }
    }

    private mutating func replace(_ assignment: RubyAssignment, by value: RubyValue) throws(HostError) -> Change {
        let setting = assignment.setting
        if assignment.isConditional {
            throw refusal(setting, assignment.range.lowerBound, "is set by something that is more than an assignment")
        }
        if assignment.value == value { return .none }
        let at = line(assignment.range.lowerBound)
        guard !assignment.hasHeredoc else {
            // Its body lies elsewhere: the whole is commented out, and the new line stands below.
            try checkOwnsLines(assignment)
            let range = assignment.range.lowerBound..<assignment.bodyEnd
            var new = Self.commented(text[range])
            if new.last != Ascii.newline { new += lineBreak(near: range.lowerBound) }
            new += indent(range.lowerBound) + source(setting, value) + lineBreak(near: range.lowerBound)
            var result = text
            result.replaceSubrange(range, with: new)
            try take(result) { $0.value(of: setting) == value }
            return .replaced(line: at)
        }
        var result = text
        let isDouble = text[assignment.valueRange.lowerBound] == Ascii.doubleQuote
        result.replaceSubrange(assignment.valueRange, with: value.source(doubleQuoted: isDouble))
        try take(result) { $0.value(of: setting) == value }
        return .replaced(line: at)
    }

    private mutating func uncomment(_ comment: Range<Int>, _ setting: RubySetting) throws(HostError) -> Change {
        guard let found = commented(comment) else { return .none }
        var result = text
        result.removeSubrange(comment.lowerBound..<found.start)
        try take(result) { $0.value(of: setting) == found.value }
        return .uncommented(line: line(comment.lowerBound))
    }

    private mutating func insert(
        _ setting: RubySetting, _ value: RubyValue, at offset: Int, indent: [UInt8]
    ) throws(HostError) -> Change {
        var new = indent + source(setting, value) + lineBreak(near: offset)
        if offset > 0, text[offset - 1] != Ascii.newline, !(offset == 3 && text[0] == 0xEF) { new = lineBreak(near: offset) + new }
        var result = text
        result.insert(contentsOf: new, at: offset)
        try take(result) { $0.value(of: setting) == value }
        return .inserted(line: LineTable.line(of: offset + new.count - 1, in: text))
    }

    /// Takes a new text over, if it reads as it should and nothing but the setting reads otherwise.
    private mutating func take(_ new: [UInt8], _ holds: (AttributeFile) -> Bool) throws(HostError) {
        let file = try AttributeFile(new, name: name)
        guard holds(file), RubyEncoding.declared(new) == RubyEncoding.declared(text) else {
            throw HostError(
                .failed, "The change of \(name) would not mean what it says.", why: "The new text was read again and compared. Nothing was changed.",
                cure: "Change the settings by hand.")
        }
        self = file
    }

    private func source(_ setting: RubySetting, _ value: RubyValue) -> [UInt8] {
        Array("\(setting) = ".utf8) + value.source()
    }

    private func indent(_ offset: Int) -> [UInt8] {
        let lineStart = text[..<offset].lastIndex(of: Ascii.newline).map { $0 + 1 } ?? 0
        return Array(text[lineStart..<offset].prefix { Ascii.isBlank($0) })
    }

    /// As the line before the offset ends, or the file's first.
    private func lineBreak(near offset: Int) -> [UInt8] {
        let end = text[..<min(offset, text.count)].lastIndex(of: Ascii.newline) ?? text.firstIndex(of: Ascii.newline)
        guard let end, end > 0, text[end - 1] == Ascii.carriageReturn else { return [Ascii.newline] }
        return [Ascii.carriageReturn, Ascii.newline]
    }

    /// A hash before the first byte, and before every further line.
    private static func commented(_ lines: ArraySlice<UInt8>) -> [UInt8] {
        var result = [Ascii.hash]
        for (offset, byte) in zip(lines.indices, lines) {
            result.append(byte)
            if byte == Ascii.newline, offset + 1 < lines.endIndex { result.append(Ascii.hash) }
        }
        return result
    }

    private func checkOwnsLines(_ assignment: RubyAssignment) throws(HostError) {
        let before = text[..<assignment.range.lowerBound]
        let lineStart = before.lastIndex(of: Ascii.newline).map { $0 + 1 } ?? (text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
        var rest = text[assignment.range.upperBound..<outline.codeEnd].prefix { $0 != Ascii.newline }[...]
        rest = rest.drop { Ascii.isBlank($0) || $0 == UInt8(ascii: ";") }
        let isAlone = before[lineStart...].allSatisfy { Ascii.isBlank($0) } && (rest.isEmpty || rest.first == Ascii.hash)
        guard isAlone else { throw refusal(assignment.setting, assignment.range.lowerBound, "shares its line with other code") }
        // A heredoc that another statement of the line began would be cut.
        let end = assignment.bodyEnd
        guard end == assignment.range.upperBound || text[end - 1] == Ascii.newline || end == text.count else {
            throw refusal(assignment.setting, assignment.range.lowerBound, "ends in the middle of a line")
        }
    }

    /// A comment that would be the assignment of a literal without its hash.
    private func commented(_ range: Range<Int>) -> (setting: RubySetting, value: RubyValue, start: Int)? {
        guard text[range.lowerBound] == Ascii.hash,
            let start = text[(range.lowerBound + 1)..<range.upperBound].firstIndex(where: { !Ascii.isBlank($0) }),
            let outline = try? RubyOutline(Array(text[start..<range.upperBound])), outline.assignments.count == 1,
            outline.otherChanges.isEmpty, let found = outline.assignments.first, let value = found.value, found.range.lowerBound == 0
        else { return nil }
        let rest = text[(start + found.range.upperBound)..<range.upperBound].drop { Ascii.isBlank($0) }
        guard rest.isEmpty || rest.first == Ascii.hash else { return nil }
        return (found.setting, value, start)
    }
}

/// Line numbers of byte offsets.
enum LineTable {
    /// From 1.
    static func line(of offset: Int, in text: [UInt8]) -> Int {
        text[..<min(offset, text.count)].reduce(1) { $1 == Ascii.newline ? $0 + 1 : $0 }
    }
}

/// A Ruby file's magic comment. Source: Ruby's manual, *Comments*, *Magic comments*.
enum RubyEncoding {
    /// The name that the first two lines declare, in lower case.
    static func declared(_ text: [UInt8]) -> String? {
        for line in text.split(separator: Ascii.newline, maxSplits: 2, omittingEmptySubsequences: false).prefix(2) {
            let words = String(decoding: line, as: UTF8.self)
            guard words.contains("#"), let match = words.firstMatch(of: /coding[:=]\s*([\w.-]+)/) else { continue }
            return String(match.1).lowercased()
        }
        return nil
    }

    /// The declared encoding, where a byte of ASCII may be part of another character in it, or it is not known.
    static func refused(_ text: [UInt8]) -> String? {
        guard let name = declared(text) else { return nil }
        let known = ["utf-8", "utf8", "us-ascii", "ascii", "ascii-8bit", "binary", "locale", "filesystem", "external"]
        let families = ["iso-8859", "windows-125", "cp125", "utf-8-", "euc-", "eucjp"]
        return known.contains(name) || families.contains { name.hasPrefix($0) } ? nil : name
    }
}
