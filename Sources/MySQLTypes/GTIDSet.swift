/// A set of GTIDs: exact intervals per UUID and tag, never flattened to a maximum.
/// Source: MySQL manual, "GTID Sets".
public struct GTIDSet: Hashable, Sendable, CustomStringConvertible {
    /// The numbers of one UUID and tag.
    struct Entry: Hashable, Sendable {
        var source: SourceUUID
        var tag: String
        var numbers: IntervalSet

        func precedes(_ source: SourceUUID, _ tag: String) -> Bool {
            self.source == source ? self.tag.utf8.lexicographicallyPrecedes(tag.utf8) : self.source < source
        }
    }

    /// Sorted by UUID, then tag (the untagged first); none is empty. So equal sets are equal values.
    var entries: [Entry] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// Number of GTIDs in the set; `Int64.max` where there are more.
    public var count: Int64 {
        var total: Int64 = 0
        for entry in entries {
            let (sum, overflow) = total.addingReportingOverflow(entry.numbers.count)
            if overflow { return .max }
            total = sum
        }
        return total
    }

    /// Whether any GTID in the set carries a tag (MySQL 8.3 and later).
    public var hasTags: Bool { entries.contains { !$0.tag.isEmpty } }

    /// The servers that the set names, each once, in order.
    public var sources: [SourceUUID] {
        var result: [SourceUUID] = []
        for entry in entries where result.last != entry.source { result.append(entry.source) }
        return result
    }

    /// Index of the entry of this UUID and tag, or where it belongs.
    private func place(_ source: SourceUUID, _ tag: String) -> (index: Int, found: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].precedes(source, tag) { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].source == source && entries[low].tag == tag)
    }

    private func numbers(_ source: SourceUUID, _ tag: String) -> IntervalSet? {
        let (index, found) = place(source, tag)
        return found ? entries[index].numbers : nil
    }

    public func contains(_ gtid: GTID) -> Bool {
        numbers(gtid.source, gtid.tag)?.contains(gtid.number) ?? false
    }

    public func isSubset(of other: GTIDSet) -> Bool {
        entries.allSatisfy { entry in
            other.numbers(entry.source, entry.tag).map { entry.numbers.isSubset(of: $0) } ?? false
        }
    }

    public func isDisjoint(with other: GTIDSet) -> Bool {
        entries.allSatisfy { entry in
            other.numbers(entry.source, entry.tag).map { entry.numbers.isDisjoint(with: $0) } ?? true
        }
    }

    /// Adds one GTID. Numbers outside 1 ... 2^63-2 are no GTIDs and are not added.
    public mutating func insert(_ gtid: GTID) {
        guard gtid.number >= 1, gtid.number <= GTID.maximumNumber else { return }
        let (index, found) = place(gtid.source, gtid.tag)
        if !found { entries.insert(Entry(source: gtid.source, tag: gtid.tag, numbers: IntervalSet()), at: index) }
        entries[index].numbers.insert(gtid.number)
    }

    /// Adds the numbers of `intervals` (half-open, within 1 ..< 2^63-1) of one UUID and tag.
    mutating func insert(_ intervals: [Range<Int64>], source: SourceUUID, tag: String) {
        let added = IntervalSet(normalizing: intervals)
        if added.isEmpty { return }
        let (index, found) = place(source, tag)
        if found {
            entries[index].numbers.formUnion(added)
        } else {
            entries.insert(Entry(source: source, tag: tag, numbers: added), at: index)
        }
    }

    public mutating func formUnion(_ other: GTIDSet) {
        for entry in other.entries { insert(entry.numbers.intervals, source: entry.source, tag: entry.tag) }
    }

    public func union(_ other: GTIDSet) -> GTIDSet {
        var result = self
        result.formUnion(other)
        return result
    }

    public func subtracting(_ other: GTIDSet) -> GTIDSet {
        var result = GTIDSet()
        result.entries = entries.compactMap { entry in
            guard let removed = other.numbers(entry.source, entry.tag) else { return entry }
            let rest = entry.numbers.subtracting(removed)
            return rest.isEmpty ? nil : Entry(source: entry.source, tag: entry.tag, numbers: rest)
        }
        return result
    }

    public func intersection(_ other: GTIDSet) -> GTIDSet { subtracting(subtracting(other)) }
}
