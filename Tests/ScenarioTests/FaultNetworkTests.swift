import GodwitTesting
import MySQLWire
import Testing

/// The network between Godwit and its servers at its worst moments, one at a time; `FaultTortureTests` has them all at once.
@Suite struct FaultNetworkTests {
    private static let schema = """
        CREATE DATABASE n;
        CREATE TABLE n.t (id INT PRIMARY KEY, v INT UNIQUE);
        CREATE TABLE n.keyless (a INT, b VARCHAR(10));
        INSERT INTO n.t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
        INSERT INTO n.keyless VALUES (1, 'x'), (1, 'x'), (2, NULL)
        """

    private static func with(_ body: (MigrationRig, _ source: FaultProxy, _ target: FaultProxy) async throws -> Void) async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(schema)
            try await withProxies(source: rig.source, target: rig.target, seed: FaultMoments.seed) { source, target in
                func server(_ proxy: FaultProxy) -> String { "{ host: 127.0.0.1, port: \(proxy.port), user: godwit, tls: { mode: disabled } }" }
                try rig.plan(
                    source: server(source), target: server(target), tables: #"{ include: ["n.*"] }"#,
                    extra: "task: { FullLoadSettings: { CommitRate: 2, MaxFullLoadSubTasks: 2 } }")
                try await body(rig, source, target)
            }
        }
    }

    /// The server commits and its answer is lost, at each of the load's and the replay's first commits: nothing is loaded or
    /// applied twice, nothing is left out.
    @Test(arguments: [NetworkFault.Kind.loseAnswer, .loseRequest])
    func answersToCommitsAreLostDuringTheLoad(kind: NetworkFault.Kind) async throws {
        try await Self.with { rig, _, target in
            let passings = [2, 5, 9]
            for passing in passings { try await target.arm(NetworkFault(kind, .toServer, request: "COMMIT", passing: passing)) }
            try await rig.godwit(["migrate", "--until", "loaded"])
            #expect(target.log.lines.count == passings.count, "\(target.log.lines)")
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("n", "\(kind)")
        }
    }

    /// The same while following: of every transaction the answer is lost. A row that was inserted twice would show in the table
    /// without a key, a transaction left out in both.
    @Test(arguments: [NetworkFault.Kind.loseAnswer, .loseRequest])
    func answersToCommitsAreLostWhileFollowing(kind: NetworkFault.Kind) async throws {
        try await Self.with { rig, _, target in
            try await rig.godwit(["migrate", "--until", "loaded"])
            let godwit = try await GodwitProcess.start(["migrate"], in: rig.folder)
            do {
                try await godwit.moment("follow.begin")
                for number in 10..<15 {
                    let fault = NetworkFault(kind, .toServer, request: "COMMIT", passing: 1)
                    let from = target.log.lines.count
                    try await target.arm(fault)
                    try await rig.source.sql(
                        """
                        BEGIN; INSERT INTO n.keyless VALUES (\(number), 'new'), (\(number), 'new'); INSERT INTO n.t VALUES (\(number), \(number));
                        DELETE FROM n.keyless WHERE a = \(number - 1) LIMIT 1; COMMIT
                        """)
                    try await target.struck(fault, from: from)
                }
                try await godwit.kill9()
            } catch {
                try await godwit.kill9()
                throw error
            }
            try await rig.godwit(["migrate", "--until", "validated"])
            try await rig.expectEqual("n", "\(kind)")
        }
    }

    /// The proxy itself: what it does is what it says.
    @Test func theProxyPassesBytesAsTheyAre() async throws {
        try await withServer { server in
            let proxy = try await FaultProxy.start(host: server.host, port: server.port, seed: FaultMoments.seed)
            var configuration = server.configuration()
            configuration.address = .tcp(host: "127.0.0.1", port: proxy.port)
            try await server.withConnection(configuration) { connection in
                let query = "SELECT REPEAT('0123456789', 100000)"
                let plain = try await connection.query(query).rows.first?.string(0)
                try await proxy.arm(NetworkFault(.halve, .fromServer, afterBytes: 100))
                try await proxy.arm(NetworkFault(.halve, .toServer))
                #expect(try await connection.query(query).rows.first?.string(0) == plain)
                #expect(plain?.count == 1_000_000)
                try await proxy.release()

                let stall = NetworkFault(.stall, .fromServer, afterBytes: 1000)
                try await proxy.arm(stall)
                async let late = connection.query(query)
                try await proxy.struck(stall)
                try await proxy.release()
                #expect(try await late.rows.first?.string(0) == plain)

                try await server.sql("CREATE DATABASE p; CREATE TABLE p.t (id INT PRIMARY KEY)")
                try await proxy.arm(NetworkFault(.loseAnswer, request: "INSERT"))
                let error = await #expect(throws: MySQLError.self) { try await connection.query("INSERT INTO p.t VALUES (1)") }
                #expect(error?.isConnectionLost == true)
                #expect(try await server.value("SELECT COUNT(*) FROM p.t") == "1", "the server has executed it")
            }
            for kind in [NetworkFault.Kind.reset, .finish] {
                try await server.withConnection(configuration) { connection in
                    try await proxy.arm(NetworkFault(kind, .fromServer, afterBytes: 5000))
                    let error = await #expect(throws: MySQLError.self) { try await connection.query("SELECT REPEAT('x', 100000)") }
                    #expect(error?.isConnectionLost == true)
                }
            }
            #expect(proxy.log.lines.count == 6, "\(proxy.log.lines)")
            try await proxy.close()
        }
    }
}
