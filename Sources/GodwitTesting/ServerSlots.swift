import Foundation
import Synchronization

/// Tests run side by side, and each may want servers: only as many scopes as there are processors hold some at a time, so
/// that a machine with two of them is not asked to start twenty. A scope inside a scope waits for nothing.
enum ServerSlots {
    @TaskLocal private static var isInside = false

    private struct State: Sendable {
        var free = max(2, ProcessInfo.processInfo.activeProcessorCount)
        var waiters: [(id: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var nextID = 0
    }
    private static let state = Mutex(State())

    /// A body that hardly ever does anything but wait takes no slot from others.
    static func besides<Output>(_ body: () async throws -> Output) async throws -> Output {
        try await $isInside.withValue(true) { try await body() }
    }

    static func hold<Output>(_ body: () async throws -> Output) async throws -> Output {
        guard !isInside else { return try await body() }
        try await acquire()
        defer { release() }
        return try await $isInside.withValue(true) { try await body() }
    }

    private static func acquire() async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private static func release() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume()
    }
}
