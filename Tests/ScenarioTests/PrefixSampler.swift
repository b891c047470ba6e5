import GodwitTesting
import MySQLWire
import Synchronization

/// What holds in every snapshot of the target from the consistency point on.
struct PrefixProbe: Sendable {
    /// One row: a sum that never changes, a number that never goes back.
    var query: String
    var sum: String

    static let shop = PrefixProbe(
        query: "SELECT SUM(balance), 0 FROM shop.accounts", sum: "\(SampleSchema.coreAccounts * SampleSchema.coreBalance).0000")
    static let torture = PrefixProbe(
        query: """
            SELECT (SELECT SUM(balance) FROM torture.lefts) + (SELECT SUM(balance) FROM torture.rights), n
            FROM torture.counter WHERE id = 1
            """, sum: "\(TortureScript.money)")
}

/// What a reader of the target saw while the migration went on.
struct PrefixSamples: Sendable {
    var count = 0
    /// The number of the last read.
    var counter: Int64 = 0
    /// Reads that no state of the source explains.
    var wrong: [String] = []
}

/// Reads the target, one transaction per read, until told to stop: it is at every moment a state that the source had.
final class PrefixSampler: Sendable {
    private let target: TestServer
    private let probe: PrefixProbe
    private let state = Mutex(PrefixSamples())
    /// A line per read, `COUNT COUNTER`, for whoever waits for reads.
    private let reads = LineLog()

    init(_ target: TestServer, _ probe: PrefixProbe) {
        self.target = target
        self.probe = probe
    }

    var samples: PrefixSamples { state.withLock { $0 } }

    /// Waits for so many reads, and one that saw at least so high a number.
    func wait(reads count: Int, counter: Int64, within limit: Duration = .seconds(400)) async throws {
        let reads = reads
        _ = try await withTimeLimit(limit, "\(self.samples.count) reads, counter \(self.samples.counter) instead of \(count), \(counter)") {
            try await reads.first { line in
                let words = line.split(separator: " ").compactMap { Int64($0) }
                return words.count == 2 && words[0] >= count && words[1] >= counter
            }
        }
    }

    func run(until stop: StopFlag, pause: Duration) async -> PrefixSamples {
        while !stop.isSet {
            do {
                try await target.withConnection { connection in
                    try await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    while !stop.isSet {
                        try await read(connection)
                        try await Task.sleep(for: pause)
                    }
                }
            } catch {
                // The target is down, or holds nothing yet: the next look will tell.
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        reads.end()
        return samples
    }

    private func read(_ connection: MySQLConnection) async throws {
        try await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        let phase = try await connection.query("SELECT phase FROM godwit.fence").rows.first?.string(0)
        if let phase, ["following", "fenced", "cut_over"].contains(phase) {
            let row = try await connection.query(probe.query).rows.first
            let (sum, counter) = (row?.string(0) ?? "NULL", row?.int(1) ?? -1)
            let line = state.withLock { samples in
                samples.count += 1
                if sum != probe.sum { samples.wrong.append("sum \(sum) in phase \(phase)") }
                if counter < samples.counter { samples.wrong.append("counter \(counter) after \(samples.counter) in phase \(phase)") }
                samples.counter = counter
                return "\(samples.count) \(counter)"
            }
            reads.append(line)
        }
        try await connection.query("COMMIT")
    }
}
