import Foundation
import MySQLWire
import NIOCore
import NIOPosix

/// Fills the sample schema, and writes to it without rest.
package enum WorkloadRun {
    /// Makes and fills the schema over `connections` connections.
    package static func seed(
        _ schema: SampleSchema, on server: MySQLConfiguration, connections: Int = 4
    ) async throws {
        let first = try await MySQLConnection.connect(server, on: MultiThreadedEventLoopGroup.singleton.next())
        for statement in schema.definition { try await first.query(statement) }
        await first.close()
        let statements = schema.tables.flatMap { schema.seeding($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<connections {
                let own = stride(from: worker, to: statements.count, by: connections).map { statements[$0] }
                group.addTask {
                    let connection = try await MySQLConnection.connect(
                        server, on: MultiThreadedEventLoopGroup.singleton.next())
                    // Tables fill side by side; a child's parent row may come later.
                    try await connection.query("SET SESSION foreign_key_checks = 0")
                    for statement in own { try await connection.query(statement) }
                    await connection.close()
                }
            }
            try await group.waitForAll()
        }
    }

    /// Runs all writers until they end by themselves, `stop` is set, or the time is up.
    /// - Parameter started: called when every writer is connected.
    package static func run(
        _ settings: WorkloadSettings, stop: StopFlag = StopFlag(), started: @escaping @Sendable () -> Void = {}
    ) async throws -> WorkloadReport {
        let clock = ContinuousClock()
        var writers: [WorkloadWriter] = []
        for number in 0..<settings.writers {
            var writer = WorkloadWriter(settings, number: number, stop: stop)
            try await writer.open()
            writers.append(writer)
        }
        started()
        let began = clock.now
        let beganDate = Date.now.timeIntervalSince1970
        let timer = settings.seconds.map { seconds in
            Task {
                try await Task.sleep(for: .seconds(seconds))
                stop.set()
            }
        }
        defer { timer?.cancel() }
        let reports = try await withThrowingTaskGroup(of: WorkloadReport.Writer.self) { group in
            for writer in writers {
                group.addTask {
                    var writer = writer
                    do { return try await writer.run() } catch {
                        // One writer that can't go on ends them all.
                        stop.set()
                        throw error
                    }
                }
            }
            var reports: [WorkloadReport.Writer] = []
            for try await report in group { reports.append(report) }
            return reports.sorted { $0.writer < $1.writer }
        }
        let sourceEnd = reports.compactMap(\.lastSourceCommit).max() ?? beganDate
        return WorkloadReport(
            seed: settings.seed, seconds: (clock.now - began).seconds, sourceSeconds: sourceEnd - beganDate,
            writers: reports)
    }
}
