import MySQLTypes

extension RowImage {
    /// The value of column `index` (position in the table map). Throws `BinlogError` on bytes that are no value,
    /// on a column that this image does not carry, on JSON diffs (see `jsonDiffs(at:)`), and where an integer's
    /// signedness is neither in the metadata nor given.
    /// `isUnsigned` overrides the metadata where that has none.
    public func value(at index: Int, in map: TableMap, isUnsigned: Bool? = nil) throws -> MySQLValue {
        try decodedValue(at: index, in: map, isUnsigned: isUnsigned)
    }

    /// Where in `bytes` the value of column `index` stands, for types whose value is `.bytes`: what `value(at:in:)` copies,
    /// without the copy. nil for NULL and for all other types; throws as `value(at:in:)` does.
    public func byteRange(at index: Int, in map: TableMap) throws -> Range<Int>? {
        try check(index, map)
        return !isNull(index) && map.columns[index].type.isBytes ? range(index) : nil
    }

    private func failure(_ reason: String, _ index: Int, _ map: TableMap) -> BinlogError {
        let name = map.columns[index].name ?? "@\(index + 1)"
        return BinlogError(
            offset: offset &+ UInt64(range(index).lowerBound), reason: "\(map.schema).\(map.table), column \(name): \(reason)")
    }

    /// The column is there, and its bytes are no diff.
    private func check(_ index: Int, _ map: TableMap) throws(BinlogError) {
        guard map.columns.indices.contains(index), index < count else {
            throw BinlogError(offset: offset, reason: "\(map.schema).\(map.table) has no column \(index + 1)")
        }
        guard isPresent(index) else { throw failure("not in this row image", index, map) }
        guard isNull(index) || !isPartial(index) else {
            throw failure("this row image has a JSON diff, no value", index, map)
        }
    }

    /// `value(at:in:isUnsigned:)` with a typed error.
    func decodedValue(at index: Int, in map: TableMap, isUnsigned: Bool?) throws(BinlogError) -> MySQLValue {
        try check(index, map)
        if isNull(index) { return .null }
        let column = map.columns[index]
        let decoder = ValueDecoder(bytes: bytes, range: range(index))
        switch column.type {
        case .tiny, .short, .int24, .long, .longlong:
            guard let isUnsigned = column.isUnsigned ?? isUnsigned else {
                throw failure("the log does not say whether it is unsigned (binlog_row_metadata of an old server)", index, map)
            }
            return isUnsigned ? .uint(decoder.littleEndian) : .int(decoder.signedLittleEndian)
        case .null: return .null
        default: break
        }
        if let value = decoder.value(of: column) { return value }
        throw failure("the bytes are no value of type \(column.type)", index, map)
    }
}

extension MySQLFieldType {
    /// Values are stored bytes as they are: text, binary, geometry, vector.
    package var isBytes: Bool {
        switch self {
        case .varchar, .varString, .string, .tinyBlob, .mediumBlob, .longBlob, .blob, .geometry, .vector: true
        default: false
        }
    }
}

/// Decodes the bytes of one value. The range's size fits the column's type: `ByteCursor.columnRange` made it.
struct ValueDecoder {
    let bytes: [UInt8]
    let range: Range<Int>

    var littleEndian: UInt64 {
        var value: UInt64 = 0
        for place in range.reversed() { value = value << 8 | UInt64(bytes[place]) }
        return value
    }

    var signedLittleEndian: Int64 {
        let shift = UInt64(64 - 8 * range.count)
        return Int64(bitPattern: littleEndian << shift) >> Int64(shift)
    }

    /// Bytes beyond eight are for the caller to refuse.
    var bigEndian: UInt64 {
        var value: UInt64 = 0
        for place in range { value = value << 8 | UInt64(bytes[place]) }
        return value
    }

    /// nil for bytes that are no value of the type. Integers are decoded by the caller, who knows their sign.
    func value(of column: TableMap.Column) -> MySQLValue? {
        let metadata = Int(column.metadata)
        switch column.type {
        case .float: return .float(Float(bitPattern: UInt32(truncatingIfNeeded: littleEndian)))
        case .double: return .double(Double(bitPattern: littleEndian))
        case .newdecimal:
            return DecimalCodec.text(bytes, at: range.lowerBound, precision: metadata >> 8, scale: metadata & 0xff).map { .decimal($0) }
        case .year:
            let year = Int(littleEndian)
            return .year(year == 0 ? 0 : 1900 + year)
        case .date, .newdate:
            let packed = Int(littleEndian)
            return .date(MySQLDate(year: packed >> 9, month: packed >> 5 & 15, day: packed & 31))
        case .time: return oldTime
        case .datetime: return oldDatetime
        case .timestamp:
            var text = TemporalText()
            text.appendUTC(seconds: Int(littleEndian))
            return .timestamp(text.string)
        case .time2: return metadata <= 6 ? time2(digits: metadata) : nil
        case .datetime2: return metadata <= 6 ? datetime2(digits: metadata) : nil
        case .timestamp2: return metadata <= 6 ? timestamp2(digits: metadata) : nil
        case .bit: return range.count <= 8 ? .bit(bigEndian) : nil
        case .enumeration: return range.count <= 2 ? .enumeration(Int(littleEndian)) : nil
        case .set: return range.count <= 8 ? .set(littleEndian) : nil
        case _ where column.type.isBytes: return .bytes(Array(bytes[range]))
        case .blobCompressed, .varcharCompressed:
            return MariaDBCompression.inflateColumn(bytes[range], limit: 1 << 30).map { .bytes($0) }
        case .json, .typedArray: return .json(Array(bytes[range]))
        default: return nil
        }
    }

    /// The fraction's bytes as microseconds. Source: MySQL source documentation, `my_datetime_packed_from_binary`.
    private func microseconds(_ fraction: Int, digits: Int) -> Int? {
        let factor = [1, 10_000, 10_000, 100, 100, 1, 1][digits]
        let result = fraction * factor
        return result < 1_000_000 ? result : nil
    }

    private func time2(digits: Int) -> MySQLValue? {
        let fractionBits = 8 * ((digits + 1) / 2)
        // Offset binary: half of the range is zero; a negative time is the negated whole, fraction included.
        let packed = Int(bigEndian) - (0x80_0000 << fractionBits)
        let magnitude = abs(packed)
        let whole = magnitude >> fractionBits
        guard let fraction = microseconds(magnitude & ((1 << fractionBits) - 1), digits: digits) else { return nil }
        var text = TemporalText()
        if packed < 0 { text.append("-") }
        text.appendTime(hour: whole >> 12 & 0x3ff, minute: whole >> 6 & 63, second: whole & 63)
        text.appendFraction(microseconds: fraction, digits: digits)
        return .time(text.string)
    }

    private func datetime2(digits: Int) -> MySQLValue? {
        let fractionBits = 8 * ((digits + 1) / 2)
        let zero = UInt64(0x80_0000_0000) << UInt64(fractionBits)
        guard bigEndian >= zero else { return nil }
        let packed = Int(bigEndian - zero)
        guard let fraction = microseconds(packed & ((1 << fractionBits) - 1), digits: digits) else { return nil }
        let whole = packed >> fractionBits
        let months = whole >> 22
        var text = TemporalText()
        text.appendDate(year: months / 13, month: months % 13, day: whole >> 17 & 31)
        text.append(" ")
        text.appendTime(hour: whole >> 12 & 31, minute: whole >> 6 & 63, second: whole & 63)
        text.appendFraction(microseconds: fraction, digits: digits)
        return .datetime(text.string)
    }

    private func timestamp2(digits: Int) -> MySQLValue? {
        let fractionBits = 8 * ((digits + 1) / 2)
        let packed = Int(bigEndian)
        guard let fraction = microseconds(packed & ((1 << fractionBits) - 1), digits: digits) else { return nil }
        var text = TemporalText()
        text.appendUTC(seconds: packed >> fractionBits)
        text.appendFraction(microseconds: fraction, digits: digits)
        return .timestamp(text.string)
    }

    /// Before MySQL 5.6: three bytes, decimal HHMMSS with sign.
    private var oldTime: MySQLValue? {
        let packed = Int(signedLittleEndian)
        let magnitude = abs(packed)
        var text = TemporalText()
        if packed < 0 { text.append("-") }
        text.appendTime(hour: magnitude / 10_000, minute: magnitude / 100 % 100, second: magnitude % 100)
        return .time(text.string)
    }

    /// Before MySQL 5.6: eight bytes, decimal YYYYMMDDHHMMSS.
    private var oldDatetime: MySQLValue? {
        guard littleEndian < 100_000_000_000_000 else { return nil }
        let packed = Int(littleEndian)
        let (date, time) = (packed / 1_000_000, packed % 1_000_000)
        var text = TemporalText()
        text.appendDate(year: date / 10_000, month: date / 100 % 100, day: date % 100)
        text.append(" ")
        text.appendTime(hour: time / 10_000, minute: time / 100 % 100, second: time % 100)
        return .datetime(text.string)
    }
}
