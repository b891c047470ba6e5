/// One global transaction identifier: `uuid[:tag]:number`.
/// Source: MySQL manual, "GTID Format and Storage".
public struct GTID: Hashable, Sendable, CustomStringConvertible {
    /// The sixteen bytes of the server UUID, as two big-endian halves.
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

    public var description: String { tag.isEmpty ? "\(source):\(number)" : "\(source):\(tag):\(number)" }
}

/// A server UUID.
public struct SourceUUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    public var description: String { "" }
    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

/// Why a text is no GTID set.
public struct GTIDParseError: Error, Hashable, Sendable {
    public var text: String
    public var reason: String
}

/// A set of GTIDs: exact intervals per UUID and tag, never flattened to a maximum.
public struct GTIDSet: Hashable, Sendable, CustomStringConvertible {
    public init() {}
    /// Parses `uuid:1-5:7,uuid:tag:1-3`; white space and line breaks are ignored, the empty text is the empty set.
    public init(parsing text: String) throws(GTIDParseError) { throw GTIDParseError(text: text, reason: "skeleton") }
    public var isEmpty: Bool { true }
    /// Number of GTIDs in the set.
    public var count: Int64 { 0 }
    public func contains(_ gtid: GTID) -> Bool { false }
    public func isSubset(of other: GTIDSet) -> Bool { false }
    public func isDisjoint(with other: GTIDSet) -> Bool { false }
    public mutating func insert(_ gtid: GTID) {}
    public mutating func formUnion(_ other: GTIDSet) {}
    public func union(_ other: GTIDSet) -> GTIDSet { self }
    public func subtracting(_ other: GTIDSet) -> GTIDSet { self }
    /// Canonical text, as `@@gtid_executed` prints it without line breaks.
    public var description: String { "" }
    /// The SID block of COM_BINLOG_DUMP_GTID (tagged form only where a tag is present).
    public func encodedForDump() -> [UInt8] { [] }
    /// Decodes the same block, which is also the body of PREVIOUS_GTIDS_LOG_EVENT.
    public init(decodingDump bytes: [UInt8]) throws(GTIDParseError) { throw GTIDParseError(text: "", reason: "skeleton") }
}
