import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Why a certificate was refused. BoringSSL only says that it was, so a second connection looks at the certificates, and
/// refuses them too: nothing secret is ever sent on it.
struct TLSDiagnosis: Sendable {
    let connector: Connector

    func explain(_ error: MySQLError, _ refusal: TLSFailure.Refusal) async -> MySQLError {
        let seen = NIOLockedValueBox<[NIOSSLCertificate]>([])
        guard var tls = connector.tls else { return error }
        tls.inspect = { chain in seen.withLockedValue { $0 = chain } }
        _ = await Connector(configuration: connector.configuration, eventLoop: connector.eventLoop, tls: tls).connect()
        let chain = seen.withLockedValue(\.self).compactMap { certificate -> Certificate? in
            guard let bytes = try? certificate.toDERBytes() else { return nil }
            return try? Certificate(derEncoded: bytes)
        }
        guard let leaf = chain.first else { return error }
        return Self.explain(
            error, refusal, leaf: leaf, chain: chain, now: Date(), peer: connector.configuration.address.description,
            caFile: connector.configuration.tls.caFile)
    }

    /// `error` is what the check itself said; the certificate only adds the reason.
    static func explain(
        _ error: MySQLError, _ refusal: TLSFailure.Refusal, leaf: Certificate, chain: [Certificate], now: Date,
        peer: String, caFile: String?
    ) -> MySQLError {
        var explained = error
        let isName = refusal == .name
        if let expired = chain.first(where: { $0.notValidAfter < now }), !isName {
            let whose = expired == leaf ? "The certificate of \(peer)" : "A CA certificate of \(peer)"
            explained.message = "\(whose) expired on \(expired.notValidAfter)."
            explained.cure = "Renew it on the server."
        } else if let early = chain.first(where: { $0.notValidBefore > now }), !isName {
            explained.message = "The certificate of \(peer) is not valid before \(early.notValidBefore)."
            explained.cure = "Check the clocks of both machines."
        } else if isName {
            let names = names(of: leaf)
            let holds = names.isEmpty ? "it holds no name" : "it is for \(names.prefix(8).joined(separator: ", "))"
            explained.message = "The certificate of \(peer) is not for this name or address: \(holds)."
            explained.cure = "Connect by a name that the certificate holds, or use verify-ca to check the CA only."
        } else {
            let trusted = caFile.map { "the CA file \($0)" } ?? "the system's CAs"
            explained.message = "The certificate of \(peer) is not signed by \(trusted) (its issuer: \(leaf.issuer))."
            explained.cure = "Use the CA file of this server."
        }
        return explained
    }

    private static func names(of certificate: Certificate) -> [String] {
        guard let alternatives = try? certificate.extensions.subjectAlternativeNames else { return [] }
        return alternatives.compactMap { name in
            switch name {
            case .dnsName(let name): name
            case .ipAddress(let address) where address.bytes.count == 4:
                address.bytes.map(String.init).joined(separator: ".")
            case .ipAddress(let address):
                try? SocketAddress(packedIPAddress: ByteBuffer(bytes: address.bytes), port: 0).ipAddress
            default: nil
            }
        }
    }
}
