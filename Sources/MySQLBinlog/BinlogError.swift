/// Why binlog bytes could not be decoded, and where.
public struct BinlogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Offset in the file (or of the event in the stream) at which decoding failed.
    public var offset: UInt64
    public var reason: String
    public init(offset: UInt64, reason: String) {
        self.offset = offset
        self.reason = reason
    }
    public var description: String { "binlog byte \(offset): \(reason)" }
}
