/// Builds the server's text forms of temporal values, digit by digit (this is on the path of every row).
package struct TemporalText {
    private var bytes: [UInt8] = []

    package init() { bytes.reserveCapacity(26) }

    package var string: String { String(decoding: bytes, as: UTF8.self) }

    /// At least `digits` digits, zero-padded; `value` is not negative.
    package mutating func append(_ value: Int, digits: Int) {
        var power = 1
        for _ in 1..<max(digits, 1) { power *= 10 }
        while value / power >= 10 { power *= 10 }
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / power % 10))
            power /= 10
        }
    }

    package mutating func append(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

    package mutating func appendDate(year: Int, month: Int, day: Int) {
        append(year, digits: 4)
        append("-")
        append(month, digits: 2)
        append("-")
        append(day, digits: 2)
    }

    package mutating func appendTime(hour: Int, minute: Int, second: Int) {
        append(hour, digits: 2)
        append(":")
        append(minute, digits: 2)
        append(":")
        append(second, digits: 2)
    }

    /// The first `digits` (0 ... 6) of the six digits of `microseconds`, with the point.
    package mutating func appendFraction(microseconds: Int, digits: Int) {
        guard digits > 0 else { return }
        append(".")
        var power = 100_000
        for _ in 0..<min(digits, 6) {
            bytes.append(UInt8(ascii: "0") + UInt8(microseconds / power % 10))
            power /= 10
        }
    }

    /// `2038-01-19 03:14:07` of seconds since 1970 in UTC; 0 is the zero timestamp.
    package mutating func appendUTC(seconds: Int) {
        if seconds == 0 {
            appendDate(year: 0, month: 0, day: 0)
            append(" ")
            appendTime(hour: 0, minute: 0, second: 0)
            return
        }
        let date = Self.civil(days: seconds / 86_400)
        let rest = seconds % 86_400
        appendDate(year: date.year, month: date.month, day: date.day)
        append(" ")
        appendTime(hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60)
    }

    /// The Gregorian date of `days` since 1970-01-01 (not negative).
    static func civil(days: Int) -> MySQLDate {
        // Years start in March here, so that the leap day is the last of its year; 719468 days lie between
        // 0000-03-01 and 1970-01-01, 146097 days are 400 years.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return MySQLDate(year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month, day: day)
    }
}

extension MySQLDate: CustomStringConvertible {
    /// `2038-01-19`, as the server prints it.
    public var description: String {
        var text = TemporalText()
        text.appendDate(year: year, month: month, day: day)
        return text.string
    }
}
