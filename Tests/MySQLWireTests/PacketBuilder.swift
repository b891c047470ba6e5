import NIOCore

@testable import MySQLWire

/// Server-side packets for dialogues with the state machines and for the scripted peer.
enum PacketBuilder {
    static let nonce = Array(UInt8(1)...20)

    static func handshake(
        version: String = "9.1.0", capabilities: Capabilities = [.wanted, .ssl],
        plugin: String = "caching_sha2_password"
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(10, as: UInt8.self)
        buffer.writeString(version)
        buffer.writeInteger(0, as: UInt8.self)
        buffer.writeInteger(42, endianness: .little, as: UInt32.self)
        buffer.writeBytes(nonce.prefix(8))
        buffer.writeInteger(0, as: UInt8.self)
        buffer.writeInteger(UInt16(truncatingIfNeeded: capabilities.rawValue), endianness: .little)
        buffer.writeInteger(255, as: UInt8.self)
        buffer.writeInteger(2, endianness: .little, as: UInt16.self)
        buffer.writeInteger(UInt16(truncatingIfNeeded: capabilities.rawValue >> 16), endianness: .little)
        buffer.writeInteger(21, as: UInt8.self)
        buffer.writeRepeatingByte(0, count: 10)
        buffer.writeBytes(nonce.suffix(12))
        buffer.writeInteger(0, as: UInt8.self)
        buffer.writeString(plugin)
        buffer.writeInteger(0, as: UInt8.self)
        return buffer
    }

    static func ok(header: UInt8 = 0, affected: UInt8 = 0, status: UInt16 = 2) -> ByteBuffer {
        ByteBuffer(bytes: [header, affected, 0, UInt8(truncatingIfNeeded: status), UInt8(status >> 8), 0, 0])
    }

    static func eof(status: UInt16 = 2) -> ByteBuffer {
        ByteBuffer(bytes: [0xFE, 0, 0, UInt8(truncatingIfNeeded: status), UInt8(status >> 8)])
    }

    static func error(_ code: UInt16 = 1064, state: String = "42000", _ text: String = "wrong") -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0xFF, as: UInt8.self)
        buffer.writeInteger(code, endianness: .little)
        buffer.writeString("#\(state)\(text)")
        return buffer
    }

    static func column(_ name: String, type: UInt8 = 253) -> ByteBuffer {
        var buffer = ByteBuffer()
        for text in ["def", "s", "t", "t", name, name] { buffer.writeLengthEncoded(text.utf8) }
        buffer.writeInteger(0x0C, as: UInt8.self)
        buffer.writeInteger(255, endianness: .little, as: UInt16.self)
        buffer.writeInteger(100, endianness: .little, as: UInt32.self)
        buffer.writeInteger(type)
        buffer.writeInteger(0, endianness: .little, as: UInt16.self)
        buffer.writeInteger(0, as: UInt8.self)
        buffer.writeInteger(0, as: UInt16.self)
        return buffer
    }

    static func row(_ values: [String?]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for value in values {
            if let value { buffer.writeLengthEncoded(value.utf8) } else { buffer.writeInteger(0xFB, as: UInt8.self) }
        }
        return buffer
    }

    static func bytes(_ bytes: UInt8...) -> ByteBuffer { ByteBuffer(bytes: bytes) }
}

/// A reproducible source of chance.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
