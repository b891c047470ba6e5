import GodwitEngine

/// Rates over the last seconds, from the snapshots a run gives. A value: the time comes with the snapshot.
struct RateMeter: Sendable {
    struct Rate: Sendable, Hashable {
        var rows = 0.0
        var bytes = 0.0
    }
    private struct Sample {
        var at: Double
        var rows: UInt64
        var bytes: UInt64
    }
    /// Seconds that a rate looks back.
    static let window = 10.0

    private var total: [Sample] = []
    private var tables: [String: [Sample]] = [:]

    mutating func add(_ status: MigrationStatus) {
        var rows: UInt64 = 0
        var bytes: UInt64 = 0
        for table in status.tables {
            rows &+= table.rows
            bytes &+= table.bytes
            let key = Self.key(table)
            Self.append(Sample(at: status.at, rows: table.rows, bytes: table.bytes), to: &tables[key, default: []])
        }
        Self.append(Sample(at: status.at, rows: rows, bytes: bytes), to: &total)
    }

    var totalRate: Rate { Self.rate(total) }

    func rate(of table: MigrationStatus.Table) -> Rate { Self.rate(tables[Self.key(table)] ?? []) }

    /// Seconds to the end of the load at the present rate; nil where nothing moves or nothing is known to be left.
    func remainingSeconds(_ status: MigrationStatus) -> Double? {
        let left = status.tables.filter { $0.state == .waiting || $0.state == .loading }
            .reduce(0.0) { $0 + ($1.estimatedRows > $1.rows ? Double($1.estimatedRows - $1.rows) : 0) }
        let rate = totalRate.rows
        return left > 0 && rate > 0 ? left / rate : nil
    }

    private static func key(_ table: MigrationStatus.Table) -> String { "\(table.schema)\u{0}\(table.table)" }

    private static func append(_ sample: Sample, to samples: inout [Sample]) {
        // A table that starts again, or a clock that is set back: what was measured before means nothing now.
        if let last = samples.last, sample.rows < last.rows || sample.bytes < last.bytes || sample.at < last.at {
            samples = []
        }
        if let last = samples.last, sample.at == last.at { samples.removeLast() }
        samples.append(sample)
        // One sample at or before the window's start stays: it is where the window begins.
        while samples.count > 2, samples[1].at <= sample.at - window { samples.removeFirst() }
    }

    private static func rate(_ samples: [Sample]) -> Rate {
        guard let first = samples.first, let last = samples.last, last.at > first.at else { return Rate() }
        let seconds = last.at - first.at
        return Rate(rows: Double(last.rows - first.rows) / seconds, bytes: Double(last.bytes - first.bytes) / seconds)
    }
}
