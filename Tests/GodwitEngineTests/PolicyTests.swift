import MySQLTypes
import Testing

@testable import GodwitEngine

private func settings(_ json: String) throws -> TaskSettings { try TaskSettings.parse(json: json, file: "s").settings }

/// What the settings of divergences mean, without a server.
@Suite struct PolicyTests {
    /// Nothing said is nothing passed over, whatever went wrong.
    @Test(arguments: RowFault.allCases) func withoutSettingsEverythingStops(fault: RowFault) {
        for count in [1, 2, 1_000_000] { #expect(ErrorBehavior().outcome(of: fault, count: count) == .stop) }
        #expect(!ErrorBehavior().goesOn)
    }

    @Test(arguments: [
        ("ApplyErrorDeletePolicy", "IGNORE_RECORD", RowFault.missingDelete, ErrorBehavior.Outcome.skip(isLogged: false)),
        ("ApplyErrorDeletePolicy", "LOG_ERROR", .missingDelete, .skip(isLogged: true)),
        ("ApplyErrorDeletePolicy", "SUSPEND_TABLE", .missingDelete, .suspend),
        ("ApplyErrorDeletePolicy", "STOP_TASK", .missingDelete, .stop),
        ("ApplyErrorInsertPolicy", "UPDATE_RECORD", .duplicate, .force),
        ("ApplyErrorInsertPolicy", "LOG_ERROR", .duplicate, .skip(isLogged: true)),
        ("ApplyErrorUpdatePolicy", "INSERT_RECORD", .missingUpdate, .force),
        ("ApplyErrorUpdatePolicy", "IGNORE_RECORD", .missingUpdate, .skip(isLogged: false)),
        ("DataErrorPolicy", "SUSPEND_TABLE", .data, .suspend),
        ("DataTruncationErrorPolicy", "LOG_ERROR", .truncation, .skip(isLogged: true)),
        ("TableErrorPolicy", "SUSPEND_TABLE", .table, .suspend),
    ])
    func onePolicy(key: String, value: String, fault: RowFault, outcome: ErrorBehavior.Outcome) throws {
        let errors = try settings("{\"ErrorBehavior\": {\"\(key)\": \"\(value)\"}}").errors
        #expect(errors.outcome(of: fault, count: 1) == outcome)
        #expect(errors.goesOn == (outcome != .stop))
        for other in RowFault.allCases where other != fault { #expect(errors.outcome(of: other, count: 1) == .stop, "\(other)") }
    }

    /// A count is reached at its number, and only by what would be passed over.
    @Test func escalation() throws {
        let errors = try settings(
            """
            {"ErrorBehavior": {"ApplyErrorDeletePolicy": "IGNORE_RECORD", "ApplyErrorEscalationPolicy": "SUSPEND_TABLE", "ApplyErrorEscalationCount": 3,
              "DataErrorPolicy": "LOG_ERROR", "DataErrorEscalationPolicy": "STOP_TASK", "DataErrorEscalationCount": 2,
              "ApplyErrorInsertPolicy": "UPDATE_RECORD", "TableErrorPolicy": "SUSPEND_TABLE", "TableErrorEscalationCount": 2}}
            """).errors
        #expect(errors.outcome(of: .missingDelete, count: 2) == .skip(isLogged: false))
        #expect(errors.outcome(of: .missingDelete, count: 3) == .suspend)
        #expect(errors.outcome(of: .data, count: 1) == .skip(isLogged: true))
        #expect(errors.outcome(of: .data, count: 2) == .stop)
        #expect(errors.outcome(of: .duplicate, count: 99) == .force)
        #expect(errors.maySuspend(beside: 0))
        #expect(!errors.maySuspend(beside: 1))
    }

    /// DMS's own defaults, said aloud, go on over rows: the plan says so.
    @Test func whatIsPassedOverIsSaidBeforehand() throws {
        let (settings, warnings) = try TaskSettings.parse(
            json: "{\"ErrorBehavior\": {\"ApplyErrorDeletePolicy\": \"IGNORE_RECORD\", \"ApplyErrorInsertPolicy\": \"LOG_ERROR\"}}", file: "s")
        #expect(warnings.count == 1 && warnings[0].contains("not green"))
        #expect(settings.keepsControlTables)
        #expect(try !TaskSettings.parse(json: "{}", file: "s").settings.keepsControlTables)
    }

    @Test(arguments: [
        ("ErrorBehavior", "DataErrorPolicy", "\"SKIP\"", "IGNORE_RECORD, LOG_ERROR, SUSPEND_TABLE, STOP_TASK"),
        ("ErrorBehavior", "FullLoadIgnoreConflicts", "false", "is not supported"),
        ("ErrorBehavior", "ApplyErrorDeletePolicy", "\"UPDATE_RECORD\"", "can't be"),
        ("ValidationSettings", "SkipLobColumns", "true", "is not supported"),
        ("ValidationSettings", "HandleCollationDiff", "true", "is not supported"),
        ("ValidationSettings", "ValidationMode", "\"GROUP_LEVEL\"", "ROW_LEVEL"),
        ("ValidationSettings", "ValidationPartialLobSize", "16", "whole values"),
        ("ControlTablesSettings", "ControlSchema", "\"godwit\"", "can't be"),
        ("ControlTablesSettings", "HistoryTimeslotInMinutes", "0", "1 to 1440"),
    ])
    func refusals(group: String, key: String, value: String, words: String) {
        #expect {
            try settings("{\"\(group)\": {\"\(key)\": \(value)}}")
        } throws: { error in
            "\(error)".contains(words) && "\(error)".contains("\(group).\(key)")
        }
    }

    @Test func recovery() {
        var recovery = RecoverySettings()
        #expect((1...5).map { recovery.pause(before: $0) } == [5, 10, 20, 40, 80])
        #expect(recovery.pause(before: 11) == nil, "the greatest pause is reached")
        recovery.stopsAtMax = false
        #expect(recovery.pause(before: 40) == 1800)
        recovery.count = 2
        #expect(recovery.pause(before: 2) == 10 && recovery.pause(before: 3) == nil)
        recovery.count = 0
        #expect(recovery.pause(before: 1) == nil)
        recovery = RecoverySettings()
        recovery.doubles = false
        #expect(recovery.pause(before: 1000) == 5)
    }

    @Test func statementsThatAreNotCarriedOut() throws {
        let a = TableName(schema: "e", table: "a")
        func plan(_ effect: DefinitionStatement.Effect) -> DefinitionPlan {
            DefinitionPlan(statement: [], targets: [a], effects: [effect], isRename: false)
        }
        var handling = DDLHandling()
        for effect in [DefinitionStatement.Effect.alter(a), .drop(a), .truncate(a), .create(a, ifNotExists: false), .rename(a, to: a)] {
            #expect(NotApplied.decide(plan(effect), handling) == nil)
        }
        handling.alters = false
        handling.truncates = false
        handling.drops = false
        for effect in [DefinitionStatement.Effect.alter(a), .drop(a), .truncate(a)] {
            #expect(NotApplied.decide(plan(effect), handling) == [effect])
        }
        // Rows that follow them would have no table.
        for effect in [DefinitionStatement.Effect.create(a, ifNotExists: false), .rename(a, to: a)] {
            #expect(NotApplied.decide(plan(effect), handling) == nil)
        }
    }

    /// A slot of time ends once, with what happened in it.
    @Test func history() {
        var counter = SlotCounter(minutes: 5)
        var status = MigrationStatus(task: "t")
        status.state = .following
        status.tables = [MigrationStatus.Table(schema: "e", table: "a")]
        status.at = 3000
        #expect(counter.add(status) == nil)
        status.at = 3250
        status.tables[0].inserts = 7
        status.lagSeconds = 2
        #expect(counter.add(status) == nil)
        status.at = 3301
        status.tables[0].inserts = 9
        #expect(counter.add(status) == ControlTables.Slot(type: .changes, end: 3300, latency: 2, records: 7, megabytes: 0))
        status.at = 3601
        #expect(counter.add(status)?.records == 2)
    }

    @Test func failuresInDMSsForm() {
        let row = RowDetail(key: RowKey(["1", "'a\"b'"]), kind: .different, columns: [.init(name: "COL", source: "a", target: nil)])
        #expect(ControlTables.key(row.key) == #"{"key": ["1", "'a\"b'"]}"#)
        #expect(ControlTables.details(row) == "[[{'COL': 'a'}, {'COL': NULL}],]")
    }
}

/// Keys that differ, are repaired, and are believed only when compared again.
@Suite struct RepairLedgerTests {
    private let table = TableName(schema: "e", table: "a")
    private let one = RowKey(["1"])

    private func position(_ number: UInt64) throws -> ReplicationPosition {
        .gtids(try GTIDSet(parsing: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-\(number)"))
    }

    private func gtid(_ number: Int64) throws -> GTID {
        GTID(source: try #require(SourceUUID("3e11fa47-71ca-11e1-9e33-c80aa9429562")), number: number)
    }

    private func failed() throws -> ValidationLedger {
        var ledger = ValidationLedger()
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [.all])
        let at = Alignment(sourceVisible: try position(5), sourceUpper: try position(5), checkpoint: try position(5))
        let chunkNext = ledger.next()
        let chunk = try #require(chunkNext)
        ledger.finished(chunk, unequal: [one], complete: true, at: at)
        let keysNext = ledger.next()
        let keys = try #require(keysNext)
        ledger.finished(keys, unequal: Set([one]), at: at)
        #expect(ledger.status(table)?.state == "Mismatched records")
        return ledger
    }

    @Test func repairedIsPendingUntilCompared() throws {
        var ledger = try failed()
        ledger.repaired(table, [one])
        #expect(ledger.status(table)?.state == "Pending records")
        #expect(!ledger.isValidated)
        let taskNext = ledger.next()
        let task = try #require(taskNext)
        ledger.finished(task, unequal: Set<RowKey>(), at: Alignment(sourceVisible: try position(6), sourceUpper: try position(6), checkpoint: try position(6)))
        #expect(ledger.isValidated)
    }

    /// What a repair looks at to know that no event came since: the key is not failed any more.
    @Test func anEventTakesTheFailureAway() throws {
        var ledger = try failed()
        #expect(ledger.failedVersions(table, limit: 10).count == 1)
        ledger.touched(table, one, at: .gtid(try gtid(6)))
        #expect(ledger.failedVersions(table, limit: 10).isEmpty)
    }

    /// Of two keys that a repair has read, one gets an event before the applier stands still.
    @Test func rowsWithANewerEventAreLeftAlone() throws {
        let (two, three) = (RowKey(["2"]), RowKey(["3"]))
        let failed: [RowKey: UInt64] = [one: 4, two: 5, three: 6]
        // 2: an event ended the failure; 3: it was changed and has failed again.
        #expect(TaskRepair.untouched([one, two, three], of: failed, still: [one: 4, three: 9]) == [one])
    }

    @Test func aKeyThatNeverSettlesIsSuspendedAndNotGreen() throws {
        var ledger = ValidationLedger(suspendAfter: 60)
        ledger.add(table, hasKey: true)
        ledger.planned(table, chunks: [])
        for second in stride(from: 0.0, through: 90, by: 10) {
            ledger.now = second
            ledger.touched(table, one, at: .gtid(try gtid(Int64(second) + 1)))
        }
        #expect(ledger.status(table)?.state == "Suspended records")
        #expect(ledger.status(table)?.suspended == 1)
        #expect(!ledger.isValidated)
    }

    @Test func theTasksFailureLimitEndsComparing() throws {
        var ledger = ValidationLedger(taskFailureLimit: 1)
        let other = TableName(schema: "e", table: "b")
        ledger.add(table, hasKey: true)
        ledger.add(other, hasKey: true)
        ledger.planned(table, chunks: [.all])
        let at = Alignment(sourceVisible: try position(5), sourceUpper: try position(5), checkpoint: try position(5))
        let chunkNext = ledger.next()
        let chunk = try #require(chunkNext)
        ledger.finished(chunk, unequal: [one], complete: true, at: at)
        let keysNext = ledger.next()
        let keys = try #require(keysNext)
        ledger.finished(keys, unequal: Set([one]), at: at)
        ledger.planned(other, chunks: [.all])
        #expect(ledger.next() == nil)
        #expect(!ledger.isValidated && ledger.status(other)?.state != "Validated")
    }
}
