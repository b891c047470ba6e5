/// A server UUID: sixteen bytes, as two big-endian halves.
public struct SourceUUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Parses 32 hexadecimal digits, with or without the four dashes of the usual form and with or without
    /// braces, as the server does. nil for any other text.
    public init?(_ text: some StringProtocol) {
        var digits = Array(text.utf8)
        if digits.first == UInt8(ascii: "{"), digits.last == UInt8(ascii: "}") { digits = Array(digits.dropFirst().dropLast()) }
        if digits.count == 36 {
            for place in [23, 18, 13, 8] {
                guard digits[place] == UInt8(ascii: "-") else { return nil }
                digits.remove(at: place)
            }
        }
        guard digits.count == 32 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for (place, digit) in digits.enumerated() {
            guard let value = Hexadecimal.value(of: digit) else { return nil }
            if place < 16 { halves.0 = halves.0 << 4 | UInt64(value) } else { halves.1 = halves.1 << 4 | UInt64(value) }
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// Reads sixteen bytes from `bytes` at `position`; nil when fewer are there.
    public init?(bytes: [UInt8], at position: Int = 0) {
        guard position >= 0, bytes.count - position >= 16 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for place in 0..<8 {
            halves.0 = halves.0 << 8 | UInt64(bytes[position + place])
            halves.1 = halves.1 << 8 | UInt64(bytes[position + 8 + place])
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// The sixteen bytes.
    public var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
    }

    /// Lower case, with dashes: `8-4-4-4-12` digits.
    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (place, byte) in bytes.enumerated() {
            if place == 4 || place == 6 || place == 8 || place == 10 { text.append(UInt8(ascii: "-")) }
            text.append(Hexadecimal.digit(byte >> 4))
            text.append(Hexadecimal.digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

/// Hexadecimal digits, lower case.
package enum Hexadecimal {
    package static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
