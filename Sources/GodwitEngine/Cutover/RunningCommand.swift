import Foundation
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Which of the application's commands runs now, in a file of the state folder: a command outlives a Godwit that is killed, and
/// the next run must not undo a switch that is still at work.
struct RunningCommand: Sendable {
    private let path: String

    init(folder: String) { path = folder + "/command.running" }

    /// Its process, told from a later one of the same number by the time it started.
    private struct Record: Codable {
        var pid: Int32
        var startedAt: UInt64
        var name: String
    }

    func begin(pid: Int32, name: String) throws {
        guard let startedAt = Self.startTime(of: pid) else { return }
        let record = Record(pid: pid, startedAt: startedAt, name: name)
        try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// A file that stays is harmless: its process is not there any more.
    func end() { try? FileManager.default.removeItem(atPath: path) }

    /// Waits for a command of an earlier run; one that is over the limit is ended.
    func waitForEarlier(limit: Duration, grace: Duration) async throws(CutoverFailure) {
        guard let data = FileManager.default.contents(atPath: path) else { return }
        guard let record = try? JSONDecoder().decode(Record.self, from: data) else {
            throw CutoverFailure("The file \(path) is not readable: see that no command of an earlier run is at work, then delete it.")
        }
        if await isGone(record, within: limit) { return end() }
        if Task.isCancelled {
            throw CutoverFailure("Stopped while the command application.\(record.name) of an earlier run (process \(record.pid)) is at work.")
        }
        for signal in [SIGTERM, SIGKILL] {
            // Its whole group: each command leads one.
            if kill(-record.pid, signal) != 0 { kill(record.pid, signal) }
            // Not the caller's task: a cancelled one would not wait at all.
            if await Task(operation: { await isGone(record, within: grace) }).value { return end() }
        }
        throw CutoverFailure("The command application.\(record.name) of an earlier run (process \(record.pid)) does not end.")
    }

    private func isGone(_ record: Record, within limit: Duration) async -> Bool {
        let end = ContinuousClock.now + limit
        while Self.startTime(of: record.pid) == record.startedAt {
            if ContinuousClock.now >= end || Task.isCancelled { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Clock ticks after boot at which the process started; nil where there is none, or only what is left of one that has ended.
    /// Source: proc_pid_stat(5), fields 3 and 22.
    private static func startTime(of pid: Int32) -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let name = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        return UInt64(fields[19])
    }
}
