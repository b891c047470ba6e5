/// Where the applier makes the mistakes that `Fault` names; nothing without one.
enum Sabotage {
    static func items(_ items: [SourceItem]) -> [SourceItem] {
        guard Fault.dropLastEvent.isOn else { return items }
        var kept: [SourceItem] = []
        for item in items {
            if case .commit = item, case .rows = kept.last { kept.removeLast() }
            kept.append(item)
        }
        return kept
    }

    static func plan<Row>(_ plan: NetEffects<Row>.Plan) -> NetEffects<Row>.Plan {
        guard Fault.skipRow.isOn, !plan.inserts.isEmpty else { return plan }
        var plan = plan
        plan.inserts.removeFirst()
        return plan
    }
}
