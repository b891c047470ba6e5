import Foundation
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks at a MySQL port from this host: does it open, and who answers. Nothing is logged in.
///
/// A server counts each look as an interrupted connection (`max_connect_errors`), as it does any port scan.
package struct PortProbe: Sendable {
    /// What became of the TCP connection.
    package enum Reachability: String, Sendable, Hashable, Codable, CaseIterable {
        case open
        /// The host answered that nothing listens (or a firewall rejects with a reset).
        case refused
        /// No answer, or a router's that says no: a firewall or a security group is in the way.
        case filtered
        /// This host has no way there at all.
        case unreachable
    }
    /// Whether the server is who it should be.
    package enum Verification: Sendable, Hashable {
        /// No CA was given.
        case notAsked
        case passed
        /// Which check failed, in words.
        case failed(String)
    }
    package struct Report: Sendable, Hashable {
        package var reachability: Reachability
        /// The address that answered, or why none did.
        package var detail: String
        package var greeting: ServerGreeting?
        package var tlsVersion: String?
        package var certificate: CertificateFacts?
        package var verification = Verification.notAsked
        /// What the server did instead of answering as one should; empty where it did not.
        package var trouble = ""
    }

    package var host: String
    package var port: Int
    /// For each connection, from its start to the end of the handshake.
    package var timeout: Duration
    /// A PEM file; nil: nothing is verified, only told.
    package var caFile: String?

    package init(host: String, port: Int, timeout: Duration = .seconds(5), caFile: String? = nil) {
        self.host = host
        self.port = port
        self.timeout = timeout
        self.caFile = caFile
    }

    package func run() async throws -> Report {
        guard !host.isEmpty, (1...65_535).contains(port) else {
            throw HostError(.refused, "\(host):\(port) is no address.", cure: "Give a host, and a port of 1 to 65535.")
        }
        let verifying = try caFile.map { try verifyingContext($0) }
        var inspecting = TLSConfiguration.makeClientConfiguration()
        inspecting.minimumTLSVersion = .tlsv12
        // The name would be checked beside the handler's own answer.
        inspecting.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: inspecting)
        let channel: any Channel
        let seen: EventLoopFuture<ProbeHandler.Seen>
        do {
            (channel, seen) = try await connect(context, acceptsAny: true)
        } catch {
            try Task.checkCancellation()
            return try Self.report(of: error, host: host)
        }
        var report = Report(reachability: .open, detail: channel.remoteAddress?.ipAddress ?? host)
        do {
            let seen = try await seen.get()
            report.greeting = seen.greeting
            report.tlsVersion = seen.tlsVersion
            report.certificate = try seen.chain.first.map { try CertificateFacts(der: $0) }
        } catch {
            report.trouble = Self.trouble(error)
        }
        if let verifying { report.verification = await verify(verifying, report) }
        return report
    }

    private func verifyingContext(_ path: String) throws(HostError) -> NIOSSLContext {
        do {
            let roots = try NIOSSLCertificate.fromPEMBytes(HostFile.read(path))
            guard !roots.isEmpty else { throw HostError(.refused, "No certificate is in it.") }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.trustRoots = .certificates(roots)
            configuration.certificateVerification = .fullVerification
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw HostError(.refused, "The CA file \(path) can't be used: \(error)", cure: "It must be readable and in PEM form.")
        }
    }

    // MARK: Connecting

    private func connect(
        _ tls: NIOSSLContext, acceptsAny: Bool
    ) async throws -> (any Channel, EventLoopFuture<ProbeHandler.Seen>) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: ProbeHandler.Seen.self)
        let limit = TimeAmount(timeout)
        // An address is no server name; NIOSSL checks it against the certificate's addresses.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        let name = isAddress ? nil : host
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ProbeHandler(tls: tls, serverName: name, acceptsAny: acceptsAny, promise: promise))
                    }
                }
                .connect(host: host, port: port).get()
            let deadline = loop.scheduleTask(in: limit) {
                promise.fail(ChannelError.connectTimeout(limit))
                channel.close(promise: nil)
            }
            promise.futureResult.whenComplete { _ in deadline.cancel() }
            return (channel, promise.futureResult)
        } catch {
            promise.fail(error)
            throw error
        }
    }

    private func verify(_ context: NIOSSLContext, _ report: Report) async -> Verification {
        guard case .handshake(_, let offersTLS)? = report.greeting else { return .failed("no MySQL server answered") }
        guard offersTLS else { return .failed("the server offers no TLS") }
        do {
            _ = try await connect(context, acceptsAny: false).1.get()
            return .passed
        } catch {
            let text = "\(error)"
            if (error as? NIOSSLExtraError) == .failedToValidateHostname || text.contains("unableToValidateCertificate") {
                let names = report.certificate?.names ?? []
                return .failed("the name: the certificate is \(names.isEmpty ? "for no name" : "for " + names.joined(separator: ", ")), not for \(host)")
            }
            guard text.contains("CERTIFICATE_VERIFY_FAILED") else { return .failed(Self.trouble(error)) }
            if let trouble = report.certificate?.dateTrouble(at: Date()) { return .failed("the dates: \(trouble)") }
            let issuer = report.certificate.map { " (its issuer: \($0.issuer))" } ?? ""
            return .failed("the chain: the certificate is not signed by \(caFile ?? "the CA")\(issuer)")
        }
    }

    // MARK: What errors mean

    static func report(of error: any Error, host: String) throws -> Report {
        if let error = error as? NIOConnectionError {
            guard !error.connectionErrors.isEmpty else {
                throw HostError(
                    .failed, "The name \(host) has no address.", why: "\(error.dnsAError ?? error.dnsAAAAError ?? error)",
                    cure: "Check the name, and this host's resolver.")
            }
            let tries = error.connectionErrors.map { (target: $0.target, state: reachability($0.error)) }
            // What says most about the port: a refusal comes from the host itself.
            let order: [Reachability] = [.refused, .filtered, .unreachable]
            let state = order.first { state in tries.contains { $0.state == state } } ?? .filtered
            let detail = tries.map { "\($0.target.ipAddress ?? host): \($0.state.rawValue)" }.joined(separator: ", ")
            return Report(reachability: state, detail: detail)
        }
        return Report(reachability: reachability(error), detail: "\(error)")
    }

    /// Source: connect(2), tcp(7); a firewall's REJECT arrives as ECONNREFUSED (port unreachable), EHOSTUNREACH or EACCES.
    static func reachability(_ error: any Error) -> Reachability {
        switch error {
        case let error as IOError where error.errnoCode == ECONNREFUSED || error.errnoCode == ECONNRESET: .refused
        case let error as IOError where error.errnoCode == ENETUNREACH || error.errnoCode == EADDRNOTAVAIL: .unreachable
        default: .filtered
        }
    }

    static func trouble(_ error: any Error) -> String {
        switch error {
        case is ProbeHandler.Ended: "it closed the connection"
        case ChannelError.connectTimeout: "it said nothing more in time"
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: "TLS failed: \(error)"
        default: "\(error)"
        }
    }
}
