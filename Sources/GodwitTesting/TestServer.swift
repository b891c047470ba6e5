import Foundation
import MySQLWire
import NIOCore
import NIOPosix
import Synchronization
import SystemPackage

/// A real server in a temporary folder, on 127.0.0.1 and a free port, with `root` and no password.
/// Made by `withServer`, which also takes it away.
package final class TestServer: Sendable {
    package let flavour: ServerFlavour
    package let options: ServerOptions
    package let host = "127.0.0.1"
    package let port: Int
    /// Holds the data folder, the socket and what else a test puts there.
    package let folder: FilePath
    package var dataFolder: FilePath { options.dataFolder ?? folder.appending("data") }
    package var socket: String { folder.appending("s").string }

    private struct State: Sendable {
        var process: GuardedProcess
        var logs: [LineLog]
    }
    private let state: Mutex<State>

    private init(
        flavour: ServerFlavour, options: ServerOptions, port: Int, folder: FilePath, process: GuardedProcess
    ) {
        self.flavour = flavour
        self.options = options
        self.port = port
        self.folder = folder
        self.state = Mutex(State(process: process, logs: [process.standardError]))
    }

    package var process: GuardedProcess { state.withLock { $0.process } }
    package var pid: Int32 { process.pid }
    /// All lines of the error log, over restarts.
    package var errorLog: [String] { state.withLock { $0.logs }.flatMap(\.lines) }

    // MARK: Life

    /// Starts a server; whoever calls must call `discard`. Tests use `withServer`.
    package static func start(_ flavour: ServerFlavour, _ options: ServerOptions) async throws -> TestServer {
        let folder = try await TemporaryFolder.make(flavour.rawValue)
        do {
            try await ServerTemplate.copy(flavour, to: options.dataFolder ?? folder.appending("data"))
            try FileManager.default.createDirectory(
                atPath: folder.appending("tmp").string, withIntermediateDirectories: false)
            for _ in 0..<5 {
                let port = try FreePort.next()
                guard let process = try await launch(flavour, options, port: port, folder: folder) else { continue }
                return TestServer(flavour: flavour, options: options, port: port, folder: folder, process: process)
            }
            throw TestingError("five free ports in a row were taken before \(flavour) could bind them")
        } catch {
            try? TemporaryFolder.remove(folder)  // the first error is the one to tell
            throw error
        }
    }

    /// Nil: the port was taken by somebody else meanwhile.
    private static func launch(
        _ flavour: ServerFlavour, _ options: ServerOptions, port: Int, folder: FilePath
    ) async throws -> GuardedProcess? {
        let command = flavour.server
        let places = [
            "--datadir=\((options.dataFolder ?? folder.appending("data")).string)", "--socket=\(folder.appending("s").string)",
            "--pid-file=\(folder.appending("pid").string)",
            // Its own: a starting MariaDB deletes temporary tables in its tmpdir, whosesoever they are.
            "--tmpdir=\(folder.appending("tmp").string)",
        ]
        let process = try await GuardedProcess.start(
            command.program, command.arguments + places + options.arguments(flavour, port: port))
        let ready: String?
        do {
            ready = try await withTimeLimit(
                options.readyLimit, "\(flavour) is not ready: \(process.standardError.tail())"
            ) { try await process.standardError.first { $0.contains(": ready for connections") } }
        } catch {
            try await process.kill9()
            throw error
        }
        if ready != nil { return process }
        let exit = try await process.wait()
        let log = process.standardError
        if log.text.contains("Address already in use") || log.text.contains("port already in use") { return nil }
        throw TestingError("\(flavour) did not start (\(exit)):\n\(log.tail())")
    }

    /// SIGTERM, and waits for the orderly end. Data and port are kept.
    package func stop() async throws {
        let process = process
        process.signal(SIGTERM)
        let exit: GuardedProcess.Exit
        do {
            exit = try await withTimeLimit(.seconds(120), "\(self.flavour) does not stop") { try await process.wait() }
        } catch {
            try await process.kill9()
            throw error
        }
        guard exit == .code(0) else {
            throw TestingError("\(flavour) ended with \(exit):\n\(process.standardError.tail())")
        }
    }

    /// SIGKILL, and waits. Data and port are kept.
    package func kill() async throws { try await process.kill9() }

    /// Starts a stopped or killed server again, on the same data and port, and waits until it is ready.
    /// - Parameter options: changed options from now on, for this run of the server only.
    package func start(with options: ServerOptions? = nil) async throws {
        guard let process = try await Self.launch(flavour, options ?? self.options, port: port, folder: folder) else {
            throw TestingError("port \(port) was taken by another process while \(flavour) was down")
        }
        state.withLock {
            $0.process = process
            $0.logs.append(process.standardError)
        }
    }

    /// Stops the server if it runs and starts it again.
    package func restart(with options: ServerOptions? = nil) async throws {
        try await stop()
        try await start(with: options)
    }

    /// Kills what runs and removes the folder.
    package func discard() async throws {
        try await kill()
        try TemporaryFolder.remove(folder)
    }

    // MARK: Connections

    /// How MySQLWire reaches this server as root, over TCP.
    package func configuration(tls: MySQLTLS = .disabled, database: String? = nil) -> MySQLConfiguration {
        MySQLConfiguration(
            address: .tcp(host: host, port: port), username: "root", password: nil, database: database, tls: tls)
    }

    /// A connection of MySQLWire's for the length of `body`.
    package func withConnection<Output>(
        _ configuration: MySQLConfiguration? = nil, _ body: (MySQLConnection) async throws -> Output
    ) async throws -> Output {
        let connection = try await MySQLConnection.connect(
            configuration ?? self.configuration(), on: MultiThreadedEventLoopGroup.singleton.next())
        do {
            let output = try await body(connection)
            await connection.close()
            return output
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// Runs `body` with a server that is gone afterwards, folder and process, whatever happens. Waits its turn where many
/// tests want servers at once; a server inside a server's scope waits for nothing.
@discardableResult
package func withServer<Output>(
    _ flavour: ServerFlavour = .mysql9, _ options: ServerOptions = ServerOptions(),
    _ body: (TestServer) async throws -> Output
) async throws -> Output {
    try await ServerSlots.hold {
        let server = try await TestServer.start(flavour, options)
        let output: Output
        do { output = try await body(server) } catch {
            let log = server.errorLog.suffix(5).joined(separator: "\n")
            try? await server.discard()  // the body's error is the one to tell
            if !(error is CancellationError), !log.isEmpty { print("last lines of \(flavour)'s error log:\n\(log)") }
            throw error
        }
        try await server.discard()
        return output
    }
}

/// Two servers at once: a source and a target.
///
/// - Parameter isIdle: hardly ever does anything but wait, so it need not wait for other tests' servers.
@discardableResult
package func withServers<Output>(
    source: (ServerFlavour, ServerOptions) = (.mysql9, ServerOptions()),
    target: (ServerFlavour, ServerOptions) = (.mysql9, ServerOptions()), isIdle: Bool = false,
    _ body: (_ source: TestServer, _ target: TestServer) async throws -> Output
) async throws -> Output {
    if isIdle { return try await ServerSlots.besides { try await withServers(source: source, target: target, body) } }
    return try await withServer(source.0, source.1) { first in
        try await withServer(target.0, target.1) { second in try await body(first, second) }
    }
}
