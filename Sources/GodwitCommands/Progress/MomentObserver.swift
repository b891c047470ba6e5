import Dispatch
import Foundation
import GodwitEngine
import Synchronization

/// Announces the named moments that a run passes, and stops dead at one of them: fault tests kill the process there.
/// `GODWIT_MOMENTS=1` prints `moment: NAME` on standard error; `GODWIT_HALT_AT=NAME[:n]` prints it and then blocks the
/// thread for ever at the n-th passing (1 where no number is given), or, with `GODWIT_HALT_UNTIL=PATH`, until that file exists.
final class MomentObserver: ProgressObserver {
    struct Halt: Sendable, Hashable {
        var name: String
        var passing: Int

        /// nil where the variable is not set; throws where it makes no sense.
        init?(variables: [String: String]) throws {
            guard let text = variables["GODWIT_HALT_AT"], !text.isEmpty else { return nil }
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, !name.isEmpty else { throw Self.refusal(text) }
            self.name = String(name)
            passing = 1
            guard parts.count == 2 else { return }
            guard let number = Int(parts[1]), number > 0 else { throw Self.refusal(text) }
            passing = number
        }

        private static func refusal(_ text: String) -> EngineError {
            EngineError(
                .plan, "GODWIT_HALT_AT is '\(text)', which names no moment.",
                cure: "Give it as NAME or NAME:n with n from 1, or unset it.")
        }
    }

    private let inner: any ProgressObserver
    private let prints: Bool
    private let halt: Halt?
    private let err: any TextSink
    private let block: @Sendable () -> Void
    private let passed = Mutex(0)

    init(
        _ inner: any ProgressObserver, context: CommandContext, block: (@Sendable () -> Void)? = nil
    ) throws {
        self.inner = inner
        prints = context.variables["GODWIT_MOMENTS"] == "1"
        halt = try Halt(variables: context.variables)
        err = context.err
        self.block = block ?? Self.block(until: context.variables["GODWIT_HALT_UNTIL"])
    }

    func update(_ status: MigrationStatus) { inner.update(status) }
    func say(_ level: String, _ line: String) { inner.say(level, line) }

    func moment(_ name: String) {
        inner.moment(name)
        let isHalt = halt.map { halt in
            guard halt.name == name else { return false }
            return passed.withLock { passed in
                passed += 1
                return passed == halt.passing
            }
        }
        if prints || isHalt == true { err.write("moment: \(name)\n") }
        if isHalt == true { block() }
    }

    private static func block(until path: String?) -> @Sendable () -> Void {
        {
            let never = DispatchSemaphore(value: 0)
            while !(path.map { FileManager.default.fileExists(atPath: $0) } ?? false) {
                // Times out, which is the wait between two looks.
                _ = never.wait(timeout: .now() + .milliseconds(5))
            }
        }
    }
}
