import Foundation

/// The statements that make, drop and switch an object on the target. Pure.
package enum ObjectStatements {
    /// What a session must be set to so that the object is stored as it is on the source. Sent in UTF-8, in this order; the
    /// object's own statement follows as bytes.
    package static func session(_ object: ObjectDefinition) -> [String] {
        var statements = [
            "SET NAMES utf8mb4", "USE \(SQL.identifier(object.schema))",
            // A view keeps no mode: its text is printed in the plainest one.
            "SET SESSION sql_mode = \(SQL.string(object.sqlMode ?? ""))",
        ]
        if let zone = object.timeZone { statements.append("SET SESSION time_zone = \(SQL.string(zone))") }
        // Last: from here on the server reads statements in this character set.
        statements.append(
            "SET SESSION character_set_client = \(object.characterSetClient), "
                + "SESSION collation_connection = \(object.collationConnection)")
        return statements
    }

    /// CREATE as bytes: views replace what is there, events are switched off.
    package static func create(_ object: ObjectDefinition) throws(EngineError) -> Data {
        switch object.kind {
        case .view:
            guard object.statement.starts(with: Data("CREATE ".utf8)) else { throw unreadable(object) }
            return Data("CREATE OR REPLACE ".utf8) + object.statement.dropFirst(7)
        case .event:
            guard let status = status(of: object) else { throw unreadable(object) }
            return object.statement[..<status.lowerBound] + Data("DISABLE".utf8) + object.statement[status.upperBound...]
        case .function, .procedure, .trigger: return object.statement
        }
    }

    package static func drop(_ id: ObjectDefinition.ID) -> String {
        "DROP \(id.kind.keyword) IF EXISTS \(id.name.sql)"
    }

    /// Runs in the event's own session: ALTER EVENT takes character sets and definer anew from whoever runs it.
    package static func enable(_ event: ObjectDefinition) -> String {
        "ALTER DEFINER = \(account(event.definer)) EVENT \(event.name.sql) ENABLE"
    }

    /// `user@host` in SQL.
    package static func account(_ definer: String) -> String {
        guard let at = definer.lastIndex(of: "@") else { return SQL.identifier(definer) }
        return SQL.identifier(String(definer[..<at])) + "@" + SQL.identifier(String(definer[definer.index(after: at)...]))
    }

    private static func unreadable(_ object: ObjectDefinition) -> EngineError {
        EngineError(
            .failed, "The definition of \(object.id) is not as servers print it.",
            why: "Godwit moves only definitions that it understands.",
            cure: "Add `without: [\(object.kind.group.rawValue)]` to the plan and create it on the target yourself.")
    }

    // MARK: An event's text

    /// Where the text says ENABLE, DISABLE or DISABLE ON REPLICA; nil where it does not, as servers print it.
    static func status(of event: ObjectDefinition) -> Range<Int>? {
        var words = HeadWords(event.statement, leadBytes: LeadBytes(characterSet: event.characterSetClient))
        var last: [String] = []
        while let (word, range) = words.next() {
            // ON COMPLETION [NOT] PRESERVE stands before it, always printed.
            if last.last == "PRESERVE", word == "ENABLE" { return range }
            if last.last == "PRESERVE", word == "DISABLE" {
                guard let (on, _) = words.next(), on == "ON" else { return range }
                guard let (_, side) = words.next() else { return nil }
                return range.lowerBound..<side.upperBound
            }
            if word == "DO" { return nil }
            last.append(word)
        }
        return nil
    }
}

/// The unquoted words of a statement's head. In names and in a schedule's literals a quote is doubled and a backslash is itself,
/// in every sql_mode: what follows the head is not read.
struct HeadWords {
    private let bytes: Data
    private let leadBytes: LeadBytes
    private var position: Int

    init(_ bytes: Data, leadBytes: LeadBytes) {
        self.bytes = bytes
        self.leadBytes = leadBytes
        position = bytes.startIndex
    }

    /// The next word in upper case, with its range.
    mutating func next() -> (String, Range<Int>)? {
        while position < bytes.endIndex {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "`"), UInt8(ascii: "\""), UInt8(ascii: "'"): skipQuoted(by: byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                let start = position
                while position < bytes.endIndex, Self.isWord(bytes[position]) { position += 1 }
                return (String(decoding: bytes[start..<position], as: UTF8.self).uppercased(), start..<position)
            default: position += 1
            }
        }
        return nil
    }

    private mutating func skipQuoted(by quote: UInt8) {
        position += 1
        while position < bytes.endIndex {
            let byte = bytes[position]
            // The second byte of a character may look like a quote.
            position += leadBytes.contains(byte) ? 2 : 1
            if byte == quote { return }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

/// The first bytes of two-byte characters whose second byte can be an ASCII character. Source: MySQL manual, "Asian Character Sets".
enum LeadBytes {
    case none, fromHex81, shiftJIS

    init(characterSet: String) {
        switch characterSet.lowercased() {
        case "gbk", "gb18030", "big5": self = .fromHex81
        case "sjis", "cp932": self = .shiftJIS
        default: self = .none
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        switch self {
        case .none: false
        case .fromHex81: byte >= 0x81
        case .shiftJIS: (0x81...0x9F).contains(byte) || (0xE0...0xFC).contains(byte)
        }
    }
}
