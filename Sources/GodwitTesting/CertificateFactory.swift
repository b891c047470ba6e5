import Crypto
import CryptoExtras
import Foundation
import SwiftASN1
import SystemPackage
import X509

/// A certificate authority of a test's own, and the certificates it issues, as PEM files in the test's folder.
package struct CertificateFactory: Sendable {
    package enum KeyKind: Sendable, Hashable, CaseIterable { case p256, rsa2048 }
    package enum Validity: Sendable, Hashable { case current, expired, notYet }
    package enum Usage: Sendable, Hashable { case server, client }

    /// Paths of one issued certificate and its key.
    package struct Files: Sendable, Hashable {
        package var certificate: String
        package var key: String
    }

    private let folder: FilePath
    private let name: DistinguishedName
    private let key: Certificate.PrivateKey
    private let keyKind: KeyKind
    /// The authority's own certificate, a PEM file.
    package let caFile: String

    /// - Parameter commonName: also the file's name, so several authorities can share a folder.
    package init(folder: FilePath, commonName: String = "test-ca", keyKind: KeyKind = .p256) throws {
        self.folder = folder
        let name = try DistinguishedName { CommonName(commonName) }
        let key = try Self.makeKey(keyKind)
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: Date.now.addingTimeInterval(-86_400),
            notValidAfter: Date.now.addingTimeInterval(86_400 * 30),
            issuer: name, subject: name, signatureAlgorithm: Self.algorithm(keyKind),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
        self.name = name
        self.key = key
        self.keyKind = keyKind
        self.caFile = folder.appending("\(commonName).pem").string
        try Self.write(certificate.serializeAsPEM().pemString, to: caFile)
    }

    /// Issues a certificate and writes `<file>.pem` and `<file>-key.pem`.
    /// - Parameters:
    ///   - names: DNS names in the subject alternative name.
    ///   - addresses: IPv4 addresses (dotted) and IPv6 addresses (eight colon-separated groups) there.
    package func issue(
        _ file: String, names: [String] = [], addresses: [String] = [], validity: Validity = .current,
        usage: Usage = .server, keyKind: KeyKind = .p256
    ) throws -> Files {
        let subjectKey = try Self.makeKey(keyKind)
        let subject = try DistinguishedName { CommonName(names.first ?? file) }
        let alternatives =
            names.map { GeneralName.dnsName($0) }
            + (try addresses.map { .ipAddress(ASN1OctetString(contentBytes: try Self.bytes(of: $0)[...])) })
        let (from, to): (Double, Double) =
            switch validity {
            case .current: (-1, 30)
            case .expired: (-30, -1)
            case .notYet: (1, 30)
            }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: subjectKey.publicKey,
            notValidBefore: Date.now.addingTimeInterval(86_400 * from),
            notValidAfter: Date.now.addingTimeInterval(86_400 * to),
            issuer: name, subject: subject, signatureAlgorithm: Self.algorithm(self.keyKind),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true, keyEncipherment: keyKind == .rsa2048))
                try ExtendedKeyUsage([usage == .server ? .serverAuth : .clientAuth])
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
                if !alternatives.isEmpty { SubjectAlternativeNames(alternatives) }
            },
            issuerPrivateKey: key)
        let files = Files(
            certificate: folder.appending("\(file).pem").string, key: folder.appending("\(file)-key.pem").string)
        try Self.write(certificate.serializeAsPEM().pemString, to: files.certificate)
        try Self.write(subjectKey.serializeAsPEM().pemString, to: files.key)
        return files
    }

    /// A server's TLS material from this authority: what `ServerOptions.tls` takes.
    package func serverTLS(
        _ file: String = "server", names: [String] = ["localhost"], addresses: [String] = ["127.0.0.1"],
        validity: Validity = .current, keyKind: KeyKind = .p256
    ) throws -> ServerOptions.TLS {
        let files = try issue(file, names: names, addresses: addresses, validity: validity, keyKind: keyKind)
        return .files(ca: caFile, certificate: files.certificate, key: files.key)
    }

    private static func makeKey(_ kind: KeyKind) throws -> Certificate.PrivateKey {
        switch kind {
        case .p256: Certificate.PrivateKey(P256.Signing.PrivateKey())
        case .rsa2048: Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        }
    }

    private static func algorithm(_ kind: KeyKind) -> Certificate.SignatureAlgorithm {
        kind == .p256 ? .ecdsaWithSHA256 : .sha256WithRSAEncryption
    }

    private static func write(_ text: String, to path: String) throws {
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        guard made else { throw TestingError("could not write \(path)") }
    }

    private static func bytes(of address: String) throws -> [UInt8] {
        let parts = address.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        if parts.count == 4 { return parts }
        let groups = address.split(separator: ":", omittingEmptySubsequences: false).compactMap {
            UInt16($0, radix: 16)
        }
        guard groups.count == 8 else { throw TestingError("\(address) is no IPv4 or full IPv6 address") }
        return groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    }
}
