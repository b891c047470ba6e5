import GodwitEngine
import MySQLWire
import NIOCore
import NIOPosix

/// The engine itself.
struct LiveEngine: MigrationEngine {
    func loadPlan(path: String) throws -> Plan {
        throw EngineError(.failed, "Plan files cannot be read yet.", why: "Their reader has not landed.")
    }

    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport {
        try await MigrationRun(plan: plan, options: options, observer: observer).run()
    }

    func check(plan: Plan) async throws -> [CheckFinding] {
        throw EngineError(.failed, "The preflight cannot run yet.", why: "It has not landed.")
    }

    func dryRun(plan: Plan) async throws -> DryRun {
        throw EngineError(.failed, "The dry run cannot run yet.", why: "The catalog has not landed.")
    }

    func verify(plan: Plan, observer: any ProgressObserver) async throws -> VerifyReport {
        throw EngineError(.failed, "The comparison cannot run yet.", why: "It has not landed.")
    }

    func control(plan: Plan) async throws -> any MigrationControl {
        throw EngineError(.failed, "The target's state cannot be read yet.", why: "Its reader has not landed.")
    }

    func probe(_ server: Plan.Server) async throws -> ServerFacts {
        let configuration = MySQLConfiguration(
            address: server.address, username: server.user, password: server.password, tls: server.tls)
        let connection = try await MySQLConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next())
        let facts = connection.server
        await connection.close()
        let tls = [facts.tlsVersion, facts.tlsCipher].compactMap { $0 }.joined(separator: " ")
        return ServerFacts(version: facts.version, tls: tls.isEmpty ? "none" : tls)
    }
}
