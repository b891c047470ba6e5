/// A change as `diff -u` prints it.
package enum UnifiedDiff {
    /// - Parameters:
    ///   - hiddenOld: lines (from 1) of the old text whose values are not shown; `hiddenNew` the same of the new one.
    package static func text(
        _ name: String, from old: [UInt8], to new: [UInt8], hiddenOld: Set<Int> = [], hiddenNew: Set<Int> = [], context: Int = 3
    ) -> String {
        let oldLines = Lines.split(old), newLines = Lines.split(new)
        let changes = LineDiff(old: oldLines, new: newLines).changes
        guard !changes.isEmpty else { return "" }
        var result = "--- \(name)\n+++ \(name)\n"
        var index = 0
        while index < changes.count {
            // Changes whose contexts touch share a hunk.
            var last = index
            while last + 1 < changes.count, changes[last + 1].oldRange.lowerBound - changes[last].oldRange.upperBound <= 2 * context { last += 1 }
            let group = changes[index...last]
            let before = min(context, changes[index].oldRange.lowerBound)
            let oldStart = changes[index].oldRange.lowerBound - before
            let newStart = changes[index].newRange.lowerBound - before
            let after = min(context, oldLines.count - changes[last].oldRange.upperBound)
            let oldEnd = changes[last].oldRange.upperBound + after
            let newEnd = changes[last].newRange.upperBound + after
            result += "@@ -\(range(oldStart, oldEnd)) +\(range(newStart, newEnd)) @@\n"
            var at = oldStart
            for change in group {
                for line in at..<change.oldRange.lowerBound { result += shown(" ", oldLines[line], hiddenOld.contains(line + 1)) }
                for line in change.oldRange { result += shown("-", oldLines[line], hiddenOld.contains(line + 1)) }
                for line in change.newRange { result += shown("+", newLines[line], hiddenNew.contains(line + 1)) }
                at = change.oldRange.upperBound
            }
            for line in at..<oldEnd { result += shown(" ", oldLines[line], hiddenOld.contains(line + 1)) }
            index = last + 1
        }
        return result
    }

    /// Number of the first line and count, as POSIX's `diff -u` counts.
    private static func range(_ start: Int, _ end: Int) -> String {
        let count = end - start
        return count == 1 ? "\(start + 1)" : "\(count == 0 ? start : start + 1),\(count)"
    }

    private static func shown(_ mark: String, _ line: ArraySlice<UInt8>, _ isHidden: Bool) -> String {
        let hasEnd = line.last == Ascii.newline
        var text = line
        if isHidden, let equals = line.firstIndex(of: Ascii.equals) {
            text = line[...equals] + Array(" ********".utf8) + (hasEnd ? [Ascii.newline] : [])
        } else if isHidden {
            text = Array("********".utf8) + (hasEnd ? [Ascii.newline] : [])
        }
        return mark + String(decoding: text, as: UTF8.self) + (hasEnd ? "" : "\n\\ No newline at end of file\n")
    }
}
