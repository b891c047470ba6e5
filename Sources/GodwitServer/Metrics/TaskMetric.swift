import GodwitEngine

/// The metrics of a task that the engine measures, by CloudWatch's names in namespace `AWS/DMS`.
/// Source: DMS user guide, "Monitoring AWS DMS tasks".
package enum TaskMetric: String, CaseIterable, Sendable {
    case cdcIncomingChanges = "CDCIncomingChanges"
    case cdcLatencyTarget = "CDCLatencyTarget"
    case cdcThroughputRowsTarget = "CDCThroughputRowsTarget"
    case fullLoadThroughputRowsTarget = "FullLoadThroughputRowsTarget"
    case fullLoadThroughputBandwidthTarget = "FullLoadThroughputBandwidthTarget"
    case validationPendingOverallCount = "ValidationPendingOverallCount"
    case validationFailedOverallCount = "ValidationFailedOverallCount"
    case validationSuspendedOverallCount = "ValidationSuspendedOverallCount"

    static let namespace = "AWS/DMS"

    var unit: String {
        switch self {
        case .cdcLatencyTarget: "Seconds"
        case .cdcThroughputRowsTarget, .fullLoadThroughputRowsTarget: "Count/Second"
        case .fullLoadThroughputBandwidthTarget: "Kilobytes/Second"
        default: "Count"
        }
    }

    /// What two snapshots of a run say; rates need an earlier one. Nothing is there that was not measured.
    static func measure(_ status: MigrationStatus, after earlier: MigrationStatus?) -> [TaskMetric: Double] {
        var values: [TaskMetric: Double] = [.cdcIncomingChanges: Double(status.incomingChanges)]
        if let since = status.waitingSince {
            values[.cdcLatencyTarget] = max(0, status.at - since)
        } else if let lag = status.lagSeconds {
            values[.cdcLatencyTarget] = status.incomingChanges == 0 ? 0 : lag
        }
        func sum(_ status: MigrationStatus, _ part: (MigrationStatus.Table) -> UInt64) -> Double {
            status.tables.reduce(0) { $0 + Double(part($1)) }
        }
        values[.validationPendingOverallCount] = sum(status, \.pending)
        values[.validationFailedOverallCount] = sum(status, \.failed)
        values[.validationSuspendedOverallCount] = sum(status, \.suspended)
        guard let earlier, status.at > earlier.at, earlier.tables.count == status.tables.count else { return values }
        // A table that is loaded again counts from nothing: no rate of that second.
        func rate(_ part: (MigrationStatus.Table) -> UInt64) -> Double? {
            let grown = sum(status, part) - sum(earlier, part)
            return grown < 0 ? nil : grown / (status.at - earlier.at)
        }
        values[.cdcThroughputRowsTarget] = rate { $0.inserts + $0.updates + $0.deletes }
        values[.fullLoadThroughputRowsTarget] = rate(\.rows)
        values[.fullLoadThroughputBandwidthTarget] = rate(\.bytes).map { $0 / 1024 }
        return values
    }
}

/// Several values of one metric, as far as CloudWatch's statistics need them.
struct MetricStatistics: Codable, Sendable, Equatable {
    var count: Double
    var sum: Double
    var minimum: Double
    var maximum: Double

    init(_ value: Double) {
        count = 1
        sum = value
        minimum = value
        maximum = value
    }

    mutating func add(_ other: MetricStatistics) {
        count += other.count
        sum += other.sum
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
    }

    static let names = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]

    /// By CloudWatch's name; nil for another one.
    func value(_ name: String) -> Double? {
        switch name {
        case "SampleCount": count
        case "Average": sum / count
        case "Sum": sum
        case "Minimum": minimum
        case "Maximum": maximum
        default: nil
        }
    }
}

/// Which task of which instance: CloudWatch's two dimensions of a task's metrics.
struct MetricSubject: Hashable, Sendable {
    /// The instance's name, as its user gave it.
    var instance: String
    /// The last part of the task's ARN.
    var task: String

    var dimensions: [(name: String, value: String)] {
        [("ReplicationInstanceIdentifier", instance), ("ReplicationTaskIdentifier", task)]
    }
}
