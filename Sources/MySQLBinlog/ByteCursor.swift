/// Reads little-endian fields from a part of a byte array; every length is checked before it is used.
struct ByteCursor {
    let bytes: [UInt8]
    var position: Int
    let end: Int
    /// Added to `position` in error messages: where `bytes` starts in the file or stream.
    let base: UInt64

    init(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil, base: UInt64 = 0) {
        self.bytes = bytes
        self.end = min(max(end ?? bytes.count, 0), bytes.count)
        self.position = min(max(start, 0), self.end)
        self.base = base
    }

    var remaining: Int { end - position }
    var isAtEnd: Bool { position >= end }
    var offset: UInt64 { base &+ UInt64(position) }

    func failure(_ reason: String) -> BinlogError { BinlogError(offset: offset, reason: reason) }

    func require(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) {
        guard count >= 0, count <= end - position else {
            throw failure("truncated: \(what()) takes \(count) bytes, \(remaining) are left")
        }
    }

    mutating func u8(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt8 {
        try require(1, what())
        defer { position += 1 }
        return bytes[position]
    }

    /// Little-endian unsigned of 1 ... 8 bytes.
    mutating func uint(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) -> UInt64 {
        try require(count, what())
        var value: UInt64 = 0
        for place in 0..<count { value |= UInt64(bytes[position + place]) << UInt64(8 * place) }
        position += count
        return value
    }

    mutating func u16(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt16 { UInt16(try uint(2, what())) }
    mutating func u32(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt32 { UInt32(try uint(4, what())) }
    mutating func u64(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt64 { try uint(8, what()) }

    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) {
        try require(count, what())
        position += count
    }

    mutating func range(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) -> Range<Int> {
        try require(count, what())
        defer { position += count }
        return position..<(position + count)
    }

    mutating func take(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) -> [UInt8] {
        Array(bytes[try range(count, what())])
    }

    /// Text that the server writes in UTF-8 (names); invalid bytes are an error, not replaced.
    mutating func text(_ count: Int, _ what: @autoclosure () -> String) throws(BinlogError) -> String {
        let start = position
        let range = try range(count, what())
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw BinlogError(offset: base &+ UInt64(start), reason: "\(what()) is not UTF-8")
        }
        return text
    }

    mutating func zero(_ what: @autoclosure () -> String) throws(BinlogError) {
        guard try u8(what()) == 0 else { throw failure("\(what()) is not ended by a zero byte") }
    }

    /// Length-encoded integer. Source: MySQL source documentation, "Integer Types".
    mutating func lengthEncoded(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt64 {
        let first = try u8(what())
        switch first {
        case 0..<251: return UInt64(first)
        case 252: return try uint(2, what())
        case 253: return try uint(3, what())
        case 254: return try uint(8, what())
        default: throw failure("\(what()): \(first) starts no length-encoded number")
        }
    }

    /// A length-encoded number that counts bytes still to come: never greater than what is left.
    mutating func length(_ what: @autoclosure () -> String) throws(BinlogError) -> Int {
        let value = try lengthEncoded(what())
        guard value <= UInt64(remaining) else {
            throw failure("truncated: \(what()) takes \(value) bytes, \(remaining) are left")
        }
        return Int(value)
    }

    /// Variable-length unsigned of `mysql::serialization`: the number of trailing one bits of the first byte is the
    /// number of bytes that follow. Source: MySQL source documentation, "mysql::serialization".
    mutating func varint(_ what: @autoclosure () -> String) throws(BinlogError) -> UInt64 {
        let first = try u8(what())
        let extra = (~first).trailingZeroBitCount
        if extra == 0 { return UInt64(first >> 1) }
        if extra >= 8 { return try uint(8, what()) }
        let rest = try uint(extra, what())
        let low = extra == 7 ? 0 : UInt64(first >> UInt8(extra + 1))
        return low | rest << UInt64(7 - extra)
    }

    /// Signed form: magnitude (ones' complement for negatives) shifted left, the sign in the lowest bit.
    mutating func signedVarint(_ what: @autoclosure () -> String) throws(BinlogError) -> Int64 {
        let value = try varint(what())
        let magnitude = Int64(bitPattern: value >> 1)
        return value & 1 == 0 ? magnitude : ~magnitude
    }

    /// Bit `index` of a bitmap that starts at `start` of `bytes` (lowest bit first). The caller has checked its length.
    static func bit(_ index: Int, of bytes: [UInt8], at start: Int) -> Bool {
        bytes[start + index >> 3] >> UInt8(index & 7) & 1 == 1
    }
}
