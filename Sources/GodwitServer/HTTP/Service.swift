import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTLS
import Logging
import NIOCore
import SystemPackage

/// The running service: `godwit serve`.
package struct ControlService: Sendable {
    package struct Options: Sendable {
        package var host: String
        /// 0: any free one.
        package var port: Int
        package var state: FilePath
        package var masterKeyFile: FilePath?
        /// The operator's certificate chain and its key; nil: plain HTTP on loopback, a certificate of the service's own elsewhere.
        package var certificate: (chain: FilePath, key: FilePath)?

        package var isLoopback: Bool { Loopback.includes(host) }

        /// - Parameter listen: `127.0.0.1:8443` or `[::1]:8443`.
        package init(
            listen: String, state: FilePath, masterKeyFile: FilePath? = nil, certificate: FilePath? = nil, key: FilePath? = nil
        ) throws {
            guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]), (0...65_535).contains(port),
                colon != listen.startIndex
            else { throw ServerError("\(listen) is no address to listen on.", cure: "Write HOST:PORT, for example 127.0.0.1:8443.") }
            host = listen[..<colon].trimmingCharacters(in: ["[", "]"])
            self.port = port
            self.state = state
            self.masterKeyFile = masterKeyFile
            switch (certificate, key) {
            case (let chain?, let key?): self.certificate = (chain, key)
            case (nil, nil): break
            case (_?, nil): throw ServerError("--tls-cert needs its key.", cure: "Add --tls-key FILE.")
            case (nil, _?): throw ServerError("--tls-key needs its certificate.", cure: "Add --tls-cert FILE.")
            }
        }

        /// nil: plain HTTP.
        func tls() throws -> ListenerTLS? {
            if let certificate { return try .given(certificate: certificate.chain, key: certificate.key) }
            return isLoopback ? nil : try .generated(in: state, host: host)
        }
    }

    let options: Options
    let logger: Logger
    /// Called once with the address that is listened on, and with what else whoever started it must know.
    let listening: @Sendable (_ address: String, _ said: [String]) -> Void

    package init(options: Options, logger: Logger, listening: @escaping @Sendable (_ address: String, _ said: [String]) -> Void) {
        self.options = options
        self.logger = logger
        self.listening = listening
    }

    /// Runs until the task is cancelled; then every migration is stopped where it goes on at the next start.
    package func run() async throws {
        let store = try StateStore(folder: options.state, masterKeyFile: options.masterKeyFile)
        let lock = try FolderLock(options.state.appending("serve.lock"))
        defer { lock.release() }
        // Before any task runs: what is wrong with the listener is said first.
        let tls = try options.tls()
        let plane = ControlPlane(store: store, logger: logger)
        try await plane.open()
        let dispatch = Dispatch(plane: plane, store: store, logger: logger)
        let console = Console(plane: plane, store: store, isSecure: tls != nil, logger: logger)
        let host = options.host
        let listening = listening
        let router = Self.router(dispatch, plane, store, isOpen: options.isLoopback)
        console.add(to: router)
        let application = Application(
            router: router,
            server: try tls.map { try .tls(tlsConfiguration: $0.configuration()) } ?? .http1(),
            configuration: .init(address: .hostname(host, port: options.port), serverName: "Godwit"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                let scheme = tls == nil ? "http" : "https"
                let address = "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
                listening(address, (tls?.said ?? []) + [console.invitation(address)])
            }, logger: logger)
        let sampling = Task { await plane.sampleMetrics() }
        defer { sampling.cancel() }
        let courier = EventCourier(store: store, logger: logger)
        let delivering = Task { await courier.run() }
        do {
            try await application.run()
        } catch {
            delivering.cancel()
            await delivering.value
            await plane.close()
            if error is CancellationError { return }
            throw error
        }
        delivering.cancel()
        await delivering.value
        await plane.close()
    }

    /// - Parameter isOpen: whoever reaches it may read its health and its metrics.
    private static func router(
        _ dispatch: Dispatch, _ plane: ControlPlane, _ store: StateStore, isOpen: Bool
    ) -> Router<BasicRequestContext> {
        let door = MonitoringDoor(store: store, isOpen: isOpen)
        let router = Router()
        router.post("/") { request, _ in
            let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
            guard length <= Dispatch.longestBody else { return response(dispatch.failed(Dispatch.tooLarge), closing: true) }
            var body = ByteBuffer()
            for try await piece in request.body {
                body.writeImmutableBuffer(piece)
                guard body.readableBytes <= Dispatch.longestBody else {
                    return response(dispatch.failed(Dispatch.tooLarge), closing: true)
                }
            }
            return response(await dispatch.answer(signed(request, body)))
        }
        router.get("/healthz") { request, _ in
            if let refusal = try door.refusal(request.headers[.authorization]) { return refusal }
            do {
                try store.check()
                return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "ok\n")))
            } catch {
                return Response(status: .serviceUnavailable, body: .init(byteBuffer: ByteBuffer(string: "\(error)\n")))
            }
        }
        router.get("/metrics") { request, _ in
            if let refusal = try door.refusal(request.headers[.authorization]) { return refusal }
            let text = try await plane.exposition()
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: text)))
        }
        return router
    }

    /// As the client sent it: the signature covers these bytes.
    private static func signed(_ request: Request, _ body: ByteBuffer) -> SignedRequest {
        var headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        if let host = request.head.authority { headers.append(("host", host)) }
        let parts = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return SignedRequest(
            method: request.method.rawValue, path: String(parts.first ?? "/"), query: parts.count > 1 ? String(parts[1]) : "",
            headers: headers, body: Array(buffer: body))
    }

    private static func response(_ answer: Dispatch.Answer, closing: Bool = false) -> Response {
        var headers: HTTPFields = [.contentType: answer.type]
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        if closing { headers[.connection] = "close" }
        return Response(
            status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
