import MySQLWire

/// Commits that the target holds back: a server with a full disk answers no commit, and says so only in its error log.
package enum TargetStall {
    /// Shorter holds are ordinary slowness, seconds.
    static let threshold: Int64 = 10

    /// What is wrong, nil while nothing is. Needs no privilege: without PROCESS an account sees its own connections.
    package static func look(_ connection: MySQLConnection) async throws(MySQLError) -> MigrationStatus.Wait? {
        let list = try await connection.query("SHOW PROCESSLIST")
        let names = list.columns.map { $0.name.lowercased() }
        guard let time = names.firstIndex(of: "time"), let state = names.firstIndex(of: "state") else { return nil }
        var seconds: Int64 = 0
        for row in list.rows where (row.string(state) ?? "").contains("handler commit") {
            seconds = max(seconds, row.int(time) ?? 0)
        }
        guard seconds >= threshold else { return nil }
        let line = await diskLine(connection, seconds)
        return MigrationStatus.Wait(what: name, why: why(line), seconds: Double(seconds), limitSeconds: nil)
    }

    package static let name = "the target's commits"

    /// - Parameter line: what the server's error log says of a full disk, nil where it cannot be read or says nothing.
    static func why(_ line: String?) -> String {
        guard let line else {
            return "The target holds back every commit: often its disk is full, or very slow. Its error log says why."
        }
        return "The target's disk is full. Make space there: it looks again every minute, and the migration goes on by itself. "
            + "Its error log: \(line)"
    }

    /// The message is printed when the wait begins, and then every ten minutes.
    private static func diskLine(_ connection: MySQLConnection, _ seconds: Int64) async -> String? {
        let sql = """
            SELECT DATA FROM performance_schema.error_log WHERE DATA LIKE 'Disk is full%'
            AND LOGGED > NOW(6) - INTERVAL \(seconds + 30) SECOND ORDER BY LOGGED DESC LIMIT 1
            """
        // The log adds the reason; an account that may not read it, or a server without it, still has the wait named.
        return try? await connection.query(sql).rows.first?.string(0)
    }
}

/// Looks for a stalled target beside a run, on a connection of its own.
struct TargetWatch: Sendable {
    let sessions: Sessions
    let board: ProgressBoard
    let observer: any ProgressObserver

    /// Until cancelled. A broken connection ends the watch: the run's own connections break too, and its next attempt has
    /// a watch again.
    func run() async throws {
        let connection = try await sessions.target()
        do {
            var told = false
            while true {
                try await Task.sleep(for: .seconds(5))
                guard let stall = try await TargetStall.look(connection) else {
                    if told { observer.say("info", "The target commits again.") }
                    told = false
                    await board.endWait(TargetStall.name)
                    continue
                }
                await board.beginWait(stall.what, why: stall.why, limit: nil)
                if !told { observer.say("warning", "Waiting for \(stall.what): \(stall.why)") }
                told = true
            }
        } catch {
            await connection.close()
            throw error
        }
    }
}
