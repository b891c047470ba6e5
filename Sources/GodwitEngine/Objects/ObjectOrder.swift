/// In which order objects are made.
package enum ObjectOrder {
    /// Functions, procedures, views after the views that they read, events, triggers by table and by their place; within that by name.
    package static func sorted(_ objects: [ObjectDefinition]) -> [ObjectDefinition] {
        let views = Dictionary(
            objects.filter { $0.kind == .view }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let depths = depths(of: views)
        return objects.sorted { left, right in
            if left.kind != right.kind { return left.kind < right.kind }
            switch left.kind {
            case .view: return (depths[left.name] ?? 0, left.name) < (depths[right.name] ?? 0, right.name)
            case .trigger:
                guard left.schema == right.schema, let first = left.place, let second = right.place else {
                    return left.schema < right.schema
                }
                return first < second
            case .function, .procedure, .event: return left.name < right.name
            }
        }
    }

    /// How many views stand below a view, at the longest. Views in a cycle, which a server does not let anyone make, but an
    /// invalid view may claim, count each other once.
    static func depths(of views: [TableName: ObjectDefinition]) -> [TableName: Int] {
        var depths: [TableName: Int] = [:]
        // Level by level, without recursion: a chain may be long.
        var waiting = Set(views.keys)
        var level = 0
        while !waiting.isEmpty {
            let ready = waiting.filter { name in views[name]?.uses.allSatisfy { $0 == name || !waiting.contains($0) } ?? true }
            let taken = ready.isEmpty ? waiting : ready
            for name in taken { depths[name] = level }
            waiting.subtract(taken)
            level += 1
        }
        return depths
    }
}
