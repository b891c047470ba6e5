import Logging
import MySQLTypes
import MySQLWire
import NIOCore
import NIOPosix

extension Remedy { static let zeroIsAValue = Remedy("zero-is-a-value", pitfalls: [16], test: "SessionDefaultsTests") }
extension Remedy { static let explicitMode = Remedy("explicit-mode", pitfalls: [19], test: "SessionDefaultsTests") }
extension Remedy { static let utcSessions = Remedy("utc-sessions", pitfalls: [18], test: "SessionDefaultsTests") }

/// Opens the connections of a run, each with the session state that its role needs.
package struct Sessions: Sendable {
    package let plan: Plan
    package let logger: Logger

    package init(plan: Plan, logger: Logger = Logger(label: "godwit.mysql")) {
        self.plan = plan
        self.logger = logger
    }

    /// On both sides: bytes as stored, UTC, statements in utf8mb4.
    private static let common = [
        "SET NAMES utf8mb4",
        // NULL: results come in each column's own character set, unconverted.
        "SET character_set_results = NULL",
        Remedy.utcSessions.isOn ? "SET time_zone = '+00:00'" : "DO 0",
        "SET SESSION wait_timeout = 31536000",
        "SET SESSION net_read_timeout = 3600",
        // A reader that waits for a slow other side must not be cut off.
        "SET SESSION net_write_timeout = 3600",
    ]

    /// Runs `body` with a reading connection to the source and a writing one to the target, closed afterwards however it ends.
    package func withBoth<Output: Sendable>(_ body: (any SQLSession, any SQLSession) async throws -> Output) async throws -> Output {
        let source = try await source()
        do {
            let target = try await target()
            do {
                let output = try await body(source, target)
                await target.close()
                await source.close()
                return output
            } catch {
                await target.close()
                throw error
            }
        } catch {
            await source.close()
            throw error
        }
    }

    /// Reads rows and the catalog; never writes.
    package func source(on loop: (any EventLoop)? = nil) async throws -> MySQLConnection {
        try await connect(
            "source", plan.source, loop,
            // A chunk bound on a DATE key may be an impossible date, which no other mode takes as a literal (1525).
            Self.common + ["SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"])
    }

    /// Writes data. Warnings of these sessions are errors: the counts of every statement are checked.
    package func target(on loop: (any EventLoop)? = nil) async throws -> MySQLConnection {
        try await connect(
            "target", plan.target, loop,
            Self.common + [
                "SET SESSION sql_mode = '\(Self.targetMode)'",
                "SET SESSION foreign_key_checks = 0",
                "SET SESSION unique_checks = 1",
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "SET SESSION innodb_lock_wait_timeout = 60",
                "SET SESSION lock_wait_timeout = 120",
            ])
    }

    /// One explicit mode, whatever the server's own is.
    private static var targetMode: String {
        guard Remedy.explicitMode.isOn else { return "TRADITIONAL,NO_AUTO_VALUE_ON_ZERO" }
        return (Remedy.zeroIsAValue.isOn ? "NO_AUTO_VALUE_ON_ZERO," : "") + "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
    }

    private func connect(
        _ side: String, _ server: Plan.Server, _ loop: (any EventLoop)?, _ statements: [String]
    ) async throws -> MySQLConnection {
        var configuration = MySQLConfiguration(
            address: server.address, username: server.user, password: server.password, tls: server.tls)
        configuration.sessionStatements = statements
        configuration.peerName = server.peerName(side)
        let connection = try await MySQLWire.MySQLConnection.connect(
            configuration, on: loop ?? MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
        guard connection.server.isMariaDB else { return connection }
        do {
            try await Self.settleMariaDB(connection)
        } catch {
            await connection.close()
            throw error
        }
        return connection
    }

    /// Settings that only MariaDB has, where this one has them: locking reads see the newest rows, as the fence and the checkpoint
    /// need it (11.8 refuses them inside a snapshot, error 1020), nothing ends a session that is idle within a transaction, and no
    /// statement has a time limit.
    private static let mariaDBSettings = [
        ("innodb_snapshot_isolation", "OFF"), ("idle_transaction_timeout", "0"), ("idle_write_transaction_timeout", "0"),
        ("idle_readonly_transaction_timeout", "0"), ("max_statement_time", "0"), ("explicit_defaults_for_timestamp", "ON"),
        // Rows of system-versioned tables are written as they were, and statements about such tables keep their history.
        ("system_versioning_insert_history", "ON"), ("system_versioning_alter_history", "KEEP"),
    ]

    private static func settleMariaDB(_ connection: MySQLConnection) async throws {
        let names = mariaDBSettings.map { SQL.string($0.0) }.joined(separator: ", ")
        let present = Set(
            try await connection.query("SHOW SESSION VARIABLES WHERE Variable_name IN (\(names))").rows.compactMap { $0.string(0) })
        let settings = mariaDBSettings.filter { present.contains($0.0) }.map { "SESSION \($0.0) = \($0.1)" }
        if !settings.isEmpty { try await connection.query("SET " + settings.joined(separator: ", ")) }
    }
}

extension Plan.Server {
    /// What messages call it.
    package func peerName(_ side: String) -> String { "the \(side) (\(address), user '\(user)')" }
}
