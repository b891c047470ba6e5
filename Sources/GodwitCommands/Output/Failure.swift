import ArgumentParser
import GodwitEngine
import GodwitHost
import MySQLWire

/// An error as the command line tells it: one sentence, a kind, an exit code.
struct Failure: Sendable, Hashable {
    var sentence: String
    /// usage, plan, failed, resumable, unequal.
    var kind: String
    var exitCode: Int32

    init(sentence: String, kind: String, exitCode: Int32) {
        self.sentence = sentence
        self.kind = kind
        self.exitCode = exitCode
    }

    init(_ error: any Error) {
        switch error {
        case let error as EngineError:
            let parts = [error.what, error.why, error.cure].filter { !$0.isEmpty }.map(Format.sentence)
            let (kind, code) = Self.kind(error.kind)
            self.init(sentence: parts.joined(separator: " "), kind: kind, exitCode: code)
        case let error as HostError:
            let parts = [error.what, error.why, error.cure].filter { !$0.isEmpty }.map(Format.sentence)
            let isRefused = error.kind == .refused
            self.init(sentence: parts.joined(separator: " "), kind: isRefused ? "plan" : "failed", exitCode: isRefused ? 2 : 1)
        case let error as MySQLError:
            if error.code == .cancelled {
                self.init(CancellationError())
            } else {
                self.init(ServerTrouble.explain(error))
            }
        case is CancellationError:
            self.init(
                sentence: "Stopped. Everything done so far is kept. Resume with the same command.", kind: "resumable",
                exitCode: 3)
        default:
            self.init(sentence: Format.sentence("\(error)"), kind: "failed", exitCode: 1)
        }
    }

    private static func kind(_ kind: EngineError.Kind) -> (String, Int32) {
        switch kind {
        case .plan: ("plan", 2)
        case .failed: ("failed", 1)
        case .resumable: ("resumable", 3)
        case .unequal: ("unequal", 4)
        }
    }
}
