import GodwitEngine

/// The settings document that the API shows: every group and key, the user's values over what holds without them. Where
/// Godwit is stricter than DMS (a change that does not fit stops the task), the stricter value is shown, since it is the one
/// that holds.
enum TaskSettingsDocument {
    static let defaults: JSON = [
        "TargetMetadata": [
            "TargetSchema": "", "SupportLobs": true, "FullLobMode": false, "LobChunkSize": 0, "LimitedSizeLobMode": true,
            "LobMaxSize": 32, "InlineLobMaxSize": 0, "LoadMaxFileSize": 0, "ParallelLoadThreads": 0,
            "ParallelLoadBufferSize": 0, "ParallelLoadQueuesPerThread": 0, "ParallelApplyThreads": 0,
            "ParallelApplyBufferSize": 0, "ParallelApplyQueuesPerThread": 0, "BatchApplyEnabled": false,
            "TaskRecoveryTableEnabled": false,
        ],
        "FullLoadSettings": [
            "TargetTablePrepMode": "DO_NOTHING", "CreatePkAfterFullLoad": false, "StopTaskCachedChangesApplied": false,
            "StopTaskCachedChangesNotApplied": false, "MaxFullLoadSubTasks": 8, "TransactionConsistencyTimeout": 600,
            "CommitRate": 10000,
        ],
        "Logging": [
            "EnableLogging": false, "EnableLogContext": false, "LogComponents": .array(components), "DeleteTaskLogs": false,
            "CloudWatchLogGroup": .null, "CloudWatchLogStream": .null,
        ],
        "ControlTablesSettings": [
            "ControlSchema": "", "HistoryTimeslotInMinutes": 5, "HistoryTableEnabled": false,
            "SuspendedTablesTableEnabled": false, "StatusTableEnabled": false, "FullLoadExceptionTableEnabled": false,
        ],
        "StreamBufferSettings": ["StreamBufferCount": 3, "StreamBufferSizeInMB": 8, "CtrlStreamBufferSizeInMB": 5],
        "ChangeProcessingDdlHandlingPolicy": [
            "HandleSourceTableDropped": true, "HandleSourceTableTruncated": true, "HandleSourceTableAltered": true,
        ],
        "ErrorBehavior": [
            "DataErrorPolicy": "STOP_TASK", "DataTruncationErrorPolicy": "STOP_TASK", "DataMaskingErrorPolicy": "STOP_TASK",
            "DataErrorEscalationPolicy": "SUSPEND_TABLE", "DataErrorEscalationCount": 0, "EventErrorPolicy": "STOP_TASK",
            "TableErrorPolicy": "STOP_TASK", "TableErrorEscalationPolicy": "STOP_TASK", "TableErrorEscalationCount": 0,
            "RecoverableErrorCount": -1, "RecoverableErrorInterval": 5, "RecoverableErrorThrottling": true,
            "RecoverableErrorThrottlingMax": 1800, "RecoverableErrorStopRetryAfterThrottlingMax": true,
            "ApplyErrorDeletePolicy": "STOP_TASK", "ApplyErrorInsertPolicy": "STOP_TASK", "ApplyErrorUpdatePolicy": "STOP_TASK",
            "ApplyErrorEscalationPolicy": "LOG_ERROR", "ApplyErrorEscalationCount": 0, "ApplyErrorFailOnTruncationDdl": false,
            "FullLoadIgnoreConflicts": true, "FailOnTransactionConsistencyBreached": false, "FailOnNoTablesCaptured": true,
        ],
        "ChangeProcessingTuning": [
            "BatchApplyPreserveTransaction": true, "BatchApplyTimeoutMin": 1, "BatchApplyTimeoutMax": 30,
            "BatchApplyMemoryLimit": 500, "BatchSplitSize": 0, "MinTransactionSize": 1000, "CommitTimeout": 1,
            "MemoryLimitTotal": 1024, "MemoryKeepTime": 60, "StatementCacheSize": 50, "RecoveryTimeout": -1,
        ],
        "ValidationSettings": [
            "EnableValidation": false, "ValidationMode": "ROW_LEVEL", "ThreadCount": 5, "PartitionSize": 10000,
            "FailureMaxCount": 10000, "TableFailureMaxCount": 1000, "RecordFailureDelayInMinutes": 5,
            "RecordFailureDelayLimitInMinutes": 0, "RecordSuspendDelayInMinutes": 30, "MaxKeyColumnSize": 8096,
            "HandleCollationDiff": false, "SkipLobColumns": false, "ValidationPartialLobSize": 0,
            "ValidationQueryCdcDelaySeconds": 0, "ValidationOnly": false, "ValidationS3Mask": 0, "ValidationS3Time": 0,
        ],
        "ResyncSettings": .null, "LoopbackPreventionSettings": .null, "BeforeImageSettings": .null,
        "CharacterSetSettings": .null, "PostProcessingRules": .null, "TTSettings": .null,
        "FailTaskWhenCleanTaskResourceFailed": false,
    ]

    private static let components: [JSON] = [
        "TRANSFORMATION", "SOURCE_UNLOAD", "IO", "TARGET_LOAD", "PERFORMANCE", "SOURCE_CAPTURE", "SORTER", "REST_SERVER",
        "VALIDATOR_EXT", "TARGET_APPLY", "TASK_MANAGER", "TABLES_MANAGER", "METADATA_MANAGER", "FILE_FACTORY", "COMMON", "ADDONS",
        "DATA_STRUCTURE", "COMMUNICATION", "FILE_TRANSFER",
    ].map { ["Id": .string($0), "Severity": "LOGGER_SEVERITY_DEFAULT"] }

    /// `over` laid over `under`, group by group; unknown keys are kept.
    static func merge(_ over: JSON, over under: JSON) -> JSON {
        guard case .object(let new) = over, case .object(var old) = under else { return over }
        for (name, value) in new { old[name] = old[name].map { merge(value, over: $0) } ?? value }
        return .object(old)
    }

    /// What the engine is given: only what users set, and DMS's default of validation, since the engine's own is on.
    static func forEngine(_ given: JSON) -> JSON {
        merge(given, over: ["ValidationSettings": ["EnableValidation": false]])
    }
}
