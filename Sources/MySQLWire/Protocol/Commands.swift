import MySQLTypes
import NIOCore

/// Payloads of the commands a client sends.
/// Source: MySQL source documentation, "Command Phase".
enum Command {
    static let quit = ByteBuffer(bytes: [0x01])

    static func query(_ sql: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(1 + sql.utf8.count)
        buffer.writeInteger(0x03, as: UInt8.self)
        buffer.writeString(sql)
        return buffer
    }

    /// A caller that leaves the command's byte before the statement's first saves the copy of a statement that may be as
    /// large as a row: whatever stands there, if it is that byte, the buffer is the packet's payload already.
    static func query(_ sql: ByteBuffer) -> ByteBuffer {
        if sql.readerIndex > 0 {
            var whole = sql
            // Moved before it is looked at: what stands before the reader index cannot be read.
            whole.moveReaderIndex(to: sql.readerIndex - 1)
            if whole.getInteger(at: whole.readerIndex, as: UInt8.self) == 0x03 { return whole }
        }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(1 + sql.readableBytes)
        buffer.writeInteger(0x03, as: UInt8.self)
        buffer.writeImmutableBuffer(sql)
        return buffer
    }

    static func prepare(_ sql: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x16, as: UInt8.self)
        buffer.writeString(sql)
        return buffer
    }

    static func closeStatement(_ identifier: UInt32) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x19, as: UInt8.self)
        buffer.writeInteger(identifier, endianness: .little)
        return buffer
    }

    static func execute(_ identifier: UInt32, _ parameters: [MySQLParameter]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x17, as: UInt8.self)
        buffer.writeInteger(identifier, endianness: .little)
        buffer.writeInteger(0, as: UInt8.self)
        buffer.writeInteger(1, endianness: .little, as: UInt32.self)
        guard !parameters.isEmpty else { return buffer }
        var nulls = [UInt8](repeating: 0, count: (parameters.count + 7) / 8)
        for (index, parameter) in parameters.enumerated() where parameter == .null {
            nulls[index / 8] |= 1 << UInt8(index % 8)
        }
        buffer.writeBytes(nulls)
        buffer.writeInteger(1, as: UInt8.self)
        for parameter in parameters { buffer.writeBytes(parameter.typeBytes) }
        for parameter in parameters { parameter.write(to: &buffer) }
        return buffer
    }

    /// COM_REGISTER_SLAVE with no host, user and password: the server only shows them.
    static func registerReplica(serverID: UInt32) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x15, as: UInt8.self)
        buffer.writeInteger(serverID, endianness: .little)
        buffer.writeRepeatingByte(0, count: 3 + 2 + 4 + 4)
        return buffer
    }

    private static let dumpNonBlocking: UInt16 = 0x01
    private static let dumpThroughGTID: UInt16 = 0x04

    /// COM_BINLOG_DUMP; the offset must fit into 32 bits.
    static func dump(file: String, offset: UInt32, serverID: UInt32, nonBlocking: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x12, as: UInt8.self)
        buffer.writeInteger(offset, endianness: .little)
        buffer.writeInteger(nonBlocking ? dumpNonBlocking : 0, endianness: .little)
        buffer.writeInteger(serverID, endianness: .little)
        buffer.writeString(file)
        return buffer
    }

    /// COM_BINLOG_DUMP_GTID with the set's encoded form.
    static func dump(executed: [UInt8], serverID: UInt32, nonBlocking: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x1E, as: UInt8.self)
        buffer.writeInteger(dumpThroughGTID | (nonBlocking ? dumpNonBlocking : 0), endianness: .little)
        buffer.writeInteger(serverID, endianness: .little)
        buffer.writeInteger(0, as: UInt32.self)
        buffer.writeInteger(4, endianness: .little, as: UInt64.self)
        buffer.writeInteger(UInt32(executed.count), endianness: .little)
        buffer.writeBytes(executed)
        return buffer
    }
}

extension MySQLParameter {
    /// Field type and unsigned flag.
    fileprivate var typeBytes: [UInt8] {
        switch self {
        case .null: [MySQLFieldType.null.rawValue, 0]
        case .int: [MySQLFieldType.longlong.rawValue, 0]
        case .uint: [MySQLFieldType.longlong.rawValue, 0x80]
        case .double: [MySQLFieldType.double.rawValue, 0]
        case .string: [MySQLFieldType.varString.rawValue, 0]
        case .bytes: [MySQLFieldType.blob.rawValue, 0]
        }
    }

    fileprivate func write(to buffer: inout ByteBuffer) {
        switch self {
        case .null: break
        case .int(let value): buffer.writeInteger(value, endianness: .little)
        case .uint(let value): buffer.writeInteger(value, endianness: .little)
        case .double(let value): buffer.writeInteger(value.bitPattern, endianness: .little)
        case .string(let value): buffer.writeLengthEncoded(value.utf8)
        case .bytes(let value): buffer.writeLengthEncoded(value)
        }
    }
}

/// What a statement is called in messages: its first two words, never its data.
func statementLabel(_ sql: some Sequence<UInt8>, count: Int) -> String {
    var words: [String] = []
    var word: [UInt8] = []
    reading: for byte in sql.prefix(64) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            word.append(byte)
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            word = []
            if words.count == 2 { break reading }
        default:
            // A word that goes on with anything else may be part of a value.
            word = []
            break reading
        }
    }
    if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
    return "\(words.isEmpty ? "a statement" : words.joined(separator: " ") + " …") (\(count) bytes)"
}
