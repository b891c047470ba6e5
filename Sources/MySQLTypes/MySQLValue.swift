/// Column type codes of the protocol and of table map events.
/// Source: MySQL source documentation, `enum_field_types`.
public enum MySQLFieldType: UInt8, Sendable, Hashable, Codable {
    case decimal = 0, tiny = 1, short = 2, long = 3, float = 4, double = 5, null = 6, timestamp = 7
    case longlong = 8, int24 = 9, date = 10, time = 11, datetime = 12, year = 13, newdate = 14
    case varchar = 15, bit = 16, timestamp2 = 17, datetime2 = 18, time2 = 19, typedArray = 20
    /// MariaDB's columns with the attribute COMPRESSED; in its log only.
    case blobCompressed = 140, varcharCompressed = 141
    case vector = 242, invalid = 243, bool = 244, json = 245, newdecimal = 246, enumeration = 247, set = 248
    case tinyBlob = 249, mediumBlob = 250, longBlob = 251, blob = 252, varString = 253, string = 254, geometry = 255
}

/// A calendar date as stored, zero and impossible dates included.
public struct MySQLDate: Hashable, Sendable {
    public var year: Int, month: Int, day: Int
    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }
}

/// One value of one column, as stored: the same whether read by SELECT or from a row image.
public enum MySQLValue: Hashable, Sendable {
    case null
    case int(Int64)
    case uint(UInt64)
    case float(Float)
    case double(Double)
    /// Exact text with the column's scale, for example `-0.50`.
    case decimal(String)
    /// Text, binary, geometry and vector columns: the stored bytes in the column's own character set.
    /// Trailing pad bytes that the log strips from CHAR and BINARY are not put back here.
    case bytes([UInt8])
    case date(MySQLDate)
    /// Text as the server prints it, with the column's fractional digits: `-838:59:59.000000`.
    case time(String)
    /// `2038-01-19 03:14:07.000000`, with the column's fractional digits.
    case datetime(String)
    /// The same in UTC; the zero timestamp is `0000-00-00 00:00:00`.
    case timestamp(String)
    /// 0 or 1901 ... 2155.
    case year(Int)
    /// Index of the member, 1-based; 0 is the error value ''.
    case enumeration(Int)
    /// Bit n set: member n + 1 is in the set.
    case set(UInt64)
    case bit(UInt64)
    /// MySQL's binary JSON (empty bytes: JSON null, MySQL bug 98496).
    case json([UInt8])
}
