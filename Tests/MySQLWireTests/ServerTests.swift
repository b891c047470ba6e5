import GodwitTesting
import MySQLTypes
import MySQLWire
import NIOCore
import NIOPosix
import Testing

extension RealServers {
    /// The main paths, on real servers.
    @Suite struct ServerTests {
        @Test(arguments: ServerFlavour.allCases)
        func queriesAndStreams(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, ServerOptions(tls: flavour == .mariadb ? .off : .generated, durable: false)) {
                server in
                try await server.withConnection { connection in
                    #expect(connection.server.isMariaDB == (flavour == .mariadb))
                    #expect(connection.server.tlsVersion == nil)
                    let result = try await connection.query("SELECT 1 AS a, NULL AS b, 'é' AS c, -5 AS d")
                    #expect(result.columns.map(\.name) == ["a", "b", "c", "d"])
                    #expect(result.rows == [MySQLRow(values: [[0x31], nil, Array("é".utf8), Array("-5".utf8)])])
                    try await connection.query("CREATE DATABASE w")
                    try await connection.query("CREATE TABLE w.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))")
                    let ok = try await connection.query("INSERT INTO w.t (v) VALUES ('x'), ('y')").ok
                    #expect(ok.affectedRows == 2)
                    #expect(ok.lastInsertID == 1)
                    #expect(ok.info == "Records: 2  Duplicates: 0  Warnings: 0")
                    let error = await #expect(throws: MySQLError.self) {
                        try await connection.query("SELECT * FROM w.nope")
                    }
                    #expect(error?.serverCode == 1146)
                    #expect(error?.sqlState == "42S02")
                    try await streaming(connection)
                    try await loading(connection)
                    try await prepared(connection)
                    try await binlog(server, connection)
                }
            }
        }

        private func streaming(_ connection: MySQLConnection) async throws {
            for _ in 0..<12 { try await connection.query("INSERT INTO w.t (v) SELECT REPEAT('z', 90) FROM w.t") }
            let expected = try await connection.query("SELECT COUNT(*) FROM w.t").rows[0].int(0)
            let count = try await connection.stream("SELECT id, v FROM w.t") { stream in
                #expect(stream.columns.count == 2)
                var rows = 0
                while let batch = try await stream.next() { rows += batch.rowEnds.count }
                return rows
            }
            #expect(Int64(count) == expected)
            #expect(count == 8192)
        }

        private func loading(_ connection: MySQLConnection) async throws {
            try await connection.query("CREATE TABLE w.l (id INT PRIMARY KEY, v VARCHAR(100))")
            let ok = try await connection.loadDataLocal("LOAD DATA LOCAL INFILE 'x' INTO TABLE w.l") { writer in
                for block in 0..<100 {
                    var bytes = ByteBuffer()
                    for row in 0..<1000 { bytes.writeString("\(block * 1000 + row)\tvalue \(row)\n") }
                    try await writer.write(bytes)
                }
            }
            #expect(ok.affectedRows == 100_000)
            #expect(ok.info == "Records: 100000  Deleted: 0  Skipped: 0  Warnings: 0")
            #expect(try await connection.query("SELECT COUNT(*), MAX(id) FROM w.l").rows[0].int(1) == 99_999)
        }

        private func prepared(_ connection: MySQLConnection) async throws {
            let result = try await connection.execute(
                prepared: "SELECT ?, ?, ?, ?, ?",
                [.null, .int(-7), .uint(.max), .string("é"), .bytes([0, 1, 255])])
            #expect(result.rows[0].bytes(0) == nil)
            #expect(result.rows[0].int(1) == -7)
            #expect(result.rows[0].uint(2) == .max)
            #expect(result.rows[0].string(3) == "é")
            #expect(result.rows[0].bytes(4) == [0, 1, 255])
        }

        private func binlog(_ server: TestServer, _ connection: MySQLConnection) async throws {
            let isMariaDB = connection.server.isMariaDB
            let file = try await connection.query("SHOW BINARY LOGS").rows.last?.string(0) ?? ""
            try await server.withConnection { reader in
                try await reader.query(
                    isMariaDB
                        ? "SET @master_binlog_checksum = 'CRC32'" : "SET @source_binlog_checksum = 'CRC32'")
                let stream = try await reader.binlogStream(
                    from: .coordinates(BinlogCoordinates(file: file, offset: 4)), serverID: 77, nonBlocking: true)
                var types: [UInt8] = []
                while let events = try await stream.next(timeout: .seconds(20)) {
                    #expect(!events.isEmpty)
                    for event in events {
                        types.append(event[4])
                        let length = event[9..<13].reversed().reduce(0) { $0 << 8 | Int($1) }
                        #expect(event.count == length)
                    }
                }
                #expect(types.prefix(2) == [4, 15])
                #expect(types.count > 50)
            }
        }
    }
}
