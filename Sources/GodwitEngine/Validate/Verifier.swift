import MySQLWire
import NIOCore
import NIOPosix

/// Compares tables of two servers as they are, with no migration between them: `godwit verify`. Writes nothing.
///
/// While the source is written to, a row that differs is read again a few times, with growing pauses, before it counts.
package struct Verifier: Sendable {
    package struct Options: Sendable, Hashable {
        /// Pairs of connections.
        package var threads = 5
        /// Rows of a chunk.
        package var partitionSize = 10_000
        /// Differing rows shown per table.
        package var shownRows = 10
        /// How often what differs is read again; 0: a difference counts at once.
        package var rechecks = 4
        /// Before the first of them; doubled each time.
        package var recheckPause = Duration.milliseconds(500)
        package init() {}
        package init(_ settings: TaskSettings) {
            threads = settings.validationThreadCount
            partitionSize = settings.validationPartitionSize
        }
    }

    /// Differing rows of a table that are counted and read again; beyond, the table is compared no further.
    package static let differenceLimit = 10_000

    let tables: [ChecksumSQL]
    let source: MySQLConfiguration
    let target: MySQLConfiguration
    let options: Options
    let progress: @Sendable (VerifyReport.Table) -> Void
    /// Rewrites what differs after the last look; nil: nothing is written.
    package var repair: VerifyRepair?
    /// The plan's filters by table number, for `repair`.
    package var filters: [Int: String] = [:]

    /// `progress` hears of every compared chunk: counts so far.
    package init(
        tables: [ChecksumSQL], source: MySQLConfiguration, target: MySQLConfiguration, options: Options = Options(),
        progress: @escaping @Sendable (VerifyReport.Table) -> Void = { _ in }
    ) {
        self.tables = tables
        self.source = source
        self.target = target
        self.options = options
        self.progress = progress
    }

    /// Throws only where nothing can be compared (no connection); what concerns one table is in the report.
    package func run() async throws -> VerifyReport {
        let started = ContinuousClock.now
        let queue = VerifyQueue(tables, progress: progress)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, options.threads) { group.addTask { try await self.work(queue) } }
            try await group.waitForAll()
        }
        let repaired = try await settle(queue)
        let taken = (ContinuousClock.now - started).components
        let seconds = Double(taken.seconds) + Double(taken.attoseconds) / 1e18
        var report = VerifyReport(tables: await queue.result, seconds: seconds)
        report.repaired = repaired
        return report
    }

    private func work(_ queue: VerifyQueue) async throws {
        try await withConnections { source, target in
            while let work = await queue.next() {
                switch work {
                case .chunk(let table, let lower):
                    try await self.guarded(queue, table) {
                        try await self.compareNext(queue, table, lower, source, target)
                    }
                case .whole(let table):
                    try await self.guarded(queue, table) {
                        let comparer = self.comparer(table, source, target)
                        await queue.comparedWhole(table, try await comparer.compareWhole())
                    }
                }
            }
        }
    }

    /// An error of one table is that table's; a lost connection ends the run.
    private func guarded(_ queue: VerifyQueue, _ table: Int, _ body: () async throws -> Void) async throws {
        do {
            try await body()
            await queue.done()
        } catch {
            await queue.failed(table, error)
            await queue.done()
            if let lost = error as? MySQLError, lost.isConnectionLost { throw error }
            if error is CancellationError { throw error }
        }
    }

    private func compareNext(
        _ queue: VerifyQueue, _ table: Int, _ lower: [String]?, _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws {
        guard await queue.isOpen(table) else { return }
        let comparer = comparer(table, source, target)
        var bounds = KeyBounds(lower: lower)
        let query = tables[table].nextBound(.source, within: bounds, size: options.partitionSize)
        if let row = try await source.query(query).rows.first {
            let upper = try tables[table].literals(row.values[...])
            bounds.upper = upper
            await queue.rest(of: table, lower: upper)
        }
        let found = try await comparer.compare(bounds, differenceLimit: Self.differenceLimit)
        await queue.compared(
            table, sourceRows: found.sourceRows, targetRows: found.targetRows, found.differences,
            complete: found.isComplete)
    }

    /// Reads what differs again, shows the first rows of what stays.
    private func settle(_ queue: VerifyQueue) async throws -> [RepairedRow] {
        var left = [[RowDifference]]()
        for table in tables.indices { left.append(await queue.found(table)) }
        var keyless: Set<Int> = []
        for (table, result) in await queue.result.enumerated()
        where !tables[table].hasKey && !result.isEqual && result.error == nil { keyless.insert(table) }
        return try await withConnections { source, target in
            var repaired: [RepairedRow] = []
            var pause = self.options.recheckPause
            for _ in 0..<self.options.rechecks where !keyless.isEmpty || left.contains(where: { !$0.isEmpty }) {
                try await Task.sleep(for: pause)
                pause *= 2
                for table in self.tables.indices where !left[table].isEmpty {
                    left[table] = try await self.stillDifferent(left[table], self.comparer(table, source, target))
                }
                for table in keyless {
                    let again = try await self.comparer(table, source, target).compareWhole()
                    await queue.comparedWhole(table, again)
                    if again.isEqual { keyless.remove(table) }
                }
            }
            for table in self.tables.indices where !left[table].isEmpty {
                guard let repair = self.repair else { break }
                do {
                    repaired += try await repair.repair(
                        self.tables[table], self.filters[table], left[table].map(\.key), source: source, viewer: target)
                } catch {
                    await queue.failed(table, error)
                    if let lost = error as? MySQLError, !lost.isConnectionLost { continue }
                    if error is EngineError { continue }
                    throw error
                }
                left[table] = try await self.stillDifferent(left[table], self.comparer(table, source, target))
            }
            for table in self.tables.indices {
                let shown = Array(left[table].prefix(self.options.shownRows))
                let rows = try await self.comparer(table, source, target).details(shown)
                await queue.settle(table, keyed: self.tables[table].hasKey, left[table], rows)
            }
            return repaired
        }
    }

    private func stillDifferent(_ found: [RowDifference], _ comparer: TableComparer) async throws -> [RowDifference] {
        var left: [RowDifference] = []
        var rest = found[...]
        while !rest.isEmpty {
            left += try await comparer.recheck(rest.prefix(200).map(\.key)).differences
            rest = rest.dropFirst(200)
        }
        return left
    }

    private func comparer(_ table: Int, _ source: MySQLConnection, _ target: MySQLConnection) -> TableComparer {
        TableComparer(tables[table], source: source, target: target, readers: .none)
    }

    private func withConnections<Output>(
        _ body: (MySQLConnection, MySQLConnection) async throws -> Output
    ) async throws -> Output {
        let left = try await connect(source)
        let right: MySQLConnection
        do {
            right = try await connect(target)
        } catch {
            await left.close()
            throw error
        }
        do {
            let output = try await body(left, right)
            await left.close()
            await right.close()
            return output
        } catch {
            await left.close()
            await right.close()
            throw error
        }
    }

    private func connect(_ configuration: MySQLConfiguration) async throws -> MySQLConnection {
        var configuration = configuration
        configuration.sessionStatements += ValidationSession.statements
        return try await MySQLWire.MySQLConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next())
    }
}
