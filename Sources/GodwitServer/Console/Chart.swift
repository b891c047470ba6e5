import Foundation
import GRDB

/// How far back a chart looks, and what one of its points stands for.
enum ChartRange: String, CaseIterable, Sendable {
    case hour = "1h"
    case day = "1d"
    case fortnight = "2w"

    var seconds: Int {
        switch self {
        case .hour: 3600
        case .day: 86_400
        case .fortnight: 14 * 86_400
        }
    }
    /// Seconds of one point.
    var period: Int {
        switch self {
        case .hour: 10
        case .day: 300
        case .fortnight: 3600
        }
    }
    var name: String {
        switch self {
        case .hour: "1 hour"
        case .day: "1 day"
        case .fortnight: "2 weeks"
        }
    }
    var pointName: String {
        switch self {
        case .hour: "the largest value of each 10 seconds"
        case .day: "the largest value of each 5 minutes"
        case .fortnight: "the largest value of each hour"
        }
    }
    /// How often a page with it is drawn again.
    var redraws: Int {
        switch self {
        case .hour: 2
        case .day: 15
        case .fortnight: 60
        }
    }
}

/// One metric over time, drawn on the server: the shape needs no JavaScript, and stretches to any width.
struct Chart: Sendable {
    struct Point: Sendable, Equatable {
        var time: Int
        var value: Double
    }
    var metric: TaskMetric
    var range: ChartRange
    /// Seconds since 1970: the right edge.
    var end: Int
    /// In order of time, the last being the newest that was measured.
    var points: [Point]

    var latest: Point? { points.last }
    private static let width = 600.0
    private static let height = 120.0

    /// A round number that no point is above.
    var top: Double {
        let highest = points.map(\.value).max() ?? 0
        guard highest > 0, highest.isFinite else { return 1 }
        let power = pow(10, log10(highest).rounded(.down))
        let step = [1, 2, 5, 10].first { $0 * power >= highest } ?? 10
        // A count has no half.
        return metric.unit == "Count" ? max(2, step * power) : step * power
    }

    /// Where a point is drawn.
    func place(_ point: Point) -> (x: Double, y: Double) {
        let x = Double(point.time - (end - range.seconds)) / Double(range.seconds) * Self.width
        return (min(max(0, x), Self.width), Self.height - point.value / top * Self.height)
    }

    /// A line for each stretch without a gap.
    private var path: String {
        var text = ""
        var last: Point?
        for point in points {
            let (x, y) = place(point)
            let goesOn = last.map { point.time - $0.time <= 3 * range.period } ?? false
            text += "\(goesOn ? "L" : "M")\(Self.place(x)) \(Self.place(y))"
            // A point alone is still seen: a stroke of no length with round ends.
            if !goesOn { text += "h0" }
            last = point
        }
        return text
    }
    private static func place(_ value: Double) -> String { String(format: "%.1f", value) }

    var latestText: String { latest.map { "\(Shown.number($0.value))\(Self.unit(metric.unit))" } ?? "no value" }
    static func unit(_ unit: String) -> String {
        switch unit {
        case "Seconds": " s"
        case "Count/Second": " /s"
        case "Kilobytes/Second": " KiB/s"
        default: ""
        }
    }

    /// What is measured, in plain words.
    var explanation: String {
        switch metric {
        case .cdcIncomingChanges: "Backlog: changes read from the source and not on the target yet"
        case .cdcLatencyTarget: "Latency at the target: age of the oldest change that waits"
        case .cdcThroughputRowsTarget: "Changes applied"
        case .fullLoadThroughputRowsTarget: "Rows loaded"
        case .fullLoadThroughputBandwidthTarget: "Bytes loaded"
        case .validationPendingOverallCount: "Rows that wait to be compared"
        case .validationFailedOverallCount: "Rows that differ"
        case .validationSuspendedOverallCount: "Rows that could not be compared"
        }
    }

    var html: HTML {
        let said = "\(metric.rawValue), latest value \(latestText)"
        let data = points.map { "\($0.time):\($0.value)" }.joined(separator: " ")
        let labels: HTML =
            "<span class=\"y top\">\(Shown.number(top))</span><span class=\"y mid\">\(Shown.number(top / 2))</span><span class=\"y low\">0</span>"
        return """
            <div class="chart">\(labels)<svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" preserveAspectRatio="none" role="img" aria-label="\(said)" \
            data-points="\(data)" data-start="\(end - range.seconds)" data-seconds="\(range.seconds)" data-top="\("\(top)")" data-unit="\(Self.unit(metric.unit))">\
            <path class="grid" d="M0 0H\(Int(Self.width))M0 \(Int(Self.height) / 2)H\(Int(Self.width))M0 \(Int(Self.height))H\(Int(Self.width))"/>\
            <path class="line" d="\(path)"/></svg><span class="x"><span>\(Self.clock(end - range.seconds, range))</span>\
            <span>\(Self.clock(end - range.seconds / 2, range))</span><span>\(Self.clock(end, range))</span></span><output class="hover" aria-hidden="true"></output></div>
            """
    }

    private static func clock(_ time: Int, _ range: ChartRange) -> String {
        let text = Shown.time(Double(time))
        return range == .fortnight ? String(text.prefix(10)) : String(text.dropFirst(11).prefix(5))
    }
}

extension MetricStore {
    /// What charts draw: of each metric the largest value of each period, and the newest one last.
    func charts(_ metrics: [TaskMetric], of subject: MetricSubject, range: ChartRange, now: Int) throws -> [Chart] {
        let border = (now - Self.secondsKept) / 60 * 60 + 60
        let (start, period) = ((now - range.seconds) / range.period * range.period, range.period)
        // The names are this program's own.
        let columns = metrics.map { "MAX(json_extract(stats, '$.\($0.rawValue).maximum'))" }.joined(separator: ", ")
        let newest = metrics.map { "json_extract(stats, '$.\($0.rawValue).maximum')" }.joined(separator: ", ")
        return try store.pool.read { db in
            var charts = metrics.map { Chart(metric: $0, range: range, end: now, points: []) }
            func take(_ sql: String, _ arguments: StatementArguments, last: Bool) throws {
                let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
                while let row = try rows.next() {
                    let time: Int = row[0]
                    for index in charts.indices {
                        guard let value: Double = row[index + 1] else { continue }
                        // The newest value ends the line where it was measured; the period that it is of is drawn before it.
                        if last, let drawn = charts[index].points.last, drawn.time >= time { charts[index].points.removeLast() }
                        charts[index].points.append(.init(time: max(time, now - range.seconds), value: value))
                    }
                }
            }
            try take(
                """
                SELECT at / \(period) * \(period) AS t, \(columns) FROM metric
                WHERE instance = ? AND task = ? AND at >= ? AND at <= ? AND ((period = 60 AND at < ?) OR (period = 1 AND at >= ?)) GROUP BY t ORDER BY t
                """, [subject.instance, subject.task, start, now, border, border], last: false)
            try take(
                """
                SELECT at, \(newest) FROM metric WHERE instance = ? AND task = ? AND period = 1 AND at >= ? AND at <= ? ORDER BY at DESC LIMIT 1
                """, [subject.instance, subject.task, max(start, border), now], last: true)
            return charts
        }
    }
}
