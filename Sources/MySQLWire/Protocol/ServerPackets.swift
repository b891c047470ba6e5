import MySQLTypes
import NIOCore

extension MySQLError {
    static func malformed(_ what: String) -> MySQLError {
        MySQLError(
            .protocolViolation, "The server sent \(what) that is not valid in the MySQL protocol.",
            cure: "Check that the address is a MySQL server and that nothing in between changes the bytes.")
    }
}

extension MySQLOK {
    /// Decodes an OK packet (header 0x00, or 0xFE at the end of a result).
    /// Source: MySQL source documentation, "OK_Packet".
    init(decoding packet: ByteBuffer) throws(MySQLError) {
        var packet = packet
        packet.moveReaderIndex(forwardBy: min(1, packet.readableBytes))
        guard let affected = packet.readLengthEncodedInteger(), let identifier = packet.readLengthEncodedInteger(),
            let status = packet.readInteger(endianness: .little, as: UInt16.self),
            let warnings = packet.readInteger(endianness: .little, as: UInt16.self)
        else { throw .malformed("an OK packet") }
        // The manual says "rest of packet"; the servers send a length first.
        var text = packet
        let info: String
        if let counted = text.readLengthEncodedString() {
            info = counted
        } else {
            info = packet.readString(length: packet.readableBytes) ?? ""
        }
        self.init(
            affectedRows: affected, lastInsertID: identifier, statusFlags: status, warnings: warnings, info: info)
    }

    /// Decodes what ends columns or rows: an EOF packet, or with CLIENT_DEPRECATE_EOF an OK packet, both under 0xFE.
    init(decodingEnd packet: ByteBuffer, deprecateEOF: Bool) throws(MySQLError) {
        if deprecateEOF {
            try self.init(decoding: packet)
            return
        }
        var packet = packet
        guard packet.readInteger(as: UInt8.self) == 0xFE,
            let warnings = packet.readInteger(endianness: .little, as: UInt16.self),
            let status = packet.readInteger(endianness: .little, as: UInt16.self), packet.readableBytes == 0
        else { throw .malformed("an EOF packet") }
        self.init(affectedRows: 0, lastInsertID: 0, statusFlags: status, warnings: warnings, info: "")
    }
}

extension MySQLError {
    /// Decodes an ERR packet (header 0xFF).
    /// Source: MySQL source documentation, "ERR_Packet". Before authentication some servers leave the SQLSTATE out.
    init(decodingServerError packet: ByteBuffer) {
        var packet = packet
        packet.moveReaderIndex(forwardBy: min(1, packet.readableBytes))
        guard let code = packet.readInteger(endianness: .little, as: UInt16.self) else {
            self = .malformed("an ERR packet")
            return
        }
        var state: String?
        if packet.readableBytes >= 6, packet.getInteger(at: packet.readerIndex, as: UInt8.self) == UInt8(ascii: "#") {
            packet.moveReaderIndex(forwardBy: 1)
            state = packet.readString(length: 5)
        }
        let text = packet.readString(length: packet.readableBytes) ?? ""
        let shown = state.map { " (\($0))" } ?? ""
        self.init(.server, "Server error \(code)\(shown): \(text)", serverCode: code, sqlState: state)
    }
}

extension MySQLColumn {
    /// Source: MySQL source documentation, "Column Definition", protocol 4.1.
    init(decoding packet: ByteBuffer) throws(MySQLError) {
        var packet = packet
        guard packet.readLengthEncodedBytes() != nil,
            let schema = packet.readLengthEncodedString(), let table = packet.readLengthEncodedString(),
            packet.readLengthEncodedBytes() != nil,
            let name = packet.readLengthEncodedString(), let originalName = packet.readLengthEncodedString(),
            packet.readLengthEncodedInteger() != nil,
            let collation = packet.readInteger(endianness: .little, as: UInt16.self),
            let length = packet.readInteger(endianness: .little, as: UInt32.self),
            let code = packet.readInteger(as: UInt8.self),
            let flags = packet.readInteger(endianness: .little, as: UInt16.self),
            let decimals = packet.readInteger(as: UInt8.self)
        else { throw .malformed("a column definition") }
        guard let type = MySQLFieldType(rawValue: code) else {
            throw MySQLError(.protocolViolation, "Column \(name) has the type code \(code), which is not known here.")
        }
        self.init(
            schema: schema, table: table, name: name, originalName: originalName, collationID: collation, type: type,
            flags: flags, length: length, decimals: decimals)
    }
}
