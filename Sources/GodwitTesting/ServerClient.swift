import Foundation
import GodwitHost
import Subprocess
import SystemPackage

// SQL through the server's own client program: nothing of Godwit's is in the way.
extension TestServer {
    /// Runs SQL (any number of statements) as root over the socket and returns the rows of all results, as text; NULL
    /// reads `NULL`. An SQL error throws with the client's message.
    @discardableResult
    package func sql(_ text: String, schema: String? = nil, arguments: [String] = []) async throws -> [[String]] {
        // From 11.4 on MariaDB's client wants TLS even where it goes over a socket.
        let plain = flavour == .mariadb11 ? ["--skip-ssl"] : []
        let all = ["--protocol=socket", "--socket=\(socket)", "--user=root"] + plain + arguments
        return try await Self.runClient(flavour, text, schema: schema, arguments: all)
    }

    /// The first column of the first row.
    package func value(_ text: String, schema: String? = nil) async throws -> String {
        guard let value = try await sql(text, schema: schema).first?.first else {
            throw TestingError("no row came back for \(text)")
        }
        return value
    }

    /// The same through a connection of the caller's choosing, for example `["--host=…", "--ssl-mode=VERIFY_IDENTITY"]`.
    @discardableResult
    package static func runClient(
        _ flavour: ServerFlavour, _ text: String, schema: String? = nil, arguments: [String]
    ) async throws -> [[String]] {
        let client = flavour.client
        var all = client.arguments + arguments
        all += ["--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--binary-mode"]
        if let schema { all.append("--database=\(schema)") }
        let result = try await Subprocess.run(
            .path(FilePath(client.program)), arguments: Arguments(all),
            input: .fileDescriptor(try InputFile.make(text), closeAfterSpawningProcess: true),
            output: .string(limit: 256 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw TestingError("the client of \(flavour) failed: \(result.standardError)in: \(text.prefix(300))")
        }
        return result.standardOutput.split(separator: "\n", omittingEmptySubsequences: true).map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
