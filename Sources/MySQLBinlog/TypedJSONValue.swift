/// A scalar inside a JSON document whose type the document's text does not keep: parsed again, the text gives a double for
/// a DECIMAL, a string for a DATE or bytes, and decides by size between signed and unsigned.
public struct TypedJSONValue: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        /// Texts as the server prints them.
        case decimal(String), date(String), time(String), datetime(String), timestamp(String)
        /// A signed number that text would make unsigned, and the other way round.
        case signed(Int64), unsigned(UInt64)
        /// Bytes with the number of the field type that they came from (`MySQLFieldType`): BLOB, BINARY, BIT and so on.
        case bytes(field: UInt8, [UInt8])
    }
    /// The server's path expression, `$` for the document itself.
    public var path: String
    public var value: Value

    public init(path: String, value: Value) {
        self.path = path
        self.value = value
    }

    /// From this number on the parser makes every number unsigned, below it every number signed (measured on 9.7).
    public static let firstUnsigned: UInt64 = 1 << 32

    /// The leg of a path that leads to an object's member. `key` is UTF-8.
    public static func appendMember(_ key: some Collection<UInt8>, to path: inout [UInt8]) {
        path.append(UInt8(ascii: "."))
        JSONText.appendQuoted(Array(key), to: &path)
    }

    /// The leg of a path that leads to an array's cell.
    public static func appendCell(_ index: Int, to path: inout [UInt8]) {
        path += "[\(index)]".utf8
    }
}

extension BinaryJSON {
    /// The document as the server prints it (UTF-8), and all values of it whose types the text loses, in order.
    public static func renderTyped(_ bytes: [UInt8]) throws(BinlogError) -> (text: [UInt8], typed: [TypedJSONValue]) {
        if bytes.isEmpty { return (Array("null".utf8), []) }
        var walker = JSONWalker(bytes)
        walker.path = [UInt8(ascii: "$")]
        try walker.document()
        return (walker.output, walker.typed)
    }
}
