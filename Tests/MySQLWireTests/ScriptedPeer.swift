import NIOCore
import NIOPosix
import Synchronization

@testable import MySQLWire

/// Plays wire faults that no real server shows: sends prepared bytes, one step per message of the client.
/// (The databases of the tests are real ones.)
final class ScriptedPeer: Sendable {
    enum Step: Sendable {
        /// Payloads, as packets that begin with this number.
        case packets([ByteBuffer], first: UInt8)
        case raw(ByteBuffer)
        case close
    }

    /// The usual way to a connection that is logged in without TLS.
    static let login: [[Step]] = [
        [.packets([PacketBuilder.handshake()], first: 0)], [.packets([PacketBuilder.ok()], first: 2)],
    ]

    private let channel: any Channel
    /// What the client has sent, all of it.
    private let received: Received
    let port: Int

    private init(channel: any Channel, received: Received) {
        self.channel = channel
        self.received = received
        port = channel.localAddress?.port ?? 0
    }

    var bytesReceived: [UInt8] { received.bytes }

    /// `script[0]` is played on connection, each next one on the next bytes that come in.
    static func with<Output>(
        _ script: [[Step]], _ body: (ScriptedPeer, MySQLConfiguration) async throws -> Output
    ) async throws -> Output {
        let received = Received()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Player(script: script, received: received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let peer = ScriptedPeer(channel: channel, received: received)
        var configuration = MySQLConfiguration(
            address: .tcp(host: "127.0.0.1", port: peer.port), username: "u", password: "secret", tls: .disabled)
        // A machine on which everything else runs, too: what is slow shall not look like what is wrong.
        configuration.connectTimeout = .seconds(120)
        do {
            let output = try await body(peer, configuration)
            try await channel.close()
            return output
        } catch {
            try await channel.close()
            throw error
        }
    }

    private final class Received: Sendable {
        private let storage = Mutex<[UInt8]>([])
        var bytes: [UInt8] { storage.withLock { $0 } }
        func append(_ buffer: ByteBuffer) { storage.withLock { $0 += Array(buffer.readableBytesView) } }
    }

    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private var script: ArraySlice<[Step]>
        private let received: Received

        init(script: [[Step]], received: Received) {
            self.script = script[...]
            self.received = received
        }

        func channelActive(context: ChannelHandlerContext) { play(context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.append(unwrapInboundIn(data))
            play(context)
        }

        private func play(_ context: ChannelHandlerContext) {
            for step in script.popFirst() ?? [] {
                switch step {
                case .packets(let payloads, var sequence):
                    for payload in payloads {
                        for packet in PacketWriter.packets(payload, sequence: &sequence) {
                            context.write(wrapOutboundOut(packet), promise: nil)
                        }
                    }
                    context.flush()
                case .raw(let bytes): context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
                case .close: context.close(promise: nil)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
