import Foundation

/// The reads of CloudWatch that monitoring a task needs. Source: CloudWatch's API reference; errors as its model names them.
struct CloudWatch: Sendable {
    let metrics: MetricStore

    func perform(_ name: String, _ input: JSON, now: Double) throws -> JSON {
        let members = try Members(input)
        switch name {
        case "ListMetrics": return try list(members, Int(now))
        case "GetMetricStatistics": return try statistics(members, Int(now))
        case "GetMetricData": return try data(members, Int(now))
        default: throw APIFault.unknownOperation("\(name) is not offered by this service: ListMetrics, GetMetricStatistics and GetMetricData are.")
        }
    }

    // MARK: ListMetrics

    private func list(_ members: Members, _ now: Int) throws -> JSON {
        let namespace = try members.text("Namespace")
        let name = try members.text("MetricName")
        let asked = try (members.list("Dimensions") ?? []).map { (name: $0["Name"]?.text, value: $0["Value"]?.text) }
        let age = try members.choice("RecentlyActive", ["PT3H"]) == nil ? MetricStore.minutesKept : 3 * 3600
        let all = try metrics.listed(since: now - age).filter { entry in
            (namespace ?? TaskMetric.namespace) == TaskMetric.namespace && (name ?? entry.metric.rawValue) == entry.metric.rawValue
                && asked.allSatisfy { want in
                    entry.subject.dimensions.contains { $0.name == want.name && (want.value == nil || $0.value == want.value) }
                }
        }
        let start = try Self.offset(members, "NextToken")
        let rest = all.dropFirst(start)
        var answer: [String: JSON] = ["Metrics": .array(rest.prefix(500).map { Self.shown($0.metric, $0.subject) })]
        if rest.count > 500 { answer["NextToken"] = .string(Page.marker(Int64(start + 500))) }
        return .object(answer)
    }

    private static func shown(_ metric: TaskMetric, _ subject: MetricSubject) -> JSON {
        [
            "Namespace": .string(TaskMetric.namespace), "MetricName": .string(metric.rawValue),
            "Dimensions": .array(subject.dimensions.map { ["Name": .string($0.name), "Value": .string($0.value)] }),
        ]
    }

    // MARK: GetMetricStatistics

    private func statistics(_ members: Members, _ now: Int) throws -> JSON {
        let (start, end) = try Self.span(members)
        let period = try Self.period(members)
        guard try members.texts("ExtendedStatistics") == nil else {
            throw APIFault.value("ExtendedStatistics are not offered; Statistics are.")
        }
        let names = try members.texts("Statistics") ?? []
        guard !names.isEmpty, names.allSatisfy(MetricStatistics.names.contains) else {
            throw APIFault.value("The parameter Statistics must be some of \(MetricStatistics.names.joined(separator: ", ")).")
        }
        guard (end - start) / period <= 1440 else {
            throw APIFault.combination("You have requested up to \((end - start) / period) datapoints, which exceeds the limit of 1,440.")
        }
        let label = try members.required("MetricName")
        guard let (metric, subject) = try Self.series(members, unit: members.text("Unit")) else { return ["Label": .string(label), "Datapoints": []] }
        let series = try metrics.series(metric, of: subject, from: start / period * period, to: end, period: period, now: now)
        let points = series.sorted { $0.key < $1.key }.map { time, found in
            var point: [String: JSON] = ["Timestamp": .time(Double(time)), "Unit": .string(metric.unit)]
            for name in names { point[name] = found.value(name).map(JSON.double) }
            return JSON.object(point)
        }
        return ["Label": .string(label), "Datapoints": .array(points)]
    }

    // MARK: GetMetricData

    private func data(_ members: Members, _ now: Int) throws -> JSON {
        let (start, end) = try Self.span(members)
        let queries = try members.list("MetricDataQueries") ?? []
        guard (1...500).contains(queries.count) else { throw APIFault("ValidationError", "MetricDataQueries must have 1 to 500 queries.") }
        let rises = try members.choice("ScanBy", ["TimestampAscending", "TimestampDescending"]) == "TimestampAscending"
        let longest = try members.integer("MaxDatapoints") ?? 100_800
        guard (1...100_800).contains(longest) else { throw APIFault.value("MaxDatapoints must be between 1 and 100800.") }
        var skipped = try Self.offset(members, "NextToken")
        let begun = skipped
        var room = longest
        var isCut = false
        var results: [JSON] = []
        for query in queries {
            let query = try Members(query)
            guard try query.text("Expression") == nil, let stat = try query.map("MetricStat") else {
                throw APIFault("ValidationError", "Metric math is not offered: each query needs a MetricStat.")
            }
            guard try query.truth("ReturnData") ?? true else { continue }
            let asked = try Members(.object(stat))
            let metric = try Members(.object(asked.map("Metric") ?? [:]))
            let name = try metric.required("MetricName")
            let period = try Self.period(asked)
            let kind = try asked.required("Stat")
            guard MetricStatistics.names.contains(kind) else {
                throw APIFault("ValidationError", "Stat must be one of \(MetricStatistics.names.joined(separator: ", ")).")
            }
            var points: [(time: Int, value: Double)] = []
            if let (known, subject) = try Self.series(metric, unit: asked.text("Unit")) {
                points = try metrics.series(known, of: subject, from: start / period * period, to: end, period: period, now: now)
                    .sorted { rises ? $0.key < $1.key : $0.key > $1.key }
                    .compactMap { entry in entry.value.value(kind).map { (entry.key, $0) } }
            }
            let passed = min(skipped, points.count)
            skipped -= passed
            let shown = points.dropFirst(passed).prefix(room)
            room -= shown.count
            let isWhole = passed + shown.count == points.count
            isCut = isCut || !isWhole
            results.append([
                "Id": .string(try query.required("Id")), "Label": .string(try query.text("Label") ?? name),
                "Timestamps": .array(shown.map { .time(Double($0.time)) }), "Values": .array(shown.map { .double($0.value) }),
                "StatusCode": isWhole ? "Complete" : "PartialData",
            ])
        }
        var answer: [String: JSON] = ["MetricDataResults": .array(results), "Messages": []]
        if isCut { answer["NextToken"] = .string(Page.marker(Int64(begun + longest))) }
        return .object(answer)
    }

    // MARK: Shared

    /// Which series is meant: a task's, by both dimensions and nothing else. nil: there is none such, so no datapoints.
    private static func series(_ members: Members, unit: String?) throws -> (TaskMetric, MetricSubject)? {
        guard try members.required("Namespace") == TaskMetric.namespace,
            let metric = TaskMetric(rawValue: try members.required("MetricName")), unit == nil || unit == metric.unit
        else { return nil }
        var dimensions: [String: String] = [:]
        for dimension in try members.list("Dimensions") ?? [] {
            guard let name = dimension["Name"]?.text, let value = dimension["Value"]?.text else {
                throw APIFault.value("A dimension needs a Name and a Value.")
            }
            dimensions[name] = value
        }
        guard dimensions.count == 2, let instance = dimensions["ReplicationInstanceIdentifier"],
            let task = dimensions["ReplicationTaskIdentifier"]
        else { return nil }
        return (metric, MetricSubject(instance: instance, task: task))
    }

    private static func span(_ members: Members) throws -> (start: Int, end: Int) {
        guard let start = try members.number("StartTime"), let end = try members.number("EndTime") else {
            throw APIFault("MissingRequiredParameterException", "The parameters StartTime and EndTime are required.")
        }
        let limits = 0.0...4e10
        guard limits.contains(start), limits.contains(end), start < end else {
            throw APIFault.combination("The parameter StartTime must be less than the parameter EndTime.")
        }
        return (Int(start), Int(end.rounded(.up)))
    }

    private static func period(_ members: Members) throws -> Int {
        guard let period = try members.integer("Period"), period > 0, period <= 86400, [1, 5, 10, 30].contains(period) || period % 60 == 0 else {
            throw APIFault.value("The parameter Period must be 1, 5, 10, 30 or a multiple of 60, 86400 at most.")
        }
        return period
    }

    private static func offset(_ members: Members, _ name: String) throws -> Int {
        guard let token = try members.text(name), !token.isEmpty else { return 0 }
        guard let offset = Page.position(token) else { throw APIFault("InvalidNextToken", "The \(name) is not one that this service gave.") }
        return Int(offset)
    }
}
