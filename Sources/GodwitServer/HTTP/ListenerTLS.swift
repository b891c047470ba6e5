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

    /// A certificate for `host`, made at the first start and kept in the state folder; made anew a month before it ends, or for another
    /// address. Its authority's key is thrown away once it has signed: it can sign nothing else.
    static func generated(in folder: FilePath, host: String, now: Date = Date()) throws -> ListenerTLS {
        let files = folder.appending("tls")
        let (authority, server, key) = (files.appending("ca.pem"), files.appending("server.pem"), files.appending("server.key"))
        let names = try alternatives(host)
        if FileManager.default.fileExists(atPath: server.string), let kept = try? read(server), try isGood(kept, names, now) {
            let tls = ListenerTLS(
                certificateFile: server.string, keyFile: key.string, authorityFile: authority.string, fingerprint: try fingerprint(kept))
            _ = try tls.configuration()
            return tls
        }
        try FileManager.default.createDirectory(
            atPath: files.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let made = try make(names, now)
        // The certificate last: without it the others are made anew.
        try write(made.authority.serializeAsPEM().pemString, authority, 0o644)
        try write(made.key.serializeAsPEM().pemString, key, 0o600)
        try write(made.server.serializeAsPEM().pemString, server, 0o644)
        return ListenerTLS(
            certificateFile: server.string, keyFile: key.string, authorityFile: authority.string, fingerprint: try fingerprint(made.server))
    }

    private static func make(_ names: [GeneralName], _ now: Date) throws -> (authority: Certificate, server: Certificate, key: Certificate.PrivateKey) {
        let (root, key) = (Certificate.PrivateKey(P256.Signing.PrivateKey()), Certificate.PrivateKey(P256.Signing.PrivateKey()))
        let issuer = try DistinguishedName { CommonName("Godwit, made by this service for itself") }
        // A clock that is behind by a few minutes must not refuse it.
        let (from, to) = (now.addingTimeInterval(-3600), now.addingTimeInterval(397 * 86_400))
        let authority = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: root.publicKey, notValidBefore: from, notValidAfter: to, issuer: issuer,
            subject: issuer, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: root.publicKey)
            }, issuerPrivateKey: root)
        let server = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: from, notValidAfter: to, issuer: issuer,
            subject: try DistinguishedName { CommonName("Godwit") }, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: root.publicKey).keyIdentifier)
                SubjectAlternativeNames(names)
            }, issuerPrivateKey: root)
        return (authority, server, key)
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
