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
    package mutating func appendQuoted(_ value: some Collection<UInt8>, introducer: String) {
        bytes.writeString(introducer)
        bytes.writeInteger(UInt8(ascii: "'"))
        if value.withContiguousStorageIfAvailable({ Self.append(UnsafeRawBufferPointer($0), to: &bytes) }) == nil {
            Array(value).withUnsafeBytes { Self.append($0, to: &bytes) }
        }
        bytes.writeInteger(UInt8(ascii: "'"))
    }

    /// Values from this size on are counted first, so that the buffer grows once and to what it needs.
    private static let countedSize = 1 << 16

    // Unsafe: a bounds-checked index costs several times the byte itself in these loops, as in the load's `RowTranscoder`.
    private static func append(_ value: UnsafeRawBufferPointer, to bytes: inout ByteBuffer) {
        var escapes = 0
        if value.count >= countedSize {
            for byte in value where escape(byte) != nil { escapes += 1 }
        }
        bytes.reserveCapacity(minimumWritableBytes: value.count + escapes + 2)
        var start = 0
        for index in 0..<value.count {
            guard let escaped = escape(value[index]) else { continue }
            if start < index { bytes.writeBytes(UnsafeRawBufferPointer(rebasing: value[start..<index])) }
            bytes.writeInteger(UInt8(ascii: "\\"))
            bytes.writeInteger(escaped)
            start = index + 1
        }
        if start < value.count { bytes.writeBytes(UnsafeRawBufferPointer(rebasing: value[start...])) }
    }

    @inline(__always)
    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0: UInt8(ascii: "0")
        case UInt8(ascii: "'"): UInt8(ascii: "'")
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        // Control-Z ends a file on Windows clients; escaped as the server's own dump tools do.
        case 0x1A: UInt8(ascii: "Z")
        default: nil
        }
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
