import Foundation
import MySQLBinlog
import Testing

@testable import GodwitCommands

@Suite struct BinlogCommandTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("MySQLBinlogTests/Fixtures")

    /// The lines of a file, and the error that ended them.
    private static func decode(_ path: String) throws -> (lines: [String], error: BinlogError?) {
        var output: [UInt8] = []
        var failure: BinlogError?
        do {
            try BinlogCommand.decode(path) { output += $0 }
        } catch let error as BinlogError {
            failure = error
        }
        return (String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init), failure)
    }

    private static func objects(_ name: String) throws -> [[String: Any]] {
        try decode(fixtures.appendingPathComponent(name).path).lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func linesOfAllEvents() throws {
        let (lines, error) = try Self.decode(Self.fixtures.appendingPathComponent("events/full.bin").path)
        #expect(error == nil)
        let expected = String(decoding: try Data(contentsOf: Self.fixtures.appendingPathComponent("events/expected.jsonl")), as: UTF8.self)
        #expect(lines == expected.split(separator: "\n").map(String.init))
    }

    @Test(arguments: ["types/full.bin", "types/minimal.bin", "json/full.bin", "events/full.bin", "plain/nochecksum.bin"])
    func everyLineIsJSON(name: String) throws {
        for object in try Self.objects(name) {
            #expect(object["type"] is String)
            #expect(object["position"] != nil && object["timestamp"] != nil && object["server_id"] != nil)
        }
    }

    /// What the design page says about values.
    @Test func values() throws {
        let rows = try Self.objects("types/full.bin").compactMap { $0["after"] as? [String: Any] }
        try #require(rows.count == 5)
        func text(_ row: Int, _ column: String) -> String? { rows[row][column] as? String }
        #expect(text(0, "i64") == "-9223372036854775808")
        #expect(text(1, "u64") == "18446744073709551615")
        #expect((rows[1]["u32"] as? NSNumber)?.int64Value == 4_294_967_295)
        #expect(text(1, "dec0") == String(repeating: "9", count: 65))
        #expect(text(0, "dec2") == "-0.50")
        #expect(text(0, "t6") == "-838:59:58.999999")
        #expect(text(1, "ts6") == "2038-01-19 03:14:07.999999")
        #expect(text(3, "da") == "2024-02-00")
        #expect(text(1, "e") == "ü,'" && text(2, "e")?.isEmpty == true)
        #expect(text(1, "s") == "x,y,ü")
        #expect(text(1, "e300") == "m299")
        #expect((rows[1]["b9"] as? NSNumber)?.intValue == 511)
        #expect(text(2, "b64") == "9007199254740993")
        #expect(text(2, "cl") == "€ä" && text(2, "t_u32") == "я" && text(2, "mt") == "€")
        #expect((rows[2]["t_gbk"] as? [String: String])?["base64"] == "p/E=")
        #expect((rows[2]["vb"] as? [String: String])?["base64"] == "wyg=")
        #expect((rows[2]["bi"] as? [String: String])?["base64"] == "AP8AAAAAAAAAAAAAAAAAAA==", "padded with zeros")
        #expect(rows[4].filter { $0.key != "id" }.values.allSatisfy { $0 is NSNull })
        let minimal = try Self.objects("types/minimal.bin").compactMap { $0["after"] as? [String: Any] }
        #expect((minimal[1]["@3"] as? NSNumber)?.intValue == 255)
        #expect(minimal[0].count == rows[0].count)
    }

    /// Truncated input: the lines of all whole events, then the error with its offset.
    @Test func corruptInput() throws {
        let bytes = try Data(contentsOf: Self.fixtures.appendingPathComponent("events/full.bin"))
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString).bin")
        defer { try? FileManager.default.removeItem(at: path) }
        try bytes.prefix(1900).write(to: path)
        let (lines, error) = try Self.decode(path.path)
        let whole = try Self.decode(Self.fixtures.appendingPathComponent("events/full.bin").path).lines
        #expect(lines.count > 5 && lines.dropFirst() == whole.prefix(lines.count).dropFirst())
        #expect(try #require(error).offset <= 1900)
        #expect(whole[lines.count].contains("\"position\":\(try #require(error).offset),"))
    }

    @Test func missingFile() {
        #expect(throws: BinlogFileError.self) { try BinlogCommand.decode("/nonexistent/binlog.000001") { _ in } }
    }
}
