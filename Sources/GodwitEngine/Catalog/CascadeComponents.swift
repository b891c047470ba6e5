import MySQLTypes

/// Tables whose rows change without an event: where the server that writes the log does not log what foreign keys do (MySQL
/// before 9.6, `innodb_native_foreign_keys = ON`, MariaDB), an event of a parent stands for changes of its children too.
///
/// All tables that foreign keys connect, if one of these keys cascades, are one component: read from one snapshot, replayed
/// event by event. Keys that do not cascade connect too, since the order of their tables' changes then matters as well. Pure;
/// `logged` is `ServerFacts.logsCascades` of whoever writes the log, of a target whose log is followed back as of a source.
package enum CascadeComponents {
    /// The components, each in name order; none where cascades are logged.
    package static func find(_ tables: [TableDefinition], logged: Bool, foldsCase: Bool = false) -> [[TableName]] {
        guard !logged else { return [] }
        var names: [TableName: Int] = [:]
        for (index, table) in tables.enumerated() { names[folded(table.name, foldsCase)] = index }
        var parents = Array(tables.indices)
        func root(_ index: Int) -> Int {
            var index = index
            while parents[index] != index { index = parents[index] }
            return index
        }
        var cascading: [Int] = []
        for (child, table) in tables.enumerated() {
            for key in table.foreignKeys {
                guard let parent = names[folded(key.referenced, foldsCase)] else { continue }
                if key.cascades { cascading.append(child) }
                let (left, right) = (root(child), root(parent))
                parents[max(left, right)] = min(left, right)
            }
        }
        let roots = Set(cascading.map(root))
        var components: [Int: [TableName]] = [:]
        for index in tables.indices where roots.contains(root(index)) { components[root(index), default: []].append(tables[index].name) }
        return components.values.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    }

    /// `changed`, and all tables that were in one component with one of them or are now: what has to be read again as one.
    package static func affected(
        by changed: Set<TableName>, before: [TableDefinition], now: [TableDefinition], logged: Bool, foldsCase: Bool
    ) -> Set<TableName> {
        var affected = changed
        let components = [before, now].flatMap { find($0, logged: logged, foldsCase: foldsCase) }
        var grows = true
        while grows {
            grows = false
            for component in components where !affected.isDisjoint(with: component) && !affected.isSuperset(of: component) {
                affected.formUnion(component)
                grows = true
            }
        }
        return affected
    }

    /// What of cascading foreign keys cannot be followed where they are not logged; each a sentence. A parent whose cascading
    /// child is outside of the plan is none of these: cascades run from parents to children, never back.
    package static func objections(
        to table: TableDefinition, among tables: [TableDefinition], isFiltered: (TableName) -> Bool, foldsCase: Bool
    ) -> [String] {
        guard let component = find(tables, logged: false, foldsCase: foldsCase).first(where: { $0.contains(table.name) }) else { return [] }
        var found: [String] = []
        if isFiltered(table.name) {
            found.append("Only a part of \(table.name) is included, and cascades of \(component.map(\.description).joined(separator: ", ")) that are not logged pass through rows that are not there")
        }
        if table.period != nil {
            found.append("\(table.name) is system-versioned, and cascades that are not logged would make history that is not the source's (\(component.map(\.description).joined(separator: ", ")))")
        }
        for key in table.foreignKeys where key.cascades {
            if key.onDelete == "SET DEFAULT" || key.onUpdate == "SET DEFAULT" {
                found.append("Foreign key \(SQL.identifier(key.name)) of \(table.name) says SET DEFAULT, which InnoDB does not define")
            }
            let columns = Set(key.columns.map { $0.lowercased() })
            if table.columns.contains(where: { columns.contains($0.name.lowercased()) && ["float", "double"].contains($0.dataType) }) {
                found.append("Foreign key \(SQL.identifier(key.name)) of \(table.name) is over a floating-point column, whose values cannot be looked up exactly")
            }
        }
        return found
    }

    static func folded(_ name: TableName, _ fold: Bool) -> TableName {
        fold ? TableName(schema: name.schema.lowercased(), table: name.table.lowercased()) : name
    }
}
