import MySQLBinlog
import MySQLTypes

extension Remedy { static let jsonTypes = Remedy("json-types", pitfalls: [22], test: "JSONExpressionTests/forms") }

/// A JSON value as an SQL expression that gives the same document with the same types.
///
/// Text alone is read back with a double for every DECIMAL, a string for every temporal value and for bytes. So the text
/// carries the document, and each value that it would change is replaced at its path by an expression of the right type.
/// Every form here was compared with stored values on MySQL 9.7: same JSON_TYPE, same text; DECIMALs keep their scale.
package enum JSONExpression {
    /// `text`: the document as the server prints it.
    package static func append(_ text: [UInt8], typed: [TypedJSONValue], to sql: inout SQLBuffer) {
        var isOpen = false
        for item in typed {
            guard Remedy.jsonTypes.isOn, let value = expression(item.value) else { continue }
            if !isOpen {
                sql.append("JSON_REPLACE(")
                sql.appendQuoted(text, introducer: "_utf8mb4")
                isOpen = true
            }
            sql.append(",")
            sql.appendQuoted(Array(item.path.utf8), introducer: "_utf8mb4")
            sql.append(",")
            sql.append(value)
        }
        if isOpen { sql.append(")") } else { sql.appendQuoted(text, introducer: "_utf8mb4") }
    }

    /// A condition: the column `name` holds exactly this document, by its text and its types.
    static func appendMatch(_ name: String, _ binary: [UInt8], to sql: inout SQLBuffer) throws {
        let (text, typed) = try BinaryJSON.renderTyped(binary)
        sql.append("CAST(\(name) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin = ")
        sql.appendQuoted(text, introducer: "_utf8mb4")
        let isContainer = text.first == UInt8(ascii: "{") || text.first == UInt8(ascii: "[")
        let form = isContainer ? JSONTypes.containerFingerprint : { "JSON_TYPE(\($0))" }
        sql.append(" AND \(form(name)) = ")
        // The expression stands once in either form.
        let marks = form("\u{1}").split(separator: "\u{1}", omittingEmptySubsequences: false)
        for (index, part) in marks.enumerated() {
            if index > 0 {
                sql.append("CAST(")
                append(text, typed: typed, to: &sql)
                sql.append(" AS JSON)")
            }
            sql.append(String(part))
        }
    }

    /// nil: no expression is known that makes such a value. Its text goes instead, which the comparison of the tables
    /// then reports: types are part of it.
    static func expression(_ value: TypedJSONValue.Value) -> String? {
        switch value {
        // A literal with a point is a DECIMAL of as many decimals as it shows.
        case .decimal(let text): text.contains(".") ? text : text + "."
        case .date(let text): "DATE'\(text)'"
        case .time(let text): "TIME'\(text)'"
        case .datetime(let text): "TIMESTAMP'\(text)'"
        case .timestamp(let text): timestamp(text)
        case .signed(let number): "CAST(\(number) AS SIGNED)"
        case .unsigned(let number): "CAST(\(number) AS UNSIGNED)"
        case .bytes(let field, let bytes): self.bytes(bytes, field: field)
        }
    }

    /// Only a column has the type TIMESTAMP; its session's time zone is UTC, and so is the column's range.
    private static func timestamp(_ text: String) -> String? {
        let isZero = text == "0000-00-00 00:00:00.000000"
        guard isZero || (text >= "1970-01-01 00:00:01" && text <= "2038-01-19 03:14:07.999999") else { return nil }
        return cell(of: "'\"\(text)\"'", path: "$", as: "TIMESTAMP(6)")
    }

    private static func bytes(_ bytes: [UInt8], field: UInt8) -> String? {
        let hex = "x'" + bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + "'"
        switch MySQLFieldType(rawValue: field) {
        case .varchar: return hex
        case .blob: return cell(of: "JSON_ARRAY(\(hex))", path: "$[0]", as: "LONGBLOB")
        // The type of a function that may return anything long.
        case .longBlob: return "COALESCE(\(hex),ST_AsWKB(NULL))"
        case .string where (1...255).contains(bytes.count):
            return cell(of: "JSON_ARRAY(\(hex))", path: "$[0]", as: "BINARY(\(bytes.count))")
        case .bit where (1...8).contains(bytes.count):
            let number = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return cell(of: "'\(number)'", path: "$", as: "BIT(\(8 * bytes.count))")
        case .mediumBlob where bytes.count <= 49_000:
            var base64: [UInt8] = []
            JSONText.appendBase64(bytes[...], to: &base64)
            let text = "'\"\(String(decoding: base64, as: UTF8.self))\"'"
            return "(SELECT FROM_BASE64(`v`) FROM JSON_TABLE(\(text),'$' COLUMNS(`v` TEXT PATH '$' ERROR ON ERROR)) AS `godwit`)"
        default: return nil
        }
    }

    /// A value with the type of a column.
    private static func cell(of document: String, path: String, as type: String) -> String {
        "(SELECT `v` FROM JSON_TABLE(\(document),'\(path)' COLUMNS(`v` \(type) PATH '$' ERROR ON ERROR)) AS `godwit`)"
    }
}
