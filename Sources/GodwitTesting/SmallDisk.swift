import Foundation
import SystemPackage

/// A disk of a few megabytes (a tmpfs) that a server can fill, and that can be made larger while it is in use.
package struct SmallDisk: Sendable {
    package let path: FilePath

    package func resize(megabytes: Int) async throws {
        _ = try await ServerTemplate.output("/bin/mount", ["-o", "remount,size=\(megabytes)m", path.string])
    }

    /// What a test that is skipped without one says.
    package static let need = "a small disk is a tmpfs, and mounting one needs root with the right to mount"

    /// Can this process mount one? Tried once.
    package static func isPossible() async -> Bool { await Probe.shared.answer() }

    private actor Probe {
        static let shared = Probe()
        private var known: Task<Bool, Never>?
        func answer() async -> Bool {
            if let known { return await known.value }
            let task = Task {
                do {
                    try await withSmallDisk(megabytes: 1) { _ in }
                    return true
                } catch { return false }
            }
            known = task
            return await task.value
        }
    }
}

/// Runs `body` with a small disk that is unmounted afterwards, whatever happens.
@discardableResult
package func withSmallDisk<Output>(megabytes: Int, _ body: (SmallDisk) async throws -> Output) async throws -> Output {
    try await withTemporaryFolder("disk") { folder in
        _ = try await ServerTemplate.output(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m,mode=700", "godwit-test", folder.string])
        let output: Output
        do { output = try await body(SmallDisk(path: folder)) } catch {
            _ = try? await ServerTemplate.output("/bin/umount", ["-l", folder.string])  // the body's error is the one to tell
            throw error
        }
        _ = try await ServerTemplate.output("/bin/umount", ["-l", folder.string])
        return output
    }
}
