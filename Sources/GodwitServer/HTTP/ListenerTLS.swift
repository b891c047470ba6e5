import Crypto
import Foundation
import NIOCore
import NIOSSL
import SwiftASN1
import SystemPackage
import X509

/// What the listener shows its clients: an operator's certificate, or one that Godwit made for itself.
struct ListenerTLS: Sendable {
    /// The whole chain, the server's own certificate first.
    var certificateFile: String
    var keyFile: String
    /// What a client must trust; nil where the operator's own authority made the certificate.
    var authorityFile: String?
    /// SHA-256 of the server's certificate, as `openssl x509 -fingerprint` prints it.
    var fingerprint: String

    // MARK: The operator's

    /// - Throws: `ServerError` for files that are not there, are no PEM, do not belong together or are out of date.
    static func given(certificate: FilePath, key: FilePath, now: Date = Date()) throws -> ListenerTLS {
        let first = try read(certificate)
        guard first.notValidBefore <= now, now < first.notValidAfter else {
            throw ServerError(
                "The certificate \(certificate) is valid from \(shown(first.notValidBefore)) to \(shown(first.notValidAfter)) only.",
                cure: "Give one that is valid now.")
        }
        let tls = ListenerTLS(certificateFile: certificate.string, keyFile: key.string, authorityFile: nil, fingerprint: try fingerprint(first))
        _ = try tls.configuration()
        return tls
    }

    private static func read(_ file: FilePath) throws -> Certificate {
        let text = try text(file, "certificate")
        do {
            let documents = try PEMDocument.parseMultiple(pemString: text).filter { $0.discriminator == "CERTIFICATE" }
            guard let first = documents.first else { throw ServerError("There is no certificate in \(file).", cure: "Give a PEM file: the server's certificate, then those that lead to its authority.") }
            return try Certificate(pemDocument: first)
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError("\(file) can't be read as PEM certificates: \(error).", cure: "Give a PEM file: the server's certificate, then those that lead to its authority.")
        }
    }

    private static func text(_ file: FilePath, _ what: String) throws -> String {
        do {
            return try String(contentsOfFile: file.string, encoding: .utf8)
        } catch {
            throw ServerError("The \(what) file \(file) can't be read: \(error.localizedDescription)", cure: "Look at its name and its owner.")
        }
    }

    /// TLS 1.2 at least. Source: RFC 9325, section 3.1.
    func configuration() throws -> TLSConfiguration {
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKey
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) }
        } catch {
            throw ServerError("\(certificateFile) can't be read as PEM certificates: \(error).", cure: "Give a PEM file.")
        }
        do {
            key = try NIOSSLPrivateKey(bytes: Array(try Self.text(FilePath(keyFile), "key").utf8), format: .pem)
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError("\(keyFile) can't be read as a PEM key.", cure: "Give the certificate's key, unencrypted, readable by its owner alone.")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ServerError("The key \(keyFile) does not belong to the certificate \(certificateFile).", cure: "Give the two that were made together.")
        }
        return configuration
    }

    // MARK: Godwit's own

    /// A certificate for `host` by an authority of the service's own, both made at the first start and kept in the state folder. The certificate is
    /// made anew a month before it ends, or for other addresses; the authority stays, so clients go on trusting it.
    static func generated(in folder: FilePath, host: String, now: Date = Date()) throws -> ListenerTLS {
        let files = folder.appending("tls")
        let (server, key) = (files.appending("server.pem"), files.appending("server.key"))
        try FileManager.default.createDirectory(
            atPath: files.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let authority = try Authority(in: files, now: now)
        let names = try alternatives(host)
        func tls(_ certificate: Certificate) throws -> ListenerTLS {
            ListenerTLS(
                certificateFile: server.string, keyFile: key.string, authorityFile: authority.file.string, fingerprint: try fingerprint(certificate))
        }
        // What cannot be read, or does not belong together, is as good as none.
        if let kept = try? read(server), try isGood(kept, names, now), authority.certificate.publicKey.isValidSignature(kept.signature, for: kept),
            let good = try? tls(kept), (try? good.configuration()) != nil
        {
            return good
        }
        let made = try authority.issue(names, now)
        // The certificate last: without it the key is made anew.
        try write(made.key.serializeAsPEM().pemString, key, 0o600)
        try write(made.certificate.serializeAsPEM().pemString, server, 0o644)
        return try tls(made.certificate)
    }

    /// Signs the service's own certificates, and nothing else.
    private struct Authority {
        let certificate: Certificate
        let key: Certificate.PrivateKey
        let file: FilePath

        /// The one that is kept, or a new one where there is none.
        init(in files: FilePath, now: Date) throws {
            file = files.appending("ca.pem")
            let keyFile = files.appending("ca.key")
            if let kept = try? ListenerTLS.read(file), now < kept.notValidAfter.addingTimeInterval(-400 * 86_400),
                let text = try? String(contentsOfFile: keyFile.string, encoding: .utf8), let key = try? Certificate.PrivateKey(pemEncoded: text),
                key.publicKey == kept.publicKey
            {
                certificate = kept
                self.key = key
                return
            }
            let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let name = try DistinguishedName { CommonName("Godwit, made by this service for itself") }
            let certificate = try Certificate(
                // A clock that is behind by an hour must not refuse it.
                version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: now.addingTimeInterval(-3600),
                notValidAfter: now.addingTimeInterval(3650 * 86_400), issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true))
                    SubjectKeyIdentifier(hash: key.publicKey)
                }, issuerPrivateKey: key)
            try ListenerTLS.write(key.serializeAsPEM().pemString, keyFile, 0o600)
            try ListenerTLS.write(certificate.serializeAsPEM().pemString, file, 0o644)
            self.key = key
            self.certificate = certificate
        }

        func issue(_ names: [GeneralName], _ now: Date) throws -> (certificate: Certificate, key: Certificate.PrivateKey) {
            let own = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: own.publicKey, notValidBefore: now.addingTimeInterval(-3600),
                notValidAfter: now.addingTimeInterval(397 * 86_400), issuer: self.certificate.subject,
                subject: try DistinguishedName { CommonName("Godwit") }, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth])
                    AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
                    SubjectAlternativeNames(names)
                }, issuerPrivateKey: key)
            return (certificate, own)
        }
    }

    private static func isGood(_ certificate: Certificate, _ names: [GeneralName], _ now: Date) throws -> Bool {
        guard certificate.notValidBefore <= now, now < certificate.notValidAfter.addingTimeInterval(-30 * 86_400) else { return false }
        guard let kept = try certificate.extensions.subjectAlternativeNames else { return false }
        return Set(names).isSubset(of: Set(kept))
    }

    /// The names and addresses under which clients find the service.
    private static func alternatives(_ host: String) throws -> [GeneralName] {
        var names: [GeneralName] = []
        func add(_ address: SocketAddress) {
            var bytes: [UInt8] = []
            switch address {
            case .v4(let v4): bytes = withUnsafeBytes(of: v4.address.sin_addr) { Array($0) }
            case .v6(let v6): bytes = withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) }
            case .unixDomainSocket: return
            }
            let name = GeneralName.ipAddress(ASN1OctetString(contentBytes: bytes[...]))
            if !names.contains(name) { names.append(name) }
        }
        guard let own = try? SocketAddress(ipAddress: host, port: 0) else { return [.dnsName(host)] }
        guard ["0.0.0.0", "::"].contains(host) else {
            add(own)
            return names
        }
        for device in try System.enumerateDevices() {
            if let address = device.address { add(address) }
        }
        return [.dnsName("localhost"), .dnsName(ProcessInfo.processInfo.hostName)] + names
    }

    private static func write(_ text: String, _ file: FilePath, _ mode: Int) throws {
        guard FileManager.default.createFile(atPath: file.string, contents: Data(text.utf8), attributes: [.posixPermissions: mode]) else {
            throw ServerError("\(file) can't be written.", cure: "Look at the state folder's owner and room.")
        }
        // A file that was there keeps its mode.
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.string)
    }

    private static func fingerprint(_ certificate: Certificate) throws -> String {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return SHA256.hash(data: serializer.serializedBytes).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
    }

    private static func shown(_ date: Date) -> String { date.formatted(.iso8601) }
}

extension ListenerTLS {
    /// What whoever starts the service must know, a line each.
    var said: [String] {
        ["Certificate: SHA-256 \(fingerprint)"] + (authorityFile.map { ["Clients trust it by this file (AWS_CA_BUNDLE): \($0)"] } ?? [])
    }
}
