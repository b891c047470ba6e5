import Foundation
import GodwitEngine
import Logging
import MySQLWire
import NIOPosix
import SystemPackage

extension ControlPlane {
    func startTask(_ members: Members) throws -> JSON {
        var task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        guard let type = try members.choice("StartReplicationTaskType", ["start-replication", "resume-processing", "reload-target"]) else {
            throw APIFault.value("The parameter StartReplicationTaskType must be provided and must not be blank.")
        }
        guard !isClosing, runs[task.arn] == nil, ["ready", "stopped", "failed"].contains(task.text("Status")) else {
            throw APIFault.state("Replication Task cannot be started, invalid state")
        }
        try refusePositions(members)
        if type == "start-replication", task["_HasRun"]?.truth == true {
            throw APIFault.combination("Start Type : START_REPLICATION, valid only for tasks running for the first time")
        }
        if type == "reload-target" { task["_Reload"] = true }
        task["_HasRun"] = true
        task["StopReason"] = nil
        task["LastFailureMessage"] = nil
        try launch(&task)
        try taskEvent(task, "state change", "Replication task started")
        return ["ReplicationTask": try shown(task)]
    }

    func stopTask(_ members: Members) throws -> JSON {
        var task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        guard let run = runs[task.arn], ["starting", "running"].contains(task.text("Status")) else {
            throw APIFault.state("Replication Task cannot be stopped, invalid state \(task.text("Status"))")
        }
        task["Status"] = "stopping"
        try store.update(task)
        run.stop()
        return ["ReplicationTask": try shown(task)]
    }

    func reloadTables(_ members: Members) async throws -> JSON {
        let task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        let option = try members.choice("ReloadOption", ["data-reload", "validate-only"]) ?? "data-reload"
        guard option == "data-reload" else {
            throw APIFault.value("ReloadOption validate-only is not offered yet: rows are compared again whenever they change.")
        }
        guard let tables = try members.list("TablesToReload"), (1...10).contains(tables.count) else {
            throw APIFault.value("TablesToReload must name 1 to 10 tables.")
        }
        guard runs[task.arn] != nil, task.text("Status") == "running" else {
            throw APIFault.state("Tables of replication task \(task.identifier) can be reloaded only while it is running.")
        }
        var names: [String] = []
        for table in tables {
            guard let schema = table["SchemaName"]?.text, let name = table["TableName"]?.text else {
                throw APIFault.value("Each of TablesToReload needs SchemaName and TableName.")
            }
            names.append("\(schema).\(name)")
        }
        let control = try await ControlClient.connect(plan: try plan(task))
        do {
            for name in names { _ = try await control.request("reload \(name)") }
            await control.close()
        } catch {
            await control.close()
            throw error
        }
        return ["ReplicationTaskArn": .string(task.arn)]
    }

    // MARK: Runs

    func folder(of task: Resource) -> FilePath {
        store.folder.appending("tasks").appending(task.arn.split(separator: ":").last.map(String.init) ?? task.identifier)
    }

    /// Starts the engine for a task and stores it as `starting`. What a start needs is stored first, so that a service that
    /// dies now does it again.
    func launch(_ task: inout Resource) throws {
        let arn = task.arn
        var plan = try plan(task)
        let log = try TaskLog(folder: folder(of: task))
        for warning in plan.warnings { log.write("warning", warning) }
        var progress = try progress(of: task)
        let isReload = task["_Reload"]?.truth == true
        if isReload {
            progress.restart()
            if plan.settings.preparation == .doNothing { plan.settings.preparation = .truncateBeforeLoad }
        }
        let now = Date().timeIntervalSince1970
        progress.start = now
        progress.stop = nil
        if progress.freshStart == nil || isReload { progress.freshStart = now }
        // Also for later resumes: the target's tables hold what this start puts there.
        task["_Truncates"] = .bool(isReload || task["_Truncates"]?.truth == true)
        if task["_Truncates"]?.truth == true, plan.settings.preparation == .doNothing {
            plan.settings.preparation = .truncateBeforeLoad
        }
        task["Status"] = "starting"
        try store.update(task)
        let store = store
        let logger = logger
        let observer = RunObserver(
            progress: progress, log: log,
            store: { progress in
                do {
                    try store.setProgress(String(decoding: JSONEncoder().encode(progress), as: UTF8.self), of: arn)
                } catch {
                    logger.error("The progress of \(arn) could not be stored: \(error)")
                }
            },
            began: { [weak self] in Task { [weak self] in await self?.began(arn) } })
        let run = TaskRun(observer: observer)
        runs[arn] = run
        var forget: (@Sendable () async throws -> Void)?
        if isReload {
            forget = { [plan, weak self] () async throws -> Void in
                try await TaskReset.forget(plan)
                try await self?.hasForgotten(arn)
            }
        }
        let isFullLoad = task.text("MigrationType") == "full-load"
        let until: MigrationOptions.Until = isFullLoad ? (plan.settings.enableValidation ? .validated : .loaded) : .forever
        run.start(plan: plan, options: MigrationOptions(until: until), before: forget) { [weak self] ending in
            await self?.finished(arn, ending, isFullLoad: isFullLoad)
        }
    }

    /// The target knows nothing of the task any more: a start from now on must not forget again.
    private func hasForgotten(_ arn: String) throws {
        guard var task = try store.find(arn) else { return }
        task["_Reload"] = nil
        try store.update(task)
    }

    private func began(_ arn: String) {
        do {
            guard var task = try store.find(arn), task.text("Status") == "starting" else { return }
            task["Status"] = "running"
            try store.update(task)
        } catch {
            logger.error("The state of \(arn) could not be stored: \(error)")
        }
    }

    private func finished(_ arn: String, _ ending: TaskRun.Ending, isFullLoad: Bool) {
        guard let run = runs.removeValue(forKey: arn) else { return }
        do {
            var progress = run.observer.progress
            progress.stop = Date().timeIntervalSince1970
            try store.setProgress(String(decoding: JSONEncoder().encode(progress), as: UTF8.self), of: arn)
            guard var task = try store.find(arn) else { return }
            switch ending {
            // The service ends; the task does not.
            case .stopped where isClosing && task.text("Status") != "stopping": return
            case .stopped:
                task["Status"] = "stopped"
                task["StopReason"] = "Stop Reason NORMAL"
            case .done:
                task["Status"] = "stopped"
                let settings = try plan(task).settings
                let reason =
                    isFullLoad ? "FULL_LOAD_ONLY_FINISHED"
                    : settings.stopTaskCachedChangesNotApplied ? "STOPPED_AFTER_FULL_LOAD"
                    : settings.stopTaskCachedChangesApplied ? "STOPPED_AFTER_CACHED_EVENTS" : "NORMAL"
                task["StopReason"] = .string("Stop Reason \(reason)")
            case .failed(let text): return try fail(&task, text)
            }
            try store.update(task)
            try taskEvent(task, "state change", "Replication task stopped")
        } catch {
            logger.error("The end of \(arn) could not be stored: \(error)")
        }
    }

    func fail(_ task: inout Resource, _ text: String) throws {
        task["Status"] = "failed"
        task["StopReason"] = "Stop Reason FATAL_ERROR"
        task["LastFailureMessage"] = .string("Last Error \(text) Stop Reason FATAL_ERROR Error Level FATAL")
        try store.update(task)
        try taskEvent(task, "failure", "Replication task has failed")
    }
}

/// `reload-target`: the target forgets what an earlier run of the task stored, so that the next one begins anew.
enum TaskReset {
    static func forget(_ plan: Plan) async throws {
        var configuration = MySQLConfiguration(
            address: plan.target.address, username: plan.target.user, password: plan.target.password, tls: plan.target.tls)
        configuration.peerName = plan.target.peerName("target")
        let target = try await MySQLWire.MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
        do {
            let schema = SQL.string(TargetSchema.name)
            let tables = try await target.query(
                "SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \(schema) AND COLUMN_NAME = 'task'"
            ).rows.compactMap { $0.string(0) }
            try await target.query("START TRANSACTION")
            for table in tables {
                try await target.query(
                    "DELETE FROM \(SQL.identifier(TargetSchema.name)).\(SQL.identifier(table)) WHERE task = \(SQL.string(plan.task))")
            }
            try await target.query("COMMIT")
        } catch {
            await target.close()
            throw error
        }
        await target.close()
    }
}
