import MySQLTypes
import MySQLWire

/// Finds the place behind a transaction in the log of another server of the same lineage (MariaDB): files and offsets are each server's
/// own, the transaction's number is the same everywhere.
///
/// Of one domain only: what stands before a number is the same on every server then, since a domain has one order.
/// Source: MariaDB documentation, "Global Transaction ID", "BINLOG_GTID_POS", "SHOW BINLOG EVENTS".
struct MariaDBLog: Sendable {
    enum Found: Hashable, Sendable {
        case place(BinlogCoordinates)
        /// The log ends before it.
        case behind
        /// The log begins behind it.
        case purged
        /// The log has passed its number, and has no such transaction: another lineage.
        case absent
    }

    let server: MySQLConnection
    let positions: SourcePositions

    /// Rows of SHOW BINLOG EVENTS read at once.
    private static let page = 5000

    func end(of gtid: MariaDBGTID) async throws -> Found {
        // First: what is written meanwhile shows as a transaction behind it.
        let end = try await positions.end(on: server)
        let files = try await server.query("SHOW BINARY LOGS").rows.compactMap { $0.string(0) }
        for (index, file) in files.enumerated().reversed() {
            // Purged since it was listed.
            guard let start = try await positions.numbers(at: BinlogCoordinates(file: file, offset: 4), on: server) else { break }
            guard let before = start.last[gtid.domain] else {
                // The domain's first transactions are here, or nowhere.
                return try await search(file, following: files.dropFirst(index + 1).first, gtid, end)
            }
            if before == gtid { return .place(BinlogCoordinates(file: file, offset: 4)) }
            if before.sequence < gtid.sequence { return try await search(file, following: files.dropFirst(index + 1).first, gtid, end) }
        }
        return .purged
    }

    private func search(
        _ file: String, following next: String?, _ gtid: MariaDBGTID, _ end: BinlogCoordinates
    ) async throws -> Found {
        var scan = Scan(wanted: gtid)
        var from: UInt64 = 4
        var skip = 0
        while true {
            let rows = try await server.query(
                "SHOW BINLOG EVENTS IN \(SQL.string(file)) FROM \(from) LIMIT \(skip), \(Self.page)").rows
            for row in rows where row.string(2) == "Gtid" {
                guard let place = row.uint(1) else { continue }
                if let result = scan.receive(row.string(5) ?? "", at: place) {
                    return result == .absent ? .absent : .place(BinlogCoordinates(file: file, offset: place))
                }
            }
            guard rows.count == Self.page else { break }
            if let last = scan.last, last > from { (from, skip) = (last, 0) } else { skip += Self.page }
        }
        guard scan.isFound else { return next == nil ? .behind : .absent }
        return .place(next.map { BinlogCoordinates(file: $0, offset: 4) } ?? end)
    }

    /// Over the GTID events of one file, in order. Pure.
    struct Scan: Sendable {
        enum Result: Hashable, Sendable { case behind, absent }
        let wanted: MariaDBGTID
        private(set) var isFound = false
        /// Where the last one that was seen stands: seen again where a page begins with it.
        private(set) var last: UInt64?

        init(wanted: MariaDBGTID) { self.wanted = wanted }

        /// - Parameter info: `BEGIN GTID 0-1-12`, with more behind it. - Returns: not nil where the search ends here.
        mutating func receive(_ info: String, at place: UInt64) -> Result? {
            guard place != last else { return nil }
            last = place
            if isFound { return .behind }
            let words = info.split(separator: " ")
            guard let at = words.firstIndex(of: "GTID"), at + 1 < words.count, let gtid = MariaDBGTID(words[at + 1]) else { return nil }
            if gtid == wanted {
                isFound = true
            } else if gtid.domain == wanted.domain, gtid.sequence >= wanted.sequence {
                return .absent
            }
            return nil
        }
    }
}
