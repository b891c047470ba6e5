extension Remedy { static let nullMarks = Remedy("null-marks", pitfalls: [41], test: "ValidationChecksumServerTests") }

/// One column's value as text that is equal on two servers if and only if the stored value is: for the row checksum and
/// for finding the columns that differ.
///
/// A row's text is its columns' texts with commas between. It can be cut apart in one way only, so values can't slide
/// from one column into the next: numbers and temporals contain no comma and never start with `N`; everything else is
/// led by its length in bytes. NULL is `N`.
package struct ColumnExpression: Sendable, Hashable {
    package let name: String
    /// Canonical text, never NULL; NULL only if the server could not compute it, which makes the row's checksum NULL and
    /// is then found by counting.
    package let source: String
    package let target: String
    /// What to show a person of a differing value; NULL stays NULL.
    package let sourceDisplay: String
    package let targetDisplay: String

    /// Throws for a type that is not known: a column is never left out of a comparison in silence.
    package init(source: ColumnDefinition, target: ColumnDefinition, table: TableName) throws(EngineError) {
        name = source.name
        let form = try ValueForm(source: source, target: target, table: table)
        self.source = Self.marked(source, form.expression(source))
        self.target = Self.marked(target, form.expression(target))
        sourceDisplay = form.display(source)
        targetDisplay = form.display(target)
    }

    private static func marked(_ column: ColumnDefinition, _ expression: String) -> String {
        // IF on the column, not IFNULL on the expression: a value too large to compute must not look like NULL.
        guard column.isNullable else { return expression }
        // A NULL that looks like a value.
        guard Remedy.nullMarks.isOn else { return "IFNULL(\(expression), '0')" }
        return "IF(\(SQL.identifier(column.name)) IS NULL, 'N', \(expression))"
    }
}

/// How the two sides of one column are brought to the same text.
enum ValueForm: Hashable {
    /// As the server prints it: integers, decimals of one scale, temporals (sessions run at '+00:00'), YEAR, DOUBLE.
    case printed
    /// MariaDB's UUID, INET4 and INET6: by their text, which is the same for the same bytes.
    case ownText
    /// DECIMAL columns of different scale: without trailing zeros.
    case trimmedDecimal
    /// FLOAT prints six digits; multiplied by 1e0 it prints its exact double, the sign of zero included.
    case widened
    /// ENUM, SET, BIT and ZEROFILL: by number.
    case number
    /// Length and bytes. `convert`: both sides in utf8mb4, because their character sets differ.
    case bytes(convert: Bool)
    /// Length and CRC32 of the bytes: for values that may not fit into one expression (max_allowed_packet). Geometries and
    /// vectors are their stored bytes, JSON beside a text column the server's text.
    case digest(convert: Bool)
    /// JSON on both sides: the text's digest, and the types that the text does not show.
    case json

    init(source: ColumnDefinition, target: ColumnDefinition, table: TableName) throws(EngineError) {
        let kinds = [try Kind(source, table: table), try Kind(target, table: table)]
        if source.dataType == "json", target.dataType == "json" {
            self = .json
        } else if kinds.allSatisfy({ $0 == .enumerated }), source.columnType == target.columnType {
            self = .number
        } else if kinds.contains(.ownText) {
            guard source.dataType == target.dataType else { throw Kind.unknown(source, table) }
            self = .ownText
        } else if kinds.allSatisfy({ $0 == .bit }) {
            self = .number
        } else if kinds.allSatisfy({ $0 == .integer }) {
            let zerofill = [source, target].contains { $0.columnType.lowercased().contains("zerofill") }
            self = zerofill ? .number : .printed
        } else if kinds.allSatisfy({ $0 == .decimal }) {
            self = source.numericScale == target.numericScale ? .printed : .trimmedDecimal
        } else if kinds.contains(where: \.isText) {
            let sets = [source, target].map { Self.characterSet($0) }
            let convert = sets[0] != sets[1] && sets[0] != nil && sets[1] != nil
            self = kinds.contains(.large) ? .digest(convert: convert) : .bytes(convert: convert)
        } else {
            self = kinds.contains(.floating) ? .widened : .printed
        }
    }

    /// Classes of types that can meet.
    private enum Kind: Hashable {
        case integer, decimal, floating, bit, enumerated, temporal, short, large, ownText
        var isText: Bool { self == .short || self == .large || self == .enumerated }

        init(_ column: ColumnDefinition, table: TableName) throws(EngineError) {
            switch column.dataType {
            case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year": self = .integer
            case "decimal", "numeric": self = .decimal
            case "float", "double", "real": self = .floating
            case "bit": self = .bit
            case "enum", "set": self = .enumerated
            case "date", "time", "datetime", "timestamp": self = .temporal
            case "char", "varchar", "binary", "varbinary": self = .short
            case "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json",
                "vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                "multipolygon", "geomcollection", "geometrycollection":
                self = .large
            case "uuid", "inet6", "inet4": self = .ownText
            default: throw Self.unknown(column, table)
            }
        }

        static func unknown(_ column: ColumnDefinition, _ table: TableName) -> EngineError {
            EngineError(
                .plan, "Column \(column.name) of \(table) has type \(column.dataType), which can't be compared.",
                why: "No exact text of such a value is known.", cure: "Exclude the table, or turn validation off.")
        }
    }

    /// Character set of the bytes that a server shows for the column, nil for binary ones.
    private static func characterSet(_ column: ColumnDefinition) -> String? {
        if column.dataType == "json" { return "utf8mb4" }
        return column.characterSet == "utf8" ? "utf8mb3" : column.characterSet
    }

    /// Canonical text of a value that is not NULL.
    func expression(_ column: ColumnDefinition) -> String {
        let name = SQL.identifier(column.name)
        switch self {
        case .printed: return name
        // Not by itself: beside the mark of NULL it would make a UUID of that, too.
        case .ownText: return "CAST(\(name) AS CHAR)"
        case .trimmedDecimal:
            guard (column.numericScale ?? 0) > 0 else { return name }
            return "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM \(name)))"
        case .widened:
            // A plain DOUBLE prints all of its digits by itself; the product prints up to 22 characters, which cuts the
            // last digit of the smallest numbers, but never one that a FLOAT needs.
            return column.dataType != "float" && !column.columnType.contains("(") ? name : "\(name) * 1e0"
        case .number:
            // `+ 0` of ENUM and SET is a double: it takes two sets of 64 members for one.
            return column.dataType.hasSuffix("int") || column.dataType == "integer"
                ? "\(name) + 0" : "CAST(\(name) AS UNSIGNED)"
        case .bytes(let convert):
            let bytes = "CAST(\(convert ? "CONVERT(\(name) USING utf8mb4)" : name) AS BINARY)"
            // The number too: ENUM's error value 0 and an empty member are both ''.
            let number = column.dataType == "enum" ? "IF(CAST(\(name) AS UNSIGNED) = 0, 'E', '')" : "''"
            return "CONCAT(\(number), LENGTH(\(bytes)), ':', \(bytes))"
        case .digest(let convert):
            let value = convert ? "CONVERT(\(name) USING utf8mb4)" : name
            return "CONCAT(LENGTH(\(value)), ':', CRC32(\(value)))"
        case .json:
            return "CONCAT(LENGTH(\(name)), ':', CRC32(\(name)), ':', \(JSONTypes.fingerprint(name)))"
        }
    }

    /// What a person sees: the value, or its first characters; bytes in hex.
    func display(_ column: ColumnDefinition) -> String {
        let name = SQL.identifier(column.name)
        switch self {
        case .json:
            let types = "LEFT(CAST(\(JSONTypes.list(name)) AS CHAR), 60)"
            return "CONCAT(LEFT(CAST(\(name) AS CHAR), 60), IFNULL(CONCAT(' with types ', \(types)), ''))"
        case .bytes, .digest:
            if column.dataType == "json" { return "LEFT(CAST(\(name) AS CHAR), 60)" }
            if column.characterSet != nil { return "LEFT(CONVERT(\(name) USING utf8mb4), 60)" }
            return "CONCAT('0x', HEX(LEFT(CAST(\(name) AS BINARY), 30)))"
        case .number where column.dataType == "enum" || column.dataType == "set":
            return "CONVERT(\(name) USING utf8mb4)"
        default: return expression(column)
        }
    }
}
