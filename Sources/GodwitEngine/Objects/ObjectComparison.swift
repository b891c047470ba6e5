import Foundation

/// Are two definitions the same?
package enum ObjectComparison {
    /// What is different, in a few words each; empty: the same. An event's being switched on is not part of its definition here.
    package static func differences(_ source: ObjectDefinition, _ target: ObjectDefinition) -> [String] {
        (text(source) == text(target) ? [] : ["the text differs"]) + settings(source, target, modes: modes)
    }

    /// Between the families: what was made there from a translated text, and what came of it. Bodies are kept as they were written by
    /// both; a view is printed anew by each server.
    package static func differences(translated: ObjectDefinition, target: ObjectDefinition) -> [String] {
        let isSame = translated.kind == .view || ObjectBody.text(translated).map { $0 == ObjectBody.text(target) } ?? false
        let plain = { (mode: String?) in ObjectTranslation.plain(mode)?.sorted().joined(separator: ",") }
        return (isSame ? [] : ["the body differs"]) + settings(translated, target, modes: plain)
    }

    private static func settings(_ source: ObjectDefinition, _ target: ObjectDefinition, modes: (String?) -> String?) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ left: String?, _ right: String?) {
            if left != right { found.append("\(what) is \(left ?? "none") on the source and \(right ?? "none") on the target") }
        }
        compare("sql_mode", modes(source.sqlMode), modes(target.sqlMode))
        compare("character_set_client", canonical(source.characterSetClient), canonical(target.characterSetClient))
        compare("collation_connection", canonical(source.collationConnection), canonical(target.collationConnection))
        compare("the database collation", canonical(source.databaseCollation), canonical(target.databaseCollation))
        compare("the time zone", source.timeZone, target.timeZone)
        compare("the definer", source.definer, target.definer)
        compare("the table", source.place?.table, target.place?.table)
        compare("the moment", moment(source), moment(target))
        compare("the place among the triggers of its moment", source.place.map { "\($0.order)" }, target.place.map { "\($0.order)" })
        return found
    }

    package static func isSame(_ source: ObjectDefinition, _ target: ObjectDefinition) -> Bool {
        differences(source, target).isEmpty
    }

    /// One sentence for each object that is missing or different on the target. What is on the target only is not Godwit's.
    package static func sentences(source: [ObjectDefinition], target: [ObjectDefinition]) -> [String] {
        let found = Dictionary(target.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return source.sorted { $0.id < $1.id }.compactMap { object in
            guard let other = found[object.id] else { return "The \(object.id) is not on the target." }
            let differences = differences(object, other)
            return differences.isEmpty ? nil : "The \(object.id) is not the same on the target: \(differences.joined(separator: ", "))."
        }
    }

    /// The text without what may differ: an event's status, and spaces at the end.
    static func text(_ object: ObjectDefinition) -> Data {
        var text = object.statement
        if object.kind == .event, let status = ObjectStatements.status(of: object) {
            text = text[..<status.lowerBound] + text[status.upperBound...]
        }
        while let last = text.last, last == 0x20 || last == 0x0A || last == 0x0D || last == 0x09 { text = text.dropLast() }
        return Data(text)
    }

    private static func modes(_ mode: String?) -> String? {
        mode.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.sorted().joined(separator: ",") }
    }

    private static func moment(_ object: ObjectDefinition) -> String? { object.place.map { "\($0.timing) \($0.event)" } }

    private static func canonical(_ name: String?) -> String? { Definitions.canonical(name) }
}
