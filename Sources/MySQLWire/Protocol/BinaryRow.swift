import MySQLTypes
import NIOCore

extension MySQLRow {
    /// One row of the binary protocol, its values turned into what the text protocol sends. FLOAT and DOUBLE come out as the
    /// shortest text that reads back as the same number (the text protocol rounds FLOAT to six digits).
    /// Source: MySQL source documentation, "Binary Protocol Resultset Row".
    init(decodingBinary bytes: ByteBuffer, columns: [MySQLColumn]) throws(MySQLError) {
        var bytes = bytes
        guard bytes.readInteger(as: UInt8.self) == 0,
            let nulls = bytes.readBytes(length: (columns.count + 9) / 8)
        else { throw .malformed("a binary row") }
        var values: [[UInt8]?] = []
        values.reserveCapacity(columns.count)
        for (index, column) in columns.enumerated() {
            let bit = index + 2
            if nulls[bit / 8] & (1 << UInt8(bit % 8)) != 0 {
                values.append(nil)
                continue
            }
            guard let value = BinaryValue.read(column, &bytes) else { throw .malformed("a binary row") }
            values.append(value)
        }
        guard bytes.readableBytes == 0 else { throw .malformed("a binary row") }
        self.init(values: values)
    }
}

private enum BinaryValue {
    private static let unsignedFlag: UInt16 = 0x20
    private static let zeroFillFlag: UInt16 = 0x40

    static func read(_ column: MySQLColumn, _ bytes: inout ByteBuffer) -> [UInt8]? {
        switch column.type {
        case .tiny, .bool: integer(column, &bytes, width: 1)
        case .short: integer(column, &bytes, width: 2)
        case .long, .int24: integer(column, &bytes, width: 4)
        case .longlong: integer(column, &bytes, width: 8)
        case .year: bytes.readLittleEndian(2).map { padded(Int($0), 4) }
        case .float: bytes.readLittleEndian(4).map { text(Float(bitPattern: UInt32($0)).description) }
        case .double: bytes.readLittleEndian(8).map { text(Double(bitPattern: $0).description) }
        case .date, .newdate: date(&bytes)
        case .datetime, .timestamp, .datetime2, .timestamp2: dateTime(&bytes, decimals: column.decimals)
        case .time, .time2: time(&bytes, decimals: column.decimals)
        case .null: []
        case .decimal, .newdecimal, .varchar, .bit, .typedArray, .vector, .json, .enumeration, .set, .tinyBlob,
            .mediumBlob, .longBlob, .blob, .varString, .string, .geometry, .blobCompressed, .varcharCompressed:
            bytes.readLengthEncodedBytes()
        case .invalid: nil
        }
    }

    private static func integer(_ column: MySQLColumn, _ bytes: inout ByteBuffer, width: Int) -> [UInt8]? {
        guard let raw = bytes.readLittleEndian(width) else { return nil }
        if column.flags & unsignedFlag != 0 {
            let digits = String(raw)
            let fill = column.flags & zeroFillFlag != 0 ? max(0, Int(column.length) - digits.utf8.count) : 0
            return Array(repeating: UInt8(ascii: "0"), count: min(fill, 255)) + digits.utf8
        }
        let shift = UInt64(64 - 8 * width)
        return Array(String(Int64(bitPattern: raw << shift) >> Int64(shift)).utf8)
    }

    /// The shortest digits, in the server's form: with an exponent (and no plus sign) where the point would stand more than
    /// 15 places to the right, or 15 and more to the left, of the first digit.
    private static func text(_ description: String) -> [UInt8] {
        let isNegative = description.hasPrefix("-")
        let parts = description.drop { $0 == "-" }.split(separator: "e")
        guard let mantissa = parts.first, mantissa.first?.isNumber == true else { return Array(description.utf8) }
        var digits = mantissa.utf8.filter { $0 != UInt8(ascii: ".") }
        let whole = mantissa.utf8.firstIndex(of: UInt8(ascii: ".")).map {
            mantissa.utf8.distance(from: mantissa.startIndex, to: $0)
        }
        // The value is 0.DIGITS times ten to the power of `point`.
        var point = (whole ?? digits.count) + (parts.count == 2 ? Int(parts[1]) ?? 0 : 0)
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(zeros)
        point -= zeros
        let sign: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        guard !digits.isEmpty else { return sign + [UInt8(ascii: "0")] }
        func zero(_ count: Int) -> [UInt8] { Array(repeating: UInt8(ascii: "0"), count: count) }
        let dot = [UInt8(ascii: ".")]
        switch point {
        case -14...0: return sign + zero(1) + dot + zero(-point) + digits
        case 1...15 where digits.count <= point: return sign + digits + zero(point - digits.count)
        case 1...15: return sign + digits.prefix(point) + dot + digits.dropFirst(point)
        default:
            let tail = digits.count > 1 ? dot + digits.dropFirst() : []
            return sign + digits.prefix(1) + tail + Array("e\(point - 1)".utf8)
        }
    }

    private static func padded(_ value: Int, _ width: Int) -> [UInt8] {
        let digits = Array(String(value).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits
    }

    private static func dateText(_ year: UInt16, _ month: UInt8, _ day: UInt8) -> [UInt8] {
        padded(Int(year), 4) + [UInt8(ascii: "-")] + padded(Int(month), 2) + [UInt8(ascii: "-")] + padded(Int(day), 2)
    }

    private static func clockText(_ hour: Int, _ minute: UInt8, _ second: UInt8) -> [UInt8] {
        padded(hour, 2) + [UInt8(ascii: ":")] + padded(Int(minute), 2) + [UInt8(ascii: ":")] + padded(Int(second), 2)
    }

    /// The column's digits of a number of microseconds; 31 (not specified) shows six where there are any.
    private static func fraction(_ microseconds: UInt32, _ decimals: UInt8) -> [UInt8] {
        let digits = decimals <= 6 ? Int(decimals) : (microseconds == 0 ? 0 : 6)
        guard digits > 0 else { return [] }
        return [UInt8(ascii: ".")] + padded(Int(microseconds), 6).prefix(digits)
    }

    private static func readDate(_ bytes: inout ByteBuffer) -> (UInt16, UInt8, UInt8)? {
        guard let year = bytes.readInteger(endianness: .little, as: UInt16.self),
            let month = bytes.readInteger(as: UInt8.self), let day = bytes.readInteger(as: UInt8.self)
        else { return nil }
        return (year, month, day)
    }

    private static func date(_ bytes: inout ByteBuffer) -> [UInt8]? {
        guard let length = bytes.readInteger(as: UInt8.self), var body = bytes.readSlice(length: Int(length)) else {
            return nil
        }
        guard length > 0 else { return dateText(0, 0, 0) }
        guard [4, 7, 11].contains(length), let (year, month, day) = readDate(&body) else { return nil }
        return dateText(year, month, day)
    }

    private static func dateTime(_ bytes: inout ByteBuffer, decimals: UInt8) -> [UInt8]? {
        guard let length = bytes.readInteger(as: UInt8.self), var body = bytes.readSlice(length: Int(length)),
            [0, 4, 7, 11].contains(length)
        else { return nil }
        var day: [UInt8] = dateText(0, 0, 0)
        var clock: [UInt8] = clockText(0, 0, 0)
        var microseconds: UInt32 = 0
        if length >= 4 {
            guard let read = readDate(&body) else { return nil }
            day = dateText(read.0, read.1, read.2)
        }
        if length >= 7 {
            guard let read = body.readMultipleIntegers(as: (UInt8, UInt8, UInt8).self) else { return nil }
            clock = clockText(Int(read.0), read.1, read.2)
        }
        if length == 11 {
            guard let read = body.readInteger(endianness: .little, as: UInt32.self) else { return nil }
            microseconds = read
        }
        return day + [UInt8(ascii: " ")] + clock + fraction(microseconds, decimals)
    }

    private static func time(_ bytes: inout ByteBuffer, decimals: UInt8) -> [UInt8]? {
        guard let length = bytes.readInteger(as: UInt8.self), var body = bytes.readSlice(length: Int(length)),
            [0, 8, 12].contains(length)
        else { return nil }
        guard length > 0 else { return clockText(0, 0, 0) + fraction(0, decimals) }
        guard let negative = body.readInteger(as: UInt8.self),
            let days = body.readInteger(endianness: .little, as: UInt32.self), days < 1 << 16,
            let (hour, minute, second) = body.readMultipleIntegers(as: (UInt8, UInt8, UInt8).self)
        else { return nil }
        let microseconds = length == 12 ? body.readInteger(endianness: .little, as: UInt32.self) ?? 0 : 0
        let sign: [UInt8] = negative == 0 ? [] : [UInt8(ascii: "-")]
        return sign + clockText(Int(days) * 24 + Int(hour), minute, second) + fraction(microseconds, decimals)
    }
}
