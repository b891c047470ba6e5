import NIOCore

/// The first packet of a server.
/// Source: MySQL source documentation, "Protocol::HandshakeV10".
struct InitialHandshake: Sendable, Hashable {
    /// With MariaDB's compatibility prefix `5.5.5-` taken off.
    var version: String
    var connectionID: UInt32
    var capabilities: Capabilities
    var authentication: AuthenticationPlugin
    /// 20 bytes.
    var nonce: [UInt8]
    var isMariaDB: Bool

    init(decoding packet: ByteBuffer) throws(MySQLError) {
        var packet = packet
        let first = packet.getInteger(at: packet.readerIndex, as: UInt8.self)
        if first == 0xFF { throw MySQLError(decodingServerError: packet) }
        guard first == 10 else {
            throw MySQLError(
                .protocolViolation, "The server does not speak the MySQL protocol version 10.",
                cure: "Check host and port: they must be those of the classic MySQL protocol (usually 3306).")
        }
        packet.moveReaderIndex(forwardBy: 1)
        guard let version = packet.readNullTerminatedBytes(),
            let connectionID = packet.readInteger(endianness: .little, as: UInt32.self),
            let nonceHead = packet.readBytes(length: 8), packet.readInteger(as: UInt8.self) != nil,
            let low = packet.readInteger(endianness: .little, as: UInt16.self)
        else { throw .malformed("a handshake") }
        guard packet.readableBytes > 0 else { throw Self.tooOld }
        guard packet.readBytes(length: 3) != nil,
            let high = packet.readInteger(endianness: .little, as: UInt16.self),
            let nonceLength = packet.readInteger(as: UInt8.self), packet.readBytes(length: 10) != nil
        else { throw .malformed("a handshake") }
        capabilities = Capabilities(rawValue: UInt32(low) | UInt32(high) << 16)
        guard capabilities.isSuperset(of: .needed) else { throw Self.tooOld }
        let rest = max(13, Int(nonceLength) - 8)
        guard let nonceTail = packet.readBytes(length: min(rest, packet.readableBytes)), nonceTail.count >= 12 else {
            throw .malformed("a handshake")
        }
        nonce = nonceHead + nonceTail.prefix(12)
        // Early servers forgot the NUL at the end of the name.
        let name = packet.readNullTerminatedBytes() ?? packet.readRest()
        authentication = AuthenticationPlugin(name: String(decoding: name, as: UTF8.self))
        self.connectionID = connectionID
        let text = String(decoding: version, as: UTF8.self)
        isMariaDB = text.contains("MariaDB") || !capabilities.contains(.longPassword)
        self.version = text.hasPrefix("5.5.5-") && isMariaDB ? String(text.dropFirst(6)) : text
    }

    private static var tooOld: MySQLError {
        MySQLError(
            .protocolViolation, "The server is too old: it lacks protocol 4.1 with authentication plugins.",
            cure: "MySQL 5.7 or MariaDB 10.4 and later are supported.")
    }
}

/// What the client answers.
/// Source: MySQL source documentation, "Protocol::HandshakeResponse41" and "Protocol::SSLRequest".
struct HandshakeResponse {
    var capabilities: Capabilities
    var username: String
    var authenticationData: [UInt8]
    var authentication: AuthenticationPlugin
    var database: String?
    var attributes: [(String, String)]

    /// utf8mb4_general_ci: the one utf8mb4 collation that every supported server knows.
    static let collation: UInt8 = 45

    /// The part that SSLRequest and the full response have in common.
    static func prefix(_ capabilities: Capabilities) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(capabilities.rawValue, endianness: .little)
        buffer.writeInteger(UInt32(1 << 30), endianness: .little)
        buffer.writeInteger(collation)
        buffer.writeRepeatingByte(0, count: 23)
        return buffer
    }

    func encoded() -> ByteBuffer {
        var buffer = Self.prefix(capabilities)
        buffer.writeString(username)
        buffer.writeInteger(0, as: UInt8.self)
        if capabilities.contains(.pluginAuthLengthEncoded) {
            buffer.writeLengthEncoded(authenticationData)
        } else {
            buffer.writeInteger(UInt8(truncatingIfNeeded: authenticationData.count))
            buffer.writeBytes(authenticationData)
        }
        if capabilities.contains(.connectWithDatabase), let database {
            buffer.writeString(database)
            buffer.writeInteger(0, as: UInt8.self)
        }
        buffer.writeString(authentication.name)
        buffer.writeInteger(0, as: UInt8.self)
        if capabilities.contains(.connectAttributes) {
            var block = ByteBuffer()
            for (key, value) in attributes {
                block.writeLengthEncoded(key.utf8)
                block.writeLengthEncoded(value.utf8)
            }
            buffer.writeLengthEncodedInteger(UInt64(block.readableBytes))
            buffer.writeBuffer(&block)
        }
        return buffer
    }
}
