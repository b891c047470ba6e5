extension Remedy { static let sameKeyCollation = Remedy("same-key-collation", pitfalls: [6], test: "CatalogDefinitionsTests") }

/// Does a table that exists on the target take every row of the source's table, as it is?
package enum Definitions {
    /// What makes the target's table unfit, each a sentence; empty: it fits. Columns are matched by name, in any order.
    package static func differences(source: TableDefinition, target: TableDefinition) -> [String] {
        var found: [String] = []
        if target.engine.uppercased() != "INNODB" {
            found.append("Its engine on the target is \(target.engine), which keeps no transactions.")
        }
        if (source.period == nil) != (target.period == nil) {
            found.append("It is system-versioned on the \(source.period == nil ? "target" : "source") only.")
            return found
        }
        let unique = uniqueColumns(source).union(uniqueColumns(target))
        for column in source.columns {
            guard let other = self.column(column.name, of: target) else {
                found.append("Column \(SQL.identifier(column.name)) does not exist on the target.")
                continue
            }
            found += differences(column, other, isUnique: unique.contains(column.name.lowercased()))
        }
        for column in target.columns where self.column(column.name, of: source) == nil {
            let fillsItself = column.isNullable || column.defaultExpression != nil || column.isAutoIncrement || column.isGenerated
            if !fillsItself {
                found.append(
                    "Column \(SQL.identifier(column.name)) exists on the target only, is NOT NULL and has no default.")
            }
        }
        if let key = source.rowKey, rowKey(of: target, for: source) == nil {
            let columns = key.columns.map { SQL.identifier(source.columns[$0].name) }.joined(separator: ", ")
            found.append(
                "The source's rows are addressed by the key (\(columns)); the target has no primary or unique key "
                    + "of exactly these NOT NULL columns.")
        }
        return found
    }

    /// What is different and does not hinder the move, each a sentence.
    package static func remarks(source: TableDefinition, target: TableDefinition) -> [String] {
        var found: [String] = []
        let unique = uniqueColumns(source).union(uniqueColumns(target))
        for column in source.columns {
            guard let other = self.column(column.name, of: target) else { continue }
            let name = SQL.identifier(column.name)
            if !same(column.collation, other.collation), !unique.contains(column.name.lowercased()) {
                found.append(
                    "Column \(name) is sorted by \(column.collation ?? "-") on the source and by \(other.collation ?? "-") on the target.")
            }
            if !column.isNullable, other.isNullable { found.append("Column \(name) is NOT NULL on the source only.") }
            if column.isAutoIncrement != other.isAutoIncrement {
                found.append("Column \(name) is AUTO_INCREMENT on the \(column.isAutoIncrement ? "source" : "target") only.")
            }
        }
        for index in missingUnique(of: source, in: target) {
            found.append("Unique key \(SQL.identifier(index)) of the source does not exist on the target, and will not be created.")
        }
        for index in missingUnique(of: target, in: source) {
            found.append(
                "Unique key \(SQL.identifier(index)) exists on the target only: rows of the source that repeat a value stop the index build.")
        }
        return found
    }

    /// The target's index that addresses rows by the same columns as the source's row key.
    package static func rowKey(of target: TableDefinition, for source: TableDefinition) -> IndexDefinition? {
        guard let key = source.rowKey else { return nil }
        let wanted = names(key, source)
        let fitting = target.indexes.filter { index in
            index.isUnique && !index.hasFunctionalParts && !index.hasPrefixParts && names(index, target) == wanted
                && index.columns.allSatisfy { !target.columns[$0].isNullable }
        }
        return fitting.first { $0.isPrimary } ?? fitting.first
    }

    // MARK: Parts

    private static func differences(_ source: ColumnDefinition, _ target: ColumnDefinition, isUnique: Bool) -> [String] {
        let name = SQL.identifier(source.name)
        var found: [String] = []
        if normalized(source.columnType) != normalized(target.columnType) {
            found.append("Column \(name) is \(source.columnType) on the source and \(target.columnType) on the target.")
        }
        if !same(source.characterSet, target.characterSet) {
            found.append(
                "Column \(name) is in character set \(source.characterSet ?? "-") on the source and \(target.characterSet ?? "-") on the target.")
        } else if isUnique, Remedy.sameKeyCollation.isOn, !same(source.collation, target.collation) {
            found.append(
                "Column \(name) is part of a unique key and is compared by \(source.collation ?? "-") on the source and by "
                    + "\(target.collation ?? "-") on the target: values that differ on one side may be equal on the other.")
        }
        if source.isNullable, !target.isNullable { found.append("Column \(name) may be NULL on the source only.") }
        if source.isGenerated != target.isGenerated {
            found.append("Column \(name) is generated on the \(source.isGenerated ? "source" : "target") only.")
        }
        if source.srid != target.srid {
            found.append(
                "Column \(name) has \(srid(source.srid)) on the source and \(srid(target.srid)) on the target.")
        }
        return found
    }

    private static func srid(_ value: UInt32?) -> String { value.map { "SRID \($0)" } ?? "no SRID" }

    private static func column(_ name: String, of table: TableDefinition) -> ColumnDefinition? {
        let wanted = name.lowercased()
        return table.columns.first { $0.name.lowercased() == wanted }
    }

    private static func names(_ index: IndexDefinition, _ table: TableDefinition) -> Set<String> {
        Set(index.columns.map { table.columns[$0].name.lowercased() })
    }

    /// Columns of any unique index, in lower case.
    private static func uniqueColumns(_ table: TableDefinition) -> Set<String> {
        table.indexes.filter(\.isUnique).reduce(into: []) { $0.formUnion(names($1, table)) }
    }

    /// Names of unique indexes of `table` for whose columns `other` has no unique index.
    private static func missingUnique(of table: TableDefinition, in other: TableDefinition) -> [String] {
        let present = Set(other.indexes.filter(\.isUnique).map { names($0, other) })
        return table.indexes.filter { $0.isUnique && !$0.hasFunctionalParts && !present.contains(names($0, table)) }.map(\.name)
    }

    /// `utf8` is an older name of `utf8mb3`.
    static func canonical(_ name: String?) -> String? {
        guard let name = name?.lowercased() else { return nil }
        return name == "utf8" || name.hasPrefix("utf8_") ? "utf8mb3" + name.dropFirst(4) : name
    }

    private static func same(_ left: String?, _ right: String?) -> Bool { canonical(left) == canonical(right) }

    /// Integer display widths say nothing of the stored value, and newer servers leave them out.
    static func normalized(_ columnType: String) -> String {
        guard let open = columnType.firstIndex(of: "("), let close = columnType[open...].firstIndex(of: ")") else {
            return columnType.lowercased()
        }
        let base = columnType[..<open].lowercased()
        let integers = ["tinyint", "smallint", "mediumint", "int", "bigint", "year"]
        guard integers.contains(base) else {
            // Members of ENUM and SET keep their case.
            return base + columnType[open...]
        }
        return base + columnType[columnType.index(after: close)...].lowercased()
    }
}
