import Foundation
import SystemPackage

/// Folders of a test, short enough in name for a Unix socket in them (107 bytes).
package enum TemporaryFolder {
    /// Makes an empty folder in `TMPDIR` (default `/tmp`).
    package static func make(_ prefix: String = "godwit") throws -> FilePath {
        let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        for _ in 0..<100 {
            let path = FilePath(base).appending("\(prefix)-\(String(UInt64.random(in: 0..<(1 << 40)), radix: 36))")
            do {
                try FileManager.default.createDirectory(
                    atPath: path.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                return path
            } catch CocoaError.fileWriteFileExists { continue }
        }
        throw TestingError("could not make a folder in \(base)")
    }

    package static func remove(_ path: FilePath) throws {
        guard FileManager.default.fileExists(atPath: path.string) else { return }
        try FileManager.default.removeItem(atPath: path.string)
    }
}

/// Runs `body` with an empty folder that is gone afterwards, whatever happens.
@discardableResult
package func withTemporaryFolder<Output>(
    _ prefix: String = "godwit", _ body: (FilePath) async throws -> Output
) async throws -> Output {
    let folder = try TemporaryFolder.make(prefix)
    let output: Output
    do { output = try await body(folder) } catch {
        try? TemporaryFolder.remove(folder)  // the body's error is the one to tell
        throw error
    }
    try TemporaryFolder.remove(folder)
    return output
}
