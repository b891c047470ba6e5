/// Cuts a binary log file into events and decodes them. Pure: the caller reads the file and hands over pieces of any
/// size, and takes events until there is none; at the file's end it calls `finish`.
public struct BinlogFileReader: Sendable {
    /// The decoder, for its limits and its format description.
    public var decoder: BinlogDecoder
    /// Offset in the file of the next event.
    public private(set) var offset: UInt64 = 0
    /// Upper bound of one event, bytes. The server's own is 1 GiB (`max_allowed_packet`) and a little.
    public let eventLimit: Int

    private var buffer: [UInt8] = []
    /// Start of the unread bytes in `buffer`.
    private var start = 0
    private var hasMagic = false

    /// First four bytes of every binary log file.
    public static let magic: [UInt8] = [0xfe, 0x62, 0x69, 0x6e]
    /// First four bytes of a file that MySQL 8.0.14 and later encrypts (`binlog_encryption`).
    private static let encryptedMagic: [UInt8] = [0xfd, 0x62, 0x69, 0x6e]

    public init(decoder: BinlogDecoder = BinlogDecoder(), eventLimit: Int = (1 << 30) + (1 << 20)) {
        self.decoder = decoder
        self.eventLimit = eventLimit
    }

    /// Hands over the next bytes of the file.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole event and its offset in the file, or nil where more bytes are needed. After an error the reader
    /// is useless: where the next event begins is not known.
    public mutating func next() throws(BinlogError) -> (event: BinlogEvent, offset: UInt64)? {
        if !hasMagic {
            guard buffer.count >= 4 else { return nil }
            try checkMagic()
        }
        let available = buffer.count - start
        guard available >= BinlogDecoder.headerSize else { return nil }
        let header = try BinlogDecoder.header(of: buffer, at: start, offset: offset)
        let size = Int(header.size)
        guard size <= eventLimit else {
            throw BinlogError(offset: offset, reason: "an event of \(size) bytes is over the limit of \(eventLimit)")
        }
        if decoder.format == nil, header.type != EventType.formatDescription.rawValue {
            throw BinlogError(offset: offset, reason: "the file does not begin with a format description but with \(header.typeName)")
        }
        guard available >= size else { return nil }
        let position = offset
        let event = try decoder.decode(Array(buffer[start..<(start + size)]), offset: position)
        if case .startEncryption = event.body {
            throw BinlogError(offset: position, reason: "the file is encrypted from here on (encrypt_binlog): read it from the server instead")
        }
        start += size
        offset += UInt64(size)
        // A large event (a compressed transaction that is now read from) is not kept twice.
        if size > 1 << 20 {
            buffer = Array(buffer[start...])
            start = 0
        }
        return (event, position)
    }

    /// To be called at the end of the file, after `next` has returned nil: throws where bytes of an unfinished event
    /// (or too few for a file at all) are left.
    public func finish() throws(BinlogError) {
        guard hasMagic else { throw BinlogError(offset: 0, reason: "not a binary log: only \(buffer.count) bytes") }
        guard start == buffer.count else {
            throw BinlogError(offset: offset, reason: "truncated: the last event has only \(buffer.count - start) bytes")
        }
        guard decoder.format != nil else { throw BinlogError(offset: offset, reason: "truncated: no format description") }
    }

    private mutating func checkMagic() throws(BinlogError) {
        let first = Array(buffer.prefix(4))
        guard first != Self.encryptedMagic else {
            throw BinlogError(offset: 0, reason: "the file is encrypted (binlog_encryption): read it from the server instead")
        }
        guard first == Self.magic else {
            throw BinlogError(offset: 0, reason: "not a binary log: it does not begin with the bytes FE 62 69 6E")
        }
        hasMagic = true
        start = 4
        offset = 4
    }
}
