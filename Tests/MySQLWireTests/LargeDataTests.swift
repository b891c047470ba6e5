import Foundation
import GodwitTesting
import MySQLTypes
import MySQLWire
import NIOCore
import Testing

extension RealServers {
    /// Packets of more than 16 MiB both ways, and memory while much data passes.
    @Suite struct LargeDataTests {
        private static let limit = 1 << 24

        @Test(arguments: ServerFlavour.allCases)
        func packetsAroundSixteenMegabytes(_ flavour: ServerFlavour) async throws {
            try await withServer(flavour, ServerOptions(tls: flavour == .mariadb ? .off : .generated, durable: false)) {
                server in
                try await server.withConnection { connection in
                    for size in Self.limit - 2...Self.limit + 1 { try await statement(of: size, connection) }
                    try await statement(of: 2 * Self.limit - 2, connection)
                    try await statement(of: 2 * Self.limit, connection)
                    for size in [Self.limit - 2, Self.limit - 1, Self.limit, Self.limit + 1, 2 * Self.limit + 5] {
                        try await row(of: size, connection)
                    }
                    try await file(connection)
                    try await event(server, connection)
                }
                try await server.withConnection(server.configuration(tls: encrypted(flavour))) { connection in
                    for size in Self.limit - 2...Self.limit + 1 { try await statement(of: size, connection) }
                    try await statement(of: 2 * Self.limit, connection)
                    try await row(of: Self.limit - 1, connection)
                }
            }
        }

        private func encrypted(_ flavour: ServerFlavour) -> MySQLTLS {
            flavour == .mysql9 ? MySQLTLS(mode: .required) : .disabled
        }

        /// A COM_QUERY of exactly `size` bytes.
        private func statement(of size: Int, _ connection: MySQLConnection) async throws {
            var sql = ByteBuffer(string: "SELECT LENGTH('")
            let filler = size - 1 - sql.readableBytes - 2
            sql.writeRepeatingByte(0x61, count: filler)
            sql.writeString("')")
            #expect(sql.readableBytes + 1 == size)
            #expect(try await connection.query(sql).rows[0].int(0) == Int64(filler))
        }

        /// A row of exactly `size` bytes, collected, streamed and prepared.
        private func row(of size: Int, _ connection: MySQLConnection) async throws {
            let length = size < Self.limit + 4 ? size - 4 : size - 9
            let sql = "SELECT REPEAT('b', \(length))"
            let result = try await connection.query(sql)
            #expect(result.rows.map { $0.values[0]?.count } == [length])
            #expect(result.rows[0].values[0]?.allSatisfy { $0 == 0x62 } == true)
            let (bytes, ends, largest) = try await connection.stream(sql) { stream in
                var bytes = 0
                var ends: [Int] = []
                var largest = 0
                while let batch = try await stream.next() {
                    ends += batch.rowEnds.map { $0 + bytes }
                    bytes += batch.bytes.readableBytes
                    largest = max(largest, batch.bytes.readableBytes)
                }
                return (bytes, ends, largest)
            }
            #expect(bytes == size)
            #expect(ends == [size])
            #expect(largest <= 4 << 20)
            let prepared = try await connection.execute(prepared: "SELECT REPEAT('c', ?)", [.int(Int64(length))])
            #expect(prepared.rows[0].values[0]?.count == length)
        }

        private func file(_ connection: MySQLConnection) async throws {
            try await connection.query("CREATE DATABASE big")
            try await connection.query("CREATE TABLE big.t (id INT PRIMARY KEY, v LONGBLOB)")
            let ok = try await connection.loadDataLocal("LOAD DATA LOCAL INFILE 'x' INTO TABLE big.t") { writer in
                var row = ByteBuffer(string: "1\t")
                row.writeRepeatingByte(0x64, count: Self.limit + 100)
                row.writeString("\n")
                try await writer.write(row)
            }
            #expect(ok.affectedRows == 1)
            let length = try await connection.query("SELECT LENGTH(v) FROM big.t").rows[0].int(0)
            #expect(length == Int64(Self.limit + 100))
        }

        /// The row just loaded, as one event of more than 16 MiB.
        private func event(_ server: TestServer, _ connection: MySQLConnection) async throws {
            let checksum = connection.server.isMariaDB ? "@master_binlog_checksum" : "@source_binlog_checksum"
            let file = try await connection.query("SHOW BINARY LOGS").rows.last?.string(0) ?? ""
            try await server.withConnection { reader in
                try await reader.query("SET \(checksum) = 'CRC32'")
                let stream = try await reader.binlogStream(
                    from: .coordinates(BinlogCoordinates(file: file, offset: 4)), serverID: 78, nonBlocking: true)
                var largest = 0
                while let events = try await stream.next(timeout: .seconds(60)) {
                    for event in events {
                        #expect(event.count == event[9..<13].reversed().reduce(0) { $0 << 8 | Int($1) })
                        largest = max(largest, event.count)
                    }
                }
                #expect(largest > Self.limit + 100)
            }
        }

        /// 400 MB pass a reader that takes its time; the process does not grow with them.
        @Test(arguments: [false, true])
        func memoryStaysFlat(_ encrypted: Bool) async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                let tls = MySQLTLS(mode: encrypted ? .required : .disabled)
                try await server.withConnection(server.configuration(tls: tls)) { connection in
                    try await server.withConnection { other in
                        // Forgets the peak of what ran before.
                        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
                        let before = try Self.peakMegabytes()
                        let bytes = try await connection.stream(
                            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                                + "SELECT i, REPEAT('x', 1000000) FROM n"
                        ) { stream in
                            var bytes = 0
                            while let batch = try await stream.next() {
                                bytes += batch.bytes.readableBytes
                                try await other.query("DO 1")
                            }
                            return bytes
                        }
                        #expect(bytes > 400_000_000)
                        let grown = try Self.peakMegabytes() - before
                        #expect(grown < 80, "grown by \(grown) MB")
                    }
                }
            }
        }

        /// Beside the statement itself there is next to nothing, neither packets nor ciphertext.
        @Test(arguments: [false, true])
        func aLargeStatementIsHeldOnce(_ encrypted: Bool) async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                let tls = MySQLTLS(mode: encrypted ? .required : .disabled)
                try await server.withConnection(server.configuration(tls: tls)) { connection in
                    var sql = ByteBuffer()
                    sql.reserveCapacity(60_000_100)
                    // COM_QUERY's byte: see `Command.query`.
                    sql.writeInteger(UInt8(0x03))
                    sql.moveReaderIndex(forwardBy: 1)
                    sql.writeString("SELECT LENGTH('")
                    sql.writeRepeatingByte(0x61, count: 60_000_000)
                    sql.writeString("')")
                    try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
                    let before = try Self.peakMegabytes()
                    #expect(try await connection.query(sql).rows[0].int(0) == 60_000_000)
                    let grown = try Self.peakMegabytes() - before
                    // Other suites run beside this one; a copy would be 60 MB.
                    #expect(grown < 45, "grown by \(grown) MB")
                }
            }
        }

        /// The server says no when it has read the first packet's header, and closes while this side still sends.
        @Test(arguments: [false, true])
        func aStatementTooLarge(_ encrypted: Bool) async throws {
            let options = ServerOptions(durable: false, extra: ["--max-allowed-packet=1M"])
            try await withServer(.mysql9, options) { server in
                let tls = MySQLTLS(mode: encrypted ? .required : .disabled)
                for size in [1_100_000, 3_000_000, 40_000_000] {
                    try await server.withConnection(server.configuration(tls: tls)) { connection in
                        var failure: MySQLError?
                        do { try await statement(of: size, connection) } catch { failure = error as? MySQLError }
                        #expect(failure?.serverCode == 1153, "\(size): \(String(describing: failure))")
                    }
                }
            }
        }

        /// The server is killed while it takes a statement.
        @Test func theServerDiesInTheMiddle() async throws {
            try await withServer(.mysql9, ServerOptions(durable: false)) { server in
                try await server.withConnection { connection in
                    // Stopped, it reads nothing: the statement stands in the middle.
                    server.process.signal(SIGSTOP)
                    async let answer: Void = statement(of: 40_000_000, connection)
                    for _ in 0..<1000 { await Task.yield() }
                    try await server.kill()
                    var failure: MySQLError?
                    do { try await answer } catch { failure = error as? MySQLError }
                    #expect(failure?.code == .connectionClosed)
                }
            }
        }

        /// The peak of this process's resident memory, in megabytes.
        private static func peakMegabytes() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1024
        }
    }
}
