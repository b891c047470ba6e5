import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// The listener's TLS with real clients: by an operator's certificate, and by the service's own.
@Suite(.serialized) struct ServiceTLSTests {
    private static func certificateLine(_ service: (process: GodwitProcess, address: String)) -> String? {
        service.process.standardOutput.lines.first { $0.hasPrefix("Certificate: SHA-256 ") }
    }

    @Test func byTheOperatorsCertificate() async throws {
        try await ServiceRig.with { rig in
            let authority = try CertificateFactory(folder: rig.folder)
            let other = try CertificateFactory(folder: rig.folder, commonName: "other-ca")
            let files = try authority.issue("listener", names: ["localhost"], addresses: ["127.0.0.1"])
            let service = try await rig.serve(["--tls-cert", files.certificate, "--tls-key", files.key])
            #expect(service.address.hasPrefix("https://"))
            try await rig.client("tls.py", ["open", other.caFile], address: service.address, environment: ["AWS_CA_BUNDLE": authority.caFile])
            service.process.interrupt()
            #expect(try await service.process.exit() == .code(0))
        }
    }

    /// Any other address than loopback: a certificate that the service makes for itself and keeps, and a key for what needs none on loopback.
    @Test func byItsOwnCertificate() async throws {
        try await ServiceRig.with { rig in
            let other = try CertificateFactory(folder: rig.folder, commonName: "other-ca")
            let tls = FilePath(rig.state).appending("tls")
            var lines: [String] = []
            for round in 0..<3 {
                // A key that is not the certificate's: another certificate, by the same authority.
                if round == 2 { try "nonsense".write(toFile: tls.appending("server.key").string, atomically: true, encoding: .utf8) }
                let service = try await rig.serve(host: "0.0.0.0")
                let port = service.address.split(separator: ":").last.map(String.init) ?? ""
                try await rig.client(
                    "tls.py", ["closed", other.caFile], address: "https://127.0.0.1:\(port)", environment: ["AWS_CA_BUNDLE": tls.appending("ca.pem").string])
                lines.append(Self.certificateLine(service) ?? "none")
                #expect(service.process.standardOutput.text.contains(tls.appending("ca.pem").string))
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
            }
            #expect(lines[0] == lines[1] && lines[1] != lines[2] && !lines.contains("none"), "\(lines)")
            for name in ["server.key", "ca.key"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: tls.appending(name).string)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            }
        }
    }

    @Test func whatIsWrongIsSaid() async throws {
        try await ServiceRig.with { rig in
            let authority = try CertificateFactory(folder: rig.folder)
            let good = try authority.issue("good", addresses: ["127.0.0.1"])
            let expired = try authority.issue("expired", addresses: ["127.0.0.1"], validity: .expired)
            let cases: [([String], String)] = [
                (["--tls-cert", good.certificate], "--tls-cert needs its key."), (["--tls-key", good.key], "--tls-key needs its certificate."),
                (["--tls-cert", "nowhere.pem", "--tls-key", good.key], "The certificate file nowhere.pem can't be read"),
                (["--tls-cert", good.certificate, "--tls-key", "nowhere.key"], "The key file nowhere.key can't be read"),
                (["--tls-cert", good.key, "--tls-key", good.key], "There is no certificate in"),
                (["--tls-cert", good.certificate, "--tls-key", good.certificate], "can't be read as a PEM key"),
                (["--tls-cert", good.certificate, "--tls-key", expired.key], "does not belong to the certificate"),
                (["--tls-cert", expired.certificate, "--tls-key", expired.key], "is valid from"),
            ]
            for (arguments, words) in cases {
                let run = try await GodwitProcess.run(["serve", "--listen", "127.0.0.1:0", "--state", rig.state] + arguments, in: rig.folder)
                #expect(run.exit == .code(1) && run.errors.joined(separator: "\n").contains(words), "\(arguments): \(run.errors)")
            }
        }
    }
}
