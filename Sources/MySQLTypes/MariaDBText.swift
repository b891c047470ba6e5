/// MariaDB's types UUID, INET6 and INET4: fixed bytes in the log, text in SELECT.
public enum MariaDBText {
    /// Bytes of a value by DATA_TYPE; nil for every other type.
    public static func width(of dataType: String) -> Int? {
        switch dataType {
        case "uuid", "inet6": 16
        case "inet4": 4
        default: nil
        }
    }

    /// The text that SELECT shows for the bytes of a row image, whose trailing zeros the log leaves out. nil for more bytes
    /// than the type has, and for other types.
    public static func text(_ bytes: some Collection<UInt8>, dataType: String) -> String? {
        guard let width = width(of: dataType), bytes.count <= width else { return nil }
        let whole = Array(bytes) + [UInt8](repeating: 0, count: width - bytes.count)
        switch dataType {
        case "uuid": return uuid(whole)
        case "inet6": return inet6(whole)
        default: return whole.map(String.init).joined(separator: ".")
        }
    }

    /// Row images carry UUIDs in their written order, although the table stores some of them turned around.
    private static func uuid(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for (place, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(place) { text.append(UInt8(ascii: "-")) }
            text.append(Hexadecimal.digit(byte >> 4))
            text.append(Hexadecimal.digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Groups without leading zeros; the first longest run of zero groups (one is enough) as `::`; addresses that hold one of IPv4
    /// (`::a.b.c.d`, `::ffff:a.b.c.d`) with that. Source: MariaDB source, `Inet6::to_string`.
    private static func inet6(_ bytes: [UInt8]) -> String {
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        var gap = 0..<0
        var place = 0
        while place < 8 {
            let end = groups[place...].firstIndex { $0 != 0 } ?? 8
            if end - place > gap.count { gap = place..<end }
            place = max(end, place + 1)
        }
        let holdsIPv4 = gap.lowerBound == 0 && (gap.count == 6 || gap.count == 5 && groups[5] == 0xffff)
        var head: [String] = []
        var tail: [String] = []
        for index in 0..<(holdsIPv4 ? 6 : 8) where !gap.contains(index) {
            let digits = String(groups[index], radix: 16)
            if gap.isEmpty || index < gap.lowerBound { head.append(digits) } else { tail.append(digits) }
        }
        if holdsIPv4 { tail.append(bytes[12...].map(String.init).joined(separator: ".")) }
        if gap.isEmpty { return head.joined(separator: ":") }
        return head.joined(separator: ":") + "::" + tail.joined(separator: ":")
    }
}
