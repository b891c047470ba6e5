extension GTIDSet {
    /// Longest tag, characters. Source: MySQL manual, "GTID Format and Storage".
    static let maximumTagLength = 32

    /// Parses `uuid:1-5:7,uuid:tag:1-3` and `uuid:1-5:tag:1-3`; white space and line breaks are ignored, the empty
    /// text is the empty set. As for the server, a reversed interval (`5-3`) is empty and tags are folded to lower case.
    public init(parsing text: String) throws(GTIDParseError) {
        self.init()
        let bare = String(text.filter { !$0.isWhitespace })
        for part in bare.split(separator: ",", omittingEmptySubsequences: true) {
            try parse(source: part)
        }
    }

    private mutating func parse(source part: Substring) throws(GTIDParseError) {
        let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = pieces.first, let source = SourceUUID(first) else {
            throw GTIDParseError(text: String(part), reason: "a source starts with a UUID of 32 hexadecimal digits")
        }
        guard pieces.count > 1 else { throw GTIDParseError(text: String(part), reason: "no interval follows the UUID") }
        var tag = ""
        var tagIsOpen = false
        var intervals: [Range<Int64>] = []
        for piece in pieces.dropFirst() {
            guard let start = piece.utf8.first else { throw GTIDParseError(text: String(part), reason: "an interval is empty") }
            if start >= UInt8(ascii: "0"), start <= UInt8(ascii: "9") {
                intervals.append(try Self.interval(piece, in: part))
                tagIsOpen = false
            } else {
                if tagIsOpen { throw GTIDParseError(text: String(part), reason: "no interval follows the tag \(tag)") }
                insert(intervals, source: source, tag: tag)
                intervals = []
                tag = try Self.tag(piece, in: part)
                tagIsOpen = true
            }
        }
        if tagIsOpen { throw GTIDParseError(text: String(part), reason: "no interval follows the tag \(tag)") }
        insert(intervals, source: source, tag: tag)
    }

    private static func interval(_ piece: Substring, in part: Substring) throws(GTIDParseError) -> Range<Int64> {
        let ends = piece.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let start = number(ends[0]), let last = number(ends[ends.count - 1]) else {
            throw GTIDParseError(text: String(part), reason: "'\(piece)' is no interval of numbers 1 ... \(GTID.maximumNumber)")
        }
        return last < start ? start..<start : start..<(last + 1)
    }

    private static func number(_ digits: Substring) -> Int64? {
        guard digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let value = Int64(digits),
            value >= 1, value <= GTID.maximumNumber
        else { return nil }
        return value
    }

    private static func tag(_ piece: Substring, in part: Substring) throws(GTIDParseError) -> String {
        guard let tag = normalizedTag(Array(piece.utf8)) else {
            throw GTIDParseError(
                text: String(part), reason: "'\(piece)' is no tag (a letter or _, then letters, digits, _; at most 32)")
        }
        return tag
    }

    /// A tag in lower case, or nil where the bytes are none.
    package static func normalizedTag(_ bytes: [UInt8]) -> String? {
        guard (1...maximumTagLength).contains(bytes.count) else { return nil }
        var folded: [UInt8] = []
        for (place, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): folded.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded.append(byte | 0x20)
            case UInt8(ascii: "0")...UInt8(ascii: "9") where place > 0: folded.append(byte)
            default: return nil
            }
        }
        return String(decoding: folded, as: UTF8.self)
    }

    /// Canonical text, as `@@gtid_executed` prints it without line breaks: `uuid:1-5:tag:1-3,uuid:7`.
    public var description: String {
        var text = ""
        var last: SourceUUID?
        for entry in entries {
            if entry.source != last {
                if last != nil { text += "," }
                text += entry.source.description
                last = entry.source
            }
            if !entry.tag.isEmpty { text += ":" + entry.tag }
            for interval in entry.numbers.intervals {
                text += ":\(interval.lowerBound)"
                if interval.upperBound - interval.lowerBound > 1 { text += "-\(interval.upperBound - 1)" }
            }
        }
        return text
    }
}
