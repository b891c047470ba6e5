import MySQLTypes

/// MySQL's binary JSON.
/// Source: MySQL source documentation, `sql-common/json_binary.h`.
public enum BinaryJSON {
    /// The server's limit of nesting.
    public static let maximumDepth = 100

    /// The document as the server prints it. Empty bytes are JSON null (MySQL bug 98496).
    public static func render(_ bytes: [UInt8]) throws(BinlogError) -> String {
        String(decoding: try renderUTF8(bytes), as: UTF8.self)
    }

    /// The same as UTF-8 bytes.
    public static func renderUTF8(_ bytes: [UInt8]) throws(BinlogError) -> [UInt8] {
        if bytes.isEmpty { return Array("null".utf8) }
        var walker = JSONWalker(bytes)
        try walker.document()
        return walker.output
    }

    /// Whether the document holds DECIMAL, temporal or other values that JSON text cannot tell from numbers and
    /// strings: parsing the rendered text would change their type.
    public static func hasOpaqueValues(_ bytes: [UInt8]) throws(BinlogError) -> Bool {
        if bytes.isEmpty { return false }
        var walker = JSONWalker(bytes)
        try walker.document()
        return walker.sawOpaque
    }
}

/// Type codes of values.
enum JSONType: UInt8 {
    case smallObject = 0, largeObject = 1, smallArray = 2, largeArray = 3, literal = 4
    case int16 = 5, uint16 = 6, int32 = 7, uint32 = 8, int64 = 9, uint64 = 10, double = 11, string = 12, opaque = 15

    /// Whether the value's bytes stand in its parent's entry instead of behind an offset.
    func isInlined(large: Bool) -> Bool {
        switch self {
        case .literal, .int16, .uint16: true
        case .int32, .uint32: large
        default: false
        }
    }
}

/// Renders one document. Recursion is bounded by `BinaryJSON.maximumDepth`; the work by `budget`: in a document that a
/// server wrote every value and every string has bytes of its own, so one that uses more than there are is corrupt
/// (offsets that meet could otherwise make the text exponentially long).
struct JSONWalker {
    let bytes: [UInt8]
    var output: [UInt8] = []
    var sawOpaque = false
    /// Path of the value that is read, nil where nobody wants `typed`.
    var path: [UInt8]?
    /// Values whose types the text loses.
    private(set) var typed: [TypedJSONValue] = []
    private var budget: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        budget = bytes.count
        output.reserveCapacity(bytes.count)
    }

    private func failure(_ position: Int, _ reason: String) -> BinlogError {
        BinlogError(offset: UInt64(max(position, 0)), reason: "JSON: \(reason)")
    }

    private mutating func spend(_ count: Int, at position: Int) throws(BinlogError) {
        budget -= count
        guard budget >= 0 else { throw failure(position, "values overlap") }
    }

    mutating func document() throws(BinlogError) {
        guard let code = bytes.first else { return }
        try value(code, from: 1, to: bytes.count, depth: 1)
    }

    private func cursor(_ start: Int, _ end: Int) -> ByteCursor { ByteCursor(bytes, from: start, to: end) }

    private mutating func value(_ code: UInt8, from start: Int, to end: Int, depth: Int) throws(BinlogError) {
        guard let type = JSONType(rawValue: code) else { throw failure(start, "unknown type \(code)") }
        try spend(1, at: start)
        var cursor = cursor(start, end)
        switch type {
        case .smallObject: try container(start, end, isObject: true, large: false, depth: depth)
        case .largeObject: try container(start, end, isObject: true, large: true, depth: depth)
        case .smallArray: try container(start, end, isObject: false, large: false, depth: depth)
        case .largeArray: try container(start, end, isObject: false, large: true, depth: depth)
        case .literal: try literal(try cursor.u8("literal"), at: start)
        case .int16: signed(Int64(Int16(bitPattern: try cursor.u16("number"))))
        case .uint16: unsigned(UInt64(try cursor.u16("number")))
        case .int32: signed(Int64(Int32(bitPattern: try cursor.u32("number"))))
        case .uint32: unsigned(UInt64(try cursor.u32("number")))
        case .int64: signed(Int64(bitPattern: try cursor.u64("number")))
        case .uint64: unsigned(try cursor.u64("number"))
        case .double:
            let number = Double(bitPattern: try cursor.u64("number"))
            guard number.isFinite else { throw failure(start, "a number that is not finite") }
            append(ServerDouble.json(number))
        case .string:
            let range = try variableRange(&cursor)
            try appendString(range)
        case .opaque:
            sawOpaque = true
            let field = try cursor.u8("opaque type")
            let range = try variableRange(&cursor)
            try spend(range.count, at: start)
            try opaque(field, range)
        }
    }

    private mutating func signed(_ number: Int64) {
        append(number.description)
        if number >= Int64(TypedJSONValue.firstUnsigned) { note(.signed(number)) }
    }

    private mutating func unsigned(_ number: UInt64) {
        append(number.description)
        if number < TypedJSONValue.firstUnsigned { note(.unsigned(number)) }
    }

    private mutating func note(_ value: TypedJSONValue.Value) {
        guard let path else { return }
        typed.append(TypedJSONValue(path: String(decoding: path, as: UTF8.self), value: value))
    }

    private mutating func literal(_ code: UInt8, at position: Int) throws(BinlogError) {
        switch code {
        case 0: append("null")
        case 1: append("true")
        case 2: append("false")
        default: throw failure(position, "unknown literal \(code)")
        }
    }

    /// Seven bits per byte, lowest first; the top bit says that another byte follows; at most five.
    private func variableRange(_ cursor: inout ByteCursor) throws(BinlogError) -> Range<Int> {
        var length = 0
        for place in 0..<5 {
            let byte = try cursor.u8("length")
            length |= Int(byte & 0x7f) << (7 * place)
            if byte & 0x80 == 0 { return try cursor.range(length, "string") }
        }
        throw cursor.failure("JSON: a length of more than five bytes")
    }

    /// Number of elements and size (2 or 4 bytes each), key entries (offset, and length in 2 bytes), value entries (type
    /// byte, then offset or the value itself). Offsets count from the container's start.
    private mutating func container(
        _ start: Int, _ end: Int, isObject: Bool, large: Bool, depth: Int
    ) throws(BinlogError) {
        guard depth <= BinaryJSON.maximumDepth else { throw failure(start, "nested deeper than \(BinaryJSON.maximumDepth)") }
        let width = large ? 4 : 2
        var header = cursor(start, end)
        let count = Int(try header.uint(width, "number of elements"))
        let size = Int(try header.uint(width, "size"))
        guard size <= end - start else { throw failure(start, "a container of \(size) bytes, \(end - start) are left") }
        let keyEntries = start + 2 * width
        let keyEntrySize = width + 2
        let valueEntrySize = width + 1
        let entrySize = valueEntrySize + (isObject ? keyEntrySize : 0)
        guard count <= (size - 2 * width) / entrySize else { throw failure(start, "\(count) elements do not fit in \(size) bytes") }
        let valueEntries = keyEntries + (isObject ? count * keyEntrySize : 0)

        output.append(UInt8(ascii: isObject ? "{" : "["))
        let pathLength = path?.count ?? 0
        for index in 0..<count {
            if index > 0 { append(", ") }
            if path != nil {
                path?.removeSubrange(pathLength...)
                if !isObject, var longer = path.take() {
                    TypedJSONValue.appendCell(index, to: &longer)
                    path = longer
                }
            }
            if isObject {
                var entry = cursor(keyEntries + index * keyEntrySize, start + size)
                let offset = Int(try entry.uint(width, "key offset"))
                let length = Int(try entry.u16("key length"))
                guard offset <= size, length <= size - offset else { throw failure(start, "a key lies outside of its object") }
                let key = (start + offset)..<(start + offset + length)
                try appendString(key)
                append(": ")
                if var longer = path.take() {
                    TypedJSONValue.appendMember(bytes[key], to: &longer)
                    path = longer
                }
            }
            var entry = cursor(valueEntries + index * valueEntrySize, start + size)
            let code = try entry.u8("value type")
            let inlined = JSONType(rawValue: code)?.isInlined(large: large) ?? false
            if inlined {
                try value(code, from: entry.position, to: entry.position + width, depth: depth + 1)
            } else {
                let offset = Int(try entry.uint(width, "value offset"))
                guard offset >= 2 * width, offset < size else { throw failure(start, "a value lies outside of its container") }
                try value(code, from: start + offset, to: start + size, depth: depth + 1)
            }
        }
        if path != nil { path?.removeSubrange(pathLength...) }
        output.append(UInt8(ascii: isObject ? "}" : "]"))
    }

    private mutating func append(_ text: String) { output += text.utf8 }

    private mutating func appendString(_ range: Range<Int>) throws(BinlogError) {
        try spend(range.count, at: range.lowerBound)
        let text = bytes[range]
        guard String(validating: text, as: UTF8.self) != nil else { throw failure(range.lowerBound, "a string is not UTF-8") }
        JSONText.appendQuoted(text, to: &output)
    }

    private mutating func opaque(_ field: UInt8, _ range: Range<Int>) throws(BinlogError) {
        switch MySQLFieldType(rawValue: field) {
        case .newdecimal:
            guard range.count >= 2,
                let text = DecimalCodec.text(
                    Array(bytes[range]), at: 2, precision: Int(bytes[range.lowerBound]), scale: Int(bytes[range.lowerBound + 1]))
            else { throw failure(range.lowerBound, "corrupt DECIMAL") }
            append(text)
            note(.decimal(text))
        case .date, .time, .datetime, .timestamp:
            guard range.count == 8, let text = JSONTemporal.text(Array(bytes[range]), field: field) else {
                throw failure(range.lowerBound, "corrupt temporal value")
            }
            append("\"\(text)\"")
            switch MySQLFieldType(rawValue: field) {
            case .date: note(.date(text))
            case .time: note(.time(text))
            case .timestamp: note(.timestamp(text))
            default: note(.datetime(text))
            }
        default:
            if path != nil { note(.bytes(field: field, Array(bytes[range]))) }
            append("\"base64:type\(field):")
            JSONText.appendBase64(bytes[range], breakingLines: true, to: &output)
            output.append(UInt8(ascii: "\""))
        }
    }
}
