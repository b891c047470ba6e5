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
        "ChangeProcessingDdlHandlingPolicy": .keys(definitions),
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
    static func at(_ defaults: String...) -> Key {
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

    private static let changeProcessing: [String: Key] = [
        "BatchApplyPreserveTransaction": at("true"), "BatchApplyTimeoutMin": at("1"), "BatchApplyTimeoutMax": at("30"),
        "BatchApplyMemoryLimit": at("500"), "BatchSplitSize": at("0"), "MinTransactionSize": at("1000"),
        "CommitTimeout": at("1"),
        "MemoryLimitTotal": .honoured { (settings, node, name, reader) throws(EngineError) in
            settings.changeMemoryLimit = try reader.integer(node, name, in: 8...65_536) << 20
        },
        "MemoryKeepTime": at("60"), "StatementCacheSize": at("50"), "RecoveryTimeout": at("-1"),
    ]
}
