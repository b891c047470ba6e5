import NIOCore
import NIOPosix

/// What the connections of one proxy share. Lives on one event loop.
final class ProxyPath {
    private let host: String
    private let port: Int
    var struck: (String) -> Void = { _ in }
    private var random: SplitMix64
    private var links: [ObjectIdentifier: ProxyLink] = [:]
    private var armed: [Armed] = []
    /// Directions in which the whole path stands still.
    private var stalled: Set<NetworkFault.Direction> = []
    private var halved: Set<NetworkFault.Direction> = []

    private struct Armed {
        var fault: NetworkFault
        /// Bytes or requests that still pass.
        var left: Int
    }

    init(host: String, port: Int, seed: UInt64) {
        self.host = host
        self.port = port
        random = SplitMix64(state: seed)
    }

    // MARK: Orders

    func arm(_ fault: NetworkFault) {
        let isRequest = fault.kind == .loseAnswer || fault.kind == .loseRequest
        armed.append(Armed(fault: fault, left: isRequest ? fault.passing - 1 : fault.afterBytes))
    }

    func release() {
        armed = []
        stalled = []
        halved = []
        for link in links.values { link.release() }
    }

    func cutAll(reset: Bool) {
        for link in links.values { link.cut(reset: reset) }
    }

    // MARK: Connections

    func accept(_ client: any Channel) {
        let link = ProxyLink(path: self, client: client)
        links[ObjectIdentifier(link)] = link
        link.stalled = stalled
        let bound = NIOLoopBound(link, eventLoop: client.eventLoop)
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port)
            .whenComplete { result in
                switch result {
                case .success(let server): bound.value.open(server)
                // Nobody listens there: what a client of the server itself would hear is a reset, too.
                case .failure: bound.value.cut(reset: true)
                }
            }
    }

    func forget(_ link: ProxyLink) { links[ObjectIdentifier(link)] = nil }

    // MARK: Bytes

    /// What becomes of bytes that have arrived.
    enum Verdict {
        /// Passed on, in these pieces.
        case pass([ByteBuffer])
        /// Passed on, then the link or all of them are cut.
        case passAndCut(ByteBuffer, reset: Bool, all: Bool)
        /// Passed on; nothing more until released.
        case passAndStall(ByteBuffer, rest: ByteBuffer)
        /// Passed on; the answer to it is not.
        case passAndLoseAnswer(ByteBuffer, NetworkFault)
    }

    func judge(_ bytes: ByteBuffer, _ direction: NetworkFault.Direction, _ link: ProxyLink) -> Verdict {
        for index in armed.indices {
            let fault = armed[index].fault
            switch fault.kind {
            case .loseAnswer, .loseRequest:
                guard direction == .toServer, Self.contains(bytes, fault.request) else { continue }
                guard armed[index].left == 0 else {
                    armed[index].left -= 1
                    continue
                }
                armed.remove(at: index)
                if fault.kind == .loseAnswer { return .passAndLoseAnswer(bytes, fault) }
                struck(fault.description)
                return .passAndCut(bytes, reset: true, all: false)
            case .reset, .finish, .stall, .halve:
                guard direction == fault.direction else { continue }
                guard armed[index].left < bytes.readableBytes else {
                    armed[index].left -= bytes.readableBytes
                    continue
                }
                let left = armed[index].left
                armed.remove(at: index)
                return strike(fault, bytes, left, link)
            }
        }
        return .pass(halved.contains(direction) ? pieces(bytes) : [bytes])
    }

    private func strike(_ fault: NetworkFault, _ bytes: ByteBuffer, _ left: Int, _ link: ProxyLink) -> Verdict {
        struck(fault.description)
        var rest = bytes
        let head = rest.readSlice(length: left) ?? ByteBuffer()
        switch fault.kind {
        case .stall:
            if fault.all {
                stalled.insert(fault.direction)
                for other in links.values { other.stalled.insert(fault.direction) }
            } else {
                link.stalled.insert(fault.direction)
            }
            return .passAndStall(head, rest: rest)
        case .halve:
            halved.insert(fault.direction)
            return .pass(pieces(bytes))
        default:
            return .passAndCut(head, reset: fault.kind == .reset, all: fault.all)
        }
    }

    /// A few bytes each, so that every length and every packet is cut somewhere; of much data only its beginning, since each
    /// piece is a system call.
    private func pieces(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var rest = bytes
        var pieces: [ByteBuffer] = []
        while pieces.count < 40, let piece = rest.readSlice(length: min(Int.random(in: 1...9, using: &random), rest.readableBytes)),
            piece.readableBytes > 0
        {
            pieces.append(piece)
        }
        if rest.readableBytes > 0 { pieces.append(rest) }
        return pieces
    }

    private static func contains(_ bytes: ByteBuffer, _ text: String?) -> Bool {
        guard let text else { return true }
        let wanted = Array(text.utf8)
        // A request of this length leaves its client in one write and comes in one read.
        return bytes.readableBytesView.firstRange(of: wanted) != nil
    }
}
