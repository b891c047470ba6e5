import MySQLTypes

extension Remedy { static let paddedKeys = Remedy("padded-keys", pitfalls: [7], test: "ValidationKeyTests/literals") }

/// A row's key as SQL literals (see `KeyLiteral`), one per key column, in one small value: validation holds many.
package struct RowKey: Hashable, Sendable, Codable, CustomStringConvertible {
    // Literals are digits, hex and quoted temporals: U+0001 stands in none of them.
    private var joined: String

    package init(_ literals: [String]) { joined = literals.joined(separator: "\u{1}") }

    package var literals: [String] { joined.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init) }

    package var description: String {
        let parts = literals
        return parts.count == 1 ? parts[0] : "(\(parts.joined(separator: ", ")))"
    }

    package init(from decoder: any Decoder) throws { self.init(try [String](from: decoder)) }
    package func encode(to encoder: any Encoder) throws { try literals.encode(to: encoder) }
}

extension KeyLiteral {
    /// The literal for a key value of a row image; the same text as `sql(bytes:column:)` gives for the stored value, so
    /// that a key marked by an event and the same key read by SELECT are one. nil for NULL and for types that address no
    /// row (floating point, JSON).
    package static func sql(value: MySQLValue, column: ColumnDefinition) -> String? {
        switch value {
        case .null, .float, .double, .json: return nil
        case .int(let number): return String(number)
        case .uint(let number), .set(let number), .bit(let number): return String(number)
        case .year(let number), .enumeration(let number): return String(number)
        case .decimal(let text): return sql(bytes: Array(text.utf8), column: column)
        case .time(let text), .datetime(let text), .timestamp(let text): return "'\(text)'"
        case .date(let date):
            return "'\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))'"
        case .bytes(var bytes):
            if column.dataType == "binary", let width = column.octetLength, width > bytes.count, Remedy.paddedKeys.isOn {
                // The log strips the zeros that pad BINARY(n); SELECT shows them.
                bytes.append(contentsOf: repeatElement(0, count: Int(clamping: width) - bytes.count))
            } else if column.dataType == "char", column.characterSet != nil, Remedy.paddedKeys.isOn {
                bytes = withoutTrailingSpaces(bytes, characterSet: column.characterSet)
            }
            return sql(bytes: bytes, column: column)
        }
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// SELECT shows CHAR without its padding.
    private static func withoutTrailingSpaces(_ bytes: [UInt8], characterSet: String?) -> [UInt8] {
        let space: [UInt8] =
            switch characterSet {
            case "utf16", "ucs2": [0, 0x20]
            case "utf16le": [0x20, 0]
            case "utf32": [0, 0, 0, 0x20]
            default: [0x20]
            }
        var end = bytes.count
        while end >= space.count, bytes[(end - space.count)..<end].elementsEqual(space) { end -= space.count }
        return Array(bytes[..<end])
    }
}
