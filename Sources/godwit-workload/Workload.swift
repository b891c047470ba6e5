import ArgumentParser
import Dispatch
import Foundation
import GodwitTesting
import MySQLWire

/// A sample application for a migration: fills a schema, then writes to it and never pauses.
@main
struct Workload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "godwit-workload",
        abstract: "A sample application: fills a schema, writes to it without rest, and measures the write pause.",
        subcommands: [Seed.self, Run.self])
}

struct SchemaOptions: ParsableArguments {
    @Option(help: "The sample schema's name.") var schema = "shop"
    @Option(help: "Rows of the largest tables; the others have a part of it.") var rows = 100_000
    @Option(help: "The user, on both servers.") var user = "root"
    @Option(help: "A file that holds the password. Without one the password is empty.") var passwordFile: String?

    /// - Parameter address: `HOST:PORT`, or a socket's path.
    func server(_ address: String) throws -> MySQLConfiguration {
        var password: String?
        if let passwordFile {
            password = try String(contentsOfFile: passwordFile, encoding: .utf8).trimmingCharacters(in: .newlines)
        }
        let place: MySQLConfiguration.Address
        if address.hasPrefix("/") {
            place = .unix(path: address)
        } else {
            let parts = address.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[1]) else {
                throw ValidationError("\(address) is not HOST:PORT and not a socket's path.")
            }
            place = .tcp(host: String(parts[0]), port: port)
        }
        // A password must not need TLS here: the servers are this machine's own test servers.
        var configuration = MySQLConfiguration(address: place, username: user, password: password, tls: .disabled)
        configuration.allowPublicKeyRetrieval = true
        return configuration
    }
}

struct Seed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Creates and fills the sample schema.")
    @OptionGroup var options: SchemaOptions
    @Option(help: "HOST:PORT or a socket's path.") var server: String
    @Option(help: "Connections that fill.") var connections = 4
    @Flag(help: "The server is MariaDB.") var mariadb = false

    func run() async throws {
        let schema = SampleSchema(name: options.schema, rows: options.rows, mariaDB: mariadb)
        try await WorkloadRun.seed(schema, on: options.server(server), connections: connections)
        print("\(schema.tables.count) tables, \(schema.tables.map(\.rows).reduce(0, +)) rows in \(schema.name)")
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes until stopped (SIGTERM, --seconds, or arrived on the target); prints JSON at the end.")
    @OptionGroup var options: SchemaOptions
    @Option(help: "HOST:PORT or a socket's path.") var source: String
    @Option(help: "Tried when the source refuses writes.") var target: String?
    @Option(help: "A file that says where to write now; read again by refused writers.") var addressFile: String?
    @Option(help: "After the first write on the target: mark (one row in a table apart, then end) or proceed.")
    var onTarget = "mark"
    @Option(help: "Writer connections.") var writers = 8
    @Option(help: "Transactions a second over all writers, 0 for as many as go.") var rate = 400.0
    @Option(help: "End after so long.") var seconds: Double?
    @Option(help: "Same seed, same transactions.") var seed: UInt64 = .random(in: 0...0xFFFF_FFFF)

    func run() async throws {
        let schema = SampleSchema(name: options.schema, rows: options.rows)
        var settings = WorkloadSettings(
            schema: schema, source: try options.server(source), target: try target.map { try options.server($0) })
        guard let behaviour = WorkloadSettings.OnTarget(rawValue: onTarget) else {
            throw ValidationError("--on-target is mark or proceed, not \(onTarget).")
        }
        settings.onTarget = behaviour
        settings.addressFile = addressFile
        settings.writers = writers
        settings.rate = rate > 0 ? rate : nil
        settings.seconds = seconds
        settings.seed = seed

        let stop = StopFlag()
        // The default action would end the process before its report.
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { stop.set() }
            source.resume()
            return source
        }
        let report = try await WorkloadRun.run(settings, stop: stop) {
            FileHandle.standardError.write(Data("writing, seed \(seed)\n".utf8))
        }
        withExtendedLifetime(sources) {}
        print(try report.json())
        if report.errors > 0 { throw ExitCode.failure }
    }
}
