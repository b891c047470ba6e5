import MySQLTypes
import MySQLWire

/// The plan, read from `godwit.yml`: what to move, from where, to where, how, and the application in front of it.
package struct Plan: Sendable {
    package struct Server: Sendable {
        package var address: MySQLConfiguration.Address
        package var user: String
        package var password: String?
        package var tls: MySQLTLS
        package init(address: MySQLConfiguration.Address, user: String, password: String?, tls: MySQLTLS) {
            self.address = address
            self.user = user
            self.password = password
            self.tls = tls
        }
    }
    package struct Application: Sendable {
        package enum Profile: String, Sendable, CaseIterable { case packagecloud, omnibus, commands, none }
        package var profile: Profile
        /// What keeps writers off the source in a cutover: see `SourceBlock`.
        package enum Block: String, Sendable, CaseIterable {
            case readOnly = "read-only"
            case accounts, application
        }
        package var block = Block.readOnly
        /// Each a list of argv, run in order, without a shell.
        package var stop: [[String]]
        package var start: [[String]]
        package var `switch`: [[String]]
        package var health: [[String]]
        /// What undoes `switch`. Without it a cutover that failed in or after the switch goes forward, never back: see
        /// `CutoverMachine`.
        package var switchBack: [[String]]
        /// Time limit of each command.
        package var timeout: Duration
        package init(
            profile: Profile = .none, stop: [[String]] = [], start: [[String]] = [], switch: [[String]] = [],
            health: [[String]] = [], switchBack: [[String]] = [], timeout: Duration = .seconds(60)
        ) {
            self.profile = profile
            self.stop = stop
            self.start = start
            self.switch = `switch`
            self.health = health
            self.switchBack = switchBack
            self.timeout = timeout
        }

        /// Refuses, before a cutover's first step, the profiles that are not there yet.
        package func checkForCutover() throws(EngineError) {
            switch profile {
            case .commands, .none: return
            case .packagecloud, .omnibus:
                throw EngineError(
                    .plan, "The application profile \(profile.rawValue) can't be cut over yet.",
                    cure: "Use `profile: commands` with stop, start, switch and health.")
            }
        }
    }
    /// Names the rows in the target's `godwit` schema; default: the plan file's name without extension.
    package var task: String
    package var source: Server
    package var target: Server
    package var mappings: TableMappings
    package var settings: TaskSettings
    package var application: Application
    /// Folder of local state (logs, ledger), default `.godwit` beside the plan.
    package var stateFolder: String
    /// Kinds of objects that stay behind by the operator's word.
    package var without: Set<ObjectKind> = []
    /// Accounts that move; nil: none.
    package var users: AccountRules?
    /// The way back is kept open; nil: it is not.
    package var reverse: Reverse?
    /// This plan is the way back of that migration; nil: it is none.
    package var forward: Forward?
    /// The operator's own words, for warnings: every key that was read and has no effect.
    package var warnings: [String]
    package init(
        task: String, source: Server, target: Server, mappings: TableMappings, settings: TaskSettings,
        application: Application, stateFolder: String, warnings: [String] = []
    ) {
        self.task = task
        self.source = source
        self.target = target
        self.mappings = mappings
        self.settings = settings
        self.application = application
        self.stateFolder = stateFolder
        self.warnings = warnings
    }
}
