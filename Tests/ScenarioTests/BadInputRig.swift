import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// For tests of what a user gets wrong: two servers, a small schema on the source, accounts of the migration with different
/// names on the two sides, so that a message's statement tells where it belongs.
struct BadInputRig: Sendable {
    let rig: MigrationRig
    var source: TestServer { rig.source }
    var target: TestServer { rig.target }

    static let sourceUser = "reader"
    static let targetUser = "writer"

    /// An underscore, which is a wildcard in a GRANT, and a table without a key.
    private static let schema = """
        CREATE DATABASE bad_in; USE bad_in;
        CREATE TABLE t (id INT PRIMARY KEY, v INT, UNIQUE KEY v (v)); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);
        CREATE TABLE c (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id)); INSERT INTO c VALUES (1, 1), (2, 3);
        CREATE TABLE k (a INT, b VARCHAR(9)); INSERT INTO k VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
        CREATE DATABASE also; CREATE TABLE also.t (id INT PRIMARY KEY); INSERT INTO also.t VALUES (7);
        """
    static let tables = #"{ include: ["bad_in.*", "also.*"] }"#
    static let schemas = ["bad_in", "also"]

    static func with(
        _ options: ServerOptions = ServerOptions(), _ body: (BadInputRig) async throws -> Void
    ) async throws {
        try await MigrationRig.with(source: options, target: options) { rig in
            try await rig.source.sql(schema)
            try await body(BadInputRig(rig: rig))
        }
    }

    /// A side as the plan has it.
    func side(
        _ server: TestServer, host: String = "127.0.0.1", port: Int? = nil, user: String = "godwit", password: String? = nil,
        tls: String = "disabled"
    ) -> String {
        let secret = password.map { ", password: { file: \($0) }" } ?? ""
        return "{ host: \(host), port: \(port ?? server.port), user: \(user)\(secret), tls: { mode: \(tls) } }"
    }

    func plan(source: String? = nil, target: String? = nil, name: String) throws {
        try rig.plan(
            source: source ?? side(self.source), target: target ?? side(self.target), tables: Self.tables, extra: "name: \(name)")
    }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: rig.folder.appending(name).string))
    }

    /// The target as it was at first.
    func emptyTarget() async throws {
        try await target.sql("DROP DATABASE IF EXISTS godwit; DROP DATABASE IF EXISTS bad_in; DROP DATABASE IF EXISTS also")
    }

    /// Runs `migrate --json` to the end that is expected; returns its last sentence.
    func refused(_ code: Int32, _ comment: String, _ words: [String]) async throws -> String {
        let run = try await rig.godwit(["migrate", "--until", "validated", "--json"], expecting: nil)
        #expect(run.code == code, "\(comment): \(run.errors)")
        return try Self.sentence(run, code, comment, words)
    }

    /// One sentence on standard error, every line on standard output a JSON object, the last one the error.
    static func sentence(
        _ run: MigrationRig.Outcome, _ code: Int32, _ comment: String, _ words: [String]
    ) throws -> String {
        let last = run.errors.split(separator: "\n").filter { $0.hasPrefix("godwit: ") }
        #expect(last.count == 1, "\(comment): \(run.errors)")
        let sentence = last.first.map(String.init) ?? ""
        for word in words { #expect(sentence.contains(word), "\(comment): no \(word) in: \(sentence)") }
        #expect(sentence.hasSuffix(".") || sentence.hasSuffix(";"), "\(comment): \(sentence)")
        let lines = run.output.split(separator: "\n")
        for line in lines {
            let value = try? JSONSerialization.jsonObject(with: Data(line.utf8))
            #expect(value is [String: Any], "\(comment): no JSON object: \(line)")
        }
        let object = try lines.last.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) } as? [String: Any]
        #expect(object?["type"] as? String == "error", "\(comment): \(run.output)")
        #expect(object?["exit_code"] as? Int == Int(code), "\(comment): \(run.output)")
        return sentence
    }

    /// The same command after the cause is mended: ends validated and equal.
    func succeeds(_ comment: String) async throws {
        let run = try await rig.godwit(["migrate", "--until", "validated"])
        #expect(run.output.contains("Validated"), "\(comment): \(run.output)")
        for schema in Self.schemas { try await rig.expectEqual(schema, comment) }
    }

    /// The GRANT statements of a message.
    static func grants(in text: String) throws -> [String] {
        text.matches(of: try Regex("GRANT [^;]*;")).map { String(text[$0.range]) }
    }

    /// Runs each statement on the side whose account it names.
    func run(grants: [String]) async throws {
        for grant in grants {
            try await (grant.contains("'\(Self.sourceUser)'") ? source : target).sql(grant)
        }
    }
}
