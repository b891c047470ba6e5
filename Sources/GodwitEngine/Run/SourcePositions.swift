import MySQLTypes
import MySQLWire

extension Remedy { static let visibleLowerBound = Remedy("visible-lower-bound", pitfalls: [2, 43], test: "StalledCommitTests|MariaDBPositionTests") }

/// Reads positions of a server. Which reading is which bound matters, see `docs/correctness.md`, "Bounds": becoming visible
/// and entering `gtid_executed` are two moments, and a file position moves before its rows are visible.
package struct SourcePositions: Sendable {
    package let usesGTIDs: Bool

    package init(usesGTIDs: Bool) { self.usesGTIDs = usesGTIDs }

    /// A position at or before everything that a later read can see: P0.
    package func lowerBound(on server: MySQLConnection) async throws -> ReplicationPosition {
        guard Remedy.visibleLowerBound.isOn, Remedy.lowerBound.isOn else {
            return usesGTIDs ? .gtids(try await ownedOrExecuted(on: server)) : .file(try await end(on: server))
        }
        if usesGTIDs { return .gtids(try await executed(on: server)) }
        if server.server.isMariaDB { return .file(BinlogCoordinates(file: try await checkpointFile(on: server), offset: 4)) }
        // Rotation waits for engine commits, so the start of the current file is behind everything visible.
        return .file(BinlogCoordinates(file: try await end(on: server).file, offset: 4))
    }

    /// MariaDB's rotation does not wait for engine commits. What does is its checkpoint: an event that names a file says that all
    /// transactions in older ones are committed in the engines. Each file begins with one, so a few events are enough; a newer one
    /// further on would only name a later file. `gtid_binlog_pos`, `gtid_current_pos` and `Binlog_snapshot_*` run ahead of visible rows.
    private func checkpointFile(on server: MySQLConnection) async throws -> String {
        for _ in 0..<50 {
            let file = try await end(on: server).file
            let events = try await server.query("SHOW BINLOG EVENTS IN \(SQL.string(file)) LIMIT 8")
            if let newest = events.rows.last(where: { $0.string(2) == "Binlog_checkpoint" })?.string(5), !newest.isEmpty {
                return newest
            }
            // Read between the opening of a file and its first checkpoint.
            try await Task.sleep(for: .milliseconds(20))
        }
        throw EngineError(
            .failed, "The source's binary log names no checkpoint.", why: "Without one it cannot be told which logged rows a read sees.",
            cure: "Run the same command again; if it says so again, look at SHOW BINLOG EVENTS on the source.")
    }

    /// A position at or after everything that an earlier read has seen: P1. The end of the log, not `gtid_executed`.
    package func upperBound(on server: MySQLConnection) async throws -> BinlogCoordinates {
        let end = try await end(on: server)
        return Remedy.upperBound.isOn ? end : BinlogCoordinates(file: end.file, offset: 4)
    }

    /// The exact position while nothing can commit to what the caller holds (tables locked, or the server read-only).
    package func exact(on server: MySQLConnection) async throws -> ReplicationPosition {
        usesGTIDs ? .gtids(try await executed(on: server)) : .file(try await end(on: server))
    }

    package func executed(on server: MySQLConnection) async throws -> GTIDSet {
        let text = try await server.query("SELECT @@GLOBAL.gtid_executed").rows.first?.string(0) ?? ""
        do {
            return try GTIDSet(parsing: text)
        } catch {
            throw EngineError(.failed, "The server's gtid_executed is not readable: \(error.reason).")
        }
    }

    /// `gtid_owned` and then `gtid_executed`, in this order: an upper bound of what an earlier read has seen.
    package func ownedOrExecuted(on server: MySQLConnection) async throws -> GTIDSet {
        let owned = try await server.query("SELECT @@GLOBAL.gtid_owned").rows.first?.string(0) ?? ""
        // `uuid:5#12:7#13`: each number with the thread that owns it.
        let plain = owned.split(separator: ",", omittingEmptySubsequences: true).map { part in
            part.split(separator: ":").map { $0.split(separator: "#").first.map(String.init) ?? "" }.joined(separator: ":")
        }.joined(separator: ",")
        do {
            return try GTIDSet(parsing: plain).union(try await executed(on: server))
        } catch let error as GTIDParseError {
            throw EngineError(.failed, "The server's gtid_owned is not readable: \(error.reason) (\(owned)).")
        }
    }

    /// End of the newest binary log file.
    package func end(on server: MySQLConnection) async throws -> BinlogCoordinates {
        var result: MySQLResult
        do {
            result = try await server.query("SHOW BINARY LOG STATUS")
        } catch {
            // 1064: before MySQL 8.2 and on MariaDB the statement has its old name.
            guard error.serverCode == 1064 else { throw error }
            result = try await server.query("SHOW MASTER STATUS")
        }
        guard let row = result.rows.first, let file = row.string(0), let offset = row.uint(1) else {
            throw EngineError(
                .plan, "The server writes no binary log.", why: "Changes can only be followed from its log.",
                cure: "Start the source with log_bin on, binlog_format=ROW and binlog_row_image=FULL.")
        }
        return BinlogCoordinates(file: file, offset: offset)
    }

    /// MariaDB: the last transactions before a place of this server's log, by their numbers; nil where it does not say.
    package func numbers(at place: BinlogCoordinates, on server: MySQLConnection) async throws -> MariaDBGTIDPosition? {
        let row = try await server.query("SELECT BINLOG_GTID_POS(\(SQL.string(place.file)), \(place.offset))").rows.first
        guard let text = row?.string(0) else { return nil }
        do {
            return try MariaDBGTIDPosition(parsing: text)
        } catch {
            throw EngineError(.failed, "The server's position \(text) is not readable: \(error.reason).")
        }
    }

    /// The server's identity: every connection of a run must reach the same one. MariaDB's `server_uid` is made of network address and
    /// port, which two containers may share, so the server_id stands beside it.
    package static func uuid(of server: MySQLConnection) async throws -> String {
        let name = server.server.isMariaDB ? "CONCAT(@@GLOBAL.server_uid, '/', @@GLOBAL.server_id)" : "@@GLOBAL.server_uuid"
        return try await server.query("SELECT \(name)").rows.first?.string(0) ?? ""
    }
}

extension Remedy {
    static let lowerBound = Remedy("p0-lower-bound", pitfalls: [2], test: "ModelTests/everyScheduleKeepsTheInvariants")
    static let upperBound = Remedy("p1-upper-bound", pitfalls: [1, 2], test: "ModelTests/everyScheduleKeepsTheInvariants")
}
