import MySQLTypes
import MySQLWire

/// MariaDB's sequences, from one MariaDB to another: made before the tables whose defaults name them, and brought to the source's next
/// value like AUTO_INCREMENT, before the write pause and in it.
///
/// A server hands values out of memory and has written down the first that is in nobody's memory (`next_not_cached_value`): from that
/// one on the target goes on, so that none comes twice. Source: MariaDB manual, "Sequences", "SETVAL", "ALTER SEQUENCE".
struct Sequences: Sendable {
    let context: RunContext

    private var applies: Bool { context.sourceFacts.isMariaDB && context.targetFacts.isMariaDB && Remedy.sequences.isOn }

    /// Does the text use a sequence, as far as its words tell?
    static func isUsed(in text: String) -> Bool {
        let text = text.lowercased()
        return ["nextval", "next value", "lastval", "previous value", "setval"].contains { text.contains($0) }
    }

    /// Makes what is missing and sets what differs. May run as often as needed; the target's application does not run yet.
    func bring(source: MySQLConnection, target: MySQLConnection) async throws {
        guard applies else { return }
        for name in try await names(on: source) {
            guard let goal = context.plan.mappings.decision(for: name)?.target else { continue }
            try await bring(name, to: goal, source: source, target: target)
        }
    }

    /// Those of the source that the rules include.
    private func names(on source: MySQLConnection) async throws -> [TableName] {
        let schemas = Set(context.tables.map(\.source.name.schema)).sorted().map(SQL.string).joined(separator: ", ")
        guard !schemas.isEmpty else { return [] }
        let rows = try await source.query(
            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA IN (\(schemas)) ORDER BY 1, 2").rows
        return rows.map { TableName(schema: $0.string(0) ?? "", table: $0.string(1) ?? "") }
            .filter { context.plan.mappings.decision(for: $0) != nil }
    }

    /// A sequence's only row: next value that is in no memory, minimum, maximum, start, increment, cache, cycle, rounds.
    private func row(_ name: TableName, on server: MySQLConnection) async throws -> [String] {
        let rows = try await server.query("SELECT * FROM \(name.sql)").rows
        guard rows.count == 1, let values = rows.first?.values, values.count == 8 else {
            throw EngineError(.failed, "The sequence \(name) is not as servers keep one.", cure: "Exclude it in the table rules.")
        }
        return (0..<8).map { rows[0].string($0) ?? "NULL" }
    }

    private func bring(_ name: TableName, to goal: TableName, source: MySQLConnection, target: MySQLConnection) async throws {
        let create: String
        let wanted: [String]
        do {
            create = try await statement(name, goal, source)
            wanted = try await row(name, on: source)
        } catch let error as MySQLError where error.serverCode == 1146 || error.serverCode == 4091 {
            return  // dropped since it was listed
        }
        let kind = try await target.query(
            "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = \(SQL.string(goal.schema)) AND TABLE_NAME = \(SQL.string(goal.table))")
            .rows.first?.string(0)
        guard kind == nil || kind == "SEQUENCE" else {
            throw EngineError(
                .plan, "The sequence \(name) cannot be made on the target: \(goal) is something else there (\(kind ?? "")).",
                cure: "Drop it or rename it on the target, or exclude the sequence.")
        }
        var now = kind == nil ? [] : try await row(goal, on: target)
        if now == wanted { return }
        if now.count != 8 || now[1...6] != wanted[1...6] { try await target.query(create) }
        // Sets higher ones, in the sequence's own direction.
        try await target.query("SELECT SETVAL(\(goal.sql), \(wanted[0]), 0, \(wanted[7]))")
        now = try await row(goal, on: target)
        if now == wanted { return }
        // Set back on the source: the target's begins anew.
        try await target.query(create)
        if wanted[7] == "0" { try await target.query("ALTER SEQUENCE \(goal.sql) RESTART WITH \(wanted[0])") }
        try await target.query("SELECT SETVAL(\(goal.sql), \(wanted[0]), 0, \(wanted[7]))")
        now = try await row(goal, on: target)
        guard now == wanted else {
            throw EngineError(
                .failed, "The sequence \(goal) of the target cannot be set as the source's is: \(now.joined(separator: ", ")) instead of \(wanted.joined(separator: ", ")).",
                cure: "Exclude it in the table rules, and create it on the target yourself.")
        }
    }

    /// CREATE OR REPLACE under the target's name, from the source's own words.
    private func statement(_ name: TableName, _ goal: TableName, _ source: MySQLConnection) async throws -> String {
        let text = try await source.query("SHOW CREATE SEQUENCE \(name.sql)").rows.first?.string(1) ?? ""
        do {
            let sql = try SQLText(text)
            guard sql.keyword(0) == "CREATE", sql.keyword(1) == "SEQUENCE", sql.name(2) != nil else {
                throw SQLTokenError(offset: 0, reason: "it begins otherwise")
            }
            return "CREATE OR REPLACE SEQUENCE \(goal.sql) \(sql.text(3..<sql.count))"
        } catch let error as SQLTokenError {
            throw EngineError(.failed, "The definition of sequence \(name) cannot be read: \(error).", cure: "Exclude it in the table rules.")
        }
    }
}

extension Remedy { static let sequences = Remedy("sequences", pitfalls: [43], test: "MariaDBSchemaTests/sequences") }
