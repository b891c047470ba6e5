import Foundation
import GodwitEngine
import SystemPackage
import Testing

@testable import GodwitServer

@Suite struct MetricTests {
    private static func status(at: Double, inserts: UInt64 = 0, incoming: UInt64 = 0, since: Double? = nil) -> MigrationStatus {
        var status = MigrationStatus(task: "t")
        status.at = at
        status.incomingChanges = incoming
        status.waitingSince = since
        var table = MigrationStatus.Table(schema: "app", table: "t")
        table.inserts = inserts
        status.tables = [table]
        return status
    }

    @Test func whatTwoSnapshotsSay() {
        let first = TaskMetric.measure(Self.status(at: 10, inserts: 5, incoming: 7, since: 4), after: nil)
        #expect(first[.cdcIncomingChanges] == 7 && first[.cdcLatencyTarget] == 6)
        #expect(first[.cdcThroughputRowsTarget] == nil)
        let second = TaskMetric.measure(Self.status(at: 12, inserts: 25), after: Self.status(at: 10, inserts: 5))
        #expect(second[.cdcThroughputRowsTarget] == 10 && second[.cdcLatencyTarget] == nil)
        // Loaded again: fewer than before is no rate.
        #expect(TaskMetric.measure(Self.status(at: 12), after: Self.status(at: 10, inserts: 5))[.cdcThroughputRowsTarget] == nil)
    }

    /// Seconds become minutes, the sums agree before and after, what is too old goes.
    @Test func minutesOfSeconds() throws {
        let folder = FilePath(NSTemporaryDirectory()).appending("metrics-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let metrics = MetricStore(store: try StateStore(folder: folder))
        let subject = MetricSubject(instance: "i", task: "T")
        let start = 1_795_417_200
        for second in 0..<180 { try metrics.add([(subject, [.cdcIncomingChanges: Double(second)])], at: start + second) }
        func read(period: Int, now: Int) throws -> [Int: MetricStatistics] {
            try metrics.series(.cdcIncomingChanges, of: subject, from: start, to: start + 180, period: period, now: now)
        }
        let fresh = try read(period: 60, now: start + 180)
        #expect(fresh.mapValues(\.sum) == [start: 1770, start + 60: 5370, start + 120: 8970])
        #expect(fresh[start + 60]?.minimum == 60 && fresh[start + 60]?.maximum == 119 && fresh[start + 60]?.value("Average") == 89.5)
        #expect(try read(period: 1, now: start + 180).count == 180)
        for _ in 0..<2 { try metrics.roll(now: start + 180) }
        #expect(try read(period: 60, now: start + 180) == fresh)
        let later = start + 3 * 3600
        try metrics.roll(now: later)
        #expect(try read(period: 60, now: later) == fresh)
        #expect(try metrics.listed(since: start).map(\.metric) == [.cdcIncomingChanges])
        try metrics.roll(now: later + 14 * 86400)
        #expect(try read(period: 60, now: later).isEmpty)
    }
}
