extension Remedy { static let uniqueKeysLater = Remedy("unique-keys-later", pitfalls: [3], test: "CatalogCreateStatementTests/baseHoldsOnlyTheRowKey") }

/// How a moved table is created: without what must wait for the consistency point, and the clauses that add it then.
///
/// Before the consistency point rows of different moments stand side by side: a secondary unique key or a foreign key
/// would refuse states that never existed on the source. The other secondary indexes wait too, since building them once is
/// cheaper than keeping them.
package struct BaseTable: Hashable, Sendable {
    /// CREATE TABLE with the new name: columns, checks, options, partitions, and the index that addresses rows.
    package var createStatement: String
    /// `ADD UNIQUE KEY …`: clauses of one ALTER TABLE.
    package var deferredIndexes: [String]
    /// `ADD CONSTRAINT … FOREIGN KEY …`: clauses of one ALTER TABLE, run after every table's indexes are built.
    package var deferredForeignKeys: [String]
    /// Names of the indexes in `createStatement`.
    package var keptIndexes: [String]
    /// Foreign keys that refer to tables that do not move: not in `deferredForeignKeys`.
    package var outside: [CreateStatement.Item]
}

extension CreateStatement {
    /// What stays in the table while rows are loaded: which indexes, and the index that takes the place of one that waits.
    package struct Stripping: Hashable, Sendable {
        /// Indexes that stay as they are.
        package var kept: [Item]
        /// Indexes that wait.
        package var deferred: [Item]
        /// An AUTO_INCREMENT column needs an index that begins with it. Where only a waiting unique key does, a plain key of
        /// this definition under the same name stands in for it.
        package var standIn: Item?
    }

    /// - Parameter rowKey: name of the index that addresses rows, nil for a keyless table (then a primary key that cannot address
    ///   rows stays: such a table is loaded from one exact snapshot).
    /// - Parameter autoIncrement: name of the AUTO_INCREMENT column.
    package func stripping(rowKey: String?, autoIncrement: String?) -> Stripping {
        var kept = indexes.filter { $0.name == (rowKey ?? "PRIMARY") && $0.kind.isUnique }
        var deferred = indexes.filter { !kept.contains($0) }
        guard let column = autoIncrement, !kept.contains(where: { $0.columns.first == column }) else {
            return Stripping(kept: kept, deferred: deferred)
        }
        if let plain = deferred.firstIndex(where: { $0.kind == .key && $0.columns.first == column }) {
            kept.append(deferred.remove(at: plain))
            return Stripping(kept: kept, deferred: deferred)
        }
        guard let unique = deferred.first(where: { $0.kind.isUnique && $0.columns.first == column }) else {
            return Stripping(kept: kept, deferred: deferred)
        }
        let name = unique.kind == .primaryKey ? Self.standInName : unique.name
        let standIn = Item(
            kind: .key, name: name, text: "KEY \(SQL.identifier(name)) (\(SQL.identifier(column)))", columns: [column])
        return Stripping(kept: kept, deferred: deferred, standIn: standIn)
    }

    static let standInName = "godwit_auto_increment"

    /// The table as it is created on the target, and what is added at the consistency point.
    ///
    /// - Parameter source: the table's own name, which an unqualified REFERENCES is relative to.
    /// - Parameter mapping: where a referenced table goes; nil: it does not move.
    package func base(
        for target: TableName, keeping rowKey: String?, autoIncrement: String?, source: TableName,
        mapping: (TableName) -> TableName?
    ) -> BaseTable {
        let stripping = stripping(rowKey: rowKey, autoIncrement: autoIncrement)
        var keptItems: [Item] = items.filter { item in
            item.kind == .column || item.kind == .check || item.kind == .period || stripping.kept.contains(item)
        }
        if !Remedy.uniqueKeysLater.isOn { keptItems += stripping.deferred }
        if let standIn = stripping.standIn { keptItems.append(standIn) }
        var text = "CREATE TABLE \(target.sql) (\n  " + keptItems.map(\.text).joined(separator: ",\n  ") + "\n)"
        if !options.isEmpty { text += " " + options }
        if !partitioning.isEmpty { text += "\n" + partitioning }
        let keys = deferredForeignKeys(of: source, mapping: mapping)
        return BaseTable(
            createStatement: text, deferredIndexes: Self.clauses(stripping), deferredForeignKeys: keys.clauses,
            keptIndexes: stripping.kept.map(\.name), outside: keys.outside)
    }

    /// ALTER clauses that bring the waiting indexes (and take the stand-in away).
    static func clauses(_ stripping: Stripping) -> [String] {
        var clauses = stripping.deferred.map { "ADD " + $0.text }
        if let standIn = stripping.standIn {
            clauses.insert("DROP KEY " + SQL.identifier(standIn.name), at: 0)
        }
        return clauses
    }

    /// ALTER clauses that add the foreign keys, every referenced table named in full.
    package func deferredForeignKeys(
        of table: TableName, mapping: (TableName) -> TableName?
    ) -> (clauses: [String], outside: [Item]) {
        var clauses: [String] = []
        var outside: [Item] = []
        for item in foreignKeys {
            guard var referenced = item.references, let range = item.referencesRange else { continue }
            if referenced.schema.isEmpty { referenced.schema = table.schema }
            guard let target = mapping(referenced) else {
                outside.append(item)
                continue
            }
            let bytes = Array(item.text.utf8)
            clauses.append(
                "ADD " + String(decoding: bytes[..<range.lowerBound], as: UTF8.self) + target.sql
                    + String(decoding: bytes[range.upperBound...], as: UTF8.self))
        }
        return (clauses, outside)
    }
}
