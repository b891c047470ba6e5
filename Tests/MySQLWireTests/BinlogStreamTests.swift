import GodwitTesting
import MySQLTypes
import MySQLWire
import NIOPosix
import Testing

extension RealServers {
    /// Dumps from a real server: by GTID set, endless with heartbeats, and of what is not there.
    @Suite struct BinlogStreamTests {
        private func type(_ event: [UInt8]) -> UInt8 { event[4] }

        @Test func byGTIDsOnlyWhatIsMissing() async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                try await server.withConnection { connection in
                    try await connection.query("CREATE DATABASE g")
                    try await connection.query("CREATE TABLE g.t (id INT PRIMARY KEY)")
                    let text = try await connection.query("SELECT @@gtid_executed").rows[0].string(0) ?? ""
                    let seen = try GTIDSet(parsing: text)
                    #expect(!seen.isEmpty)
                    for id in 1...3 { try await connection.query("INSERT INTO g.t VALUES (\(id))") }
                    #expect(try await rowsEvents(server, .gtids(seen)) == 3)
                    try await connection.query("FLUSH BINARY LOGS")
                    try await connection.query("INSERT INTO g.t VALUES (4)")
                    #expect(try await rowsEvents(server, .gtids(seen)) == 4)
                    #expect(try await rowsEvents(server, .gtids(GTIDSet())) == 4)
                }
            }
        }

        private func rowsEvents(_ server: TestServer, _ start: BinlogStart) async throws -> Int {
            try await server.withConnection { reader in
                try await reader.query("SET @source_binlog_checksum = 'CRC32'")
                let stream = try await reader.binlogStream(from: start, serverID: 901, nonBlocking: true)
                var rows = 0
                while let events = try await stream.next(timeout: .seconds(30)) {
                    rows += events.count { type($0) == 30 }
                }
                return rows
            }
        }

        @Test(arguments: ServerFlavour.allCases)
        func endlessWithHeartbeats(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, ServerOptions(tls: flavour == .mariadb ? .off : .generated, durable: false)) {
                server in
                try await server.withConnection { connection in
                    let file = try await connection.query("SHOW BINARY LOGS").rows.last?.string(0) ?? ""
                    let reader = try await MySQLConnection.connect(
                        server.configuration(), on: MultiThreadedEventLoopGroup.singleton.next())
                    let prefix = flavour == .mariadb ? "master" : "source"
                    try await reader.query(
                        "SET @\(prefix)_heartbeat_period = 100000000, @\(prefix)_binlog_checksum = 'CRC32'")
                    let stream = try await reader.binlogStream(
                        from: .coordinates(BinlogCoordinates(file: file, offset: 4)), serverID: 902)
                    var heartbeats = 0
                    while heartbeats < 3 {
                        for event in try await stream.next(timeout: .seconds(30)) ?? [] {
                            // HEARTBEAT_LOG_EVENT, HEARTBEAT_LOG_EVENT_V2
                            if [27, 41].contains(type(event)) { heartbeats += 1 }
                        }
                    }
                    // A dump holds its connection.
                    let busy = await #expect(throws: MySQLError.self) { try await reader.query("SELECT 1") }
                    #expect(busy?.code == .usage)
                    // Waiting for events that don't come can be cancelled.
                    try await connection.query("CREATE DATABASE h")
                    let task = Task { while try await stream.next() != nil {} }
                    task.cancel()
                    let end = await task.result
                    let error = #expect(throws: MySQLError.self) { try end.get() }
                    #expect(error?.code == .cancelled)
                    #expect(!reader.isOpen)
                }
            }
        }

        @Test func whatIsNotThere() async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                try await server.withConnection { reader in
                    let stream = try await reader.binlogStream(
                        from: .coordinates(BinlogCoordinates(file: "binlog.999999", offset: 4)), serverID: 903)
                    let error = await #expect(throws: MySQLError.self) { _ = try await stream.next() }
                    #expect(error?.serverCode == 1236)
                    #expect(error?.message.isEmpty == false)
                }
                try await server.withConnection { reader in
                    let far = BinlogCoordinates(file: "binlog.000001", offset: 1 << 33)
                    let error = await #expect(throws: MySQLError.self) {
                        _ = try await reader.binlogStream(from: .coordinates(far), serverID: 904)
                    }
                    #expect(error?.code == .usage)
                    try await reader.query("SELECT 1")
                }
            }
        }

        @Test func byGTIDsOfMySQLIsRefusedOnMariaDB() async throws {
            try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
                try await server.withConnection { reader in
                    let error = await #expect(throws: MySQLError.self) {
                        _ = try await reader.binlogStream(from: .gtids(GTIDSet()), serverID: 905)
                    }
                    #expect(error?.code == .usage)
                }
            }
        }
    }
}
