/// What `migrate` was asked for.
package struct MigrationOptions: Sendable, Hashable {
    package enum Until: String, Sendable, Hashable, CaseIterable {
        /// The consistency point, all indexes and foreign keys built.
        case loaded
        /// The checkpoint has reached the source position read at the start of this command.
        case caughtUp = "caught-up"
        /// Caught up, and every table Validated.
        case validated
        /// Follow until cut over or stopped.
        case forever
    }
    package var until: Until
    /// Cut over as soon as the gates allow.
    package var cutover: Bool
    package init(until: Until = .forever, cutover: Bool = false) {
        self.until = until
        self.cutover = cutover
    }
}

/// How a run ended, for the final table and the JSON report.
package struct MigrationReport: Codable, Sendable, Hashable {
    package var status: MigrationStatus
    package var seconds: Double
    /// Cutover steps with their durations, empty without one.
    package var steps: [Step]
    package struct Step: Codable, Sendable, Hashable {
        package var name: String
        package var seconds: Double
        package init(name: String, seconds: Double) {
            self.name = name
            self.seconds = seconds
        }
    }
    package init(status: MigrationStatus, seconds: Double, steps: [Step]) {
        self.status = status
        self.seconds = seconds
        self.steps = steps
    }
}

// Skeleton of the entry points that the commands call.
package struct MigrationRun: Sendable {
    package let plan: Plan
    package let options: MigrationOptions
    package let observer: any ProgressObserver
    package init(plan: Plan, options: MigrationOptions, observer: any ProgressObserver) {
        self.plan = plan
        self.options = options
        self.observer = observer
    }
    /// Runs (or resumes) to what the options ask for. Cancelling the task stops in a resumable state (EngineError.resumable).
    package func run() async throws -> MigrationReport { throw EngineError(.failed, "skeleton") }
}
