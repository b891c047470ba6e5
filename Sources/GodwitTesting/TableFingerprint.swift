import Foundation

/// What one table holds, computed inside the server by plain SQL (`script/lib/fingerprint.sql`) and fetched by the
/// server's own client: two tables are equal when count and sums are, and none of Godwit's code has a say in it.
package struct TableFingerprint: Sendable, Hashable, CustomStringConvertible {
    package var table: String
    package var rows: Int
    /// Four sums over the quarters of the rows' SHA-256, as exact decimals.
    package var sums: [String]

    package var description: String { "\(table): \(rows) rows, \(sums.joined(separator: " "))" }

    /// Fingerprints of all base tables of a schema, by name.
    package static func all(of schema: String, on server: TestServer) async throws -> [String: TableFingerprint] {
        let generator = try String(contentsOfFile: ServerFlavour.script("lib/fingerprint.sql"), encoding: .utf8)
        let name = schema.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        // Both sides name the schema as the dictionary's own columns do, whatever the connection's collation.
        let set = "SET @schema = CONVERT(0x\(name) USING utf8mb4);\n"
        let statements = try await server.sql(set + generator, arguments: ["--raw"]).map { $0.joined(separator: "\t") }
        guard !statements.isEmpty else { return [:] }
        let session = "SET time_zone = '+00:00', sql_mode = '';\n"
        var found: [String: TableFingerprint] = [:]
        for row in try await server.sql(session + statements.joined(separator: "\n"), arguments: ["--raw"]) {
            guard row.count == 7, let rows = Int(row[1]) else {
                throw TestingError("unexpected answer to a fingerprint: \(row)")
            }
            guard row[2] == "0" else {
                throw TestingError("\(row[2]) rows of \(schema).\(row[0]) could not be hashed (max_allowed_packet?)")
            }
            found[row[0]] = TableFingerprint(table: row[0], rows: rows, sums: Array(row[3...]))
        }
        guard found.count == statements.count else {
            throw TestingError("\(statements.count) tables in \(schema), \(found.count) fingerprints")
        }
        return found
    }

    /// What differs between a schema on two servers, one line per table; empty when they are equal.
    package static func differences(
        of schema: String, on source: TestServer, and target: TestServer, as targetSchema: String? = nil
    ) async throws -> [String] {
        let left = try await all(of: schema, on: source)
        let right = try await all(of: targetSchema ?? schema, on: target)
        return Set(left.keys).union(right.keys).sorted().compactMap { name in
            switch (left[name], right[name]) {
            case (let first?, let second?):
                first == second
                    ? nil : "\(name): source \(first.rows) rows, target \(second.rows) rows, contents differ"
            case (_?, nil): "\(name): missing on the target"
            default: "\(name): only on the target"
            }
        }
    }
}
