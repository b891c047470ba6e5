import GodwitEngine

/// Table statistics: sorted, filtered and paged by the address, so that it works without JavaScript.
enum StatisticsPage {
    static let pageSize = 100
    private struct Column: Sendable {
        var key: String
        var name: String
        var number: (@Sendable (TableView) -> UInt64)?
        var text: (@Sendable (TableView) -> String)?
    }
    private static let columns: [Column] = [
        .init(key: "schema", name: "Schema", text: { $0.schema }), .init(key: "table", name: "Table", text: { $0.name }),
        .init(key: "state", name: "State", text: { $0.state }), .init(key: "rows", name: "Full-load rows", number: { $0.rows }),
        .init(key: "inserts", name: "Inserts", number: { $0.inserts }), .init(key: "updates", name: "Updates", number: { $0.updates }),
        .init(key: "deletes", name: "Deletes", number: { $0.deletes }), .init(key: "ddls", name: "DDL", number: { $0.ddls }),
        .init(key: "validation", name: "Validation", text: { $0.validation }), .init(key: "pending", name: "Pending", number: { $0.pending }),
        .init(key: "failed", name: "Failed", number: { $0.failed }), .init(key: "suspended", name: "Suspended", number: { $0.suspended }),
    ]

    /// The tables that the query asks for, in its order.
    static func chosen(_ tables: [TableView], _ query: Fields) -> [TableView] {
        let word = query["filter"].lowercased()
        let (state, validation) = (query["state"], query["validation"])
        var kept = tables.filter { table in
            (word.isEmpty || "\(table.schema).\(table.name)".lowercased().contains(word)) && (state.isEmpty || table.state == state)
                && (validation.isEmpty || table.validation == validation)
                && (query["show"] != "problems" || table.failed > 0 || table.suspended > 0 || table.state == "Table error" || !table.problems.isEmpty)
        }
        guard let column = columns.first(where: { $0.key == query["sort"] }) else { return kept }
        // Numbers: most first; names: as in a book; `order` turns it round. Same ones stay in the task's order.
        let descends = query["order"].isEmpty ? column.number != nil : query["order"] == "down"
        if let number = column.number {
            kept.sort { descends ? number($0) > number($1) : number($0) < number($1) }
        } else if let text = column.text {
            kept.sort { descends ? text($0) > text($1) : text($0) < text($1) }
        }
        return kept
    }

    static func head(_ task: TaskView, _ query: Fields) -> HTML {
        func choice(_ name: String, _ label: String, _ values: [String]) -> HTML {
            let options = Set(values + [query[name]]).subtracting([""]).sorted().map { value -> HTML in
                "<option\(value == query[name] ? " selected" : "" as HTML)>\(value)</option>"
            }
            return "<label>\(label) <select name=\"\(name)\"><option value=\"\">all</option>\(options)</select></label>"
        }
        let kept = ["sort", "order", "show"].filter { !query[$0].isEmpty }.map { "<input type=\"hidden\" name=\"\($0)\" value=\"\(query[$0])\">" as HTML }
        return TaskPages.head(task, .statistics) + """
            <form method="get" action="\(task.path)/statistics" class="tools"><label>Name <input name="filter" value="\(query["filter"])" type="search" maxlength="200"></label>\
            \(choice("state", "State", task.tables.map(\.state)))\(choice("validation", "Validation", task.tables.map(\.validation)))\(kept)<button>Filter</button>\
            <a class="button" href="\(task.path)/statistics">All</a></form>
            """
    }

    static func live(_ task: TaskView, _ query: Fields) -> HTML {
        let path = "\(task.path)/statistics"
        let tables = chosen(task.tables, query)
        let pages = max(1, (tables.count + pageSize - 1) / pageSize)
        let page = min(max(1, Int(query["page"]) ?? 1), pages)
        let heads = columns.map { column -> HTML in
            let isSorted = query["sort"] == column.key
            let descends = query["order"].isEmpty ? column.number != nil : query["order"] == "down"
            let next = isSorted ? (descends ? "up" : "down") : ""
            let sorted: HTML = isSorted ? " aria-sort=\"\(descends ? "descending" : "ascending")\"" : ""
            let arrow = isSorted ? (descends ? " ↓" : " ↑") : ""
            return "<th scope=\"col\"\(column.number == nil ? "" : " class=\"n\"" as HTML)\(sorted)><a href=\"\(query.with("sort", column.key).with("order", next).with("page", "").on(path))\">\(column.name)\(arrow)</a></th>"
        }
        let rows = tables.dropFirst((page - 1) * pageSize).prefix(pageSize).map { row($0, task) }
        let empty: HTML? = rows.isEmpty ? "<p>\(task.tables.isEmpty ? "Nothing is known of tables before the task has run." : "No table passes the filter.")</p>" : nil
        return """
            <section id="sums"><p>\(Shown.number(tables.count)) of \(Shown.number(task.tables.count)) tables, \(Shown.number(tables.reduce(0) { $0 + $1.rows })) rows loaded\
            \(task.run.map { ", as of \(Shown.time($0.at))" } ?? "")</p></section>
            <section id="tables">\(empty)<div class="scroll" tabindex="0" role="region" aria-label="Table statistics"><table id="statistics"><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div></section>
            <section id="pages">\(pager(page, pages) { query.with("page", $0 == 1 ? "" : "\($0)").on(path) })</section>
            """
    }

    private static func row(_ table: TableView, _ task: TaskView) -> HTML {
        let address = Fields().with("schema", table.schema).with("table", table.name).on("\(task.path)/table")
        let state: HTML = table.state == "Table error" ? TaskPages.badge(table.state, "bad") : "\(table.state)"
        let isWrong = ["Mismatched records", "Table error", "Error", "Suspended records"].contains(table.validation)
        let validation: HTML =
            isWrong ? TaskPages.badge(table.validation, "bad") : table.validation == "Validated" ? TaskPages.badge(table.validation, "good") : "\(table.validation)"
        let numbers = [table.rows, table.inserts, table.updates, table.deletes, table.ddls].map { "<td class=\"n\">\(Shown.number($0))</td>" as HTML }
        let checks = [table.pending, table.failed, table.suspended].map { "<td class=\"n\">\(Shown.number($0))</td>" as HTML }
        return "<tr data-table=\"\(table.schema).\(table.name)\"><td>\(table.schema)</td><th scope=\"row\"><a href=\"\(address)\">\(table.name)</a></th><td>\(state)</td>\(numbers)<td>\(validation)</td>\(checks)</tr>"
    }

    static func pager(_ page: Int, _ pages: Int, _ address: (Int) -> String) -> HTML {
        guard pages > 1 else { return "" }
        let before: HTML? = page > 1 ? "<a class=\"button\" rel=\"prev\" href=\"\(address(page - 1))\">Previous</a>" : nil
        let after: HTML? = page < pages ? "<a class=\"button\" rel=\"next\" href=\"\(address(page + 1))\">Next</a>" : nil
        return "<nav class=\"pager\" aria-label=\"Pages\">\(before)<span>Page \(page) of \(pages)</span>\(after)</nav>"
    }

    // MARK: One table

    static func table(_ table: TableView, _ task: TaskView) -> HTML {
        let facts: [(String, HTML)] = [
            ("State", "\(table.state)"), ("Full-load rows", "\(Shown.number(table.rows))"), ("Inserts", "\(Shown.number(table.inserts))"),
            ("Updates", "\(Shown.number(table.updates))"), ("Deletes", "\(Shown.number(table.deletes))"), ("DDL", "\(Shown.number(table.ddls))"),
            ("Validation", "\(table.validation)"), ("Pending", "\(Shown.number(table.pending))"), ("Failed", "\(Shown.number(table.failed))"),
            ("Suspended", "\(Shown.number(table.suspended))"),
        ]
        let cells = facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as HTML }
        let problems = table.problems.map { "<p class=\"notice bad\">\($0)</p>" as HTML }
        let reload: HTML =
            TaskPages.Action.reloadTable.isOffered(task)
            ? "<a class=\"button\" href=\"\(Fields().with("action", "reload-table").with("schema", table.schema).with("table", table.name).on("\(task.path)/confirm"))\">Load this table again…</a>" : ""
        return """
            <section id="problems">\(problems)</section><section id="facts"><dl>\(cells)</dl></section><section id="actions"><div class="actions">\(reload)</div></section>
            <section id="rows">\(differences(table))</section>
            """
    }

    private static func differences(_ table: TableView) -> HTML {
        guard !table.mismatches.isEmpty else { return table.failed > 0 ? "<p>The rows are being read.</p>" : "<p>No row is known to differ.</p>" }
        func value(_ text: String?) -> HTML { text.map { "<code>\($0)</code>" } ?? "<i>NULL</i>" }
        let rows = table.mismatches.map { row -> HTML in
            let key = "\(row.keyColumns.map { "\($0.joined(separator: ", ")) = " } ?? "")\(row.key)"
            let kind =
                switch row.kind {
                case .missing: "missing on the target"
                case .extra: "only on the target"
                case .different: "different"
                }
            let columns = row.columns.map { "<tr><td>\(key)</td><td>\(kind)</td><td>\($0.name)\($0.note.map { " (\($0))" } ?? "")</td><td>\(value($0.source))</td><td>\(value($0.target))</td></tr>" as HTML }
            return columns.isEmpty ? "<tr><td>\(key)</td><td>\(kind)</td><td></td><td></td><td></td></tr>" : HTML(columns)
        }
        return """
            <h2>Rows that differ</h2><p>The first ones, as they were when they were compared.</p><div class="scroll" tabindex="0" role="region" aria-label="Rows that differ">\
            <table><thead><tr><th scope="col">Row</th><th scope="col">What</th><th scope="col">Column</th><th scope="col">Source</th><th scope="col">Target</th></tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }
}
