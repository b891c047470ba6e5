import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore

/// From the consistency point on: runs a logged change of definition on the target, exactly once.
///
/// Such a statement commits by itself, so it cannot share a transaction with the checkpoint. First an intent is stored: which
/// transaction of the source it is, and what the tables are before it. Then the statement runs, then the checkpoint moves past it
/// together with what the task knows of its tables. Found after a crash, the intent and the tables say whether it had run:
/// every such statement of InnoDB either has changed them or has not (atomic DDL, MySQL manual, "Atomic Data Definition
/// Statement Support").
struct DefinitionReplay: Sendable {
    let context: RunContext

    /// Seconds to wait for statements that hold the table on the target.
    private static let lockSeconds = 600

    /// Ends by throwing: `DefinitionsChanged` when the change is made, or why it cannot be.
    func run(_ change: DefinitionChange) async throws -> Never {
        if change.tables.isEmpty { try await SchemaReplay(context: context, phase: .following).run(change) }
        // Everything of these tables is gone from the source, or there anew.
        if change.what == "DROP DATABASE" {
            let plan = DefinitionPlan(statement: [], targets: [], effects: change.tables.map { .drop($0) }, isRename: false)
            if NotApplied.decide(plan, context.plan.settings.definitions) != nil { try await passOver(change, plan) }
            try await reload(change, "the schema was dropped")
        }
        let plan: DefinitionPlan
        do {
            plan = try decide(change)
        } catch let unclear as DefinitionStatement.Unclear {
            try await reload(change, unclear.reason)
        }
        if let left = NotApplied.decide(plan, context.plan.settings.definitions) {
            if plan.effects.count != left.count {
                throw refusal(change, "the task settings let a part of it be carried out and another not")
            }
            try await passOver(change, plan)
        }
        if context.plan.settings.errors.failOnTruncation, plan.effects.contains(where: { if case .truncate = $0 { true } else { false } }) {
            throw refusal(change, "ErrorBehavior.ApplyErrorFailOnTruncationDdl says so")
        }
        let control = try await context.openTarget()
        let runner: MySQLConnection
        do {
            runner = try await context.openTarget()
        } catch {
            await control.close()
            throw error
        }
        let wait = "change of definition"
        await context.board.beginWait(wait, why: "The target carries out \(change.description).", limit: nil)
        do {
            try await carryOut(change, plan, control, runner)
        } catch {
            await control.close()
            await runner.close()
            await context.board.endWait(wait)
            if let unclear = error as? DefinitionStatement.Unclear, unclear.isReload { try await reload(change, unclear.reason) }
            throw error
        }
        await control.close()
        await runner.close()
        await context.board.endWait(wait)
        throw DefinitionsChanged(only: Set(change.tables).union(plan.effects.map(\.subject)))
    }

    /// The task settings say that it is not carried out: written down beside the checkpoint that passes it. A table that was dropped
    /// on the source leaves the task and stays on the target as it is; one that was altered or emptied is shown as it is: not the same.
    private func passOver(_ change: DefinitionChange, _ plan: DefinitionPlan) async throws -> Never {
        guard let end = change.end else { throw refusal(change, "it is no statement by itself") }
        let target = try await context.openTarget()
        do {
            let state = context.state
            try await target.query("BEGIN")
            try await state.checkFence(epoch: context.epoch, phase: .following, on: target)
            let checkpoint = try await state.checkpoint(locked: true, on: target)
            let position = Applier.advanced(checkpoint.position, by: end.mark)
            try await state.claimCheckpoint(
                sequence: checkpoint.sequence, position: position, commitMicroseconds: UInt64(change.timestamp) * 1_000_000,
                maria: checkpoint.numbers(after: end), on: target)
            var numbers = Dictionary(uniqueKeysWithValues: context.tables.map { ($0.source.name, $0.id) })
            for effect in plan.effects {
                try await state.storeNotApplied(
                    effect.subject, what: change.what, statement: change.query?.text ?? "", at: position, on: target)
                guard case .drop(let name) = effect, let id = numbers.removeValue(forKey: name) else { continue }
                let last = numbers.count
                try await state.removeTable(id: id, last: last, on: target)
                if let moved = numbers.first(where: { $0.value == last })?.key { numbers[moved] = id }
            }
            try await target.query("COMMIT")
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        context.observer.say("warning", "Not carried out, as the task settings say: \(change.description).")
        throw DefinitionsChanged(only: Set(change.tables).union(plan.effects.map(\.subject)))
    }

    private func decide(_ change: DefinitionChange) throws -> DefinitionPlan {
        guard let query = change.query else { throw refusal(change, "it is no statement") }
        if change.end == nil, Remedy.filledTables.isOn {
            // CREATE TABLE … SELECT: the table is read as it is once the transaction is through.
            throw DefinitionStatement.Unclear(reason: "it fills the table it creates", isReload: true)
        }
        let zone = context.sourceFacts.variables["system_time_zone"] ?? ""
        let crosses = context.translation.crosses
        if let reason = StatementSession.objection(query, timeZoneOfSource: zone) {
            // A table that is read again needs no session.
            throw crosses ? DefinitionStatement.Unclear(reason: reason, isReload: true) : refusal(change, reason)
        }
        do {
            let mappings = context.plan.mappings
            let statement = try DefinitionStatement(
                query.text, schema: query.schema, quoting: SQLQuoting(sqlMode: query.status.sqlMode), canonical: canonical)
            try refuseOutsideParents(statement)
            let tables = Dictionary(uniqueKeysWithValues: context.tables.map { ($0.source.name, $0.prepared.target) })
            let plan = try DefinitionPlan.decide(statement, tables: tables, decision: { mappings.decision(for: $0) })
            guard crosses else { return plan }
            let known = context
            return try TranslatedDefinition(translation: context.translation, source: context.sourceFacts).translate(
                plan, query, tables: Dictionary(uniqueKeysWithValues: context.tables.map { ($0.source.name, $0.prepared) }),
                naming: { name in
                    let own = Self.canonical(name, known)
                    return tables[own] ?? mappings.decision(for: own)?.target ?? own
                })
        } catch {
            if error.isReload, Remedy.reloadAfterRename.isOn { throw error }
            throw refusal(change, error.reason)
        }
    }

    /// What no statement can carry over: the tables are read again as they are now, in a window of their own, while the others are
    /// followed strictly. See `TableReset`.
    func reload(_ change: DefinitionChange, _ reason: String) async throws -> Never {
        // A cutover that is under way has the source blocked: it is undone first, and this comes up again then.
        let target = try await context.openTarget()
        let isCuttingOver: Bool
        do {
            isCuttingOver = try await !context.state.journal(on: target).current.isEmpty
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        if isCuttingOver { throw DefinitionsChanged() }
        context.observer.say("info", "\(change.description): \(reason).")
        let names = Self.withChildren(change.tables, context.tables.map(\.source))
        try await TableReset(context: context).run(names, in: .following, because: change.description)
    }

    /// The tables, and those whose foreign keys refer to unique keys of theirs other than the primary one: a table that is loaded
    /// has none of these yet, and no server makes it where somebody refers to them. Pure.
    static func withChildren(_ names: [TableName], _ tables: [TableDefinition]) -> [TableName] {
        var all = names
        var at = 0
        while at < all.count {
            let name = all[at]
            at += 1
            let parent = tables.first { $0.name == name }
            let primary = parent?.indexes.first(where: \.isPrimary)?.columns.compactMap { parent?.columns[$0].name.lowercased() } ?? []
            for child in tables where !all.contains(child.name) {
                let refers = child.foreignKeys.contains {
                    $0.referenced == name && !primary.starts(with: $0.referencedColumns.map { $0.lowercased() })
                }
                if refers { all.append(child.name) }
            }
        }
        return all
    }

    /// A table that refers to one outside of the plan changes without an event where cascades are not logged.
    private func refuseOutsideParents(_ statement: DefinitionStatement) throws(DefinitionStatement.Unclear) {
        guard !context.sourceFacts.logsCascades else { return }
        let mappings = context.plan.mappings
        for parent in statement.parents where mappings.decision(for: parent) == nil {
            throw DefinitionStatement.Unclear(reason: "a foreign key refers to \(parent), which the plan does not include, and the source does not log what it does")
        }
    }

    func canonical(_ name: TableName) -> TableName { Self.canonical(name, context) }

    static func canonical(_ name: TableName, _ context: RunContext) -> TableName {
        guard context.sourceFacts.lowerCaseTableNames != 0 else { return name }
        let folded = TableName(schema: name.schema.lowercased(), table: name.table.lowercased())
        return context.tables.first {
            $0.source.name.schema.lowercased() == folded.schema && $0.source.name.table.lowercased() == folded.table
        }?.source.name ?? folded
    }

    private func carryOut(
        _ change: DefinitionChange, _ decided: DefinitionPlan, _ control: MySQLConnection, _ runner: MySQLConnection
    ) async throws {
        guard let end = change.end else { throw refusal(change, "it is no statement by itself") }
        var plan = decided
        let state = context.state
        // An earlier run's statement may still be running: its session holds the lock until it has ended.
        let free = try await runner.query("SELECT GET_LOCK('\(context.lock.name("ddl"))', \(Self.lockSeconds))").rows.first?.int(0)
        guard free == 1 else {
            throw EngineError(
                .resumable, "A statement of an earlier run still changes tables of the target.",
                why: "Nobody knows yet whether it has done what it should.", cure: "Let it end, then run the same command again.")
        }
        try await requireSameTables(plan, runner, change)
        let before = try await fingerprint(plan, runner, change)
        try await control.query("BEGIN")
        try await state.checkFence(epoch: context.epoch, phase: .following, on: control)
        let checkpoint = try await state.checkpoint(locked: true, on: control)
        let intent = try await state.intent(on: control)
        var isDone = false
        if let intent {
            guard intent.mark == end.mark.description else {
                throw EngineError(
                    .failed, "Schema godwit on the target holds an unfinished change of definition of another transaction (\(intent.mark)).",
                    why: "Its row in godwit.intent was changed, or the checkpoint was.", cure: "Start a new migration.")
            }
            isDone = intent.fingerprint != before
            // MariaDB drops the tables of a list one by one.
            if isDone, plan.isDrop {
                isDone = false
                plan.statement = Array("DROP TABLE IF EXISTS ".utf8) + plan.statement.dropFirst("DROP TABLE ".utf8.count)
            }
        } else if !plan.statement.isEmpty {
            try await state.store(
                DefinitionIntent(mark: end.mark.description, fingerprint: before),
                statement: String(decoding: plan.statement, as: UTF8.self), on: control)
        }
        try await control.query("COMMIT")
        context.observer.moment("definition.intent")
        if !isDone, !plan.statement.isEmpty {
            do {
                try await execute(change, plan, runner)
            } catch {
                // A refusal that the server itself has spoken: nothing has happened. Left standing, the intent would take whatever
                // a person mends on the target for the statement's work.
                if runner.isOpen, !Task.isCancelled { try await forget(control) }
                throw error
            }
        }
        context.observer.moment("definition.executed")
        let learned = try await read(plan, on: control)
        // Of a table that was not there at the start, or was not system-versioned then, nobody has asked yet.
        if let sentence = learned.values.flatMap({ context.translation.versions($0) }).first { throw refusal(change, sentence) }
        try await control.query("BEGIN")
        try await state.checkFence(epoch: context.epoch, phase: .following, on: control)
        try await state.claimCheckpoint(
            sequence: checkpoint.sequence, position: Applier.advanced(checkpoint.position, by: end.mark),
            commitMicroseconds: UInt64(change.timestamp) * 1_000_000, maria: checkpoint.numbers(after: end), on: control)
        try await store(plan, learned, control)
        try await state.clearIntent(on: control)
        try await control.query("COMMIT")
        context.observer.moment("definition.done")
        for name in change.tables { await context.board.countDefinition(of: name) }
        context.observer.say("info", "Carried out on the target: \(change.description).")
    }

    private func forget(_ control: MySQLConnection) async throws {
        try await control.query("BEGIN")
        try await context.state.checkFence(epoch: context.epoch, phase: .following, on: control)
        try await context.state.clearIntent(on: control)
        try await control.query("COMMIT")
    }

    private func execute(_ change: DefinitionChange, _ plan: DefinitionPlan, _ runner: MySQLConnection) async throws {
        guard let query = change.query else { return }
        do {
            if Sequences.isUsed(in: query.text), !context.translation.crosses {
                try await bringSequences()
                // A sequence without a schema is in the session's.
                if !query.schema.isEmpty { try await runner.query("USE \(SQL.identifier(query.schema))") }
            }
            let session = StatementSession(change: change, query: query)
            if context.translation.crosses {
                try await session.beginTranslated(on: runner, wait: Self.lockSeconds)
            } else {
                try await session.begin(on: runner, wait: Self.lockSeconds)
            }
            try await runner.query(ByteBuffer(bytes: plan.statement))
        } catch let unclear as DefinitionStatement.Unclear {
            throw refusal(change, unclear.reason)
        } catch let error as MySQLError where !Retry.isWorthwhile(error) {
            // What was written anew may be more than the target can do in one step; made from nothing it may be able to.
            if context.translation.crosses, !plan.isRename, !plan.isDrop {
                throw DefinitionStatement.Unclear(reason: "the target refuses it as an ALTER: \(error.message)", isReload: true)
            }
            throw refusal(change, "the target refuses it: \(error.message)")
        }
    }

    /// A default may name a sequence that came after the start.
    private func bringSequences() async throws {
        let source = try await context.openSource()
        let target: MySQLConnection
        do {
            target = try await context.openTarget()
        } catch {
            await source.close()
            throw error
        }
        do {
            try await Sequences(context: context).bring(source: source, target: target)
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
    }

    func refusal(_ change: DefinitionChange, _ reason: String) -> EngineError {
        var error = EngineError(
            .resumable, "The source's log has \(change.what) of \(change.tables.map(\.description).joined(separator: ", ")), at \(change.coordinates), which cannot be carried over: \(reason).",
            why: "The statement: \(change.query?.text.prefix(300) ?? "")",
            cure: "The target stands at the checkpoint before it. Drop the target's tables and this task's rows in schema godwit, then migrate again; or make the change in another way.")
        if change.tables.count == 1, !change.what.uppercased().contains("RENAME"), context.tables.contains(where: { $0.source.name == change.tables[0] }) {
            error.table = change.tables[0]
        }
        return error
    }
}

extension TableName {
    /// The name under which InnoDB lists the table: what is not a letter, a digit or `_` is written as its code point.
    /// Source: MySQL manual, "Mapping of Identifiers to File Names". Letters beyond ASCII have codes of their own there: they are not found.
    var fileName: String {
        func encoded(_ name: String) -> String {
            name.unicodeScalars.map { scalar in
                if scalar == "_" || (scalar.isASCII && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar) { return String(scalar) }
                let hex = String(scalar.value, radix: 16)
                return "@" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
            }.joined()
        }
        return encoded(schema) + "/" + encoded(table)
    }
}

/// A rename across the plan's border is no reason to stop: what came in is loaded, what went out is dropped.
extension Remedy { static let reloadAfterRename = Remedy("reload-after-rename", pitfalls: [24], test: "OnlineSchemaChangeTests/acrossThePlansBorder") }

/// From the consistency point on a table that comes with its rows is loaded, in a window of its own.
extension Remedy { static let filledTables = Remedy("filled-tables", pitfalls: [26], test: "MariaDBDefinitionTests/tablesThatComeWithTheirRows") }
