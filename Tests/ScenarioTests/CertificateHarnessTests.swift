import GodwitTesting
import SystemPackage
import Testing

/// The certificates of the harness do what their names say, judged by the server's own client.
@Suite(.serialized) struct CertificateHarnessTests {
    @Test(arguments: CertificateFactory.KeyKind.allCases)
    func mysqlClientAcceptsTheRightAndRefusesTheWrong(kind: CertificateFactory.KeyKind) async throws {
        try await withTemporaryFolder { folder in
            let authority = try CertificateFactory(folder: folder, keyKind: kind)
            let other = try CertificateFactory(folder: folder, commonName: "other-ca", keyKind: kind)
            let tls = try authority.serverTLS(names: ["localhost"], addresses: ["127.0.0.1"], keyKind: kind)
            try await withServer(.mysql9, ServerOptions(tls: tls)) { server in
                func connect(_ host: String, _ ca: String, _ mode: String) async throws -> [[String]] {
                    try await TestServer.runClient(
                        .mysql9,
                        "SELECT VARIABLE_VALUE <> '' FROM performance_schema.session_status"
                            + " WHERE VARIABLE_NAME = 'Ssl_cipher'",
                        arguments: [
                            "--host=\(host)", "--protocol=tcp", "--port=\(server.port)", "--user=root",
                            "--ssl-ca=\(ca)", "--ssl-mode=\(mode)",
                        ])
                }
                let encrypted = try await connect("localhost", authority.caFile, "VERIFY_IDENTITY")
                #expect(encrypted == [["1"]])
                await #expect(throws: TestingError.self) {
                    _ = try await connect("localhost", other.caFile, "VERIFY_CA")
                }
            }
        }
    }

    @Test(arguments: [CertificateFactory.Validity.expired, .notYet])
    func outOfDateIsRefused(validity: CertificateFactory.Validity) async throws {
        try await withTemporaryFolder { folder in
            let authority = try CertificateFactory(folder: folder)
            let tls = try authority.serverTLS(validity: validity)
            try await withServer(.mysql9, ServerOptions(tls: tls)) { server in
                let error = await #expect(throws: TestingError.self) {
                    try await TestServer.runClient(
                        .mysql9, "SELECT 1",
                        arguments: [
                            "--host=localhost", "--protocol=tcp", "--port=\(server.port)", "--user=root",
                            "--ssl-ca=\(authority.caFile)", "--ssl-mode=VERIFY_CA",
                        ])
                }
                #expect(error?.message.contains("certificate") == true)
            }
        }
    }

    @Test func withoutTLSThereIsNone() async throws {
        for flavour in ServerFlavour.allCases {
            try await withServer(flavour, ServerOptions(tls: .off)) { server in
                await #expect(throws: TestingError.self) {
                    try await TestServer.runClient(
                        .mysql9, "SELECT 1",
                        arguments: [
                            "--host=127.0.0.1", "--protocol=tcp", "--port=\(server.port)", "--user=root",
                            "--ssl-mode=REQUIRED",
                        ])
                }
            }
        }
    }
}
