import MySQLTypes
import MySQLWire

/// Two things at once under a backlog: while the target carries out what it was given, the next batch is gathered and the next statement
/// written. The target sees the same statements in the same order in the same transactions; only the waiting is filled.
extension Applier {
    typealias Writing = ThrowingTaskGroup<Progress, any Error>

    /// Everything of the log that is gathered so far, to be written by one commit; `progress` goes on with an empty batch.
    /// nil where the next batch depends on more than the checkpoint: an open target transaction, XA transactions in memory.
    func handOver(_ progress: inout Progress) -> Progress? {
        guard !progress.isOpen, progress.end != nil, progress.start == nil, progress.xa.isIdle else { return nil }
        let writing = progress
        progress.batch.clear()
        progress.end = nil
        progress.transactions = 0
        progress.marks = []
        progress.lostTables = []
        progress.held = 0
        return writing
    }

    /// Waits for the batch that is being written, if one is. True: `stop` says that it was the last.
    func settle(
        _ group: inout Writing, _ isWriting: inout Bool, _ progress: inout Progress, _ queue: BoundedQueue<SourceItem>,
        stop: @Sendable (ReplicationPosition, BinlogCoordinates) async -> Bool
    ) async throws -> Bool {
        guard isWriting else { return false }
        isWriting = false
        guard let written = try await group.next() else { return false }
        progress.checkpoint = written.checkpoint
        progress.stored = written.stored
        progress.faults = written.faults
        await queue.release(written.held)
        return await stop(written.position, written.reached)
    }

    /// Runs `body`, whose statements go to the target one after the other: the next is written while the last is carried out.
    /// - Returns: versions of rows that DELETE HISTORY took beyond those that the log removed; less than 0: fewer.
    func overlapping(
        _ table: Int, on target: MySQLConnection, _ body: ((ApplyStatement) async throws -> Void) async throws -> Void
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            var beyond = 0
            try await body { statement in
                // One at a time: what is wrong with it is known before the next is sent.
                beyond += try await group.next() ?? 0
                group.addTask {
                    let affected = try await execute(statement, table: table, on: target)
                    return statement.purpose == .history ? Int(affected) - statement.rows : 0
                }
            }
            return beyond + (try await group.next() ?? 0)
        }
    }
}
