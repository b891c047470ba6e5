import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore

/// `ALTER DATABASE`: the defaults that new tables of a schema take over. Followed in order, before the consistency point too, since
/// a CREATE TABLE behind it means what it means under these defaults. May run twice: it says what is, not what changes.
struct SchemaReplay: Sendable {
    let context: RunContext
    let phase: TaskPhase

    /// Ends by throwing: `DefinitionsChanged` when it is done.
    func run(_ change: DefinitionChange) async throws -> Never {
        guard let query = change.query, let end = change.end else {
            throw refusal(change, "it is no statement by itself")
        }
        let zone = context.sourceFacts.variables["system_time_zone"] ?? ""
        if let reason = StatementSession.objection(query, timeZoneOfSource: zone) { throw refusal(change, reason) }
        var clauses: SchemaDefaults
        do { clauses = try SchemaDefaults(query.text, schema: query.schema, quoting: SQLQuoting(sqlMode: query.status.sqlMode)) } catch { throw refusal(change, error.reason) }
        if context.translation.crosses, !clauses.text.isEmpty { clauses.text = try await translated(clauses.schema, change) }
        let control = try await context.openTarget()
        let runner: MySQLConnection
        do {
            runner = try await context.openTarget()
        } catch {
            await control.close()
            throw error
        }
        do {
            try await context.state.checkFence(epoch: context.epoch, phase: phase, on: control)
            for schema in targets(clauses.schema) where !clauses.text.isEmpty {
                // What the other family calls a session's settings is not needed for a collation that is named in full.
                if !context.translation.crosses { try await StatementSession(change: change, query: query).begin(on: runner, wait: 60) }
                try await runner.query("ALTER DATABASE \(SQL.identifier(schema)) \(clauses.text)")
            }
            context.observer.moment("definition.schema")
            try await control.query("BEGIN")
            try await context.state.checkFence(epoch: context.epoch, phase: phase, on: control)
            let checkpoint = try await context.state.checkpoint(locked: true, on: control)
            try await context.state.claimCheckpoint(
                sequence: checkpoint.sequence, position: Applier.advanced(checkpoint.position, by: end.mark),
                commitMicroseconds: UInt64(change.timestamp) * 1_000_000, maria: checkpoint.numbers(after: end), on: control)
            try await control.query("COMMIT")
        } catch {
            await control.close()
            await runner.close()
            if let error = error as? MySQLError, error.code == .server, !error.isConnectionLost, !Retry.isWorthwhile(error) {
                throw refusal(change, "the target refuses it: \(error.message)")
            }
            if let unclear = error as? DefinitionStatement.Unclear { throw refusal(change, unclear.reason) }
            throw error
        }
        await control.close()
        await runner.close()
        context.observer.say("info", "Carried out on the target: \(change.what) of schema \(clauses.schema).")
        throw DefinitionsChanged(only: [])
    }

    /// Between MySQL and MariaDB the same words name other collations, and tables that come later are made from what they are on the source,
    /// collations named in full: so the default that the source has now will do, under the target's name for it.
    private func translated(_ schema: String, _ change: DefinitionChange) async throws -> String {
        let source = try await context.openSource()
        let own: Catalog.Schema?
        do {
            own = try await Catalog.schemas(source).first { $0.name == schema }
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        guard let own else { return "" }
        guard let mapped = context.translation.collation(own.collation) else {
            throw refusal(change, "the target has no collation like \(own.collation)")
        }
        return "COLLATE \(mapped.name)"
    }

    /// Where the schema's tables go.
    private func targets(_ schema: String) -> [String] {
        let fold = context.sourceFacts.lowerCaseTableNames != 0
        let names = context.tables.filter {
            fold ? $0.source.name.schema.lowercased() == schema.lowercased() : $0.source.name.schema == schema
        }
        return Set(names.map(\.prepared.target.schema)).sorted()
    }

    private func refusal(_ change: DefinitionChange, _ reason: String) -> EngineError {
        EngineError(
            .resumable, "The source's log has \(change.what), at \(change.coordinates), which cannot be carried over: \(reason).",
            why: "The statement: \(change.query?.text.prefix(300) ?? "")",
            cure: "The target stands at the checkpoint before it. Mend what the reason names, then run the same command again.")
    }
}

/// The character set and collation of `ALTER DATABASE`. Pure. Source: MySQL manual, "ALTER DATABASE Statement".
struct SchemaDefaults: Hashable, Sendable {
    var schema: String
    /// `CHARACTER SET x COLLATE y`, each where it is named; empty: the statement is about something else (encryption, read only),
    /// which stays a matter of each server.
    var text: String

    init(_ statement: String, schema: String, quoting: SQLQuoting = .usual) throws(DefinitionStatement.Unclear) {
        let sql: SQLText
        do { sql = try SQLText(statement, quoting: quoting) } catch { throw .init(reason: "it cannot be read: \(error)") }
        guard sql.keyword(0) == "ALTER", ["DATABASE", "SCHEMA"].contains(sql.keyword(1)) else { throw .init(reason: "it is no ALTER DATABASE") }
        let clauses: Set = ["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ"]
        var at = 2
        // Without a name it is the session's own schema.
        self.schema = schema
        if !clauses.contains(sql.keyword(at)) {
            guard let name = sql.name(at) else { throw .init(reason: "it names no schema") }
            self.schema = name
            at += 1
        }
        var parts: [String] = []
        while at < sql.count {
            var head: String?
            switch sql.keyword(at) {
            case "CHARACTER" where sql.keyword(at + 1) == "SET":
                head = "CHARACTER SET"
                at += 2
            case "CHARSET":
                head = "CHARACTER SET"
                at += 1
            case "COLLATE":
                head = "COLLATE"
                at += 1
            default: at += 1
            }
            guard let head else { continue }
            if sql.raw(at) == "=" { at += 1 }
            let value = sql.kind(at) == .string ? String(sql.raw(at).dropFirst().dropLast()) : sql.name(at) ?? ""
            guard !value.isEmpty, value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
                throw .init(reason: "its \(head) is not clear")
            }
            parts.append("\(head) \(value)")
            at += 1
        }
        text = parts.joined(separator: " ")
    }
}
