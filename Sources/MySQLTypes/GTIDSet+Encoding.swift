// The binary form of a GTID set, in COM_BINLOG_DUMP_GTID and in PREVIOUS_GTIDS_LOG_EVENT.
//
// Eight bytes hold the number of sources and, in the top byte, the format: 0 untagged, 1 tagged (MySQL 8.3 and
// later), where the count stands in bytes 1 ... 6 and the format in byte 0 as well, so that older servers see an
// absurd count. Then per source: UUID (16); in the tagged form the tag, its length doubled in one byte; number of
// intervals (8); per interval first number and number behind the last (8 + 8). All little-endian.
// Source: MySQL source documentation, class `Gtid_set`.

extension GTIDSet {
    /// The SID block of COM_BINLOG_DUMP_GTID (tagged form only where a tag is present).
    public func encodedForDump() -> [UInt8] {
        let tagged = hasTags
        var bytes: [UInt8] = []
        let count = UInt64(entries.count)
        Self.append(tagged ? 1 << 56 | count << 8 | 1 : count, to: &bytes)
        for entry in entries {
            bytes += entry.source.bytes
            if tagged {
                bytes.append(UInt8(truncatingIfNeeded: entry.tag.utf8.count << 1))
                bytes += Array(entry.tag.utf8)
            }
            Self.append(UInt64(entry.numbers.intervals.count), to: &bytes)
            for interval in entry.numbers.intervals {
                Self.append(UInt64(bitPattern: interval.lowerBound), to: &bytes)
                Self.append(UInt64(bitPattern: interval.upperBound), to: &bytes)
            }
        }
        return bytes
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(shift)))) }
    }

    /// Decodes the same block, which is also the body of PREVIOUS_GTIDS_LOG_EVENT. All bytes must be used.
    public init(decodingDump bytes: [UInt8]) throws(GTIDParseError) {
        self.init()
        var reader = BlockReader(bytes: bytes)
        let header = try reader.number("number of sources")
        let tagged = header >> 56 == 1
        guard header >> 56 <= 1 else { throw GTIDParseError(text: "", reason: "unknown format \(header >> 56)") }
        let sources = tagged ? (header >> 8) & 0xffff_ffff_ffff : header
        // Each source takes at least 24 bytes: a count beyond that is corrupt, and is not looped over.
        guard sources <= UInt64(bytes.count / 24) else {
            throw GTIDParseError(text: "", reason: "\(sources) sources do not fit in \(bytes.count) bytes")
        }
        for _ in 0..<sources {
            guard let source = SourceUUID(bytes: bytes, at: reader.position) else {
                throw GTIDParseError(text: "", reason: "truncated in a UUID")
            }
            reader.position += 16
            let tag = tagged ? try reader.tag() : ""
            insert(try reader.intervals(), source: source, tag: tag)
        }
        guard reader.position == bytes.count else {
            throw GTIDParseError(text: "", reason: "\(bytes.count - reader.position) bytes behind the last interval")
        }
    }
}

private struct BlockReader {
    var bytes: [UInt8]
    var position = 0

    mutating func number(_ what: String) throws(GTIDParseError) -> UInt64 {
        guard bytes.count - position >= 8 else { throw GTIDParseError(text: "", reason: "truncated in the \(what)") }
        var value: UInt64 = 0
        for place in 0..<8 { value |= UInt64(bytes[position + place]) << (8 * UInt64(place)) }
        position += 8
        return value
    }

    mutating func tag() throws(GTIDParseError) -> String {
        guard position < bytes.count else { throw GTIDParseError(text: "", reason: "truncated in a tag") }
        let length = Int(bytes[position] >> 1)
        guard bytes[position] & 1 == 0, length <= GTIDSet.maximumTagLength, bytes.count - position > length else {
            throw GTIDParseError(text: "", reason: "a tag's length is wrong")
        }
        position += 1
        if length == 0 { return "" }
        let text = Array(bytes[position..<(position + length)])
        guard let tag = GTIDSet.normalizedTag(text) else { throw GTIDParseError(text: "", reason: "a tag has forbidden bytes") }
        position += length
        return tag
    }

    mutating func intervals() throws(GTIDParseError) -> [Range<Int64>] {
        let count = try number("number of intervals")
        guard count <= UInt64((bytes.count - position) / 16) else {
            throw GTIDParseError(text: "", reason: "\(count) intervals do not fit in the block")
        }
        var intervals: [Range<Int64>] = []
        intervals.reserveCapacity(Int(count))
        for _ in 0..<count {
            let start = try number("start of an interval")
            let end = try number("end of an interval")
            guard start >= 1, start < end, end <= UInt64(Int64.max) else {
                throw GTIDParseError(text: "", reason: "\(start) ..< \(end) is no interval")
            }
            intervals.append(Int64(start)..<Int64(end))
        }
        return intervals
    }
}
