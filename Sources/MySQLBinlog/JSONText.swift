import MySQLTypes

/// Pieces of JSON text as the server writes them.
package enum JSONText {
    /// A quoted string; `text` is UTF-8. The server escapes quote, backslash and control characters, nothing else.
    /// Concrete, not generic: called through a protocol from another module, it took 40 % of all time of `godwit binlog`.
    package static func appendQuoted(_ text: [UInt8], to output: inout [UInt8]) { appendQuoted(text[...], to: &output) }

    package static func appendQuoted(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        // Nearly all text has nothing to escape.
        if text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            output.append(contentsOf: text)
        } else {
            appendEscaped(text, to: &output)
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x20...: output.append(byte)
            case 8: output += "\\b".utf8
            case 9: output += "\\t".utf8
            case 10: output += "\\n".utf8
            case 12: output += "\\f".utf8
            case 13: output += "\\r".utf8
            default:
                output += "\\u00".utf8
                output.append(Hexadecimal.digit(byte >> 4))
                output.append(Hexadecimal.digit(byte & 15))
            }
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 with padding, in one line; or, as the server does inside JSON, with an (escaped) line break after every
    /// 76 characters that more follow.
    package static func appendBase64(_ bytes: ArraySlice<UInt8>, breakingLines: Bool = false, to output: inout [UInt8]) {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if breakingLines, place > bytes.startIndex, (place - bytes.startIndex) % 57 == 0 { output += "\\n".utf8 }
            let left = bytes.endIndex - place
            let group = UInt32(bytes[place]) << 16 | (left > 1 ? UInt32(bytes[place + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[place + 2]) : 0)
            output.append(alphabet[Int(group >> 18)])
            output.append(alphabet[Int(group >> 12 & 63)])
            output.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            output.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            place += 3
        }
    }
}

/// DATE, TIME, DATETIME and TIMESTAMP inside JSON: the server's packed 64-bit form, always with six digits.
/// Source: MySQL source documentation, `TIME_from_longlong_packed`.
enum JSONTemporal {
    static func text(_ bytes: [UInt8], field: UInt8) -> String? {
        var packed: Int64 = 0
        for byte in bytes.reversed() { packed = packed << 8 | Int64(byte) }
        guard packed != .min else { return nil }
        let magnitude = abs(packed)
        let fraction = Int(magnitude & 0xff_ffff)
        let whole = Int(magnitude >> 24)
        guard fraction < 1_000_000 else { return nil }
        var text = TemporalText()
        if packed < 0 { text.append("-") }
        if field == MySQLFieldType.time.rawValue {
            text.appendTime(hour: whole >> 12 & 0x3ff, minute: whole >> 6 & 63, second: whole & 63)
            text.appendFraction(microseconds: fraction, digits: 6)
            return text.string
        }
        let months = whole >> 22
        text.appendDate(year: months / 13, month: months % 13, day: whole >> 17 & 31)
        if field == MySQLFieldType.date.rawValue { return text.string }
        text.append(" ")
        text.appendTime(hour: whole >> 12 & 31, minute: whole >> 6 & 63, second: whole & 63)
        text.appendFraction(microseconds: fraction, digits: 6)
        return text.string
    }
}

/// Doubles as the server prints them: the shortest digits that read back as the same number, in plain notation between
/// 1e-15 and 1e15, else with an exponent without plus sign and leading zeros.
/// Source: MySQL source documentation, `my_gcvt`.
package enum ServerDouble {
    /// `number` is finite.
    package static func text(_ number: Double) -> String {
        text(isNegative: number.sign == .minus, magnitude: number.magnitude.description)
    }

    /// The shortest digits that read back as the same `Float`.
    package static func text(_ number: Float) -> String {
        text(isNegative: number.sign == .minus, magnitude: number.magnitude.description)
    }

    /// Swift's description has the same shortest digits in another layout.
    private static func text(isNegative: Bool, magnitude: String) -> String {
        let sign = isNegative ? "-" : ""
        var digits: [UInt8] = []
        var exponent = 0
        var point: Int?
        var rest = Array(magnitude.utf8)[...]
        if let e = rest.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: rest[(e + 1)...], as: UTF8.self)) ?? 0
            rest = rest[..<e]
        }
        for byte in rest {
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        var decimalPoint = (point ?? digits.count) + exponent
        while digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            decimalPoint -= 1
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits.isEmpty ? sign + "0" : sign + layout(digits, decimalPoint)
    }

    /// `digits` have the value 0.DIGITS × 10^`point`.
    private static func layout(_ digits: [UInt8], _ point: Int) -> String {
        func string(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
        guard (-14...15).contains(point) else {
            let fraction = digits.count > 1 ? "." + string(digits.dropFirst()) : ""
            return string(digits.prefix(1)) + fraction + "e\(point - 1)"
        }
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + string(digits) }
        if digits.count <= point { return string(digits) + String(repeating: "0", count: point - digits.count) }
        return string(digits.prefix(point)) + "." + string(digits.dropFirst(point))
    }

    /// In JSON a double that looks like an integer gets `.0`.
    package static func json(_ number: Double) -> String {
        let text = text(number)
        return text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) } ? text + ".0" : text
    }
}
