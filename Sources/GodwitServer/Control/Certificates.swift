import Crypto
import Foundation
import SwiftASN1
import X509

extension ControlPlane {
    func importCertificate(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("CertificateIdentifier")
        try Identifier.check(name, "CertificateIdentifier", longest: 255)
        guard try members.text("CertificateWallet") == nil else {
            throw APIFault("InvalidCertificateFault", "Wallets are Oracle's; give CertificatePem.")
        }
        let pem = try members.required("CertificatePem")
        let facts = try Self.facts(pem: pem)
        var certificate = Resource(
            kind: .certificate, arn: arn(.certificate, try resourceID(members), caller), identifier: name,
            document: [
                "CertificateIdentifier": .string(name), "CertificateCreationDate": .time(Date()), "CertificatePem": .string(pem),
                "CertificateOwner": .string(Self.account), "ValidFromDate": .time(facts.from), "ValidToDate": .time(facts.to),
                "SigningAlgorithm": .string(facts.algorithm), "KeyLength": .int(Int64(facts.keyLength)),
            ])
        certificate["CertificateArn"] = .string(certificate.arn)
        if let key = try members.text("KmsKeyId") { certificate["KmsKeyId"] = .string(key) }
        try add(certificate, members, limit: 100)
        return ["Certificate": certificate.shown]
    }

    func deleteCertificate(_ members: Members) throws -> JSON {
        let certificate = try required(.certificate, members.required("CertificateArn"), "Certificate")
        for endpoint in try store.all(.endpoint) where endpoint.text("CertificateArn") == certificate.arn {
            throw APIFault.state("Certificate \(certificate.identifier) is used by endpoint \(endpoint.identifier).")
        }
        try store.delete(certificate.arn)
        return ["Certificate": certificate.shown]
    }

    func describeCertificates(_ members: Members) throws -> JSON {
        try Listing(
            member: "Certificates",
            filters: ["certificate-arn": { [$0.arn] }, "certificate-id": { [$0.identifier] }],
            usual: 10, noMatch: "Certificate not found."
        ).page(try store.all(.certificate), members, \.shown)
    }

    struct CertificateFacts {
        var from: Date
        var to: Date
        var algorithm: String
        var keyLength: Int
    }

    /// What the first certificate of a chain says; all of them must be certificates.
    static func facts(pem: String) throws(APIFault) -> CertificateFacts {
        do {
            let documents = try PEMDocument.parseMultiple(pemString: pem)
            let certificates = try documents.map { try Certificate(pemDocument: $0) }
            guard let first = certificates.first else { throw APIFault("InvalidCertificateFault", "There is no certificate in CertificatePem.") }
            return CertificateFacts(
                from: first.notValidBefore, to: first.notValidAfter, algorithm: algorithm(first.signatureAlgorithm),
                keyLength: keyLength(first.publicKey))
        } catch let fault as APIFault {
            throw fault
        } catch {
            throw APIFault("InvalidCertificateFault", "CertificatePem can't be read as PEM certificates.")
        }
    }

    private static func algorithm(_ algorithm: Certificate.SignatureAlgorithm) -> String {
        switch algorithm {
        case .sha1WithRSAEncryption: "SHA1withRSA"
        case .sha256WithRSAEncryption: "SHA256withRSA"
        case .sha384WithRSAEncryption: "SHA384withRSA"
        case .sha512WithRSAEncryption: "SHA512withRSA"
        case .ecdsaWithSHA256: "SHA256withECDSA"
        case .ecdsaWithSHA384: "SHA384withECDSA"
        case .ecdsaWithSHA512: "SHA512withECDSA"
        default: "\(algorithm)"
        }
    }

    /// Bits of the public key, from its encoding: an RSA modulus, or the curve.
    private static func keyLength(_ key: Certificate.PublicKey) -> Int {
        let bytes = key.subjectPublicKeyInfoBytes
        // Source: RFC 8017 appendix A.1.1: SEQUENCE { modulus INTEGER, exponent INTEGER }.
        if let node = try? DER.parse(Array(bytes)),
            let modulus = try? DER.sequence(node, identifier: node.identifier, { nodes -> ArraySlice<UInt8> in
                let modulus = try ArraySlice<UInt8>(derEncoded: &nodes)
                _ = try ArraySlice<UInt8>(derEncoded: &nodes)
                return modulus
            })
        {
            return modulus.drop { $0 == 0 }.count * 8
        }
        // An uncompressed point: 04, x, y. P-521 has 66 bytes for either.
        let size = (bytes.count - 1) / 2
        return size == 66 ? 521 : size == 0 ? 256 : size * 8
    }
}
