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

    /// ANSI_QUOTES and NO_BACKSLASH_ESCAPES change what quotes mean; Godwit's reader of statements knows neither.
    private static let quotingModes: UInt64 = 4 | 1 << 20

    /// Why the statement cannot be given the session it needs; nil if it can.
    static func objection(_ query: QueryEvent, timeZoneOfSource: String) -> String? {
        if let unknown = query.status.unknownVariable, Remedy.knownSession.isOn { return "it travels with a session variable of unknown kind (\(unknown))" }
        if let mode = query.status.sqlMode, mode & quotingModes != 0 { return "it ran under ANSI_QUOTES or NO_BACKSLASH_ESCAPES" }
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
            let row = try await target.query(
                """
                SELECT (SELECT CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID = \(client)),
                  (SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID = \(collation))
                """
            ).rows.first
            guard let charset = row?.string(0), let name = row?.string(1) else {
                throw DefinitionStatement.Unclear(reason: "the target knows no collation \(client) or \(collation)")
            }
            statements.append("SET SESSION character_set_client = \(charset), collation_connection = \(name)")
        }
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
        if let explicit = status.explicitDefaultsForTimestamp {
            let now = try await target.query("SELECT @@SESSION.explicit_defaults_for_timestamp").rows.first?.int(0)
            if now != (explicit ? 1 : 0) { statements.append("SET SESSION explicit_defaults_for_timestamp = \(explicit ? 1 : 0)") }
        }
        let microseconds = String(status.microseconds ?? 0)
        let fraction = String(repeating: "0", count: max(0, 6 - microseconds.count)) + microseconds
        if Remedy.statementSession.isOn { statements.append("SET SESSION timestamp = \(change.timestamp).\(fraction)") }
        // Last: it may change how the statements above are read.
        if let mode = status.sqlMode { statements.append("SET SESSION sql_mode = \(mode)") }
        for statement in statements { try await target.query(statement) }
    }
}
