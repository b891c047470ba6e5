import Foundation
import Subprocess
import SystemPackage

/// Programs of the host, run without a shell, with nothing of this process's environment but a path.
package enum HostProgram {
    package struct Result: Sendable, Hashable {
        /// The exit code; a signal is 128 and its number, as shells say it.
        package var code: Int32
        package var output: String
        package var errors: String
    }

    /// Where users' PATH may not lead.
    private static let systemFolders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]

    /// The program's path; nil where the host does not have it.
    package static func find(_ name: String) -> String? {
        let own = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        return (own + systemFolders).lazy.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    package static func run(
        _ name: String, _ arguments: [String], input: String = "", limit: Duration = .seconds(60)
    ) async throws -> Result {
        guard let path = find(name) else { throw HostError(.refused, "\(name) is not on this host.", cure: "Install it.") }
        return try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask { try await execute(path, arguments, input) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw HostError(.failed, "\(name) did not end within \(limit.components.seconds) seconds, and was ended.")
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private static func execute(_ path: String, _ arguments: [String], _ input: String) async throws -> Result {
        let environment = Environment.custom(["PATH": "\(systemFolders.joined(separator: ":"))", "LC_ALL": "C"])
        let limit = 16 << 20
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments), environment: environment,
            input: .fileDescriptor(try InputFile.make(input), closeAfterSpawningProcess: true),
            output: .string(limit: limit), error: .string(limit: limit))
        let code: Int32 =
            switch result.terminationStatus {
            case .exited(let code): Int32(code)
            case .signaled(let signal): 128 + Int32(signal)
            }
        return Result(code: code, output: result.standardOutput, errors: result.standardError)
    }
}
