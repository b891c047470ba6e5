import GodwitTesting
import MySQLWire
import NIOPosix
import Testing

extension RealServers {
    /// Who is let in with which certificate, on real servers.
    @Suite struct TLSTests {
        private func attempt(
            _ server: TestServer, _ mode: MySQLTLS.Mode, ca: String? = nil, host: String = "localhost",
            client: CertificateFactory.Files? = nil, user: String = "root"
        ) async -> Result<String, MySQLError> {
            var configuration = server.configuration(
                tls: MySQLTLS(mode: mode, caFile: ca, certificateFile: client?.certificate, keyFile: client?.key))
            configuration.address = .tcp(host: host, port: server.port)
            configuration.username = user
            do {
                let connection = try await MySQLConnection.connect(
                    configuration, on: MultiThreadedEventLoopGroup.singleton.next())
                let cipher = try await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'").rows[0].string(1) ?? ""
                #expect(cipher.isEmpty == (mode == .disabled))
                let version = connection.server.tlsVersion ?? "none"
                await connection.close()
                return .success(version)
            } catch {
                return .failure(error)
            }
        }

        private func expectRefusal(_ result: Result<String, MySQLError>, _ part: String, _ comment: Comment) {
            switch result {
            case .success: Issue.record("was let in: \(comment)")
            case .failure(let error):
                #expect(error.code == .tls, comment)
                #expect(error.message.contains(part), "\(comment): \(error)")
                #expect(!error.cure.isEmpty, comment)
            }
        }

        private func expectIn(_ result: Result<String, MySQLError>, _ comment: Comment) {
            #expect(throws: Never.self, comment) { try result.get().hasPrefix("TLSv1.") }
        }

        @Test(arguments: ServerFlavour.allCases)
        func chainAndName(_ flavour: ServerFlavour) async throws {
            let folder = try await TemporaryFolder.make("tls")
            let right = try CertificateFactory(folder: folder, commonName: "right-ca")
            let wrong = try CertificateFactory(folder: folder, commonName: "wrong-ca")
            let options = ServerOptions(tls: try right.serverTLS(), durable: false)
            try await withServer(flavour, options) { server in
                for mode in MySQLTLS.Mode.allCases where mode != .disabled {
                    expectIn(await attempt(server, mode, ca: right.caFile), "\(mode) by name")
                    expectIn(await attempt(server, mode, ca: right.caFile, host: "127.0.0.1"), "\(mode) by address")
                }
                expectIn(await attempt(server, .required), "required, no CA")
                expectIn(await attempt(server, .required, ca: wrong.caFile), "required, wrong CA")
                for mode in [MySQLTLS.Mode.verifyCA, .verifyIdentity] {
                    expectRefusal(await attempt(server, mode, ca: wrong.caFile), "not signed by", "\(mode), wrong CA")
                    expectRefusal(await attempt(server, mode), "not signed by the system's CAs", "\(mode), no CA")
                }
                #expect(try await attempt(server, .disabled).get() == "none")
                try await clientCertificate(server, right: right, wrong: wrong)
            }
            try TemporaryFolder.remove(folder)
        }

        private func clientCertificate(
            _ server: TestServer, right: CertificateFactory, wrong: CertificateFactory
        ) async throws {
            let mine = try right.issue("client", usage: .client)
            let foreign = try wrong.issue("foreign", usage: .client)
            try await server.withConnection { connection in
                _ = try await connection.query("CREATE USER x509@'%' REQUIRE X509")
            }
            expectIn(
                await attempt(server, .verifyCA, ca: right.caFile, client: mine, user: "x509"), "client certificate")
            let without = await attempt(server, .verifyCA, ca: right.caFile, user: "x509")
            #expect(without.failure?.serverCode == 1045, "\(without)")
            let other = await attempt(server, .verifyCA, ca: right.caFile, client: foreign, user: "x509")
            #expect(other.failure != nil)
            let half = MySQLTLS(mode: .required, certificateFile: mine.certificate)
            #expect(throws: MySQLError.self) { try TLSProbe.check(half) }
        }

        @Test(arguments: ServerFlavour.allCases)
        func wrongName(_ flavour: ServerFlavour) async throws {
            let folder = try await TemporaryFolder.make("tls")
            let authority = try CertificateFactory(folder: folder, keyKind: .rsa2048)
            let tls = try authority.serverTLS(names: ["db.example.com"], addresses: ["192.0.2.1"], keyKind: .rsa2048)
            try await withServer(flavour, ServerOptions(tls: tls, durable: false)) { server in
                expectIn(await attempt(server, .verifyCA, ca: authority.caFile), "verify-ca does not look at the name")
                for host in ["localhost", "127.0.0.1"] {
                    let result = await attempt(server, .verifyIdentity, ca: authority.caFile, host: host)
                    expectRefusal(
                        result, "not for this name or address: it is for db.example.com, 192.0.2.1", "\(host)")
                }
            }
            try TemporaryFolder.remove(folder)
        }

        @Test(arguments: ServerFlavour.allCases)
        func expired(_ flavour: ServerFlavour) async throws {
            let folder = try await TemporaryFolder.make("tls")
            let authority = try CertificateFactory(folder: folder)
            let tls = try authority.serverTLS(validity: .expired)
            try await withServer(flavour, ServerOptions(tls: tls, durable: false)) { server in
                for mode in [MySQLTLS.Mode.verifyCA, .verifyIdentity] {
                    expectRefusal(await attempt(server, mode, ca: authority.caFile), "expired on", "\(mode)")
                }
                expectIn(await attempt(server, .required), "required does not look at the certificate")
            }
            try TemporaryFolder.remove(folder)
        }

        @Test(arguments: ServerFlavour.allCases)
        func serverWithoutTLS(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, ServerOptions(tls: .off, durable: false)) { server in
                for mode in MySQLTLS.Mode.allCases where mode != .disabled {
                    expectRefusal(await attempt(server, mode), "offers no TLS", "\(mode)")
                }
            }
        }

        @Test func filesThatAreNotThere() async throws {
            let folder = try await TemporaryFolder.make("tls")
            let empty = "\(folder)/empty.pem"
            for tls in [
                MySQLTLS(mode: .verifyCA, caFile: "/nonexistent/ca.pem"), MySQLTLS(mode: .verifyCA, caFile: empty),
                MySQLTLS(mode: .required, certificateFile: "/nonexistent/c.pem", keyFile: "/nonexistent/k.pem"),
                MySQLTLS(mode: .required, keyFile: "/nonexistent/k.pem"),
            ] {
                let error = #expect(throws: MySQLError.self) { try TLSProbe.check(tls) }
                #expect(error?.code == .tls)
            }
            try TemporaryFolder.remove(folder)
        }
    }
}
