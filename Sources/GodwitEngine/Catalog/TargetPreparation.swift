/// Decides how each table comes to stand on the target, empty, without what must wait for the consistency point.
///
/// Decisions are values: taken once, stored on the target (`PreparedTarget` is Codable), and only then carried out. The statements
/// are worked out again from the stored decision and the target as it is, so a run that was cut off comes to the same end.
package enum TargetPreparation {
    /// A table of the target as it is found.
    package struct Found: Hashable, Sendable {
        package var definition: TableDefinition
        package var isEmpty: Bool
        package init(definition: TableDefinition, isEmpty: Bool) {
            self.definition = definition
            self.isEmpty = isEmpty
        }
    }

    /// - Parameter target: where the table goes.
    /// - Parameter found: the table of that name on the target, nil where there is none.
    /// - Parameter mapping: where any source table goes; nil for one that does not move.
    /// - Parameter translation: from the source's dialect to the target's.
    /// - Throws: `EngineError.plan`, naming the choices, where rows would be mixed or the existing table does not fit.
    package static func decide(
        mode: TaskSettings.TablePreparation, source: TableDefinition, target: TableName, found: Found?,
        mapping: (TableName) -> TableName?, translation: DialectTranslation = .none
    ) throws(EngineError) -> PreparedTable {
        guard let found, mode != .dropAndCreate else {
            return try created(source, target, mode == .dropAndCreate ? .dropAndCreate : .create, mapping, translation)
        }
        if mode == .doNothing, !found.isEmpty { throw mixedRows(target) }
        let differences = Definitions.differences(source: translation.table(source), target: found.definition)
        if !differences.isEmpty {
            throw EngineError(
                .plan, "Table \(target) exists on the target and does not fit the source's \(source.name).",
                why: differences.joined(separator: " "),
                cure: "Change it, drop it, or set TargetTablePrepMode to DROP_AND_CREATE.")
        }
        if mode == .truncateBeforeLoad, source.period != nil, !found.isEmpty {
            throw EngineError(
                .plan, "Table \(target) on the target has rows, and is system-versioned.",
                why: "MariaDB does not truncate such tables (error 4137).", cure: "Drop it, or set TargetTablePrepMode to DROP_AND_CREATE.")
        }
        return try existing(source, found.definition, mode == .truncateBeforeLoad && source.period == nil ? .truncate : .keep)
    }

    static func mixedRows(_ target: TableName) -> EngineError {
        EngineError(
            .plan, "Table \(target) on the target already has rows, and TargetTablePrepMode is DO_NOTHING.",
            why: "Rows of two origins would be mixed.",
            cure: "Choose: empty the table yourself; set TargetTablePrepMode to TRUNCATE_BEFORE_LOAD (its rows go, its definition "
                + "stays) or DROP_AND_CREATE (it is replaced by the source's definition); or exclude the table.")
    }

    private static func created(
        _ source: TableDefinition, _ target: TableName, _ action: PreparedTable.Action, _ mapping: (TableName) -> TableName?,
        _ translation: DialectTranslation
    ) throws(EngineError) -> PreparedTable {
        let statement: CreateStatement
        do {
            statement = try translation.translated(source)
        } catch {
            throw unreadable(source.name, error)
        }
        let base = statement.base(
            for: target, keeping: source.rowKey?.name, autoIncrement: source.columns.first { $0.isAutoIncrement }?.name,
            source: source.name, mapping: mapping)
        var definition = translation.table(source)
        definition.name = target
        definition.indexes = source.indexes.filter { base.keptIndexes.contains($0.name) }
        definition.foreignKeys = []
        definition.triggers = []
        definition.createStatement = base.createStatement
        return PreparedTable(
            source: source, target: target, action: action, createStatement: base.createStatement,
            deferredIndexes: base.deferredIndexes, deferredForeignKeys: base.deferredForeignKeys,
            omittedForeignKeys: base.outside.map { item in
                "Foreign key \(SQL.identifier(item.name)) of \(source.name) refers to \(item.references?.table ?? ""), which does not move."
            }, targetDefinition: definition)
    }

    private static func existing(
        _ source: TableDefinition, _ found: TableDefinition, _ action: PreparedTable.Action
    ) throws(EngineError) -> PreparedTable {
        let statement: CreateStatement
        do {
            statement = try CreateStatement(parsing: found.createStatement)
        } catch {
            throw unreadable(found.name, error)
        }
        let auto = found.columns.first { $0.isAutoIncrement }?.name
        // A primary key over a column that the source lacks fills itself and is in no one's way.
        let known = Set(source.columns.map { $0.name.lowercased() })
        let own = found.indexes.first { $0.isPrimary && !$0.columns.allSatisfy { known.contains(found.columns[$0].name.lowercased()) } }
        var stripping = statement.stripping(
            rowKey: Definitions.rowKey(of: found, for: source)?.name, autoIncrement: own == nil ? auto : nil)
        if let own, let at = stripping.deferred.firstIndex(where: { $0.name == own.name }) {
            stripping.kept.append(stripping.deferred.remove(at: at))
        }
        let keys = statement.deferredForeignKeys(of: found.name, mapping: { $0 })
        let keptNames = stripping.kept.map(\.name)
        var definition = found
        definition.indexes = found.indexes.filter { keptNames.contains($0.name) }
        definition.foreignKeys = []
        return PreparedTable(
            source: source, target: found.name, action: action, droppedForeignKeys: statement.foreignKeys.map(\.name),
            droppedIndexes: stripping.deferred.map(\.name), standIn: stripping.standIn.map { "ADD " + $0.text } ?? "",
            deferredIndexes: CreateStatement.clauses(stripping), deferredForeignKeys: keys.clauses,
            targetDefinition: definition)
    }

    private static func unreadable(_ table: TableName, _ error: SQLTokenError) -> EngineError {
        EngineError(
            .plan, "The definition of table \(table) cannot be read: \(error).",
            why: "Godwit moves only definitions that it understands in full.", cure: "Exclude the table.")
    }
}
