import Synchronization

/// Something of the harness itself failed: what, and what a person can do about it.
package struct TestingError: Error, CustomStringConvertible {
    package var message: String
    package init(_ message: String) { self.message = message }
    package var description: String { message }
}

/// Runs `body`, or throws once `limit` has passed. A limit against hanging, never a way to wait for something.
package func withTimeLimit<Output: Sendable>(
    _ limit: Duration, _ what: @autoclosure @escaping @Sendable () -> String,
    _ body: @escaping @Sendable () async throws -> Output
) async throws -> Output {
    try await withThrowingTaskGroup(of: Output.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TestingError("gave up after \(limit): \(what())")
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}

/// A value that one concurrent closure sets and the test reads.
package final class SendableBox<Value: Sendable>: Sendable {
    private let storage = Mutex<Value?>(nil)
    package init() {}
    package var value: Value? {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
