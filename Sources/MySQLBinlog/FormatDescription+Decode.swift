// Body: binlog version (2), server version (50, zero-padded), creation time (4), header length (1), post-header length per event
// type; from MySQL 5.6.1 and MariaDB 5.3 on the checksum algorithm (1) and always a checksum (4).
// Source: MySQL source documentation, class `Format_description_event`.

extension FormatDescription {
    static func decode(_ event: [UInt8], offset: UInt64) throws(BinlogError) -> FormatDescription {
        var cursor = ByteCursor(event, from: BinlogDecoder.headerSize, base: offset)
        let version = try cursor.u16("binlog version")
        guard version == 4 else { throw cursor.failure("binlog version \(version) (only 4, of MySQL 5.0 and later, is read)") }
        let name = try cursor.take(50, "server version").prefix { $0 != 0 }
        guard let serverVersion = String(validating: name, as: UTF8.self) else { throw cursor.failure("server version is not UTF-8") }
        try cursor.skip(4, "creation time")
        let headerLength = try cursor.u8("header length")
        guard headerLength == BinlogDecoder.headerSize else { throw cursor.failure("event headers of \(headerLength) bytes") }
        guard knowsChecksums(serverVersion) else {
            return FormatDescription(
                binlogVersion: version, serverVersion: serverVersion, hasChecksum: false,
                postHeaderLengths: try cursor.take(cursor.remaining, "post-header lengths"))
        }
        let lengths = try cursor.take(cursor.remaining - 5, "post-header lengths")
        let algorithm = try cursor.u8("checksum algorithm")
        guard algorithm <= 1 else { throw cursor.failure("unknown checksum algorithm \(algorithm)") }
        return FormatDescription(
            binlogVersion: version, serverVersion: serverVersion, hasChecksum: algorithm == 1, postHeaderLengths: lengths)
    }

    private static func knowsChecksums(_ version: String) -> Bool {
        let numbers = version.split(whereSeparator: { !$0.isNumber }).prefix(3).map { Int($0) ?? 0 }
        guard numbers.count == 3 else { return true }
        let first = version.contains("MariaDB") ? [5, 3, 0] : [5, 6, 1]
        return !numbers.lexicographicallyPrecedes(first)
    }
}
