import GodwitEngine

/// What `diagnose` finds, from facts that were read before. Pure.
enum Diagnosis {
    struct Item: Encodable, Sendable, Hashable {
        enum Level: String, Encodable, Sendable, Hashable { case ok, waiting, problem }
        let type = "diagnosis"
        var level: Level
        var what: String
        var why: String
        var cure: String
        /// How long it has been so, seconds.
        var seconds: Double?
        /// When it is given up, seconds; nil: never.
        var limit: Double?
        enum CodingKeys: String, CodingKey {
            case type, level, what, why, cure, seconds
            case limit = "limit_s"
        }
        init(
            _ level: Level, _ what: String, why: String = "", cure: String = "", seconds: Double? = nil,
            limit: Double? = nil
        ) {
            self.level = level
            self.what = what
            self.why = why
            self.cure = cure
            self.seconds = seconds
            self.limit = limit
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(type, forKey: .type)
            try container.encode(level, forKey: .level)
            try container.encode(what, forKey: .what)
            try container.encode(why, forKey: .why)
            try container.encode(cure, forKey: .cure)
            try container.encode(seconds, forKey: .seconds)
            try container.encode(limit, forKey: .limit)
        }
    }

    /// A snapshot older than this although its runner lives is a runner that does not get to store any, seconds.
    static let staleAfter = 30.0

    static func items(
        plan: Plan, path: String, source: Result<ServerAnswer, any Error>, target: Result<ServerAnswer, any Error>,
        status: MigrationStatus?, runnerIsAlive: Bool, now: Double
    ) -> [Item] {
        var items = [
            connection("source", plan.source, source), connection("target", plan.target, target),
        ]
        guard case .success = target else {
            items.append(
                Item(
                    .problem, "The task's state is unknown.", why: "It is on the target.",
                    cure: "Make the target reachable first."))
            return items
        }
        guard let status else {
            items.append(
                Item(
                    .problem, "Task '\(plan.task)' never ran.", why: "The target holds no state of it.",
                    cure: "`godwit migrate -c \(path)` starts it."))
            return items
        }
        items.append(runner(status, path: path, isAlive: runnerIsAlive, age: now - status.at))
        if let error = status.error {
            items.append(
                Item(
                    .problem, "The last error was: \(Format.sentence(error))", why: "",
                    cure: "Remove its cause, then `godwit migrate -c \(path)` resumes."))
        }
        items += status.tables.compactMap(table)
        if runnerIsAlive {
            items += status.waits.map { wait in
                Item(
                    .waiting, "Waiting for \(wait.what).", why: Format.sentence(wait.why), cure: "",
                    seconds: wait.seconds, limit: wait.limitSeconds)
            }
        }
        return items
    }

    static func lines(_ items: [Item], paint: Paint) -> [String] {
        var lines: [String] = []
        for item in items {
            let (mark, tone): (String, Paint.Tone) =
                switch item.level {
                case .ok: ("ok     ", .good)
                case .waiting: ("waiting", .warning)
                case .problem: ("problem", .bad)
                }
            var first = TextWidth.printable(item.what)
            if let seconds = item.seconds {
                let limit = item.limit.map { "given up after \(Format.duration($0))" } ?? "no limit"
                first += " (\(Format.duration(seconds)) so far, \(limit))"
            }
            lines.append("\(paint(mark, tone))  \(first)")
            if !item.why.isEmpty { lines.append("         why:  \(TextWidth.printable(item.why))") }
            if !item.cure.isEmpty { lines.append("         cure: \(TextWidth.printable(item.cure))") }
        }
        let problems = items.count { $0.level == .problem }
        let waits = items.count { $0.level == .waiting }
        if problems == 0, waits == 0 { lines.append("Nothing is being waited for, and no problem is known.") }
        return lines
    }

    private static func connection(
        _ side: String, _ server: Plan.Server, _ result: Result<ServerAnswer, any Error>
    ) -> Item {
        switch result {
        case .success(let facts):
            return Item(.ok, "The \(side) \(server.address) answers: \(facts.version), TLS \(facts.tls).")
        case .failure(let error):
            let failure = Failure(error)
            return Item(.problem, "The \(side) \(server.address) does not answer.", why: failure.sentence)
        }
    }

    private static func runner(_ status: MigrationStatus, path: String, isAlive: Bool, age: Double) -> Item {
        let state = status.state.rawValue.replacing("_", with: " ")
        guard isAlive else {
            switch status.state {
            case .cutOver: return Item(.ok, "The task is cut over; nothing runs.")
            case .failed, .stopped, .starting, .loading, .replaying, .indexing, .following, .paused, .cuttingOver:
                return Item(
                    .problem, "No process runs the task; it was last seen \(state), \(Format.duration(age)) ago.",
                    why: "It was stopped, failed or was killed.", cure: "`godwit migrate -c \(path)` resumes it.")
            }
        }
        if status.state == .paused {
            return Item(
                .waiting, "The task is paused.", why: "It was asked to, by `godwit pause`.",
                cure: "`godwit resume -c \(path)`.")
        }
        if age > staleAfter {
            return Item(
                .problem, "The runner holds the task but has stored no state for \(Format.duration(age)).",
                why: "Its target connection is blocked, or its host stands still.",
                cure: "Look at locks on the target and at the runner's log; stopping and starting it again is safe.")
        }
        let lag = status.lagSeconds.map { ", lag \(Format.duration($0))" } ?? ""
        return Item(.ok, "The task is running: \(state)\(lag), as of \(Format.duration(max(0, age))) ago.")
    }

    private static func table(_ table: MigrationStatus.Table) -> Item? {
        let name = "\(table.schema).\(table.table)"
        if Verdict.isUnequal(table) {
            return Item(
                .problem, "\(name) differs in \(Format.count(table.failed)) rows.",
                why: "Both sides were compared after the last change.", cure: "`godwit verify` lists the keys.")
        }
        if Verdict.isFailed(table) {
            return Item(
                .problem, "\(name) failed.", why: table.problems?.joined(separator: " ") ?? "",
                cure: table.problems == nil ? "The last error and the log say why." : "Remove the reason, then `godwit reload` the table.")
        }
        if Verdict.hasSkipped(table) {
            return Item(
                .problem, "\(name) is not whole: \(Format.count(table.skipped ?? 0)) changes passed over.",
                why: table.problems?.joined(separator: " ") ?? "ErrorBehavior in the task settings says so.",
                cure: "`godwit migrate --repair` or `godwit reload`.")
        }
        if table.suspended > 0 {
            return Item(
                .waiting, "\(name) has \(Format.count(table.suspended)) suspended rows.",
                why: "They change too often to be compared, or could not be compared yet.")
        }
        return nil
    }
}
