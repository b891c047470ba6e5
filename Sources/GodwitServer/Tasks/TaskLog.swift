import Foundation
import Synchronization
import SystemPackage

/// A task's log: lines as DMS writes them, in a file that is begun anew at 8 MiB, with one older file kept.
final class TaskLog: Sendable {
    static let longest = 8 << 20
    private let file: FilePath
    private let handle = Mutex<FileHandle?>(nil)

    init(folder: FilePath) throws {
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        file = folder.appending("task.log")
    }

    /// `00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]I:  text`
    static func line(_ level: String, _ text: String, at date: Date) -> String {
        let time = date.formatted(.iso8601.year().month().day().dateSeparator(.dash).time(includingFractionalSeconds: false).timeSeparator(.colon))
        let letter = level == "error" ? "E" : level == "warning" ? "W" : "I"
        let shown = String(text.map { $0.isNewline ? " " : $0 })
        return "00000001: \(time) [TASK_MANAGER    ]\(letter):  \(shown)\n"
    }

    func write(_ level: String, _ text: String) {
        let line = Data(Self.line(level, text, at: Date()).utf8)
        handle.withLock { handle in
            // A full disk must not stop a migration; the status tells what the log can't.
            do {
                if let open = handle, try open.offset() > UInt64(Self.longest) {
                    try open.close()
                    handle = nil
                    try? FileManager.default.removeItem(atPath: file.string + ".1")
                    try FileManager.default.moveItem(atPath: file.string, toPath: file.string + ".1")
                }
                if handle == nil {
                    if !FileManager.default.fileExists(atPath: file.string) {
                        _ = FileManager.default.createFile(atPath: file.string, contents: nil, attributes: [.posixPermissions: 0o600])
                    }
                    let opened = try FileHandle(forWritingTo: URL(fileURLWithPath: file.string))
                    try opened.seekToEnd()
                    handle = opened
                }
                try handle?.write(contentsOf: line)
            } catch {
                handle = nil
            }
        }
    }
}
