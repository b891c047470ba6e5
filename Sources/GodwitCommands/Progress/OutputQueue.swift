import Dispatch
import Synchronization

/// Writes on a queue of its own: a terminal that is stopped or a slow pipe holds back the output, never the migration.
/// Lines are kept in order; of drawings that wait, only the newest is made.
final class OutputQueue: Sendable {
    private let queue = DispatchQueue(label: "godwit.output")
    private let isDrawingScheduled = Mutex(false)

    /// Runs once, in order with everything else.
    func run(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: DispatchWorkItem(block: work))
    }

    /// Runs unless one is waiting already; the work reads the newest state itself.
    func draw(_ work: @escaping @Sendable () -> Void) {
        let isNew = isDrawingScheduled.withLock { scheduled in
            defer { scheduled = true }
            return !scheduled
        }
        guard isNew else { return }
        run { [self] in
            isDrawingScheduled.withLock { $0 = false }
            work()
        }
    }

    /// Waits until everything handed over so far is written.
    func flush() {
        queue.sync {}
    }
}
