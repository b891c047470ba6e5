import MySQLBinlog

/// Walks over JSON text that a server printed, and numbers its values as `JSONTypes` has the server number them.
struct JSONTextWalker {
    /// A value's place: its number among all members or all cells of the document.
    enum Place: Hashable { case root, member(Int), cell(Int) }

    static let malformed = EngineError(
        .failed, "The source sent a JSON document and a list of its types that do not belong together.",
        why: "Its text could not be walked over as the server walks over the value.",
        cure: "Please report it with the server's version. Excluding the table lets the others go on.")

    private indirect enum Node {
        case scalar(Range<Int>)
        /// Keys with their quotes.
        case object([(key: Range<Int>, value: Node)])
        case array([Node])
    }

    private let bytes: [UInt8]
    private var index = 0
    private var memberCount = 0
    private var cellCount = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// All scalars with their places, paths and texts.
    mutating func scalars() throws(EngineError) -> [(place: Place, path: String, token: [UInt8])] {
        let root = try document()
        var found: [(place: Place, path: String, token: [UInt8])] = []
        visit(root, .root, [UInt8(ascii: "$")], &found)
        return found
    }

    /// The texts of the elements of an array.
    mutating func cells() throws(EngineError) -> [[UInt8]] {
        var result: [[UInt8]] = []
        try expect(UInt8(ascii: "["))
        skipSpace()
        if peek == UInt8(ascii: "]") { return result }
        while true {
            skipSpace()
            let start = index
            _ = try node(depth: 1)
            result.append(Array(bytes[start..<index]))
            skipSpace()
            if peek == UInt8(ascii: "]") { return result }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func document() throws(EngineError) -> Node {
        skipSpace()
        let root = try node(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw Self.malformed }
        return root
    }

    /// Of every value first its own members or cells are numbered, then what is inside of them.
    private mutating func visit(
        _ node: Node, _ place: Place, _ path: [UInt8], _ found: inout [(place: Place, path: String, token: [UInt8])]
    ) {
        switch node {
        case .scalar(let range):
            found.append((place, String(decoding: path, as: UTF8.self), Array(bytes[range])))
        case .object(let list):
            let first = memberCount + 1
            memberCount += list.count
            for (offset, member) in list.enumerated() {
                // The key is printed as a path wants it: quoted, with the same escapes.
                visit(member.value, .member(first + offset), path + [UInt8(ascii: ".")] + bytes[member.key], &found)
            }
        case .array(let list):
            let first = cellCount + 1
            cellCount += list.count
            for (offset, value) in list.enumerated() {
                var longer = path
                TypedJSONValue.appendCell(offset, to: &longer)
                visit(value, .cell(first + offset), longer, &found)
            }
        }
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(EngineError) {
        skipSpace()
        guard peek == byte else { throw Self.malformed }
        index += 1
    }

    private mutating func node(depth: Int) throws(EngineError) -> Node {
        guard depth <= BinaryJSON.maximumDepth, let first = peek else { throw Self.malformed }
        switch first {
        case UInt8(ascii: "{"):
            index += 1
            var list: [(key: Range<Int>, value: Node)] = []
            skipSpace()
            if peek == UInt8(ascii: "}") {
                index += 1
                return .object(list)
            }
            while true {
                skipSpace()
                let key = try string()
                try expect(UInt8(ascii: ":"))
                skipSpace()
                list.append((key, try node(depth: depth + 1)))
                skipSpace()
                if peek == UInt8(ascii: "}") { break }
                try expect(UInt8(ascii: ","))
            }
            index += 1
            return .object(list)
        case UInt8(ascii: "["):
            index += 1
            var list: [Node] = []
            skipSpace()
            if peek == UInt8(ascii: "]") {
                index += 1
                return .array(list)
            }
            while true {
                skipSpace()
                list.append(try node(depth: depth + 1))
                skipSpace()
                if peek == UInt8(ascii: "]") { break }
                try expect(UInt8(ascii: ","))
            }
            index += 1
            return .array(list)
        case UInt8(ascii: "\""): return .scalar(try string())
        default:
            let start = index
            while let byte = peek, byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "}"), byte > 0x20 { index += 1 }
            guard index > start else { throw Self.malformed }
            return .scalar(start..<index)
        }
    }

    /// A string with its quotes.
    private mutating func string() throws(EngineError) -> Range<Int> {
        let start = index
        try expect(UInt8(ascii: "\""))
        while let byte = peek {
            index += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\""), index <= bytes.count { return start..<index }
        }
        throw Self.malformed
    }
}
