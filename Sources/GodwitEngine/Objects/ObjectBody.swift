import Foundation

/// The part of a trigger, routine or event that the server keeps as it was written: everything behind the head. Each family prints
/// heads in its own way.
enum ObjectBody {
    /// Without spaces at the end; nil where the text is not as servers print it, and for views, which have no such part.
    static func text(_ object: ObjectDefinition) -> Data? {
        range(object).map { Data(Array(object.statement)[$0]) }
    }

    /// The same, as bytes of the statement counted from its first.
    static func range(_ object: ObjectDefinition) -> Range<Int>? {
        let bytes = Array(object.statement)
        guard let tokens = try? SQLTokenizer.tokens(of: bytes, quoting: SQLQuoting(modes: object.sqlMode ?? "")) else { return nil }
        var head = Head(tokens: tokens, bytes: bytes)
        let first: Int?
        switch object.kind {
        case .view: first = nil
        case .trigger: first = head.behindTrigger()
        case .event: first = head.behindEvent()
        case .procedure: first = head.behindParameters()
        case .function: first = head.behindResult()
        }
        guard let first, tokens.indices.contains(first), let last = tokens.last else { return nil }
        return tokens[first].range.lowerBound..<last.range.upperBound
    }

    private struct Head {
        let tokens: [SQLToken]
        let bytes: [UInt8]

        func keyword(_ index: Int) -> String {
            guard tokens.indices.contains(index), tokens[index].kind == .word else { return "" }
            return String(decoding: bytes[tokens[index].range], as: UTF8.self).uppercased()
        }

        func behindTrigger() -> Int? {
            guard let row = tokens.indices.first(where: { keyword($0) == "ROW" && keyword($0 - 1) == "EACH" }) else { return nil }
            // SHOW CREATE prints no place among other triggers, but a text may have one.
            return ["FOLLOWS", "PRECEDES"].contains(keyword(row + 1)) ? row + 3 : row + 1
        }

        func behindEvent() -> Int? { tokens.indices.first { keyword($0) == "DO" }.map { $0 + 1 } }

        /// Behind the parameters and what stands between them and the body.
        mutating func behindParameters() -> Int? { group().map(behindCharacteristics) }

        mutating func behindResult() -> Int? {
            guard let end = group(), keyword(end) == "RETURNS" else { return nil }
            var at = end + 2
            if tokens.indices.contains(at), tokens[at].kind == .open { at = close(at) ?? at }
            while true {
                switch keyword(at) {
                case "UNSIGNED", "SIGNED", "ZEROFILL", "BINARY", "PRECISION", "VARYING": at += 1
                case "CHARSET", "COLLATE": at += 2
                case "CHARACTER" where keyword(at + 1) == "SET": at += 3
                default: return behindCharacteristics(at)
                }
            }
        }

        private func group() -> Int? {
            guard let open = tokens.indices.first(where: { tokens[$0].kind == .open }) else { return nil }
            return close(open)
        }

        private func close(_ open: Int) -> Int? {
            var depth = 0
            for index in open..<tokens.count {
                if tokens[index].kind == .open { depth += 1 }
                if tokens[index].kind == .close { depth -= 1 }
                if depth == 0 { return index + 1 }
            }
            return nil
        }

        /// Source: MySQL manual, "CREATE PROCEDURE and CREATE FUNCTION Statements", characteristics.
        private func behindCharacteristics(_ start: Int) -> Int {
            var at = start
            while true {
                switch (keyword(at), keyword(at + 1)) {
                case ("COMMENT", _), ("LANGUAGE", _), ("CONTAINS", "SQL"), ("NO", "SQL"), ("NOT", "DETERMINISTIC"): at += 2
                case ("DETERMINISTIC", _): at += 1
                case ("READS", "SQL"), ("MODIFIES", "SQL"), ("SQL", "SECURITY"): at += 3
                default: return at
                }
            }
        }
    }
}
