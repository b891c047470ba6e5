import GodwitEngine
import MySQLWire

/// The engine's control client, connected again when the target was gone for a while: whoever watches a migration should see
/// it come back too.
actor LiveControl: MigrationControl {
    private let plan: Plan
    private var client: ControlClient?

    init(plan: Plan) { self.plan = plan }

    func status() async throws -> MigrationStatus? { try await reading { try await $0.status() } }

    func runnerIsAlive() async throws -> Bool { try await reading { try await $0.runnerIsAlive() } }

    func answer(to request: UInt64) async throws -> String? { try await reading { try await $0.answer(to: request) } }

    /// Once only: after a lost connection nobody knows whether the request is there.
    func request(_ command: String) async throws -> UInt64 { try await connected().request(command) }

    private func reading<Output: Sendable>(
        _ body: (ControlClient) async throws -> Output
    ) async throws -> Output {
        do {
            return try await body(try await connected())
        } catch let error as MySQLError where error.isConnectionLost && error.code != .cancelled && client != nil {
            await client?.close()
            client = nil
            return try await body(try await connected())
        }
    }

    private func connected() async throws -> ControlClient {
        if let client { return client }
        let opened = try await ControlClient.connect(plan: plan)
        client = opened
        return opened
    }
}
