import GodwitTesting
import MySQLWire
import NIOPosix
import Synchronization

/// Writes a torture's script to the source, at a pace, until told to stop; waits out a source that is down or read-only.
final class TortureWriter: Sendable {
    private let source: TestServer
    private let stop = StopFlag()
    /// A line per committed transfer.
    let transfers = LineLog()
    private let statements = Mutex((done: 0, conflicts: 0))

    init(_ source: TestServer) { self.source = source }

    /// Transactions that committed.
    var count: Int { statements.withLock { $0.done } }

    func end() { stop.set() }

    /// Throws on an error that no writer should see.
    func run(_ first: TortureScript, pause: Duration) async throws {
        defer { transfers.end() }
        var script = first
        var connection: MySQLConnection?
        while !stop.isSet {
            do throws(MySQLError) {
                let open: MySQLConnection
                if let connection, connection.isOpen { open = connection } else { open = try await connect() }
                connection = open
                for _ in 0..<3 {
                    try await transact(["BEGIN"] + script.transfer() + ["COMMIT"], on: open)
                    transfers.append("transfer")
                }
                try await transact(script.next(), on: open)
            } catch {
                switch WorkloadWriter.outcome(of: error) {
                case .conflict, .refused:
                    if error.isConnectionLost {
                        await connection?.close()
                        connection = nil
                    } else if let open = connection {
                        do { try await open.query("ROLLBACK") } catch { await open.close() }
                    }
                case .committed, .failed:
                    await connection?.close()
                    throw TestingError("a writer's error: \(error)")
                }
            }
            try await Task.sleep(for: pause)
        }
        await connection?.close()
    }

    private func connect() async throws(MySQLError) -> MySQLConnection {
        // Not root, which no read-only MariaDB stops.
        var configuration = source.configuration()
        configuration.username = Scenario.applicationUser
        configuration.connectTimeout = .seconds(2)
        configuration.sessionStatements = TortureScript.session + ["SET SESSION innodb_lock_wait_timeout = 2"]
        return try await MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
    }

    private func transact(_ list: [String], on connection: MySQLConnection) async throws(MySQLError) {
        for statement in list { try await connection.query(statement) }
        statements.withLock { $0.done += 1 }
    }
}
