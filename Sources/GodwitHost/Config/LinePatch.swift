import Crypto
import Foundation

/// What a change made of a text, by lines, and the way back; lines hold their line breaks.
///
/// Of the new lines only hashes are kept: they may hold a password, and are needed for finding them again only.
package struct LinePatch: Sendable, Hashable, Codable {
    package struct Hunk: Sendable, Hashable, Codable {
        /// Lines before it in the new text.
        package var line: Int
        package var old: [Data]
        /// SHA-256 of each new line.
        package var new: [String]
    }
    package var hunks: [Hunk]
    /// SHA-256 of the whole text before and after.
    package var oldHash: String
    package var newHash: String

    /// The hunks between two texts.
    package init(from old: [UInt8], to new: [UInt8]) {
        oldHash = Self.hash(old[...])
        newHash = Self.hash(new[...])
        hunks = LineDiff(old: Lines.split(old), new: Lines.split(new)).changes.map { change in
            Hunk(line: change.newRange.lowerBound, old: change.old.map { Data($0) }, new: change.new.map { Self.hash($0) })
        }
    }

    package enum Reversal: Sendable, Hashable {
        /// The old text: byte for byte, where nobody changed it meanwhile; else everything else is as it was found.
        case text([UInt8])
        case alreadyUndone
        /// Somebody changed the lines themselves: the number of the first hunk that was not found, from 0.
        case changedSince(hunk: Int)
    }

    /// Takes the change back out of a text that may have been changed elsewhere since.
    package func reversed(on text: [UInt8]) -> Reversal {
        let hash = Self.hash(text[...])
        if hash == oldHash { return .alreadyUndone }
        var lines = Lines.split(text).map { Data($0) }
        var isAnyChanged = false
        // From the back, so that the numbers of the others hold.
        for (index, hunk) in hunks.enumerated().reversed() {
            if let start = Self.find(hunk.new, in: lines.map { Self.hash($0) }, near: hunk.line) {
                lines.replaceSubrange(start..<(start + hunk.new.count), with: hunk.old)
                isAnyChanged = true
            } else if hunk.old.isEmpty || Self.find(hunk.old.map { Self.hash($0) }, in: lines.map { Self.hash($0) }, near: hunk.line) == nil {
                // A line that was added and is gone is undone already.
                if hunk.old.isEmpty { continue }
                return .changedSince(hunk: index)
            }
        }
        return isAnyChanged ? .text(Array(lines.joined())) : .alreadyUndone
    }

    /// Where the lines stand: at their place, else the nearest. Nil also for no lines at all.
    private static func find(_ wanted: [String], in lines: [String], near place: Int) -> Int? {
        guard !wanted.isEmpty, lines.count >= wanted.count else { return nil }
        return (0...(lines.count - wanted.count)).filter { lines[$0..<($0 + wanted.count)].elementsEqual(wanted) }
            .min { abs($0 - place) < abs($1 - place) }
    }

    package static func hash(_ bytes: some DataProtocol) -> String {
        SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// A text's lines.
enum Lines {
    /// Each with its line break; the last may have none.
    static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: Ascii.newline).map { $0 + 1 } ?? text.count
            lines.append(text[start..<end])
            start = end
        }
        return lines
    }
}

/// The differences of two lists of lines.
struct LineDiff {
    struct Change {
        var oldRange: Range<Int>
        var newRange: Range<Int>
        var old: [ArraySlice<UInt8>]
        var new: [ArraySlice<UInt8>]
    }
    let changes: [Change]

    init(old: [ArraySlice<UInt8>], new: [ArraySlice<UInt8>]) {
        let difference = new.difference(from: old)
        var removed: Set<Int> = [], inserted: Set<Int> = []
        for step in difference {
            switch step {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var changes: [Change] = []
        var oldIndex = 0, newIndex = 0
        while oldIndex < old.count || newIndex < new.count {
            let oldStart = oldIndex, newStart = newIndex
            while removed.contains(oldIndex) { oldIndex += 1 }
            while inserted.contains(newIndex) { newIndex += 1 }
            if oldIndex > oldStart || newIndex > newStart {
                changes.append(
                    Change(
                        oldRange: oldStart..<oldIndex, newRange: newStart..<newIndex, old: Array(old[oldStart..<oldIndex]),
                        new: Array(new[newStart..<newIndex])))
            } else {
                oldIndex += 1
                newIndex += 1
            }
        }
        self.changes = changes
    }
}
