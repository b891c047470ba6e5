import Dispatch

/// A thread of its own for the model: minutes of pure computing on the shared pool would hold up every other test.
final class ModelExecutor: TaskExecutor {
    static let shared = ModelExecutor()
    private let queue = DispatchQueue(label: "model")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
