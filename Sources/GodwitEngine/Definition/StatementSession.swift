import MySQLBinlog
import MySQLWire

extension Remedy { static let knownSession = Remedy("known-session", pitfalls: [23], test: "RemedyRuleTests/aSessionThatIsNotKnownIsRefused") }
extension Remedy { static let statementSession = Remedy("statement-session", pitfalls: [23], test: "SessionDefaultsTests") }

/// The session in which a logged statement means on the target what it meant on the source: what travels with it in the log.
///
/// Source: MySQL source documentation, `Query_event_status_vars`.
struct StatementSession: Sendable {
    let change: DefinitionChange
    let query: QueryEvent

    /// Why the statement cannot be given the session it needs; nil if it can.
    static func objection(_ query: QueryEvent, timeZoneOfSource: String) -> String? {
        if let unknown = query.status.unknownVariable, Remedy.knownSession.isOn { return "it travels with a session variable of unknown kind (\(unknown))" }
        let isUTC = ["UTC", "+00:00", "GMT", "Etc/UTC"].contains(timeZoneOfSource)
        if query.status.timeZone == nil || query.status.timeZone == "SYSTEM", !isUTC,
            query.text.lowercased().contains("timestamp")
        {
            return "it has to do with TIMESTAMP and ran in the zone of the source's host (\(timeZoneOfSource))"
        }
        return nil
    }

    /// Sets the session up. `wait`: seconds to wait for a lock.
    func begin(on target: MySQLConnection, wait: Int) async throws {
        let status = Remedy.statementSession.isOn ? query.status : QueryStatus()
        var statements = ["SET SESSION foreign_key_checks = 0", "SET SESSION lock_wait_timeout = \(wait)"]
        if let client = status.clientCharset, let collation = status.connectionCollation {
            let names = try await Self.collations([client, collation], on: target)
            guard let own = names[client], let connection = names[collation] else {
                throw DefinitionStatement.Unclear(reason: "the target knows no collation \(client) or \(collation)")
            }
            statements.append(
                "SET SESSION character_set_client = \(own.characterSet), collation_connection = \(connection.collation)")
        }
        if target.server.isMariaDB { statements += try await mariaDB(target) }
        if let id = status.defaultUTF8MB4Collation {
            let row = try await target.query(
                """
                SELECT COLLATION_NAME, COLLATION_NAME = @@SESSION.default_collation_for_utf8mb4
                FROM information_schema.COLLATIONS WHERE ID = \(id)
                """
            ).rows.first
            if let name = row?.string(0), row?.int(1) != 1 {
                statements.append("SET SESSION default_collation_for_utf8mb4 = \(name)")
            }
        }
        if let zone = status.timeZone, zone != "SYSTEM" { statements.append("SET SESSION time_zone = \(SQL.string(zone))") }
        statements += try await timestampMeaning(target)
        let microseconds = String(status.microseconds ?? 0)
        let fraction = String(repeating: "0", count: max(0, 6 - microseconds.count)) + microseconds
        if Remedy.statementSession.isOn { statements.append("SET SESSION timestamp = \(change.timestamp).\(fraction)") }
        // Last: it may change how the statements above are read.
        if let mode = status.sqlMode { statements.append("SET SESSION sql_mode = \(mode)") }
        for statement in statements { try await target.query(statement) }
    }

    /// The session of a statement that was written anew for the other family: the time and the zone in which it ran.
    func beginTranslated(on target: MySQLConnection, wait: Int) async throws {
        try await target.query("SET SESSION foreign_key_checks = 0")
        try await target.query("SET SESSION lock_wait_timeout = \(wait)")
        if let zone = query.status.timeZone, zone != "SYSTEM" { try await target.query("SET SESSION time_zone = \(SQL.string(zone))") }
        try await target.query("SET SESSION timestamp = \(change.timestamp)")
    }

    /// What a TIMESTAMP without NULL or NOT NULL means. MySQL logs it as a variable, MariaDB (10.10 and later) as a flag.
    private func timestampMeaning(_ target: MySQLConnection) async throws -> [String] {
        let flag = target.server.isMariaDB ? query.status.flags2.map { $0 & Self.explicitTimestampFlag != 0 } : nil
        guard let explicit = query.status.explicitDefaultsForTimestamp ?? flag else { return [] }
        let now = try await target.query("SELECT @@SESSION.explicit_defaults_for_timestamp").rows.first?.int(0)
        return now == (explicit ? 1 : 0) ? [] : ["SET SESSION explicit_defaults_for_timestamp = \(explicit ? 1 : 0)"]
    }

    /// Measured on 10.11 and 11.8.
    static let explicitTimestampFlag: UInt32 = 1 << 24

    /// The collation that a character set stands for where a statement names none. MariaDB logs it (11.2 and later) with each statement
    /// for which it counts; before, and where it is empty, the compiled-in ones count.
    private func mariaDB(_ target: MySQLConnection) async throws -> [String] {
        let map = query.status.characterSetCollations ?? [:]
        let isThere = try await !target.query("SHOW SESSION VARIABLES LIKE 'character_set_collations'").rows.isEmpty
        guard isThere else {
            guard map.isEmpty else {
                throw DefinitionStatement.Unclear(
                    reason: "it names a character set without a collation, and the target has no character_set_collations that would give it the source's")
            }
            return []
        }
        let names = try await Self.collations(Array(map.keys) + Array(map.values), on: target)
        let pairs = try map.sorted { $0.key < $1.key }.map { set, collation throws(DefinitionStatement.Unclear) in
            guard let set = names[set], let collation = names[collation] else {
                throw DefinitionStatement.Unclear(reason: "the target knows no collation \(set) or \(collation)")
            }
            return "\(set.characterSet)=\(collation.collation)"
        }
        return ["SET SESSION character_set_collations = \(SQL.string(pairs.joined(separator: ",")))"]
    }

    /// Names by number. MariaDB lists its collations of several character sets without a number, and tells it elsewhere (10.10 and
    /// later).
    private static func collations(
        _ ids: [UInt16], on target: MySQLConnection
    ) async throws -> [UInt16: (characterSet: String, collation: String)] {
        guard !ids.isEmpty else { return [:] }
        let list = Set(ids).sorted().map(String.init).joined(separator: ", ")
        var rows = try await target.query(
            "SELECT ID, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IN (\(list))").rows
        if target.server.isMariaDB, rows.count < Set(ids).count {
            rows = try await target.query(
                """
                SELECT ID, CHARACTER_SET_NAME, FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY
                WHERE ID IN (\(list))
                """).rows
        }
        var names: [UInt16: (characterSet: String, collation: String)] = [:]
        for row in rows {
            guard let id = row.uint(0), let set = row.string(1), let collation = row.string(2) else { continue }
            names[UInt16(truncatingIfNeeded: id)] = (set, collation)
        }
        return names
    }
}
