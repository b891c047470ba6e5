import NIOCore
import NIOSSL

/// A TLS mode made ready for use: files are read, the server's name is known.
struct TLSSetup: Sendable {
    let context: NIOSSLContext
    /// For SNI and, in verify-identity, for the check; nil for IP addresses and where no name is needed.
    let serverName: String?
    /// For a diagnosis: takes the server's certificates, then refuses every one.
    var inspect: (@Sendable ([NIOSSLCertificate]) -> Void)?

    /// nil where TLS is disabled. Reads files: not for an event loop.
    init?(_ tls: MySQLTLS, address: MySQLConfiguration.Address) throws(MySQLError) {
        guard tls.mode != .disabled else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        switch tls.mode {
        case .disabled, .required: configuration.certificateVerification = .none
        case .verifyCA: configuration.certificateVerification = .noHostnameVerification
        case .verifyIdentity: configuration.certificateVerification = .fullVerification
        }
        if let path = tls.caFile {
            let roots = try Self.read("CA file", path) { try NIOSSLCertificate.fromPEMFile(path) }
            guard !roots.isEmpty else { throw Self.unreadable("CA file", path, "no certificate is in it") }
            configuration.trustRoots = .certificates(roots)
        }
        if let path = tls.certificateFile {
            guard let keyPath = tls.keyFile else {
                throw MySQLError(.tls, "A client certificate is given without its key.", cure: "Name the key file too.")
            }
            let chain = try Self.read("client certificate", path) { try NIOSSLCertificate.fromPEMFile(path) }
            let key = try Self.read("client key", keyPath) { try NIOSSLPrivateKey(file: keyPath, format: .pem) }
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
        } else if tls.keyFile != nil {
            throw MySQLError(.tls, "A client key is given without its certificate.", cure: "Name the certificate too.")
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw MySQLError(
                .tls, "The TLS settings can't be used together (\(error)).",
                cure: "Check that the client key belongs to the client certificate.")
        }
        serverName = try Self.serverName(tls.mode, address)
        inspect = nil
    }

    private static func serverName(
        _ mode: MySQLTLS.Mode, _ address: MySQLConfiguration.Address
    ) throws(MySQLError) -> String? {
        guard case .tcp(let host, _) = address else {
            guard mode != .verifyIdentity else {
                throw MySQLError(
                    .tls, "verify-identity needs a host name, and a Unix socket has none.",
                    cure: "Use verify-ca, or connect by TCP.")
            }
            return nil
        }
        // An IP address is checked against the certificate's addresses, without SNI.
        if (try? SocketAddress(ipAddress: host, port: 0)) != nil { return nil }
        // Names that SNI does not allow can be dialled, but not verified.
        let allowed = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && (1...255).contains(host.utf8.count)
        guard !allowed else { return host }
        guard mode != .verifyIdentity else {
            throw MySQLError(.tls, "The host name \(host) can't be verified: it is no valid name for a certificate.")
        }
        return nil
    }

    private static func read<T>(_ what: String, _ path: String, _ body: () throws -> T) throws(MySQLError) -> T {
        do {
            return try body()
        } catch {
            throw unreadable(what, path, String(describing: error))
        }
    }

    private static func unreadable(_ what: String, _ path: String, _ why: String) -> MySQLError {
        MySQLError(
            .tls, "The \(what) \(path) can't be used (\(why)).", cure: "It must exist, be readable and be in PEM form.")
    }

    func makeHandler() throws -> NIOSSLClientHandler {
        guard let inspect else { return try NIOSSLClientHandler(context: context, serverHostname: serverName) }
        return try NIOSSLClientHandler(context: context, serverHostname: serverName) {
            (chain: [NIOSSLCertificate], promise: EventLoopPromise<NIOSSLVerificationResult>) in
            inspect(chain)
            promise.succeed(.failed)
        }
    }
}

/// A TLS error while connecting, in a sentence.
struct TLSFailure {
    /// What of the server's certificate this side refused.
    enum Refusal: Sendable {
        case chain
        case name
    }
    var error: MySQLError
    var refusal: Refusal?

    /// nil: not of TLS.
    init?(_ error: any Error, peer: String) {
        switch error {
        case let extra as NIOSSLExtraError where extra == .failedToValidateHostname:
            refusal = .name
            self.error = MySQLError(
                .tls, "The certificate of \(peer) is not for this name or address.",
                cure: "Connect by a name that the certificate holds.")
        case let tls as NIOSSLError:
            guard let error = Self.explain(tls, peer: peer, &refusal) else { return nil }
            self.error = error
        // In TLS 1.3 the server looks at the client's certificate when this side's handshake is over already.
        case is BoringSSLError where String(describing: error).contains("ALERT"):
            self.error = Self.refused(peer, String(describing: error))
        case is NIOSSLExtraError, is BoringSSLError:
            self.error = MySQLError(.tls, "TLS with \(peer) failed (\(Self.reason(String(describing: error)))).")
        default: return nil
        }
    }

    private static func explain(_ error: NIOSSLError, peer: String, _ refusal: inout Refusal?) -> MySQLError? {
        let text = String(describing: error)
        switch error {
        case .uncleanShutdown:
            return nil
        case _ where text.contains("CERTIFICATE_VERIFY_FAILED"):
            refusal = .chain
            return MySQLError(
                .tls, "The certificate of \(peer) could not be verified.",
                cure: "Check the CA file and the server's certificate.")
        case .unableToValidateCertificate, .noCertificateToValidate:
            refusal = .name
            return MySQLError(.tls, "The certificate of \(peer) is not for this name or address.")
        case _ where text.contains("UNSUPPORTED_PROTOCOL") || text.contains("PROTOCOL_VERSION"):
            return MySQLError(
                .tls, "\(peer) offers no TLS version from 1.2 on.", cure: "Allow TLSv1.2 or TLSv1.3 (tls_version).")
        case _ where text.contains("ALERT"):
            return refused(peer, text)
        case _ where text.contains("WRONG_VERSION_NUMBER"):
            return MySQLError(
                .tls, "\(peer) answered the TLS handshake with something else.",
                cure: "Someone may be tampering with the connection: check the network path.")
        default:
            return MySQLError(.tls, "The TLS handshake with \(peer) failed (\(reason(text))).")
        }
    }

    private static func refused(_ peer: String, _ text: String) -> MySQLError {
        MySQLError(
            .tls, "\(peer) refused this side's TLS offer or client certificate (\(reason(text))).",
            cure: "Check the client certificate and the server's ssl_ca.")
    }

    /// BoringSSL's name of the reason, out of a text that also holds source files and numbers.
    private static func reason(_ text: String) -> String {
        guard let name = text.firstMatch(of: /OPENSSL_internal:([A-Za-z0-9_]+)/) else { return text }
        return name.1.lowercased().replacing("_", with: " ")
    }
}
