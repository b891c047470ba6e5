import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// `godwit serve` as an operator has it, and the real clients: the aws command and boto3.
struct ServiceRig: Sendable {
    let folder: FilePath
    let keys: [String: String]

    var state: String { folder.appending("state").string }

    /// A state folder with one key.
    static func with(_ body: (ServiceRig) async throws -> Void) async throws {
        try await withTemporaryFolder("service") { folder in
            let state = folder.appending("state").string
            let made = try await GodwitProcess.run(["keys", "create", "tester", "--state", state], in: folder)
            guard made.exit == .code(0) else { throw TestingError("keys create: \(made.errors)") }
            let pairs = made.output.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            try await body(ServiceRig(folder: folder, keys: Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })))
        }
    }

    /// Starts the service and waits until it listens.
    func serve(port: Int = 0, host: String = "127.0.0.1", _ options: [String] = []) async throws -> (process: GodwitProcess, address: String) {
        let process = try await GodwitProcess.start(["serve", "--listen", "\(host):\(port)", "--state", state] + options, in: folder)
        let output = process.standardOutput
        let line = try await withTimeLimit(.seconds(60), "the service does not listen:\n\(process.standardError.tail())") {
            try await output.first { $0.hasPrefix("Listening on ") }
        }
        guard let line else { throw TestingError("the service ended:\n\(process.standardError.tail())") }
        return (process, String(line.dropFirst("Listening on ".count)))
    }

    /// The one-time link that a service printed.
    static func link(_ process: GodwitProcess) throws -> String {
        guard let line = process.standardOutput.lines.first(where: { $0.hasPrefix("Console, this link once") }), let link = line.split(separator: " ").last
        else { throw TestingError("the service printed no link: \(process.standardOutput.text)") }
        return String(link)
    }

    /// Runs a client script; its last line on standard output.
    @discardableResult
    func client(
        _ script: String, _ arguments: [String] = [], address: String, environment: [String: String] = [:]
    ) async throws -> String {
        try await Self.end(of: try await start(script, arguments, address: address, environment: environment), script)
    }

    /// - Throws: with what it said, where it did not end well.
    @discardableResult
    static func end(of process: GuardedProcess, _ script: String) async throws -> String {
        let exit = try await withTimeLimit(.seconds(400), "\(script) still runs:\n\(process.standardError.tail())") {
            try await process.wait()
        }
        guard exit == .code(0) else { throw TestingError("\(script): \(exit)\n\(process.standardError.tail())") }
        return process.standardOutput.lines.last ?? ""
    }

    /// Starts a client script.
    func start(
        _ script: String, _ arguments: [String] = [], address: String, environment: [String: String] = [:]
    ) async throws -> GuardedProcess {
        let path = FilePath(#filePath).removingLastComponent().appending("Clients").appending(script)
        var variables: [String: String?] = ["AWS_ENDPOINT_URL": address, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"]
        for (name, value) in keys { variables[name] = value }
        for (name, value) in environment { variables[name] = value }
        let python = ProcessInfo.processInfo.environment["GODWIT_PYTHON"] ?? Self.python(script)
        if python.hasSuffix("/clients/bin/python3") {
            variables["GODWIT_AWS"] = FilePath(python).removingLastComponent().appending("aws").string
        }
        return try await GuardedProcess.start(
            "/usr/bin/env", [python, path.string] + arguments, environment: variables, workingDirectory: folder)
    }

    /// What script/setup-clients and script/setup-browser made, else the machine's own.
    private static func python(_ script: String) -> String {
        let variables = ProcessInfo.processInfo.environment
        let cache = variables["GODWIT_CACHE"] ?? "\(variables["HOME"] ?? "/root")/.cache/godwit"
        let trees = script == "browser.py" ? ["clients", "browser"] : ["clients"]
        return trees.map { "\(cache)/\($0)/bin/python3" }.first(where: FileManager.default.isExecutableFile) ?? "python3"
    }
}
