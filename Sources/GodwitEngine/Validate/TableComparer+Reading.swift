import MySQLWire

/// The reads of both sides, at once and with their positions.
extension TableComparer {
    struct Both<Value: Sendable>: Sendable {
        let source: Value
        let target: Value
        let alignment: Alignment
    }

    func checksums(_ bounds: KeyBounds) async throws -> Both<Checksum> {
        let read = try await both(source: sql.checksum(.source, bounds), target: sql.checksum(.target, bounds))
        return Both(
            source: try checksum(read.source, sql.source.name), target: try checksum(read.target, sql.target.name),
            alignment: read.alignment)
    }

    private func checksum(_ result: MySQLResult, _ table: TableName) throws -> Checksum {
        guard result.rows.count == 1 else {
            throw EngineError(.failed, "The checksum query of \(table) gave \(result.rows.count) rows.")
        }
        return try Checksum(row: result.rows[0].values, table: table)
    }

    /// Row hashes by key.
    func hashes(source: String, target: String) async throws -> Both<[RowKey: UInt32]> {
        let read = try await both(source: source, target: target)
        return Both(
            source: try hashes(read.source, sql.source.name), target: try hashes(read.target, sql.target.name),
            alignment: read.alignment)
    }

    private func hashes(_ result: MySQLResult, _ table: TableName) throws -> [RowKey: UInt32] {
        var hashes: [RowKey: UInt32] = [:]
        hashes.reserveCapacity(result.rows.count)
        for row in result.rows {
            guard row.values.count == sql.keyColumns.count + 1 else {
                throw EngineError(.failed, "The row query of \(table) gave \(row.values.count) columns.")
            }
            let key = RowKey(try sql.literals(row.values.dropLast()))
            guard let hash = row.string(sql.keyColumns.count).flatMap({ UInt32($0) }) else {
                throw EngineError(
                    .failed, "Row \(key) of \(table) could not be hashed by the server.",
                    why: "An expression over the row became larger than max_allowed_packet.",
                    cure: "Raise max_allowed_packet on that server.")
            }
            guard hashes.updateValue(hash, forKey: key) == nil else {
                throw EngineError(
                    .failed, "Two rows of \(table) have the key \(key).", why: "Its key is not unique on that server.",
                    cure: "Give the table the same unique key on both sides.")
            }
        }
        return hashes
    }

    /// Runs one statement on each side. Both are awaited even when one fails: a cancelled one would close its
    /// connection.
    func both(source sourceSQL: String, target targetSQL: String) async throws -> Both<MySQLResult> {
        async let sourceRead = Self.outcome { try await self.readSource(sourceSQL) }
        async let targetRead = Self.outcome { try await self.readTarget(targetSQL) }
        let (left, right) = await (sourceRead, targetRead)
        let (source, target) = (try left.get(), try right.get())
        return Both(
            source: source.result, target: target.result,
            alignment: Alignment(
                sourceVisible: source.visible, sourceUpper: source.upper, checkpoint: target.checkpoint))
    }

    private static func outcome<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func readSource(
        _ sql: String
    ) async throws -> (visible: ReplicationPosition, result: MySQLResult, upper: ReplicationPosition) {
        let visible = try await readers.sourceVisible(source)
        let result = try await source.query(sql)
        return (visible, result, try await readers.sourceUpper(source))
    }

    private func readTarget(_ sql: String) async throws -> (checkpoint: ReplicationPosition, result: MySQLResult) {
        // Under READ COMMITTED the server ignores WITH CONSISTENT SNAPSHOT with a mere warning.
        try await target.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try await target.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        do {
            let checkpoint = try await readers.checkpoint(target)
            let result = try await target.query(sql)
            try await target.query("COMMIT")
            return (checkpoint, result)
        } catch {
            // The first error is the one to report; a connection that can't roll back either is closed, not reused.
            do { try await target.query("ROLLBACK") } catch { await target.close() }
            throw error
        }
    }
}
