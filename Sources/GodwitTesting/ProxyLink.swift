import NIOCore

/// One client's connection and the one made for it to the server. A side is read again once the other has taken what was read,
/// so the proxy holds no more than one read of each.
final class ProxyLink {
    private let path: ProxyPath
    private let client: any Channel
    private var server: (any Channel)?
    var stalled: Set<NetworkFault.Direction> = []
    /// What came in when a stall struck.
    private var held: [NetworkFault.Direction: ByteBuffer] = [:]
    /// Reads that a stall has put off.
    private var owed: Set<NetworkFault.Direction> = []
    private var losesAnswer: NetworkFault?
    private var isCut = false

    init(path: ProxyPath, client: any Channel) {
        self.path = path
        self.client = client
    }

    func open(_ server: any Channel) {
        guard !isCut else {
            server.close(promise: nil)
            return
        }
        self.server = server
        do {
            try client.pipeline.syncOperations.addHandler(ProxyRelay(link: self, direction: .toServer))
            try server.pipeline.syncOperations.addHandler(ProxyRelay(link: self, direction: .fromServer))
        } catch {
            // A side has gone meanwhile.
            cut(reset: true)
            return
        }
        read(.toServer)
        read(.fromServer)
    }

    private func read(_ direction: NetworkFault.Direction) {
        guard !isCut else { return }
        guard !stalled.contains(direction) else {
            owed.insert(direction)
            return
        }
        (direction == .toServer ? client : server)?.read()
    }

    func release() {
        stalled = []
        let (bytes, reads) = (held, owed)
        held = [:]
        owed = []
        for (direction, buffer) in bytes { received(buffer, direction) }
        for direction in reads where bytes[direction] == nil { read(direction) }
    }

    func received(_ bytes: ByteBuffer, _ direction: NetworkFault.Direction) {
        guard !isCut else { return }
        if direction == .fromServer, let fault = losesAnswer {
            path.struck(fault.description)
            cut(reset: true)
            return
        }
        if stalled.contains(direction) {
            held[direction, default: ByteBuffer()].writeImmutableBuffer(bytes)
            return
        }
        switch path.judge(bytes, direction, self) {
        case .pass(let pieces):
            write(pieces, direction) { $0.read(direction) }
        case .passAndLoseAnswer(let buffer, let fault):
            losesAnswer = fault
            write([buffer], direction) { $0.read(direction) }
        case .passAndStall(let head, let rest):
            held[direction] = rest
            write([head], direction) { _ in }
        case .passAndCut(let head, let reset, let all):
            write([head], direction) { link in
                if all { link.path.cutAll(reset: reset) } else { link.cut(reset: reset) }
            }
        }
    }

    private func write(
        _ pieces: [ByteBuffer], _ direction: NetworkFault.Direction, then next: @escaping (ProxyLink) -> Void
    ) {
        guard let receiver = direction == .toServer ? server : client else { return }
        for piece in pieces.dropLast() { receiver.writeAndFlush(piece, promise: nil) }
        receiver.writeAndFlush(pieces.last ?? ByteBuffer()).assumeIsolated().whenComplete { result in
            switch result {
            case .success: next(self)
            case .failure: self.cut(reset: true)
            }
        }
    }

    /// One side has ended by itself: so does the other.
    func ended() { cut(reset: false) }

    func cut(reset: Bool) {
        guard !isCut else { return }
        isCut = true
        path.forget(self)
        for channel in [client, server].compactMap({ $0 }) {
            // With a linger time of zero, close sends RST and throws away what was not sent. On this loop the option is set at once;
            // a channel that is closed already takes none.
            if reset, let socket = channel as? any SocketOptionProvider {
                _ = socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: Linger(isOn: 1, seconds: 0))
            }
            channel.close(promise: nil)
        }
    }
}

/// The C library's `struct linger`, which NIO passes on as it is but whose initialiser is not visible from here.
private struct Linger: Sendable {
    var isOn: CInt
    var seconds: CInt
}

/// Hands one side's bytes to the link.
private final class ProxyRelay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: ProxyLink
    private let direction: NetworkFault.Direction

    init(link: ProxyLink, direction: NetworkFault.Direction) {
        self.link = link
        self.direction = direction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { link.received(unwrapInboundIn(data), direction) }
    func channelInactive(context: ChannelHandlerContext) { link.ended() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { link.cut(reset: true) }
}
