import GodwitEngine

/// What the commands ask of the engine. The live one is `LiveEngine`; command tests bring a scripted one, so that flags,
/// output and exit codes are tested in process.
protocol MigrationEngine: Sendable {
    /// Reads and checks a plan file.
    func loadPlan(path: String) throws -> Plan
    /// Runs or resumes a migration.
    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport
    /// Reads both servers and judges them; changes nothing.
    func check(plan: Plan) async throws -> [CheckFinding]
    /// Says what a first run would create and change; changes nothing.
    func dryRun(plan: Plan) async throws -> DryRun
    /// Compares both sides in full; changes neither.
    func verify(plan: Plan, observer: any ProgressObserver) async throws -> VerifyReport
    /// A connection to the migration that is running somewhere, through the target's `godwit` schema.
    func control(plan: Plan) async throws -> any MigrationControl
    /// Connects, asks for the version, closes.
    func probe(_ server: Plan.Server) async throws -> ServerAnswer
}

/// A running (or former) migration as another process sees it.
protocol MigrationControl: Sendable {
    /// The last snapshot stored; nil when the task never ran.
    func status() async throws -> MigrationStatus?
    /// `pause`, `resume` or `cutover`.
    func request(_ command: String) async throws
    /// Does a process hold the task now?
    func runnerIsAlive() async throws -> Bool
}

/// What a server said of itself.
struct ServerAnswer: Sendable, Hashable {
    var version: String
    /// Protocol and cipher, `none` without TLS.
    var tls: String
}

/// One thing that the preflight has to say.
struct CheckFinding: Encodable, Sendable, Hashable {
    enum Severity: String, Encodable, Sendable, Hashable, CaseIterable {
        /// The migration does not start.
        case refused
        case warning
        case info
    }
    var severity: Severity
    /// Short name of the check, for example `binlog-format`.
    var check: String
    /// What it is about: `source`, `target`, a table, a column.
    var subject: String
    var what: String
    var why: String
    var cure: String
}

/// What a first run would do.
struct DryRun: Encodable, Sendable, Hashable {
    struct Table: Encodable, Sendable, Hashable {
        var source: String
        var target: String
        /// For example `create`, `use the empty table`, `truncate`, `drop and create`.
        var action: String
        var rows: UInt64
        var bytes: UInt64
        /// What else happens to the table: indexes and foreign keys taken off and built again.
        var notes: [String]
    }
    /// Changes that are not one table's, each a sentence that names the server.
    var changes: [String]
    var tables: [Table]
    /// Seconds, a rough estimate of the load alone.
    var estimatedSeconds: Double
    /// What the estimate rests on.
    var basis: String

    enum CodingKeys: String, CodingKey {
        case changes, tables, basis
        case estimatedSeconds = "estimated_s"
    }
}

/// What a full comparison found.
struct VerifyReport: Sendable, Hashable {
    struct Table: Encodable, Sendable, Hashable {
        var schema: String
        var table: String
        /// equal, unequal, or not compared with the reason in `note`.
        var state: State
        var rows: UInt64
        /// Rows that differ, are missing or are too many.
        var differences: UInt64
        /// Some of the keys that differ.
        var examples: [String]
        var note: String
        enum State: String, Encodable, Sendable, Hashable {
            case equal, unequal
            case notCompared = "not_compared"
        }
    }
    var tables: [Table]
    var seconds: Double
    /// The position at which both sides were compared, empty where there was no common one.
    var position: String
}
