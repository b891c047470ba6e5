/// Which character set a collation id of the protocol and of the log means.
/// Source: `information_schema.COLLATIONS` of MySQL 9 and MariaDB 10.11; ids never change meaning.
public enum CollationTable {
    /// The character set's name as `information_schema` prints it (`utf8mb3`, never `utf8`), or nil for an unknown id.
    public static func characterSet(of collation: UInt32) -> String? {
        // MariaDB's NOPAD collations are the padding one's id with bit 1024 set.
        if (1024..<2048).contains(collation) { return characterSet(of: collation & 1023) }
        if let single = singles[collation] { return single }
        return ranges.first { $0.ids.contains(collation) }?.name
    }

    private static let ranges: [(ids: ClosedRange<UInt32>, name: String)] = [
        (101...124, "utf16"), (128...151, "ucs2"), (160...183, "utf32"), (192...215, "utf8mb3"),
        (224...247, "utf8mb4"), (248...250, "gb18030"), (255...323, "utf8mb4"),
        // MariaDB
        (576...578, "utf8mb3"), (608...610, "utf8mb4"), (640...642, "ucs2"), (672...674, "utf16"), (736...738, "utf32"),
        (2048...2303, "utf8mb3"), (2304...2559, "utf8mb4"), (2560...2815, "ucs2"), (2816...3071, "utf16"),
        (3072...3327, "utf32"),
    ]

    private static let singles: [UInt32: String] = {
        let groups: [(String, [UInt32])] = [
            ("big5", [1, 84]), ("dec8", [3, 69]), ("cp850", [4, 80]), ("hp8", [6, 72]), ("koi8r", [7, 74]),
            ("latin1", [5, 8, 15, 31, 47, 48, 49, 94]), ("latin2", [2, 9, 21, 27, 77]), ("swe7", [10, 82]),
            ("ascii", [11, 65]), ("ujis", [12, 91]), ("sjis", [13, 88]), ("hebrew", [16, 71]), ("tis620", [18, 89]),
            ("euckr", [19, 85]), ("koi8u", [22, 75]), ("gb2312", [24, 86]), ("greek", [25, 70]),
            ("cp1250", [26, 34, 44, 66, 99]), ("gbk", [28, 87]), ("latin5", [30, 78]), ("armscii8", [32, 64]),
            ("utf8mb3", [33, 76, 83, 223]), ("ucs2", [35, 90, 159]), ("cp866", [36, 68]), ("keybcs2", [37, 73]),
            ("macce", [38, 43]), ("macroman", [39, 53]), ("cp852", [40, 81]), ("latin7", [20, 41, 42, 79]),
            ("utf8mb4", [45, 46]), ("cp1251", [14, 23, 50, 51, 52]), ("utf16", [54, 55]), ("utf16le", [56, 62]),
            ("cp1256", [57, 67]), ("cp1257", [29, 58, 59]), ("utf32", [60, 61]), ("binary", [63]),
            ("geostd8", [92, 93]), ("cp932", [95, 96]), ("eucjpms", [97, 98]),
        ]
        var table: [UInt32: String] = [:]
        for (name, ids) in groups { for id in ids { table[id] = name } }
        return table
    }()
}

/// Text of MySQL's character sets as Unicode.
public enum CharacterSetCodec {
    /// Whether `decode` knows this character set.
    public static func isDecodable(_ characterSet: String) -> Bool {
        switch characterSet {
        case "utf8mb4", "utf8mb3", "utf8", "ascii", "latin1", "utf16", "ucs2", "utf16le", "utf32": true
        default: false
        }
    }

    /// The text, or nil where the character set is not one of those that are decoded exactly (utf8mb4, utf8mb3, ascii,
    /// latin1, utf16, ucs2, utf16le, utf32) or the bytes are not valid in it. Never replaces or drops anything.
    public static func decode(_ bytes: [UInt8], characterSet: String) -> String? {
        switch characterSet {
        case "utf8mb4", "utf8mb3", "utf8": String(validating: bytes, as: UTF8.self)
        case "ascii": bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        case "latin1": latin1(bytes)
        case "utf16", "ucs2": utf16(bytes, bigEndian: true)
        case "utf16le": utf16(bytes, bigEndian: false)
        case "utf32": utf32(bytes)
        default: nil
        }
    }

    /// MySQL's latin1 is Windows-1252, with its five holes as C1 controls.
    private static let latin1Upper: [UInt16] = [
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
        0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
    ]

    private static func latin1(_ bytes: [UInt8]) -> String? {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        let units = bytes.map { (0x80..<0xa0).contains($0) ? latin1Upper[Int($0) - 0x80] : UInt16($0) }
        return String(decoding: units, as: UTF16.self)
    }

    private static func utf16(_ bytes: [UInt8], bigEndian: Bool) -> String? {
        guard bytes.count % 2 == 0 else { return nil }
        let units = stride(from: 0, to: bytes.count, by: 2).map { place in
            let (first, second) = (UInt16(bytes[place]), UInt16(bytes[place + 1]))
            return bigEndian ? first << 8 | second : second << 8 | first
        }
        return String(validating: units, as: UTF16.self)
    }

    private static func utf32(_ bytes: [UInt8]) -> String? {
        guard bytes.count % 4 == 0 else { return nil }
        var text = String.UnicodeScalarView()
        for place in stride(from: 0, to: bytes.count, by: 4) {
            let value = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[place + $1]) }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            text.append(scalar)
        }
        return String(text)
    }
}
