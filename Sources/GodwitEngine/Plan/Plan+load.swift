import MySQLWire
import SystemPackage

extension Plan {
    /// Reads a plan and the files it names. Throws `.plan` errors only: one sentence with file, line and column.
    ///
    /// Paths in the plan are relative to the plan's folder.
    package static func load(path: String, files: PlanFiles = .live) throws(EngineError) -> Plan {
        let bytes: [UInt8]
        do {
            bytes = try files.read(path)
        } catch {
            throw EngineError(
                .plan, "The plan \(path) can't be read: \(error.reason).",
                cure: "Name it with -c, or write one with `godwit init`.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw EngineError(.plan, "The plan \(path) is no UTF-8.", cure: "Save the file as UTF-8.")
        }
        return try parse(yaml: text, path: path, files: files)
    }

    /// A plan from its text; `path` is the plan file's own, for messages, relative paths and the task's default name.
    package static func parse(yaml: String, path: String, files: PlanFiles) throws(EngineError) -> Plan {
        let reader = DocumentReader(file: path)
        let document = try YAMLDocument.parse(yaml, reader: reader)
        var parser = PlanParser(reader: reader, path: path, files: files)
        return try parser.plan(document)
    }
}

/// Turns the document into a plan; collects warnings on the way.
struct PlanParser {
    let reader: DocumentReader
    let path: String
    let files: PlanFiles
    var warnings: [String] = []

    init(reader: DocumentReader, path: String, files: PlanFiles) {
        self.reader = reader
        self.path = path
        self.files = files
    }

    private static let keys = ["name", "source", "target", "tables", "settings", "task", "application", "state", "without", "users", "reverse"]

    mutating func plan(_ document: DocumentNode) throws(EngineError) -> Plan {
        let map = try reader.map(document, "The plan", known: Self.keys)
        let source = try server(required(map["source"], "source", in: document), side: "source", .verifyCA)
        let target = try server(required(map["target"], "target", in: document), side: "target", .verifyIdentity)
        let mappings = try tables(required(map["tables"], "tables", in: document))
        let settings = try settings(file: map["settings"], inline: map["task"])
        let application = try map["application"].map { (node) throws(EngineError) in try self.application(node) }
        let task = try taskName(map["name"])
        let state = try map["state"].map { (node) throws(EngineError) in try reader.text(node, "state") } ?? ".godwit"
        let without = try map["without"].map { (node) throws(EngineError) in try self.without(node) } ?? []
        var plan = Plan(
            task: task, source: source, target: target, mappings: mappings, settings: settings,
            application: application ?? .init(), stateFolder: PlanFiles.resolve(state, beside: path),
            warnings: warnings)
        plan.without = without
        plan.users = try map["users"].flatMap { (node) throws(EngineError) in try self.users(node) }
        plan.reverse = try map["reverse"].flatMap { (node) throws(EngineError) in try self.reverse(node) }
        if let node = map["reverse"], plan.reverse != nil {
            do {
                _ = try plan.reversed()
            } catch {
                throw reader.error(node.mark, error.what, cure: error.cure)
            }
        }
        return plan
    }

    /// `reverse: true`, or `reverse: { block: accounts }`.
    private func reverse(_ node: DocumentNode) throws(EngineError) -> Plan.Reverse? {
        if node.isNull { return nil }
        if case .map = node.content {
            let map = try reader.map(node, "reverse", known: ["block"])
            var reverse = Plan.Reverse()
            if let block = map["block"] { reverse.block = try reader.choice(block, "reverse.block") as Plan.Application.Block }
            return reverse
        }
        return try reader.truth(node, "reverse") ? Plan.Reverse() : nil
    }

    /// `without: [views, triggers]`: kinds of objects that are left behind.
    private func without(_ node: DocumentNode) throws(EngineError) -> Set<ObjectKind> {
        var kinds: Set<ObjectKind> = []
        for item in try reader.list(node, "without") {
            let name = try reader.text(item, "without")
            guard let kind = ObjectKind(rawValue: name) else {
                throw reader.error(
                    item.mark, "without can't name \(name).",
                    cure: "It takes \(ObjectKind.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    func required(
        _ node: DocumentNode?, _ key: String, in map: DocumentNode, _ subject: String = "The plan"
    ) throws(EngineError) -> DocumentNode {
        guard let node, !node.isNull else {
            throw reader.error(map.mark, "\(subject) has no \(key).", cure: "Add `\(key):`; `godwit init` writes an example.")
        }
        return node
    }

    /// Rows in the target's schema carry it: 64 characters.
    private func taskName(_ node: DocumentNode?) throws(EngineError) -> String {
        let name: String
        if let node { name = try reader.text(node, "name") } else { name = FilePath(path).stem ?? "godwit" }
        guard name.unicodeScalars.count <= 64, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
            throw reader.error(
                node?.mark, "the task's name must have 1 to 64 characters without control characters.",
                cure: "Give it with `name:`.")
        }
        return name
    }

    private mutating func tables(_ node: DocumentNode) throws(EngineError) -> TableMappings {
        if case .map = node.content { return try TableMappings.patterns(node, reader) }
        let name = try reader.text(node, "tables, a file of table mappings or a map with include and exclude,")
        let text = try contents(of: name, named: "tables", at: node.mark)
        let (mappings, notes) = try TableMappings.parse(json: text, file: PlanFiles.resolve(name, beside: path))
        warnings += notes
        return mappings
    }

    private mutating func settings(
        file: DocumentNode?, inline: DocumentNode?
    ) throws(EngineError) -> TaskSettings {
        if let file, let inline {
            throw reader.error(
                inline.mark, "the plan has task settings twice, under settings (line \(file.mark.line)) and under task.",
                cure: "Keep one.")
        }
        if let inline, !inline.isNull {
            let (settings, notes) = try TaskSettings.read(inline, reader)
            warnings += notes
            return settings
        }
        guard let file else { return TaskSettings() }
        let name = try reader.text(file, "settings, a file of task settings,")
        let text = try contents(of: name, named: "settings", at: file.mark)
        let (settings, notes) = try TaskSettings.parse(json: text, file: PlanFiles.resolve(name, beside: path))
        warnings += notes
        return settings
    }

    /// The text of a file that the plan names under `key`.
    func contents(of name: String, named key: String, at mark: DocumentNode.Mark) throws(EngineError) -> String {
        let full = PlanFiles.resolve(name, beside: path)
        let bytes: [UInt8]
        do {
            bytes = try files.read(full)
        } catch {
            throw reader.error(
                mark, "the file \(full), named by \(key), can't be read: \(error.reason).",
                cure: "Paths are relative to the plan's folder.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw reader.error(mark, "the file \(full), named by \(key), is no UTF-8.", cure: "Save it as UTF-8.")
        }
        return text
    }
}
