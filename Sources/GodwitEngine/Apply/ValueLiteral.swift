import MySQLBinlog
import MySQLTypes

/// Writes a decoded value as the SQL literal that stores the same bytes.
///
/// Together with `ColumnTransfer`, which carries the value a SELECT returns, this is invariant I6: both ways end in the
/// same bytes on the target. The differential test in the scenario suite compares them for every type at its extremes.
package enum ValueLiteral {
    /// For VALUES and SET. Text, binary, geometry and vector bytes go as `_binary`, which the server stores as they are.
    /// - Parameter jsonIsText: JSON goes as its text alone, to a server that keeps no more (MariaDB).
    package static func append(_ value: MySQLValue, jsonIsText: Bool = false, to sql: inout SQLBuffer) throws {
        switch value {
        case .null: sql.append("NULL")
        case .int(let number): sql.append(String(number))
        case .uint(let number): sql.append(String(number))
        case .float(let number): sql.append(real(Double(number)))
        case .double(let number): sql.append(real(number))
        case .decimal(let text): sql.append(text)
        case .bytes(let bytes): sql.appendQuoted(bytes, introducer: "_binary")
        case .date(let date): sql.append("'" + text(of: date) + "'")
        case .time(let text), .datetime(let text), .timestamp(let text): sql.append("'" + text + "'")
        // Four digits in quotes: the number 0 and the text '0000' are year 0, the text '0' is 2000.
        case .year(let year): sql.append("'" + padded(year, 4) + "'")
        // The error value '' has index 0: strict mode refuses the number 0 and takes it as text, see `EnumZero`.
        case .enumeration(let index): sql.append(index == 0 ? "'0'" : String(index))
        case .set(let bits), .bit(let bits): sql.append(String(bits))
        case .json(let binary):
            if jsonIsText {
                sql.appendQuoted(try BinaryJSON.renderTyped(binary).0, introducer: "_utf8mb4")
            } else {
                try appendJSON(binary, to: &sql)
            }
        }
    }

    /// For WHERE: comparable with the column under the column's own collation, padded as the column stores it.
    package static func appendKey(_ value: MySQLValue, column: ColumnDefinition, to sql: inout SQLBuffer) throws {
        switch value {
        case .bytes(let bytes):
            if MariaDBText.width(of: column.dataType) != nil {
                // Text, without an introducer: binary strings mean the stored bytes there.
                sql.appendQuoted(bytes, introducer: "")
            } else if let charset = column.characterSet, charset != "binary" {
                sql.append("_" + charset + " ")
                sql.appendHex(bytes)
            } else if column.dataType == "binary", let length = column.octetLength, bytes.count < Int(length), Remedy.paddedKeys.isOn {
                // Row images strip trailing zero bytes, and BINARY compares without padding.
                sql.appendHex(bytes + [UInt8](repeating: 0, count: Int(length) - bytes.count))
            } else {
                sql.appendHex(bytes)
            }
        // Compared by number; the text of the error value is no member's.
        case .enumeration(let index): sql.append(String(index))
        default: try append(value, to: &sql)
        }
    }

    /// A double literal that is never read as an exact decimal, shortest text that gives the same bits.
    static func real(_ number: Double) -> String {
        let text = number.description
        return text.contains("e") ? text : text + "e0"
    }

    private static func appendJSON(_ binary: [UInt8], to sql: inout SQLBuffer) throws {
        let (text, typed) = try BinaryJSON.renderTyped(binary)
        JSONExpression.append(text, typed: typed, to: &sql)
    }

    private static func text(of date: MySQLDate) -> String {
        "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
