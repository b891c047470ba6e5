import MySQLBinlog
import MySQLTypes
import Testing

@Suite struct JSONTests {
    /// Every document of the fixture: byte for byte what the server printed.
    @Test func rendersAsTheServer() throws {
        let expected = try Fixture.lines("json/expected.txt")
        var documents: [[UInt8]] = []
        for (event, _) in try Fixture.events(try Fixture.bytes("json/full.bin")) {
            try event.visitEverything { _, _, value in
                if case .json(let bytes) = value { documents.append(bytes) }
            }
        }
        try #require(documents.count == expected.count)
        for (index, document) in documents.enumerated() {
            let text = try BinaryJSON.render(document)
            #expect(text == expected[index], "document \(index + 1)")
        }
    }

    @Test(arguments: [
        ([], "null"), ([4, 0], "null"), ([4, 1], "true"), ([4, 2], "false"), ([5, 0xff, 0xff], "-1"), ([6, 0xff, 0xff], "65535"),
        ([12, 1, 0x22], "\"\\\"\""), ([2, 0, 0, 4, 0], "[]"), ([0, 0, 0, 4, 0], "{}"),
        // DECIMAL(2,1): one digit before and one behind the point, one byte each.
        ([15, 246, 4, 2, 1, 0x80, 5], "0.5"),
    ] as [([UInt8], String)])
    func rendersSmallDocuments(bytes: [UInt8], text: String) throws {
        #expect(try BinaryJSON.render(bytes) == text)
    }

    @Test func findsOpaqueValues() throws {
        #expect(try BinaryJSON.hasOpaqueValues([15, 246, 4, 2, 1, 0x80, 5]))
        #expect(try !BinaryJSON.hasOpaqueValues([5, 1, 0]))
        #expect(try !BinaryJSON.hasOpaqueValues([]))
        // An array of one DECIMAL: count 1, size 14, entry (opaque, offset 7), value.
        #expect(try BinaryJSON.hasOpaqueValues([2, 1, 0, 14, 0, 15, 7, 0, 246, 4, 2, 1, 0x80, 5, 0]))
    }

    @Test(arguments: [
        [99], [4], [4, 9], [5, 1], [12, 5, 0x61], [12, 0xff, 0xff, 0xff, 0xff, 0xff], [2, 1, 0, 4, 0], [2, 0, 0, 9, 0],
        [12, 1, 0xff], [11, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f], [15, 246, 0], [15, 12, 1, 0], [0, 255, 255, 4, 0],
    ] as [[UInt8]])
    func refusesCorruptDocuments(bytes: [UInt8]) {
        #expect(throws: BinlogError.self) { try BinaryJSON.render(bytes) }
        #expect(throws: BinlogError.self) { try BinaryJSON.hasOpaqueValues(bytes) }
    }

    /// Forty arrays, each of whose two elements is the same next array: a text of 2^40 elements, if nobody counted.
    @Test func refusesDocumentsThatShareValues() {
        var bytes: [UInt8] = [2]
        let levels = 40
        for level in 0..<levels {
            let size = (levels - level) * 10
            let entry: [UInt8] = level == levels - 1 ? [4, 0, 0] : [2, 10, 0]
            bytes += [2, 0, UInt8(size & 255), UInt8(size >> 8)] + entry + entry
        }
        let error = #expect(throws: BinlogError.self) { try BinaryJSON.render(bytes) }
        #expect(error?.reason.contains("overlap") == true)
    }

    @Test func refusesDeepNesting() {
        // Arrays of one array each, every one seven bytes behind its parent's start.
        var bytes: [UInt8] = [2]
        let levels = 101
        for level in 0..<levels {
            let size = (levels - level) * 7
            let isLast = level == levels - 1
            bytes += [1, 0, UInt8(size & 255), UInt8(size >> 8), isLast ? 4 : 2, isLast ? 0 : 7, 0]
        }
        let error = #expect(throws: BinlogError.self) { try BinaryJSON.render(bytes) }
        #expect(error?.reason.contains("nested") == true)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (1, "1"), (1e14, "100000000000000"), (1e15, "1e15"), (123_456_789_012_345, "123456789012345"),
        (1e-14, "0.00000000000001"), (1e-15, "0.000000000000001"), (1e-16, "1e-16"), (1.5e300, "1.5e300"), (.leastNonzeroMagnitude, "5e-324"),
        (-0.1, "-0.1"), (0.1 + 0.2, "0.30000000000000004"), (1.7976931348623157e308, "1.7976931348623157e308"),
    ])
    func printsDoublesAsTheServer(number: Double, text: String) {
        #expect(ServerDouble.text(number) == text)
        #expect(Double(ServerDouble.text(number)) == number)
    }
}
