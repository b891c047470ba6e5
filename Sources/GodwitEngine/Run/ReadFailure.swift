import MySQLTypes
import MySQLWire

/// What a failed read of a table means: reads run beside the log, so one of them may meet a change of definition before
/// the log's reader does, and the server's words ("Table … doesn't exist") name neither the side nor the statement.
struct ReadFailure: Sendable {
    let context: RunContext

    /// No such table, database, column or index (a read that is forced onto a key, of a table that has another one's name by now);
    /// definition changed under the statement.
    private static let definitionCodes: Set<Int> = [1146, 1049, 1054, 1176, 1412]

    /// A value that the table does not take: out of range, too long, truncated, not of its character set, NULL, no geometry, no JSON,
    /// a check that fails.
    private static let valueCodes: Set<Int> = [1048, 1264, 1265, 1292, 1366, 1406, 1411, 1416, 3140, 3819]

    private static func isOfValues(_ error: any Error) -> Bool {
        guard let code = (error as? MySQLError)?.serverCode else { return false }
        return valueCodes.contains(Int(code))
    }

    static func isOfDefinition(_ error: any Error) -> Bool {
        guard let code = (error as? MySQLError)?.serverCode else { return false }
        return definitionCodes.contains(Int(code))
    }

    /// During the load: tables that are others by now are loaded again; else the error to show.
    ///
    /// Also where the target did not take rows as they are: wider values of a column that was altered fit the old table no
    /// more, and the statement itself is read only after the load.
    func resolved(_ error: any Error, tables: [RunTable]) async throws -> any Error {
        let isOfRows = (error as? EngineError)?.kind == .failed || Self.isOfValues(error)
        guard Self.isOfDefinition(error) || isOfRows else { return error }
        let source = try await context.openSource()
        var changed: [TableName] = []
        do {
            let now = try await current(tables, on: source)
            for table in tables where change(of: table, now[table.source.name], error) != nil { changed.append(table.source.name) }
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        // 1412: a snapshot was opened before a statement that left the table as it was, TRUNCATE for example; it can't be read any more.
        if changed.isEmpty, (error as? MySQLError)?.serverCode == 1412 { changed = tables.map(\.source.name) }
        if isOfRows, changed.isEmpty { return error }
        guard changed.isEmpty else { return LoadInterrupted(tables: changed, what: "\(error)") }
        return try await explained(error, tables: tables)
    }

    /// The error to show for one that a read of one of `tables` ended with: its own, unless a table is another one by now.
    func explained(_ error: any Error, tables: [RunTable]) async throws -> any Error {
        guard Self.isOfDefinition(error) else { return error }
        let source = try await context.openSource()
        do {
            let now = try await current(tables, on: source)
            for table in tables {
                if let change = change(of: table, now[table.source.name], error) {
                    await source.close()
                    return change
                }
            }
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        return EngineError(
            .failed, "Table \(tables.map { "\($0.prepared.target)" }.joined(separator: " or ")) of the target is gone or altered (\(error)).",
            why: "Somebody changed it while the migration ran.",
            cure: "Drop this task's rows in schema godwit and the target's tables, then migrate again.")
    }

    /// What the source has now, read once for all.
    private func current(_ tables: [RunTable], on source: MySQLConnection) async throws -> [TableName: TableDefinition] {
        if tables.count == 1, let name = tables.first?.source.name {
            return try await Catalog.read(source, table: name).map { [name: $0] } ?? [:]
        }
        let names = Set(tables.map(\.source.name))
        let schemas = Set(names.map(\.schema))
        let found = try await Catalog.read(source, include: { names.contains($0) }, schemas: { schemas.contains($0) })
        return Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What happened to the table at the source; nil if it is as it was.
    private func change(of table: RunTable, _ current: TableDefinition?, _ error: any Error) -> EngineError? {
        let name = table.source.name
        guard let current else {
            return EngineError(
                .failed, "Table \(name) is gone from the source: it was dropped or renamed during the migration (\(error)).",
                why: "The log has no statement of the task's that says so.",
                cure: "Bring the table back or leave it out, drop this task's rows in schema godwit and the target's tables, and migrate again.")
        }
        let differences = DefinitionCheck.differences(known: [table.source], current: [current])
        guard !differences.isEmpty || current.rowKey?.columns != table.source.rowKey?.columns else { return nil }
        return EngineError(
            .failed, "Table \(name) was altered at the source during the migration (\(error)).",
            why: "The log has no statement that says so.",
            cure: "Drop this task's rows in schema godwit and the target's tables, then migrate again.")
    }

    /// As `explained`, while the log is being followed: the log's reader names the very statement, so it gets the time to do so.
    /// Whoever ends first by then cancels the other.
    func explained(_ error: any Error, table: RunTable, following reached: ReachedPosition) async throws -> any Error {
        guard Self.isOfDefinition(error) else { return error }
        let shown = try await explained(error, tables: [table])
        let source = try await context.openSource()
        let goal: ReplicationPosition
        do {
            goal = try await context.positions.exact(on: source)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        let wait = "cause in the log"
        // However long: the statement may be at work on the target for hours, and who carries it out ends this wait.
        await context.board.beginWait(wait, why: "\(shown)", limit: nil)
        while await !reached.covers(goal) { try await Task.sleep(for: .milliseconds(50)) }
        await context.board.endWait(wait)
        return shown
    }
}

/// The load met a table that is another one than it was.
struct LoadInterrupted: Error, Sendable {
    let tables: [TableName]
    let what: String
}
