import NIOCore
import NIOSSL
import NIOTLS

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Drives the connection's state machine: bytes in, packets out, callers resumed. Lives on the event loop.
final class MySQLChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var machine: ConnectionStateMachine<Operation>
    var framer = PacketFramer()
    var context: ChannelHandlerContext?
    let peer: String
    let tls: TLSSetup?
    /// Filled while starting.
    var serverInfo: MySQLServerInfo?
    /// The server's certificate was refused: worth a diagnosis.
    var refusal: TLSFailure.Refusal?
    var watch = ActivityWatch()
    /// The rest of a large command.
    var outbox = Outbox()
    var isSendingPieces = false
    private var isReading = false
    /// The error of a TLS or socket handler that came just before the channel closed.
    var lastError: MySQLError?

    init(startup: StartupMachine.Settings, tls: TLSSetup?, peer: String, promise: EventLoopPromise<Void>) {
        machine = ConnectionStateMachine(startup: startup, context: .startup(promise))
        self.tls = tls
        self.peer = peer
        framer.limit = 1 << 20
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { readIfWanted() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connectionLost()
        watch.stop()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        readIfWanted()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.touch()
        framer.append(unwrapInboundIn(data))
        do throws(MySQLError) {
            try process()
        } catch {
            abort(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        readIfWanted()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connectionLost()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch.touch()
        if context.channel.isWritable {
            sendPieces()
            if case .file(let upload) = machine.current { upload.socketIsWritable() }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            run(machine.tlsEstablished())
            readIfWanted()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if machine.isStarting, let failure = TLSFailure(error, peer: peer) {
            refusal = failure.refusal
            abort(failure.error)
        } else {
            abort(MySQLError(.connectionClosed, "The connection to \(peer) was lost (\(ioErrorText(error)))."))
        }
    }

    // MARK: Reading

    private func process() throws(MySQLError) {
        while !machine.isClosed {
            var atControl = true
            switch machine.framing {
            case .packets: break
            case .rows:
                var batch = MySQLRowBatch(bytes: ByteBuffer(), rowEnds: [])
                batch.bytes.reserveCapacity(framer.bufferedBytes)
                atControl = try framer.readRows(into: &batch)
                deliver(batch)
            case .events:
                var events: [[UInt8]] = []
                atControl = try framer.readEvents(into: &events)
                if !events.isEmpty, case .dump(let pipe) = machine.current { pipe.offer(events) }
            }
            guard atControl, let packet = try framer.nextPacket() else { return }
            guard outbox.isEmpty else { throw Self.answeredEarly(packet) }
            try handle(machine.received(packet))
        }
    }

    /// The server gave up on a command before it had all of it (1153: too large): it closes then, and what is left of the
    /// command must not be taken for another.
    private static func answeredEarly(_ packet: ByteBuffer) -> MySQLError {
        let isError = packet.getInteger(at: packet.readerIndex, as: UInt8.self) == 0xFF
        return isError ? MySQLError(decodingServerError: packet) : .malformed("an answer before the end of the command")
    }

    private func deliver(_ batch: MySQLRowBatch) {
        guard batch.bytes.readableBytes > 0 || !batch.rowEnds.isEmpty else { return }
        switch machine.current {
        case .collect(let collector): collector.rows(batch)
        case .stream(let pipe): pipe.offer(batch)
        default: break
        }
    }

    /// Asks for bytes, unless the caller holds the server back.
    func readIfWanted() {
        guard let context, !isReading, wantsBytes else { return }
        isReading = true
        context.read()
    }

    var wantsBytes: Bool {
        switch machine.current {
        case .stream(let pipe): pipe.buffer.wantsMore
        // An event is handed out whole: what has come of the next one counts as waiting too.
        case .dump(let pipe): pipe.buffer.wants(more: framer.eventBytes)
        default: true
        }
    }

    // MARK: What the machine says

    private func handle(_ received: ConnectionStateMachine<Operation>.Received) throws(MySQLError) {
        switch received {
        case .wait: break
        case .startup(let action): run(action)
        case .authenticated(let operation):
            framer.limit = PacketFramer.payloadMax
            serverInfo?.tlsVersion = tlsVersion
            if case .startup(let promise) = operation { promise.succeed(()) }
        case .head(let columns): head(columns)
        case .prepared(let statement, let parameters): prepared(statement, parameters: parameters)
        case .sendFile:
            if case .file(let upload) = machine.current { upload.start.succeed(()) }
        case .finished(let operation, let ok): finished(operation, ok)
        case .failed(let operation, let error):
            watch.stop()
            if case .collect(let collector) = operation { closeStatement(of: collector) }
            operation.fail(error)
        case .broken(let operation, let error, let reply):
            if let reply { send(reply) }
            lastError = error
            closeNow()
            operation?.fail(error)
        }
    }

    private func head(_ columns: [MySQLColumn]) {
        switch machine.current {
        case .collect(let collector): collector.head(columns)
        case .stream(let pipe):
            pipe.hasHead = true
            pipe.head.succeed(columns)
        case .file:
            abort(MySQLError(.usage, "The statement given as LOAD DATA LOCAL returned rows."))
        default: break
        }
    }

    private func finished(_ operation: Operation, _ ok: MySQLOK) {
        watch.stop()
        switch operation {
        case .startup: break
        case .collect(let collector):
            closeStatement(of: collector)
            collector.finish(ok)
        case .stream(let pipe): pipe.finish(.success(()))
        case .file(let upload):
            if let result = upload.result {
                result.succeed(ok)
            } else {
                upload.fail(
                    MySQLError(
                        .usage, "The server ran the statement without asking for a file.",
                        cure: "Only LOAD DATA LOCAL INFILE reads one."))
            }
        case .dump(let pipe):
            guard !pipe.isDumping else { return pipe.finish(.success(())) }
            pipe.isDumping = true
            begin(.events, pipe.dump, what: "a binlog dump", limits: StatementLimits(), operation)
            pipe.start.succeed(())
        }
    }

    private var tlsVersion: String? {
        guard let handler = try? context?.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self) else {
            return nil
        }
        return switch handler.tlsVersion {
        case .tlsv12: "TLSv1.2"
        case .tlsv13: "TLSv1.3"
        case let version: version.map { String(describing: $0) }
        }
    }

    private func run(_ action: StartupMachine.Action) {
        if serverInfo == nil, let handshake = machine.handshake {
            serverInfo = MySQLServerInfo(
                version: handshake.version, connectionID: handshake.connectionID, isMariaDB: handshake.isMariaDB,
                tlsVersion: nil, tlsCipher: nil)
        }
        switch action {
        case .wait, .authenticated: break
        case .send(let payload):
            send(payload)
        case .startTLS(let request):
            startTLS(request)
        case .fail(let error):
            abort(error)
        }
    }

    private func startTLS(_ request: ByteBuffer) {
        guard let context, let tls else { return }
        guard framer.bufferedBytes == 0 else { return abort(StartupMachine.earlyBytes) }
        send(request)
        do {
            try context.pipeline.syncOperations.addHandler(tls.makeHandler(), position: .first)
        } catch {
            let failure = TLSFailure(error, peer: peer)
            abort(failure?.error ?? MySQLError(.tls, "TLS could not be started (\(ioErrorText(error)))."))
        }
    }

    // MARK: Ends

    private func connectionLost() {
        abort(lastError ?? MySQLError(.connectionClosed, "\(peer) closed the connection."))
    }

    /// Ends the connection; who waits gets the error.
    func abort(_ error: MySQLError) {
        guard let (operation, told) = machine.close(error) else { return }
        lastError = error
        // Closed before the caller is told, so that it sees a closed connection.
        closeNow()
        operation?.fail(told)
    }

    /// Closes beneath TLS: no farewell is exchanged, nothing can make it wait.
    func closeNow() {
        watch.stop()
        outbox.clear()
        guard let context else { return }
        if let tlsContext = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tlsContext.close(mode: .all, promise: nil)
        } else {
            context.close(mode: .all, promise: nil)
        }
    }

    // MARK: Writing

    /// Sends a command: packet numbers begin again.
    func sendCommand(_ payload: ByteBuffer) {
        framer.sequence = 0
        send(payload)
    }
}

/// A socket's error without the file and line that NIO adds.
func ioErrorText(_ error: any Error) -> String {
    // NIO's own description names its system call too.
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
    return String(describing: error)
}
