import MySQLBinlog

/// Writes JSON members into a byte buffer in the order they are given: no dictionaries, no encoder, so that the order
/// of columns is kept and a large log is not slowed down by its output.
struct JSONLineBuffer {
    var bytes: [UInt8] = []

    /// Integers up to this magnitude are exact in every JSON reader.
    static let exactLimit: UInt64 = 1 << 53

    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// The key of a member that is not its object's first.
    mutating func key(_ name: StaticString) {
        raw(",\"")
        raw(name)
        raw("\":")
    }

    mutating func string(_ text: String) { JSONText.appendQuoted(Array(text.utf8), to: &bytes) }

    /// For text without quotes, backslashes and control characters.
    mutating func plain(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        bytes += text.utf8
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func integer(_ value: Int64) {
        if value.magnitude > Self.exactLimit { return plain(value.description) }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
    }

    mutating func integer(_ value: UInt64) {
        if value > Self.exactLimit { plain(value.description) } else { digits(value) }
    }

    private mutating func digits(_ value: UInt64) {
        var power: UInt64 = 1
        while value / power >= 10 { power *= 10 }
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / power % 10))
            power /= 10
        }
    }

    /// Text that JSON takes as it is (printable ASCII without quotes and backslashes), quoted. False: there is other text in it, and nothing was appended.
    mutating func quoted(ifPlain text: ArraySlice<UInt8>) -> Bool {
        for byte in text where byte &- 0x20 >= 0x5f || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: "\""))
        return true
    }

    mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    mutating func base64(_ value: [UInt8]) {
        raw("{\"base64\":\"")
        JSONText.appendBase64(value[...], to: &bytes)
        raw("\"}")
    }

    /// Text where the bytes are UTF-8, else base64.
    mutating func textOrBase64(_ value: [UInt8]) {
        if let text = String(validating: value, as: UTF8.self) { string(text) } else { base64(value) }
    }

    /// JSON has no infinities: they appear, as no MySQL column can hold them, only in foreign or corrupt logs.
    mutating func number(_ value: Double, text: String) {
        if value.isFinite { bytes += text.utf8 } else { plain(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity") }
    }
}
