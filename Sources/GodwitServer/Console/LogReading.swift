import Foundation
import SystemPackage

/// A line of a task's log by its parts.
struct LogEntry: Sendable, Equatable {
    var time: String
    var component: String
    /// `E`, `W`, `I`, `D`, `T`: as DMS writes them.
    var severity: Character
    var text: String

    /// `00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]I:  text`; another line is all text.
    init(_ line: String) {
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, parts[0].hasSuffix(":"), parts[2].hasPrefix("["), let end = parts[2].firstIndex(of: "]"),
            let severity = parts[2][end...].dropFirst().first, parts[2][end...].dropFirst(2).first == ":"
        else {
            self.init(time: "", component: "", severity: "I", text: line)
            return
        }
        self.init(
            time: String(parts[1]).replacing("T", with: " "), component: parts[2][..<end].dropFirst().trimmingCharacters(in: .whitespaces),
            severity: severity, text: parts[2][end...].dropFirst(3).trimmingCharacters(in: .whitespaces))
    }

    init(time: String, component: String, severity: Character, text: String) {
        self.time = time
        self.component = component
        self.severity = severity
        self.text = text
    }

    static let severities: [(letter: String, name: String)] = [("E", "Error"), ("W", "Warning"), ("I", "Info"), ("D", "Debug")]
    var severityName: String { Self.severities.first { $0.letter == String(severity) }?.name ?? String(severity) }
}

/// What of a task's log is asked for.
struct LogView: Sendable {
    static let pageSize = 200
    var component: String
    var severity: String
    var search: String
    /// From 1, the newest lines first page.
    var page: Int
    /// In the order of time.
    var entries: [LogEntry] = []
    var components: [String] = []
    var matching = 0

    init(_ query: Fields) {
        component = query["component"]
        severity = query["severity"]
        search = query["search"]
        page = min(max(1, Int(query["page"]) ?? 1), 1_000_000)
    }

    var pages: Int { max(1, (matching + Self.pageSize - 1) / Self.pageSize) }

    mutating func take(_ lines: some Sequence<String>) {
        var all: [LogEntry] = []
        var names: Set<String> = []
        for line in lines {
            let entry = LogEntry(line)
            names.insert(entry.component)
            guard component.isEmpty || entry.component == component, severity.isEmpty || String(entry.severity) == severity,
                search.isEmpty || line.range(of: search, options: .caseInsensitive) != nil
            else { continue }
            all.append(entry)
        }
        components = names.subtracting([""]).sorted()
        matching = all.count
        page = min(page, pages)
        let end = max(0, all.count - (page - 1) * Self.pageSize)
        entries = Array(all[max(0, end - Self.pageSize)..<end])
    }
}

/// The files of a task's log.
struct LogFiles: Sendable {
    let files: [String]

    init(_ folder: FilePath) {
        let file = folder.appending("task.log").string
        files = [file + ".1", file]
    }

    /// Changes with every line that is written.
    var mark: String {
        files.map { file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            return "\(attributes?[.systemFileNumber] ?? 0):\(attributes?[.size] ?? 0)"
        }.joined(separator: " ")
    }

    func bytes() throws -> Data {
        var all = Data()
        // A file may be renamed between the two.
        for file in files where FileManager.default.fileExists(atPath: file) { all += try Data(contentsOf: URL(fileURLWithPath: file)) }
        return all
    }

    func lines() throws -> [String] {
        try bytes().split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}
