import MySQLBinlog
import MySQLTypes
import MySQLWire

/// What a gathered batch becomes on the target: net effects by table, the log's order where cascades ask for it, row by row under a
/// policy, and one row at a time without a key.
extension Applier {
    /// `isPart`: of a transaction of which other parts were written before.
    func flush(_ progress: inout Progress, isPart: Bool, on target: MySQLConnection) async throws {
        for (table, changes) in progress.batch.takeFiltered() {
            try await admit(changes, table: table, into: &progress.batch, on: target)
        }
        progress.lostTables.formUnion(try await flushOrdered(progress.batch, on: target))
        for table in progress.batch.tables where progress.suspended[table] == nil {
            // History goes by sets of rows, never by one: there is no row by row for it.
            let mayGoOn = isStrict(table) && policy.errors.goesOn && shapes[table].source.period == nil
            if mayGoOn { try await target.query("SAVEPOINT godwit_table") }
            do {
                progress.history[table, default: 0] += try await flush(table, progress.batch, isPart: isPart, on: target)
            } catch let fault as ApplyFault {
                guard mayGoOn else { throw fault.error }
                try await target.query("ROLLBACK TO SAVEPOINT godwit_table")
                observer.moment("follow.row-by-row")
                try await flushByRow(table, &progress, on: target)
            }
            observer.moment(isStrict ? "follow.table" : "replay.table")
        }
    }

    func flush(
        _ effects: NetEffects<ImageRow>, _ table: Int, mayRepeat: Bool, _ statements: TableStatements,
        _ run: (ApplyStatement) async throws -> Void
    ) async throws {
        let strict = isStrict(table)
        let shape = statements.shape
        let rewritten = Remedy.uniqueValuesByDelete.isOn ? shape.rewrittenColumns : []
        let plan = Sabotage.plan(
            strict
                ? effects.strictPlan(rewritten: rewritten, rewriteUpdates: shape.rewriteUpdates)
                : effects.absolutePlan(deletingAll: shape.hasJSON))
        if !strict, shape.source.period != nil { return try await statements.absoluteVersions(plan, run) }
        if !Remedy.deletesFirst.isOn { try await statements.inserts(plan.inserts, run) }
        try await statements.deletes(plan.deletes, strict: strict && !mayRepeat, run)
        try await statements.upserts(plan.upserts, strict: strict, run)
        for row in plan.updates {
            for statement in try statements.partialUpdate(PartialChange(before: row, after: row), strict: strict) { try await run(statement) }
        }
        if Remedy.deletesFirst.isOn { try await statements.inserts(plan.inserts, run) }
    }

    /// The server's variable says that cascades are logged; each event of a parent must say the same.
    func objection(_ table: Int, _ event: RowsEvent) -> EngineError? {
        guard cascades.loggedParents.contains(table), event.kind != .insert, event.flags & 0x12 == 0 else { return nil }
        return EngineError(
            .resumable, "The source logged a change of \(shapes[table].source.name) without what foreign keys did to its children.",
            why: "It ran with innodb_native_foreign_keys = ON then, and runs with OFF now.",
            cure: "Start the source with innodb_native_foreign_keys = ON until this task has passed that change (it was following before), or migrate again.")
    }

    /// A change that does not fit stops, whatever the settings say: those behind it, in other tables, are its consequences. Returns tables of
    /// which rows were changed whose positions are not known.
    func flushOrdered(_ batch: ApplyBatch, on target: MySQLConnection) async throws -> Set<Int> {
        do {
            return try await OrderedReplay(
                shapes: shapes, rules: cascades, statementLimit: statementLimit, target: target,
                execute: { try await execute($0, table: $1, on: target) }, touched: { await listener.touched($0, mark: $1) }
            ).run(batch.ordered)
        } catch let fault as ApplyFault {
            throw fault.error
        }
    }

    /// Returns what `overlapping` does.
    func flush(_ table: Int, _ batch: ApplyBatch, isPart: Bool, on target: MySQLConnection) async throws -> Int {
        let statements = TableStatements(shape: shapes[table], limit: statementLimit)
        return try await overlapping(table, on: target) { run in try await flush(table, batch, isPart: isPart, statements, run) }
    }

    func flush(
        _ table: Int, _ batch: ApplyBatch, isPart: Bool, _ statements: TableStatements, _ run: (ApplyStatement) async throws -> Void
    ) async throws {
        if let changes = batch.keyless[table] {
            try await flushKeyless(changes, statements, run)
        }
        let strict = isStrict(table)
        // Where the changes of a table are in several pieces, the two times that a row is logged may be in different ones.
        let mayRepeat = (isPart || batch.earlier[table] != nil) && cascades.loggedTwice.contains(table)
        for segment in batch.earlier[table] ?? [] {
            switch segment {
            case .net(let effects): try await flush(effects, table, mayRepeat: mayRepeat, statements, run)
            case .single(let change):
                for statement in try statements.partialUpdate(change, strict: strict) { try await run(statement) }
            }
        }
        if let effects = batch.effects[table] { try await flush(effects, table, mayRepeat: mayRepeat, statements, run) }
    }

    /// Finds the rows that do not fit; see `RowByRow`.
    func flushByRow(_ table: Int, _ progress: inout Progress, on target: MySQLConnection) async throws {
        var rows = RowByRow(
            shape: shapes[table], limit: statementLimit, errors: policy.errors, target: target,
            count: progress.faults[table] ?? 0)
        if let changes = progress.batch.keyless[table] { try await rows.apply(changes) }
        for segment in progress.batch.earlier[table] ?? [] {
            switch segment {
            case .net(let effects): try await rows.apply(effects)
            case .single(let change): try await rows.apply(change)
            }
        }
        if let effects = progress.batch.effects[table] { try await rows.apply(effects) }
        progress.faults[table] = rows.count
        guard let reason = rows.suspension else {
            progress.exceptions += rows.exceptions
            return
        }
        guard policy.errors.maySuspend(beside: policy.suspended + progress.suspended.count) else {
            throw divergence(table, "\(reason) (and TableErrorEscalationCount tables are suspended)")
        }
        // Nothing of this batch stays in it: it stands as at the checkpoint before.
        try await target.query("ROLLBACK TO SAVEPOINT godwit_table")
        progress.exceptions += rows.exceptions.suffix(1)
        progress.suspended[table] = reason
    }

    func flushKeyless(
        _ changes: [KeylessChange], _ statements: TableStatements, _ run: (ApplyStatement) async throws -> Void
    ) async throws {
        var inserts: [ImageRow] = []
        for change in changes {
            if case .insert(let row) = change {
                inserts.append(row)
                continue
            }
            try await statements.keylessInserts(inserts, run)
            inserts = []
            switch change {
            case .insert: break
            case .delete(let row): try await run(try statements.keylessDelete(row))
            case .update(let before, let after):
                if before.hasSameContent(as: after) { break }
                if statements.shape.hasJSON {
                    try await run(try statements.keylessDelete(before))
                    try await statements.keylessInserts([after], run)
                } else {
                    try await run(try statements.keylessUpdate(from: before, to: after))
                }
            }
        }
        try await statements.keylessInserts(inserts, run)
    }
}
