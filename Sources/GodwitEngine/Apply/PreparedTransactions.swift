import Foundation
import MySQLBinlog
import MySQLTypes

extension Remedy { static let preparedTransactions = Remedy("prepared-transactions", pitfalls: [32], test: "XATests/decidedAfterRestarts") }

/// XA transactions that are prepared and not decided.
///
/// Their rows stand in the log where they were prepared, the outcome may come a day and a restart later. So they are kept, in schema
/// `godwit` on the target, written in the very transaction that moves the checkpoint past the PREPARE, and taken out in the one that
/// moves it past the outcome: the checkpoint needs no exception, and the source's log may be purged behind it.
package struct PreparedTransactions: Sendable {
    /// Rows of one event.
    package struct Rows: Sendable {
        package var table: Int
        package var event: RowsEvent
    }

    /// Those whose rows are on the target, as far as the last commit.
    package private(set) var stored: Set<String>
    /// Up to here outcomes of transactions that nobody knows are passed over: they were decided before the first row was read.
    package let settled: ReplicationPosition?

    /// Of the transaction that is being read.
    package private(set) var open: [Rows] = []
    /// Parts of it that are written already, under this name (its own is known at its end only).
    package private(set) var spilled = 0
    /// Prepared since the last commit, not written: rows, and how many parts were written before them.
    package private(set) var fresh: [String: (rows: [Rows], spilled: Int)] = [:]
    /// Decided since the last commit and to be removed.
    package private(set) var decided: [String] = []

    package init(stored: Set<String> = [], settled: ReplicationPosition? = nil) {
        self.stored = stored
        self.settled = settled
    }

    /// Nothing of it is in memory: what the target holds is all there is.
    package var isIdle: Bool { open.isEmpty && spilled == 0 && fresh.isEmpty && decided.isEmpty }

    package mutating func add(table: Int, _ event: RowsEvent) { open.append(Rows(table: table, event: event)) }

    /// Hands over what is read of the open transaction so far: it is too large to hold.
    package mutating func spill() -> [Rows] {
        defer {
            spilled += open.count
            open = []
        }
        return open
    }

    /// A name that is in use already: the source gives none twice, so it has lost the earlier transaction, as MySQL does with some
    /// when it restarts (measured: 9.7 forgets prepared transactions whose names differ in length). Nothing of that one happened.
    package mutating func prepare(_ xid: String) {
        if stored.contains(xid) { decided.append(xid) }
        fresh[xid] = (open, spilled)
        open = []
        spilled = 0
    }

    /// Where the rows of a transaction are whose outcome has come.
    package enum Whereabouts {
        case here([Rows])
        /// On the target: all of them under `name`.
        case stored(name: String)
        case unknown
    }

    package mutating func decide(_ xid: String) -> Whereabouts {
        if let found = fresh[xid], found.spilled == 0 {
            fresh[xid] = nil
            return .here(found.rows)
        }
        guard stored.contains(xid) else { return .unknown }
        decided.append(xid)
        return .stored(name: xid)
    }

    /// Must be written before its outcome can be: parts of it are on the target, the rest is not.
    package func isHalfWritten(_ xid: String) -> Bool { (fresh[xid]?.spilled ?? 0) > 0 }

    /// A one-phase transaction: its rows, unless some are written.
    package mutating func takeOpen() -> [Rows] {
        defer { open = [] }
        return open
    }

    package mutating func forgetSpilled() { spilled = 0 }

    /// What was fresh is written, what was decided removed, and the transaction that did so is committed.
    package mutating func committed() {
        stored.subtract(decided)
        stored.formUnion(fresh.keys)
        fresh = [:]
        decided = []
    }

    /// Name of the parts of a transaction that is still being read.
    package static let openName = "-"
}

/// The name of an XA transaction, the same from XA PREPARE's event and from a statement's text.
package enum XAName {
    package static func text(_ prepare: XAPrepare) -> String {
        "X'\(hex(prepare.globalID))',X'\(hex(prepare.branch))',\(prepare.formatID)"
    }

    /// `XA COMMIT X'6162',X'',1`: as the server writes it into its log. nil: something else.
    package static func text(statement: String) -> String? {
        guard let start = statement.firstIndex(of: "'").map({ statement.index(before: $0) }) else { return nil }
        let parts = statement[start...].split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 3, let format = Int32(parts[2].prefix { $0 == "-" || $0.isNumber }), let global = digits(parts[0]), let branch = digits(parts[1])
        else { return nil }
        return "X'\(global)',X'\(branch)',\(format)"
    }

    private static func digits(_ literal: String) -> String? {
        guard literal.uppercased().hasPrefix("X'"), literal.hasSuffix("'"), literal.count >= 3 else { return nil }
        let digits = literal.dropFirst(2).dropLast().lowercased()
        return digits.allSatisfy(\.isHexDigit) ? digits : nil
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// A rows event as it is kept on the target: everything but the bytes, which stand beside it.
struct StoredRowsEvent: Codable {
    var kind: RowsEvent.Kind
    var flags: UInt16
    var isPartial: Bool
    var before: [Bool]
    var after: [Bool]
    var start: Int
    var end: Int
    var map: TableMap

    init(_ event: RowsEvent) {
        kind = event.kind
        flags = event.flags
        isPartial = event.isPartial
        before = event.beforeColumns
        after = event.afterColumns
        start = event.rowsRange.lowerBound
        end = event.rowsRange.upperBound
        map = event.map
    }

    func event(_ bytes: [UInt8]) throws -> RowsEvent {
        guard start >= 0, start <= end, end <= bytes.count else {
            throw EngineError(
                .failed, "Rows of a prepared XA transaction in schema godwit on the target are not readable.",
                why: "They were changed by hand.", cure: "Start a new migration.")
        }
        return RowsEvent(
            kind: kind, flags: flags, map: map, isPartial: isPartial, beforeColumns: before, afterColumns: after, bytes: bytes,
            rowsRange: start..<end)
    }
}
