import MySQLTypes
import MySQLWire

/// How positions are read around a comparison; see `Alignment` for what each must be.
package struct PositionReaders: Sendable {
    package typealias Reader = @Sendable (MySQLConnection) async throws -> ReplicationPosition
    /// On the source, before its SELECT.
    package var sourceVisible: Reader
    /// On the source, after its SELECT.
    package var sourceUpper: Reader
    /// On the target, inside the snapshot that its rows are read in.
    package var checkpoint: Reader

    package init(
        sourceVisible: @escaping Reader, sourceUpper: @escaping Reader, checkpoint: @escaping Reader
    ) {
        self.sourceVisible = sourceVisible
        self.sourceUpper = sourceUpper
        self.checkpoint = checkpoint
    }

    /// For two servers that nothing joins: every read counts as aligned, and what differs is read again.
    package static let none = PositionReaders(
        sourceVisible: { _ in .gtids(GTIDSet()) }, sourceUpper: { _ in .gtids(GTIDSet()) },
        checkpoint: { _ in .gtids(GTIDSet()) })
}

/// A row that is not the same on both sides.
package struct RowDifference: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case missing, extra, different
    }
    package let key: RowKey
    /// `missing` on the target, `extra` on the target, or `different` in content.
    package let kind: Kind
    package init(key: RowKey, kind: Kind) {
        self.key = key
        self.kind = kind
    }
}

package struct ChunkComparison: Sendable, Hashable {
    package var sourceRows: UInt64
    package var targetRows: UInt64
    package var differences: [RowDifference]
    /// False when there are more differences than were asked for.
    package var isComplete: Bool
    package var alignment: Alignment
}

package struct WholeComparison: Sendable, Hashable {
    package var source: Checksum
    package var target: Checksum
    package var alignment: Alignment
    package var isEqual: Bool { source == target }
}

package struct RecheckOutcome: Sendable, Hashable {
    /// Differences among the keys that were asked for; all others are equal.
    package var differences: [RowDifference]
    package var alignment: Alignment
}

/// Compares a table on two connections, both sides at once. Writes nothing. The sessions are set up by the caller with
/// `ValidationSession.statements`, stand outside of a transaction, and belong to one comparer at a time.
package struct TableComparer: Sendable {
    package let sql: ChecksumSQL
    let source: MySQLConnection
    let target: MySQLConnection
    let readers: PositionReaders
    /// Rows of one side that are read at a time; a chunk that holds more is cut first.
    let rowsPerRead: UInt64

    package init(
        _ sql: ChecksumSQL, source: MySQLConnection, target: MySQLConnection, readers: PositionReaders,
        rowsPerRead: Int = 20_000
    ) {
        self.sql = sql
        self.source = source
        self.target = target
        self.readers = readers
        self.rowsPerRead = UInt64(max(2, rowsPerRead))
    }

    /// Compares the whole table by one checksum: the only way for a keyless one.
    package func compareWhole() async throws -> WholeComparison {
        let read = try await checksums(.all)
        return WholeComparison(source: read.source, target: read.target, alignment: read.alignment)
    }

    /// Compares a chunk by checksum, and row by row where that differs. With `differenceLimit` differences found the
    /// rest is left (`isComplete` is then false).
    package func compare(_ bounds: KeyBounds, differenceLimit: Int = 10_000) async throws -> ChunkComparison {
        guard sql.hasKey else {
            throw EngineError(.failed, "\(sql.source.name) has no row key: it has no chunks to compare.")
        }
        let read = try await checksums(bounds)
        var comparison = ChunkComparison(
            sourceRows: read.source.rows, targetRows: read.target.rows, differences: [], isComplete: true,
            alignment: read.alignment)
        if read.source == read.target { return comparison }
        if max(read.source.rows, read.target.rows) > rowsPerRead {
            let larger: Side = read.source.rows >= read.target.rows ? .source : .target
            return try await compareInPieces(bounds, by: larger, differenceLimit: differenceLimit)
        }
        let rows = try await hashes(source: sql.rows(.source, bounds), target: sql.rows(.target, bounds))
        comparison.alignment = rows.alignment
        comparison.sourceRows = UInt64(rows.source.count)
        comparison.targetRows = UInt64(rows.target.count)
        let differences = Self.differences(rows.source, rows.target)
        comparison.isComplete = differences.count <= differenceLimit
        comparison.differences = Array(differences.prefix(differenceLimit))
        return comparison
    }

    private func compareInPieces(
        _ bounds: KeyBounds, by side: Side, differenceLimit: Int
    ) async throws -> ChunkComparison {
        var whole: ChunkComparison?
        var rest = bounds
        var atEnd = false
        while !atEnd {
            var piece = rest
            let query = sql.nextBound(side, within: rest, size: Int(rowsPerRead / 2))
            if let row = try await (side == .source ? source : target).query(query).rows.first {
                piece.upper = try sql.literals(row.values[...])
                rest.lower = piece.upper
            } else {
                atEnd = true
            }
            let left = differenceLimit - (whole?.differences.count ?? 0)
            let part = try await compare(piece, differenceLimit: left)
            whole = whole.map { $0.joined(with: part) } ?? part
            if whole?.isComplete == false { break }
        }
        guard let whole else { throw EngineError(.failed, "A chunk of \(sql.source.name) was cut into no pieces.") }
        return whole
    }

    /// Compares the rows with these keys, as read after the positions in the outcome's alignment.
    package func recheck(_ keys: [RowKey]) async throws -> RecheckOutcome {
        let rows = try await hashes(source: sql.rows(.source, keys: keys), target: sql.rows(.target, keys: keys))
        let differences = Self.differences(rows.source, rows.target)
        let asked = Set(keys)
        if differences.allSatisfy({ asked.contains($0.key) }) {
            return RecheckOutcome(differences: differences, alignment: rows.alignment)
        }
        guard keys.count > 1 else {
            // The collation found a row of another spelling: the difference is this key's.
            return RecheckOutcome(
                differences: keys.map { RowDifference(key: $0, kind: differences[0].kind) }, alignment: rows.alignment)
        }
        // Whose spelling it is only the server's collation knows: ask for each key by itself.
        var outcome = RecheckOutcome(differences: [], alignment: rows.alignment)
        for key in keys {
            let one = try await recheck([key])
            outcome.differences += one.differences
            outcome.alignment = outcome.alignment.extended(by: one.alignment)
        }
        return outcome
    }

    private static func differences(_ source: [RowKey: UInt32], _ target: [RowKey: UInt32]) -> [RowDifference] {
        var found: [RowDifference] = []
        for (key, hash) in source {
            guard let other = target[key] else {
                found.append(RowDifference(key: key, kind: .missing))
                continue
            }
            if other != hash { found.append(RowDifference(key: key, kind: .different)) }
        }
        for key in target.keys where source[key] == nil { found.append(RowDifference(key: key, kind: .extra)) }
        return found
    }
}

extension ChunkComparison {
    fileprivate func joined(with part: ChunkComparison) -> ChunkComparison {
        ChunkComparison(
            sourceRows: sourceRows + part.sourceRows, targetRows: targetRows + part.targetRows,
            differences: differences + part.differences, isComplete: isComplete && part.isComplete,
            alignment: alignment.extended(by: part.alignment))
    }
}
