import MySQLTypes

/// How a filter's value is written for a column of some type.
enum FilterValueKind: Sendable, Hashable {
    /// Integers, DECIMAL, BIT, YEAR.
    case exactNumber
    case float
    case double
    case text(characterSet: String, collation: String)
    case binary
    case date
    /// DATETIME and TIMESTAMP.
    case datetime
    case time

    init(_ column: ColumnDefinition) throws(EngineError) {
        guard !column.isGenerated else {
            throw Self.refusal(column, "it is generated, and its value is not in every row image")
        }
        switch column.dataType {
        case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "bit", "year":
            self = .exactNumber
        case "float": self = .float
        case "double": self = .double
        case "char", "varchar", "enum", "set":
            guard let characterSet = column.characterSet, let collation = column.collation else {
                throw Self.refusal(column, "its character set is not known")
            }
            self = characterSet == "binary" ? .binary : .text(characterSet: characterSet, collation: collation)
        case "binary", "varbinary": self = .binary
        case "date": self = .date
        case "datetime", "timestamp": self = .datetime
        case "time": self = .time
        default: throw Self.refusal(column, "its type is \(column.dataType)")
        }
    }

    private static func refusal(_ column: ColumnDefinition, _ why: String) -> EngineError {
        EngineError(
            .plan, "Rows can't be filtered by the column \(column.name): \(why).",
            cure: "Filter by a number, date or short text column.")
    }

    /// The column's side of the comparison.
    func subject(_ operand: String) -> String {
        switch self {
        // A text literal and a TIME compare as texts where the fractions differ in length (measured on MySQL 9.7).
        case .time: "CAST(\(operand) AS TIME(6))"
        // So that a literal operand may be any text that reads back as the same FLOAT.
        case .float: "CAST(\(operand) AS FLOAT)"
        default: operand
        }
    }

    func literal(_ value: String, of column: ColumnDefinition) throws(EngineError) -> String {
        switch self {
        case .exactNumber:
            guard value.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?/) != nil else { throw wrong(value, column, "a number") }
            return value
        case .float, .double:
            guard value.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?/) != nil else {
                throw wrong(value, column, "a number")
            }
            // 1.1 as a FLOAT is not 1.1 as a DOUBLE, which the column's value would be widened to (measured on MySQL 9.7).
            if self == .float { return "CAST(\(value) AS FLOAT)" }
            // An exponent makes it a DOUBLE, so that it compares as one with a literal operand too.
            return value.contains("e") || value.contains("E") ? value : value + "e0"
        case .text(let characterSet, let collation):
            guard Self.isRepresentable(value, in: characterSet) else {
                throw EngineError(
                    .plan, "The filter on \(column.name) has a value with characters outside of \(characterSet), or of "
                        + "which it can't be told.", cure: "Use characters of ASCII in this filter.")
            }
            // Explicitly the column's collation: a literal operand would bring the connection's.
            return "CONVERT(\(SQL.string(value)) USING \(characterSet)) COLLATE \(collation)"
        case .binary: return Self.hexadecimal(value)
        case .date, .datetime:
            guard let moment = Self.datetime(value) else {
                throw wrong(value, column, "a date (2026-01-31, or 2026-01-31 23:59:59)")
            }
            return moment
        case .time:
            guard let match = value.wholeMatch(of: /-?([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])(\.[0-9]{1,6})?/),
                let hours = Int(match.1), hours <= 838
            else { throw wrong(value, column, "a time (23:59:59)") }
            return "CAST('\(value)' AS TIME(6))"
        }
    }

    private func wrong(_ value: String, _ column: ColumnDefinition, _ wanted: String) -> EngineError {
        EngineError(
            .plan, "The filter on \(column.name), which is \(column.columnType), has the value \(value), which is not \(wanted).")
    }

    private static func hexadecimal(_ value: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return "X'" + String(value.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }) + "'"
    }

    /// A date of the calendar or the zero date, with a time or without; nil for all else.
    private static func datetime(_ value: String) -> String? {
        let pattern = /([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,6})?)?/
        guard let match = value.wholeMatch(of: pattern), let year = Int(match.1), let month = Int(match.2),
            let day = Int(match.3)
        else { return nil }
        let isZero = year == 0 && month == 0 && day == 0
        guard isZero || (1...12).contains(month) && (1...days(month, year)).contains(day) else { return nil }
        guard let hour = match.4.flatMap({ Int($0) }), let minute = match.5.flatMap({ Int($0) }),
            let second = match.6.flatMap({ Int($0) })
        else { return "CAST('\(value)' AS DATE)" }
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return "CAST('\(value.replacing("T", with: " "))' AS DATETIME(6))"
    }

    private static func days(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// CONVERT writes `?` for what the character set lacks, which would then match a real question mark.
    private static func isRepresentable(_ value: String, in characterSet: String) -> Bool {
        switch characterSet {
        case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030": true
        case "utf8", "utf8mb3", "ucs2": value.unicodeScalars.allSatisfy { $0.value <= 0xFFFF }
        case "latin1": value.unicodeScalars.allSatisfy { $0.value < 0x80 || (0xA0...0xFF).contains($0.value) }
        default: value.unicodeScalars.allSatisfy { $0.value < 0x80 }
        }
    }
}
