import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// Opens one connection: socket, TLS, login.
struct Connector: Sendable {
    let configuration: MySQLConfiguration
    let eventLoop: any EventLoop
    let tls: TLSSetup?

    typealias Opened = (channel: any Channel, handler: NIOLoopBound<MySQLChannelHandler>, server: MySQLServerInfo)

    private enum Stage {
        case pending
        case givenUp
        case opened(any Channel, NIOLoopBound<MySQLChannelHandler>)
    }

    func connect() async -> Result<Opened, MySQLError> {
        let ready = eventLoop.makePromise(of: Void.self)
        let stage = NIOLockedValueBox(Stage.pending)
        let limit = configuration.connectTimeout
        let deadline = eventLoop.scheduleTask(in: TimeAmount(limit)) { giveUp(ready, stage, timeout(limit)) }
        ready.futureResult.whenComplete { _ in deadline.cancel() }
        let candidates = Candidates([:])
        let bootstrap = bootstrap.channelInitializer { channel in prepare(channel, candidates) }
        let connecting: EventLoopFuture<any Channel> =
            switch configuration.address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connecting.whenComplete { result in
            switch result {
            case .failure(let error): giveUp(ready, stage, refusal(error))
            case .success(let channel): install(channel, candidates, ready, stage)
            }
        }
        let end = await withTaskCancellationHandler {
            await outcome(of: ready.futureResult)
        } onCancel: {
            giveUp(ready, stage, MySQLError(.cancelled, "Connecting to \(configuration.address) was cancelled."))
        }
        guard case .opened(let channel, let handler) = stage.withLockedValue(\.self) else {
            return .failure(
                end.failure ?? MySQLError(.connectionClosed, "The connection was lost while it was opened."))
        }
        if let error = end.failure { return .failure(await diagnosed(error, handler)) }
        return await serverInfo(handler).map { (channel, handler, $0) }
    }

    /// A socket that may become the connection: a name with several addresses is tried at several at once.
    private struct Candidate: Sendable {
        let handler: NIOLoopBound<MySQLChannelHandler>
        /// The end of this socket's login.
        let end: EventLoopFuture<Void>
    }

    private typealias Candidates = NIOLockedValueBox<[ObjectIdentifier: Candidate]>

    /// The handler is there before the socket is open: a server that refuses and closes at once (error 1040, too many connections)
    /// is heard to the end.
    private func prepare(_ channel: any Channel, _ candidates: Candidates) -> EventLoopFuture<Void> {
        let end = channel.eventLoop.makePromise(of: Void.self)
        let handler = makeHandler(end)
        let candidate = Candidate(handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), end: end.futureResult)
        candidates.withLockedValue { $0[ObjectIdentifier(channel)] = candidate }
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            end.fail(error)
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    /// The socket is open: what its handler comes to is the connection's.
    private func install(
        _ channel: any Channel, _ candidates: Candidates, _ ready: EventLoopPromise<Void>, _ stage: NIOLockedValueBox<Stage>
    ) {
        guard let candidate = candidates.withLockedValue({ $0[ObjectIdentifier(channel)] }) else {
            ready.fail(MySQLError(.connect, "\(configuration.address) closed the connection as soon as it was open."))
            return channel.close(promise: nil)
        }
        let isWanted = stage.withLockedValue { stage in
            guard case .pending = stage else { return false }
            stage = .opened(channel, candidate.handler)
            return true
        }
        guard isWanted else { return channel.close(promise: nil) }
        candidate.end.cascade(to: ready)
    }

    private func giveUp(_ ready: EventLoopPromise<Void>, _ stage: NIOLockedValueBox<Stage>, _ error: MySQLError) {
        ready.fail(error)
        let handler: NIOLoopBound<MySQLChannelHandler>? = stage.withLockedValue { stage in
            switch stage {
            case .opened(_, let handler): return handler
            case .pending, .givenUp:
                stage = .givenUp
                return nil
            }
        }
        guard let handler else { return }
        eventLoop.execute { handler.value.abort(error) }
    }

    private func serverInfo(_ handler: NIOLoopBound<MySQLChannelHandler>) async -> Result<MySQLServerInfo, MySQLError> {
        let future = eventLoop.submit { handler.value.serverInfo }
        return await outcome(of: future).flatMap { info in
            info.map { .success($0) } ?? .failure(.malformed("a handshake"))
        }
    }

    private func diagnosed(_ error: MySQLError, _ handler: NIOLoopBound<MySQLChannelHandler>) async -> MySQLError {
        guard error.code == .tls, tls?.inspect == nil,
            case .success(let refusal?) = await outcome(of: eventLoop.submit { handler.value.refusal })
        else { return error }
        return await TLSDiagnosis(connector: self).explain(error, refusal)
    }

    private var bootstrap: ClientBootstrap {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(ChannelOptions.autoRead, value: false)
            .channelOption(ChannelOptions.maxMessagesPerRead, value: 1)
            .channelOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1 << 12, initial: 1 << 16, maximum: 1 << 20)
            )
            .channelOption(
                ChannelOptions.writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 18, high: 1 << 20)
            )
        guard case .tcp = configuration.address else { return bootstrap }
        return
            bootstrap
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .keepAliveTimes()
    }

    private func makeHandler(_ ready: EventLoopPromise<Void>) -> MySQLChannelHandler {
        let isLocal = if case .unix = configuration.address { true } else { false }
        let settings = StartupMachine.Settings(
            username: configuration.username, password: Secret(configuration.password),
            database: configuration.database,
            tls: tls != nil, isLocalSocket: isLocal, allowPublicKeyRetrieval: configuration.allowPublicKeyRetrieval,
            foundRows: configuration.foundRows, attributes: [("_client_name", "MySQLWire")])
        return MySQLChannelHandler(
            startup: settings, tls: tls, peer: configuration.address.description, promise: ready)
    }

    private func timeout(_ limit: Duration) -> MySQLError {
        MySQLError(
            .timeout, "\(configuration.address) did not complete the login within \(limit).",
            cure: "Check host, port, firewall and the server's load.")
    }

    private func refusal(_ error: any Error) -> MySQLError {
        let reason =
            switch error {
            case let error as NIOConnectionError: connectionErrorText(error)
            case is ChannelError: "timed out"
            default: ioErrorText(error)
            }
        return MySQLError(
            .connect, "Can't connect to \(configuration.address): \(reason).",
            cure: "Check the address, that the server runs and listens there, and the firewall.")
    }

    private func connectionErrorText(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first { return ioErrorText(first.error) }
        if let lookup = error.dnsAError ?? error.dnsAAAAError {
            return "the name can't be resolved\(resolverText(lookup))"
        }
        return "no address to try"
    }

    /// The resolver's own words.
    private func resolverText(_ error: any Error) -> String {
        guard let error = error as? SocketAddressError.UnknownHost else { return " (\(ioErrorText(error)))" }
        return " (\(error.errorDescription.lowercased()))"
    }
}

extension ClientBootstrap {
    /// A peer that vanished without a word is noticed after about a minute (the system's default is two hours).
    fileprivate func keepAliveTimes() -> ClientBootstrap {
        #if os(Linux)
            // TCP_KEEPIDLE, TCP_KEEPINTVL (seconds), TCP_KEEPCNT of <netinet/tcp.h>.
            return channelOption(ChannelOptions.tcpOption(NIOBSDSocket.Option(rawValue: 4)), value: 30)
                .channelOption(ChannelOptions.tcpOption(NIOBSDSocket.Option(rawValue: 5)), value: 10)
                .channelOption(ChannelOptions.tcpOption(NIOBSDSocket.Option(rawValue: 6)), value: 3)
        #else
            return self
        #endif
    }
}

/// A future's end as a result that this module's callers can read.
func outcome<T: Sendable>(of future: EventLoopFuture<T>) async -> Result<T, MySQLError> {
    do {
        return .success(try await future.get())
    } catch let error as MySQLError {
        return .failure(error)
    } catch {
        return .failure(MySQLError(.connectionClosed, "The connection was lost (\(ioErrorText(error)))."))
    }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
