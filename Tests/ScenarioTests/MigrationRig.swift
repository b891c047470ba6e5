import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Two servers, a plan in a folder, and the program as a user runs it: for tests that bring schemas of their own.
struct MigrationRig: Sendable {
    let source: TestServer
    let target: TestServer
    let folder: FilePath

    static func with(
        source: ServerOptions = ServerOptions(), target: ServerOptions = ServerOptions(),
        flavours: (source: ServerFlavour, target: ServerFlavour) = (.mysql9, .mysql9), _ body: (MigrationRig) async throws -> Void
    ) async throws {
        try await withServers(source: (flavours.source, source), target: (flavours.target, target)) { source, target in
            for server in [source, target] {
                try await server.sql("CREATE USER godwit; GRANT ALL ON *.* TO godwit WITH GRANT OPTION")
            }
            try await withTemporaryFolder("rig") { folder in
                try await body(MigrationRig(source: source, target: target, folder: folder))
            }
        }
    }

    /// Writes the plan. `tls`: the mode on both sides; `extra`: more top-level YAML.
    func plan(tables: String, tls: String = "disabled", extra: String = "") throws {
        let text = """
            source: { host: 127.0.0.1, port: \(source.port), user: godwit, tls: { mode: \(tls) } }
            target: { host: 127.0.0.1, port: \(target.port), user: godwit, tls: { mode: \(tls) } }
            tables: \(tables)
            \(extra)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.appending("godwit.yml").string))
    }

    /// Writes the plan with both servers as YAML maps, for example `{ host: …, port: … }`.
    func plan(source: String, target: String, tables: String, extra: String = "") throws {
        let text = "source: \(source)\ntarget: \(target)\ntables: \(tables)\n\(extra)\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.appending("godwit.yml").string))
    }

    /// Writes a plan whose tables stand in a file of DMS table mappings.
    func plan(rules: String, extra: String = "") throws {
        try Data(rules.utf8).write(to: URL(fileURLWithPath: folder.appending("mappings.json").string))
        try plan(tables: "mappings.json", extra: extra)
    }

    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
    }

    @discardableResult
    func godwit(_ arguments: [String], expecting code: Int32? = 0) async throws -> Outcome {
        let run = try await GodwitProcess.run(arguments, in: folder)
        var status: Int32 = -1
        if case .code(let code) = run.exit { status = code }
        let outcome = Outcome(
            code: status, output: run.output.joined(separator: "\n"), errors: run.errors.joined(separator: "\n"))
        if let code { #expect(outcome.code == code, "godwit \(arguments.joined(separator: " ")): \(outcome.output)\n\(outcome.errors)") }
        return outcome
    }

    func expectEqual(_ schema: String, _ comment: String = "") async throws {
        let differences = try await TableFingerprint.differences(of: schema, on: source, and: target)
        #expect(differences.isEmpty, "\(comment) \(differences.joined(separator: "\n"))")
    }

    /// SHOW CREATE TABLE without the counter, for comparing definitions.
    func definition(_ table: String, on server: TestServer) async throws -> String {
        let rows = try await server.sql("SHOW CREATE TABLE \(table)")
        return (rows.first?.dropFirst().joined(separator: "\t") ?? "")
            .replacing(try Regex(" AUTO_INCREMENT=[0-9]+"), with: "")
    }
}
