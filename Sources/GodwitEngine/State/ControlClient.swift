import MySQLWire

/// Another terminal's view of a task: its last snapshot, whether a runner lives, and requests to it, all through the target.
package struct ControlClient: Sendable {
    private let connection: MySQLConnection
    private let state: TargetState
    private let lock: RunnerLock

    package static func connect(plan: Plan) async throws -> ControlClient {
        ControlClient(
            connection: try await Sessions(plan: plan).target(), state: TargetState(task: plan.task),
            lock: RunnerLock(task: plan.task))
    }

    /// nil when the task never ran.
    package func status() async throws -> MigrationStatus? {
        guard try await state.isInstalled(on: connection) else { return nil }
        // There may be one before there is a task: while its start waits.
        guard var status = try await state.status(on: connection) else { return nil }
        // A runner whose target commits nothing cannot store that it waits.
        if let stall = try await TargetStall.look(connection) {
            status.waits.removeAll { $0.what == stall.what }
            status.waits.append(stall)
        }
        return status
    }

    /// Is a runner connected now?
    package func runnerIsAlive() async throws -> Bool { try await lock.holder(on: connection) != nil }

    /// Hands `pause`, `resume` or `cutover` to the living runner; returns the request's number.
    @discardableResult
    package func request(_ command: String) async throws -> UInt64 { try await state.request(command, on: connection) }

    /// The runner's answer, nil while there is none.
    package func answer(to request: UInt64) async throws -> String? { try await state.answer(of: request, on: connection) }

    package func close() async { await connection.close() }
}
