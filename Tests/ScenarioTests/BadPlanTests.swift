import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Files that are no plan, no mappings, no settings, through the program: one sentence with place and cure, exit code 2, valid
/// JSON. What plans that can be read may get wrong has its tables in `PlanLoadTests`.
@Suite struct BadPlanTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var what: String
        var files: [String: Data]
        var words: [String]
        var testDescription: String { what }

        init(_ what: String, _ files: [String: Data], _ words: [String]) {
            self.what = what
            self.files = files
            self.words = words
        }
    }

    private static let servers = """
        source: { host: 127.0.0.1, port: 1, user: u }
        target: { host: 127.0.0.1, port: 1, user: u }

        """
    private static func text(_ text: String) -> Data { Data(text.utf8) }
    /// A plan with a file of bad bytes beside it.
    private static func beside(_ line: String, _ bytes: Data? = nil) -> [String: Data] {
        var files = ["godwit.yml": text(servers + line)]
        if let bytes { files["beside"] = bytes }
        return files
    }
    private static let binary = Data((0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) })
    private static let huge = Data(count: 50_000_000)
    private static let tables = #"tables: { include: ["a.*"] }"#

    static let rows = [
        Row("no file", [:], ["godwit.yml", "no such file", "godwit init"]),
        Row("empty", ["godwit.yml": Data()], ["godwit.yml: the file is empty", "godwit init"]),
        Row("comments only", ["godwit.yml": text("# nothing\n")], ["the file is empty"]),
        Row("binary", ["godwit.yml": binary], ["no UTF-8", "Save the file as UTF-8"]),
        Row("UTF-16", ["godwit.yml": Data([0xFF, 0xFE, 0x73, 0, 0x6F, 0])], ["no UTF-8"]),
        Row("50 MB", ["godwit.yml": huge], ["can't be read", "16 MiB"]),
        Row("a NUL inside", ["godwit.yml": text("source: { host: a\0b }")], ["control characters", "offset 17"]),
        Row("nested without end", ["godwit.yml": text(String(repeating: "[", count: 20_000))], ["godwit.yml:1:1"]),
        Row("a list", ["godwit.yml": text("- a\n")], ["godwit.yml:1:1", "must be a map, not a list"]),
        Row("a tab", ["godwit.yml": text("source:\n\thost: a")], ["godwit.yml:2:1", "a tab"]),
        Row("wrong type", ["godwit.yml": text("source: 5\n")], ["godwit.yml:1:9", "source must be a map, not a number"]),
        Row("unknown key", beside(tables + "\nfoo: 1"), ["godwit.yml:4:1", "has no key foo", "Known keys"]),
        Row("missing section", ["godwit.yml": text("target: { host: a, user: u }\n" + tables)], ["has no source", "Add `source:`"]),
        Row("mappings that are not there", beside("tables: beside"), ["godwit.yml:3:9", "named by tables", "no such file"]),
        Row("empty mappings", beside("tables: beside", Data()), ["beside:1:1", "no JSON", "Mend the file"]),
        Row("binary mappings", beside("tables: beside", binary), ["named by tables", "no UTF-8"]),
        Row("50 MB of mappings", beside("tables: beside", huge), ["named by tables", "16 MiB"]),
        Row("a NUL in the mappings", beside("tables: beside", text("{\"rules\": \0}")), ["beside:1:11", "a control character"]),
        Row("cut off mappings", beside("tables: beside", text("{\"rules\": [")), ["beside:1:12", "ends where"]),
        Row("empty settings", beside(tables + "\nsettings: beside", Data()), ["beside:1:1", "no JSON"]),
        Row("settings of a wrong type", beside(tables + "\nsettings: beside", text("[1]")), ["beside:1:1", "must be a map"]),
        Row("a setting of a wrong type", beside(tables + "\ntask: { FullLoadSettings: { CommitRate: fast } }"), ["CommitRate must be a whole number"]),
        Row(
            "binary CA",
            ["godwit.yml": text(servers.replacing("user: u }\ntarget", with: "user: u, tls: { mode: verify-ca, ca: beside } }\ntarget") + tables), "beside": binary],
            ["source.tls.ca", "no UTF-8"]),
    ]

    @Test(arguments: rows)
    func isNamedInOneSentence(row: Row) async throws {
        try await withTemporaryFolder("plan") { folder in
            for (name, bytes) in row.files { try bytes.write(to: URL(fileURLWithPath: folder.appending(name).string)) }
            try await Self.expect(row.words, row.what, in: folder)
        }
    }

    @Test(arguments: [("godwit.yml", [String]()), ("beside", ["named by tables"])])
    func aFolderInstead(name: String, words: [String]) async throws {
        try await withTemporaryFolder("plan") { folder in
            if name != "godwit.yml" {
                try Self.text(Self.servers + "tables: beside").write(to: URL(fileURLWithPath: folder.appending("godwit.yml").string))
            }
            try FileManager.default.createDirectory(
                atPath: folder.appending(name).string, withIntermediateDirectories: false)
            try await Self.expect(words + ["is a directory"], name, in: folder)
        }
    }

    @Test(.enabled("root may read every file") { getuid() != 0 })
    func aFileWithoutTheRightToReadIt() async throws {
        try await withTemporaryFolder("plan") { folder in
            let path = folder.appending("godwit.yml").string
            #expect(FileManager.default.createFile(atPath: path, contents: Data(), attributes: [.posixPermissions: 0o000]))
            try await Self.expect(["can't be read", "permission denied"], "no right", in: folder)
        }
    }

    private static func expect(_ words: [String], _ what: String, in folder: FilePath) async throws {
        for command in ["check", "migrate"] {
            let run = try await GodwitProcess.run([command, "--json"], in: folder, limit: .seconds(60))
            let errors = run.errors.joined(separator: "\n")
            #expect(run.exit == .code(2), "\(what): \(errors)")
            _ = try BadInputRig.sentence(
                MigrationRig.Outcome(code: 2, output: run.output.joined(separator: "\n"), errors: errors), 2, what, words)
            #expect(run.errors.count == 1, "\(what): \(errors)")
        }
    }
}
