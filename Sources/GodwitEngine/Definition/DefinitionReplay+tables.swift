import MySQLTypes
import MySQLWire

extension DefinitionReplay {
    // MARK: What the tables are

    /// The log's rows will be read by the definition that the target has afterwards: both must be the same now.
    func requireSameTables(
        _ plan: DefinitionPlan, _ target: MySQLConnection, _ change: DefinitionChange
    ) async throws {
        for case .create(let name, _) in plan.effects { try await requireRoom(for: name, target, change) }
        for case .alter(let name) in plan.effects {
            guard let table = context.tables.first(where: { $0.source.name == name }),
                let now = try await Catalog.read(target, table: table.prepared.target)
            else { continue }
            let own = context.translation.table(table.source).columns.map { "\($0.name) \(Definitions.normalized($0.columnType))" }
            let theirs = now.columns.map { "\($0.name) \(Definitions.normalized($0.columnType))" }
            // After a crash it may have run already.
            let intent = try await context.state.intent(on: target)
            guard own == theirs || intent != nil else {
                if context.translation.crosses {
                    throw DefinitionStatement.Unclear(reason: "the target's \(table.prepared.target) has other columns", isReload: true)
                }
                throw refusal(change, "the target's \(table.prepared.target) has other columns, or the same in another order")
            }
        }
    }

    /// A new table comes to stand on the target as it does on the source: where nothing is, under the same defaults.
    func requireRoom(
        for name: TableName, _ target: MySQLConnection, _ change: DefinitionChange
    ) async throws {
        // After a crash it may be there already.
        guard try await context.state.intent(on: target) == nil,
            let goal = context.plan.mappings.decision(for: name)?.target
        else { return }
        if try await Catalog.read(target, table: goal) != nil {
            throw refusal(change, "a table \(goal) stands on the target already")
        }
        var theirs = try await Catalog.schemas(target).first { $0.name == goal.schema }
        let source = try await context.openSource()
        let own: Catalog.Schema?
        do {
            own = try await Catalog.schemas(source).first { $0.name == name.schema }
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        if theirs == nil {
            // The schema came after the start. Its defaults are those of now.
            let defaults = own.map { " DEFAULT CHARACTER SET \($0.characterSet) COLLATE \($0.collation)" } ?? ""
            try await target.query("CREATE DATABASE IF NOT EXISTS \(SQL.identifier(goal.schema))\(defaults)")
            theirs = try await Catalog.schemas(target).first { $0.name == goal.schema }
        }
        if let own, let theirs, own.collation != theirs.collation {
            // Which of the two the statement ran under is not in the log: the table itself says it.
            try await reload(change, "the defaults of schema \(name.schema) were changed before or after it")
        }
    }

    /// The tables' definitions, and their identities where names change places.
    func fingerprint(
        _ plan: DefinitionPlan, _ target: MySQLConnection, _ change: DefinitionChange
    ) async throws -> String {
        var parts: [String] = []
        for name in Set(plan.targets).sorted() {
            guard let table = try await Catalog.read(target, table: name) else {
                parts.append("\(name): none")
                continue
            }
            let definition = table.createStatement.replacing(/\ AUTO_INCREMENT=[0-9]+/, with: "")
            var part = "\(name): \(definition)"
            if plan.isRename { part += " id \(try await identity(of: name, target, change))" }
            parts.append(part)
        }
        return parts.joined(separator: "\n")
    }

    func identity(of name: TableName, _ target: MySQLConnection, _ change: DefinitionChange) async throws -> String {
        do {
            // Of a partitioned table each partition is listed, as `name#p#partition`.
            let file = SQL.string(name.fileName)
            let condition = "WHERE NAME = \(file) OR LEFT(LOWER(NAME), CHAR_LENGTH(\(file)) + 3) = LOWER(CONCAT(\(file), '#p#'))"
            let ids = "IF(COUNT(*) = 0, NULL, CONCAT(COUNT(*), '-', SUM(CRC32(CONCAT(NAME, ' ', TABLE_ID)))))"
            let result: MySQLResult
            do {
                result = try await target.query("SELECT \(ids) FROM information_schema.INNODB_TABLES \(condition)")
            } catch {
                // 1109: before MySQL 8.0, and on MariaDB, the view has its old name.
                guard error.serverCode == 1109 else { throw error }
                result = try await target.query("SELECT \(ids) FROM information_schema.INNODB_SYS_TABLES \(condition)")
            }
            guard let identity = result.rows.first?.string(0) else {
                throw refusal(change, "InnoDB does not list \(name) under a name that can be told, and only its identity shows after a crash whether names were exchanged")
            }
            return identity
        } catch {
            // 1227: without PROCESS.
            guard let error = error as? MySQLError, error.serverCode == 1227 else { throw error }
            throw EngineError(
                .resumable, "To carry out \(change.description) Godwit must tell the target's tables apart: \(error.message)",
                why: "After a crash only their identities say whether names were exchanged.",
                cure: "On the target: GRANT PROCESS ON *.* TO \(SQL.string(context.plan.target.user)); then run the same command again.")
        }
    }

    /// The definitions that the tables have now, by target name.
    func read(_ plan: DefinitionPlan, on target: MySQLConnection) async throws -> [TableName: TableDefinition] {
        var found: [TableName: TableDefinition] = [:]
        for name in Set(plan.targets) { found[name] = try await Catalog.read(target, table: name) }
        // Foreign keys of other tables name what has got another name.
        guard plan.isRename else { return found }
        for child in try await Catalog.children(of: Set(plan.targets).sorted(), on: target) where found[child] == nil {
            found[child] = try await Catalog.read(target, table: child)
        }
        return found
    }

    /// What the task knows of its tables becomes what they are now.
    func store(
        _ plan: DefinitionPlan, _ learned: [TableName: TableDefinition], _ target: MySQLConnection
    ) async throws {
        let state = context.state
        let mappings = context.plan.mappings
        var tables = Dictionary(
            uniqueKeysWithValues: context.tables.map { ($0.source.name, (id: $0.id, prepared: $0.prepared)) })
        for effect in plan.effects {
            switch effect {
            case .truncate: continue
            case .drop(let name):
                guard let table = tables.removeValue(forKey: name) else { continue }
                let last = tables.count
                try await state.removeTable(id: table.id, last: last, on: target)
                if let moved = tables.first(where: { $0.value.id == last })?.key { tables[moved]?.id = table.id }
            case .create(let name, _):
                guard let goal = mappings.decision(for: name)?.target else { continue }
                let prepared = try Self.prepared(name, goal, learned)
                let id = tables.count
                tables[name] = (id, prepared)
                try await state.addFollowedTable(id: id, source: name, prepared: TargetState.json(prepared), on: target)
            case .alter(let name):
                guard let table = tables[name] else { continue }
                // Renamed by the same statement: read under the new name below.
                guard learned[table.prepared.target] != nil else { continue }
                let prepared = try prepared(name, table.prepared.target, learned, table.prepared, plan)
                tables[name]?.prepared = prepared
                try await state.replaceTable(id: table.id, source: name, prepared: TargetState.json(prepared), on: target)
            case .rename(let old, let new):
                guard let table = tables.removeValue(forKey: old), let goal = mappings.decision(for: new)?.target else { continue }
                // A name that only passes through is not there to be read; its last one is.
                let prepared = learned[goal] == nil ? table.prepared : try prepared(new, goal, learned, table.prepared, plan)
                tables[new] = (table.id, prepared)
                try await state.replaceTable(id: table.id, source: new, prepared: TargetState.json(prepared), on: target)
            }
        }
        try await storeForeignKeys(tables, learned, target)
    }

    /// Foreign keys as read name the target's tables; the task knows them by the source's names.
    func storeForeignKeys(
        _ tables: [TableName: (id: Int, prepared: PreparedTable)], _ learned: [TableName: TableDefinition], _ target: MySQLConnection
    ) async throws {
        let names = Dictionary(tables.map { ($0.value.prepared.target, $0.key) }, uniquingKeysWith: { first, _ in first })
        for (name, table) in tables {
            guard let definition = learned[table.prepared.target] else { continue }
            var prepared = table.prepared
            prepared.source.foreignKeys = definition.foreignKeys.map { key in
                var key = key
                key.referenced = names[key.referenced] ?? key.referenced
                return key
            }
            try await context.state.replaceTable(id: table.id, source: name, prepared: TargetState.json(prepared), on: target)
        }
    }

    func prepared(
        _ source: TableName, _ target: TableName, _ learned: [TableName: TableDefinition], _ before: PreparedTable, _ plan: DefinitionPlan
    ) throws -> PreparedTable {
        guard context.translation.crosses, let now = learned[target] else { return try Self.prepared(source, target, learned) }
        return try TranslatedDefinition(translation: context.translation, source: context.sourceFacts)
            .learned(before, as: source, on: target, now: now, plan.translated)
    }

    static func prepared(
        _ source: TableName, _ target: TableName, _ learned: [TableName: TableDefinition]
    ) throws -> PreparedTable {
        guard let definition = learned[target] else {
            throw EngineError(
                .failed, "Table \(target) is not on the target although the statement that makes it has run.",
                why: "Somebody changed the target's tables.", cure: "Start a new migration.")
        }
        var own = definition
        own.name = source
        return PreparedTable(source: own, target: target, action: .keep, targetDefinition: definition)
    }
}
