import Foundation

/// What the writers saw, printed as JSON at the end. Times are seconds since 1970 by this machine's clock.
package struct WorkloadReport: Sendable, Codable {
    package struct Writer: Sendable, Codable {
        package var writer: Int
        package var sourceTransactions = 0
        package var targetTransactions = 0
        /// Transactions the server rolled back for another's sake: deadlocks, lock waits, keys taken.
        package var conflicts = 0
        /// Answers of a server that does not take writes now, and lost connections.
        package var refusals = 0
        /// Errors that no writer should see; the first in words.
        package var errors = 0
        package var firstError: String?
        /// The end of the last commit the source confirmed, and of the first the target confirmed.
        package var lastSourceCommit: Double?
        package var firstTargetCommit: Double?
        /// From the one to the other.
        package var writePause: Double?
        /// The longest time between two confirmed commits on the source.
        package var longestGap = 0.0

        enum CodingKeys: String, CodingKey {
            case writer, conflicts, refusals, errors
            case sourceTransactions = "source_transactions"
            case targetTransactions = "target_transactions"
            case firstError = "first_error"
            case lastSourceCommit = "last_source_commit"
            case firstTargetCommit = "first_target_commit"
            case writePause = "write_pause_s"
            case longestGap = "longest_gap_s"
        }
    }

    package var seed: UInt64
    package var seconds: Double
    /// All transactions that committed, and how many a second there were on the source.
    package var transactions: Int
    package var rate: Double
    package var conflicts: Int
    package var errors: Int
    package var firstError: String?
    /// From the last commit of any writer on the source to the first of any writer on the target; nil without one.
    package var writePause: Double?
    /// The longest pause of a single writer.
    package var longestWriterPause: Double?
    package var writers: [Writer]

    enum CodingKeys: String, CodingKey {
        case seed, seconds, transactions, rate, conflicts, errors, writers
        case firstError = "first_error"
        case writePause = "write_pause_s"
        case longestWriterPause = "longest_writer_pause_s"
    }

    /// - Parameter sourceSeconds: how long the source was written to.
    package init(seed: UInt64, seconds: Double, sourceSeconds: Double, writers: [Writer]) {
        self.seed = seed
        self.seconds = seconds
        self.writers = writers
        let onSource = writers.map(\.sourceTransactions).reduce(0, +)
        transactions = onSource + writers.map(\.targetTransactions).reduce(0, +)
        let last = writers.compactMap(\.lastSourceCommit).max()
        let first = writers.compactMap(\.firstTargetCommit).min()
        rate = sourceSeconds > 0 ? Double(onSource) / sourceSeconds : 0
        conflicts = writers.map(\.conflicts).reduce(0, +)
        errors = writers.map(\.errors).reduce(0, +)
        firstError = writers.compactMap(\.firstError).first
        if let last, let first { writePause = first - last }
        longestWriterPause = writers.compactMap(\.writePause).max()
    }

    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
