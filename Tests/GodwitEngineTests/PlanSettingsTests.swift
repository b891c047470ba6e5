import Testing

@testable import GodwitEngine

private func refusal(_ json: String) -> String {
    do {
        _ = try TaskSettings.parse(json: json, file: "s.json")
        return "(accepted)"
    } catch {
        return error.kind == .plan ? error.description : "(kind \(error.kind)) \(error)"
    }
}

@Suite struct PlanSettingsTests {
    @Test func honoured() throws {
        let (settings, warnings) = try TaskSettings.parse(
            json: """
                {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE", "MaxFullLoadSubTasks": 49, "CommitRate": 50000,
                  "StopTaskCachedChangesApplied": true, "StopTaskCachedChangesNotApplied": false},
                 "ValidationSettings": {"EnableValidation": false, "PartitionSize": 500, "ThreadCount": 3},
                 "ChangeProcessingTuning": {"MemoryLimitTotal": 100}}
                """, file: "s.json")
        #expect(warnings == [])
        #expect(settings.preparation == .dropAndCreate)
        #expect(settings.maxFullLoadSubTasks == 49)
        #expect(settings.commitRate == 50_000)
        #expect(settings.stopTaskCachedChangesApplied)
        #expect(!settings.stopTaskCachedChangesNotApplied)
        #expect(!settings.enableValidation)
        #expect(settings.validationPartitionSize == 500)
        #expect(settings.validationThreadCount == 3)
        #expect(settings.changeMemoryLimit == 100 << 20)
    }

    @Test func emptyIsDefault() throws {
        let (settings, warnings) = try TaskSettings.parse(json: "{\"ValidationSettings\": null, \"FullLoadSettings\": {\"CommitRate\": null}}", file: "s")
        #expect(settings == TaskSettings())
        #expect(settings.enableValidation)
        #expect(warnings == [])
    }

    /// Every known key that is not honoured is silent at its default and named at any other value.
    @Test func everyOtherKeyIsNamed() throws {
        var checked = 0
        for (groupName, group) in TaskSettingsKeys.groups {
            guard case .keys(let keys) = group else { continue }
            for (keyName, key) in keys {
                guard case .ignored = key else { continue }
                let json = "{\"\(groupName)\": {\"\(keyName)\": \"something else\"}}"
                let (settings, warnings) = try TaskSettings.parse(json: json, file: "s.json")
                #expect(settings == TaskSettings())
                #expect(warnings.count == 1, "\(keyName)")
                #expect(warnings.first?.contains("\(groupName).\(keyName)") == true)
                #expect(try TaskSettings.parse(json: "{\"\(groupName)\": {\"\(keyName)\": null}}", file: "s").warnings == [])
                checked += 1
            }
        }
        #expect(checked > 40)
    }

    /// As the service returns it, cut down to one or more keys of each group.
    @Test func mergedDocumentOfTheService() throws {
        let (settings, warnings) = try TaskSettings.parse(
            json: """
                {"TargetMetadata": {"TargetSchema": "", "SupportLobs": true, "FullLobMode": false, "LobChunkSize": 64,
                   "LimitedSizeLobMode": true, "LobMaxSize": 32, "InlineLobMaxSize": 0, "BatchApplyEnabled": false},
                 "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", "CreatePkAfterFullLoad": false,
                   "StopTaskCachedChangesApplied": false, "StopTaskCachedChangesNotApplied": false,
                   "MaxFullLoadSubTasks": 8, "TransactionConsistencyTimeout": 600, "CommitRate": 10000},
                 "Logging": {"EnableLogging": false, "LogComponents": [{"Id": "TRANSFORMATION", "Severity": "LOGGER_SEVERITY_DEFAULT"}],
                   "CloudWatchLogGroup": null, "CloudWatchLogStream": null},
                 "ControlTablesSettings": {"ControlSchema": "", "HistoryTimeslotInMinutes": 5, "historyTimeslotInMinutes": 5},
                 "StreamBufferSettings": {"StreamBufferCount": 3, "CtrlStreamBufferSizeInMB": 5, "StreamBufferSizeInMB": 8},
                 "ErrorBehavior": {"RecoverableErrorCount": -1, "FailOnNoTablesCaptured": true},
                 "ChangeProcessingTuning": {"MemoryKeepTime": 60, "BatchSplitSize": 0, "RecoveryTimeout": -1},
                 "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableDropped": true},
                 "PostProcessingRules": null, "CharacterSetSettings": null, "LoopbackPreventionSettings": null,
                 "BeforeImageSettings": null, "TTSettings": {"EnableTT": false, "TTS3Settings": null},
                 "FailTaskWhenCleanTaskResourceFailed": false,
                 "ValidationSettings": {"EnableValidation": true, "ValidationMode": "ROW_LEVEL", "ThreadCount": 5, "PartitionSize": 10000}}
                """, file: "s.json")
        #expect(settings == TaskSettings())
        #expect(warnings == [])
    }

    @Test func groupsWithoutEffectAreNamed() throws {
        for (group, value) in [
            ("CharacterSetSettings", "{}"), ("LoopbackPreventionSettings", "{\"EnableLoopbackPrevention\": true}"), ("PostProcessingRules", "[]"),
            ("BeforeImageSettings", "{}"), ("TTSettings", "{\"EnableTT\": true}"), ("FailTaskWhenCleanTaskResourceFailed", "true"),
        ] {
            let warnings = try TaskSettings.parse(json: "{\"\(group)\": \(value)}", file: "s.json").warnings
            #expect(warnings.count == 1 && warnings[0].contains(group), "\(group): \(warnings)")
        }
        let log = "{\"Logging\": {\"LogComponents\": [{\"Id\": \"SOURCE_CAPTURE\", \"Severity\": \"LOGGER_SEVERITY_DEBUG\"}]}}"
        #expect(try TaskSettings.parse(json: log, file: "s").warnings.count == 1)
    }

    @Test(arguments: [
        ("{\"FullLoadSetings\": {}}", "Did you mean FullLoadSettings?"),
        ("{\"FullLoadSettings\": {\"CommitRat\": 1}}", "Did you mean CommitRate?"),
        ("{\"CommitRate\": 1}", "Put it into FullLoadSettings"),
        ("{\"FullLoadSettings\": {\"CommitRate\": 0}}", "allowed are 1 to 50000"),
        ("{\"FullLoadSettings\": {\"CommitRate\": true}}", "must be a whole number"),
        ("{\"FullLoadSettings\": {\"MaxFullLoadSubTasks\": 50}}", "allowed are 1 to 49"),
        ("{\"FullLoadSettings\": {\"TargetTablePrepMode\": \"TRUNCATE\"}}", "DO_NOTHING, DROP_AND_CREATE, TRUNCATE_BEFORE_LOAD"),
        ("{\"FullLoadSettings\": []}", "must be a map, not a list"),
        ("{\"FullLoadSettings\": {\"StopTaskCachedChangesApplied\": true, \"StopTaskCachedChangesNotApplied\": true}}", "both"),
        ("{\"ValidationSettings\": {\"ThreadCount\": 0}}", "allowed are 1 to 64"),
        ("{\"ValidationSettings\": {\"EnableValidation\": \"yes\"}}", "must be true or false"),
        ("{\"ValidationSettings\": {\"ValidationOnly\": true}}", "`godwit verify`"),
        ("{\"ChangeProcessingTuning\": {\"MemoryLimitTotal\": 7}}", "8 to 65536"),
        ("[]", "must be a map"),
    ])
    func refusals(json: String, fragment: String) {
        let sentence = refusal(json)
        #expect(sentence.contains(fragment), "\(sentence)")
        #expect(sentence.hasPrefix("s.json:1:"), "\(sentence)")
    }
}
