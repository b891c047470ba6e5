/// A pattern over schema or table names.
///
/// DMS: `%` any characters, `_` exactly one, `[_]` that character itself, `[ab]` one of a set, `[a-d]` one of a range.
/// Godwit's own: `*` and `?`, all else literal. Source: DMS user guide, "Wildcards in table mapping".
struct NamePattern: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal(Character)
        case any
        case one
        /// Any character within one of these ranges.
        case oneOf([ClosedRange<Character>])
    }
    /// As written.
    var text: String
    private(set) var parts: [Part]
    /// The name this pattern stands for when its author meant no wildcard: `_` as itself. nil with `%`, `*`, `?`, sets.
    let plainName: String?
    /// An unescaped `_` of a DMS pattern.
    let hasUnderscore: Bool

    struct Malformed: Error { var reason: String }

    /// Matches this name and no other (DMS's `explicit`).
    init(exactly name: String) {
        text = name
        parts = name.map(Part.literal)
        plainName = name
        hasUnderscore = false
    }

    /// `*` and `?`.
    init(glob text: String) {
        self.text = text
        parts = text.map { $0 == "*" ? .any : $0 == "?" ? .one : .literal($0) }
        plainName = parts.contains(.any) || parts.contains(.one) ? nil : text
        hasUnderscore = false
    }

    /// DMS's notation.
    init(dms text: String) throws(Malformed) {
        self.text = text
        var parts: [Part] = []
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "%": parts.append(.any)
            case "_": parts.append(.one)
            case "[": parts.append(try Self.set(&rest))
            default: parts.append(.literal(character))
            }
        }
        self.parts = parts
        hasUnderscore = parts.contains(.one)
        var name = ""
        var isPlain = true
        for part in parts {
            switch part {
            case .literal(let character): name.append(character)
            case .one: name.append("_")
            case .any, .oneOf: isPlain = false
            }
        }
        plainName = isPlain ? name : nil
    }

    /// What follows a `[`, to its `]`. A set of one character is that character.
    private static func set(_ rest: inout Substring) throws(Malformed) -> Part {
        guard let end = rest.firstIndex(of: "]") else { throw Malformed(reason: "a [ has no ]") }
        let members = Array(rest[..<end])
        rest = rest[rest.index(after: end)...]
        guard !members.isEmpty else { throw Malformed(reason: "[] is empty") }
        if members.count == 1 { return .literal(members[0]) }
        var ranges: [ClosedRange<Character>] = []
        var index = 0
        while index < members.count {
            if index + 2 < members.count, members[index + 1] == "-" {
                guard members[index] <= members[index + 2] else {
                    throw Malformed(reason: "the range \(members[index])-\(members[index + 2]) is empty")
                }
                ranges.append(members[index]...members[index + 2])
                index += 3
            } else {
                ranges.append(members[index]...members[index])
                index += 1
            }
        }
        return .oneOf(ranges)
    }

    /// Stands for every name of a kind, so the server's own schemas are not meant.
    var isWildcard: Bool { plainName == nil }

    /// `_` taken as the character itself, other wildcards kept.
    var underscoresLiteral: NamePattern {
        var copy = self
        copy.parts = parts.map { $0 == .one ? .literal("_") : $0 }
        return copy
    }

    /// `foldsCase`: the server compares names without regard to case (lower_case_table_names is not 0).
    func matches(_ name: String, foldsCase: Bool) -> Bool {
        let name = Array(foldsCase ? name.lowercased() : name)
        // Greedy matching with one point to go back to: linear but for patterns with many %, never exponential.
        var at = 0
        var part = 0
        var resume: (part: Int, at: Int)?
        while at < name.count {
            if part < parts.count, parts[part] == .any {
                part += 1
                resume = (part, at)
            } else if part < parts.count, Self.accepts(parts[part], name[at], foldsCase) {
                part += 1
                at += 1
            } else if let point = resume {
                part = point.part
                at = point.at + 1
                resume = (part, at)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .any }
    }

    private static func accepts(_ part: Part, _ character: Character, _ foldsCase: Bool) -> Bool {
        switch part {
        case .any, .one: true
        case .literal(let literal): foldsCase ? literal.lowercased() == String(character) : literal == character
        case .oneOf(let ranges):
            ranges.contains { $0.contains(character) }
                || foldsCase && ranges.contains { range in character.uppercased().first.map(range.contains) ?? false }
        }
    }

    /// The author wrote exactly this name.
    func names(_ name: String, foldsCase: Bool) -> Bool {
        guard let plainName else { return false }
        return foldsCase ? plainName.lowercased() == name.lowercased() : plainName == name
    }
}
