/// MariaDB's global transaction id: `domain-server-sequence`, for example `0-7-1234`. Inside a domain the sequence grows
/// along the log; the server part says who wrote the transaction first.
/// Source: MariaDB manual, "Global Transaction ID".
public struct MariaDBGTID: Hashable, Sendable, CustomStringConvertible {
    public var domain: UInt32
    public var server: UInt32
    public var sequence: UInt64

    public init(domain: UInt32, server: UInt32, sequence: UInt64) {
        self.domain = domain
        self.server = server
        self.sequence = sequence
    }

    /// nil for anything but three decimal numbers in their ranges, joined by hyphens.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let domain = UInt32(parts[0]), let server = UInt32(parts[1]), let sequence = UInt64(parts[2])
        else { return nil }
        self.init(domain: domain, server: server, sequence: sequence)
    }

    public var description: String { "\(domain)-\(server)-\(sequence)" }
}

/// The last transaction of each domain: what MariaDB calls a GTID position (`gtid_binlog_pos`, `gtid_slave_pos`). Unlike MySQL's
/// set it has no gaps: a domain stands at one place.
public struct MariaDBGTIDPosition: Hashable, Sendable, CustomStringConvertible {
    /// By domain id.
    public private(set) var last: [UInt32: MariaDBGTID]

    public init() { last = [:] }

    /// `0-7-1234,1-8-5` in any order, as the server prints it; an empty text is the start of everything. A domain that
    /// is named twice is an error.
    public init(parsing text: some StringProtocol) throws(GTIDParseError) {
        last = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            guard let gtid = MariaDBGTID(String(part.filter { !$0.isWhitespace })) else {
                throw GTIDParseError(text: String(part), reason: "no GTID of MariaDB (domain-server-sequence)")
            }
            guard last.updateValue(gtid, forKey: gtid.domain) == nil else {
                throw GTIDParseError(text: String(part), reason: "domain \(gtid.domain) is there twice")
            }
        }
    }

    public var isEmpty: Bool { last.isEmpty }

    /// Moves the transaction's domain there, whatever stood before: the log decides the order, not the numbers.
    public mutating func advance(to gtid: MariaDBGTID) { last[gtid.domain] = gtid }

    /// Is the transaction at or before this position? A domain that the position does not name stands before its start.
    public func covers(_ gtid: MariaDBGTID) -> Bool { (last[gtid.domain]?.sequence ?? 0) >= gtid.sequence }

    /// Is everything up to `other` at or before this position, domain by domain?
    public func covers(_ other: MariaDBGTIDPosition) -> Bool { other.last.values.allSatisfy(covers) }

    /// Ordered by domain, as `@slave_connect_state` takes it.
    public var description: String {
        last.values.sorted { $0.domain < $1.domain }.map(\.description).joined(separator: ",")
    }
}
