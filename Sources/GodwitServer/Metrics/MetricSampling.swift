import Foundation
import GodwitEngine
import Logging

extension ControlPlane {
    /// Once a second: what every run measured last goes into the store. A full disk or the like is told once and tried again.
    package func sampleMetrics() async {
        let metrics = MetricStore(store: store)
        var earlier: [String: MigrationStatus] = [:]
        var rolled = 0
        var isTold = false
        while !Task.isCancelled {
            do {
                let now = Int(Date().timeIntervalSince1970)
                try takeSamples(into: metrics, at: now, &earlier)
                if now / 60 != rolled {
                    try metrics.roll(now: now)
                    rolled = now / 60
                }
                isTold = false
            } catch {
                if !isTold { logger.error("Measured values could not be stored: \(error)") }
                isTold = true
            }
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    private func takeSamples(into metrics: MetricStore, at now: Int, _ earlier: inout [String: MigrationStatus]) throws {
        var samples: [(subject: MetricSubject, values: [TaskMetric: Double])] = []
        var seen: [String: MigrationStatus] = [:]
        for (arn, run) in runs {
            guard let status = run.observer.progress.status else { continue }
            seen[arn] = status
            // A snapshot counts once; one of an earlier run does not count.
            guard run.observer.hasHeard, earlier[arn]?.at != status.at, let subject = try subject(of: arn) else { continue }
            samples.append((subject, TaskMetric.measure(status, after: earlier[arn])))
        }
        earlier = seen
        if !samples.isEmpty { try metrics.add(samples, at: now) }
    }

    func subject(of arn: String) throws -> MetricSubject? {
        guard let task = try store.find(arn), let id = arn.split(separator: ":").last else { return nil }
        let instance = try store.find(task.text("ReplicationInstanceArn"))
        return MetricSubject(instance: instance?.identifier ?? "", task: String(id))
    }
}
