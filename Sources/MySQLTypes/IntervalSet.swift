/// Sorted, disjoint, non-adjacent half-open intervals of transaction numbers: the canonical form, so that equal
/// sets have equal intervals.
struct IntervalSet: Hashable, Sendable {
    private(set) var intervals: [Range<Int64>] = []

    init() {}

    /// `intervals` in any order, overlapping or not.
    init(normalizing intervals: [Range<Int64>]) {
        var merged: [Range<Int64>] = []
        merged.reserveCapacity(intervals.count)
        for interval in intervals.sorted(by: { $0.lowerBound < $1.lowerBound }) where !interval.isEmpty {
            if let last = merged.last, interval.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, interval.upperBound)
            } else {
                merged.append(interval)
            }
        }
        self.intervals = merged
    }

    var isEmpty: Bool { intervals.isEmpty }

    /// Number of members.
    var count: Int64 { intervals.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

    /// Index of the first interval that ends after `number`.
    private func index(endingAfter number: Int64) -> Int {
        // Streams append at the end: look there first.
        guard let last = intervals.last, number < last.upperBound else { return intervals.count }
        var low = 0
        var high = intervals.count - 1
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].upperBound > number { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func contains(_ number: Int64) -> Bool {
        let place = index(endingAfter: number)
        return place < intervals.count && intervals[place].lowerBound <= number
    }

    mutating func insert(_ number: Int64) {
        let place = index(endingAfter: number)
        if place < intervals.count, intervals[place].lowerBound <= number { return }
        let touchesBefore = place > 0 && intervals[place - 1].upperBound == number
        let touchesAfter = place < intervals.count && intervals[place].lowerBound == number + 1
        switch (touchesBefore, touchesAfter) {
        case (true, true):
            intervals[place - 1] = intervals[place - 1].lowerBound..<intervals[place].upperBound
            intervals.remove(at: place)
        case (true, false): intervals[place - 1] = intervals[place - 1].lowerBound..<(number + 1)
        case (false, true): intervals[place] = number..<intervals[place].upperBound
        case (false, false): intervals.insert(number..<(number + 1), at: place)
        }
    }

    mutating func formUnion(_ other: IntervalSet) {
        if other.isEmpty { return }
        self = IntervalSet(normalizing: intervals + other.intervals)
    }

    func subtracting(_ other: IntervalSet) -> IntervalSet {
        var rest: [Range<Int64>] = []
        var place = 0
        for interval in intervals {
            var start = interval.lowerBound
            while place < other.intervals.count, other.intervals[place].upperBound <= start { place += 1 }
            var cut = place
            while cut < other.intervals.count, other.intervals[cut].lowerBound < interval.upperBound {
                let hole = other.intervals[cut]
                if hole.lowerBound > start { rest.append(start..<hole.lowerBound) }
                start = max(start, hole.upperBound)
                cut += 1
            }
            if start < interval.upperBound { rest.append(start..<interval.upperBound) }
        }
        var result = IntervalSet()
        result.intervals = rest
        return result
    }

    func isSubset(of other: IntervalSet) -> Bool {
        intervals.allSatisfy { interval in
            let place = other.index(endingAfter: interval.lowerBound)
            return place < other.intervals.count && other.intervals[place].lowerBound <= interval.lowerBound
                && interval.upperBound <= other.intervals[place].upperBound
        }
    }

    func isDisjoint(with other: IntervalSet) -> Bool {
        var place = 0
        for interval in intervals {
            while place < other.intervals.count, other.intervals[place].upperBound <= interval.lowerBound { place += 1 }
            if place < other.intervals.count, other.intervals[place].lowerBound < interval.upperBound { return false }
        }
        return true
    }
}
