import NIOCore

/// The server's answer to one command, as a value without I/O.
struct ResponseMachine: Sendable {
    /// What the command was.
    enum Expectation: Sendable, Hashable {
        /// Text or execute: OK, ERR, or a result. Any number of results.
        case results
        /// The same, but one result only.
        case oneResult
        /// LOAD DATA LOCAL: the server asks for the file.
        case file
        case prepare
        case acknowledgement
        case events
    }

    /// How the bytes that come next are cut.
    enum Framing: Sendable, Hashable {
        case packets
        case rows
        case events
    }

    enum Action: Equatable {
        case wait
        /// Columns are complete, rows follow.
        case head([MySQLColumn])
        case prepared(statement: UInt32, columns: Int, parameters: Int)
        /// The server waits for the file.
        case sendFile
        /// Done: last OK of the statement.
        case finished(MySQLOK)
        /// The server refused; the connection is good for more.
        case failed(MySQLError)
        /// The connection is of no use any more. `reply` is still sent.
        case broken(MySQLError, reply: ByteBuffer?)
    }

    private enum Phase: Sendable {
        case header
        case columns(remaining: Int, [MySQLColumn])
        case columnsEnd([MySQLColumn])
        case rows
        case file
        case fileResult
        case definitions(remaining: Int, thenEOF: Bool, columns: Int, Action)
        case events
    }

    let expectation: Expectation
    let deprecateEOF: Bool
    private var phase: Phase
    private var results = 0

    init(expecting expectation: Expectation, deprecateEOF: Bool) {
        self.expectation = expectation
        self.deprecateEOF = deprecateEOF
        phase = expectation == .events ? .events : .header
    }

    var framing: Framing {
        switch phase {
        case .rows: .rows
        case .events: .events
        default: .packets
        }
    }
    var isSendingFile: Bool { if case .file = phase { true } else { false } }

    /// The caller's file has ended; its last (empty) packet goes out.
    mutating func fileSent() { phase = .fileResult }

    mutating func received(_ packet: ByteBuffer) -> Action {
        do throws(MySQLError) {
            return try handle(packet)
        } catch {
            return .broken(error, reply: nil)
        }
    }

    private mutating func handle(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        guard let first = packet.getInteger(at: packet.readerIndex, as: UInt8.self) else {
            throw .malformed("an empty packet")
        }
        if first == 0xFF { return serverError(packet) }
        switch phase {
        case .header: return try header(packet, first: first)
        case .columns(let remaining, var columns):
            phase = .header
            columns.append(try MySQLColumn(decoding: packet))
            guard remaining == 1 else {
                phase = .columns(remaining: remaining - 1, columns)
                return .wait
            }
            guard deprecateEOF else {
                phase = .columnsEnd(columns)
                return .wait
            }
            phase = .rows
            return .head(columns)
        case .columnsEnd(let columns):
            _ = try MySQLOK(decodingEnd: packet, deprecateEOF: false)
            phase = .rows
            return .head(columns)
        case .rows:
            return try ended(MySQLOK(decodingEnd: packet, deprecateEOF: deprecateEOF))
        case .file:
            throw .malformed("a packet while it should receive a file")
        case .fileResult:
            guard first == 0 else { throw .malformed("an answer to LOAD DATA LOCAL") }
            return try ended(MySQLOK(decoding: packet))
        case .definitions(let remaining, let thenEOF, let columns, let action):
            return definition(remaining: remaining, thenEOF: thenEOF, columns: columns, action)
        case .events:
            guard first == 0xFE else { throw .malformed("a packet in a binlog stream") }
            return .finished(MySQLOK(affectedRows: 0, lastInsertID: 0, statusFlags: 0, warnings: 0, info: ""))
        }
    }

    private func serverError(_ packet: ByteBuffer) -> Action {
        let error = MySQLError(decodingServerError: packet)
        // An error in the middle of a file, or of a stream, leaves both sides at different places.
        if isSendingFile || error.code != .server || expectation == .events { return .broken(error, reply: nil) }
        return .failed(error)
    }

    private mutating func header(_ packet: ByteBuffer, first: UInt8) throws(MySQLError) -> Action {
        if expectation == .prepare { return try preparedHeader(packet) }
        if first == 0x00 { return try ended(MySQLOK(decoding: packet)) }
        if first == 0xFB {
            guard expectation == .file else {
                return .broken(
                    MySQLError(
                        .protocolViolation, "The server asked for a local file that this side did not offer: refused.",
                        cure: "Don't trust this server, or what stands between."), reply: ByteBuffer())
            }
            phase = .file
            return .sendFile
        }
        guard expectation == .results || expectation == .oneResult || expectation == .file else {
            throw .malformed("an answer")
        }
        var packet = packet
        guard let count = packet.readLengthEncodedInteger(), 1...65_535 ~= count, packet.readableBytes == 0 else {
            throw .malformed("a column count")
        }
        results += 1
        guard results == 1 || expectation == .results else {
            throw MySQLError(.usage, "The statement gave more than one result, and only one can be streamed.")
        }
        phase = .columns(remaining: Int(count), [])
        return .wait
    }

    private mutating func ended(_ ok: MySQLOK) throws(MySQLError) -> Action {
        phase = .header
        return ok.statusFlags & ServerStatus.moreResultsExist != 0 ? .wait : .finished(ok)
    }

    private mutating func preparedHeader(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        var packet = packet
        guard packet.readInteger(as: UInt8.self) == 0,
            let statement = packet.readInteger(endianness: .little, as: UInt32.self),
            let columns = packet.readInteger(endianness: .little, as: UInt16.self),
            let parameters = packet.readInteger(endianness: .little, as: UInt16.self)
        else { throw .malformed("an answer to PREPARE") }
        let action = Action.prepared(statement: statement, columns: Int(columns), parameters: Int(parameters))
        return expectDefinitions(Int(parameters), columns: Int(columns), action)
    }

    /// Parameter definitions, an EOF, column definitions, an EOF; each group only where there is one.
    private mutating func expectDefinitions(_ count: Int, columns: Int, _ action: Action) -> Action {
        if count > 0 {
            phase = .definitions(remaining: count, thenEOF: !deprecateEOF, columns: columns, action)
            return .wait
        }
        return columns > 0 ? expectDefinitions(columns, columns: 0, action) : action
    }

    private mutating func definition(remaining: Int, thenEOF: Bool, columns: Int, _ action: Action) -> Action {
        if remaining > 1 {
            phase = .definitions(remaining: remaining - 1, thenEOF: thenEOF, columns: columns, action)
            return .wait
        }
        if remaining == 1, thenEOF {
            phase = .definitions(remaining: 0, thenEOF: false, columns: columns, action)
            return .wait
        }
        return expectDefinitions(columns, columns: 0, action)
    }
}
