import GodwitEngine

/// The pages of the tasks, as functions of what is shown.
enum TaskPages {
    enum Tab: String, CaseIterable {
        case overview = ""
        case statistics, monitoring, logs
        var name: String {
            switch self {
            case .overview: "Overview"
            case .statistics: "Table statistics"
            case .monitoring: "Task monitoring"
            case .logs: "Logs"
            }
        }
        func path(_ task: TaskView) -> String { self == .overview ? task.path : "\(task.path)/\(rawValue)" }
    }

    static func badge(_ text: String, _ kind: String) -> HTML { "<span class=\"badge \(kind)\">\(text)</span>" }

    static func status(_ task: TaskView) -> HTML {
        switch task.status {
        case "failed": badge("failed", "bad")
        case "running": badge("running", "good")
        case "stopped", "ready": badge(task.status, "calm")
        default: badge(task.status, "busy")
        }
    }

    // MARK: The list

    static func list(_ tasks: [TaskView], backlog: (TaskView) -> UInt64? = { $0.run?.incomingChanges }) -> HTML {
        guard !tasks.isEmpty else {
            return "<section id=\"tasks\"><p>There is no task yet. Make one with <code>aws dms create-replication-task</code>.</p></section>"
        }
        let rows = tasks.map { task -> HTML in
            let latency = task.run?.lagSeconds.map { Shown.number(task.run?.incomingChanges == 0 ? 0 : $0) + " s" } ?? "–"
            return """
                <tr><th scope="row"><a href="\(task.path)">\(task.name)</a></th><td>\(status(task))</td><td>\(task.kind)</td>
                <td class="n">\(progress(task))</td><td class="n">\(task.isRunning ? backlog(task).map { Shown.number($0) } ?? "–" : "–")</td>
                <td class="n">\(task.isRunning ? latency : "–")</td><td>\(task.source)</td><td>\(task.target)</td></tr>
                """
        }
        return """
            <section id="tasks"><div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table><thead><tr><th scope="col">Task</th><th scope="col">Status</th>
            <th scope="col">Type</th><th scope="col" class="n">Loaded</th><th scope="col" class="n">Backlog</th><th scope="col" class="n">Latency</th><th scope="col">Source</th>
            <th scope="col">Target</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    private static func progress(_ task: TaskView) -> HTML {
        "<progress max=\"100\" value=\"\(task.percent)\" aria-label=\"Loaded\"></progress> \(task.percent) %"
    }

    // MARK: One task

    static func head(_ task: TaskView, _ current: Tab) -> HTML {
        let tabs = Tab.allCases.map { tab -> HTML in
            let here: HTML = tab == current ? " aria-current=\"page\"" : ""
            return "<a href=\"\(tab.path(task))\"\(here)>\(tab.name)</a>"
        }
        return "<h1>\(task.name)</h1><nav class=\"tabs\" aria-label=\"Task\">\(tabs)</nav>"
    }

    static func overview(_ task: TaskView, _ session: Sessions.Session, now: Double) -> HTML {
        var notices: [HTML] = []
        if let failure = task.failure, task.status == "failed" { notices.append("<p class=\"notice bad\" role=\"alert\">\(failure)</p>") }
        if task.isSourcePlain { notices.append("<p class=\"notice\">The connection to the source is not encrypted (SSL mode none).</p>") }
        if task.isTargetPlain { notices.append("<p class=\"notice\">The connection to the target is not encrypted (SSL mode none).</p>") }
        for wait in task.isRunning ? task.run?.waits ?? [] : [] {
            notices.append("<p class=\"notice\">Waits for \(wait.what), \(Shown.duration(wait.seconds)) so far: \(wait.why)</p>")
        }
        for text in (task.run?.notes ?? []) + (task.run?.objectDifferences ?? []) { notices.append("<p class=\"notice\">\(text)</p>") }
        let wrong = task.tables.filter { $0.failed > 0 || $0.suspended > 0 || $0.state == "Table error" || !$0.problems.isEmpty }
        if !wrong.isEmpty {
            notices.append("<p class=\"notice bad\">\(Shown.number(wrong.count)) tables need attention: <a href=\"\(task.path)/statistics?show=problems\">show them</a>.</p>")
        }
        var facts: [(String, HTML)] = [("Status", status(task)), ("Type", "\(task.kind)"), ("Source", "\(task.source)"), ("Target", "\(task.target)"), ("Instance", "\(task.instance)")]
        if let reason = task.stopReason { facts.append(("Stopped because", "\(reason)")) }
        if let started = task.started { facts.append(("Started", "\(Shown.time(started))")) }
        if let stopped = task.stopped { facts.append(("Stopped", "\(Shown.time(stopped))")) }
        if let started = task.started { facts.append(("Ran for", "\(Shown.duration((task.stopped ?? now) - started))")) }
        if let run = task.run {
            facts.append(("Phase", "\(run.state.rawValue.replacing("_", with: " "))"))
            facts.append(("Encryption", "source \(run.sourceTLS), target \(run.targetTLS)"))
            if !run.position.isEmpty { facts.append(("Position", "<code class=\"long\">\(run.position)</code>")) }
        }
        let cells = facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as HTML }
        return """
            <section id="notices">\(notices)</section><section id="actions">\(actions(task, session))</section>
            <section id="figures">\(figures(task))</section><section id="facts"><h2>Details</h2><dl>\(cells)</dl></section>
            """
    }

    private static func figures(_ task: TaskView) -> HTML {
        func figure(_ name: String, _ value: String, _ href: String) -> HTML { "<a class=\"figure\" href=\"\(href)\"><b>\(value)</b><span>\(name)</span></a>" }
        let loaded = task.tables.count { $0.state == "Table completed" }
        let monitoring = "\(task.path)/monitoring"
        let statistics = "\(task.path)/statistics"
        let latency = task.isRunning ? task.run?.lagSeconds.map { Shown.number(task.run?.incomingChanges == 0 ? 0 : $0) + " s" } : nil
        return """
            <div class="figures">\(figure("loaded", "\(task.percent) %", statistics))\(figure("tables loaded", "\(loaded) of \(task.tables.count)", statistics))\
            \(figure("changes waiting", task.isRunning ? task.run.map { Shown.number($0.incomingChanges) } ?? "–" : "–", "\(monitoring)/CDCIncomingChanges"))\
            \(figure("latency", latency ?? "–", "\(monitoring)/CDCLatencyTarget"))\
            \(figure("rows that differ", Shown.number(task.tables.reduce(0) { $0 + $1.failed }), "\(statistics)?sort=failed"))\
            \(figure("rows to compare", Shown.number(task.tables.reduce(0) { $0 + $1.pending }), "\(statistics)?sort=pending"))</div>
            """
    }

    // MARK: What may be done

    enum Action: String, CaseIterable {
        case start, resume, stop, restart = "reload-target"
        case reloadTable = "reload-table"
        var label: String {
            switch self {
            case .start: "Start"
            case .resume: "Resume"
            case .stop: "Stop"
            case .restart: "Start from the beginning"
            case .reloadTable: "Load this table again"
            }
        }
        /// Asked before it is done; nil: done at once.
        var question: String? {
            switch self {
            case .start, .resume: nil
            case .stop: "The task stops where it can go on later. Until then changes wait on the source, which must keep its binary logs."
            case .restart: "Everything on the target that this task loaded is emptied and loaded anew."
            case .reloadTable: "The table is emptied on the target and loaded anew while the task goes on."
            }
        }
        func isOffered(_ task: TaskView) -> Bool {
            let rests = ["ready", "stopped", "failed"].contains(task.status)
            return switch self {
            case .start: rests && !task.hasRun
            case .resume, .restart: rests && task.hasRun
            case .stop: ["starting", "running"].contains(task.status)
            case .reloadTable: task.status == "running"
            }
        }
    }

    private static func actions(_ task: TaskView, _ session: Sessions.Session) -> HTML {
        let buttons = Action.allCases.filter { $0 != .reloadTable && $0.isOffered(task) }.map { action -> HTML in
            if action.question != nil { return "<a class=\"button\" href=\"\(task.path)/confirm?action=\(action.rawValue)\">\(action.label)…</a>" }
            return "<form method=\"post\" action=\"\(task.path)/act\">\(PageFrame.token(session))<input type=\"hidden\" name=\"action\" value=\"\(action.rawValue)\"><button class=\"main\">\(action.label)</button></form>"
        }
        return buttons.isEmpty ? "" : "<div class=\"actions\">\(buttons)</div>"
    }

    static func confirmation(_ task: TaskView, _ action: Action, _ session: Sessions.Session, schema: String, table: String) -> HTML {
        let subject = action == .reloadTable ? "\(schema).\(table) of \(task.name)" : task.name
        let named: HTML =
            action == .reloadTable
            ? "<input type=\"hidden\" name=\"schema\" value=\"\(schema)\"><input type=\"hidden\" name=\"table\" value=\"\(table)\">" : ""
        return PageFrame(
            title: action.label, session: session,
            head: """
                <h1>\(action.label)</h1><p><b>\(subject)</b></p><p class="notice">\(action.question ?? "")</p>
                <form method="post" action="\(task.path)/act" class="actions">\(PageFrame.token(session))<input type="hidden" name="action" value="\(action.rawValue)">\(named)\
                <button class="main">\(action.label)</button><a class="button" href="\(task.path)">Cancel</a></form>
                """
        ).html
    }
}
