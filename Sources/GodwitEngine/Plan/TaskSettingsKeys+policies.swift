/// Settings of what goes wrong, of changes of definition, control tables and validation.
extension TaskSettingsKeys {
    private static func truth(_ path: @escaping @Sendable (inout TaskSettings, Bool) -> Void) -> Key {
        .honoured { (settings, node, name, reader) throws(EngineError) in path(&settings, try reader.truth(node, name)) }
    }

    private static func number(
        _ range: ClosedRange<Int>, _ path: @escaping @Sendable (inout TaskSettings, Int) -> Void
    ) -> Key {
        .honoured { (settings, node, name, reader) throws(EngineError) in
            path(&settings, try reader.integer(node, name, in: range))
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ path: @escaping @Sendable (inout TaskSettings, Choice) -> Void
    ) -> Key where Choice.RawValue == String {
        .honoured { (settings, node, name, reader) throws(EngineError) in path(&settings, try reader.choice(node, name)) }
    }

    /// Only this value is what happens here; another would be promised and not kept.
    private static func only(_ value: Bool, _ why: String, cure: String) -> Key {
        .honoured { (_, node, name, reader) throws(EngineError) in
            guard try reader.truth(node, name) != value else { return }
            throw reader.error(node.mark, "\(name) \(!value) is not supported: \(why).", cure: cure)
        }
    }

    static let definitions: [String: Key] = [
        "HandleSourceTableDropped": truth { $0.definitions.drops = $1 },
        "HandleSourceTableTruncated": truth { $0.definitions.truncates = $1 },
        "HandleSourceTableAltered": truth { $0.definitions.alters = $1 },
    ]

    static let controlTables: [String: Key] = [
        "ControlSchema": .honoured { (settings, node, name, reader) throws(EngineError) in
            let schema = try reader.text(node, name, emptyAllowed: true)
            guard schema.utf8.count <= 64, schema.lowercased() != TargetSchema.name else {
                throw reader.error(node.mark, "\(name) can't be \(schema).", cure: "Name a schema of at most 64 bytes that is not Godwit's own.")
            }
            settings.control.schema = schema
        },
        "HistoryTimeslotInMinutes": number(1...1440) { $0.control.slotMinutes = $1 },
        "historyTimeslotInMinutes": number(1...1440) { $0.control.slotMinutes = $1 },
        "HistoryTableEnabled": truth { $0.control.history = $1 },
        "SuspendedTablesTableEnabled": truth { $0.control.suspended = $1 },
        "StatusTableEnabled": truth { $0.control.status = $1 },
        "FullLoadExceptionTableEnabled": at("false"), "CommitPositionTableEnabled": at("false"),
    ]

    static let errorBehavior: [String: Key] = [
        "DataErrorPolicy": choice { $0.errors.dataError = $1 },
        "DataTruncationErrorPolicy": choice { $0.errors.dataTruncation = $1 },
        // Columns are not masked here.
        "DataMaskingErrorPolicy": at("STOP_TASK"),
        "DataErrorEscalationPolicy": choice { $0.errors.dataEscalation = $1 },
        "DataErrorEscalationCount": number(0...1_000_000) { $0.errors.dataEscalationCount = $1 },
        // An event that is not understood stops the task in any case: invariant I4.
        "EventErrorPolicy": at("IGNORE", "STOP_TASK"),
        "TableErrorPolicy": choice { $0.errors.table = $1 },
        "TableErrorEscalationPolicy": at("STOP_TASK"),
        "TableErrorEscalationCount": number(0...1_000_000) { $0.errors.tableEscalationCount = $1 },
        "RecoverableErrorCount": number(-1...1_000_000) { $0.recovery.count = $1 },
        "RecoverableErrorInterval": number(0...86_400) { $0.recovery.interval = $1 },
        "RecoverableErrorThrottling": truth { $0.recovery.doubles = $1 },
        "RecoverableErrorThrottlingMax": number(1...86_400) { $0.recovery.intervalMax = $1 },
        "RecoverableErrorStopRetryAfterThrottlingMax": truth { $0.recovery.stopsAtMax = $1 },
        "ApplyErrorDeletePolicy": choice { $0.errors.delete = $1 },
        "ApplyErrorInsertPolicy": choice { $0.errors.insert = $1 },
        "ApplyErrorUpdatePolicy": choice { $0.errors.update = $1 },
        "ApplyErrorEscalationPolicy": choice { $0.errors.applyEscalation = $1 },
        "ApplyErrorEscalationCount": number(0...1_000_000) { $0.errors.applyEscalationCount = $1 },
        "ApplyErrorFailOnTruncationDdl": truth { $0.errors.failOnTruncation = $1 },
        // The changes made during the load are applied absolutely: what they meet is no conflict.
        "FullLoadIgnoreConflicts": only(
            true, "changes made during the load meet rows that the load has read with them", cure: "Leave it out: from the consistency point on every conflict counts."),
        "FailOnTransactionConsistencyBreached": at("false"),
        // A plan without tables would end as if it were done: it fails in any case.
        "FailOnNoTablesCaptured": at("true"),
    ]

    static let validation: [String: Key] = [
        "EnableValidation": truth { $0.enableValidation = $1 },
        "ThreadCount": number(1...64) { $0.validationThreadCount = $1 },
        "PartitionSize": number(1...1_000_000) { $0.validationPartitionSize = $1 },
        // Ignoring it would write to a target that was only to be looked at.
        "ValidationOnly": only(false, "a migration writes", cure: "`godwit verify` compares without writing."),
        "ValidationMode": .honoured { (_, node, name, reader) throws(EngineError) in
            guard try reader.text(node, name) != "ROW_LEVEL" else { return }
            throw reader.error(node.mark, "\(name) can only be ROW_LEVEL.", cure: "Leave it out.")
        },
        "FailureMaxCount": number(1...10_000_000) { $0.validationFailureMax = $1 },
        "TableFailureMaxCount": number(1...1_000_000) { $0.validationTableFailureMax = $1 },
        // Positions say when a difference is final; no time has to pass.
        "RecordFailureDelayInMinutes": at("5"), "RecordFailureDelayLimitInMinutes": at("0"),
        "RecordSuspendDelayInMinutes": number(1...10_080) { $0.validationSuspendMinutes = $1 },
        "MaxKeyColumnSize": at("8096"),
        "HandleCollationDiff": only(
            false, "keys must be the same under both collations, or rows are compared with the wrong ones", cure: "Give the key columns the same collation on both sides."),
        "SkipLobColumns": only(
            false, "a table whose large columns were not compared would be called Validated", cure: "Leave it out: they are hashed inside the servers."),
        "ValidationPartialLobSize": .honoured { (_, node, name, reader) throws(EngineError) in
            guard try reader.integer(node, name, in: 0...1_000_000) != 0 else { return }
            throw reader.error(node.mark, "\(name) can only be 0: whole values are compared.", cure: "Leave it out.")
        },
        "ValidationQueryCdcDelaySeconds": at("0"), "ValidationS3Mask": at("0"), "ValidationS3Time": at("0"),
    ]
}
