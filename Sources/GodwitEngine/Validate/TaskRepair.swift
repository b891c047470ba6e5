import Foundation
import MySQLTypes
import MySQLWire

extension Remedy { static let untouchedRepairs = Remedy("untouched-repairs", pitfalls: [35, 42], test: "RepairLedgerTests/rowsWithANewerEventAreLeftAlone|DivergencePolicyTests/aRowThatChangesAfterItWasReadIsNotRepaired") }

/// Rewrites rows that validation has found unequal, while the task follows the source.
///
/// A row read from the source now may be newer than the checkpoint: written as it is, the target would be ahead with this row, and
/// the log's later change of it would be counted as a divergence. So it is written only at a checkpoint at which it is known to be
/// the row: see "Repair" in `docs/correctness.md`.
struct TaskRepair: Sendable {
    let context: RunContext
    let parts: FollowParts

    /// How long the stream is waited for.
    private static let limit = Duration.seconds(60)

    struct Outcome: Sendable {
        var repaired = 0
        /// Why rows were left as they are, a sentence each.
        var left: [String] = []
    }

    func run() async throws -> Outcome {
        var outcome = Outcome()
        for table in context.tables where table.suspension == nil {
            guard table.source.rowKey != nil else {
                if await parts.validation.failedCount(table.source.name) > 0 {
                    outcome.left.append("\(table.source.name) has no key by which a row could be rewritten: load it again (`godwit reload`).")
                }
                continue
            }
            while true {
                let failed = await parts.validation.failedKeys(table.source.name, limit: RowRepair.batch)
                guard !failed.isEmpty else { break }
                let count: Int
                do {
                    count = try await repair(table, failed)
                } catch {
                    guard let refused = Self.refusal(error) else { throw error }
                    outcome.left.append("\(table.source.name): \(refused)")
                    break
                }
                outcome.repaired += count
                // None was left alone by the log for long enough: they are compared again, and come back if they still differ.
                if count == 0 { break }
            }
        }
        return outcome
    }

    /// The target refuses what the source has: another row holds a unique value, or the value does not fit.
    private static func refusal(_ error: any Error) -> String? {
        if let error = error as? MySQLError, let code = error.serverCode, RowFault(serverCode: code) != nil { return error.message }
        if let error = error as? EngineError, error.kind == .failed { return error.description }
        return nil
    }

    private func repair(_ table: RunTable, _ failed: [RowKey: UInt64]) async throws -> Int {
        let source = try await context.openSource()
        let target: MySQLConnection
        let viewer: MySQLConnection
        do {
            target = try await context.openTarget()
            do {
                viewer = try await context.sessions.target()
            } catch {
                await target.close()
                throw error
            }
        } catch {
            await source.close()
            throw error
        }
        do {
            for connection in [source, viewer] {
                for statement in ValidationSession.statements { try await connection.query(statement) }
            }
            let count = try await rewrite(table, failed, source, target, viewer)
            for connection in [source, target, viewer] { await connection.close() }
            return count
        } catch {
            for connection in [source, target, viewer] { await connection.close() }
            await parts.control.requestGo()
            throw error
        }
    }

    private func rewrite(
        _ table: RunTable, _ failed: [RowKey: UInt64], _ source: MySQLConnection, _ target: MySQLConnection, _ viewer: MySQLConnection
    ) async throws -> Int {
        let filter = try context.filterSQL(table)
        let sql = try ChecksumSQL(
            source: table.source, target: table.prepared.targetDefinition, sourceCondition: filter, targetCondition: nil)
        let rows = RowRepair(
            sql: sql, transfer: TableTransfer(
                source: table.source, target: table.prepared.target, filter: filter, jsonIsText: context.targetFacts.isMariaDB),
            statementLimit: min(4 << 20, max(1 << 16, Int(context.targetFacts.maxAllowedPacket) / 4)))
        // 1. The source is read when it shows everything that the target has, and the position is noted that it cannot be beyond.
        let checkpoint = try await context.state.checkpoint(locked: false, on: viewer).position
        try await wait("the source shows what the target has") {
            try await parts.visible.lowerBound(on: source).covers(checkpoint)
        }
        let keys = Array(failed.keys)
        let inserts = try await rows.read(keys, on: source)
        let now = try await rows.images(.source, keys, on: source)
        let upper = context.positions.usesGTIDs
            ? ReplicationPosition.gtids(try await context.positions.ownedOrExecuted(on: source))
            : .file(try await context.positions.end(on: source))
        context.observer.moment("repair.read")
        // 2. The target gets there by the log alone.
        try await wait("the target reaches what was read") { await parts.reached.covers(upper) }
        // 3. It stands still.
        await parts.control.requestStop()
        try await wait("the applier stops") { await parts.control.isStopped }
        // 4. Rows that an event has touched since are not the ones that were read.
        let still = await parts.validation.failedKeys(table.source.name, limit: .max)
        let untouched = Self.untouched(keys, of: failed, still: still)
        guard untouched.count == keys.count || !untouched.isEmpty else {
            await parts.control.requestGo()
            return 0
        }
        guard untouched.count == keys.count else {
            // What was read is one set of rows: the others are read again without these.
            await parts.control.requestGo()
            return try await rewrite(table, failed.filter { untouched.contains($0.key) }, source, target, viewer)
        }
        // 5. In the target's own transaction, at this checkpoint.
        let was = try await rows.images(.target, keys, on: viewer)
        let details = try await TableComparer(sql, source: source, target: viewer, readers: .none)
            .details(keys.map { RowDifference(key: $0, kind: .different) })
        try await target.query("BEGIN")
        do {
            try await context.state.checkFence(epoch: context.epoch, phase: .following, on: target)
            let position = try await context.state.checkpoint(locked: true, on: target).position
            guard position.covers(upper) else { throw FenceLost(detail: "the checkpoint is not where it was") }
            try await rows.write(keys, inserts, on: target)
            for key in keys {
                let kind = was[key] == nil ? "inserted" : now[key] == nil ? "deleted" : "rewritten"
                try await context.state.storeRepair(
                    table.source.name, key: key.description, kind: kind, was: was[key], now: now[key], at: position, on: target)
            }
            context.observer.moment("repair.before-commit")
            try await target.query("COMMIT")
        } catch {
            // The connection is closed by the caller in any case: this only frees the rows at once.
            if target.isOpen { _ = try? await target.query("ROLLBACK") }
            throw error
        }
        await report(details, of: table.source.name, viewer)
        // 6. Nothing is believed: they are compared like any other change.
        await parts.validation.repaired(table.source.name, keys)
        await parts.control.requestGo()
        context.observer.say("warning", "Repaired \(keys.count) rows of \(table.source.name); what they were stands in godwit.repairs on the target.")
        return keys.count
    }

    /// Keys that are failed as they were when the source was read: no event has come since.
    static func untouched(_ keys: [RowKey], of failed: [RowKey: UInt64], still: [RowKey: UInt64]) -> [RowKey] {
        Remedy.untouchedRepairs.isOn ? keys.filter { still[$0] == failed[$0] } : keys
    }

    /// DMS's table of failures: what is mended was found first.
    private func report(_ details: [RowDetail], of table: TableName, _ viewer: MySQLConnection) async {
        let settings = context.plan.settings
        guard settings.keepsControlTables else { return }
        let control = ControlTables(settings: settings.control, task: context.plan.task)
        do {
            for row in details { try await viewer.query(control.failureStatement(table, row, now: Date().timeIntervalSince1970)) }
        } catch {
            context.observer.say("warning", "The control tables in \(settings.control.name) are not up to date: \(error)")
        }
    }

    private func wait(_ what: String, _ isDone: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while try await !isDone() {
            guard ContinuousClock.now - start < Self.limit else {
                throw EngineError(.resumable, "A repair waited \(Self.limit) until \(what), and gave up.", cure: "`godwit diagnose` says what the task waits for.")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
