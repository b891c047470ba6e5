import Foundation
import GRDB

/// Measured values in the service's store: of each second for an hour, of each minute for two weeks.
struct MetricStore: Sendable {
    static let secondsKept = 3600
    static let minutesKept = 14 * 86400
    let store: StateStore

    /// One second's values.
    func add(_ samples: [(subject: MetricSubject, values: [TaskMetric: Double])], at second: Int) throws {
        let encoder = JSONEncoder()
        let rows = try samples.map { sample in
            let stats = Dictionary(uniqueKeysWithValues: sample.values.map { ($0.key.rawValue, MetricStatistics($0.value)) })
            return (sample.subject, String(decoding: try encoder.encode(stats), as: UTF8.self))
        }
        try store.pool.write { db in
            for (subject, text) in rows { try Self.put(db, subject, period: 1, at: second, text) }
        }
    }

    private static func put(_ db: Database, _ subject: MetricSubject, period: Int, at: Int, _ text: String) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO metric (period, at, instance, task, stats) VALUES (?, ?, ?, ?, ?)",
            arguments: [period, at, subject.instance, subject.task, text])
    }

    /// Sums up the minutes that have ended before `now`, and forgets what is too old.
    func roll(now: Int) throws {
        let current = now / 60 * 60
        let encoder = JSONEncoder()
        try store.pool.write { db in
            let last = try Int.fetchOne(db, sql: "SELECT MAX(at) FROM metric WHERE period = 60") ?? 0
            var minutes: [Int: [MetricSubject: [String: MetricStatistics]]] = [:]
            let rows = try Row.fetchCursor(
                db, sql: "SELECT at, instance, task, stats FROM metric WHERE period = 1 AND at >= ? AND at < ?",
                arguments: [last + 60, current])
            while let row = try rows.next() {
                let subject = MetricSubject(instance: row[1], task: row[2])
                let minute = (row[0] as Int) / 60 * 60
                for (name, found) in try Self.decode(row[3]) { minutes[minute, default: [:]][subject, default: [:]][name].add(found) }
            }
            for (minute, subjects) in minutes {
                for (subject, stats) in subjects {
                    try Self.put(db, subject, period: 60, at: minute, String(decoding: try encoder.encode(stats), as: UTF8.self))
                }
            }
            try db.execute(sql: "DELETE FROM metric WHERE period = 1 AND at < ?", arguments: [now - Self.secondsKept - 120])
            try db.execute(sql: "DELETE FROM metric WHERE period = 60 AND at < ?", arguments: [now - Self.minutesKept])
        }
    }

    private static func decode(_ text: String) throws -> [String: MetricStatistics] {
        try JSONDecoder().decode([String: MetricStatistics].self, from: Data(text.utf8))
    }

    /// The statistics of one metric, by the beginning of each period of that many seconds, from `start` to before `end`.
    func series(_ metric: TaskMetric, of subject: MetricSubject, from start: Int, to end: Int, period: Int, now: Int) throws -> [Int: MetricStatistics] {
        // From here on seconds are there, before it minutes are.
        let border = (now - Self.secondsKept) / 60 * 60 + 60
        return try store.pool.read { db in
            var series: [Int: MetricStatistics] = [:]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT at, stats FROM metric WHERE instance = ? AND task = ? AND at >= ? AND at < ?
                      AND ((period = 60 AND at < ?) OR (period = 1 AND at >= ?))
                    """,
                arguments: [subject.instance, subject.task, start, end, border, border])
            while let row = try rows.next() {
                guard let found = try Self.decode(row[1])[metric.rawValue] else { continue }
                series[(row[0] as Int) / period * period].add(found)
            }
            return series
        }
    }

    /// Whose values there are since then, and of which metrics, in order.
    func listed(since start: Int) throws -> [(subject: MetricSubject, metric: TaskMetric)] {
        try store.pool.read { db in
            var found: [(subject: MetricSubject, metric: TaskMetric)] = []
            let subjects = try Row.fetchAll(
                db, sql: "SELECT DISTINCT instance, task FROM metric WHERE at >= ? ORDER BY instance, task", arguments: [start])
            for row in subjects {
                // A run measures everything from its second sample on: the latest few have all names.
                let latest = try String.fetchAll(
                    db, sql: "SELECT stats FROM metric WHERE instance = ? AND task = ? ORDER BY at DESC LIMIT 5",
                    arguments: [row[0] as String, row[1] as String])
                let names = try Set(latest.flatMap { try Self.decode($0).keys })
                for metric in TaskMetric.allCases where names.contains(metric.rawValue) {
                    found.append((MetricSubject(instance: row[0], task: row[1]), metric))
                }
            }
            return found
        }
    }
}

extension MetricStatistics? {
    fileprivate mutating func add(_ other: MetricStatistics) {
        guard var sum = self else {
            self = other
            return
        }
        sum.add(other)
        self = sum
    }
}
