/// Charts of what is measured, and the log.
enum MonitoringPages {
    /// Backlog and latency first.
    static let metrics = TaskMetric.allCases

    static func head(_ task: TaskView, _ range: ChartRange, _ path: String) -> HTML {
        let links = ChartRange.allCases.map { "<a href=\"\(Fields().with("range", $0.rawValue).on(path))\"\($0 == range ? " aria-current=\"true\"" : "" as HTML)>\($0.name)</a>" as HTML }
        return TaskPages.head(task, .monitoring) + "<nav class=\"ranges\" aria-label=\"Range\">\(links)</nav>"
    }

    static func charts(_ task: TaskView, _ charts: [Chart]) -> HTML {
        let figures = charts.map { chart -> HTML in
            let name = chart.metric.rawValue
            return """
                <section id="m-\(name)" class="metric"><h2><a href="\(Fields().with("range", chart.range.rawValue).on("\(task.path)/monitoring/\(name)"))">\(name)</a>\
                <output class="latest">\(chart.latestText)</output></h2><p>\(chart.explanation)</p>\(chart.html)</section>
                """
        }
        return HTML(figures)
    }

    static func metric(_ chart: Chart) -> HTML {
        let when = chart.latest.map { ", measured at \(Shown.time(Double($0.time)))" } ?? ""
        let rows = chart.points.suffix(30).reversed().map { "<tr><td>\(Shown.time(Double($0.time)))</td><td class=\"n\">\(Shown.number($0.value))</td></tr>" as HTML }
        return """
            <section id="m-\(chart.metric.rawValue)" class="metric"><h2>\(chart.metric.rawValue) <output class="latest" data-time="\(chart.latest?.time ?? 0)" \
            data-value="\(chart.latest.map { "\($0.value)" } ?? "")">\(chart.latestText)</output></h2>\
            <p>\(chart.explanation)\(when). Unit: \(chart.metric.unit). Drawn: \(chart.range.pointName), and the latest.</p>\(chart.html)</section>
            <section id="points"><h2>The last values</h2><div class="scroll" tabindex="0" role="region" aria-label="The last values"><table><thead><tr><th scope="col">Time</th><th scope="col" class="n">Value</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    // MARK: Logs

    static func logHead(_ task: TaskView, _ log: LogView) -> HTML {
        func option(_ value: String, _ name: String, _ current: String) -> HTML {
            "<option value=\"\(value)\"\(value == current ? " selected" : "" as HTML)>\(name)</option>"
        }
        let components = Set(log.components + [log.component]).subtracting([""]).sorted().map { option($0, $0, log.component) }
        let severities = LogEntry.severities.map { option($0.letter, $0.name, log.severity) }
        return TaskPages.head(task, .logs) + """
            <form method="get" action="\(task.path)/logs" class="tools"><label>Search <input type="search" name="search" value="\(log.search)" maxlength="200"></label>\
            <label>Component <select name="component"><option value="">all</option>\(components)</select></label>\
            <label>Severity <select name="severity"><option value="">all</option>\(severities)</select></label><button>Filter</button>\
            <a class="button" href="\(task.path)/logs/download">Download</a></form>
            """
    }

    static func log(_ task: TaskView, _ log: LogView) -> HTML {
        let lines = log.entries.map { entry -> HTML in
            """
            <tr class="s\(String(entry.severity))"><td>\(entry.time)</td><td>\(entry.severityName)</td><td>\(entry.component)</td><td class="wide">\(entry.text)</td></tr>
            """
        }
        var kept = Fields()
        kept["search"] = log.search
        kept["component"] = log.component
        kept["severity"] = log.severity
        let empty: HTML? = lines.isEmpty ? "<p>\(log.components.isEmpty ? "Nothing is written yet." : "No line passes the filter.")</p>" : nil
        return """
            <section id="lines">\(empty)<div class="scroll log" data-end tabindex="0" role="region" aria-label="Log"><table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Severity</th>\
            <th scope="col">Component</th><th scope="col">Text</th></tr></thead><tbody>\(lines)</tbody></table></div></section>
            <section id="pages"><p>\(Shown.number(log.matching)) lines; page 1 has the newest.</p>\(StatisticsPage.pager(log.page, log.pages) { kept.with("page", $0 == 1 ? "" : "\($0)").on("\(task.path)/logs") })</section>
            """
    }
}
