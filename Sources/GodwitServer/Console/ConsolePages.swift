import Foundation
import HTTPTypes
import Hummingbird
import Logging
import SystemPackage

/// A page as it was asked for.
struct PageRequest: Sendable {
    /// With the query: what a page that is open asks again.
    var address: String
    var query: Fields
    var id: String
    var metric: String
}

/// A page, and how its live part is made anew.
struct LivePage: Sendable {
    var title: String
    var head: HTML
    /// Seconds between two looks.
    var every: Int = 1
    var live: @Sendable () async throws -> HTML
}

extension Console {
    typealias Maker = @Sendable (PageRequest, Sessions.Session) async throws -> LivePage

    /// A page at a path: as a document, or as the stream of its live part where a browser follows it.
    func page(_ router: Router<BasicRequestContext>, _ path: RouterPath, _ make: @escaping Maker) {
        router.get(path) { request, context in
            let asked = PageRequest(
                address: request.head.path ?? "/", query: Self.query(request), id: context.parameters.get("id") ?? "",
                metric: context.parameters.get("metric") ?? "")
            let isStream = request.headers[.accept] == "text/event-stream"
            guard let session = session(request, isUse: !isStream) else {
                return isStream ? Self.ended : Self.redirect("/sign-in")
            }
            return try await guarded(session) {
                let page = try await make(asked, session)
                if isStream { return stream(page, token: cookie(request, sessionCookie) ?? "") }
                return Self.answer(
                    PageFrame(title: page.title, session: session, head: page.head, live: try await page.live(), follows: asked.address).html)
            }
        }
    }

    private static var ended: Response {
        answer(.ok, "event: ended\ndata: ended\n\n", type: "text/event-stream")
    }

    /// Source: HTML, 9.2 Server-sent events.
    private func stream(_ page: LivePage, token: String) -> Response {
        // 204: the browser does not try again.
        guard streams.enter() else { return Self.answer(.noContent, "", type: "text/plain; charset=utf-8") }
        var response = Self.answer(.ok, "", type: "text/event-stream")
        response.body = .init { [sessions, streams, logger] writer in
            defer { streams.leave() }
            var shown: HTML?
            var quiet = 0
            while !Task.isCancelled {
                guard sessions.find(token, isUse: false) != nil else {
                    try await writer.write(ByteBuffer(string: "event: ended\ndata: ended\n\n"))
                    break
                }
                do {
                    let fresh = try await page.live()
                    quiet += page.every
                    if fresh != shown {
                        let lines = fresh.text.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }.joined()
                        try await writer.write(ByteBuffer(string: lines + "\n"))
                        (shown, quiet) = (fresh, 0)
                    } else if quiet >= 15 {
                        // Tells whether anybody is still there.
                        try await writer.write(ByteBuffer(string: ":\n\n"))
                        quiet = 0
                    }
                    try await Task.sleep(for: .seconds(page.every))
                } catch let fault as APIFault {
                    // The task is gone, for example.
                    logger.debug("A followed page ended: \(fault.message)")
                    try await writer.write(ByteBuffer(string: "event: ended\ndata: ended\n\n"))
                    break
                }
            }
            try await writer.finish(nil)
        }
        return response
    }

    // MARK: What is shown

    func task(_ id: String?) async throws -> TaskView {
        guard let task = try await plane.consoleTask(id ?? "") else { throw APIFault.notFound("There is no such task: it may have been deleted.") }
        return task
    }

    func folder(_ task: TaskView) -> FilePath { store.folder.appending("tasks").appending(task.id) }

    func listPage(_ session: Sessions.Session) async throws -> LivePage {
        LivePage(title: "Tasks", head: "<h1>Tasks</h1>") { TaskPages.list(try await plane.consoleTasks()) }
    }

    func overview(_ asked: PageRequest, _ session: Sessions.Session) async throws -> LivePage {
        let task = try await task(asked.id)
        return LivePage(title: task.name, head: TaskPages.head(task, .overview)) {
            TaskPages.overview(try await self.task(asked.id), session, now: Date().timeIntervalSince1970)
        }
    }

    func statistics(_ asked: PageRequest, _ session: Sessions.Session) async throws -> LivePage {
        let task = try await task(asked.id)
        return LivePage(title: "Table statistics of \(task.name)", head: StatisticsPage.head(task, asked.query)) {
            StatisticsPage.live(try await self.task(asked.id), asked.query)
        }
    }

    func table(_ asked: PageRequest, _ session: Sessions.Session) async throws -> LivePage {
        let (schema, name) = (asked.query["schema"], asked.query["table"])
        let task = try await task(asked.id)
        let head: HTML = TaskPages.head(task, .statistics) + "<h2>\(schema).\(name)</h2>"
        return LivePage(title: "\(schema).\(name)", head: head) {
            let task = try await self.task(asked.id)
            guard let table = task.tables.first(where: { $0.schema == schema && $0.name == name }) else {
                throw APIFault.notFound("The task has no table \(schema).\(name).")
            }
            return StatisticsPage.table(table, task)
        }
    }

    func monitoring(_ asked: PageRequest, _ session: Sessions.Session) async throws -> LivePage {
        let range = ChartRange(rawValue: asked.query["range"]) ?? .hour
        let task = try await task(asked.id)
        let metrics = MetricStore(store: store)
        let subject = MetricSubject(instance: task.instance, task: task.id)
        let path = "\(task.path)/monitoring\(asked.metric.isEmpty ? "" : "/\(Fields.encode(asked.metric))")"
        let head = MonitoringPages.head(task, range, path)
        if asked.metric.isEmpty {
            return LivePage(title: "Monitoring of \(task.name)", head: head, every: range.redraws) {
                MonitoringPages.charts(
                    task, try metrics.charts(MonitoringPages.metrics, of: subject, range: range, now: Int(Date().timeIntervalSince1970)))
            }
        }
        guard let metric = TaskMetric(rawValue: asked.metric) else { throw APIFault.notFound("There is no metric \(asked.metric).") }
        return LivePage(title: "\(metric.rawValue) of \(task.name)", head: head, every: range.redraws) {
            HTML(try metrics.charts([metric], of: subject, range: range, now: Int(Date().timeIntervalSince1970)).map(MonitoringPages.metric))
        }
    }

    func logs(_ asked: PageRequest, _ session: Sessions.Session) async throws -> LivePage {
        let task = try await task(asked.id)
        let files = LogFiles(folder(task))
        let read = KeptRender()
        var log = LogView(asked.query)
        log.take(try files.lines())
        return LivePage(title: "Logs of \(task.name)", head: MonitoringPages.logHead(task, log)) {
            try read.html(mark: files.mark) {
                var log = LogView(asked.query)
                log.take(try files.lines())
                return MonitoringPages.log(task, log)
            }
        }
    }

    // MARK: What is done

    /// By the same operations that the API has.
    func act(_ task: TaskView, _ form: Fields, _ session: Sessions.Session) async throws {
        guard let action = TaskPages.Action(rawValue: form["action"]) else { throw APIFault.value("There is no such action.") }
        let region = task.arn.split(separator: ":").dropFirst(3).first.map(String.init) ?? "us-east-1"
        let caller = Caller(accessKey: session.name, region: region)
        let arn: JSON = .string(task.arn)
        let (operation, input): (String, JSON) =
            switch action {
            case .start: ("StartReplicationTask", ["ReplicationTaskArn": arn, "StartReplicationTaskType": "start-replication"])
            case .resume: ("StartReplicationTask", ["ReplicationTaskArn": arn, "StartReplicationTaskType": "resume-processing"])
            case .restart: ("StartReplicationTask", ["ReplicationTaskArn": arn, "StartReplicationTaskType": "reload-target"])
            case .stop: ("StopReplicationTask", ["ReplicationTaskArn": arn])
            case .reloadTable:
                ("ReloadTables",
                 ["ReplicationTaskArn": arn, "TablesToReload": [["SchemaName": .string(form["schema"]), "TableName": .string(form["table"])]]])
            }
        _ = try await plane.perform(operation, input, caller)
        logger.info("\(operation) of \(task.name) from the console")
    }
}
