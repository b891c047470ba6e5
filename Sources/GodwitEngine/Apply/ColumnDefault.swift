import MySQLBinlog
import MySQLTypes

/// The value that a column has where an INSERT's row image leaves it out (`binlog_row_image` MINIMAL or NOBLOB).
///
/// The server leaves out only what the statement did not give and no expression made: what is absent has the column's literal default,
/// or the type's own where a lax session gave none to a NOT NULL column (measured on MySQL 9.7: expressions, CURRENT_TIMESTAMP,
/// triggers' values and AUTO_INCREMENT are in the image; on MariaDB 10.11 too, and defaults of TEXT as well). The definition is that of the event's position: a change of it is a barrier.
package enum ColumnDefault {
    /// nil: not known exactly.
    /// - Parameter isMariaDB: the definition is MariaDB's, whose catalog writes every default as an expression.
    package static func value(of column: ColumnDefinition, isMariaDB: Bool = false) -> MySQLValue? {
        guard var text = column.defaultExpression else { return column.isNullable ? .null : implicit(column) }
        if isMariaDB {
            if text == "NULL" { return column.isNullable ? .null : nil }
            guard let plain = plain(text) else { return nil }
            text = plain
        }
        // An expression's value would be in the image.
        if column.extra.uppercased().contains("DEFAULT_GENERATED") { return nil }
        switch column.dataType {
        case "tinyint", "smallint", "mediumint", "int", "bigint":
            return column.isUnsigned ? UInt64(text).map(MySQLValue.uint) : Int64(text).map(MySQLValue.int)
        case "decimal": return .decimal(text)
        case "float": return Float(text).map(MySQLValue.float)
        case "double": return Double(text).map(MySQLValue.double)
        case "year": return Int(text).map(MySQLValue.year)
        case "bit":
            let digits = text.drop { $0 != "'" }.dropFirst().prefix { $0 != "'" }
            return UInt64(digits, radix: 2).map(MySQLValue.bit)
        case "date": return date(text)
        case "time": return .time(text)
        case "datetime": return .datetime(text)
        case "timestamp": return .timestamp(text)
        case "enum": return member(text, column).map(MySQLValue.enumeration)
        case "set":
            if text.isEmpty { return .set(0) }
            var bits: UInt64 = 0
            for part in text.split(separator: ",") {
                guard let index = member(String(part), column), index <= 64 else { return nil }
                bits |= 1 << UInt64(index - 1)
            }
            return .set(bits)
        case "char", "varchar", "tinytext", "text", "mediumtext", "longtext": return encoded(text, column)
        // The server prints binary defaults only up to their first zero byte (measured).
        case "binary", "varbinary": return text.isEmpty ? .bytes([]) : nil
        default: return nil
        }
    }

    /// A literal of MariaDB's catalog as MySQL's would have it; nil: an expression, or a text with escapes.
    private static func plain(_ text: String) -> String? {
        if text.hasPrefix("b'") { return text }
        if text.hasPrefix("'") {
            guard text.count >= 2, text.hasSuffix("'"), !text.contains("\\") else { return nil }
            return String(text.dropFirst().dropLast()).replacing("''", with: "'")
        }
        return !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) } ? text : nil
    }

    private static func implicit(_ column: ColumnDefinition) -> MySQLValue? {
        let fraction = column.datetimePrecision.map { $0 > 0 ? "." + String(repeating: "0", count: $0) : "" } ?? ""
        switch column.dataType {
        case "tinyint", "smallint", "mediumint", "int", "bigint": return column.isUnsigned ? .uint(0) : .int(0)
        case "decimal": return .decimal("0")
        case "float": return .float(0)
        case "double": return .double(0)
        case "year": return .year(0)
        case "bit": return .bit(0)
        case "date": return .date(MySQLDate(year: 0, month: 0, day: 0))
        case "time": return .time("00:00:00" + fraction)
        case "datetime": return .datetime("0000-00-00 00:00:00" + fraction)
        case "timestamp": return .timestamp("0000-00-00 00:00:00" + fraction)
        case "enum": return .enumeration(1)
        case "set": return .set(0)
        case "json": return .json([])
        case "char", "varchar", "binary", "varbinary", "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob",
            "longblob":
            return .bytes([])
        default: return nil
        }
    }

    private static func date(_ text: String) -> MySQLValue? {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        return parts.count == 3 ? .date(MySQLDate(year: parts[0], month: parts[1], day: parts[2])) : nil
    }

    /// 1-based.
    private static func member(_ text: String, _ column: ColumnDefinition) -> Int? {
        ColumnMembers.parse(column).firstIndex { $0 == Array(text.utf8) }.map { $0 + 1 }
    }

    /// In the column's character set; nil where that needs a table that is not here.
    private static func encoded(_ text: String, _ column: ColumnDefinition) -> MySQLValue? {
        switch column.characterSet {
        case "utf8mb4", "utf8mb3", "utf8", "ascii": return .bytes(Array(text.utf8))
        case "ucs2", "utf16": return .bytes(text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
        case "utf16le": return .bytes(text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
        case "utf32":
            return .bytes(
                text.unicodeScalars.flatMap { scalar in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: scalar.value >> UInt32($0)) } })
        default: return text.utf8.allSatisfy { $0 < 0x80 } ? .bytes(Array(text.utf8)) : nil
        }
    }
}
