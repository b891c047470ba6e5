/// A value of a YAML or JSON document with the place it was read from, so that every refusal can name it.
struct DocumentNode: Sendable, Hashable {
    /// 1-based, in characters.
    struct Mark: Sendable, Hashable, CustomStringConvertible {
        var line: Int
        var column: Int
        var description: String { "\(line):\(column)" }
    }
    struct Entry: Sendable, Hashable {
        var key: String
        var mark: Mark
        var value: DocumentNode
    }
    enum Content: Sendable, Hashable {
        /// `plain` is false for quoted text: `"8"` is text, `8` may be a number, a truth value or null.
        case scalar(String, plain: Bool)
        case list([DocumentNode])
        case map([Entry])
    }
    var content: Content
    var mark: Mark

    /// Nothing was written here: JSON's null, YAML's `null`, `~` or an empty value.
    var isNull: Bool {
        if case .scalar(let text, plain: true) = content { ["", "~", "null", "Null", "NULL"].contains(text) } else { false }
    }

    /// What it is, without its value: a value may be a password.
    var kind: String {
        switch content {
        case .scalar(let text, plain: true) where Int(text) != nil: "a number"
        case .scalar(let text, plain: true) where text == "true" || text == "false": "a truth value"
        case .scalar: isNull ? "nothing" : "a text"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

/// Reads a document's nodes and words the refusals. Knows the file's name and nothing of the file system.
struct DocumentReader: Sendable, Hashable {
    /// As the operator named it, for messages.
    var file: String

    func error(_ mark: DocumentNode.Mark?, _ what: String, cure: String = "") -> EngineError {
        EngineError(.plan, "\(mark.map { "\(file):\($0)" } ?? file): \(what)", cure: cure)
    }

    /// The entries of a map by key; refuses keys that are not in `known`, naming the nearest one that is.
    func map(
        _ node: DocumentNode, _ subject: String, known: [String]
    ) throws(EngineError) -> [String: DocumentNode] {
        var result: [String: DocumentNode] = [:]
        for entry in try entries(node, subject) {
            guard known.contains(entry.key) else { throw unknown(entry, subject, known: known) }
            result[entry.key] = entry.value
        }
        return result
    }

    /// The entries of a map in the order written, each key once.
    func entries(_ node: DocumentNode, _ subject: String) throws(EngineError) -> [DocumentNode.Entry] {
        guard case .map(let entries) = node.content else {
            throw error(node.mark, "\(subject) must be a map, not \(node.kind).")
        }
        var seen: Set<String> = []
        for entry in entries where !seen.insert(entry.key).inserted {
            throw error(
                entry.mark, "\(subject) has the key \(entry.key) twice.", cure: "Keep the one that is meant.")
        }
        return entries
    }

    func unknown(_ entry: DocumentNode.Entry, _ subject: String, known: [String]) -> EngineError {
        let cure =
            Suggestion.nearest(to: entry.key, in: known).map { "Did you mean \($0)?" }
            ?? "Known keys: \(known.joined(separator: ", "))."
        return error(entry.mark, "\(subject) has no key \(entry.key).", cure: cure)
    }

    func list(_ node: DocumentNode, _ subject: String) throws(EngineError) -> [DocumentNode] {
        guard case .list(let items) = node.content else {
            throw error(node.mark, "\(subject) must be a list, not \(node.kind).")
        }
        return items
    }

    func text(_ node: DocumentNode, _ subject: String, emptyAllowed: Bool = false) throws(EngineError) -> String {
        guard case .scalar(let text, let plain) = node.content, !(plain && node.isNull) else {
            throw error(node.mark, "\(subject) must be a text, not \(node.kind).")
        }
        guard emptyAllowed || !text.isEmpty else { throw error(node.mark, "\(subject) is empty.") }
        return text
    }

    /// Also a number in quotes, as DMS's console writes some of them.
    func integer(
        _ node: DocumentNode, _ subject: String, in range: ClosedRange<Int>
    ) throws(EngineError) -> Int {
        guard case .scalar(let text, _) = node.content, let number = Int(text) else {
            throw error(
                node.mark,
                "\(subject) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(node.kind).")
        }
        guard range.contains(number) else {
            throw error(
                node.mark, "\(subject) is \(number), allowed are \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func truth(_ node: DocumentNode, _ subject: String) throws(EngineError) -> Bool {
        guard case .scalar(let text, _) = node.content, text == "true" || text == "false" else {
            throw error(node.mark, "\(subject) must be true or false, not \(node.kind).")
        }
        return text == "true"
    }

    /// One of the raw values of an enumeration, spelled exactly so.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: DocumentNode, _ subject: String, of type: Choice.Type = Choice.self
    ) throws(EngineError) -> Choice where Choice.RawValue == String {
        let written = try text(node, subject)
        if let choice = Choice(rawValue: written) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let nearest = Suggestion.nearest(to: written, in: known).map { " Did you mean \($0)?" } ?? ""
        throw error(
            node.mark, "\(subject) can't be \(written).",
            cure: "Allowed are \(known.joined(separator: ", ")).\(nearest)")
    }
}

/// The nearest known word to one that was mistyped.
enum Suggestion {
    /// nil where nothing is near: more than a third of the letters (at least two) would have to change.
    static func nearest(to word: String, in known: [String]) -> String? {
        let folded = normal(word)
        let limit = max(2, folded.count / 3)
        let ranked = known.map { (name: $0, distance: distance(folded, normal($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit else { return nil }
        return best.distance < max(folded.count, 1) ? best.name : nil
    }

    /// `switchBack`, `switch-back` and `switch_back` are near each other.
    private static func normal(_ word: String) -> [Character] {
        word.prefix(200).lowercased().filter { $0 != "-" && $0 != "_" }
    }

    /// Levenshtein's distance.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let cost = a == b ? diagonal : diagonal + 1
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
