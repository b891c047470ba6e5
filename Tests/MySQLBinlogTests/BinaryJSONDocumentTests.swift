import MySQLBinlog
import MySQLTypes
import Testing

@Suite struct BinaryJSONDocumentTests {
    /// Every document of the fixture, taken apart and written again, is the server's byte for byte.
    @Test func writesAsTheServer() throws {
        var documents: [[UInt8]] = []
        for (event, _) in try Fixture.events(try Fixture.bytes("json/full.bin")) {
            try event.visitEverything { _, _, value in
                if case .json(let bytes) = value, !bytes.isEmpty { documents.append(bytes) }
            }
        }
        for (index, bytes) in documents.enumerated() {
            #expect(try BinaryJSONDocument(bytes).encoded() == bytes, "document \(index + 1)")
        }
        #expect(documents.count > 10)
    }

    private static func document(_ members: [(String, [UInt8])]) throws -> BinaryJSONDocument {
        // {}
        var document = try BinaryJSONDocument([0, 0, 0, 4, 0])
        for (name, value) in members { try document.apply(JSONDiff(operation: .insert, path: "$.\(name)", value: value)) }
        return document
    }

    @Test(arguments: [
        (JSONDiff(operation: .replace, path: "$.a", value: [5, 9, 0]), #"{"a": 9, "b": [1, 2]}"#),
        (JSONDiff(operation: .replace, path: "$.b[1]", value: [12, 1, 0x78]), #"{"a": 1, "b": [1, "x"]}"#),
        (JSONDiff(operation: .insert, path: "$.b[0]", value: [4, 1]), #"{"a": 1, "b": [true, 1, 2]}"#),
        (JSONDiff(operation: .insert, path: "$.b[99]", value: [4, 0]), #"{"a": 1, "b": [1, 2, null]}"#),
        (JSONDiff(operation: .insert, path: #"$."x\"y""#, value: [4, 0]), #"{"a": 1, "b": [1, 2], "x\"y": null}"#),
        (JSONDiff(operation: .insert, path: "$.AA", value: [4, 0]), #"{"a": 1, "b": [1, 2], "AA": null}"#),
        (JSONDiff(operation: .remove, path: "$.b[0]", value: nil), #"{"a": 1, "b": [2]}"#),
        (JSONDiff(operation: .remove, path: "$.a", value: nil), #"{"b": [1, 2]}"#),
        (JSONDiff(operation: .replace, path: "$", value: [4, 1]), "true"),
    ])
    func appliesDiffs(diff: JSONDiff, text: String) throws {
        var document = try Self.document([("a", [5, 1, 0]), ("b", [2, 2, 0, 10, 0, 5, 1, 0, 5, 2, 0])])
        try document.apply(diff)
        #expect(try BinaryJSON.render(document.encoded()) == text)
        #expect(try BinaryJSONDocument(document.encoded()) == document)
    }

    @Test(arguments: ["$.c", "$.a.b", "$.b[2]", "$[0]", "a", "$.", "$[x]", "$.\"a", "$["])
    func refusesWhatHasNoPlace(path: String) throws {
        var document = try Self.document([("a", [5, 1, 0]), ("b", [2, 2, 0, 10, 0, 5, 1, 0, 5, 2, 0])])
        #expect(throws: BinlogError.self) { try document.apply(JSONDiff(operation: .replace, path: path, value: [4, 0])) }
        #expect(throws: BinlogError.self) { try document.apply(JSONDiff(operation: .remove, path: path, value: nil)) }
    }

    /// Documents grow over the border of the small form, at both levels, and shrink again.
    @Test func growsAndShrinks() throws {
        let text = [UInt8](repeating: 0x61, count: 30_000)
        let value: [UInt8] = [12, 0xB0, 0xEA, 0x01] + text
        var document = try Self.document([])
        for index in 0..<5 { try document.apply(JSONDiff(operation: .insert, path: "$.k\(index)", value: value)) }
        try document.apply(JSONDiff(operation: .insert, path: "$.n", value: [7, 1, 2, 3, 4]))
        let bytes = try document.encoded()
        #expect(bytes[0] == 1)
        #expect(try BinaryJSONDocument(bytes) == document)
        for index in 0..<5 { try document.apply(JSONDiff(operation: .remove, path: "$.k\(index)", value: nil)) }
        #expect(try BinaryJSON.render(document.encoded()) == #"{"n": 67305985}"#)
    }

    @Test(arguments: [[99], [4], [5, 1], [12, 5, 0x61], [2, 1, 0, 4, 0], [2, 0, 0, 9, 0], [0, 255, 255, 4, 0]] as [[UInt8]])
    func refusesCorruptDocuments(bytes: [UInt8]) {
        #expect(throws: BinlogError.self) { try BinaryJSONDocument(bytes) }
    }
}
