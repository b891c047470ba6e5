import MySQLTypes

/// A document of MySQL's binary JSON that can be changed by the diffs of a PARTIAL_UPDATE_ROWS event. Scalars keep the type and
/// the bytes that they have.
/// Source: MySQL source documentation, `sql-common/json_binary.h` (format) and `apply_json_diffs` (what a diff does).
public struct BinaryJSONDocument: Hashable, Sendable {
    indirect enum Node: Hashable, Sendable {
        /// In the server's order: by length, then by bytes.
        case object([Member])
        case array([Node])
        case scalar(type: UInt8, bytes: [UInt8])
    }

    struct Member: Hashable, Sendable {
        var key: [UInt8]
        var value: Node
    }

    var root: Node

    /// Empty bytes are JSON null (MySQL bug 98496).
    public init(_ bytes: some Collection<UInt8>) throws(BinlogError) {
        let bytes = Array(bytes)
        guard let type = bytes.first else {
            root = .scalar(type: JSONType.literal.rawValue, bytes: [0])
            return
        }
        var reader = JSONNodeReader(bytes: bytes, budget: bytes.count)
        root = try reader.node(type, from: 1, to: bytes.count, depth: 1)
    }

    /// - Throws: where the document has no such place: it is not the one that the diff is of.
    public mutating func apply(_ diff: JSONDiff) throws(BinlogError) {
        let legs = try JSONPathLeg.parse(diff.path)
        let value = try diff.value.map { bytes throws(BinlogError) in try BinaryJSONDocument(bytes).root }
        try Self.change(&root, legs[...], diff, value)
    }

    private static func failure(_ diff: JSONDiff) -> BinlogError {
        BinlogError(offset: 0, reason: "JSON: a document has no place for \(diff.operation) at \(diff.path)")
    }

    private static func change(
        _ node: inout Node, _ legs: ArraySlice<JSONPathLeg>, _ diff: JSONDiff, _ value: Node?
    ) throws(BinlogError) {
        guard let leg = legs.first else {
            guard diff.operation == .replace, let value else { throw failure(diff) }
            node = value
            return
        }
        let isLast = legs.count == 1
        switch (node, leg) {
        case (.object(var members), .member(let key)):
            let place = members.firstIndex { $0.key == key }
            switch (diff.operation, place) {
            case (.insert, nil) where isLast:
                guard let value else { throw failure(diff) }
                let index = members.firstIndex { precedes(key, $0.key) } ?? members.count
                members.insert(Member(key: key, value: value), at: index)
            case (.remove, let place?) where isLast: members.remove(at: place)
            case (.insert, _) where isLast: throw failure(diff)
            case (_, let place?): try change(&members[place].value, legs.dropFirst(), diff, value)
            default: throw failure(diff)
            }
            node = .object(members)
        case (.array(var cells), .cell(let index)):
            if diff.operation == .insert, isLast {
                guard let value else { throw failure(diff) }
                cells.insert(value, at: min(index, cells.count))
            } else {
                guard index < cells.count else { throw failure(diff) }
                if diff.operation == .remove, isLast {
                    cells.remove(at: index)
                } else {
                    try change(&cells[index], legs.dropFirst(), diff, value)
                }
            }
            node = .array(cells)
        default: throw failure(diff)
        }
    }

    static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }

    /// The document as the server would store it.
    public func encoded() throws(BinlogError) -> [UInt8] {
        var output: [UInt8] = [JSONNodeWriter.type(root, large: false)]
        if case .scalar(_, let bytes) = root { return output + bytes }
        // Large from 64 KB on; only writing shows it.
        if let small = try JSONNodeWriter.container(root, large: false) { return output + small }
        output[0] = JSONNodeWriter.type(root, large: true)
        guard let large = try JSONNodeWriter.container(root, large: true) else {
            throw BinlogError(offset: 0, reason: "JSON: a document of more than 4 GB")
        }
        return output + large
    }
}

/// A step of a path as the server writes it into diffs.
enum JSONPathLeg: Hashable {
    case member([UInt8])
    case cell(Int)

    static func parse(_ path: String) throws(BinlogError) -> [JSONPathLeg] {
        let bytes = Array(path.utf8)
        func failure() -> BinlogError { BinlogError(offset: 0, reason: "JSON: \(path) is no path of a diff") }
        guard bytes.first == UInt8(ascii: "$") else { throw failure() }
        var legs: [JSONPathLeg] = []
        var index = 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "["):
                let digits = bytes[(index + 1)...].prefix { $0 != UInt8(ascii: "]") }
                guard let number = Int(String(decoding: digits, as: UTF8.self)), number >= 0, digits.endIndex < bytes.count else { throw failure() }
                legs.append(.cell(number))
                index = digits.endIndex + 1
            case UInt8(ascii: "."):
                index += 1
                guard index < bytes.count else { throw failure() }
                if bytes[index] == UInt8(ascii: "\"") {
                    guard let (key, end) = quoted(bytes, index + 1) else { throw failure() }
                    legs.append(.member(key))
                    index = end
                } else {
                    let name = bytes[index...].prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
                    guard !name.isEmpty else { throw failure() }
                    legs.append(.member(Array(name)))
                    index = name.endIndex
                }
            default: throw failure()
            }
        }
        return legs
    }

    /// A JSON string from behind its opening quote, and where it ends.
    private static func quoted(_ bytes: [UInt8], _ start: Int) -> ([UInt8], Int)? {
        var key: [UInt8] = []
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return (key, index + 1)
            case UInt8(ascii: "\\"):
                guard index + 1 < bytes.count else { return nil }
                let escape = bytes[index + 1]
                index += 2
                switch escape {
                case UInt8(ascii: "b"): key.append(8)
                case UInt8(ascii: "t"): key.append(9)
                case UInt8(ascii: "n"): key.append(10)
                case UInt8(ascii: "f"): key.append(12)
                case UInt8(ascii: "r"): key.append(13)
                case UInt8(ascii: "u"):
                    // The server writes control characters so, nothing else.
                    guard index + 4 <= bytes.count,
                        let code = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16), let scalar = Unicode.Scalar(code)
                    else { return nil }
                    key += Array(String(Character(scalar)).utf8)
                    index += 4
                default: key.append(escape)
                }
            default:
                key.append(bytes[index])
                index += 1
            }
        }
        return nil
    }
}

/// Reads nodes; bounded as `JSONWalker` is.
private struct JSONNodeReader {
    let bytes: [UInt8]
    var budget: Int

    private func failure(_ position: Int, _ reason: String) -> BinlogError {
        BinlogError(offset: UInt64(max(0, position)), reason: "JSON: \(reason)")
    }

    mutating func node(_ code: UInt8, from start: Int, to end: Int, depth: Int) throws(BinlogError) -> BinaryJSONDocument.Node {
        guard let type = JSONType(rawValue: code) else { throw failure(start, "unknown type \(code)") }
        var cursor = ByteCursor(bytes, from: start, to: end)
        let size: Int
        switch type {
        case .smallObject: return try container(start, end, isObject: true, large: false, depth: depth)
        case .largeObject: return try container(start, end, isObject: true, large: true, depth: depth)
        case .smallArray: return try container(start, end, isObject: false, large: false, depth: depth)
        case .largeArray: return try container(start, end, isObject: false, large: true, depth: depth)
        case .literal: size = 1
        case .int16, .uint16: size = 2
        case .int32, .uint32: size = 4
        case .int64, .uint64, .double: size = 8
        case .string: size = try variableSize(&cursor, start)
        case .opaque:
            _ = try cursor.u8("opaque type")
            size = try variableSize(&cursor, start)
        }
        budget -= size
        guard budget >= 0 else { throw failure(start, "values overlap") }
        var whole = ByteCursor(bytes, from: start, to: end)
        return .scalar(type: code, bytes: try whole.take(size, "value"))
    }

    /// Bytes from `start` to the end of a value that has its own length.
    private func variableSize(_ cursor: inout ByteCursor, _ start: Int) throws(BinlogError) -> Int {
        var length = 0
        for place in 0..<5 {
            let byte = try cursor.u8("length")
            length |= Int(byte & 0x7f) << (7 * place)
            if byte & 0x80 == 0 { return cursor.position - start + length }
        }
        throw failure(start, "a length of more than five bytes")
    }

    private mutating func container(
        _ start: Int, _ end: Int, isObject: Bool, large: Bool, depth: Int
    ) throws(BinlogError) -> BinaryJSONDocument.Node {
        guard depth <= BinaryJSON.maximumDepth else { throw failure(start, "nested deeper than \(BinaryJSON.maximumDepth)") }
        let width = large ? 4 : 2
        var header = ByteCursor(bytes, from: start, to: end)
        let count = Int(try header.uint(width, "number of elements"))
        let size = Int(try header.uint(width, "size"))
        guard size <= end - start else { throw failure(start, "a container of \(size) bytes, \(end - start) are left") }
        let keyEntrySize = isObject ? width + 2 : 0
        guard count <= (size - 2 * width) / (width + 1 + keyEntrySize) else { throw failure(start, "\(count) elements do not fit in \(size) bytes") }
        budget -= 1 + count
        guard budget >= 0 else { throw failure(start, "values overlap") }
        let valueEntries = start + 2 * width + count * keyEntrySize
        var cells: [BinaryJSONDocument.Node] = []
        var members: [BinaryJSONDocument.Member] = []
        for index in 0..<count {
            var entry = ByteCursor(bytes, from: valueEntries + index * (width + 1), to: start + size)
            let code = try entry.u8("value type")
            let value: BinaryJSONDocument.Node
            if JSONType(rawValue: code)?.isInlined(large: large) ?? false {
                value = try node(code, from: entry.position, to: entry.position + width, depth: depth + 1)
            } else {
                let offset = Int(try entry.uint(width, "value offset"))
                guard offset >= 2 * width, offset < size else { throw failure(start, "a value lies outside of its container") }
                value = try node(code, from: start + offset, to: start + size, depth: depth + 1)
            }
            guard isObject else {
                cells.append(value)
                continue
            }
            var keyEntry = ByteCursor(bytes, from: start + 2 * width + index * keyEntrySize, to: start + size)
            let offset = Int(try keyEntry.uint(width, "key offset"))
            let length = Int(try keyEntry.u16("key length"))
            guard offset <= size, length <= size - offset else { throw failure(start, "a key lies outside of its object") }
            budget -= length
            guard budget >= 0 else { throw failure(start, "values overlap") }
            members.append(BinaryJSONDocument.Member(key: Array(bytes[(start + offset)..<(start + offset + length)]), value: value))
        }
        return isObject ? .object(members) : .array(cells)
    }
}

/// Writes nodes. Offsets count from the start of the container that holds them.
private enum JSONNodeWriter {
    static func type(_ node: BinaryJSONDocument.Node, large: Bool) -> UInt8 {
        switch node {
        case .object: (large ? JSONType.largeObject : .smallObject).rawValue
        case .array: (large ? JSONType.largeArray : .smallArray).rawValue
        case .scalar(let type, _): type
        }
    }

    private static func append(_ number: Int, _ width: Int, to output: inout [UInt8]) {
        for shift in 0..<width { output.append(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
    }

    /// The container without its type byte; nil where it does not fit the small form.
    static func container(_ node: BinaryJSONDocument.Node, large: Bool) throws(BinlogError) -> [UInt8]? {
        let width = large ? 4 : 2
        let limit = large ? Int(UInt32.max) : Int(UInt16.max)
        let keys: [[UInt8]]
        let values: [BinaryJSONDocument.Node]
        switch node {
        case .object(let members):
            keys = members.map(\.key)
            values = members.map(\.value)
        case .array(let cells):
            keys = []
            values = cells
        case .scalar: return nil
        }
        let isObject = if case .object = node { true } else { false }
        let entries = 2 * width + values.count * (width + 1) + (isObject ? values.count * (width + 2) : 0)
        guard values.count <= limit, entries <= limit else { return nil }
        var output: [UInt8] = []
        append(values.count, width, to: &output)
        append(0, width, to: &output)
        var keyOffset = entries
        for key in keys {
            guard key.count <= Int(UInt16.max) else { throw BinlogError(offset: 0, reason: "JSON: a key of more than 64 KB") }
            append(keyOffset, width, to: &output)
            append(key.count, 2, to: &output)
            keyOffset += key.count
            guard keyOffset <= limit else { return nil }
        }
        var bodies: [UInt8] = keys.flatMap { $0 }
        for value in values {
            var type = type(value, large: false)
            let body: [UInt8]
            switch value {
            case .scalar(let own, let bytes):
                if JSONType(rawValue: own)?.isInlined(large: large) ?? false {
                    output.append(own)
                    output += bytes + [UInt8](repeating: 0, count: max(0, width - bytes.count))
                    continue
                }
                body = bytes
            default:
                if let small = try container(value, large: false) {
                    body = small
                } else {
                    guard large, let big = try container(value, large: true) else { return nil }
                    body = big
                    type = JSONNodeWriter.type(value, large: true)
                }
            }
            output.append(type)
            let offset = entries + bodies.count
            guard offset + body.count <= limit else { return nil }
            append(offset, width, to: &output)
            bodies += body
        }
        output += bodies
        guard output.count <= limit else { return nil }
        let size = output.count
        for shift in 0..<width { output[width + shift] = UInt8(truncatingIfNeeded: size >> (8 * shift)) }
        return output
    }
}
