import MySQLTypes

/// One change of a JSON column in a PARTIAL_UPDATE_ROWS event (`binlog_row_value_options=PARTIAL_JSON`).
/// Source: MySQL source documentation, class `Json_diff`.
public struct JSONDiff: Hashable, Sendable {
    public enum Operation: UInt8, Sendable, Hashable { case replace = 0, insert = 1, remove = 2 }
    public var operation: Operation
    /// JSON path, for example `$.a[2]`.
    public var path: String
    /// Binary JSON of the new value; nil for a removal.
    public var value: [UInt8]?
    public init(operation: Operation, path: String, value: [UInt8]?) {
        self.operation = operation
        self.path = path
        self.value = value
    }
}

extension RowImage {
    /// The diffs of column `index`, to be applied in order to the before image's value. Throws `BinlogError` where
    /// the column has no diffs or they are corrupt.
    public func jsonDiffs(at index: Int) throws(BinlogError) -> [JSONDiff] {
        guard isPartial(index), index < count else {
            throw BinlogError(offset: offset, reason: "column \(index + 1) has no JSON diff")
        }
        var cursor = ByteCursor(bytes, from: range(index).lowerBound, to: range(index).upperBound, base: offset)
        var diffs: [JSONDiff] = []
        while !cursor.isAtEnd {
            let code = try cursor.u8("JSON diff operation")
            guard let operation = JSONDiff.Operation(rawValue: code) else { throw cursor.failure("unknown JSON diff operation \(code)") }
            let path = try cursor.text(try cursor.length("JSON path"), "JSON path")
            let value = operation == .remove ? nil : try cursor.take(try cursor.length("JSON value"), "JSON value")
            diffs.append(JSONDiff(operation: operation, path: path, value: value))
        }
        return diffs
    }
}
