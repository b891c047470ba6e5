import NIOCore
import NIOPosix

/// A network path to one server on 127.0.0.1: passes bytes both ways, TLS or not, until a fault is ordered.
///
/// `log` has a line for every fault that struck; whoever waits for one waits for its line. Nothing here waits for a clock.
package final class FaultProxy: Sendable {
    package let port: Int
    /// What struck, in words.
    package let log = LineLog()
    private let listener: any Channel
    private let path: NIOLoopBound<ProxyPath>
    private let loop: any EventLoop

    private init(listener: any Channel, port: Int, path: NIOLoopBound<ProxyPath>, loop: any EventLoop) {
        self.listener = listener
        self.port = port
        self.path = path
        self.loop = loop
    }

    /// - Parameter seed: of the lengths that packets are halved to.
    package static func start(host: String, port: Int, seed: UInt64) async throws -> FaultProxy {
        // One loop for all channels: what they share needs no lock.
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let path = try await loop.submit {
            NIOLoopBound(ProxyPath(host: host, port: port, seed: seed), eventLoop: loop)
        }.get()
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                path.value.accept(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let own = listener.localAddress?.port else { throw TestingError("a proxy has no port") }
        let proxy = FaultProxy(listener: listener, port: own, path: path, loop: loop)
        let log = proxy.log
        try await loop.submit { path.value.struck = { log.append($0) } }.get()
        return proxy
    }

    /// Orders a fault. Several may wait at once.
    package func arm(_ fault: NetworkFault) async throws {
        try await loop.submit { [path] in path.value.arm(fault) }.get()
    }

    /// Ends every stall and halving, and forgets what was armed and has not struck.
    package func release() async throws {
        try await loop.submit { [path] in path.value.release() }.get()
    }

    /// Cuts every connection now.
    package func cut(reset: Bool) async throws {
        try await loop.submit { [path] in path.value.cutAll(reset: reset) }.get()
    }

    /// Waits until the fault has struck, from line `from` of the log on.
    package func struck(_ fault: NetworkFault, from: Int = 0, within limit: Duration = .seconds(60)) async throws {
        let (log, text) = (log, fault.description)
        let line = try await withTimeLimit(limit, "did not strike: \(text)") { try await log.first(from: from) { $0 == text } }
        if line == nil { throw TestingError("the proxy was closed before it struck: \(text)") }
    }

    package func close() async throws {
        try await listener.close()
        try await cut(reset: true)
        log.end()
    }
}

/// Runs `body` with a path to each of two servers.
package func withProxies<Output>(
    source: TestServer, target: TestServer, seed: UInt64, _ body: (_ source: FaultProxy, _ target: FaultProxy) async throws -> Output
) async throws -> Output {
    let first = try await FaultProxy.start(host: source.host, port: source.port, seed: seed)
    let second = try await FaultProxy.start(host: target.host, port: target.port, seed: seed &+ 1)
    let output: Output
    do { output = try await body(first, second) } catch {
        // The body's error is the one to tell.
        try? await first.close()
        try? await second.close()
        throw error
    }
    try await first.close()
    try await second.close()
    return output
}
