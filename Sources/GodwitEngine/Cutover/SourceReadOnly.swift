import MySQLWire

/// A server that takes no writes, and takes them again.
///
/// MySQL: super_read_only, persisted, so that a restart of the source does not open it; where a server knows no SET PERSIST a restart opens
/// it again. MariaDB: read_only, which accounts with READ_ONLY ADMIN (all with `ALL PRIVILEGES`) pass: so sessions of other accounts
/// with that privilege are a gate before the block, and looked for again under it. It cannot be persisted by a statement. A restart before the
/// switch is noticed (`recheck`); for the time after it the operator's configuration has to have it. Where the server offers
/// NO_LOCK_NO_ADMIN (12.1 and later) nobody passes.
struct SourceReadOnly: Sendable {
    private let source: MySQLConnection

    init(_ source: MySQLConnection) { self.source = source }

    /// Returns once the commits that were running are through; false where a restart would end it.
    @discardableResult
    func close(timeout: Duration) async throws -> Bool {
        guard source.server.isMariaDB else {
            let isPersisted = try await assign("super_read_only", "ON", timeout)
            try await check()
            return isPersisted
        }
        do {
            try await source.query("SET GLOBAL read_only = 'NO_LOCK_NO_ADMIN'", timeout: timeout)
        } catch {
            // 1231: not one of the values that this version has.
            guard error.serverCode == 1231 else { throw Self.refusal(error) ?? error }
            try await source.query("SET GLOBAL read_only = ON", timeout: timeout)
        }
        try await check()
        try await checkSessions()
        return false
    }

    func open(timeout: Duration) async throws {
        if source.server.isMariaDB {
            if try await isClosed() { try await source.query("SET GLOBAL read_only = OFF", timeout: timeout) }
            return
        }
        let row = try await source.query("SELECT @@GLOBAL.super_read_only, @@GLOBAL.read_only").rows.first
        // Never set: the account may not even be allowed to.
        if row?.int(0) == 0, row?.int(1) == 0 { return }
        var isPersisted = false
        for variable in ["super_read_only", "read_only"] { isPersisted = try await assign(variable, "OFF", timeout) }
        guard isPersisted else { return }
        for variable in ["super_read_only", "read_only"] { try await source.query("RESET PERSIST IF EXISTS \(variable)") }
    }

    /// False: the server has no SET PERSIST (before MySQL 8.0).
    private func assign(_ variable: String, _ value: String, _ timeout: Duration) async throws -> Bool {
        do {
            try await source.query("SET PERSIST \(variable) = \(value)", timeout: timeout)
            return true
        } catch {
            if error.serverCode == 1064 {
                try await source.query("SET GLOBAL \(variable) = \(value)", timeout: timeout)
                return false
            }
            guard value == "ON" else { throw error }
            throw Self.refusal(error) ?? error
        }
    }

    private static func refusal(_ error: MySQLError) -> (any Error)? {
        guard error.serverCode == 1227 || error.serverCode == 1193 else { return nil }
        return CutoverFailure(
            "The source cannot be made read-only: \(error.message) In the plan, `application: { block: accounts }` or `block: application` "
                + "are other ways, which promise less (see README).", effect: .none)
    }

    private var variable: String { source.server.isMariaDB ? "read_only" : "super_read_only" }

    func isClosed() async throws -> Bool {
        let value = try await source.query("SELECT @@GLOBAL.\(variable)").rows.first?.string(0) ?? ""
        return !["0", "OFF", ""].contains(value.uppercased())
    }

    /// Nobody is left who could write past it.
    func checkSessions() async throws {
        let passing = try await sessionsThatPass()
        guard passing.isEmpty else {
            throw CutoverFailure(
                "Writes past read_only are possible: \(passing.joined(separator: " ")) End them, or take READ_ONLY ADMIN from the accounts.")
        }
    }

    private func check() async throws {
        guard try await isClosed() else {
            throw CutoverFailure("The source did not become read-only (\(variable) is off).", effect: .unknown)
        }
    }

    /// MariaDB: sessions of other accounts that read_only does not stop.
    func sessionsThatPass() async throws -> [String] {
        guard source.server.isMariaDB, Remedy.readOnlyAdmin.isOn else { return [] }
        let value = try await source.query("SELECT @@GLOBAL.read_only").rows.first?.string(0) ?? ""
        if value.uppercased() == "NO_LOCK_NO_ADMIN" { return [] }
        // An account without SELECT on schema mysql is shown its own privileges only: an empty list would say nothing.
        let others = try await source.query(
            """
            SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES
            WHERE GRANTEE <> CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
            """
        ).rows.first?.int(0)
        guard others ?? 0 > 0 else {
            return ["accounts whom read_only does not stop cannot be seen (GRANT SELECT ON mysql.* to Godwit's account on the source shows them),"]
        }
        // The plan's account is Godwit's alone. Before 10.11 SUPER includes the privilege.
        let rows = try await source.query(
            """
            SELECT p.ID, CONCAT(p.USER, '@', p.HOST) FROM information_schema.PROCESSLIST p
            WHERE p.USER <> SUBSTRING_INDEX(USER(), '@', 1) AND p.COMMAND NOT IN ('Daemon', 'Binlog Dump')
              AND EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES u
                WHERE u.PRIVILEGE_TYPE IN ('READ_ONLY ADMIN', 'READ ONLY ADMIN', 'SUPER')
                  AND LEFT(u.GRANTEE, CHAR_LENGTH(p.USER) + 3) = CONCAT('''', p.USER, '''@'))
            """
        ).rows
        return rows.map { "session \($0.string(0) ?? "?") of \($0.string(1) ?? "?"), whom read_only does not stop," }
    }
}

extension Remedy { static let readOnlyAdmin = Remedy("mariadb-read-only-admin", pitfalls: [39, 43], test: "MariaDBWriteBlockTests") }
