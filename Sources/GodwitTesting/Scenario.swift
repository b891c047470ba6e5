import Foundation
import MySQLWire
import SystemPackage

/// A migration between two real servers as a user has it: a plan file in a folder, an application with an address file,
/// the program beside it.
package struct Scenario: Sendable {
    package let source: TestServer
    package let target: TestServer
    /// Holds the plan, the address file and Godwit's local state.
    package let folder: FilePath
    package let schema: SampleSchema
    /// Where the plan says that the servers are: their own ports, or those of proxies. The application goes straight to them.
    package var sourcePort: Int
    package var targetPort: Int
    /// The plan's tables, as YAML.
    package var tables = #"{ include: ["shop.*"] }"#

    package var plan: String { folder.appending("godwit.yml").string }
    package var addressFile: String { folder.appending("address").string }
    package var sourceAddress: String { "\(source.host):\(source.port)" }
    package var targetAddress: String { "\(target.host):\(target.port)" }

    /// The user of the application, on both sides; `root` is nobody's but the test's own, so that read-only holds for all.
    package static let applicationUser = "app"
    package static let migrationUser = "godwit"

    /// Users, sample schema and the plan file.
    package init(source: TestServer, target: TestServer, folder: FilePath, rows: Int, foreignKeys: Bool = true) async throws {
        self.source = source
        self.target = target
        self.folder = folder
        sourcePort = source.port
        targetPort = target.port
        // One that both servers know.
        var schema = SampleSchema(rows: rows, mariaDB: source.flavour.isMariaDB || target.flavour.isMariaDB)
        schema.foreignKeys = foreignKeys
        self.schema = schema
        for server in [source, target] {
            try await server.sql(
                """
                CREATE USER \(Self.applicationUser); GRANT ALL ON shop.* TO \(Self.applicationUser);
                GRANT ALL ON arrivals.* TO \(Self.applicationUser);
                CREATE USER \(Self.migrationUser); GRANT ALL ON *.* TO \(Self.migrationUser) WITH GRANT OPTION;
                """)
        }
        try await target.sql(WorkloadSettings.arrivalsDefinition.map { $0 + ";" }.joined())
        if rows > 0 { try await WorkloadRun.seed(schema, on: source.configuration()) }
        try writeAddress(sourceAddress)
        try writePlan()
    }

    package func writeAddress(_ address: String) throws { try write(address + "\n", to: "address") }
    package var address: String {
        get throws {
            try String(contentsOfFile: addressFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// - Parameter extra: more top-level YAML, for example `task: …`.
    package func writePlan(tables: String? = nil, extra: String = "") throws {
        try write(sourceAddress + "\n", to: "address-of-source")
        try write(targetAddress + "\n", to: "address-of-target")
        let text = """
            source:
              host: \(source.host)
              port: \(sourcePort)
              user: \(Self.migrationUser)
              tls: { mode: disabled }
            target:
              host: \(target.host)
              port: \(targetPort)
              user: \(Self.migrationUser)
              tls: { mode: disabled }
            tables: \(tables ?? self.tables)
            application:
              profile: commands
              switch: [["cp", "\(folder)/address-of-target", "\(addressFile)"]]
              switch_back: [["cp", "\(folder)/address-of-source", "\(addressFile)"]]
            \(extra)

            """
        try write(text, to: "godwit.yml")
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.appending(name).string), options: .atomic)
    }

    /// Starts `godwit COMMAND -c godwit.yml …`.
    package func godwit(_ arguments: [String], haltAt: String? = nil) async throws -> GodwitProcess {
        let (command, rest) = (arguments.first ?? "status", arguments.dropFirst())
        return try await GodwitProcess.start([command, "-c", plan] + rest, in: folder, haltAt: haltAt)
    }

    /// Writers as the application has them; they write to the source until it refuses, then where the address file says.
    package func writers(_ number: Int = 4, rate: Double? = 200, seed: UInt64) -> Writers {
        var settings = WorkloadSettings(
            schema: schema, source: configuration(of: source), target: configuration(of: target))
        settings.addressFile = addressFile
        settings.writers = number
        settings.rate = rate
        settings.seed = seed
        return Writers(settings)
    }

    private func configuration(of server: TestServer) -> MySQLConfiguration {
        MySQLConfiguration(
            address: .tcp(host: server.host, port: server.port), username: Self.applicationUser, password: nil,
            tls: .disabled)
    }

    /// What differs between the two sides; empty when they are equal in content, indexes and constraints.
    package func differences() async throws -> [String] {
        var lines = try await TableFingerprint.differences(of: schema.name, on: source, and: target)
        let keys = """
            SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = '\(schema.name)' ORDER BY 1, 2, 3;
            SELECT TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE FROM information_schema.TABLE_CONSTRAINTS
            WHERE TABLE_SCHEMA = '\(schema.name)' AND CONSTRAINT_TYPE <> 'CHECK' ORDER BY 1, 2;
            """
        let (left, right) = (Set(try await source.sql(keys)), Set(try await target.sql(keys)))
        lines += left.subtracting(right).map { "only on the source: \($0.joined(separator: " "))" }
        lines += right.subtracting(left).map { "only on the target: \($0.joined(separator: " "))" }
        return lines.sorted()
    }
}

/// Writers that run beside a test's body.
package final class Writers: Sendable {
    private let stop = StopFlag()
    private let run: Task<WorkloadReport, any Error>
    private let ready: LineLog

    init(_ settings: WorkloadSettings) {
        let ready = LineLog()
        self.ready = ready
        run = Task { [stop] in
            defer { ready.end() }
            return try await WorkloadRun.run(settings, stop: stop) { ready.append("writing") }
        }
    }

    /// Waits until all are connected.
    package func started() async throws {
        guard try await ready.first(where: { _ in true }) != nil else {
            _ = try await run.value
            throw TestingError("the writers ended before they began")
        }
    }

    /// Lets each finish its transaction and end.
    package func end() async throws -> WorkloadReport {
        stop.set()
        return try await run.value
    }

    /// Waits until all have arrived on the target and ended by themselves.
    package func arrived(within limit: Duration = .seconds(60)) async throws -> WorkloadReport {
        let ready = ready
        do {
            _ = try await withTimeLimit(limit, "the writers did not arrive on the target") {
                try await ready.first { _ in false }
            }
        } catch {
            _ = try? await end()  // the time limit's error is the one to tell
            throw error
        }
        return try await run.value
    }
}

/// Runs `body` with two fresh servers, the sample schema on the source, and a plan.
@discardableResult
package func withScenario<Output>(
    rows: Int = 2000, foreignKeys: Bool = true, source: (ServerFlavour, ServerOptions) = (.mysql9, ServerOptions()),
    target: (ServerFlavour, ServerOptions) = (.mysql9, ServerOptions()), _ body: (Scenario) async throws -> Output
) async throws -> Output {
    try await withServers(source: source, target: target) { source, target in
        try await withTemporaryFolder("plan") { folder in
            try await body(try await Scenario(source: source, target: target, folder: folder, rows: rows, foreignKeys: foreignKeys))
        }
    }
}
