/// The filter table of one family as `iptables -S` prints it.
struct IPTablesRules: Sendable, Hashable {
    struct Chain: Sendable, Hashable {
        var policy: String?
        var rules: [[String]] = []

        /// Whether a packet for a port may be refused here: by the policy, or by a rule that isn't plainly an ACCEPT.
        var canRefuse: Bool {
            let harmless: Set<String> = ["ACCEPT", "LOG", "NFLOG", "MARK", "CONNMARK"]
            return (policy ?? "ACCEPT") != "ACCEPT"
                || rules.contains { rule in
                    // A rule without a target only counts.
                    guard let at = rule.firstIndex(where: { $0 == "-j" || $0 == "-g" }), at + 1 < rule.count else { return false }
                    return !harmless.contains(rule[at + 1])
                }
        }
    }
    var chains: [String: Chain] = [:]

    init() {}

    init(_ text: String) throws(HostError) {
        for line in text.split(separator: "\n") {
            let words = try IPTablesText.words(line)
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "-P": chains[words[1], default: Chain()].policy = words.count > 2 ? words[2] : nil
            case "-N": chains[words[1], default: Chain()].policy = nil
            case "-A": chains[words[1], default: Chain()].rules.append(Array(words[2...]))
            default: throw HostError(.failed, "The line '\(line)' of `iptables -S` is not understood.", why: "Nothing was changed.")
            }
        }
    }

    /// Somebody keeps rules here.
    var isUsed: Bool { chains.values.contains { !$0.rules.isEmpty || ($0.policy ?? "ACCEPT") != "ACCEPT" } }

    static func isMarked(_ rule: [String], _ mark: String) -> Bool {
        zip(rule, rule.dropFirst()).contains { $0 == "--comment" && $1 == mark }
    }
}

/// Words of `iptables -S` and `iptables-restore`.
enum IPTablesText {
    static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 39 && $0 != 92 && $0 < 127 }
        guard !isPlain else { return word }
        return "\"" + word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    static func words(_ line: Substring) throws(HostError) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false, isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character == " ", !isQuoted {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard !isQuoted, !isEscaped else { throw HostError(.failed, "The line '\(line)' of `iptables -S` has no end.", why: "Nothing was changed.") }
        if let whole = word { words.append(whole) }
        return words
    }
}
