/// What has to be done so that the target's objects are the source's. Pure. Triggers are not its business: see `ObjectMover`.
package struct ObjectChanges: Hashable, Sendable {
    /// Godwit made them, and the source has them no more.
    package var drops: [ObjectDefinition.ID] = []
    /// In order; whatever stands there under the name is replaced.
    package var makes: [ObjectDefinition] = []
    /// They stand as they should: only the ledger has to learn it.
    package var notes: [ObjectDefinition] = []

    /// - Parameters:
    ///   - source: what the source has now, in the order in which it is made.
    ///   - kept: what the source has too and cannot be moved as it is now: what was made of it before stays.
    ///   - crosses: from one family of servers to the other. Then only what Godwit made, and what is as it was then, is the same.
    package init(
        source: [ObjectDefinition], target: [ObjectDefinition], ledger: [ObjectLedger.Row], kept: Set<ObjectDefinition.ID> = [], crosses: Bool = false
    ) {
        let found = Dictionary(target.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let known = Dictionary(ledger.map { ($0.object.id, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = Set(source.map(\.id)).union(kept)
        drops = ledger.map(\.object.id).filter { $0.kind != .trigger && !wanted.contains($0) }.sorted()
        for object in source where object.kind != .trigger && !object.isExpired {
            let row = known[object.id]
            // Made from this very definition: that the target prints it in its own way is no reason to make it again.
            let isCurrent = row.map { $0.isMade && ObjectComparison.isSame($0.object, object) } ?? false
            // An event never fires on the target before the point of no return.
            let fires = object.kind == .event && found[object.id]?.isEnabled == true
            if crosses {
                if fires || row?.standsFor(object, as: found[object.id]) != true { makes.append(object) }
            } else if let other = found[object.id], !fires, isCurrent || ObjectComparison.isSame(object, other) {
                if row != ObjectLedger.Row(object, isMade: true) { notes.append(object) }
            } else {
                makes.append(object)
            }
        }
    }
}
