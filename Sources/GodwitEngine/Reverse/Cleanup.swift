import MySQLWire

/// The end of a migration: what Godwit keeps on both servers goes, and what it has put on them is taken away.
package struct Cleanup: Sendable {
    package struct Report: Sendable, Hashable {
        /// Verb first: `remove task shop from schema godwit of the target`.
        package var actions: [String] = []
        /// Left for the operator to decide, each a sentence.
        package var remains: [String] = []
    }

    let plan: Plan
    package init(plan: Plan) { self.plan = plan }

    /// - Throws: `EngineError` where a runner lives, or a cutover is under way in either direction.
    package func run(performs: Bool) async throws -> Report {
        let back = plan.reverse == nil ? nil : try plan.reversed()
        return try await Sessions(plan: plan).withBoth { source, target in try await run(source, target, back, performs) }
    }

    private func run(
        _ source: any SQLSession, _ target: any SQLSession, _ back: Plan?, _ performs: Bool
    ) async throws -> Report {
        var report = Report()
        let forward = try await standing(plan.task, on: target, "target")
        var reverse = Standing.absent
        if let back { reverse = try await standing(back.task, on: source, "source") }
        var opens = false
        if reverse == .switched {
            opens = true
            report.actions.append("let the target take writes again (the application was switched back from it); its events run again")
        } else if forward == .switched {
            report.remains.append("the source refuses writes, as the cutover left it (block: \(plan.application.block.rawValue)).")
            // Nothing knows them any more once the task is removed.
            let locked = try await SourceBlock.locked(by: plan.task, target)
            if !locked.isEmpty { report.remains.append("these accounts of the source are locked: \(locked.map(\.description).joined(separator: ", ")).") }
            if reverse == .running {
                report.remains.append("the source has no triggers, its events are switched off and its event scheduler is stopped, as it followed the target.")
            }
        }
        if forward != .absent { report.actions.append("remove task \(plan.task) from schema godwit of the target") }
        if let back, reverse != .absent || forward != .absent, try await exists("task", on: source) {
            report.actions.append("remove task \(back.task) from schema godwit of the source; with it `godwit rollback`")
        }
        if forward == .running { report.remains.append("the tables on the target, as far as they were brought.") }
        if plan.settings.keepsControlTables, forward != .absent {
            report.remains.append("DMS's control tables in schema \(plan.settings.control.name) of the target.")
        }
        guard performs, !report.actions.isEmpty else { return report }
        if opens, let back { try await open(back, source: source, target: target) }
        // The other side first: until the last row goes, the same command does it again.
        if let back {
            try await passingReadOnly(source) { try await remove([back.task, back.task + ".kept"], on: source) }
        }
        try await remove([plan.task, back?.task ?? plan.task], on: target)
        return report
    }

    // MARK: Looking

    private enum Standing { case absent, running, switched }

    private func standing(_ task: String, on server: any SQLSession, _ side: String) async throws -> Standing {
        let state = TargetState(task: task)
        guard try await state.readTask(on: server) != nil else { return .absent }
        if let holder = try await RunnerLock(task: task).holder(on: server) {
            throw EngineError(
                .failed, "Task \(task) is running (connection \(holder) of the \(side)).", why: "What it works with cannot be removed.",
                cure: "Stop it, then run the same command again.")
        }
        // Not the locked reading: the server may take no writes.
        let rows = try await server.query("SELECT step, state FROM `godwit`.`cutover` WHERE task = \(SQL.string(task)) ORDER BY id").rows
        let journal = CutoverJournal(
            records: rows.compactMap { row in
                guard let step = row.string(0).flatMap(CutoverStep.init), let state = row.string(1).flatMap(CutoverJournal.Record.State.init)
                else { return nil }
                return .init(step, state)
            })
        if journal.isFinished { return .switched }
        guard journal.current.isEmpty else {
            throw EngineError(
                .failed, "A \(plan.task == task ? "cutover" : "rollback") of task \(plan.task) was interrupted, and is to be finished or undone first.",
                cure: plan.task == task ? "`godwit migrate` does it." : "`godwit migrate --reverse` does it.")
        }
        return .running
    }

    private func exists(_ table: String, on server: any SQLSession) async throws -> Bool {
        try await !server.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = \(SQL.string(table))").rows.isEmpty
    }

    // MARK: Doing

    /// What the rollback's write block has put on the target.
    private func open(_ back: Plan, source: any SQLSession, target: any SQLSession) async throws {
        switch back.application.block {
        case .readOnly: try await SourceReadOnly(target).open(timeout: .seconds(25))
        case .accounts:
            try await SourceBlock.unlock(try await SourceBlock.locked(by: back.task, source), on: target)
        case .application: break
        }
    }

    /// Of a source that the cutover has left read-only the block is lifted for Godwit alone: read_only stays on.
    private func passingReadOnly(_ server: any SQLSession, _ body: () async throws -> Void) async throws {
        let isSuper = try await server.query("SHOW GLOBAL VARIABLES LIKE 'super_read_only'").rows.first?.string(1) == "ON"
        guard isSuper else { return try await body() }
        try await server.query("SET GLOBAL super_read_only = OFF")
        do {
            try await body()
        } catch {
            try await server.query("SET GLOBAL super_read_only = ON")
            throw error
        }
        try await server.query("SET GLOBAL super_read_only = ON")
    }

    /// The rows of these tasks, and the schema with the last one.
    private func remove(_ tasks: [String], on server: any SQLSession) async throws {
        let tables = try await server.query(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'godwit' AND column_name = 'task'"
        ).rows.compactMap { $0.string(0) }
        guard !tables.isEmpty else { return }
        let list = Set(tasks).sorted().map(SQL.string).joined(separator: ", ")
        // At once: half of a task's rows would say something else than the whole.
        try await server.query("BEGIN")
        for table in tables { try await server.query("DELETE FROM `godwit`.\(SQL.identifier(table)) WHERE task IN (\(list))") }
        try await server.query("COMMIT")
        var left = false
        for table in ["task", "status", "objects"] where tables.contains(table) {
            if try await !server.query("SELECT 1 FROM `godwit`.\(SQL.identifier(table)) LIMIT 1").rows.isEmpty { left = true }
        }
        if !left { try await server.query("DROP DATABASE `godwit`") }
    }
}
