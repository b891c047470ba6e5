/// Numbers as people read them. Pure; the JSON output never uses it.
enum Format {
    /// `1,234,567`.
    static func count(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Powers of 1024 with one decimal: `999 B`, `1.5 KiB`, `12.0 GiB`.
    static func bytes(_ value: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        guard value >= 1024 else { return "\(value) B" }
        var scaled = Double(value)
        var unit = 0
        // 1023.95 would be rounded to 1024.0 of the smaller unit.
        while scaled >= 1023.95, unit < units.count - 1 {
            scaled /= 1024
            unit += 1
        }
        return "\(fixed(scaled, digits: 1)) \(units[unit])"
    }

    /// A rate's number: `0`, `0.4`, `950`, `83.1k`, `1.2M`.
    static func short(_ value: Double) -> String {
        guard value.isFinite, value > 0 else { return "0" }
        if value < 9.95 { return fixed(value, digits: 1) }
        if value < 999.5 { return fixed(value, digits: 0) }
        if value < 999_950 { return fixed(value / 1000, digits: 1) + "k" }
        return fixed(value / 1_000_000, digits: 1) + "M"
    }

    static func rowRate(_ perSecond: Double) -> String { "\(short(perSecond)) rows/s" }

    static func byteRate(_ perSecond: Double) -> String {
        "\(bytes(perSecond.isFinite && perSecond > 0 ? UInt64(min(perSecond, 1e18)) : 0))/s"
    }

    /// `0.84 s`, `12.3 s`, `3m 20s`, `1h 05m`, `2d 03h`. Negative and unknown times are `–`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "–" }
        if seconds < 9.995 { return fixed(seconds, digits: 2) + " s" }
        if seconds < 59.95 { return fixed(seconds, digits: 1) + " s" }
        guard seconds < 1e12 else { return "–" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60)m \(padded(whole % 60))s" }
        if whole < 86_400 { return "\(whole / 3600)h \(padded(whole % 3600 / 60))m" }
        return "\(whole / 86_400)d \(padded(whole % 86_400 / 3600))h"
    }

    /// Rounded down, so that 100% means all: 0 ... 100. More rows than estimated is 100.
    static func percent(_ part: UInt64, of whole: UInt64) -> Int {
        guard whole > 0 else { return 0 }
        return part >= whole ? 100 : Int(Double(part) / Double(whole) * 100)
    }

    /// UTC, `2026-11-22T19:30:00Z`.
    static func timestamp(_ secondsSince1970: Double) -> String {
        guard secondsSince1970.isFinite, abs(secondsSince1970) < 1e11 else { return "–" }
        let seconds = Int(secondsSince1970.rounded(.down))
        let day = Int((Double(seconds) / 86_400).rounded(.down))
        let rest = seconds - day * 86_400
        let date = civil(daysSince1970: day)
        let time = "\(padded(rest / 3600)):\(padded(rest % 3600 / 60)):\(padded(rest % 60))"
        return "\(date.year)-\(padded(date.month))-\(padded(date.day))T\(time)Z"
    }

    /// Fixed number of decimals, half away from zero, without a locale.
    static func fixed(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled.isFinite, scaled < 9e18 else { return "\(value)" }
        let whole = UInt64(scaled)
        let unit = UInt64(scale)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(whole % unit)
        return "\(sign)\(whole / unit).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }

    /// One line with a full stop, whatever a server or a library put into it.
    static func sentence(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
            .joined(separator: " ")
        guard let last = line.last else { return "" }
        return ".!?".contains(last) ? line : line + "."
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Gregorian date of a day number, by eras of 400 years that start in March.
    private static func civil(daysSince1970 day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
    }
}
