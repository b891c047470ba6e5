import MySQLWire

/// One runner per task: named locks on the target, which the server frees when a connection ends, however it ends.
///
/// The run lock says that a runner lives. Every other connection that writes holds a numbered lock, so that a successor
/// can find and end exactly the connections that a killed runner left behind in a long statement.
package struct RunnerLock: Sendable {
    package static let writersMax = 96
    private let prefix: String

    package init(task: String) {
        // Names are limited to 64 characters: a long task name is folded by FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in task.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        prefix = "godwit:" + String(hash, radix: 36)
    }

    /// The name of another lock of this task.
    package func name(_ what: String) -> String { "\(prefix):\(what)" }

    /// Does this very connection hold the run lock?
    package func isMine(on control: MySQLConnection) async throws -> Bool {
        try await control.query("SELECT IS_USED_LOCK('\(prefix):run') = CONNECTION_ID()").rows.first?.int(0) == 1
    }

    /// Takes the run lock, waiting at most `seconds`. False: another runner holds it.
    package func acquire(on control: MySQLConnection, seconds: Int) async throws -> Bool {
        try await control.query("SELECT GET_LOCK('\(prefix):run', \(seconds))").rows.first?.int(0) == 1
    }

    /// The connection that holds the run lock, nil if none does.
    package func holder(on connection: MySQLConnection) async throws -> Int64? {
        try await connection.query("SELECT IS_USED_LOCK('\(prefix):run')").rows.first?.int(0)
    }

    /// Marks a writing connection as belonging to this task's runner.
    package func register(_ writer: MySQLConnection) async throws {
        for number in 0..<Self.writersMax {
            let result = try await writer.query("SELECT GET_LOCK('\(prefix):\(number)', 0)")
            if result.rows.first?.int(0) == 1 { return }
        }
        throw EngineError(
            .failed, "More than \(Self.writersMax) connections of this task are open on the target.",
            cure: "End the ones an earlier run left behind (SHOW PROCESSLIST), then run the same command again.")
    }

    /// Ends connections that an earlier runner left behind. Returns their ids.
    package func endOrphans(on control: MySQLConnection) async throws -> [Int64] {
        let probes = (0..<Self.writersMax).map { "IS_USED_LOCK('\(prefix):\($0)')" }.joined(separator: ", ")
        let row = try await control.query("SELECT \(probes)").rows.first
        var ended: [Int64] = []
        for number in 0..<Self.writersMax {
            guard let id = row?.int(number) else { continue }
            do {
                try await control.query("KILL \(id)")
                ended.append(id)
            } catch {
                // Unknown thread: it ended by itself between the two statements.
                if error.serverCode != 1094 { throw error }
            }
        }
        return ended
    }
}
