import NIOCore
import NIOSSL
import NIOTLS

/// Reads a server's greeting and, with a TLS context, goes on to the end of the TLS handshake. It never logs in.
final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    struct Seen: Sendable {
        var greeting: ServerGreeting
        /// `TLSv1.3`; nil where no handshake was made.
        var tlsVersion: String?
        /// The leaf first.
        var chain: [[UInt8]] = []
    }
    /// The connection ended at a point where the server had still something to say.
    struct Ended: Error {}

    private let tls: NIOSSLContext?
    private let serverName: String?
    /// Every certificate is taken, for a report; false: the context decides.
    private let acceptsAny: Bool
    private let promise: EventLoopPromise<Seen>
    private var bytes: [UInt8] = []
    private var seen: Seen?
    private var ssl: NIOSSLClientHandler?

    init(tls: NIOSSLContext?, serverName: String?, acceptsAny: Bool, promise: EventLoopPromise<Seen>) {
        self.tls = tls
        self.serverName = serverName
        self.acceptsAny = acceptsAny
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard seen == nil else { return }
        bytes += unwrapInboundIn(data).readableBytesView
        guard let greeting = ServerGreeting(bytes) else { return }
        let seen = Seen(greeting: greeting)
        self.seen = seen
        guard let tls, case .handshake(_, offersTLS: true) = greeting else { return finish(seen, context) }
        do {
            context.writeAndFlush(NIOAny(ByteBuffer(bytes: ServerGreeting.tlsRequest)), promise: nil)
            let ssl = try makeTLS(tls, context.eventLoop)
            try context.pipeline.syncOperations.addHandler(ssl, position: .first)
            self.ssl = ssl
        } catch { fail(error, context) }
    }

    private func makeTLS(_ tls: NIOSSLContext, _ eventLoop: any EventLoop) throws -> NIOSSLClientHandler {
        guard acceptsAny else { return try NIOSSLClientHandler(context: tls, serverHostname: serverName) }
        let certificates = NIOLoopBoundBox([[UInt8]](), eventLoop: eventLoop)
        chain = certificates
        return try NIOSSLClientHandler(context: tls, serverHostname: serverName) {
            (chain: [NIOSSLCertificate], promise: EventLoopPromise<NIOSSLVerificationResult>) in
            certificates.value = chain.compactMap { try? $0.toDERBytes() }
            promise.succeed(.certificateVerified)
        }
    }
    private var chain: NIOLoopBoundBox<[[UInt8]]>?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event, var seen {
            seen.tlsVersion =
                switch ssl?.tlsVersion {
                case .tlsv13: "TLSv1.3"
                case .tlsv12: "TLSv1.2"
                case .tlsv11: "TLSv1.1"
                case .tlsv1: "TLSv1"
                default: nil
                }
            seen.chain = chain?.value ?? []
            finish(seen, context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }
    func channelInactive(context: ChannelHandlerContext) { promise.fail(Ended()) }

    private func finish(_ seen: Seen, _ context: ChannelHandlerContext) {
        promise.succeed(seen)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        promise.fail(error)
        context.close(promise: nil)
    }
}
