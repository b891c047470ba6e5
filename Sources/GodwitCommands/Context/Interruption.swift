import GodwitEngine
import MySQLWire
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs work that a signal stops in a resumable state: the first signal cancels, the second ends the process at once.
enum Interruption {
    /// Throws an EngineError of kind `resumable` when the work ended because of the signal.
    static func guarded<Output: Sendable>(
        context: CommandContext, leaveAtOnce: @escaping @Sendable () -> Void = { _exit(3) },
        _ body: @escaping @Sendable () async throws -> Output
    ) async throws -> Output {
        let received = Mutex<String?>(nil)
        let task = Task { try await body() }
        let watch = context.signals.watch { name in
            let isFirst = received.withLock { received in
                defer { received = received ?? name }
                return received == nil
            }
            guard isFirst else {
                leaveAtOnce()
                return
            }
            context.logs.notify("\(name): stopping at a safe point; once more stops at once.")
            task.cancel()
        }
        defer { watch.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            guard let name = received.withLock({ $0 }), isConsequence(error) else { throw error }
            throw EngineError(
                .resumable, "Stopped by \(name).", why: "Everything done so far is kept.",
                cure: "Resume with the same command.")
        }
    }

    /// Did the error come from being cancelled? Anything that has something of its own to say is kept.
    static func isConsequence(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError: true
        case let error as MySQLError: error.code == .cancelled || error.code == .connectionClosed
        default: false
        }
    }
}
