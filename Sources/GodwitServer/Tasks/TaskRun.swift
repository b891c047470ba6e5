import Foundation
import GodwitEngine
import Synchronization

/// One run of the engine for one task: what `migrate` does, in this process.
final class TaskRun: Sendable {
    /// How a run ended.
    enum Ending: Sendable {
        case done(MigrationStatus)
        case stopped
        case failed(String)
    }

    let observer: RunObserver
    private let work: Mutex<Task<Void, Never>?>

    init(observer: RunObserver) {
        self.observer = observer
        work = Mutex(nil)
    }

    /// - Parameter ended: called once, when nothing of the run is left.
    func start(plan: Plan, options: MigrationOptions, before: (@Sendable () async throws -> Void)?, ended: @escaping @Sendable (Ending) async -> Void) {
        let observer = observer
        let task = Task {
            do {
                try await before?()
                let report = try await MigrationRun(plan: plan, options: options, observer: observer).run()
                await ended(.done(report.status))
            } catch {
                guard !Task.isCancelled else {
                    observer.say("info", "Stopped: it goes on from its checkpoint when it is started again.")
                    // Something may have gone wrong in the same moment.
                    if !(error is CancellationError) { observer.say("warning", "It ended with: \(error)") }
                    return await ended(.stopped)
                }
                observer.say("error", "\(error)")
                await ended(.failed("\(error)"))
            }
        }
        work.withLock { $0 = task }
    }

    /// Asks the run to stop where it can go on later.
    func stop() { work.withLock { $0 }?.cancel() }
    func ended() async { await work.withLock { $0 }?.value }
}

/// Hears what a run does: keeps its last status for the API, and writes its log.
final class RunObserver: ProgressObserver {
    private struct Heard {
        var progress: TaskProgress
        var stored = Date.distantPast
        var hasBegun = false
        var hasHeard = false
    }
    private let heard: Mutex<Heard>
    private let log: TaskLog
    private let store: @Sendable (TaskProgress) -> Void
    private let began: @Sendable () -> Void

    /// - Parameters:
    ///   - store: called now and then, to keep the progress over a crash.
    ///   - began: called once, when the run has reached both servers.
    init(
        progress: TaskProgress, log: TaskLog, store: @escaping @Sendable (TaskProgress) -> Void,
        began: @escaping @Sendable () -> Void
    ) {
        heard = Mutex(Heard(progress: progress))
        self.log = log
        self.store = store
        self.began = began
    }

    var progress: TaskProgress { heard.withLock { $0.progress } }
    /// Has this run told anything yet? Before that `progress` is what an earlier one left.
    var hasHeard: Bool { heard.withLock { $0.hasHeard } }

    func update(_ status: MigrationStatus) {
        let (isFirst, kept) = heard.withLock { heard -> (Bool, TaskProgress?) in
            heard.progress.take(status, now: Date())
            heard.hasHeard = true
            let begins = !heard.hasBegun && status.state != .starting && status.state != .failed && status.state != .stopped
            heard.hasBegun = heard.hasBegun || begins
            let now = Date()
            guard now.timeIntervalSince(heard.stored) > 5 || [.failed, .stopped, .cutOver].contains(status.state) else {
                return (begins, nil)
            }
            heard.stored = now
            return (begins, heard.progress)
        }
        if let kept { store(kept) }
        if isFirst { began() }
    }

    func say(_ level: String, _ line: String) { log.write(level, line) }
    func moment(_ name: String) {}
}
