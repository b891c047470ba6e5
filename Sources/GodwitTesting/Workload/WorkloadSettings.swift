import Foundation
import MySQLWire

/// Where a workload writes, and how.
package struct WorkloadSettings: Sendable {
    /// What a writer does once the target has taken a write of its.
    package enum OnTarget: String, Sendable, CaseIterable {
        /// One row in `SampleArrivals`, then it ends: the migrated tables stay as they were at the switch.
        case mark
        /// Goes on writing there.
        case proceed
    }

    package var schema: SampleSchema
    package var source: MySQLConfiguration
    /// Tried when the source refuses writes. Without one a writer waits for the source.
    package var target: MySQLConfiguration?
    /// The application's own configuration, as a file that holds `HOST:PORT`: a refused writer reads it again and writes
    /// where it says. Without a file a refused writer tries source and target in turn.
    package var addressFile: String?
    package var onTarget = OnTarget.mark
    package var writers = 8
    /// Transactions a second over all writers; nil for as many as go.
    package var rate: Double?
    package var seconds: Double?
    package var seed: UInt64 = 1

    package init(schema: SampleSchema, source: MySQLConfiguration, target: MySQLConfiguration? = nil) {
        self.schema = schema
        self.source = source
        self.target = target
    }

    /// The table that `mark` writes to, outside the migrated schema. The target's side makes it beforehand.
    package static let arrivals = "arrivals.arrivals"
    package static let arrivalsDefinition = [
        "CREATE DATABASE IF NOT EXISTS arrivals",
        "CREATE TABLE IF NOT EXISTS \(arrivals) (writer INT NOT NULL PRIMARY KEY, at TIMESTAMP(6) NOT NULL)",
    ]

    /// The sides a refused writer tries next, in order.
    func candidates() throws -> [(isTarget: Bool, configuration: MySQLConfiguration)] {
        guard let target else { return [(false, source)] }
        guard let addressFile else { return [(false, source), (true, target)] }
        let text = try String(contentsOfFile: addressFile, encoding: .utf8)
        let address = text.trimmingCharacters(in: .whitespacesAndNewlines)
        // Somebody is writing it at this moment (cp truncates first): read it again.
        if address.isEmpty { return [] }
        if address == target.address.description { return [(true, target)] }
        if address == source.address.description { return [(false, source)] }
        throw TestingError("\(addressFile) names \(address), neither \(source.address) nor \(target.address)")
    }
}
