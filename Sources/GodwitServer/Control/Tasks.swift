import Foundation
import GodwitEngine
import SystemPackage

extension ControlPlane {
    static let migrationTypes = ["full-load", "cdc", "full-load-and-cdc"]

    func createTask(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("ReplicationTaskIdentifier").lowercased()
        try Identifier.check(name, "ReplicationTaskIdentifier", longest: 255)
        let source = try required(.endpoint, members.required("SourceEndpointArn"), "Source endpoint")
        let target = try required(.endpoint, members.required("TargetEndpointArn"), "Target endpoint")
        let instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        guard source.text("EndpointType") == "SOURCE", target.text("EndpointType") == "TARGET" else {
            throw APIFault.combination("The source endpoint must be of type source and the target endpoint of type target.")
        }
        var task = Resource(
            kind: .task, arn: arn(.task, try resourceID(members), caller), identifier: name,
            document: [
                "ReplicationTaskIdentifier": .string(name), "SourceEndpointArn": .string(source.arn),
                "TargetEndpointArn": .string(target.arn), "ReplicationInstanceArn": .string(instance.arn),
                "Status": "ready", "ReplicationTaskCreationDate": .time(Date()), "_GivenSettings": "{}", "_HasRun": false,
            ])
        task["ReplicationTaskArn"] = .string(task.arn)
        _ = try members.required("MigrationType")
        _ = try members.required("TableMappings")
        try change(&task, members)
        if try members.text("ReplicationTaskSettings") == nil { try setSettings(&task, "{}") }
        _ = try plan(task)
        try add(task, members, limit: 600)
        try taskEvent(task, "creation", "Replication task created")
        return ["ReplicationTask": try shown(task, status: "creating")]
    }

    func modifyTask(_ members: Members) throws -> JSON {
        var task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        guard ["ready", "stopped", "failed"].contains(task.text("Status")) else {
            throw APIFault.state(
                "Replication Task, excluding logging severity task settings, cannot be modified while it is \(task.text("Status")) state")
        }
        if let name = try members.text("ReplicationTaskIdentifier")?.lowercased() {
            try Identifier.check(name, "ReplicationTaskIdentifier", longest: 255)
            task.identifier = name
            task["ReplicationTaskIdentifier"] = .string(name)
        }
        try change(&task, members)
        _ = try plan(task)
        try store.update(task)
        try taskEvent(task, "configuration change", "Replication task modified")
        return ["ReplicationTask": try shown(task, status: "modifying")]
    }

    func moveTask(_ members: Members) throws -> JSON {
        var task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        let instance = try required(.instance, members.required("TargetReplicationInstanceArn"), "Replication instance")
        guard ["ready", "stopped", "failed"].contains(task.text("Status")) else {
            throw APIFault.state("Replication Task cannot be moved, invalid state \(task.text("Status"))")
        }
        guard task.text("ReplicationInstanceArn") != instance.arn else {
            throw APIFault.combination("The replication task is on that replication instance already.")
        }
        task["ReplicationInstanceArn"] = .string(instance.arn)
        try store.update(task)
        var shown = try shown(task, status: "moving").members ?? [:]
        shown["TargetReplicationInstanceArn"] = .string(instance.arn)
        return ["ReplicationTask": .object(shown)]
    }

    func deleteTask(_ members: Members) throws -> JSON {
        let task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        guard runs[task.arn] == nil, !["starting", "running", "stopping"].contains(task.text("Status")) else {
            throw APIFault.state("Replication Task cannot be deleted, invalid state \(task.text("Status")): stop it first.")
        }
        let answer = try shown(task, status: "deleting")
        try deleteAssessments(of: task)
        try store.delete(task.arn)
        try taskEvent(task, "deletion", "Replication task deleted")
        return ["ReplicationTask": answer]
    }

    func describeTasks(_ members: Members) throws -> JSON {
        let withoutSettings = try members.truth("WithoutSettings") ?? false
        return try Listing(
            member: "ReplicationTasks",
            filters: [
                "replication-task-arn": { [$0.arn] }, "replication-task-id": { [$0.identifier] },
                "migration-type": { [$0.text("MigrationType")] },
                "endpoint-arn": { [$0.text("SourceEndpointArn"), $0.text("TargetEndpointArn")] },
                "replication-instance-arn": { [$0.text("ReplicationInstanceArn")] },
            ], noMatch: "No Tasks found matching the filters."
        ).page(try store.all(.task), members) { task in
            var shown = try shown(task).members ?? [:]
            if withoutSettings { shown["ReplicationTaskSettings"] = nil }
            return .object(shown)
        }
    }

    func describeTableStatistics(_ members: Members) throws -> JSON {
        let task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        let progress = try progress(of: task)
        let validates = try plan(task).settings.enableValidation
        let runs = runs[task.arn] != nil
        let filters = try Listing.filters(members, known: ["schema-name", "table-name", "table-state"])
        let page = try Page(members, longest: 500, usual: 100)
        var entries: [(id: Int64, shown: JSON)] = []
        for (index, table) in (progress.status?.tables ?? []).enumerated() {
            let shown = progress.statistics(table, validates: validates, runs: runs)
            let members = ["schema-name": "SchemaName", "table-name": "TableName", "table-state": "TableState"]
            let passes = filters.allSatisfy { filter in
                members[filter.name].flatMap { shown[$0]?.text }.map(filter.values.contains) ?? false
            }
            if passes { entries.append((Int64(index) + 1, shown)) }
        }
        let rest = entries.filter { $0.id > page.after }
        var answer: [String: JSON] = [
            "ReplicationTaskArn": .string(task.arn), "TableStatistics": .array(rest.prefix(page.size).map(\.shown)),
        ]
        if rest.count > page.size { answer["Marker"] = .string(Page.marker(rest[page.size - 1].id)) }
        return .object(answer)
    }

    // MARK: What a task is

    /// Takes over mappings, settings and kind of a request. What the engine does not do is refused here, by name.
    private func change(_ task: inout Resource, _ members: Members) throws {
        if let type = try members.choice("MigrationType", Self.migrationTypes) {
            guard type != "cdc" else {
                throw APIFault.value(
                    "MigrationType cdc is not offered yet: Godwit follows changes only from where it loaded itself (full-load-and-cdc).")
            }
            task["MigrationType"] = .string(type)
        }
        try refusePositions(members)
        if let mappings = try members.text("TableMappings") { task["TableMappings"] = .string(mappings) }
        if let data = try members.text("TaskData") { task["TaskData"] = .string(data) }
        if let settings = try members.text("ReplicationTaskSettings") { try setSettings(&task, settings) }
    }

    func refusePositions(_ members: Members) throws {
        for name in ["CdcStartTime", "CdcStartPosition", "CdcStopPosition"] {
            guard let value = members.value(name), value.text?.isEmpty != true else { continue }
            throw APIFault.value("\(name) is not offered yet: changes are followed from where the load began until the task is stopped.")
        }
    }

    /// What was given before stays where the new document says nothing of it.
    private func setSettings(_ task: inout Resource, _ text: String) throws {
        let given: JSON
        do {
            given = try JSON.parse(text.isEmpty ? "{}" : text)
        } catch {
            throw APIFault.value("Invalid task settings: the document is no JSON.")
        }
        guard given.members != nil else { throw APIFault.value("Invalid task settings: the document is no JSON object.") }
        for name in ["CloudWatchLogGroup", "CloudWatchLogStream"] where given["Logging"]?[name]?.text?.isEmpty == false {
            throw APIFault.value("Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be set on create")
        }
        let before = try JSON.parse(task.text("_GivenSettings"))
        let merged = TaskSettingsDocument.merge(given, over: before)
        task["_GivenSettings"] = .string(try merged.serialized())
        task["ReplicationTaskSettings"] = .string(try TaskSettingsDocument.merge(merged, over: TaskSettingsDocument.defaults).serialized())
    }

    /// The engine's plan for a task; throws `InvalidParameterValueException` with the engine's own words where it has none.
    func plan(_ task: Resource) throws -> Plan {
        let source = try required(.endpoint, task.text("SourceEndpointArn"), "Source endpoint")
        let target = try required(.endpoint, task.text("TargetEndpointArn"), "Target endpoint")
        let given = try TaskSettingsDocument.forEngine(JSON.parse(task.text("_GivenSettings"))).serialized()
        do {
            let (mappings, notes) = try TableMappings.parse(json: task.text("TableMappings"), file: "TableMappings")
            let (settings, more) = try TaskSettings.parse(json: given, file: "ReplicationTaskSettings")
            return Plan(
                task: task.arn.split(separator: ":").last.map(String.init) ?? task.identifier, source: try server(source),
                target: try server(target), mappings: mappings, settings: settings, application: .init(),
                stateFolder: folder(of: task).string, warnings: notes + more)
        } catch let error as EngineError {
            throw APIFault.value("\(error)")
        }
    }

    func progress(of task: Resource) throws -> TaskProgress {
        if let run = runs[task.arn] { return run.observer.progress }
        guard let text = try store.progress(of: task.arn) else { return TaskProgress() }
        return try JSONDecoder().decode(TaskProgress.self, from: Data(text.utf8))
    }

    /// - Parameter status: what an answer shows of an action that is done by then: `creating`, `modifying`.
    func shown(_ task: Resource, status: String? = nil) throws -> JSON {
        var task = task
        let progress = try progress(of: task)
        task["ReplicationTaskStats"] = progress.stats(now: Date().timeIntervalSince1970, isRunning: runs[task.arn] != nil)
        if let start = progress.start { task["ReplicationTaskStartDate"] = .time(start) }
        if let position = progress.status?.position, !position.isEmpty { task["RecoveryCheckpoint"] = .string(position) }
        if let status { task["Status"] = .string(status) }
        return task.shown
    }
}
