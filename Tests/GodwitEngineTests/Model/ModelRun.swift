import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore

@testable import GodwitEngine

/// A session of the engine with one of the model's servers.
final class ModelSession: SQLSession {
    let world: ModelWorld
    let number: Int
    let isSource: Bool
    /// Another runner may take the task over, where this one holds no lock.
    let takeover: (@Sendable () async -> Void)?

    init(_ world: ModelWorld, isSource: Bool, takeover: (@Sendable () async -> Void)? = nil) async {
        self.world = world
        self.isSource = isSource
        self.takeover = takeover
        number = await world.newSession()
    }

    var server: MySQLServerInfo {
        MySQLServerInfo(version: "9.7.0", connectionID: UInt32(number), isMariaDB: false, tlsVersion: nil, tlsCipher: nil)
    }
    var isOpen: Bool { true }

    func query(_ sql: String, timeout: Duration?) async throws(MySQLError) -> MySQLResult {
        if isSource { return try await world.ask(sql) }
        if let takeover, await !world.isInTransaction(number), await world.choose(30) == 29 { await takeover() }
        return try await world.run(sql, session: number)
    }
    func query(_ sql: ByteBuffer, timeout: Duration?) async throws(MySQLError) -> MySQLResult {
        try await query(String(buffer: sql), timeout: timeout)
    }

    func rows<Output: Sendable>(_ sql: String, _ body: (any RowSource) async throws -> Output) async throws -> Output {
        let result = try await query(sql, timeout: nil)
        var bytes = ByteBuffer()
        var ends: [Int] = []
        for row in result.rows {
            for value in row.values {
                if let value {
                    bytes.writeInteger(UInt8(value.count))
                    bytes.writeBytes(value)
                } else {
                    bytes.writeInteger(UInt8(0xFB))
                }
            }
            ends.append(bytes.readableBytes)
        }
        return try await body(ModelRows(MySQLRowBatch(bytes: bytes, rowEnds: ends)))
    }

    func load(_ sql: String, _ body: (any FileSink) async throws -> Void) async throws -> MySQLOK {
        let file = ModelFile()
        try await body(file)
        return try await world.run(sql, session: number, file: file.rows).ok
    }

    func log(from start: BinlogStart, serverID: UInt32, nonBlocking: Bool) async throws(MySQLError) -> MySQLBinlogStream {
        throw MySQLError(.usage, "the model's log is read as events")
    }
    func close() async { await world.close(number) }
}

private actor ModelRows: RowSource {
    private var batch: MySQLRowBatch?
    init(_ batch: MySQLRowBatch) { self.batch = batch }
    func next() async throws(MySQLError) -> MySQLRowBatch? {
        defer { batch = nil }
        return batch
    }
}

private actor ModelFile: FileSink {
    private(set) var rows: [ModelRow] = []
    func write(_ bytes: ByteBuffer) async throws(MySQLError) {
        for line in String(buffer: bytes).split(separator: "\n") { rows.append(line.split(separator: "\t").map { Int($0) }) }
    }
}

struct ModelObserver: ProgressObserver {
    func update(_ status: MigrationStatus) {}
    func say(_ level: String, _ line: String) {}
    func moment(_ name: String) {}
}

struct ModelListener: ApplyListener {
    let world: ModelWorld
    let isFollowing: Bool
    func touched(_ keys: [TouchedKey], mark: MarkPosition) async { if isFollowing { await world.touched(keys, mark) } }
    func lost(tables: Set<Int>, mark: MarkPosition) async {}
    func applied(_ progress: ApplyProgress) async {}
}

/// One runner of the task: the phases as MigrationAttempt walks through them, on the engine's own parts.
struct ModelRunner: Sendable {
    let world: ModelWorld
    /// How deep in takeovers of takeovers.
    var depth = 0

    private var state: TargetState { TargetState(task: "model") }

    /// From taking the task to the loss of a connection, to another's takeover, or to the end. Throws what is a violation.
    func attempt(steps: Int) async throws {
        do {
            try await run(steps)
        } catch {
            if error is FenceLost || (error as? MySQLError)?.isConnectionLost == true { return }
            if (error as? EngineError)?.kind == .resumable { return }
            throw ModelViolation("the engine gives up: \(error)")
        }
    }

    private func session() async -> ModelSession {
        guard depth == 0 else { return await ModelSession(world, isSource: false) }
        let world = world
        return await ModelSession(world, isSource: false) {
            do {
                try await ModelRunner(world: world, depth: 1).attempt(steps: 3)
            } catch {
                await world.fail("\(error)")
            }
        }
    }

    private func run(_ steps: Int) async throws {
        let control = await session()
        let source = await ModelSession(world, isSource: true)
        let positions = SourcePositions(usesGTIDs: await world.usesGTIDs)
        let epoch = try await state.takeEpoch(on: control)
        var isValidating = false
        for _ in 0..<steps {
            if await world.isDone { return }
            let phase = try await state.phase(on: control).phase
            switch phase {
            case .loading:
                try await load(epoch, source, control)
                let chunks = try await state.chunks(on: control)
                guard !chunks.isEmpty, chunks.allSatisfy(\.isDone) else { continue }
                let p1 = try await positions.upperBound(on: source)
                try await state.advance(from: .loading, to: .replaying, epoch: epoch, on: control) {
                    try await state.storeP1(p1, on: control)
                }
            case .replaying:
                try await apply(.replaying, epoch)
                if await world.violation != nil { return }
            case .indexing:
                try await state.advance(from: .indexing, to: .following, epoch: epoch, on: control)
            default:
                if !isValidating { await world.startValidation(epoch) }
                isValidating = true
                try await apply(.following, epoch)
            }
        }
    }

    private func load(_ epoch: UInt64, _ source: ModelSession, _ control: ModelSession) async throws {
        let schema = await world.schema
        let stored = try await state.chunks(on: control)
        let size = 1 + (await world.choose(3))
        let planning = (0..<2).compactMap { id in
            ChunkPlanner(table: schema.definition(id), size: size).map { (id: id, planner: $0, isPlanned: false) }
        }
        let queue = ChunkQueue(
            tables: planning, stored: stored, state: state, epoch: epoch, source: source, target: await session())
        let usesLoadData = await world.choose(2) == 0
        let loader = ChunkLoader(
            state: state, epoch: epoch, usesLoadData: usesLoadData, statementLimit: 1 << 16, observer: ModelObserver())
        let target = await session()
        while let work = try await queue.next() {
            let definition = schema.definition(work.table)
            let transfer = TableTransfer(source: definition, target: definition.name, filter: nil)
            _ = try await loader.load(transfer, work.chunk, source: source, target: target)
        }
    }

    private func apply(_ phase: TaskPhase, _ epoch: UInt64) async throws {
        let target = await session()
        try await target.query("BEGIN")
        try await state.checkFence(epoch: epoch, phase: phase, on: target)
        let checkpoint = try await state.checkpoint(locked: true, on: target)
        try await target.query("COMMIT")
        let shapes = await world.schema.shapes
        var assembler = TransactionAssembler(
            shapes: shapes, usesGTIDs: await world.usesGTIDs, caseInsensitiveNames: false, isStrict: phase == .following,
            isIncluded: { _ in true })
        var items: [SourceItem] = []
        for event in await world.events(from: checkpoint.position) { items += try assembler.receive(event) }
        let queue = BoundedQueue<SourceItem>(limit: 1 << 30)
        _ = await queue.push(items) { $0.cost }
        await queue.finish()
        let budget = [1 << 20, 3000, 1][await world.choose(3)]
        let applier = Applier(
            shapes: shapes, loadedAt: [:], filters: [:], state: state, epoch: epoch, phase: phase, budget: budget,
            statementLimit: 1 << 16, listener: ModelListener(world: world, isFollowing: phase == .following),
            observer: ModelObserver())
        let world = world
        let p1 = await world.target.p1
        do {
            _ = try await applier.run(queue, from: checkpoint, on: target) { _, reached in
                if phase == .following { return await world.choose(4) == 3 }
                return p1.map { $0 <= reached } ?? false
            }
        } catch {
            guard let ended = error as? EngineError, ended.kind == .resumable else { throw error }
            // All that the log had is applied.
            await world.calm()
            return
        }
        if phase == .replaying {
            try await state.advance(from: .replaying, to: .indexing, epoch: epoch, on: target)
        }
    }
}

/// Runs schedules until one breaks a rule, and then makes that one as small as it goes.
enum Model {
    struct Failure: CustomStringConvertible {
        var seed: UInt64
        var violation: String
        var trace: [String]
        var description: String {
            "seed \(seed): \(violation)\nshrunk schedule:\n" + trace.map { "  " + $0 }.joined(separator: "\n")
        }
    }

    static func run(_ choices: Choices) async -> (violation: String?, drawn: [Int], trace: [String], isEqual: Bool) {
        let world = ModelWorld(choices: choices)
        var violation: String?
        do {
            let positions = SourcePositions(usesGTIDs: await world.usesGTIDs)
            // P0 is taken while the source is at work.
            for _ in 0..<4 { await world.tick() }
            await world.begin(at: try await positions.lowerBound(on: await ModelSession(world, isSource: true)))
            var attempts = 0
            while await !world.isDone, attempts < 60 {
                attempts += 1
                try await ModelRunner(world: world).attempt(steps: 40)
                await world.calm()
            }
            if await !world.isDone { violation = "the migration does not come to its end" }
            await world.finish()
        } catch {
            violation = "\(error)"
        }
        if let found = await world.violation { violation = found.description }
        return (violation, await world.choices.drawn, await world.trace, await world.isEqual)
    }

    static func firstFailure(seeds: Range<UInt64>) async -> Failure? {
        for seed in seeds {
            let result = await run(Choices(seed: seed))
            guard let violation = result.violation else { continue }
            return await shrunk(seed, violation, result.drawn)
        }
        return nil
    }

    /// Drops pieces of the schedule, and makes choices dull, for as long as it still fails.
    private static func shrunk(_ seed: UInt64, _ violation: String, _ drawn: [Int]) async -> Failure {
        var best = drawn
        var (found, trace) = (violation, [String]())
        var tries = 0
        var size = max(1, drawn.count / 2)
        while size > 0, tries < 600 {
            var start = 0
            while start < best.count, tries < 600 {
                tries += 1
                let end = min(best.count, start + size)
                var shorter = best
                shorter.removeSubrange(start..<end)
                let result = await run(Choices(given: shorter))
                if let violation = result.violation, !violation.hasPrefix("the migration does not come") {
                    (best, found, trace) = (shorter, violation, result.trace)
                } else {
                    start = end
                }
            }
            size /= 2
        }
        if trace.isEmpty { trace = await run(Choices(given: best)).trace }
        return Failure(seed: seed, violation: found, trace: trace)
    }
}
