import Crypto
import Foundation
import NIOCore
import SwiftASN1
import X509

/// What a certificate says of its holder.
package struct CertificateFacts: Sendable, Hashable {
    package var subject: String
    package var issuer: String
    /// DNS names and addresses of the subject alternative name.
    package var names: [String]
    package var notBefore: Date
    package var notAfter: Date
    /// SHA-256 of its DER form, as `openssl x509 -fingerprint -sha256` prints it.
    package var fingerprint: String

    package init(der: [UInt8]) throws {
        let certificate = try Certificate(derEncoded: der)
        subject = ServerGreeting.printable("\(certificate.subject)")
        issuer = ServerGreeting.printable("\(certificate.issuer)")
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
        fingerprint = SHA256.hash(data: der).map { byte in
            let text = String(byte, radix: 16, uppercase: true)
            return text.count == 1 ? "0" + text : text
        }.joined(separator: ":")
        names = (try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([])).compactMap { name in
            switch name {
            case .dnsName(let name): ServerGreeting.printable(name)
            case .ipAddress(let address):
                try? SocketAddress(packedIPAddress: ByteBuffer(bytes: address.bytes), port: 0).ipAddress
            default: nil
            }
        }
    }

    /// Why it can't be valid at a time; nil where it can.
    package func dateTrouble(at now: Date) -> String? {
        if now < notBefore { return "the certificate is not valid before \(notBefore): check the clocks of both machines" }
        if now > notAfter { return "the certificate expired on \(notAfter)" }
        return nil
    }
}
