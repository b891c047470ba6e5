import Foundation
import GodwitEngine
import SystemPackage
import Testing

@testable import GodwitServer

@Suite struct ConsoleTests {
    private static let session = Sessions.Session(csrf: "token", name: "key", began: 0, last: 0)
    private static let evil = "<script>alert('1')</script>&\""

    private static func task(_ name: String = "t") -> TaskView {
        TaskView(
            arn: "arn:aws:dms:us-east-1:000000000000:task:T", id: "T", name: name, status: "running", kind: "full-load-and-cdc", source: name, target: name,
            instance: "worker")
    }

    private static func table(_ name: String, rows: UInt64 = 0, failed: UInt64 = 0) -> TableView {
        var table = MigrationStatus.Table(schema: "app", table: name)
        table.rows = rows
        table.failed = failed
        return TableView(table, state: "Table completed", validates: true)
    }

    @Test func textIsEscapedByItsType() {
        let text = Self.evil
        let markup: HTML = "<b title=\"\(text)\">\(text)</b>\("<i>" as HTML)\(7)\([] as [HTML])\("\u{0}\u{1B}[31m")"
        #expect(
            markup.text
                == "<b title=\"&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;\">&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;</b><i>7\u{FFFD}\u{FFFD}[31m")
    }

    @Test func noPageLetsMarkupThrough() throws {
        var task = Self.task(Self.evil)
        task.failure = Self.evil
        task.status = "failed"
        task.tables = [Self.table(Self.evil, failed: 1)]
        task.tables[0].problems = [Self.evil]
        task.tables[0].mismatches = [
            RowDetail(key: RowKey([Self.evil]), kind: .different, columns: [.init(name: Self.evil, source: Self.evil, target: nil, note: Self.evil)], keyColumns: [Self.evil])
        ]
        let query = Fields().with("filter", Self.evil).with("state", Self.evil)
        var log = LogView(Fields().with("search", Self.evil).with("component", Self.evil))
        log.take(["00000001: 2026-11-23T07:00:00 [\(Self.evil)]E:  \(Self.evil)"])
        let pages: [HTML] = [
            TaskPages.list([task]), TaskPages.head(task, .logs), TaskPages.overview(task, Self.session, now: 0), StatisticsPage.head(task, query),
            StatisticsPage.live(task, Fields()), StatisticsPage.table(task.tables[0], task), MonitoringPages.logHead(task, log), MonitoringPages.log(task, log),
            TaskPages.confirmation(task, .reloadTable, Self.session, schema: Self.evil, table: Self.evil), PlainPages.message(Self.evil, Self.evil, nil),
            PlainPages.signIn(form: Self.evil, link: Self.evil, error: Self.evil),
        ]
        for page in pages { #expect(!page.text.contains("<script>") && page.text.contains("&lt;script&gt;"), "\(page.text)") }
    }

    @Test func fieldsOfAddresses() {
        let fields = Fields("a=1+2%2B&b&a=3&c=%C3%A4%")
        #expect(fields["a"] == "1 2+" && fields["b"].isEmpty && fields["c"] == "ä%" && fields["d"].isEmpty)
        #expect(Fields().with("t", "a&b=c ä").with("s", "").on("/x") == "/x?t=a%26b%3Dc%20%C3%A4")
        #expect(Fields(String(Fields().with("t", "a&b=c ä").on("").dropFirst()))["t"] == "a&b=c ä")
    }

    @Test func sessionsEnd() {
        nonisolated(unsafe) var now = 1000.0
        let sessions = Sessions { now }
        let first = sessions.newLink()
        let second = sessions.newLink()
        #expect(sessions.signIn(link: first) == nil)
        let token = sessions.signIn(link: second)
        #expect(token != nil && sessions.signIn(link: second) == nil)
        let late = sessions.newLink()
        now += Sessions.linkSeconds
        #expect(sessions.signIn(link: late) == nil)
        // A page that renews itself does not keep its session alive.
        now = 1000 + Sessions.idle - 1
        #expect(sessions.find(token ?? "", isUse: false) != nil)
        now += 2
        #expect(sessions.find(token ?? "") == nil)
        let other = sessions.begin("key")
        let begun = now
        while now < begun + Sessions.longest - 3600 {
            now += 3600
            #expect(sessions.find(other)?.name == "key")
        }
        now = begun + Sessions.longest
        #expect(sessions.find(other) == nil)
        let ended = sessions.begin("key")
        sessions.end(ended)
        #expect(sessions.find(ended) == nil && sessions.find("") == nil)
    }

    @Test func statisticsSortedAndFiltered() {
        let tables = [Self.table("b", rows: 5), Self.table("a", rows: 7, failed: 1), Self.table("c", rows: 5)]
        func names(_ query: String) -> String { StatisticsPage.chosen(tables, Fields(query)).map(\.name).joined() }
        #expect(names("") == "bac" && names("sort=table") == "abc" && names("sort=table&order=down") == "cba")
        #expect(names("sort=rows") == "abc" && names("sort=rows&order=up") == "bca" && names("sort=nonsense") == "bac")
        #expect(names("filter=APP.A") == "a" && names("show=problems") == "a" && names("state=Full+load").isEmpty)
        var task = Self.task()
        task.tables = (1...250).map { Self.table("t\($0)") }
        let page = StatisticsPage.live(task, Fields("page=3")).text
        #expect(page.contains("Page 3 of 3") && page.contains(">t250<") && !page.contains(">t200<"))
        #expect(StatisticsPage.live(task, Fields("page=99")).text.contains("Page 3 of 3"))
    }

    @Test func logLinesByTheirParts() {
        #expect(
            LogEntry("00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]W:  a text: [x]")
                == LogEntry(time: "2026-11-23 07:00:00", component: "TASK_MANAGER", severity: "W", text: "a text: [x]"))
        for odd in ["", "a", "a b c", "1: t [x", "1: t [x]", "1: t [x]E"] { #expect(LogEntry(odd).text == odd) }
        let lines = (1...450).map { "00000001: 2026-11-23T07:00:00 [\($0 % 2 == 0 ? "A" : "B")               ]I:  line \($0)." }
        var log = LogView(Fields("page=2"))
        log.take(lines)
        #expect(log.entries.first?.text == "line 51." && log.entries.last?.text == "line 250." && log.pages == 3 && log.components == ["A", "B"])
        var found = LogView(Fields("search=LINE+44&component=A&page=7"))
        found.take(lines)
        #expect(found.entries.map(\.text) == ["line 44.", "line 440.", "line 442.", "line 444.", "line 446.", "line 448."] && found.page == 1)
    }

    @Test func chartsEndAtTheLatestValue() throws {
        let folder = FilePath(NSTemporaryDirectory()).appending("charts-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let metrics = MetricStore(store: try StateStore(folder: folder))
        let subject = MetricSubject(instance: "i", task: "T")
        let start = 1_795_417_200
        #expect(try metrics.charts([.cdcIncomingChanges], of: subject, range: .hour, now: start).first?.points.isEmpty == true)
        for second in 0..<125 where !(20..<90).contains(second) { try metrics.add([(subject, [.cdcIncomingChanges: Double(second)])], at: start + second) }
        let charts = try metrics.charts([.cdcIncomingChanges, .cdcLatencyTarget], of: subject, range: .hour, now: start + 130)
        let chart = try #require(charts.first)
        #expect(charts.last?.points.isEmpty == true && charts.last?.latestText == "no value")
        #expect(chart.points.map(\.value) == [9, 19, 99, 109, 119, 124, 124] && chart.latest == .init(time: start + 124, value: 124))
        // Nothing was measured between: two lines.
        #expect(chart.html.text.components(separatedBy: "M").count - 1 == 3 + 2)
        #expect(chart.top == 200 && chart.place(.init(time: start + 130, value: 100)) == (600, 60))
        // In the range of days the minutes before are drawn, and the same latest value.
        try metrics.roll(now: start + 130)
        let day = try #require(try metrics.charts([.cdcIncomingChanges], of: subject, range: .day, now: start + 130).first)
        #expect(day.latest == .init(time: start + 124, value: 124))
        let later = try #require(try metrics.charts([.cdcIncomingChanges], of: subject, range: .fortnight, now: start + 86_400).first)
        #expect(later.points == [.init(time: start, value: 119)])
    }
}
