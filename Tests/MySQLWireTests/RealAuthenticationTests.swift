import GodwitTesting
import MySQLWire
import NIOPosix
import Testing

extension RealServers {
    /// Accounts of every kind on real servers, over every kind of transport.
    @Suite struct RealAuthenticationTests {
        private static let password = "geheim-'pässwörd"

        private func login(
            _ configuration: MySQLConfiguration, password: String? = Self.password, database: String? = nil
        ) async -> Result<String, MySQLError> {
            var configuration = configuration
            configuration.password = password
            configuration.database = database
            do {
                let connection = try await MySQLConnection.connect(
                    configuration, on: MultiThreadedEventLoopGroup.singleton.next())
                let answer = try await connection.query("SELECT CONCAT(CURRENT_USER(), ' ', IFNULL(DATABASE(), '-'))")
                await connection.close()
                return .success(answer.rows[0].string(0) ?? "")
            } catch {
                return .failure(error)
            }
        }

        private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

        @Test func cachingSHA2() async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                try await server.withConnection { root in
                    try await root.query("CREATE DATABASE d")
                    try await root.query("CREATE USER sha@'%' IDENTIFIED BY \(quoted(Self.password))")
                    try await root.query("CREATE USER sha@localhost IDENTIFIED BY \(quoted(Self.password))")
                    try await root.query("GRANT ALL ON d.* TO sha@'%'")
                    try await root.query("GRANT ALL ON d.* TO sha@localhost")
                    var plain = server.configuration()
                    plain.username = "sha"
                    var socket = plain
                    socket.address = .unix(path: server.socket)
                    var tls = server.configuration(tls: MySQLTLS(mode: .required))
                    tls.username = "sha"
                    var key = plain
                    key.allowPublicKeyRetrieval = true

                    // Nothing cached: full authentication.
                    let refused = await login(plain)
                    #expect(refused.failure?.code == .authentication)
                    #expect(refused.failure?.cure.contains("public key") == true)
                    for (name, way) in [("TLS", tls), ("socket", socket), ("public key", key)] {
                        #expect(await login(way, password: "wrong").failure?.serverCode == 1045, "\(name)")
                        #expect(await login(way, password: nil).failure?.serverCode == 1045, "\(name)")
                        try await root.query("FLUSH PRIVILEGES")
                        let full = try await login(way, database: "d").get()
                        #expect(full.hasPrefix("sha@") && full.hasSuffix(" d"), "\(name)")
                        // Cached now: fast, by any way.
                        let fast = await login(plain)
                        #expect(fast.failure == nil, "\(name)")
                        try await root.query("FLUSH PRIVILEGES")
                        #expect(await login(plain).failure?.code == .authentication, "\(name)")
                    }
                    #expect(await login(tls, database: "nope").failure?.serverCode == 1044)
                }
            }
        }

        @Test func otherPluginsOfMySQL() async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                try await server.withConnection { root in
                    try await root.query("CREATE USER s256@'%' IDENTIFIED WITH sha256_password BY 'x'")
                    var configuration = server.configuration(tls: MySQLTLS(mode: .required))
                    configuration.username = "s256"
                    let error = await login(configuration, password: "x").failure
                    #expect(error?.code == .authentication)
                    #expect(error?.message.contains("sha256_password") == true)
                }
            }
        }

        @Test func nativePassword() async throws {
            try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
                try await server.withConnection { root in
                    try await root.query("CREATE USER n@'%' IDENTIFIED BY \(quoted(Self.password))")
                    try await root.query("CREATE USER n@localhost IDENTIFIED BY \(quoted(Self.password))")
                    var tcp = server.configuration()
                    tcp.username = "n"
                    var socket = tcp
                    socket.address = .unix(path: server.socket)
                    for way in [tcp, socket] {
                        #expect(try await login(way).get().hasPrefix("n@"))
                        #expect(await login(way, password: "wrong").failure?.serverCode == 1045)
                    }
                }
            }
        }

        /// The server's own method is another one than the account's: it asks to switch.
        @Test func switchFromCachingSHA2ToNative() async throws {
            try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
                try await server.withConnection { root in
                    try await root.query(
                        "CREATE USER o@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('pw')")
                    var configuration = server.configuration()
                    configuration.username = "o"
                    #expect(try await login(configuration, password: "pw").get() == "o@% -")
                }
            }
        }
    }
}
