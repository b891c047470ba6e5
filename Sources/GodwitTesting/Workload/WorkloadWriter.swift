import Foundation
import MySQLWire
import NIOCore
import NIOPosix
import Synchronization

/// One writer: a connection that never rests. Errors are told apart: another's sake (tried again), a server that takes no
/// writes now (the other side is tried), and everything else (counted, the run has failed).
package struct WorkloadWriter {
    private let settings: WorkloadSettings
    private let stop: StopFlag
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let beganDate: Double
    private var script: WriterScript
    private var report: WorkloadReport.Writer
    private var connection: MySQLConnection?
    private var onTarget = false
    private var lastCommit: ContinuousClock.Instant

    init(_ settings: WorkloadSettings, number: Int, stop: StopFlag) {
        self.settings = settings
        self.stop = stop
        script = WriterScript(
            schema: settings.schema, writer: number, writers: settings.writers, seed: settings.seed)
        report = WorkloadReport.Writer(writer: number)
        began = clock.now
        beganDate = Date.now.timeIntervalSince1970
        lastCommit = began
    }

    package enum Outcome: Equatable { case committed, conflict, refused, failed }

    mutating func run() async throws -> WorkloadReport.Writer {
        var due = clock.now
        let interval = settings.rate.map { Duration.seconds(Double(settings.writers) / $0) }
        while !stop.isSet {
            let transaction = script.next()
            if try await attempt(transaction.statements, on: connection) == .refused {
                guard try await findAServer() else { break }
                if onTarget, settings.onTarget == .mark { break }
            }
            guard let interval else { continue }
            due = due.advanced(by: interval)
            // Behind by more than a second (a pause): no rush to catch up.
            if clock.now - due > .seconds(1) { due = clock.now }
            if due > clock.now { try await clock.sleep(until: due) }
        }
        await connection?.close()
        return report
    }

    /// Tries the sides in turn until one takes a write. False: told to stop meanwhile.
    private mutating func findAServer() async throws -> Bool {
        while !stop.isSet {
            for side in try settings.candidates() {
                if connection?.isOpen != true || side.isTarget != onTarget {
                    await connection?.close()
                    connection = nil
                    onTarget = side.isTarget
                    do {
                        connection = try await connect(side.configuration)
                    } catch {
                        guard Self.outcome(of: error) == .refused else { throw error }
                        report.refusals += 1
                        continue
                    }
                }
                let marks = onTarget && settings.onTarget == .mark
                let statements =
                    marks
                    ? ["REPLACE INTO \(WorkloadSettings.arrivals) VALUES (\(report.writer), NOW(6))"]
                    : script.next().statements
                if try await attempt(statements, on: connection) != .refused { return true }
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    private func connect(_ configuration: MySQLConfiguration) async throws(MySQLError) -> MySQLConnection {
        var configuration = configuration
        configuration.connectTimeout = .seconds(2)
        configuration.sessionStatements = ["SET NAMES utf8mb4", "SET SESSION innodb_lock_wait_timeout = 2"]
        return try await MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
    }

    /// Runs one transaction to its end and records it.
    private mutating func attempt(_ statements: [String], on connection: MySQLConnection?) async throws -> Outcome {
        guard let connection else { return .refused }
        do {
            if statements.count == 1 {
                try await connection.query(statements[0])
            } else {
                try await connection.query("BEGIN")
                for statement in statements { try await connection.query(statement) }
                try await connection.query("COMMIT")
            }
        } catch let error {
            return await failed(error, connection)
        }
        let now = clock.now
        let time = beganDate + (now - began).seconds
        if onTarget {
            report.targetTransactions += 1
            if report.firstTargetCommit == nil {
                report.firstTargetCommit = time
                report.writePause = report.lastSourceCommit.map { time - $0 }
            }
        } else {
            report.sourceTransactions += 1
            report.lastSourceCommit = time
            report.longestGap = max(report.longestGap, (now - lastCommit).seconds)
        }
        lastCommit = now
        return .committed
    }

    private mutating func failed(_ error: MySQLError, _ connection: MySQLConnection) async -> Outcome {
        let outcome = Self.outcome(of: error)
        switch outcome {
        case .refused: report.refusals += 1
        case .conflict: report.conflicts += 1
        case .committed, .failed:
            report.errors += 1
            if report.firstError == nil { report.firstError = error.description }
        }
        if error.isConnectionLost {
            await connection.close()
        } else {
            do { try await connection.query("ROLLBACK") } catch { await connection.close() }
        }
        return outcome
    }

    /// 1290, 1836: read-only. 1045, 3118, 4151: account locked or gone. 1044, 1142, 1143, 1227: rights taken away.
    /// 1040, 1053, 1077, 1129, 1203: no room, shutting down. 1205, 1213: lock wait, deadlock. 1062: key taken.
    /// 1451, 1452: a parent that another writer removed.
    package static func outcome(of error: MySQLError) -> Outcome {
        if error.isConnectionLost { return .refused }
        switch error.serverCode {
        case 1290, 1836, 1045, 3118, 4151, 1044, 1142, 1143, 1227, 1040, 1053, 1077, 1129, 1203: return .refused
        case 1205, 1213, 1062, 1451, 1452: return .conflict
        default: return .failed
        }
    }

    /// The first connection, before the clock of the run starts to matter.
    mutating func open() async throws {
        connection = try await connect(settings.source)
    }
}

/// Set once, from anywhere; every writer looks at it between two transactions.
package final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    package init() {}
    package func set() { flag.store(true, ordering: .relaxed) }
    package var isSet: Bool { flag.load(ordering: .relaxed) }
}

extension Duration {
    var seconds: Double {
        let (whole, atto) = components
        return Double(whole) + Double(atto) * 1e-18
    }
}
