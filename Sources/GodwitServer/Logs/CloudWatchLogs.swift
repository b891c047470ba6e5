import Foundation
import SystemPackage

/// The reads of CloudWatch Logs for tasks' logs: group `dms-tasks-INSTANCE`, stream `dms-task-ID`. They are kept and readable
/// whatever a task's `EnableLogging` says. Source: CloudWatch Logs' API reference.
struct CloudWatchLogs: Sendable {
    let store: StateStore

    private struct Stream {
        var group: String
        var name: String
        var files: [String]
        var created: Double
    }

    func perform(_ name: String, _ input: JSON, _ caller: Caller) throws -> JSON {
        let members = try Members(input)
        switch name {
        case "DescribeLogGroups": return try groups(members, caller)
        case "DescribeLogStreams": return try streams(members, caller)
        case "GetLogEvents": return try events(members)
        case "FilterLogEvents": return try filtered(members)
        default:
            throw APIFault.unknownOperation(
                "\(name) is not offered by this service: DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents are.")
        }
    }

    private func all() throws -> [Stream] {
        let instances = Dictionary(uniqueKeysWithValues: try store.all(.instance).map { ($0.arn, $0.identifier) })
        return try store.all(.task).compactMap { task in
            guard let instance = instances[task.text("ReplicationInstanceArn")] else { return nil }
            let id = task.arn.split(separator: ":").last.map(String.init) ?? task.identifier
            let file = store.folder.appending("tasks").appending(id).appending("task.log").string
            let files = [file + ".1", file].filter { FileManager.default.fileExists(atPath: $0) }
            guard !files.isEmpty else { return nil }
            return Stream(
                group: "dms-tasks-\(instance)", name: "dms-task-\(id)", files: files,
                created: task["ReplicationTaskCreationDate"]?.number ?? 0)
        }
    }

    private func lines(of stream: Stream) throws -> [LogLine] {
        try stream.files.flatMap { file -> [LogLine] in
            // A file that is begun anew between listing and reading.
            guard FileManager.default.fileExists(atPath: file) else { return [] }
            return LogLine.parse(try Data(contentsOf: URL(fileURLWithPath: file)))
        }
    }

    private static func size(of stream: Stream) -> Int64 {
        stream.files.reduce(0) { sum, file in
            let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber
            return sum + (size?.int64Value ?? 0)
        }
    }

    private static func wrong(_ message: String) -> APIFault { APIFault("InvalidParameterException", message) }
    private static func missing(_ what: String) -> APIFault {
        APIFault("ResourceNotFoundException", "The specified log \(what) does not exist.")
    }

    // MARK: Lists

    private func groups(_ members: Members, _ caller: Caller) throws -> JSON {
        let prefix = try members.text("logGroupNamePrefix") ?? ""
        let part = try members.text("logGroupNamePattern") ?? ""
        let found = Dictionary(grouping: try all(), by: \.group).filter { $0.key.hasPrefix(prefix) && (part.isEmpty || $0.key.contains(part)) }
        return try page(found.sorted { $0.key < $1.key }, members, as: "logGroups", longest: 50) { name, streams in
            let arn = "arn:aws:logs:\(caller.region):\(ControlPlane.account):log-group:\(name)"
            return [
                "logGroupName": .string(name), "creationTime": .int(Int64((streams.map(\.created).min() ?? 0) * 1000)),
                "metricFilterCount": 0, "arn": .string(arn + ":*"), "logGroupArn": .string(arn), "logGroupClass": "STANDARD",
                "storedBytes": .int(streams.reduce(0) { $0 + Self.size(of: $1) }),
            ]
        }
    }

    private func streams(_ members: Members, _ caller: Caller) throws -> JSON {
        let group = try group(members)
        let prefix = try members.text("logStreamNamePrefix") ?? ""
        let descends = try members.truth("descending") ?? false
        let byTime = try members.choice("orderBy", ["LogStreamName", "LastEventTime"]) == "LastEventTime"
        var found: [(stream: Stream, first: Int64?, last: Int64?)] = []
        for stream in group where stream.name.hasPrefix(prefix) {
            let lines = try lines(of: stream)
            found.append((stream, lines.first?.time, lines.last?.time))
        }
        found.sort { byTime ? ($0.last ?? 0) < ($1.last ?? 0) : $0.stream.name < $1.stream.name }
        if descends { found.reverse() }
        return try page(found, members, as: "logStreams", longest: 50) { stream, first, last in
            var shown: [String: JSON] = [
                "logStreamName": .string(stream.name), "creationTime": .int(Int64(stream.created * 1000)),
                "arn": .string("arn:aws:logs:\(caller.region):\(ControlPlane.account):log-group:\(stream.group):log-stream:\(stream.name)"),
                "storedBytes": .int(Self.size(of: stream)),
            ]
            if let first { shown["firstEventTimestamp"] = .int(first) }
            if let last {
                shown["lastEventTimestamp"] = .int(last)
                shown["lastIngestionTime"] = .int(last)
            }
            return .object(shown)
        }
    }

    private func group(_ members: Members) throws -> [Stream] {
        let given = try members.text("logGroupName") ?? members.text("logGroupIdentifier")
        guard let given, !given.isEmpty else { throw Self.wrong("Either logGroupName or logGroupIdentifier must be given.") }
        // An identifier may be an ARN.
        let name = given.hasPrefix("arn:") ? given.split(separator: ":").dropFirst(6).first.map(String.init) ?? given : given
        let streams = try all().filter { $0.group == name }
        guard !streams.isEmpty else { throw Self.missing("group") }
        return streams
    }

    private func page<Entry>(
        _ entries: [Entry], _ members: Members, as name: String, longest: Int, _ shown: (Entry) throws -> JSON
    ) throws -> JSON {
        let limit = try members.integer("limit") ?? longest
        guard (1...longest).contains(limit) else { throw Self.wrong("limit must be between 1 and \(longest).") }
        var start = 0
        if let token = try members.text("nextToken") {
            guard let position = Page.position(token) else { throw Self.wrong("The specified nextToken is invalid.") }
            start = Int(position)
        }
        let rest = entries.dropFirst(start)
        var answer: [String: JSON] = [name: .array(try rest.prefix(limit).map(shown))]
        if rest.count > limit { answer["nextToken"] = .string(Page.marker(Int64(start + limit))) }
        return .object(answer)
    }

    // MARK: Events

    private static func isWithin(_ members: Members) throws -> (LogLine) -> Bool {
        let start = try members.integer("startTime").map(Int64.init) ?? 0
        let end = try members.integer("endTime").map(Int64.init) ?? .max
        return { $0.time >= start && $0.time < end }
    }

    private func events(_ members: Members) throws -> JSON {
        let group = try group(members)
        let name = try members.required("logStreamName")
        guard let stream = group.first(where: { $0.name == name }) else { throw Self.missing("stream") }
        let limit = try members.integer("limit") ?? 10_000
        guard (1...10_000).contains(limit) else { throw Self.wrong("limit must be between 1 and 10000.") }
        let isWithin = try Self.isWithin(members)
        let lines = try lines(of: stream).filter(isWithin)
        var range: Range<Int>
        if let token = try members.text("nextToken") {
            guard let (direction, mark) = LogLine.Mark.parse(token) else { throw Self.wrong("The specified nextToken is invalid.") }
            let index = mark.index(in: lines)
            range = direction == "f" ? index..<min(lines.count, index + limit) : max(0, index - limit)..<index
        } else if try members.truth("startFromHead") ?? false {
            range = 0..<min(lines.count, limit)
        } else {
            range = max(0, lines.count - limit)..<lines.count
        }
        return [
            "events": .array(lines[range].map { ["timestamp": .int($0.time), "message": .string($0.text), "ingestionTime": .int($0.time)] }),
            "nextForwardToken": .string(LogLine.Mark(before: range.upperBound, of: lines).token("f")),
            "nextBackwardToken": .string(LogLine.Mark(before: range.lowerBound, of: lines).token("b")),
        ]
    }

    private func filtered(_ members: Members) throws -> JSON {
        let names = try members.texts("logStreamNames")
        let prefix = try members.text("logStreamNamePrefix")
        let pattern = try LogPattern(try members.text("filterPattern") ?? "")
        let isWithin = try Self.isWithin(members)
        var found: [(stream: String, line: LogLine, number: Int)] = []
        for stream in try group(members) where (names?.contains(stream.name) ?? true) && stream.name.hasPrefix(prefix ?? "") {
            for (number, line) in try lines(of: stream).enumerated() where isWithin(line) && pattern.matches(line.text) {
                found.append((stream.name, line, number))
            }
        }
        found.sort { ($0.line.time, $0.stream, $0.number) < ($1.line.time, $1.stream, $1.number) }
        var answer = try page(found, members, as: "events", longest: 10_000) { stream, line, number in
            [
                "logStreamName": .string(stream), "timestamp": .int(line.time), "message": .string(line.text),
                "ingestionTime": .int(line.time), "eventId": .string("\(line.time)-\(stream)-\(number)"),
            ]
        }.members ?? [:]
        answer["searchedLogStreams"] = []
        return .object(answer)
    }

    // MARK: DMS

    /// `DescribeReplicationInstanceTaskLogs`
    func sizes(_ members: Members) throws -> JSON {
        let arn = try members.required("ReplicationInstanceArn")
        guard let instance = try store.find(arn), instance.kind == .instance else {
            throw APIFault.notFound("Replication instance not found: \(arn)")
        }
        let streams = Dictionary(try all().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let page = try Page(members, longest: 100, usual: 100)
        let tasks = try store.all(.task).filter { $0.text("ReplicationInstanceArn") == arn && $0.id > page.after }
        var answer: [String: JSON] = [
            "ReplicationInstanceArn": .string(arn),
            "ReplicationInstanceTaskLogs": .array(
                tasks.prefix(page.size).map { task in
                    let id = task.arn.split(separator: ":").last.map(String.init) ?? ""
                    return [
                        "ReplicationTaskName": .string(task.identifier), "ReplicationTaskArn": .string(task.arn),
                        "ReplicationInstanceTaskLogSize": .int(streams["dms-task-\(id)"].map(Self.size) ?? 0),
                    ]
                }),
        ]
        if tasks.count > page.size { answer["Marker"] = .string(Page.marker(tasks[page.size - 1].id)) }
        return .object(answer)
    }
}
