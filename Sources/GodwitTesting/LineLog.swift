import Synchronization

/// The lines a process has written so far; whoever waits for a line is woken by it, or by the end of the output.
package final class LineLog: Sendable {
    private struct Waiter: Sendable {
        var next: Int
        let matches: @Sendable (String) -> Bool
        let continuation: CheckedContinuation<String?, any Error>
    }
    private struct State: Sendable {
        var lines: [String] = []
        var ended = false
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// All lines so far, without their line ends.
    package var lines: [String] { state.withLock { $0.lines } }
    package var text: String { lines.joined(separator: "\n") }
    /// The last lines, for an error message.
    package func tail(_ count: Int = 20) -> String { lines.suffix(count).joined(separator: "\n") }

    /// Waits for the first line, from line number `from` on, that matches. Nil: the output ended without one.
    package func first(
        from: Int = 0, where matches: @escaping @Sendable (String) -> Bool
    ) async throws -> String? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<String?, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let line = state.lines.dropFirst(from).first(where: matches) { return .success(line) }
                    if state.ended { return .success(nil) }
                    state.waiters[id] = Waiter(next: from, matches: matches, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }

    package func append(_ line: String) {
        let woken = state.withLock { state in
            let number = state.lines.count
            state.lines.append(line)
            let woken = state.waiters.filter { number >= $0.value.next && $0.value.matches(line) }
            for id in woken.keys { state.waiters[id] = nil }
            return woken.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: line) }
    }

    package func end() {
        let woken = state.withLock { state in
            state.ended = true
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: nil) }
    }
}
