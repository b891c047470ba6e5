import MySQLTypes
import NIOCore

/// A statement being written: bytes, not text, since values are in their columns' own character sets.
package struct SQLBuffer: Sendable {
    package private(set) var bytes: ByteBuffer

    package init(reserving capacity: Int = 4096) {
        bytes = ByteBufferAllocator().buffer(capacity: capacity + 1)
        // COM_QUERY's byte, before what is read: the connection then sends the statement without copying it.
        bytes.writeInteger(UInt8(0x03))
        bytes.moveReaderIndex(forwardBy: 1)
    }

    package var count: Int { bytes.readableBytes }

    package mutating func append(_ text: String) { bytes.writeString(text) }

    package mutating func append(_ other: ByteBuffer) { bytes.writeImmutableBuffer(other) }

    /// `_binary'…'` with every byte that ends or escapes a literal escaped. The client character set of the session is
    /// utf8mb4, whose continuation bytes are never quotes or backslashes, so any bytes may stand inside.
    package mutating func appendQuoted(_ value: [UInt8], introducer: String) {
        bytes.writeString(introducer)
        bytes.writeInteger(UInt8(ascii: "'"))
        bytes.reserveCapacity(minimumWritableBytes: value.count + 2)
        var start = 0
        for index in value.indices {
            let escape: UInt8
            switch value[index] {
            case 0: escape = UInt8(ascii: "0")
            case UInt8(ascii: "'"): escape = UInt8(ascii: "'")
            case UInt8(ascii: "\\"): escape = UInt8(ascii: "\\")
            // Control-Z ends a file on Windows clients; escaped as the server's own dump tools do.
            case 0x1A: escape = UInt8(ascii: "Z")
            default: continue
            }
            if start < index { bytes.writeBytes(value[start..<index]) }
            bytes.writeInteger(UInt8(ascii: "\\"))
            bytes.writeInteger(escape)
            start = index + 1
        }
        if start == 0 {
            bytes.writeBytes(value)
        } else if start < value.count {
            bytes.writeBytes(value[start...])
        }
        bytes.writeInteger(UInt8(ascii: "'"))
    }

    /// `0x6162`, or `''` for no bytes.
    package mutating func appendHex(_ value: [UInt8]) {
        guard !value.isEmpty else {
            append("''")
            return
        }
        append("0x")
        for byte in value {
            bytes.writeInteger(Self.digits[Int(byte >> 4)])
            bytes.writeInteger(Self.digits[Int(byte & 15)])
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
