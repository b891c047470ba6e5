import Foundation
import SystemPackage

/// Data folders as a server's initialisation leaves them, made once per flavour and version and copied for each server:
/// a tenth of a second instead of three.
actor ServerTemplate {
    static let shared = ServerTemplate()
    private var made: [ServerFlavour: Task<FilePath, any Error>] = [:]

    /// The template's folder; made by the first who asks, of all processes that share the cache.
    func folder(_ flavour: ServerFlavour) async throws -> FilePath {
        if let task = made[flavour] { return try await task.value }
        let task = Task { try await Self.make(flavour) }
        made[flavour] = task
        return try await task.value
    }

    static func copy(_ flavour: ServerFlavour, to folder: FilePath) async throws {
        let template = try await shared.folder(flavour)
        _ = try await output("/bin/cp", ["-a", "--reflink=auto", "--", template.string + "/.", folder.string])
    }

    private static func make(_ flavour: ServerFlavour) async throws -> FilePath {
        let server = flavour.server
        let version = try await output(server.program, server.arguments + ["--version"])
        let key = version.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") }.suffix(60)
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["GODWIT_CACHE"].flatMap { $0.isEmpty ? nil : FilePath($0) }
            ?? FilePath(NSHomeDirectory()).appending(".cache").appending("godwit")
        let templates = cache.appending("templates")
        let final = templates.appending("1-\(flavour.rawValue)-\(key)")
        if FileManager.default.fileExists(atPath: final.string) { return final }
        try FileManager.default.createDirectory(atPath: templates.string, withIntermediateDirectories: true)
        // Made under another name and renamed when whole; two makers are no harm, the second throws its own away.
        let work = templates.appending("making-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))")
        defer { try? TemporaryFolder.remove(work) }
        switch flavour {
        case .mysql9:
            let arguments = [
                "--initialize-insecure", "--datadir=\(work.string)", "--innodb-redo-log-capacity=16M", "--mysqlx=OFF",
            ]
            _ = try await output(server.program, server.arguments + arguments)
            // Each server makes a UUID of its own.
            try TemporaryFolder.remove(work.appending("auto.cnf"))
        case .mariadb:
            let arguments = [
                "--no-defaults", "--user=\(NSUserName())", "--datadir=\(work.string)", "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ]
            _ = try await output(flavour.mariaTool("mariadb-install-db"), arguments)
        case .mariadb11:
            _ = try await output(ServerFlavour.script("lib/mariadb11"), ["install-db", "--datadir=\(work.string)"])
        }
        do {
            try FileManager.default.moveItem(atPath: work.string, toPath: final.string)
        } catch  where FileManager.default.fileExists(atPath: final.string) {
            return final
        }
        return final
    }

    /// Runs a program to its end; its standard output, or an error with all it said.
    static func output(_ program: String, _ arguments: [String]) async throws -> String {
        let process = try await GuardedProcess.start(program, arguments)
        let exit = try await process.wait()
        guard exit == .code(0) else {
            let said = process.standardOutput.tail() + process.standardError.tail()
            throw TestingError("\(program) \(arguments.joined(separator: " ")) ended with \(exit): \(said)")
        }
        return process.standardOutput.text
    }
}
