/// Offset in a binary log file, as `SHOW BINARY LOG STATUS` prints it.
///
/// Ordered by the file's numeric suffix, then by offset: `binlog.1000000` follows `binlog.999999`.
public struct BinlogCoordinates: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Base name of the file, without a folder, for example `binlog.000042`.
    public var file: String
    /// Byte offset in the file; the first event stands at 4.
    public var offset: UInt64

    public init(file: String, offset: UInt64) {
        self.file = file
        self.offset = offset
    }

    public var description: String { "\(file):\(offset)" }

    /// The number behind the last dot of the file name, or 0 where there is none.
    public var sequence: UInt64 {
        guard let dot = file.lastIndex(of: "."), let number = UInt64(file[file.index(after: dot)...]) else { return 0 }
        return number
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.sequence, left.offset) < (right.sequence, right.offset)
    }
}
