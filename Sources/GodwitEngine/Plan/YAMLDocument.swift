import Yams

/// YAML text to a document. Messages never quote the text: a line of it may hold a password.
enum YAMLDocument {
    /// More nodes than any plan has; a chain of aliases can multiply a small file without end.
    static let nodesMax = 100_000

    static func parse(_ text: String, reader: DocumentReader) throws(EngineError) -> DocumentNode {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw refusal(of: error, reader)
        } catch {
            throw reader.error(nil, "this is no YAML.")
        }
        guard let root else {
            throw reader.error(nil, "the file is empty.", cure: "`godwit init` writes a commented plan.")
        }
        var budget = nodesMax
        return try convert(root, at: .init(line: 1, column: 1), reader, &budget)
    }

    private static func convert(
        _ node: Node, at place: DocumentNode.Mark, _ reader: DocumentReader, _ budget: inout Int
    ) throws(EngineError) -> DocumentNode {
        budget -= 1
        let mark = node.mark.map { DocumentNode.Mark(line: $0.line, column: $0.column) } ?? place
        guard budget > 0 else {
            throw reader.error(mark, "the document has more than \(nodesMax) values.", cure: "Write aliases out.")
        }
        switch node {
        case .scalar(let scalar):
            let plain = scalar.style == .plain || scalar.style == .any
            return DocumentNode(content: .scalar(scalar.string, plain: plain), mark: mark)
        case .sequence(let sequence):
            var items: [DocumentNode] = []
            for item in sequence { items.append(try convert(item, at: mark, reader, &budget)) }
            return DocumentNode(content: .list(items), mark: mark)
        case .mapping(let mapping):
            var entries: [DocumentNode.Entry] = []
            for (key, value) in mapping {
                let keyNode = try convert(key, at: mark, reader, &budget)
                guard case .scalar(let name, _) = keyNode.content else {
                    throw reader.error(keyNode.mark, "a key must be a text, not \(keyNode.kind).")
                }
                let entry = DocumentNode.Entry(
                    key: name, mark: keyNode.mark, value: try convert(value, at: keyNode.mark, reader, &budget))
                entries.append(entry)
            }
            return DocumentNode(content: .map(entries), mark: mark)
        case .alias:
            throw reader.error(mark, "aliases can't be used here.", cure: "Write the value out.")
        }
    }

    private static func refusal(of error: YamlError, _ reader: DocumentReader) -> EngineError {
        func sentence(_ problem: String, _ mark: Mark, _ context: YamlError.Context?) -> EngineError {
            let place = DocumentNode.Mark(line: mark.line, column: mark.column)
            let circumstance = context.map { " \($0.text) that began in line \($0.mark.line)" } ?? ""
            return reader.error(
                place, "this is no YAML:\(circumstance) \(problem).",
                cure: "Often an indentation, a tab, or a text with a colon or quote in it that needs quotes.")
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return sentence(problem, mark, context)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return reader.error(
                .init(line: context.mark.line, column: context.mark.column),
                "this map has a key twice: \(duplicates.joined(separator: ", ")).", cure: "Keep the one that is meant.")
        case .reader(let problem, let offset, _, _):
            let place = offset.map { " at offset \($0)" } ?? ""
            return reader.error(nil, "this is no YAML: \(problem)\(place).", cure: "Save the file as UTF-8.")
        case .dataCouldNotBeDecoded:
            return reader.error(nil, "this is no UTF-8.", cure: "Save the file as UTF-8.")
        default:
            return reader.error(nil, "this can't be read as YAML.")
        }
    }
}
