import Foundation
import MySQLBinlog
import MySQLTypes

/// The types inside JSON values, as SQL of MySQL 8 and 9: what a SELECT of the value's text does not tell. (MariaDB keeps
/// JSON as text and has no such types; its columns are LONGTEXT.)
///
/// JSON_TABLE walks over all members (`$**.*`) and all cells (`$**[*]`), each numbered in the order of the walk: of every
/// value in document order, first its own members or cells, then what is inside of them (measured on 9.7).
package enum JSONTypes {
    /// NULL, or a JSON array of [member number, cell number, type] of the values whose types are lost when the text is
    /// parsed again; both numbers are null for the document itself. `column` is an SQL expression, NULL allowed.
    package static func list(_ column: String) -> String {
        let all = "SELECT JSON_ARRAYAGG(JSON_ARRAY(`godwit`.`m`, `godwit`.`c`, COALESCE(JSON_TYPE(`godwit`.`v`), JSON_TYPE(`godwit`.`w`)))) \(from(column))"
        let root = "IF(\(isLost(column)), JSON_ARRAY(JSON_ARRAY(NULL, NULL, JSON_TYPE(\(column)))), NULL)"
        return "IF(JSON_TYPE(\(column)) IN ('OBJECT', 'ARRAY'), (\(all)), \(root))"
    }

    /// A number or word, never NULL for a value that is not, which is equal for equal types of documents of equal text.
    package static func fingerprint(_ column: String) -> String {
        "IF(JSON_TYPE(\(column)) IN ('OBJECT', 'ARRAY'), \(containerFingerprint(column)), JSON_TYPE(\(column)))"
    }

    /// The same for objects and arrays. The column stands in it once.
    static func containerFingerprint(_ column: String) -> String {
        let value = "CONCAT(IF(`godwit`.`m` IS NULL, 'c', 'm'), COALESCE(`godwit`.`m`, `godwit`.`c`), ' ', COALESCE(JSON_TYPE(`godwit`.`v`), JSON_TYPE(`godwit`.`w`)))"
        return "COALESCE((SELECT SUM(CRC32(\(value))) \(from(column))), 0)"
    }

    private static func from(_ column: String) -> String {
        """
        FROM JSON_TABLE(\(column), '$' COLUMNS(NESTED PATH '$**.*' COLUMNS(`m` FOR ORDINALITY, `v` JSON PATH '$'), \
        NESTED PATH '$**[*]' COLUMNS(`c` FOR ORDINALITY, `w` JSON PATH '$'))) AS `godwit` \
        WHERE \(isLost("`godwit`.`v`")) OR \(isLost("`godwit`.`w`"))
        """
    }

    private static func isLost(_ value: String) -> String {
        let border = TypedJSONValue.firstUnsigned
        let kept = ["STRING", "OBJECT", "ARRAY", "DOUBLE", "BOOLEAN", "NULL"].map { " WHEN '\($0)' THEN 0" }.joined()
        return """
            CASE JSON_TYPE(\(value))\(kept) WHEN 'INTEGER' THEN \(value) >= \(border) \
            WHEN 'UNSIGNED INTEGER' THEN \(value) < \(border) ELSE \(value) IS NOT NULL END
            """
    }

    /// The values that `types` (the result of `list`) names, from the document's `text` beside it. Throws where the two do
    /// not belong together.
    package static func values(of text: [UInt8], types: [UInt8]) throws(EngineError) -> [TypedJSONValue] {
        var wanted: [JSONTextWalker.Place: String] = [:]
        for entry in try elements(types) {
            let fields = try elements(entry).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3 else { throw JSONTextWalker.malformed }
            let place: JSONTextWalker.Place
            if let member = Int(fields[0]) {
                place = .member(member)
            } else if let cell = Int(fields[1]) {
                place = .cell(cell)
            } else {
                place = .root
            }
            wanted[place] = String(fields[2].dropFirst().dropLast())
        }
        var walker = JSONTextWalker(text)
        var values: [TypedJSONValue] = []
        for (place, path, token) in try walker.scalars() {
            guard let type = wanted.removeValue(forKey: place) else { continue }
            guard let value = value(token, type) else { throw JSONTextWalker.malformed }
            values.append(TypedJSONValue(path: path, value: value))
        }
        guard wanted.isEmpty else { throw JSONTextWalker.malformed }
        return values
    }

    /// The texts of an array's elements.
    private static func elements(_ array: [UInt8]) throws(EngineError) -> [[UInt8]] {
        var walker = JSONTextWalker(array)
        return try walker.cells()
    }

    /// `token`: the value's text, strings with their quotes.
    private static func value(_ token: [UInt8], _ type: String) -> TypedJSONValue.Value? {
        let text = String(decoding: token, as: UTF8.self)
        guard token.first == UInt8(ascii: "\"") else {
            switch type {
            case "DECIMAL": return .decimal(text)
            case "INTEGER": return Int64(text).map { .signed($0) }
            case "UNSIGNED INTEGER": return UInt64(text).map { .unsigned($0) }
            default: return nil
            }
        }
        let content = String(text.dropFirst().dropLast())
        switch type {
        case "DATE": return .date(content)
        case "TIME": return .time(content)
        case "DATETIME": return .datetime(content)
        case "TIMESTAMP": return .timestamp(content)
        case "DECIMAL", "INTEGER", "UNSIGNED INTEGER": return nil
        // BLOB, BIT, OPAQUE: "base64:typeN:…" with line breaks.
        default:
            let parts = content.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "base64", parts[1].hasPrefix("type"), let field = UInt8(parts[1].dropFirst(4)),
                let data = Data(base64Encoded: String(parts[2].replacing("\\n", with: "")))
            else { return nil }
            return .bytes(field: field, Array(data))
        }
    }
}
