import GodwitEngine

/// What the commands ask of the engine. The live one is `LiveEngine`; command tests bring a scripted one, so that flags,
/// output and exit codes are tested in process.
protocol MigrationEngine: Sendable {
    /// Reads and checks a plan file.
    func loadPlan(path: String) throws -> Plan
    /// Runs or resumes a migration.
    func run(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) async throws -> MigrationReport
    /// Reads both servers and judges them; changes nothing.
    func check(plan: Plan) async throws -> [Finding]
    /// Says what a run would create and change; changes nothing.
    func dryRun(plan: Plan) async throws -> DryRun
    /// Compares both sides in full; changes neither, unless it `repairs`. `progress` hears of every compared part.
    func verify(plan: Plan, repairs: Bool, progress: @escaping @Sendable (VerifyReport.Table) -> Void) async throws -> VerifyReport
    /// What cleaning up after the plan's migration removes; removes it if it `performs`.
    func cleanUp(plan: Plan, performs: Bool) async throws -> Cleanup.Report
    /// A connection to the migration that is running somewhere, through the target's `godwit` schema.
    func control(plan: Plan) async throws -> any MigrationControl
    /// Connects, asks for the version, closes.
    func probe(_ server: Plan.Server) async throws -> ServerAnswer
}

/// A running (or former) migration as another process sees it.
protocol MigrationControl: Sendable {
    /// The last snapshot stored; nil when the task never ran.
    func status() async throws -> MigrationStatus?
    /// Hands over `pause`, `resume` or `cutover`; returns the request's number.
    @discardableResult
    func request(_ command: String) async throws -> UInt64
    /// The runner's answer so far, nil while there is none. A cutover that did not come about: `not done: REASON`.
    func answer(to request: UInt64) async throws -> String?
    /// Does a process hold the task now?
    func runnerIsAlive() async throws -> Bool
}

/// What a server said of itself.
struct ServerAnswer: Sendable, Hashable {
    var version: String
    /// Protocol and cipher, `none` without TLS.
    var tls: String
}
