import SystemPackage

// The plan's `application:`.
extension PlanParser {
    mutating func application(_ node: DocumentNode) throws(EngineError) -> Plan.Application {
        if node.isNull { return .init() }
        let commands = ["stop", "start", "switch", "switch_back", "health"]
        let map = try reader.map(node, "application", known: ["profile", "timeout", "block"] + commands)
        let given = commands.filter { map[$0] != nil }
        var result = Plan.Application(profile: given.isEmpty ? .none : .commands)
        if let profile = map["profile"] { result.profile = try reader.choice(profile, "application.profile") }
        result.stop = try argvs(map["stop"], "application.stop")
        result.start = try argvs(map["start"], "application.start")
        result.switch = try argvs(map["switch"], "application.switch")
        result.switchBack = try argvs(map["switch_back"], "application.switch_back")
        result.health = try argvs(map["health"], "application.health")
        if let block = map["block"] { result.block = try reader.choice(block, "application.block") }
        if result.block == .application, result.stop.isEmpty {
            throw reader.error(
                map["block"]?.mark ?? node.mark, "application.block is application, and there is no stop: nothing would keep writers off the source.",
                cure: "Add `stop:`, which must stop all that writes.")
        }
        if let timeout = map["timeout"] { result.timeout = try duration(timeout, "application.timeout") }
        if result.profile == .none, let first = given.first, let unused = map[first] {
            warnings.append(
                "\(reader.file):\(unused.mark): application.\(first) has no effect with profile none. "
                    + "Use `profile: commands`.")
        }
        try checkSides(result, map, node)
        return result
    }

    /// Commands whose counterpart is missing would leave an aborted cutover without a running application.
    private func checkSides(
        _ application: Plan.Application, _ map: [String: DocumentNode], _ node: DocumentNode
    ) throws(EngineError) {
        guard application.profile == .commands else { return }
        if !application.stop.isEmpty, application.start.isEmpty {
            throw reader.error(
                map["stop"]?.mark ?? node.mark, "application has stop and no start: nothing would start it again.",
                cure: "Add `start:`, used after the switch and when a cutover is undone.")
        }
        if !application.switchBack.isEmpty, application.switch.isEmpty {
            throw reader.error(
                map["switch_back"]?.mark ?? node.mark, "application has switch_back and no switch.", cure: "Add `switch:`.")
        }
    }

    /// One argv, or a list of them.
    private func argvs(_ node: DocumentNode?, _ subject: String) throws(EngineError) -> [[String]] {
        guard let node, !node.isNull else { return [] }
        guard case .list(let items) = node.content else {
            throw reader.error(
                node.mark, "\(subject) must be a list of words, not \(node.kind): no shell runs it.",
                cure: "Write [\"program\", \"argument\"], or a list of such lists.")
        }
        let lists = items.filter { if case .list = $0.content { true } else { false } }
        if items.isEmpty { return [] }
        if lists.isEmpty { return [try argv(items, node.mark, subject)] }
        guard lists.count == items.count else {
            throw reader.error(
                node.mark, "\(subject) mixes words and lists.", cure: "Write one list of words, or a list of such lists.")
        }
        var result: [[String]] = []
        for list in lists { result.append(try argv(reader.list(list, subject), list.mark, subject)) }
        return result
    }

    private func argv(
        _ words: [DocumentNode], _ mark: DocumentNode.Mark, _ subject: String
    ) throws(EngineError) -> [String] {
        var result: [String] = []
        for word in words {
            // `["sleep", 1]`: a plain number is a word too; only nothing at all is not.
            let text = try reader.text(word, "a word of \(subject)", emptyAllowed: !result.isEmpty)
            guard !text.unicodeScalars.contains("\0") else {
                throw reader.error(word.mark, "a word of \(subject) holds a NUL character.")
            }
            result.append(text)
        }
        guard let program = result.first else { throw reader.error(mark, "\(subject) has an empty command.") }
        // A program by path is found beside the plan; by bare name, in PATH.
        if program.contains("/") { result[0] = PlanFiles.resolve(program, beside: path) }
        return result
    }

    /// `500ms`, `60s`, `5m`, `1h`.
    private func duration(_ node: DocumentNode, _ subject: String) throws(EngineError) -> Duration {
        let text = try reader.text(node, subject)
        guard let match = text.wholeMatch(of: /([0-9]{1,9})(ms|s|m|h)/), let number = Int(match.1), number > 0 else {
            throw reader.error(
                node.mark, "\(subject) can't be \(text).", cure: "Write a number and a unit: 500ms, 60s, 5m or 1h.")
        }
        let duration: Duration =
            switch match.2 {
            case "ms": .milliseconds(number)
            case "s": .seconds(number)
            case "m": .seconds(number * 60)
            default: .seconds(number * 3600)
            }
        guard duration <= .seconds(86_400) else {
            throw reader.error(node.mark, "\(subject) is more than a day.", cure: "Write at most 24h.")
        }
        return duration
    }
}
