import GodwitTesting
import MySQLTypes
import MySQLWire
import NIOCore
import NIOPosix
import Testing

/// What only a broken or hostile peer does. Every call ends with an error of its own, and ends soon.
@Suite struct WireFaultTests {
    private func connect(_ configuration: MySQLConfiguration) async throws -> MySQLConnection {
        try await MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
    }

    private func failure<Output>(_ body: () async throws -> Output) async -> MySQLError? {
        do {
            _ = try await body()
            return nil
        } catch { return error as? MySQLError }
    }

    @Test func unbiddenLocalInfile() async throws {
        let request = ByteBuffer(bytes: [0xFB] + Array("/etc/passwd".utf8))
        try await ScriptedPeer.with(ScriptedPeer.login + [[.packets([request], first: 1)]]) { peer, configuration in
            let connection = try await connect(configuration)
            let error = await failure { try await connection.query("SELECT 1") }
            #expect(error?.code == .protocolViolation)
            #expect(error?.message.contains("local file") == true)
            #expect(!connection.isOpen)
            // The empty packet, and nothing of a file.
            try await withTimeLimit(.seconds(10), "the answer") {
                while peer.bytesReceived.suffix(4) != [0, 0, 0, 2] { await Task.yield() }
            }
            await connection.close()
        }
    }

    @Test func bytesBeforeTheTLSHandshake() async throws {
        let early: [ScriptedPeer.Step] = [.packets([PacketBuilder.handshake(), PacketBuilder.ok()], first: 0)]
        try await ScriptedPeer.with([early]) { peer, configuration in
            var configuration = configuration
            configuration.tls = MySQLTLS(mode: .required)
            let error = await failure { try await connect(configuration) }
            #expect(error?.code == .tls)
            #expect(error?.message.contains("handshake") == true)
            #expect(!peer.bytesReceived.contains(UInt8(ascii: "u")))
        }
    }

    @Test func plainAnswerToTheTLSHandshake() async throws {
        let script: [[ScriptedPeer.Step]] = [
            [.packets([PacketBuilder.handshake()], first: 0)], [.packets([PacketBuilder.ok()], first: 2)],
        ]
        try await ScriptedPeer.with(script) { peer, configuration in
            var configuration = configuration
            configuration.tls = MySQLTLS(mode: .required)
            let error = await failure { try await connect(configuration) }
            #expect(error?.code == .tls)
        }
    }

    @Test func cutInTheMiddleOfAPacket() async throws {
        let half = ByteBuffer(bytes: [100, 0, 0, 1, 0, 0])
        try await ScriptedPeer.with(ScriptedPeer.login + [[.raw(half), .close]]) { _, configuration in
            let connection = try await connect(configuration)
            let error = await failure { try await connection.query("UPDATE t SET v = 'private'") }
            #expect(error?.code == .connectionClosed)
            #expect(error?.description.contains("UPDATE t") == true)
            #expect(error?.description.contains("private") == false)
            #expect(await failure { try await connection.query("SELECT 1") }?.code == .connectionClosed)
        }
    }

    @Test func cutBetweenTwoRows() async throws {
        let packets = [
            PacketBuilder.bytes(1), PacketBuilder.column("a"), PacketBuilder.row(["x"]), PacketBuilder.row(["y"]),
        ]
        try await ScriptedPeer.with(ScriptedPeer.login + [[.packets(packets, first: 1), .close]]) { _, configuration in
            let connection = try await connect(configuration)
            var rows = 0
            let error = await failure {
                try await connection.stream("SELECT a FROM t") { stream in
                    while let batch = try await stream.next() { rows += batch.rowEnds.count }
                }
            }
            #expect(rows == 2)
            #expect(error?.code == .connectionClosed)
        }
    }

    @Test(
        arguments: [
            [.packets([PacketBuilder.ok()], first: 9)], [.packets([PacketBuilder.bytes(3, 0)], first: 1)],
            [.packets([PacketBuilder.bytes(1), PacketBuilder.bytes(1, 2, 3)], first: 1)],
            [.packets([PacketBuilder.bytes()], first: 1)],
            [
                .packets(
                    [
                        PacketBuilder.bytes(1), PacketBuilder.column("a"), PacketBuilder.row(["x", "y"]),
                        PacketBuilder.ok(header: 0xFE),
                    ], first: 1)
            ],
        ] as [[ScriptedPeer.Step]])
    func malformedAnswers(_ answer: [ScriptedPeer.Step]) async throws {
        try await ScriptedPeer.with(ScriptedPeer.login + [answer]) { _, configuration in
            let connection = try await connect(configuration)
            #expect(await failure { try await connection.query("SELECT 1") }?.code == .protocolViolation)
        }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{05}\0\0\0\u{0B}hello"])
    func notAMySQLServer(_ greeting: String) async throws {
        try await ScriptedPeer.with([[.raw(ByteBuffer(string: greeting))]]) { _, configuration in
            let error = await failure { try await connect(configuration) }
            #expect(error?.code == .protocolViolation)
            #expect(error?.cure.isEmpty == false)
        }
    }

    /// A server without a free place says so and closes at once, before the client has sent anything.
    @Test(arguments: ["127.0.0.1", "localhost"]) func refusedAndClosedAtOnce(host: String) async throws {
        let refusal = ByteBuffer(bytes: [0xFF, 0x10, 0x04] + Array("Too many connections".utf8))
        try await ScriptedPeer.with([[.packets([refusal], first: 0), .close]]) { peer, configuration in
            var configuration = configuration
            configuration.address = .tcp(host: host, port: peer.port)
            for _ in 0..<50 {
                let error = await failure { try await connect(configuration) }
                #expect(error?.serverCode == 1040, "\(error.map { "\($0)" } ?? "connected")")
            }
        }
    }

    @Test func silentServer() async throws {
        try await ScriptedPeer.with([[]]) { _, configuration in
            var configuration = configuration
            configuration.connectTimeout = .milliseconds(150)
            let error = await failure { try await connect(configuration) }
            #expect(error?.code == .timeout)
        }
    }

    @Test func silenceInAStatement() async throws {
        let head = [PacketBuilder.bytes(1), PacketBuilder.column("a"), PacketBuilder.row(["x"])]
        for answer in [[], head] {
            try await ScriptedPeer.with(ScriptedPeer.login + [[.packets(answer, first: 1)]]) { _, configuration in
                var configuration = configuration
                configuration.queryTimeout = .milliseconds(150)
                let connection = try await connect(configuration)
                let error = await failure {
                    try await connection.stream("SELECT a") { stream in while try await stream.next() != nil {} }
                }
                #expect(error?.code == .timeout)
                #expect(!connection.isOpen)
            }
            try await ScriptedPeer.with(ScriptedPeer.login + [[.packets(answer, first: 1)]]) { _, configuration in
                let connection = try await connect(configuration)
                let error = await failure { try await connection.query("SELECT a", timeout: .milliseconds(150)) }
                #expect(error?.code == .timeout)
            }
        }
    }

    @Test func silenceInADump() async throws {
        let script = ScriptedPeer.login + [[.packets([PacketBuilder.ok()], first: 1)], []]
        try await ScriptedPeer.with(script) { _, configuration in
            let connection = try await connect(configuration)
            let stream = try await connection.binlogStream(
                from: .coordinates(BinlogCoordinates(file: "b.1", offset: 4)), serverID: 9)
            #expect(await failure { try await stream.next(timeout: .milliseconds(150)) }?.code == .timeout)
            #expect(await failure { try await stream.next() }?.code == .timeout)
        }
    }

    /// Cancelled at whatever moment: it ends, with `.cancelled`, and the connection is closed.
    @Test(arguments: 0..<30)
    func cancellation(_ moment: Int) async throws {
        let head = [PacketBuilder.bytes(1), PacketBuilder.column("a"), PacketBuilder.row(["x"])]
        let script = ScriptedPeer.login + [[.packets(moment % 2 == 0 ? head : [], first: 1)]]
        try await ScriptedPeer.with(script) { _, configuration in
            let connection = try await connect(configuration)
            let task = Task {
                try await connection.stream("SELECT a") { stream in while try await stream.next() != nil {} }
            }
            for _ in 0..<(moment * moment) { await Task.yield() }
            task.cancel()
            let result = await task.result
            let error = #expect(throws: MySQLError.self) { try result.get() }
            #expect(error?.code == .cancelled)
            #expect(!connection.isOpen)
            await connection.close()
        }
    }

    @Test(arguments: 0..<20)
    func cancellationOfTheLogin(_ moment: Int) async throws {
        try await ScriptedPeer.with([moment % 2 == 0 ? [] : ScriptedPeer.login[0]]) { _, configuration in
            var patient = configuration
            patient.connectTimeout = .seconds(600)
            let task = Task { [patient] in try await connect(patient) }
            for _ in 0..<(moment * moment) { await Task.yield() }
            task.cancel()
            let result = await task.result
            let error = #expect(throws: MySQLError.self) { try result.get() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func nobodyListens() async throws {
        let port = try await ScriptedPeer.with([[]]) { peer, _ in peer.port }
        var configuration = MySQLConfiguration(
            address: .tcp(host: "127.0.0.1", port: port), username: "u", password: nil, tls: .disabled)
        let refused = await failure { try await connect(configuration) }
        #expect(refused?.code == .connect)
        #expect(refused?.message.contains("refused") == true)
        configuration.address = .tcp(host: "no-such-host.invalid", port: 1)
        #expect(await failure { try await connect(configuration) }?.code == .connect)
        configuration.address = .unix(path: "/nonexistent/socket")
        #expect(await failure { try await connect(configuration) }?.code == .connect)
        configuration.address = .tcp(host: "", port: 1)
        #expect(await failure { try await connect(configuration) }?.code == .usage)
    }

    @Test func twoCallsAtOnce() async throws {
        try await ScriptedPeer.with(ScriptedPeer.login + [[]]) { _, configuration in
            let connection = try await connect(configuration)
            let errors = await withTaskGroup(of: MySQLError?.self) { group in
                for _ in 0..<2 {
                    group.addTask { await self.failure { try await connection.query("SELECT 1") } }
                }
                // One is refused at once, the other waits for the server until it is cancelled.
                let first = await group.next() ?? nil
                group.cancelAll()
                return [first, await group.next() ?? nil]
            }
            #expect(errors.map { $0?.code } == [.usage, .cancelled])
        }
    }
}
