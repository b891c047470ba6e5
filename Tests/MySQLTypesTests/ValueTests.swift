import Testing

@testable import MySQLTypes

@Suite struct DecimalCodecTests {
    /// Bytes from the comment on `decimal2bin` in MySQL's source documentation, and edges.
    @Test(arguments: [
        ([0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2], 14, 4, "1234567890.1234"),
        ([0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d], 14, 4, "-1234567890.1234"),
        ([0x80], 1, 0, "0"), ([0x89], 1, 0, "9"), ([0x76], 1, 0, "-9"),
        ([0x80, 0x32], 3, 2, "0.50"), ([0x7f, 0xcd], 3, 2, "-0.50"),
    ] as [([UInt8], Int, Int, String)])
    func decodes(bytes: [UInt8], precision: Int, scale: Int, text: String) {
        #expect(DecimalCodec.size(precision: precision, scale: scale) == bytes.count)
        #expect(DecimalCodec.text(bytes, at: 0, precision: precision, scale: scale) == text)
        #expect(DecimalCodec.text(Array(bytes.dropLast()), at: 0, precision: precision, scale: scale) == nil)
    }

    @Test func refusesGroupsThatAreTooGreat() {
        #expect(DecimalCodec.text([0x8a], at: 0, precision: 1, scale: 0) == nil)
        #expect(DecimalCodec.text([0xff, 0xff, 0xff, 0xff], at: 0, precision: 9, scale: 0) == nil)
    }

    @Test(arguments: [(0, 0), (66, 0), (5, 6), (65, 39), (-1, 0), (5, -1)])
    func refusesTypesThatDoNotExist(precision: Int, scale: Int) {
        #expect(DecimalCodec.size(precision: precision, scale: scale) == nil)
    }
}

@Suite struct TemporalTextTests {
    @Test(arguments: [
        (0, "0000-00-00 00:00:00"), (1, "1970-01-01 00:00:01"), (951_782_399, "2000-02-28 23:59:59"),
        (951_782_400, "2000-02-29 00:00:00"), (951_868_800, "2000-03-01 00:00:00"), (2_147_483_647, "2038-01-19 03:14:07"),
        (4_294_967_295, "2106-02-07 06:28:15"), (1_709_164_800, "2024-02-29 00:00:00"), (1_735_689_599, "2024-12-31 23:59:59"),
    ])
    func printsUTC(seconds: Int, text: String) {
        var result = TemporalText()
        result.appendUTC(seconds: seconds)
        #expect(result.string == text)
    }

    @Test func printsFractions() {
        let expected = ["", ".0", ".01", ".012", ".0123", ".01234", ".012345"]
        for digits in 0...6 {
            var result = TemporalText()
            result.appendFraction(microseconds: 12_345, digits: digits)
            #expect(result.string == expected[digits])
        }
    }
}

@Suite struct CharacterSetTests {
    @Test(arguments: [
        (45, "utf8mb4"), (255, "utf8mb4"), (309, "utf8mb4"), (33, "utf8mb3"), (8, "latin1"), (63, "binary"), (11, "ascii"),
        (35, "ucs2"), (54, "utf16"), (56, "utf16le"), (60, "utf32"), (28, "gbk"), (95, "cp932"), (248, "gb18030"),
        (1069, "utf8mb4"), (2304, "utf8mb4"),
    ] as [(UInt32, String)])
    func knowsCollations(id: UInt32, name: String) { #expect(CollationTable.characterSet(of: id) == name) }

    @Test(arguments: [0, 17, 100, 9999] as [UInt32])
    func doesNotGuess(id: UInt32) { #expect(CollationTable.characterSet(of: id) == nil) }

    @Test(arguments: [
        ("utf8mb4", [0x61, 0xf0, 0x9d, 0x84, 0x9e], "a𝄞"), ("latin1", [0x80, 0xe4, 0x81], "€ä\u{81}"),
        ("utf16", [0xd8, 0x34, 0xdd, 0x1e], "𝄞"), ("utf16le", [0x34, 0xd8, 0x1e, 0xdd], "𝄞"), ("ucs2", [0x20, 0xac], "€"),
        ("utf32", [0, 1, 0xd1, 0x1e], "𝄞"), ("ascii", [0x61], "a"),
        ("utf8mb4", [0xc3, 0x28], nil), ("utf16", [0xd8, 0x34], nil), ("utf16", [0x61], nil), ("utf32", [0, 0x11, 0, 0], nil),
        ("ascii", [0x80], nil), ("gbk", [0x61], nil), ("binary", [0x61], nil),
    ] as [(String, [UInt8], String?)])
    func decodesExactlyOrNotAtAll(name: String, bytes: [UInt8], text: String?) {
        #expect(CharacterSetCodec.decode(bytes, characterSet: name) == text)
    }
}
