/// DMS task settings that Godwit honours; every other key is named in a warning.
package struct TaskSettings: Sendable, Hashable {
    package enum TablePreparation: String, Sendable, Hashable, CaseIterable {
        case doNothing = "DO_NOTHING", dropAndCreate = "DROP_AND_CREATE", truncateBeforeLoad = "TRUNCATE_BEFORE_LOAD"
    }
    package var preparation: TablePreparation = .doNothing
    /// Tables (and chunks) loaded at once, 1 ... 49.
    package var maxFullLoadSubTasks: Int = 8
    /// Rows of one load chunk (one target transaction), 1 ... 50,000.
    package var commitRate: Int = 10_000
    package var stopTaskCachedChangesApplied = false
    package var stopTaskCachedChangesNotApplied = false
    /// DMS's default is off; Godwit's is on: proof is the point.
    package var enableValidation = true
    /// Rows of one comparison, 1 ... 1,000,000.
    package var validationPartitionSize: Int = 10_000
    /// 1 ... 64.
    package var validationThreadCount: Int = 5
    /// Memory for changes read and not applied, bytes. Settings give it in MB, 8 ... 65,536.
    package var changeMemoryLimit: Int = 64 << 20
    package var errors = ErrorBehavior()
    package var definitions = DDLHandling()
    package var recovery = RecoverySettings()
    package var control = ControlTableSettings()
    /// Rows of all tables, and of one, that differ for good, after which comparing ends: DMS's FailureMaxCount and TableFailureMaxCount.
    package var validationFailureMax = 10_000
    package var validationTableFailureMax = 1_000
    /// A row that could not be compared for so long, since it changed all the time, counts as suspended.
    package var validationSuspendMinutes = 30
    package init() {}

    /// DMS's control tables are kept: some are switched on, or a policy passes over rows, which they tell of.
    package var keepsControlTables: Bool {
        control.history || control.suspended || control.status || !control.schema.isEmpty || errors.goesOn
    }
}
