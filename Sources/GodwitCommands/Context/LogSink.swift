import Foundation
import Logging
import Synchronization

/// Where log lines go: standard error from a level on, and the file in the plan's state folder, which gets more.
final class LogSink: Sendable {
    private struct State {
        var level: Logger.Level = .warning
        var file: FileHandle?
        /// While a live view owns the terminal, lines go through it.
        var divert: (@Sendable (String) -> Void)?
    }
    /// At this size the file becomes `godwit.log.1` when the next command opens it, bytes.
    static let rotationSize = 10 << 20

    private let state = Mutex(State())
    private let err: any TextSink

    init(err: any TextSink) { self.err = err }

    var level: Logger.Level {
        get { state.withLock { $0.level } }
        set { state.withLock { $0.level = newValue } }
    }

    /// Sends lines for standard error elsewhere; nil: back to standard error.
    func divert(to writer: (@Sendable (String) -> Void)?) {
        state.withLock { $0.divert = writer }
    }

    /// Opens `godwit.log` in the folder, made if it is missing. A folder that cannot be written costs the file only.
    func openFile(in folder: String) {
        let path = folder + "/godwit.log"
        do {
            let files = FileManager.default
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let size = (try? files.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            if size > Self.rotationSize {
                if files.fileExists(atPath: path + ".1") { try files.removeItem(atPath: path + ".1") }
                try files.moveItem(atPath: path, toPath: path + ".1")
            }
            if !files.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            state.withLock { $0.file = handle }
        } catch {
            log(.warning, "No log file: \(path) cannot be written: \(error.localizedDescription)", at: Date())
        }
    }

    /// One line, to standard error where the level asks for it, and to the file from `info` on.
    func log(_ level: Logger.Level, _ line: String, at date: Date = Date()) {
        let text = "\(Format.timestamp(date.timeIntervalSince1970)) \(level.rawValue) \(line)\n"
        let (divert, toErr) = state.withLock { state in
            if level >= min(.info, state.level) { try? state.file?.write(contentsOf: Data(text.utf8)) }
            return (state.divert, level >= state.level)
        }
        guard toErr else { return }
        if let divert { divert(text) } else { err.write(text) }
    }

    /// One line for the operator, as it is: to standard error, or above the live view.
    func notify(_ line: String) {
        record(.notice, line)
        if let divert = state.withLock({ $0.divert }) { divert(line + "\n") } else { err.write(line + "\n") }
    }

    /// To the file only: lines that the operator sees in another form.
    func record(_ level: Logger.Level, _ line: String, at date: Date = Date()) {
        let text = "\(Format.timestamp(date.timeIntervalSince1970)) \(level.rawValue) \(line)\n"
        state.withLock { try? $0.file?.write(contentsOf: Data(text.utf8)) }
    }
}

/// swift-log's door to the sink.
struct SinkLogHandler: LogHandler {
    let label: String
    let sink: LogSink
    var metadata: Logger.Metadata = [:]
    /// The sink decides; nothing is built that it would drop.
    var logLevel: Logger.Level {
        get { min(.info, sink.level) }
        set { sink.level = newValue }
    }

    init(label: String, sink: LogSink) {
        self.label = label
        self.sink = sink
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        sink.log(event.level, "\(label): \(event.message)\(details)")
    }
}
