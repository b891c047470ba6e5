/// One global transaction identifier: `uuid[:tag]:number`.
/// Source: MySQL manual, "GTID Format and Storage".
public struct GTID: Hashable, Sendable, CustomStringConvertible {
    /// The UUID of the server that committed the transaction first.
    public var source: SourceUUID
    /// Lower-case tag (MySQL 8.3 and later), empty without one.
    public var tag: String
    /// Transaction number, 1 ... 2^63-2.
    public var number: Int64

    public init(source: SourceUUID, tag: String = "", number: Int64) {
        self.source = source
        self.tag = tag
        self.number = number
    }

    /// Greatest transaction number.
    public static let maximumNumber = Int64.max - 1

    public var description: String { tag.isEmpty ? "\(source):\(number)" : "\(source):\(tag):\(number)" }
}

/// Why a text, or a byte block, is no GTID set.
public struct GTIDParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The offending piece of the text; empty where bytes were decoded.
    public var text: String
    public var reason: String
    public init(text: String, reason: String) {
        self.text = text
        self.reason = reason
    }
    public var description: String { text.isEmpty ? "no GTID set: \(reason)" : "no GTID set: \(reason) at '\(text)'" }
}
