import Foundation

/// How one change of a host or a server is taken back. Data only: what it says is all that a cleanup does.
package enum UndoInverse: Sendable, Hashable, Codable {
    /// Lines of a settings file go back to what they were; `backup` is a whole copy of before, removed with it.
    case restoreLines(path: String, patch: LinePatch, backup: String)
    /// A file that Godwit made goes, if it still has this SHA-256.
    case removeFile(path: String, hash: String)
    /// A change of the host's firewall, made for the exposure of this name.
    case firewall(FirewallInverse, exposure: String)
    /// Something that only a person on another host can do.
    case byHand(host: String, instruction: String)

    /// As the operator would say or type it.
    package var description: String {
        switch self {
        case .restoreLines(let path, let patch, _):
            "put \(patch.hunks.count == 1 ? "one place" : "\(patch.hunks.count) places") of \(path) back"
        case .removeFile(let path, _): "rm \(path)"
        case .firewall(let inverse, _): inverse.description
        case .byHand(let host, let instruction): "on \(host): \(instruction)"
        }
    }
}

/// One change with its way back, and how far it got.
package struct UndoEntry: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Written down; whether it was made is not known: a crash may lie between.
        case planned
        case done
        /// Taken back, and checked.
        case undone
    }
    package var number: Int
    /// In a few words: `firewall rule for 40.40.40.40`.
    package var what: String
    /// The host's name on which it was made.
    package var host: String
    /// Seconds since 1970.
    package var time: Double
    package var inverse: UndoInverse
    package var state: State

    /// The name of the exposure that it belongs to; nil where it belongs to none.
    package var exposure: String? {
        if case .firewall(_, let name) = inverse { name } else { nil }
    }
}

/// The ledger's lines as a value: one JSON object a line, never changed, only added to.
struct UndoJournal: Sendable {
    private struct Record: Codable {
        var number: Int
        var state: UndoEntry.State
        var time: Double
        var what: String?
        var host: String?
        var inverse: UndoInverse?
    }
    private(set) var entries: [UndoEntry] = []
    /// Bytes that are whole lines; what is behind them was never fully written.
    private(set) var length = 0

    init() {}

    /// Reads a ledger. A last line that was cut off by a crash is passed over: nothing had been changed on its behalf.
    init(_ bytes: [UInt8], name: String) throws(HostError) {
        for (index, line) in Lines.split(bytes).enumerated() {
            guard line.last == Ascii.newline else { return }
            do {
                try take(JSONDecoder().decode(Record.self, from: Data(line)))
            } catch {
                throw HostError(
                    .refused, "Line \(index + 1) of \(name) can't be read.", why: "It says how changes are taken back; a guess could leave some behind.",
                    cure: "Restore the file, or undo by hand what its other lines say.")
            }
            length += line.count
        }
    }

    private struct Disorder: Error {}

    private mutating func take(_ record: Record) throws {
        if record.state == .planned {
            guard let what = record.what, let host = record.host, let inverse = record.inverse, record.number == entries.count + 1 else {
                throw Disorder()
            }
            entries.append(
                UndoEntry(number: record.number, what: what, host: host, time: record.time, inverse: inverse, state: .planned))
        } else {
            guard entries.indices.contains(record.number - 1) else { throw Disorder() }
            entries[record.number - 1].state = record.state
        }
    }

    /// The line for a new entry, taken over with `add`.
    mutating func plan(_ what: String, host: String, inverse: UndoInverse, time: Double) throws -> [UInt8] {
        try add(Record(number: entries.count + 1, state: .planned, time: time, what: what, host: host, inverse: inverse))
    }

    mutating func mark(_ number: Int, _ state: UndoEntry.State, time: Double) throws -> [UInt8] {
        try add(Record(number: number, state: state, time: time))
    }

    private mutating func add(_ record: Record) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Array(try encoder.encode(record)) + [Ascii.newline]
        try take(record)
        length += line.count
        return line
    }

    /// What has to be taken back, newest first.
    var due: [UndoEntry] { entries.filter { $0.state != .undone }.reversed() }
}
