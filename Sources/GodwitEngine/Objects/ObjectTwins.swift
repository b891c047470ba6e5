/// The source's objects and, between the families, what is made of each on the target. Pure.
struct ObjectTwins: Sendable {
    let crosses: Bool
    /// As the source has them. Without those that cannot be moved.
    private(set) var movable: [ObjectDefinition] = []
    /// Each a sentence.
    private(set) var refused: [String] = []
    private var twins: [ObjectDefinition.ID: ObjectDefinition] = [:]

    init(_ source: [ObjectDefinition], _ dialect: DialectTranslation) {
        crosses = dialect.crosses
        guard crosses else {
            movable = source
            return
        }
        let translation = ObjectTranslation(dialect, objects: source)
        for object in source {
            let outcome = translation.translated(object)
            if let objection = outcome.objections.first {
                refused.append("The \(object.id) is not moved between MySQL and MariaDB. \(objection)")
            } else {
                movable.append(object)
                twins[object.id] = outcome.object
            }
        }
    }

    /// The object as the target must have it.
    func twin(_ object: ObjectDefinition) -> ObjectDefinition { twins[object.id] ?? object }

    /// - Parameters:
    ///   - made: by their definitions on the source.
    ///   - found: what the target has now.
    /// - Returns: rows to store, and a sentence for each that did not come out as it should.
    func noted(_ made: [ObjectDefinition], found: [ObjectDefinition]) -> (rows: [ObjectLedger.Row], failures: [String]) {
        let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var rows: [ObjectLedger.Row] = []
        var failures: [String] = []
        for object in made {
            guard let printed = byID[object.id] else {
                if !object.isExpired { failures.append("The \(object.id) is not on the target.") }
                continue
            }
            let differences = ObjectComparison.differences(translated: twin(object), target: printed)
            if differences.isEmpty {
                rows.append(.init(object, isMade: true, printed: printed))
            } else {
                failures.append("The \(object.id) is not the same on the target: \(differences.joined(separator: ", ")).")
            }
        }
        return (rows, failures)
    }

    /// One sentence for each object that is not there, or not what Godwit made of it. The families print definitions in their own ways, so
    /// an object is the same if the source's is the one that it was made from, and the target's what came of that.
    static func sentences(source: [ObjectDefinition], target: [ObjectDefinition], ledger: [ObjectLedger.Row]) -> [String] {
        let found = Dictionary(target.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = Dictionary(ledger.map { ($0.object.id, $0) }, uniquingKeysWith: { first, _ in first })
        return source.sorted { $0.id < $1.id }.compactMap { object in
            guard let other = found[object.id] else { return "The \(object.id) is not on the target." }
            guard let row = rows[object.id], let printed = row.printed else {
                return "The \(object.id) cannot be compared between MySQL and MariaDB: no task of Godwit noted what it made of it."
            }
            if row.standsFor(object, as: other) { return nil }
            let changed = ObjectComparison.differences(printed, other).map {
                $0.replacing(" on the source and ", with: " then and ").replacing(" on the target", with: " now")
            }
            return changed.isEmpty
                ? "The \(object.id) was changed on the source after it was made on the target."
                : "The \(object.id) was changed on the target since Godwit made it: \(changed.joined(separator: ", "))."
        }
    }
}
