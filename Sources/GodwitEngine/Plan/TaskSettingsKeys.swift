/// Every group and key of DMS's task settings, each with its default. Source: DMS user guide, "Specifying task settings for
/// AWS DMS tasks", and documents returned by the service (engine 3.5).
enum TaskSettingsKeys {
    typealias Apply =
        @Sendable (inout TaskSettings, DocumentNode, _ name: String, DocumentReader) throws(EngineError) -> Void
    typealias IsDefault = @Sendable (DocumentNode) -> Bool

    enum Key: Sendable {
        case honoured(Apply)
        /// Known, without effect here; warned of where it is not at its default.
        case ignored(IsDefault)
    }
    enum Group: Sendable {
        case keys([String: Key])
        /// Not looked into; a group that is null by default.
        case opaque(IsDefault)
    }

    static let groups: [String: Group] = [
        "TargetMetadata": .keys(targetMetadata),
        "FullLoadSettings": .keys(fullLoad),
        "Logging": .keys(logging),
        "ControlTablesSettings": .keys(controlTables),
        "StreamBufferSettings": .keys([
            "StreamBufferCount": at("3"), "StreamBufferSizeInMB": at("8"), "CtrlStreamBufferSizeInMB": at("5"),
        ]),
        "ChangeProcessingDdlHandlingPolicy": .keys([
            "HandleSourceTableDropped": at("true"), "HandleSourceTableTruncated": at("true"),
            "HandleSourceTableAltered": at("true"),
        ]),
        "ErrorBehavior": .keys(errorBehavior),
        "ChangeProcessingTuning": .keys(changeProcessing),
        "ValidationSettings": .keys(validation),
        "ResyncSettings": .keys([
            "EnableResync": at("false"), "ResyncSchedule": at(""), "MaxResyncTime": at(), "ValidationTaskId": at(""),
        ]),
        "LoopbackPreventionSettings": .opaque { _ in false },
        "BeforeImageSettings": .opaque { _ in false },
        "CharacterSetSettings": .opaque { _ in false },
        "PostProcessingRules": .opaque { _ in false },
        "TTSettings": .opaque { node in
            guard case .map(let entries) = node.content else { return false }
            return entries.allSatisfy { entry in
                entry.value.isNull || entry.key == "EnableTT" && entry.value.content == .scalar("false", plain: true)
            }
        },
        "FailTaskWhenCleanTaskResourceFailed": .opaque { $0.content == .scalar("false", plain: true) },
    ]

    /// A key without effect whose default is one of these; null is always a default.
    private static func at(_ defaults: String...) -> Key {
        .ignored { node in
            if case .scalar(let text, _) = node.content { defaults.contains(text) } else { false }
        }
    }

    private static let targetMetadata: [String: Key] = [
        "TargetSchema": at(""), "SupportLobs": at("true"), "FullLobMode": at("false"), "LimitedSizeLobMode": at("true"),
        // Documented as 64, returned as 0.
        "LobChunkSize": at("0", "64"), "LobMaxSize": at("32"), "InlineLobMaxSize": at("0"), "LoadMaxFileSize": at("0"),
        "ParallelLoadThreads": at("0"), "ParallelLoadBufferSize": at("0"), "ParallelLoadQueuesPerThread": at("0"),
        "ParallelApplyThreads": at("0"), "ParallelApplyBufferSize": at("0"), "ParallelApplyQueuesPerThread": at("0"),
        "BatchApplyEnabled": at("false"), "TaskRecoveryTableEnabled": at("false"),
    ]

    private static let fullLoad: [String: Key] = [
        "TargetTablePrepMode": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.preparation = try reader.choice(node, name)
        },
        "CreatePkAfterFullLoad": at("false"),
        "StopTaskCachedChangesApplied": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.stopTaskCachedChangesApplied = try reader.truth(node, name)
        },
        "StopTaskCachedChangesNotApplied": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.stopTaskCachedChangesNotApplied = try reader.truth(node, name)
        },
        "MaxFullLoadSubTasks": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.maxFullLoadSubTasks = try reader.integer(node, name, in: 1...49)
        },
        "TransactionConsistencyTimeout": at("600"),
        "CommitRate": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.commitRate = try reader.integer(node, name, in: 1...50_000)
        },
    ]

    private static let logging: [String: Key] = [
        "EnableLogging": at("false"), "EnableLogContext": at("false"),
        "LogComponents": .ignored { node in
            guard case .list(let components) = node.content else { return false }
            return components.allSatisfy { component in
                guard case .map(let entries) = component.content else { return false }
                return entries.allSatisfy {
                    $0.key == "Id"
                        || $0.key == "Severity" && $0.value.content == .scalar("LOGGER_SEVERITY_DEFAULT", plain: false)
                }
            }
        },
        "CloudWatchLogGroup": at(""), "CloudWatchLogStream": at(""), "DeleteTaskLogs": at("false"),
    ]

    private static let controlTables: [String: Key] = [
        "ControlSchema": at(""), "HistoryTimeslotInMinutes": at("5"), "historyTimeslotInMinutes": at("5"),
        "HistoryTableEnabled": at("false"), "SuspendedTablesTableEnabled": at("false"), "StatusTableEnabled": at("false"),
        "FullLoadExceptionTableEnabled": at("false"), "CommitPositionTableEnabled": at("false"),
    ]

    private static let errorBehavior: [String: Key] = [
        "DataErrorPolicy": at("LOG_ERROR"), "DataTruncationErrorPolicy": at("LOG_ERROR"),
        "DataMaskingErrorPolicy": at("STOP_TASK"), "DataErrorEscalationPolicy": at("SUSPEND_TABLE"),
        "DataErrorEscalationCount": at("0"), "EventErrorPolicy": at("IGNORE"), "TableErrorPolicy": at("SUSPEND_TABLE"),
        "TableErrorEscalationPolicy": at("STOP_TASK"), "TableErrorEscalationCount": at("0"),
        "RecoverableErrorCount": at("-1"), "RecoverableErrorInterval": at("5"),
        "RecoverableErrorThrottling": at("true"), "RecoverableErrorThrottlingMax": at("1800"),
        "RecoverableErrorStopRetryAfterThrottlingMax": at("true"), "ApplyErrorDeletePolicy": at("IGNORE_RECORD"),
        "ApplyErrorInsertPolicy": at("LOG_ERROR"), "ApplyErrorUpdatePolicy": at("LOG_ERROR"),
        "ApplyErrorEscalationPolicy": at("LOG_ERROR"), "ApplyErrorEscalationCount": at("0"),
        "ApplyErrorFailOnTruncationDdl": at("false"), "FullLoadIgnoreConflicts": at("true"),
        "FailOnTransactionConsistencyBreached": at("false"), "FailOnNoTablesCaptured": at("true"),
    ]

    private static let changeProcessing: [String: Key] = [
        "BatchApplyPreserveTransaction": at("true"), "BatchApplyTimeoutMin": at("1"), "BatchApplyTimeoutMax": at("30"),
        "BatchApplyMemoryLimit": at("500"), "BatchSplitSize": at("0"), "MinTransactionSize": at("1000"),
        "CommitTimeout": at("1"),
        "MemoryLimitTotal": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.changeMemoryLimit = try reader.integer(node, name, in: 8...65_536) << 20
        },
        "MemoryKeepTime": at("60"), "StatementCacheSize": at("50"), "RecoveryTimeout": at("-1"),
    ]

    private static let validation: [String: Key] = [
        "EnableValidation": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.enableValidation = try reader.truth(node, name)
        },
        "ThreadCount": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.validationThreadCount = try reader.integer(node, name, in: 1...64)
        },
        "PartitionSize": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.validationPartitionSize = try reader.integer(node, name, in: 1...1_000_000)
        },
        // Ignoring it would write to a target that was only to be looked at.
        "ValidationOnly": .honoured { (_, node, name, reader) throws(EngineError) in
            guard try reader.truth(node, name) else { return }
            throw reader.error(node.mark, "\(name) true is not supported.", cure: "`godwit verify` compares without writing.")
        },
        "ValidationMode": at("ROW_LEVEL"), "FailureMaxCount": at("10000"), "TableFailureMaxCount": at("1000"),
        "RecordFailureDelayInMinutes": at("5"), "RecordFailureDelayLimitInMinutes": at("0"),
        "RecordSuspendDelayInMinutes": at("30"), "MaxKeyColumnSize": at("8096"), "HandleCollationDiff": at("false"),
        "SkipLobColumns": at("false"), "ValidationPartialLobSize": at("0"), "ValidationQueryCdcDelaySeconds": at("0"),
        "ValidationS3Mask": at("0"), "ValidationS3Time": at("0"),
    ]
}
