import Foundation

/// One line of a task's log, as CloudWatch Logs shows an event.
struct LogLine: Equatable, Sendable {
    /// Milliseconds since 1970; the lines have whole seconds.
    var time: Int64
    var text: String

    /// `00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]I:  text`. A line without a time has that of the line before it.
    static func parse(_ bytes: some Sequence<UInt8>) -> [LogLine] {
        var last: Int64 = 0
        return Array(bytes).split(separator: UInt8(ascii: "\n")).map { line in
            let text = String(decoding: line, as: UTF8.self)
            let parts = text.split(separator: " ", maxSplits: 2)
            let digits = parts.count > 1 ? parts[1].filter { $0 != "-" && $0 != ":" } : ""
            if let date = SignatureVerifier.parse(digits + "Z") { last = Int64(date.timeIntervalSince1970) * 1000 }
            return LogLine(time: last, text: text)
        }
    }

    /// A place between two lines that stays the same while lines are added behind it and dropped before it: behind that many
    /// lines of that time.
    struct Mark: Equatable {
        var time: Int64
        var count: Int

        /// `f/1795401000000:3`
        func token(_ direction: Character) -> String { "\(direction)/\(time):\(count)" }

        static func parse(_ token: String) -> (direction: Character, mark: Mark)? {
            let parts = token.dropFirst(2).split(separator: ":")
            guard let direction = token.first, direction == "f" || direction == "b", token.dropFirst().first == "/", parts.count == 2,
                let time = Int64(parts[0]), let count = Int(parts[1]), count >= 0
            else { return nil }
            return (direction, Mark(time: time, count: count))
        }

        /// The mark before line `index`, or behind all lines.
        init(before index: Int, of lines: [LogLine]) {
            guard index > 0, index <= lines.count else {
                self.init(time: 0, count: 0)
                return
            }
            let time = lines[index - 1].time
            self.init(time: time, count: lines[..<index].reversed().prefix { $0.time == time }.count)
        }
        private init(time: Int64, count: Int) {
            self.time = time
            self.count = count
        }

        /// How many lines are before it.
        func index(in lines: [LogLine]) -> Int {
            let first = lines.firstIndex { $0.time >= time } ?? lines.count
            return first + lines[first...].prefix(count).prefix { $0.time == time }.count
        }
    }
}

/// A filter pattern of words: `term`, `"a phrase"`, `-not this`, `?any ?of these`. Source: CloudWatch Logs user guide, "Filter
/// pattern syntax"; its patterns for JSON, fields and regular expressions are not offered.
struct LogPattern {
    private var all: [String] = []
    private var any: [String] = []
    private var none: [String] = []

    init(_ text: String) throws(APIFault) {
        var rest = Substring(text)
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
                continue
            }
            let sign = first == "-" || first == "?" ? first : nil
            if sign != nil { rest.removeFirst() }
            guard let opening = rest.first, !"{[%".contains(opening) else {
                throw APIFault("InvalidParameterException", "Invalid filter pattern: only words and quoted phrases are offered here.")
            }
            let word: Substring
            if opening == "\"" {
                rest.removeFirst()
                guard let end = rest.firstIndex(of: "\"") else {
                    throw APIFault("InvalidParameterException", "Invalid filter pattern: a quotation mark has no end.")
                }
                word = rest[..<end]
                rest = rest[rest.index(after: end)...]
            } else {
                word = rest.prefix { !$0.isWhitespace }
                rest = rest.dropFirst(word.count)
            }
            switch sign {
            case "-": none.append(String(word))
            case "?": any.append(String(word))
            default: all.append(String(word))
            }
        }
    }

    func matches(_ text: String) -> Bool {
        all.allSatisfy(text.contains) && !none.contains(where: text.contains) && (any.isEmpty || any.contains(where: text.contains))
    }
}
