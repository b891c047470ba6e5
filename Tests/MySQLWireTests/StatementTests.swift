import GodwitTesting
import MySQLTypes
import MySQLWire
import NIOCore
import NIOPosix
import Testing

extension RealServers {
    /// Statements that go wrong, and connections that end, on real servers.
    @Suite struct StatementTests {
        private struct OwnError: Error {}

        private func options(_ flavour: ServerFlavour) -> ServerOptions {
            ServerOptions(tls: flavour == .mariadb ? .off : .generated, durable: false)
        }

        private func failure<Output>(_ body: () async throws -> Output) async -> MySQLError? {
            do {
                _ = try await body()
                return nil
            } catch { return error as? MySQLError }
        }

        /// `w.n`: the numbers 1 ... 20000.
        private func numbers(_ connection: MySQLConnection) async throws {
            try await connection.query("CREATE DATABASE w")
            try await connection.query("CREATE TABLE w.n (id INT PRIMARY KEY, v VARCHAR(40))")
            var sql = "INSERT INTO w.n VALUES (1, 'first')"
            for id in 2...20_000 { sql += ",(\(id), 'value \(id)')" }
            try await connection.query(sql)
        }

        @Test(arguments: ServerFlavour.allCases)
        func errorInTheMiddleOfAResult(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, options(flavour)) { server in
                try await server.withConnection { connection in
                    try await numbers(connection)
                    let sql = "SELECT id, v, IF(id = 15000, (SELECT id FROM w.n LIMIT 2), 0) FROM w.n ORDER BY id"
                    var rows = 0
                    let error = await failure {
                        try await connection.stream(
                            sql.replacing("LIMIT 2", with: "WHERE id < 3")
                        ) { stream in while let batch = try await stream.next() { rows += batch.rowEnds.count } }
                    }
                    #expect(error?.serverCode == 1242)
                    #expect(error?.sqlState == "21000")
                    #expect(rows < 20_000)
                    // The server said where it stopped: the connection is good for more.
                    #expect(try await connection.query("SELECT COUNT(*) FROM w.n").rows[0].int(0) == 20_000)
                }
            }
        }

        @Test func aResultLeftBeforeItsEndClosesTheConnection() async throws {
            try await withServer(.mysql9, options(.mysql9)) { server in
                try await server.withConnection { connection in
                    try await numbers(connection)
                    let rows = try await connection.stream("SELECT * FROM w.n") { stream in
                        try await stream.next()?.rowEnds.count ?? 0
                    }
                    #expect(rows > 0)
                    #expect(!connection.isOpen)
                    #expect(await failure { try await connection.query("SELECT 1") }?.code == .connectionClosed)
                }
                try await server.withConnection { connection in
                    await #expect(throws: OwnError.self) {
                        try await connection.stream("SELECT 1") { _ in throw OwnError() }
                    }
                    #expect(!connection.isOpen)
                }
            }
        }

        @Test(arguments: ServerFlavour.allCases)
        func filesThatBreakOff(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, options(flavour)) { server in
                try await server.withConnection { watcher in
                    try await numbers(watcher)
                    try await watcher.query("CREATE TABLE w.l (id INT PRIMARY KEY, v VARCHAR(40))")
                    let load = "LOAD DATA LOCAL INFILE 'x' INTO TABLE w.l"
                    try await server.withConnection { connection in
                        try await connection.query("BEGIN")
                        await #expect(throws: OwnError.self) {
                            _ = try await connection.loadDataLocal(load) { writer in
                                try await writer.write(ByteBuffer(string: "1\ta\n2\tb\n"))
                                throw OwnError()
                            }
                        }
                        #expect(!connection.isOpen)
                    }
                    #expect(try await watcher.query("SELECT COUNT(*) FROM w.l").rows[0].int(0) == 0)
                    try await server.withConnection { connection in
                        // Refused before the file: body is not run, the connection stays good.
                        let missing = await failure {
                            try await connection.loadDataLocal(load + "_nope") { _ in Issue.record("asked for a file") }
                        }
                        #expect(missing?.serverCode == 1146)
                        let none = await failure { try await connection.loadDataLocal("DO 1") { _ in } }
                        #expect(none?.code == .usage)
                        // LOCAL behaves as IGNORE: the counts tell.
                        let ok = try await connection.loadDataLocal(load) { writer in
                            try await writer.write(ByteBuffer(string: "1\ta\n1\tb\n"))
                            try await writer.write(ByteBuffer())
                            try await writer.write(ByteBuffer(string: "2\tc\n"))
                        }
                        #expect(ok.info == "Records: 3  Deleted: 0  Skipped: 1  Warnings: 1")
                        #expect(ok.affectedRows == 2)
                        // A query never sends a file, even if it is one that asks for it.
                        let unbidden = await failure { try await connection.query(load) }
                        #expect(unbidden?.code == .protocolViolation)
                        #expect(!connection.isOpen)
                    }
                }
            }
        }

        @Test(arguments: ServerFlavour.allCases)
        func killedAndCancelled(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, options(flavour)) { server in
                try await server.withConnection { other in
                    for (verb, code) in [("KILL QUERY", MySQLError.Code.server), ("KILL", .connectionClosed)] {
                        try await server.withConnection { connection in
                            let identifier = connection.server.connectionID
                            let task = Task {
                                try await connection.query("SELECT SLEEP(1000), 'private' FROM (SELECT 1) x")
                            }
                            try await waitForSleep(other, identifier)
                            try await other.query("\(verb) \(identifier)")
                            let end = await task.result
                            switch end {
                            case .success(let result):
                                // MySQL ends SLEEP itself early and returns 1.
                                #expect(verb == "KILL QUERY")
                                #expect(result.rows[0].int(0) == 1)
                            case .failure(let error):
                                let error = error as? MySQLError
                                // The server may say that it was killed before it closes.
                                #expect(error?.code == code || error?.serverCode == 1317 || error?.serverCode == 1927)
                                #expect(error?.description.contains("private") == false)
                            }
                        }
                    }
                    try await server.withConnection { connection in
                        let task = Task { try await connection.query("SELECT SLEEP(1000)") }
                        try await waitForSleep(other, connection.server.connectionID)
                        task.cancel()
                        let end = await task.result
                        let error = #expect(throws: MySQLError.self) { try end.get() }
                        #expect(error?.code == .cancelled)
                        #expect(error?.isConnectionLost == true)
                    }
                    try await server.withConnection { connection in
                        let error = await failure {
                            try await connection.query("SELECT SLEEP(1000)", timeout: .milliseconds(200))
                        }
                        #expect(error?.code == .timeout)
                        #expect(!connection.isOpen)
                    }
                }
            }
        }

        private func waitForSleep(_ connection: MySQLConnection, _ identifier: UInt32) async throws {
            // Not information_schema.processlist: MySQL 9.7.4 fails with 3854 on the bytes of a session that is between two statements.
            while true {
                let rows = try await connection.query("SHOW FULL PROCESSLIST").rows
                if rows.contains(where: { $0.int(0) == Int64(identifier) && $0.string(7)?.contains("SLEEP") == true }) { return }
                await Task.yield()
            }
        }

        @Test func aServerThatGoesAway() async throws {
            try await withServer(.mysql9, options(.mysql9)) { server in
                let connection = try await MySQLConnection.connect(
                    server.configuration(), on: MultiThreadedEventLoopGroup.singleton.next())
                let idle = try await MySQLConnection.connect(
                    server.configuration(), on: MultiThreadedEventLoopGroup.singleton.next())
                let task = Task { try await connection.query("SELECT SLEEP(1000)") }
                try await waitForSleep(idle, connection.server.connectionID)
                try await server.kill()
                let end = await task.result
                let error = #expect(throws: MySQLError.self) { try end.get() }
                #expect(error?.code == .connectionClosed)
                #expect(error?.message.contains("SELECT SLEEP") == false)
                #expect(error?.message.contains("SELECT") == true)
                #expect(await failure { try await idle.query("SELECT 1") }?.code == .connectionClosed)
                await idle.close()
                await connection.close()
                try await server.start()
                try await server.withConnection { _ = try await $0.query("SELECT 1") }
            }
        }

        @Test func settingsOfAConnection() async throws {
            try await withServer(.mysql9, options(.mysql9)) { server in
                var configuration = server.configuration()
                configuration.sessionStatements = ["SET @a = 1", "CREATE DATABASE w", "CREATE TABLE w.t (id INT)"]
                try await server.withConnection(configuration) { connection in
                    #expect(try await connection.query("SELECT @a").rows[0].int(0) == 1)
                    try await connection.query("INSERT INTO w.t VALUES (1), (2)")
                    #expect(try await connection.query("UPDATE w.t SET id = 1 WHERE id = 1").ok.affectedRows == 0)
                }
                configuration.sessionStatements = []
                configuration.foundRows = true
                try await server.withConnection(configuration) { connection in
                    #expect(try await connection.query("UPDATE w.t SET id = 1 WHERE id = 1").ok.affectedRows == 1)
                    // One call is one statement.
                    #expect(await failure { try await connection.query("SELECT 1; SELECT 2") }?.serverCode == 1064)
                    try await connection.query("CREATE PROCEDURE w.p() BEGIN SELECT 1 AS a; SELECT 2 AS b; END")
                    let result = try await connection.query("CALL w.p()")
                    #expect(result.columns.map(\.name) == ["a"])
                    #expect(result.rows.count == 1)
                    #expect(await failure { try await connection.execute(prepared: "SELECT ?", []) }?.code == .usage)
                    let wrong = await failure { try await connection.execute(prepared: "SELECT nope", []) }
                    #expect(wrong?.serverCode == 1054)
                    for _ in 0..<50 { try await connection.execute(prepared: "SELECT 1", []) }
                    let open = try await connection.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
                    #expect(open.rows[0].int(1) == 0)
                }
                configuration.sessionStatements = ["SELECT nope"]
                #expect(await failure { try await server.withConnection(configuration) { _ in } }?.serverCode == 1054)
            }
        }

        @Test func internetProtocolVersion6() async throws {
            var options = options(.mysql9)
            options.extra = ["--bind-address=127.0.0.1,::1"]
            try await withServer(.mysql9, options) { server in
                var configuration = server.configuration()
                for host in ["::1", "localhost", "127.0.0.1"] {
                    configuration.address = .tcp(host: host, port: server.port)
                    try await server.withConnection(configuration) { connection in
                        let row = try await connection.query("SELECT 1").rows[0]
                        #expect(row.int(0) == 1)
                    }
                }
            }
        }
    }
}
