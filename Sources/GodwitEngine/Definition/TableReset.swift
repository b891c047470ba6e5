import MySQLTypes
import MySQLWire

/// Before the consistency point: tables whose definition has changed are read again from the source as they are now, each from
/// a position of its own, and what the log says of them up to there is passed over. The statement itself is never run.
///
/// Sound whatever the statement was: before the consistency point the target owes nothing to anybody, and a table that is
/// loaded anew from P0t, then replayed absolutely from there to a new P1, is as any other. See `docs/correctness.md`, "Changes
/// of definition".
package struct TableReset: Sendable {
    package let context: RunContext
    package init(context: RunContext) { self.context = context }

    /// What became of a table.
    private enum Found {
        case present(PreparedTable, from: ReplicationPosition)
        case gone(at: ReplicationPosition)
    }

    /// Ends by throwing `DefinitionsChanged`.
    package func run(_ names: [TableName], in phase: TaskPhase, because what: String, exactly: Bool = false) async throws -> Never {
        let source = try await context.openSource()
        let target: MySQLConnection
        do {
            target = try await context.openTarget()
        } catch {
            await source.close()
            throw error
        }
        do {
            try await carryOut(names, phase, what, exactly, source, target)
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
        throw DefinitionsChanged()
    }

    private func carryOut(
        _ names: [TableName], _ phase: TaskPhase, _ what: String, _ exactly: Bool, _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws {
        let found = try await lookAround(names, source, target)
        try await context.state.checkFence(epoch: context.epoch, phase: phase, on: target)
        for (name, what) in found {
            guard case .gone = what, let table = task(name) else { continue }
            // Before its row goes: a table of the target that no row names would be there for ever.
            try await target.query("DROP TABLE IF EXISTS \(table.prepared.target.sql)")
        }
        for statement in try await databases(found.map(\.what), source, target) { try await target.query(statement) }
        context.observer.moment("definition.reset.before")
        let state = context.state
        try await state.advance(from: phase, to: .preparing, epoch: context.epoch, on: target) {
            var count = context.tables.count
            var numbers = Dictionary(uniqueKeysWithValues: context.tables.map { ($0.source.name, $0.id) })
            for (name, what) in found {
                switch what {
                case .present(var prepared, let position):
                    // Once is for ever: whoever writes such events goes on.
                    if exactly || task(name)?.prepared.needsExactLoad == true { prepared.needsExactLoad = true }
                    let id = numbers[name] ?? count
                    if numbers[name] == nil { count += 1 }
                    numbers[name] = id
                    try await state.restartTable(
                        id: id, source: name, prepared: TargetState.json(prepared), from: position, on: target)
                    try await state.forgetGone(name, on: target)
                    try await state.forgetOutcomes(of: name, on: target)
                case .gone(let position):
                    if let id = numbers.removeValue(forKey: name) {
                        try await state.removeTable(id: id, last: count - 1, on: target)
                        if let moved = numbers.first(where: { $0.value == count - 1 })?.key, id != count - 1 { numbers[moved] = id }
                        count -= 1
                    }
                    try await state.storeGone(name, position, on: target)
                }
            }
        }
        context.observer.moment("definition.reset.after")
        for (name, result) in found {
            switch result {
            case .present: context.observer.say("info", "\(what): \(name) is loaded again as it is now.")
            case .gone: context.observer.say("info", "\(what): \(name) is not on the source any more.")
            }
        }
    }

    private func task(_ name: TableName) -> RunTable? { context.tables.first { $0.source.name == name } }

    // MARK: The source

    /// The tables, and those that are read together with them: components of cascading foreign keys that the log does not carry,
    /// as they were and as they are now.
    private func lookAround(
        _ names: [TableName], _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> [(name: TableName, what: Found)] {
        let logged = context.sourceFacts.logsCascades
        let before = context.tables.map(\.source)
        var found: [(name: TableName, what: Found)] = []
        var wanted = names
        while !wanted.isEmpty {
            for name in wanted { found.append((name, try await look(at: name, source, target))) }
            let seen = Set(found.map(\.name))
            var now = before.filter { !seen.contains($0.name) }
            for case .present(let table, _) in found.map(\.what) { now.append(table.source) }
            wanted = CascadeComponents.affected(by: seen, before: before, now: now, logged: logged, foldsCase: context.foldsCase)
                .subtracting(seen).sorted()
            if wanted.isEmpty, !logged { try check(now.filter { seen.contains($0.name) }, among: now) }
        }
        return found
    }

    private func check(_ tables: [TableDefinition], among all: [TableDefinition]) throws {
        let mappings = context.plan.mappings
        for table in tables {
            for key in table.foreignKeys where key.cascades && mappings.decision(for: key.referenced) == nil {
                throw EngineError(
                    .failed, "Table \(table.name) now refers to \(key.referenced) (\(SQL.identifier(key.name))), which is not included.",
                    why: "The source does not log what this foreign key does to \(table.name).",
                    cure: "Drop the foreign key and start a new migration, or one that includes \(key.referenced).")
            }
            let findings = Preflight.unloggedCascades(
                table, among: all, isFiltered: { mappings.decision(for: $0)?.filters.isEmpty == false }, foldsCase: context.foldsCase)
            if let refusal = Preflight.refusal(findings) { throw refusal }
        }
    }

    private func look(
        at name: TableName, _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> Found {
        // Read first: whatever is not there afterwards has all of its history up to here behind it.
        let before = try await context.positions.exact(on: source)
        let position: ReplicationPosition
        let definition: TableDefinition?
        if context.positions.usesGTIDs {
            position = try await context.positions.lowerBound(on: source)
            definition = try await Catalog.read(source, table: name)
        } else {
            // Without GTIDs only a lock makes a position exact enough to have a statement of the same file behind it.
            guard let read = try await readLocked(name, source) else { return .gone(at: before) }
            (position, definition) = read
        }
        guard let definition else { return .gone(at: before) }
        if let refusal = Preflight.refusal(Preflight.table(definition) + Preflight.dialect(definition, context.translation)) { throw refusal }
        guard let decision = context.plan.mappings.decision(for: name) else {
            throw EngineError(.failed, "Table \(name) was to be loaded again, and the plan does not include it.")
        }
        if let other = context.tables.first(where: { $0.prepared.target == decision.target && $0.source.name != name }) {
            throw EngineError(
                .failed, "Tables \(name) and \(other.source.name) of the source both go to \(decision.target).",
                why: "\(name) came while the migration ran.", cure: "Change the plan's rules so that each has a name of its own, and start a new migration.")
        }
        let mappings = context.plan.mappings
        // The task's own table holds nothing but what was loaded into it. Any other that stands there is not ours to drop.
        let isOwn = task(name) != nil
        let standing = isOwn ? nil : try await TargetPreparation.find(target, [decision.target])[decision.target]
        let prepared = try TargetPreparation.decide(
            mode: isOwn ? .dropAndCreate : context.plan.settings.preparation, source: definition, target: decision.target,
            found: standing, mapping: { mappings.decision(for: $0)?.target }, translation: context.translation)
        return .present(prepared, from: position)
    }

    private func readLocked(
        _ name: TableName, _ reader: MySQLConnection
    ) async throws -> (ReplicationPosition, TableDefinition?)? {
        let locker = try await context.openSource()
        do {
            try await locker.query("SET SESSION lock_wait_timeout = 10")
            do {
                try await locker.query("LOCK TABLES \(name.sql) READ")
            } catch {
                // 1205, and it is tried again: a prepared XA transaction may hold the table for days.
                if error.serverCode == 1205 {
                    context.observer.say(
                        "warning", "To read \(name) again Godwit waits for transactions of the source that have changed it (long ones, and those that XA RECOVER lists).")
                }
                guard error.serverCode == 1146 || error.serverCode == 1049 else { throw error }
                await locker.close()
                return nil
            }
            let position = try await context.positions.exact(on: locker)
            let definition = try await Catalog.read(reader, table: name)
            try await locker.query("UNLOCK TABLES")
            await locker.close()
            return (position, definition)
        } catch {
            await locker.close()
            throw error
        }
    }

    private func databases(
        _ found: [Found], _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> [String] {
        let targets = found.compactMap { found -> (source: TableName, target: TableName)? in
            guard case .present(let table, _) = found else { return nil }
            return (table.source.name, table.target)
        }
        return PreparedTarget.databases(
            targets: targets, sourceSchemas: try await Catalog.schemas(source),
            existing: Set(try await Catalog.schemas(target).map(\.name)), translation: context.translation)
    }
}
