import Foundation
import Subprocess
import SystemPackage

/// Folders of a test, short enough in name for a Unix socket in them (107 bytes).
///
/// All stand in one folder of this process, which a janitor removes when the process is gone, however it went.
package enum TemporaryFolder {
    /// Makes an empty folder in this process's own one in `TMPDIR` (default `/tmp`).
    package static func make(_ prefix: String = "folder") async throws -> FilePath {
        let root = try await Root.shared.folder()
        for _ in 0..<100 {
            let path = root.appending("\(prefix)-\(randomName())")
            do {
                try FileManager.default.createDirectory(
                    atPath: path.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                return path
            } catch CocoaError.fileWriteFileExists { continue }
        }
        throw TestingError("could not make a folder in \(root)")
    }

    package static func remove(_ path: FilePath) throws {
        guard FileManager.default.fileExists(atPath: path.string) else { return }
        try FileManager.default.removeItem(atPath: path.string)
    }

    private static func randomName() -> String { String(UInt64.random(in: 0..<(1 << 40)), radix: 36) }

    private actor Root {
        static let shared = Root()
        private var made: Task<FilePath, any Error>?

        func folder() async throws -> FilePath {
            if let made { return try await made.value }
            let task = Task { try await Self.make() }
            made = task
            return try await task.value
        }

        private static func make() async throws -> FilePath {
            let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
            let path = FilePath(base).appending("godwit-\(randomName())")
            // The janitor makes the folder, waits for the end of its input, which is the end of this process, and
            // removes the folder; more than once, since killed servers may take a moment to let go of it.
            let started = LineLog()
            Task {
                defer { started.end() }
                _ = try await Subprocess.run(
                    .path("/bin/sh"), arguments: ["-c", janitor, "janitor", path.string], input: .inputWriter,
                    output: .sequence, error: .discarded
                ) { execution in
                    for try await line in execution.standardOutput.strings() { started.append(line) }
                }
            }
            guard try await started.first(where: { _ in true }) != nil else {
                throw TestingError("could not make a folder in \(base)")
            }
            return path
        }

        private static let janitor = """
            trap '' INT TERM HUP
            mkdir -m 700 -- "$1" || exit 1
            echo made
            read -r _
            # Small disks that a killed test left mounted.
            while read -r _ place _; do
                case "$place" in "$1"/*) umount -l "$place" 2>/dev/null ;; esac
            done </proc/mounts
            for _ in 1 2 3 4 5 6 7 8 9 10; do
                rm -rf -- "$1" 2>/dev/null
                sleep 0.2
                [ -e "$1" ] || exit 0
            done
            """
    }
}

/// Runs `body` with an empty folder that is gone afterwards, whatever happens.
@discardableResult
package func withTemporaryFolder<Output>(
    _ prefix: String = "folder", _ body: (FilePath) async throws -> Output
) async throws -> Output {
    let folder = try await TemporaryFolder.make(prefix)
    let output: Output
    do { output = try await body(folder) } catch {
        try? TemporaryFolder.remove(folder)  // the body's error is the one to tell
        throw error
    }
    try TemporaryFolder.remove(folder)
    return output
}
