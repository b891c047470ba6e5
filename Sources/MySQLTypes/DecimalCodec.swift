/// MySQL's packed DECIMAL: big-endian groups of nine digits in four bytes, shorter groups at both outer ends in as
/// few bytes as hold them; the top bit is inverted, and all bits are for negative numbers.
/// Source: MySQL source documentation, `decimal2bin`.
package enum DecimalCodec {
    private static let bytesOfDigits = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    private static let powers: [UInt32] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]

    /// Bytes of a DECIMAL(precision, scale), or nil where there is no such type (precision 1 ... 65, scale 0 ... 30).
    /// MariaDB's greatest scale is 38.
    package static func size(precision: Int, scale: Int) -> Int? {
        guard (1...65).contains(precision), (0...38).contains(scale), scale <= precision else { return nil }
        let whole = precision - scale
        return whole / 9 * 4 + bytesOfDigits[whole % 9] + scale / 9 * 4 + bytesOfDigits[scale % 9]
    }

    /// The number at `position` as exact text with `scale` fractional digits: `-0.50`.
    /// nil for bytes that are no such number or do not suffice.
    package static func text(_ bytes: [UInt8], at position: Int, precision: Int, scale: Int) -> String? {
        guard let size = size(precision: precision, scale: scale), position >= 0, bytes.count - position >= size else { return nil }
        let isNegative = bytes[position] & 0x80 == 0
        let mask: UInt8 = isNegative ? 0xff : 0
        var text: [UInt8] = []
        text.reserveCapacity(precision + 3)
        if isNegative { text.append(UInt8(ascii: "-")) }
        let firstDigit = text.count

        var place = position
        func group(digits: Int) -> UInt32? {
            var value: UInt32 = 0
            for _ in 0..<bytesOfDigits[digits] {
                var byte = bytes[place] ^ mask
                if place == position { byte ^= 0x80 }
                value = value << 8 | UInt32(byte)
                place += 1
            }
            return value < powers[digits] ? value : nil
        }
        func append(_ value: UInt32, digits: Int) {
            for digit in stride(from: digits - 1, through: 0, by: -1) {
                let figure = UInt8(value / powers[digit] % 10)
                // Leading zeros are not printed; the last whole digit is put in below if all were zeros.
                if figure == 0, text.count == firstDigit { continue }
                text.append(UInt8(ascii: "0") + figure)
            }
        }

        let whole = precision - scale
        for digits in [whole % 9] + Array(repeating: 9, count: whole / 9) where digits > 0 {
            guard let value = group(digits: digits) else { return nil }
            append(value, digits: digits)
        }
        if text.count == firstDigit { text.append(UInt8(ascii: "0")) }
        if scale > 0 { text.append(UInt8(ascii: ".")) }
        for digits in Array(repeating: 9, count: scale / 9) + [scale % 9] where digits > 0 {
            guard let value = group(digits: digits) else { return nil }
            append(value, digits: digits)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
