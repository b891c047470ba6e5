import Foundation
import MySQLTypes
import MySQLWire

extension Remedy { static let raisedCounters = Remedy("raised-counters", pitfalls: [16], test: "MigrationEdgeTests/autoIncrementAtTheCutover") }

/// What each step of a cutover does on the servers and hosts. Every step may run again.
struct CutoverSteps: Sendable {
    let context: RunContext
    let parts: FollowParts?
    let servers: CutoverServers
    let gateLimit: Duration?
    let objects = CutoverObjects()

    private static let drainLimit = Duration.seconds(60)
    private static let validationLimit = Duration.seconds(120)

    private var application: Plan.Application { context.plan.application }
    private var commands: ApplicationCommands { ApplicationCommands(timeout: application.timeout, logFolder: context.plan.stateFolder) }

    /// Returns the step's detail for the journal.
    func perform(_ step: CutoverStep) async throws -> String? {
        switch step {
        case .gates: try await waitForGates()
        case .stopApplication: try await commands.run(application.stop, name: "stop")
        case .blockSource: return try await block()
        case .readFinalPosition: return try await finalPosition()
        case .drain: try await drain()
        case .validate: try await validate()
        case .autoIncrement: try await AutoIncrement(context: context, servers: servers).raise()
        case .fence: return try await fence()
        case .triggers: return try await makeTriggers()
        case .recheck: try await recheck()
        case .switchApplication: try await commands.run(application.switch, name: "switch")
        case .pointOfNoReturn: return try await passReturn()
        case .startApplication: try await commands.run(application.start, name: "start")
        case .health: try await health()
        case .finished, .abandoned: break
        }
        return nil
    }

    func undo(_ step: CutoverStep) async throws {
        switch step {
        case .switchApplication: try await commands.run(application.switchBack, name: "switch_back")
        case .blockSource: try await unblock()
        case .stopApplication: try await commands.run(application.start, name: "start")
        case .triggers:
            let ledger = ObjectLedger(task: context.plan.task)
            try await servers.onTarget { try await ledger.dropTriggers(on: $0) }
        case .fence:
            let state = context.state
            let epoch = context.epoch
            try await servers.onTarget { target in
                guard try await state.phase(on: target).phase == .fenced else { return }
                try await state.advance(from: .fenced, to: .following, epoch: epoch, on: target)
            }
            await parts?.control.requestGo()
        default: break
        }
    }

    // MARK: Gates

    private func waitForGates() async throws {
        guard let parts else { return }
        let start = ContinuousClock.now
        var raised = false
        var shown: [String] = []
        while true {
            try Task.checkCancellation()
            let failures = await parts.validation.failures
            guard failures.isEmpty else {
                throw CutoverFailure("Rows differ: \(failures.joined(separator: "; ")).", effect: .none)
            }
            let gates = try await readGates(parts)
            if gates.open.isEmpty {
                // AUTO_INCREMENT is raised before the pause, so that in it only what changed since is left.
                if raised {
                    let check = DefinitionCheck(context: context)
                    let differences = try await servers.onSource { try await check.differences(on: $0) }
                    if differences.isEmpty { return }
                    if let gateLimit, ContinuousClock.now - start > gateLimit {
                        throw CutoverFailure(differences.joined(separator: " "), effect: .none)
                    }
                    // A statement may be on its way here.
                    await context.board.beginWait("cutover: gates", why: differences.joined(separator: " "), limit: gateLimit)
                    try await Task.sleep(for: .seconds(1))
                    continue
                }
                // So are views, routines and events made as they are now.
                try await AutoIncrement(context: context, servers: servers).raise()
                try await objects.refresh(context, servers)
                if Remedy.provenReverse.isOn { try await ReverseProof(context)?.run() }
                raised = true
                continue
            }
            if let gateLimit, ContinuousClock.now - start > gateLimit {
                throw CutoverFailure(gates.open.joined(separator: " "), effect: .none)
            }
            if gates.open != shown, ContinuousClock.now - start > .seconds(2) {
                shown = gates.open
                await context.board.beginWait("cutover: gates", why: gates.open.joined(separator: " "), limit: gateLimit)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Seconds the target needs to reach what the source has now, measured by positions: the shown lag moves only with
    /// commits on the target, and compares two clocks. Never waits much longer than the gate allows.
    private func measuredLag(_ parts: FollowParts) async throws -> Double {
        let positions = context.positions
        let seen = try await servers.onSource { try await positions.exact(on: $0) }
        let start = ContinuousClock.now
        while await !parts.reached.covers(seen) {
            let waited = (ContinuousClock.now - start).inSeconds
            if waited >= CutoverGates.lagMaxSeconds { return waited }
            try await Task.sleep(for: .milliseconds(5))
        }
        return min((ContinuousClock.now - start).inSeconds, CutoverGates.lagMaxSeconds * 0.99)
    }

    private func readGates(_ parts: FollowParts) async throws -> CutoverGates {
        var gates = CutoverGates()
        let status = await context.board.snapshot()
        gates.lagSeconds = try await measuredLag(parts)
        gates.incomingChanges = status.incomingChanges
        for table in status.tables where (table.skipped ?? 0) > 0 || table.problems?.isEmpty == false {
            gates.unvalidated["\(table.schema).\(table.table)"] =
                table.problems?.first ?? "not whole (\(table.skipped ?? 0) changes passed over; `godwit migrate --repair`)"
        }
        if parts.validates {
            for (table, status) in await parts.validation.statuses() {
                // Rows changed a moment ago are always pending while writers run: they are bounded here and compared in the pause.
                let isCompared = status.state == "Validated" || (status.state == "Pending records" && status.failed == 0)
                let isKeyless = context.tables[table].source.rowKey == nil && status.failed == 0
                if !isCompared, !isKeyless { gates.unvalidated[context.tables[table].source.name.description] = status.state }
            }
            gates.dirtyKeys = UInt64(await parts.validation.pendingKeys)
        }
        let found = try await servers.onSource { try await SourceGates.read(on: $0) }
        gates.preparedXA = found.preparedXA
        gates.oldTransactions = found.oldTransactions
        gates.otherWriters = found.otherWriters
        return gates
    }

    // MARK: The source

    private var sourceBlock: SourceBlock { SourceBlock(context: context, servers: servers) }

    /// Returns when the source was started, by its own clock.
    private func block() async throws -> String {
        let block = sourceBlock
        try await block.set()
        let detail = try await servers.onSource { try await Self.startedAt($0) }
        await parts?.visible.sourceIsBlocked(true)
        return String(detail)
    }

    private func unblock() async throws {
        await parts?.visible.sourceIsBlocked(false)
        try await sourceBlock.lift()
    }

    /// Seconds since 1970 at which the server started, by its own clock.
    private static func startedAt(_ source: MySQLConnection) async throws -> Int64 {
        let uptime = try await source.query("SHOW GLOBAL STATUS LIKE 'Uptime'").rows.first?.int(1) ?? 0
        let now = try await source.query("SELECT UNIX_TIMESTAMP()").rows.first?.int(0) ?? 0
        return now - uptime
    }

    private func finalPosition() async throws -> String {
        let positions = context.positions
        let final = try await servers.onSource { source in
            let prepared = try await SourceGates.preparedXA(on: source)
            guard prepared.isEmpty else {
                throw CutoverFailure("XA transactions are prepared on the source: \(prepared.joined(separator: ", ")). XA COMMIT passes the write block.")
            }
            let appliers = try await SourceGates.replicaAppliers(on: source)
            guard appliers.isEmpty else {
                throw CutoverFailure("\(appliers.joined(separator: ", ")) writes past the write block: STOP REPLICA on the source.", effect: .none)
            }
            return try await positions.exact(on: source)
        }
        return TargetState.json(final)
    }

    private func finalFromJournal() async throws -> ReplicationPosition {
        let state = context.state
        let journal = try await servers.onTarget { try await state.journal(on: $0) }
        guard let text = journal.detail(of: .readFinalPosition) else {
            throw CutoverFailure("The journal has no final position.", effect: .none)
        }
        return try TargetState.decode(ReplicationPosition.self, text)
    }

    private func drain() async throws {
        let final = try await finalFromJournal()
        guard let parts else { throw CutoverFailure("Nothing follows the source in this run.", effect: .none) }
        let start = ContinuousClock.now
        while await !parts.reached.covers(final) {
            try Task.checkCancellation()
            guard ContinuousClock.now - start < Self.drainLimit else {
                throw CutoverFailure("The target did not reach the source's final position in \(Self.drainLimit).", effect: .none)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func validate() async throws {
        guard let parts, parts.validates else { return }
        let start = ContinuousClock.now
        while await !parts.validation.isValidated {
            try Task.checkCancellation()
            let failures = await parts.validation.failures
            guard failures.isEmpty else {
                throw CutoverFailure("The two sides differ: \(failures.joined(separator: "; ")).", effect: .none)
            }
            guard ContinuousClock.now - start < Self.validationLimit else {
                let open = await parts.validation.notValidated.map(\.description).joined(separator: ", ")
                throw CutoverFailure("The last changes were not validated in \(Self.validationLimit): \(open).", effect: .none)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Stops the forward stream for good and reads R0, the target's own position: where a reverse stream begins.
    private func fence() async throws -> String? {
        await parts?.control.requestStop()
        let start = ContinuousClock.now
        while let parts, await !parts.control.isStopped {
            guard ContinuousClock.now - start < Self.drainLimit else {
                throw CutoverFailure("The forward stream did not stop in \(Self.drainLimit).", effect: .none)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        let state = context.state
        let epoch = context.epoch
        let facts = context.targetFacts
        return try await servers.onTarget { target in
            let phase = try await state.phase(on: target).phase
            if phase != .fenced { try await state.advance(from: .following, to: .fenced, epoch: epoch, on: target) }
            guard facts.logsBinary else { return nil }
            return TargetState.json(try await SourcePositions(usesGTIDs: facts.usesGTIDs).exact(on: target))
        }
    }

    private func recheck() async throws {
        let final = try await finalFromJournal()
        let state = context.state
        let journal = try await servers.onTarget { try await state.journal(on: $0) }
        let startedBefore = journal.detail(of: .blockSource).flatMap { Int64($0) }
        try await sourceBlock.check()
        let positions = context.positions
        try await servers.onSource { source in
            let now = try await positions.exact(on: source)
            guard final.covers(now), now.covers(final) else {
                throw CutoverFailure("The source has moved on from \(final) to \(now) although it is blocked.", effect: .none)
            }
            let started = try await Self.startedAt(source)
            if let startedBefore, abs(started - startedBefore) > 2 {
                throw CutoverFailure("The source was restarted during the cutover.", effect: .none)
            }
        }
    }

    /// All objects of both sides are compared here, while neither side changes: see `CutoverStep.triggers`.
    private func makeTriggers() async throws -> String? {
        let differences = try await objects.makeTriggers(context, servers)
        for difference in differences { context.observer.say("error", difference) }
        return differences.isEmpty ? nil : TargetState.json(differences)
    }

    private func passReturn() async throws -> String? {
        let state = context.state
        let epoch = context.epoch
        let mover = ObjectMover(context: context)
        if let forward = context.plan.forward { try await ForwardBlock(forward: forward, servers: servers).lift() }
        let differences = try await servers.onTarget { target in
            if try await state.phase(on: target).phase == .fenced {
                try await state.advance(from: .fenced, to: .cutOver, epoch: epoch, on: target)
            }
            let before = try await state.journal(on: target).objectDifferences(of: .triggers)
            return before + (try await mover.enableEvents(target: target))
        }
        await context.board.set(objectDifferences: differences)
        for difference in differences { context.observer.say("error", difference) }
        return differences.isEmpty ? nil : TargetState.json(differences)
    }

    private func health() async throws {
        guard !application.health.isEmpty else { return }
        try await commands.run(application.health, name: "health")
    }
}

/// What on the source can stand in the way of a write block, or write past it.
enum SourceGates {
    struct Found: Sendable {
        var preparedXA: [String] = []
        var oldTransactions: [String] = []
        var otherWriters: [String] = []
    }

    static func preparedXA(on source: MySQLConnection) async throws -> [String] {
        let form = source.server.isMariaDB ? "FORMAT='SQL'" : "CONVERT XID"
        return try await source.query("XA RECOVER \(form)").rows.map { $0.string(3) ?? "?" }
    }

    /// A source that is itself a replica: its applier writes past super_read_only.
    static func replicaAppliers(on source: MySQLConnection) async throws -> [String] {
        // Not performance_schema, which needs a grant of its own: this needs REPLICATION CLIENT, which following needs anyway.
        let status: MySQLResult
        do {
            // MariaDB shows its unnamed connection alone unless asked for all.
            status = try await source.query(source.server.isMariaDB ? "SHOW ALL SLAVES STATUS" : "SHOW REPLICA STATUS")
        } catch {
            // 1064: before MySQL 8.0.22 the statement has its old name.
            guard error.serverCode == 1064 else { throw error }
            status = try await source.query("SHOW SLAVE STATUS")
        }
        guard !status.rows.isEmpty else { return [] }
        let running = status.columns.firstIndex { ["Replica_SQL_Running", "Slave_SQL_Running"].contains($0.name) }
        let channel = status.columns.firstIndex { ["Channel_Name", "Connection_name"].contains($0.name) }
        guard let running else { return ["a replica applier, whose state is not shown,"] }
        return status.rows.filter { $0.string(running) != "No" }.map { row in
            "the replica applier of channel '\(channel.flatMap { row.string($0) } ?? "")'"
        }
    }

    /// Without PROCESS nobody's transactions can be seen: preflight has said so, and a write block ends them at their COMMIT.
    private static func unlessDenied(_ source: MySQLConnection, _ query: String) async throws -> [MySQLRow] {
        do {
            return try await source.query(query).rows
        } catch {
            guard error.serverCode == 1227 else { throw error }
            return []
        }
    }

    static func read(on source: MySQLConnection) async throws -> Found {
        var found = Found()
        found.preparedXA = try await preparedXA(on: source)
        // trx_started is in the zone of the server's operating system, NOW() in this session's, which is UTC.
        let now = "CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')"
        let old = try await unlessDenied(
            source,
            """
            SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, \(now)) FROM information_schema.innodb_trx
            WHERE trx_started < \(now) - INTERVAL 10 SECOND AND (trx_rows_modified > 0 OR trx_tables_locked > 0)
            """)
        found.oldTransactions = old.map { "the transaction of connection \($0.string(0) ?? "?") (\($0.string(1) ?? "?") s)" }
        // Events are none: super_read_only stops the scheduler too (measured), and what an event wrote before is in the log.
        found.otherWriters += try await replicaAppliers(on: source)
        found.otherWriters += try await SourceReadOnly(source).sessionsThatPass()
        return found
    }
}

/// Raises AUTO_INCREMENT on the target to the source's. Read from SHOW CREATE TABLE: information_schema's number is stale.
struct AutoIncrement: Sendable {
    let context: RunContext
    let servers: CutoverServers

    func raise() async throws {
        try await servers.onSource { source in
            try await servers.onTarget { target in try await Sequences(context: context).bring(source: source, target: target) }
        }
        let tables = context.tables.filter { $0.source.columns.contains(where: \.isAutoIncrement) }
        guard !tables.isEmpty, Remedy.raisedCounters.isOn else { return }
        let wanted = try await servers.onSource { source in
            try await Self.counters(tables.map(\.source.name), on: source)
        }
        try await servers.onTarget { target in
            let present = try await Self.counters(tables.map(\.prepared.target), on: target)
            for (table, (goal, now)) in zip(tables, zip(wanted, present)) {
                guard let goal, goal > now ?? 1 else { continue }
                try await target.query("ALTER TABLE \(table.prepared.target.sql) AUTO_INCREMENT = \(goal)")
            }
        }
    }

    private static func counters(_ tables: [TableName], on server: MySQLConnection) async throws -> [UInt64?] {
        var counters: [UInt64?] = []
        for table in tables {
            let text = try await server.query("SHOW CREATE TABLE \(table.sql)").rows.first?.string(1) ?? ""
            do {
                counters.append(try CreateStatement(parsing: text).autoIncrement)
            } catch {
                throw CutoverFailure("The definition of \(table) cannot be read: \(error).", effect: .none)
            }
        }
        return counters
    }
}
