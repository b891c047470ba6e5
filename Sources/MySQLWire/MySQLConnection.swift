import Logging
import MySQLTypes
import NIOConcurrencyHelpers
import NIOCore

/// One client connection. Statements run one after the other; calling while another runs waits its turn is NOT
/// provided: a second concurrent call is a `.usage` error.
///
/// Cancelling the task that waits for a call closes the connection, and the call throws `.cancelled`.
public final class MySQLConnection: Sendable {
    /// Facts from the handshake.
    public let server: MySQLServerInfo
    public let eventLoop: any EventLoop

    private let channel: any Channel
    private let handler: NIOLoopBound<MySQLChannelHandler>
    private let isBusy = NIOLockedValueBox(false)
    private let configuration: MySQLConfiguration

    private init(_ opened: Connector.Opened, _ configuration: MySQLConfiguration, eventLoop: any EventLoop) {
        server = opened.server
        channel = opened.channel
        handler = opened.handler
        self.configuration = configuration
        self.eventLoop = eventLoop
    }

    deinit {
        let handler = handler
        eventLoop.execute { handler.value.quit() }
    }

    /// Connects, encrypts, authenticates, runs `sessionStatements`.
    public static func connect(
        _ configuration: MySQLConfiguration, on eventLoop: any EventLoop, logger: Logger = Logger(label: "mysql")
    ) async throws(MySQLError) -> MySQLConnection {
        do throws(MySQLError) {
            return try await open(configuration, on: eventLoop, logger: logger)
        } catch {
            var named = error.from(configuration.peerName)
            named.isLogin = true
            throw named
        }
    }

    private static func open(
        _ configuration: MySQLConfiguration, on eventLoop: any EventLoop, logger: Logger
    ) async throws(MySQLError) -> MySQLConnection {
        try configuration.check()
        let tls = try TLSSetup(configuration.tls, address: configuration.address)
        let connector = Connector(configuration: configuration, eventLoop: eventLoop, tls: tls)
        let connection = MySQLConnection(
            try await connector.connect().get(), configuration, eventLoop: eventLoop)
        logger.debug(
            "connected",
            metadata: [
                "address": "\(configuration.address)", "server": "\(connection.server.version)",
                "connection": "\(connection.server.connectionID)", "tls": "\(connection.server.tlsVersion ?? "none")",
            ])
        for statement in configuration.sessionStatements {
            do {
                try await connection.query(statement, timeout: configuration.connectTimeout)
            } catch {
                await connection.close()
                throw error
            }
        }
        return connection
    }

    /// Runs one text statement and collects all of its rows. For results that may be large use `stream`.
    /// `timeout` is for the whole statement; the connection is closed when it is over.
    @discardableResult
    public func query(_ sql: String, timeout: Duration? = nil) async throws(MySQLError) -> MySQLResult {
        try await collect(Command.query(sql), label: statementLabel(sql.utf8, count: sql.utf8.count), nil, timeout)
    }
    /// The same for a statement whose bytes are not all UTF-8.
    @discardableResult
    public func query(_ sql: ByteBuffer, timeout: Duration? = nil) async throws(MySQLError) -> MySQLResult {
        try await collect(
            Command.query(sql), label: statementLabel(sql.readableBytesView, count: sql.readableBytes), nil, timeout)
    }

    /// Prepares, executes with parameters, closes the statement; values come back as text-protocol-like bytes.
    @discardableResult
    public func execute(
        prepared sql: String, _ parameters: [MySQLParameter], timeout: Duration? = nil
    ) async throws(MySQLError) -> MySQLResult {
        try await collect(
            Command.prepare(sql), label: statementLabel(sql.utf8, count: sql.utf8.count),
            Collector.Prepared(parameters: parameters, statement: nil), timeout)
    }

    private func collect(
        _ payload: ByteBuffer, label: String, _ prepared: Collector.Prepared?, _ timeout: Duration?
    ) async throws(MySQLError) -> MySQLResult {
        try acquire()
        defer { release() }
        let limits = limits(timeout)
        let result: CollectedResult = try await perform { handler, promise in
            handler.collect(payload, what: label, prepared: prepared, limits: limits, promise: promise)
        }.get()
        return try result.decoded(binary: prepared != nil)
    }

    /// Streams a text result. `body` pulls; while it does not, the server is held back (nothing is read).
    /// Leaving `body` before `next` has returned nil closes the connection.
    public func stream<Output: Sendable>(
        _ sql: String, _ body: (MySQLRowStream) async throws -> Output
    ) async throws -> Output {
        try acquire()
        defer { release() }
        let payload = Command.query(sql)
        let label = statementLabel(sql.utf8, count: sql.utf8.count)
        let limits = limits(nil)
        let start = eventLoop.makePromise(of: NIOLoopBound<RowPipe>.self)
        let columns: [MySQLColumn]
        do {
            columns = try await perform { handler, promise in
                let pipe = RowPipe(head: promise)
                start.succeed(NIOLoopBound(pipe, eventLoop: promise.futureResult.eventLoop))
                handler.stream(payload, what: label, limits: limits, pipe: pipe)
            }.get()
        } catch {
            start.fail(error)
            throw error
        }
        let pipe = try await start.futureResult.get()
        let stream = MySQLRowStream(columns: columns, pipe: pipe, connection: self)
        do {
            let output = try await body(stream)
            await leave(pipe)
            return output
        } catch {
            await leave(pipe)
            throw error
        }
    }

    private func leave(_ pipe: NIOLoopBound<RowPipe>) async {
        let handler = handler
        _ = await outcome(of: eventLoop.submit { handler.value.leave(pipe.value) })
    }

    func next(_ pipe: NIOLoopBound<RowPipe>) async throws(MySQLError) -> MySQLRowBatch? {
        try await perform { handler, promise in handler.nextRows(pipe.value, promise: promise) }.get()
    }

    /// Runs LOAD DATA LOCAL INFILE; the server's request is answered from `body`, which writes with backpressure. An error
    /// thrown by `body` ends the file early and closes the connection (the transaction is rolled back by the server:
    /// run it inside one).
    public func loadDataLocal(
        _ sql: String, _ body: (MySQLLocalWriter) async throws -> Void
    ) async throws -> MySQLOK {
        try acquire()
        defer { release() }
        let payload = Command.query(sql)
        let label = statementLabel(sql.utf8, count: sql.utf8.count)
        let limits = limits(nil)
        let bound = eventLoop.makePromise(of: NIOLoopBound<FileUpload>.self)
        do {
            let _: Void = try await perform { handler, promise in
                let upload = FileUpload(start: promise)
                bound.succeed(NIOLoopBound(upload, eventLoop: promise.futureResult.eventLoop))
                handler.load(payload, what: label, limits: limits, upload: upload)
            }.get()
        } catch {
            bound.fail(error)
            throw error
        }
        let upload = try await bound.futureResult.get()
        do {
            try await body(MySQLLocalWriter(upload: upload, connection: self))
        } catch {
            await abort(MySQLError(.connectionClosed, "The connection was closed, since the file to load broke off."))
            throw error
        }
        return try await perform { handler, promise in
            handler.finishUpload(upload.value, promise: promise)
        }.get()
    }

    func write(_ bytes: ByteBuffer, to upload: NIOLoopBound<FileUpload>) async throws(MySQLError) {
        try await perform { handler, promise in
            handler.upload(bytes, to: upload.value, promise: promise)
        }.get()
    }

    /// Registers as a replica (if `serverID` is new) and starts a dump. The connection can do nothing else after that.
    /// Heartbeats are asked for with `@source_heartbeat_period`/`@master_heartbeat_period`, checksums with
    /// `@source_binlog_checksum`/`@master_binlog_checksum`: the caller sets both by `query` before.
    /// MariaDB has no dump by GTID set in MySQL's form: `.usage`.
    public func binlogStream(
        from start: BinlogStart, serverID: UInt32, nonBlocking: Bool = false
    ) async throws(MySQLError) -> MySQLBinlogStream {
        let dump = try dumpCommand(start, serverID: serverID, nonBlocking: nonBlocking)
        try acquire()
        // Not released: nothing else can run on this connection from here on.
        let limits = limits(nil)
        let eventLoop = eventLoop
        let bound = eventLoop.makePromise(of: NIOLoopBound<EventPipe>.self)
        let started: Result<Void, MySQLError> = await perform { handler, promise in
            let pipe = EventPipe(start: promise, dump: dump)
            bound.succeed(NIOLoopBound(pipe, eventLoop: promise.futureResult.eventLoop))
            handler.dump(serverID: serverID, limits: limits, pipe: pipe)
        }
        if let error = started.failure {
            bound.fail(error)
            release()
            throw error
        }
        return MySQLBinlogStream(pipe: try await outcome(of: bound.futureResult).get(), connection: self)
    }

    private func dumpCommand(
        _ start: BinlogStart, serverID: UInt32, nonBlocking: Bool
    ) throws(MySQLError) -> ByteBuffer {
        switch start {
        case .gtids(let set):
            guard !server.isMariaDB else {
                throw MySQLError(.usage, "MariaDB has no binlog dump by MySQL's GTIDs.", cure: "Use file and offset.")
            }
            return Command.dump(executed: set.encodedForDump(), serverID: serverID, nonBlocking: nonBlocking)
        case .coordinates(let coordinates):
            guard let offset = UInt32(exactly: coordinates.offset) else {
                throw MySQLError(
                    .usage, "A dump can't start at \(coordinates): the protocol has 32 bits for the offset.",
                    cure: "Start by GTID, or at the beginning of a file.")
            }
            return Command.dump(
                file: coordinates.file, offset: offset, serverID: serverID, nonBlocking: nonBlocking)
        }
    }

    func next(_ pipe: NIOLoopBound<EventPipe>, timeout: Duration?) async throws(MySQLError) -> [[UInt8]]? {
        try await perform { handler, promise in
            handler.nextEvents(pipe.value, timeout: timeout, promise: promise)
        }.get()
    }

    /// Is the connection open as far as is known?
    public var isOpen: Bool { channel.isActive }

    /// Sends COM_QUIT and closes. Never throws, never hangs.
    public func close() async {
        let handler = handler
        eventLoop.execute { handler.value.quit() }
        _ = await outcome(of: channel.closeFuture)
    }

    private func abort(_ error: MySQLError) async {
        let handler = handler
        _ = await outcome(of: eventLoop.submit { handler.value.abort(error) })
    }

    // MARK: One call at a time

    private func acquire() throws(MySQLError) {
        let wasFree = isBusy.withLockedValue { busy in
            defer { busy = true }
            return !busy
        }
        guard wasFree else {
            throw MySQLError(
                .usage, "The connection is busy with another call.",
                cure: "Await each call before the next, or use another connection.")
        }
    }

    private func release() { isBusy.withLockedValue { $0 = false } }

    private func limits(_ timeout: Duration?) -> StatementLimits {
        StatementLimits(idle: timeout == nil ? configuration.queryTimeout : nil, total: timeout)
    }

    /// Runs `start` on the event loop with a promise that it keeps exactly once, and waits; a cancelled wait closes the
    /// connection, which fails the promise.
    private func perform<T: Sendable>(
        _ start: @escaping @Sendable (MySQLChannelHandler, EventLoopPromise<T>) -> Void
    ) async -> Result<T, MySQLError> {
        let promise = eventLoop.makePromise(of: T.self)
        let isOver = NIOLockedValueBox(false)
        let isCancelled = NIOLockedValueBox(false)
        let handler = handler
        let eventLoop = eventLoop
        let configuration = configuration
        promise.futureResult.whenComplete { _ in isOver.withLockedValue { $0 = true } }
        let cancelled = MySQLError(.cancelled, "The call was cancelled, and the connection is closed.")
        return await withTaskCancellationHandler {
            eventLoop.execute {
                guard !isCancelled.withLockedValue(\.self) else {
                    handler.value.abort(cancelled)
                    return promise.fail(cancelled)
                }
                start(handler.value, promise)
            }
            return await outcome(of: promise.futureResult).mapError { $0.from(configuration.peerName) }
        } onCancel: {
            isCancelled.withLockedValue { $0 = true }
            eventLoop.execute {
                // A call that is over no longer owns the connection.
                if !isOver.withLockedValue(\.self) { handler.value.abort(cancelled) }
            }
        }
    }
}
