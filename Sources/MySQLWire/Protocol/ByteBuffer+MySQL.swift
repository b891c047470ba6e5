import NIOCore

extension ByteBuffer {
    /// Reads a length-encoded integer; nil where the bytes end early or stand for NULL (0xFB) or an error (0xFF).
    /// Source: MySQL source documentation, "Protocol::LengthEncodedInteger".
    mutating func readLengthEncodedInteger() -> UInt64? {
        guard let first = getInteger(at: readerIndex, as: UInt8.self) else { return nil }
        let width: Int
        switch first {
        case 0..<0xFB:
            moveReaderIndex(forwardBy: 1)
            return UInt64(first)
        case 0xFC: width = 2
        case 0xFD: width = 3
        case 0xFE: width = 8
        default: return nil
        }
        guard readableBytes >= 1 + width else { return nil }
        moveReaderIndex(forwardBy: 1)
        return readLittleEndian(width)
    }

    /// Reads `width` (1 ... 8) bytes as a little-endian number.
    mutating func readLittleEndian(_ width: Int) -> UInt64? {
        guard readableBytes >= width else { return nil }
        var value: UInt64 = 0
        for index in 0..<width {
            guard let byte = readInteger(as: UInt8.self) else { return nil }
            value |= UInt64(byte) << UInt64(8 * index)
        }
        return value
    }

    mutating func readLengthEncodedBytes() -> [UInt8]? {
        guard let length = readLengthEncodedInteger(), length <= UInt64(readableBytes) else { return nil }
        return readBytes(length: Int(length))
    }

    mutating func readLengthEncodedString() -> String? {
        guard let length = readLengthEncodedInteger(), length <= UInt64(readableBytes) else { return nil }
        return readString(length: Int(length))
    }

    /// Reads up to a NUL, which is consumed; nil without one.
    mutating func readNullTerminatedBytes() -> [UInt8]? {
        guard let end = readableBytesView.firstIndex(of: 0) else { return nil }
        let bytes = readBytes(length: end - readerIndex)
        moveReaderIndex(forwardBy: 1)
        return bytes
    }

    mutating func readRest() -> [UInt8] { readBytes(length: readableBytes) ?? [] }

    mutating func writeLengthEncodedInteger(_ value: UInt64) {
        switch value {
        case 0..<0xFB:
            writeInteger(UInt8(value))
        case 0xFB..<0x1_0000:
            writeInteger(0xFC, as: UInt8.self)
            writeInteger(UInt16(value), endianness: .little)
        case 0x1_0000..<0x100_0000:
            writeInteger(0xFD, as: UInt8.self)
            writeInteger(UInt16(truncatingIfNeeded: value), endianness: .little)
            writeInteger(UInt8(value >> 16))
        default:
            writeInteger(0xFE, as: UInt8.self)
            writeInteger(value, endianness: .little)
        }
    }

    mutating func writeLengthEncoded(_ bytes: some Collection<UInt8>) {
        writeLengthEncodedInteger(UInt64(bytes.count))
        writeBytes(bytes)
    }
}
