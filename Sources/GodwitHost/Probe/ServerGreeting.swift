/// The first packet of a MySQL server, as far as a probe needs it.
///
/// Source: MySQL internals, Protocol::HandshakeV10 and ERR_Packet.
package enum ServerGreeting: Sendable, Hashable {
    case handshake(version: String, offersTLS: Bool)
    /// The server refuses before the login (1130: this host may not connect; 1040: too many connections).
    case refusal(code: UInt16, message: String)
    /// It speaks something else.
    case foreign

    private static let tlsCapability: UInt16 = 0x0800
    /// No server's greeting is longer.
    private static let limit = 4096

    /// Nil: more bytes are needed.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 5 else {
            // The sequence number of a first packet is 0.
            if bytes.count == 4, bytes[3] != 0 { self = .foreign; return }
            return nil
        }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        guard bytes[3] == 0, length <= Self.limit, bytes[4] == 10 || bytes[4] == 0xFF else {
            self = .foreign
            return
        }
        guard bytes.count >= 4 + length else { return nil }
        let payload = Array(bytes[4..<(4 + length)])
        self = (payload.first == 0xFF ? Self.refusal(payload) : Self.handshake(payload)) ?? .foreign
    }

    private static func handshake(_ payload: [UInt8]) -> ServerGreeting? {
        guard let end = payload.firstIndex(of: 0) else { return nil }
        // Connection id (4), half of the nonce (8), a zero, then the lower capabilities.
        let place = end + 1 + 4 + 8 + 1
        guard payload.count >= place + 2 else { return nil }
        var version = String(decoding: payload[1..<end], as: UTF8.self)
        // MariaDB up to 10.x puts this before its own, for old replicas.
        if version.hasPrefix("5.5.5-") { version.removeFirst(6) }
        let capabilities = UInt16(payload[place]) | UInt16(payload[place + 1]) << 8
        return .handshake(version: printable(version), offersTLS: capabilities & tlsCapability != 0)
    }

    private static func refusal(_ payload: [UInt8]) -> ServerGreeting? {
        guard payload.count >= 3 else { return nil }
        var text = payload[3...]
        if text.first == 0x23 { text = text.dropFirst(6) }  // '#' and the SQL state
        return .refusal(code: UInt16(payload[1]) | UInt16(payload[2]) << 8, message: printable(String(decoding: text, as: UTF8.self)))
    }

    /// A stranger's text goes to a terminal.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }

    /// Asks for TLS: Protocol::SSLRequest, sequence number 1.
    static let tlsRequest: [UInt8] = {
        // PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH; 16 MB; utf8mb4.
        let capabilities: UInt32 = 0x0200 | 0x0800 | 0x8000 | 0x8_0000
        let fields = [capabilities, 1 << 24].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        return [32, 0, 0, 1] + fields + [45] + [UInt8](repeating: 0, count: 23)
    }()
}
