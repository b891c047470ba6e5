import GodwitTesting
import SystemPackage
import Testing

/// TLS as the plan asks for it, through the program, for source and target alike: what is right connects, what is wrong is
/// refused with the side, the address and the cure, and nobody logs in without the encryption that was asked for.
@Suite struct TLSPlanTests {
    /// Servers by their certificate; all but `off` offer TLS.
    struct Servers {
        var source: TestServer
        var target: TestServer
        var otherCA: TestServer
        var otherName: TestServer
        var expired: TestServer
        var off: TestServer
    }

    struct Material {
        var ca: String
        var otherCA: String
        var client: CertificateFactory.Files
        var otherClient: CertificateFactory.Files
    }

    @Test func theMatrixForBothSides() async throws {
        try await withTemporaryFolder("tls") { folder in
            let authority = try CertificateFactory(folder: folder)
            let other = try CertificateFactory(folder: folder, commonName: "other-ca")
            let material = Material(
                ca: authority.caFile, otherCA: other.caFile, client: try authority.issue("client", usage: .client),
                otherClient: try other.issue("other-client", usage: .client))
            let good = try authority.serverTLS()
            let named = try authority.serverTLS("named", names: ["other.example"], addresses: ["192.0.2.1"])
            let expired = try authority.serverTLS("expired", validity: .expired)
            try await MigrationRig.with(source: ServerOptions(tls: good), target: ServerOptions(tls: good)) { rig in
                try await withServer(.mysql9, ServerOptions(tls: try other.serverTLS("others"))) { otherCA in
                    try await withServer(.mysql9, ServerOptions(tls: named)) { otherName in
                        try await withServer(.mysql9, ServerOptions(tls: expired)) { expired in
                            try await withServer(.mysql9, ServerOptions(tls: .off)) { off in
                                let servers = Servers(
                                    source: rig.source, target: rig.target, otherCA: otherCA, otherName: otherName,
                                    expired: expired, off: off)
                                try await Self.run(rig, servers, material)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func run(_ rig: MigrationRig, _ servers: Servers, _ material: Material) async throws {
        for server in [servers.source, servers.target] {
            try await server.sql("CREATE USER mutual REQUIRE X509; GRANT ALL ON *.* TO mutual")
        }
        for server in [servers.otherCA, servers.otherName, servers.expired, servers.off] {
            try await server.sql("CREATE USER godwit; GRANT ALL ON *.* TO godwit")
        }
        try await rig.source.sql("CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY); INSERT INTO e.t VALUES (1), (2)")
        try await connects(rig, material)
        try await refuses(rig, servers, material)
        // Nobody got as far as a login there.
        for server in [servers.otherCA, servers.expired, servers.off] {
            let logins = "SELECT COUNT(*) FROM performance_schema.accounts WHERE user = 'godwit'"
            #expect(try await server.value(logins) == "0")
        }
        // And the whole way with all of it.
        let tls = "mode: verify-identity, ca: \(material.ca), cert: \(material.client.certificate), key: \(material.client.key)"
        try plan(rig, side(rig.source, tls, user: "mutual"), side(rig.target, tls, user: "mutual"))
        try await rig.godwit(["migrate", "--until", "validated"])
        try await rig.expectEqual("e")
        #expect(try await rig.godwit(["status"]).output.contains("TLS: source TLSv1.3"))
    }

    private static func side(_ server: TestServer, _ tls: String, host: String = "localhost", user: String = "godwit") -> String {
        "{ host: \(host), port: \(server.port), user: \(user), tls: { \(tls) } }"
    }

    private static func plan(_ rig: MigrationRig, _ source: String, _ target: String) throws {
        try rig.plan(source: source, target: target, tables: #"{ include: ["e.*"] }"#)
    }

    private static func connects(_ rig: MigrationRig, _ material: Material) async throws {
        let ca = "ca: \(material.ca)"
        let mutual = "mode: verify-ca, \(ca), cert: \(material.client.certificate), key: \(material.client.key)"
        let cases = [
            ("mode: required", "127.0.0.1", "godwit"), ("mode: verify-ca, \(ca)", "127.0.0.1", "godwit"),
            ("mode: verify-ca, \(ca)", "localhost", "godwit"), ("mode: verify-identity, \(ca)", "localhost", "godwit"),
            // By the address in the certificate.
            ("mode: verify-identity, \(ca)", "127.0.0.1", "godwit"), (mutual, "localhost", "mutual"),
        ]
        for (tls, host, user) in cases {
            try plan(rig, side(rig.source, tls, host: host, user: user), side(rig.target, tls, host: host, user: user))
            try await rig.godwit(["check"])
            let diagnosis = try await rig.godwit(["diagnose"]).output
            for name in ["source", "target"] {
                #expect(diagnosis.contains("The \(name) \(host):"), "\(tls): \(diagnosis)")
            }
            #expect(diagnosis.matches(of: try Regex("TLS TLSv1\\.[23]")).count == 2, "\(tls): \(diagnosis)")
        }
    }

    private static func refuses(_ rig: MigrationRig, _ servers: Servers, _ material: Material) async throws {
        let ca = "ca: \(material.ca)"
        let (mine, theirs) = (material.client, material.otherClient)
        let isGood: TestServer? = nil
        let cases: [(what: String, server: TestServer?, tls: String, user: String, words: [String])] = [
            ("wrong CA file", isGood, "mode: verify-ca, ca: \(material.otherCA)", "godwit", ["is not signed by the CA file", "Use the CA file"]),
            ("server of another CA", servers.otherCA, "mode: verify-ca, \(ca)", "godwit", ["is not signed by the CA file", "Use the CA file"]),
            (
                "wrong name", servers.otherName, "mode: verify-identity, \(ca)", "godwit",
                ["is not for this name", "other.example", "Connect by a name"]
            ),
            ("expired", servers.expired, "mode: verify-ca, \(ca)", "godwit", ["expired on", "Renew it"]),
            ("expired, identity", servers.expired, "mode: verify-identity, \(ca)", "godwit", ["expired on", "Renew it"]),
            ("no TLS, required", servers.off, "mode: required", "godwit", ["TLS", "disabled"]),
            ("no TLS, verify-ca", servers.off, "mode: verify-ca, \(ca)", "godwit", ["TLS"]),
            ("no TLS, verify-identity", servers.off, "mode: verify-identity, \(ca)", "godwit", ["TLS"]),
            ("X509 without a certificate", isGood, "mode: verify-ca, \(ca)", "mutual", ["1045"]),
            (
                "client certificate of another CA", isGood,
                "mode: verify-ca, \(ca), cert: \(theirs.certificate), key: \(theirs.key)", "mutual", ["client certificate"]
            ),
            (
                "key of another certificate", isGood, "mode: verify-ca, \(ca), cert: \(mine.certificate), key: \(theirs.key)", "mutual",
                ["client key belongs to the client certificate"]
            ),
        ]
        let right = "mode: verify-identity, \(ca)"
        for refusal in cases {
            for isSource in [true, false] {
                let (name, good) = isSource ? ("source", rig.source) : ("target", rig.target)
                let server = refusal.server ?? good
                let bad = side(server, refusal.tls, user: refusal.user)
                try plan(rig, isSource ? bad : side(rig.source, right), isSource ? side(rig.target, right) : bad)
                let run = try await rig.godwit(["migrate", "--until", "validated", "--json"], expecting: 1)
                _ = try BadInputRig.sentence(
                    run, 1, "\(refusal.what) of the \(name)",
                    ["No connection to the \(name)", "localhost:\(server.port)"] + refusal.words)
            }
        }
    }
}
