import Foundation

/// Text that is markup. Only literals of this program and other markup get into it as they are: every other text is escaped, by its type.
struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
    init(_ parts: [HTML], separator: HTML = "") { text = parts.map(\.text).joined(separator: separator.text) }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + interpolationCount * 16) }
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ value: String) { HTML.escape(value, into: &text) }
        mutating func appendInterpolation(_ value: some BinaryInteger) { text += "\(value)" }
        mutating func appendInterpolation(_ markup: HTML) { text += markup.text }
        mutating func appendInterpolation(_ markup: HTML?) { text += markup?.text ?? "" }
        mutating func appendInterpolation(_ markup: [HTML]) { for part in markup { text += part.text } }
    }

    /// For text and for values of attributes in double quotes. Source: HTML, 13.1.2.3 and 13.1.2.4.
    private static func escape(_ value: String, into text: inout String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            // No document may hold them.
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{7F}": text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    static func + (left: HTML, right: HTML) -> HTML { HTML([left, right]) }
    static func += (left: inout HTML, right: HTML) { left.text += right.text }
}

/// Names with values, as a query or a form brings them; of a name that comes twice the first counts.
struct Fields: Sendable, Equatable {
    private var values: [String: String] = [:]

    init() {}
    init(_ encoded: some StringProtocol) {
        for pair in encoded.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(parts[0])
            if values[name] == nil { values[name] = parts.count > 1 ? Self.decode(parts[1]) : "" }
        }
    }

    /// "" where it is absent.
    subscript(name: String) -> String {
        get { values[name] ?? "" }
        set { values[name] = newValue.isEmpty ? nil : newValue }
    }

    private static func decode(_ text: some StringProtocol) -> String {
        String(decoding: CanonicalRequest.decode(Substring(String(text).replacing("+", with: " "))), as: UTF8.self)
    }

    /// A path on this service with these fields as its query.
    func on(_ path: String) -> String {
        let pairs = values.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return pairs.isEmpty ? path : path + "?" + pairs.map { "\(Self.encode($0.key))=\(Self.encode($0.value))" }.joined(separator: "&")
    }

    func with(_ name: String, _ value: String) -> Fields {
        var changed = self
        changed[name] = value
        return changed
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? ""
    }
    private static let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

/// How numbers and times are written on the pages.
enum Shown {
    static func number(_ value: some BinaryInteger) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3), digit != "-" { text.append("\u{202F}") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// Three digits that count; whole numbers as they are.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if value == value.rounded(), abs(value) < 1e15 { return number(Int64(value)) }
        if abs(value) >= 1000 { return number(Int64(value.rounded())) }
        let places = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        return String(format: "%.\(places)f", value)
    }

    static func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds).formatted(
            .iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space).time(includingFractionalSeconds: false).timeSeparator(.colon))
            + " UTC"
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 4e9)))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        if whole < 86_400 { return "\(whole / 3600) h \(whole / 60 % 60) min" }
        return "\(whole / 86_400) d \(whole / 3600 % 24) h"
    }
}
