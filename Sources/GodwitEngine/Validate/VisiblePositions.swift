import MySQLTypes
import MySQLWire

extension Remedy { static let olderStatements = Remedy("mariadb-older-statements", pitfalls: [2, 42, 43], test: "MariaDBVisibilityTests") }

/// Lower bounds of what a read of the source sees, for clearing marks.
///
/// With GTIDs that is `gtid_executed`. Without them nothing that the server tells is: a position enters the file before its rows are
/// visible. MySQL with file positions: a position counts as visible ten seconds after it was read as the end of the log. MariaDB: as soon
/// as no statement runs any more that began before it was read, since a commit is always the work of a running statement; however
/// long a commit is stalled, its rows do not count. While the source is write-blocked and its commits are drained, the end of the log
/// is exact, and what was not settled before is settled then.
package actor VisiblePositions {
    private let positions: SourcePositions
    private var samples: [(at: ContinuousClock.Instant, end: BinlogCoordinates)] = []
    /// MariaDB: the newest position that was shown to be visible.
    private var shown: BinlogCoordinates?
    private var isBlocked = false

    package init(positions: SourcePositions) { self.positions = positions }

    package func sourceIsBlocked(_ blocked: Bool) { isBlocked = blocked }

    package func lowerBound(on source: MySQLConnection) async throws -> ReplicationPosition {
        if positions.usesGTIDs || isBlocked { return try await positions.exact(on: source) }
        let now = ContinuousClock.now
        let end = try await positions.end(on: source)
        if samples.last.map({ now - $0.at > .milliseconds(500) }) ?? true { samples.append((now, end)) }
        let isMariaDB = source.server.isMariaDB
        let age: Duration = isMariaDB ? .seconds(2) : .seconds(10)
        if let ripe = samples.last(where: { now - $0.at > age }) {
            // Others may have come here while this waits.
            var isVisible = true
            if isMariaDB { isVisible = try await hasNoOlderStatement(than: ripe.at, on: source) }
            if isVisible {
                samples.removeAll { $0.at <= ripe.at }
                shown = shown.map { max($0, ripe.end) } ?? ripe.end
            } else if samples.count > 1000 {
                samples.removeFirst(500)
            }
        }
        if let shown { return .file(shown) }
        // Rotation waits for engine commits; MariaDB's does not.
        return isMariaDB ? try await positions.lowerBound(on: source) : .file(BinlogCoordinates(file: end.file, offset: 0))
    }

    /// Has every statement ended that ran when the log's end was read at `instant`? A second is allowed for the way here. Reading
    /// statements that have changed nothing commit nothing.
    private func hasNoOlderStatement(than instant: ContinuousClock.Instant, on source: MySQLConnection) async throws -> Bool {
        guard Remedy.olderStatements.isOn else { return true }
        let milliseconds = Int64((ContinuousClock.now - instant).inSeconds * 1000) - 1000
        let older = try await source.query(
            """
            SELECT COUNT(*) FROM information_schema.PROCESSLIST p WHERE p.ID <> CONNECTION_ID() AND p.TIME_MS > \(milliseconds)
              AND p.COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Slave_IO')
              AND NOT (p.COMMAND LIKE 'Slave%' AND (p.STATE LIKE 'Slave has read all%' OR p.STATE LIKE 'Waiting for work%')) AND (p.INFO IS NULL OR p.INFO NOT LIKE 'SELECT%'
              OR EXISTS (SELECT 1 FROM information_schema.INNODB_TRX t WHERE t.trx_mysql_thread_id = p.ID AND t.trx_rows_modified > 0))
            """)
        return older.rows.first?.int(0) == 0
    }
}
