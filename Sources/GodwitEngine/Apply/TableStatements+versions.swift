import MySQLBinlog
import MySQLTypes

extension Remedy { static let rowVersions = Remedy("row-versions", pitfalls: [43], test: "SystemVersionedTests/historyMoves") }
extension Remedy { static let countedHistory = Remedy("counted-history", pitfalls: [12, 43], test: "SystemVersionedTests/muchHistoryGoes") }

/// The statements of a system-versioned table (MariaDB). Its rows are versions, current ones and history, and the log has each change of
/// each; the target must store them as they are and make no history of its own:
///
/// - the session has `system_versioning_insert_history`, so an INSERT brings a version with the period it has;
/// - a DELETE of a current row whose ROW START is later than the session's clock removes it and leaves nothing (measured on 10.11 and
///   11.8), so the clock of that one statement stands at the beginning of time;
/// - history goes by DELETE HISTORY alone, as it went on the source: everything that ended before a moment.
extension TableStatements {
    /// ROW END of this version says that the row is current.
    func isCurrent(_ row: ImageRow) -> Bool {
        guard let end = shape.source.period?.end else { return true }
        let range = row.image.range(end)
        return Self.endsOfTime.contains { row.image.bytes[range].elementsEqual($0) }
    }

    /// `SystemPeriod.ends` as TIMESTAMP(6) is stored.
    private static let endsOfTime: [[UInt8]] = [[0x7F, 0xFF, 0xFF, 0xFF, 0x0F, 0x42, 0x3F], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x42, 0x3F]]

    static let clockAtStart = "SET STATEMENT timestamp = 0.000001 FOR "

    /// History that the log removed: all that ended up to the latest of these ends. Whoever removes history says up to when, so on the target
    /// that is the same set of rows, but for one that the source wrote behind the statement's back (READ COMMITTED): `Applier` compares the
    /// numbers before it commits.
    func historyDelete(_ rows: [ImageRow]) throws -> ApplyStatement? {
        guard let end = shape.source.period?.end else { return nil }
        func bytes(_ row: ImageRow) -> ArraySlice<UInt8> { row.image.bytes[row.image.range(end)] }
        guard let last = rows.max(by: { bytes($0).lexicographicallyPrecedes(bytes($1)) }) else { return nil }
        let column = shape.source.columns[end]
        var sql = SQLBuffer(reserving: 256)
        sql.append("DELETE HISTORY FROM \(shape.target.sql) BEFORE SYSTEM_TIME (TIMESTAMP(")
        try ValueLiteral.appendKey(last.value(column), column: column, to: &sql)
        sql.append(") + INTERVAL 1 MICROSECOND)")
        return ApplyStatement(
            sql: sql.bytes, purpose: .history, rows: rows.count, expectedAffected: nil)
    }

    /// Before the consistency point: what the log says last of each version, whatever the target holds. A version that has ended never
    /// changes, so one that is there is the same.
    func absoluteVersions(
        _ plan: NetEffects<ImageRow>.Plan, _ body: (ApplyStatement) async throws -> Void
    ) async throws {
        let current = plan.upserts.filter(isCurrent)
        try await deletes(plan.deletes + current, strict: false, body)
        try await inserts(current, body)
        try await insertsOfMissing(plan.upserts.filter { !isCurrent($0) }, body)
    }
}
