/// One table of the target as it was decided to be prepared. Stored on the target before anything is done there, so that a
/// preparation cut off anywhere is finished from it: a half-stripped table no longer shows what it had.
package struct PreparedTable: Codable, Hashable, Sendable {
    package enum Action: String, Codable, Hashable, Sendable {
        /// The table does not exist.
        case create
        /// It exists, is empty and fits.
        case keep
        /// It exists and fits; its rows go.
        case truncate
        /// It exists or not; it is dropped and created as on the source.
        case dropAndCreate = "drop_and_create"
    }
    package var source: TableDefinition
    package var target: TableName
    package var action: Action
    /// CREATE TABLE, for the actions that create.
    package var createStatement: String
    /// Foreign keys of an existing table that are dropped until the consistency point.
    package var droppedForeignKeys: [String]
    /// Indexes of an existing table that are dropped until then.
    package var droppedIndexes: [String]
    /// `ADD KEY …` beside these drops: stands in for a dropped unique key that an AUTO_INCREMENT column needs; empty without.
    package var standIn: String
    /// Clauses of one ALTER TABLE at the consistency point.
    package var deferredIndexes: [String]
    /// Clauses of one ALTER TABLE after every table's indexes are built.
    package var deferredForeignKeys: [String]
    /// Foreign keys of the source that are not created, since they refer to tables outside the plan: sentences.
    package var omittedForeignKeys: [String]
    /// The table while it is loaded: columns as on the target, only the indexes that stay, no foreign keys.
    package var targetDefinition: TableDefinition
    /// Loaded from one exact snapshot although it has a key: its changes only mean something exactly once. nil: no.
    package var needsExactLoad: Bool?

    package init(
        source: TableDefinition, target: TableName, action: Action, createStatement: String = "",
        droppedForeignKeys: [String] = [], droppedIndexes: [String] = [], standIn: String = "",
        deferredIndexes: [String] = [], deferredForeignKeys: [String] = [], omittedForeignKeys: [String] = [],
        targetDefinition: TableDefinition
    ) {
        self.source = source
        self.target = target
        self.action = action
        self.createStatement = createStatement
        self.droppedForeignKeys = droppedForeignKeys
        self.droppedIndexes = droppedIndexes
        self.standIn = standIn
        self.deferredIndexes = deferredIndexes
        self.deferredForeignKeys = deferredForeignKeys
        self.omittedForeignKeys = omittedForeignKeys
        self.targetDefinition = targetDefinition
    }

    /// The ALTER TABLE that builds the indexes that wait, nil when all are there. May be asked for again after any crash.
    /// - Parameter current: the table as it is now on the target.
    package func indexBuild(on current: TableDefinition) -> String? {
        let missing = deferredIndexes.filter { Self.isMissing($0, current) }
        guard missing.contains(where: { $0.hasPrefix("ADD ") }) else { return nil }
        // InnoDB builds one FULLTEXT index at a time in place (error 1795), any number when it copies the table.
        let copies = missing.filter { $0.hasPrefix("ADD FULLTEXT ") }.count > 1
        return "ALTER TABLE \(target.sql) " + missing.joined(separator: ", ") + (copies ? ", ALGORITHM = COPY" : "")
    }

    /// The ALTER TABLE that adds the foreign keys that wait, nil when all are there.
    package func foreignKeyBuild(on current: TableDefinition) -> String? {
        let missing = deferredForeignKeys.filter { Self.isMissing($0, current) }
        return missing.isEmpty ? nil : "ALTER TABLE \(target.sql) " + missing.joined(separator: ", ")
    }

    /// Does the clause still have something to do? ALTER TABLE is atomic, so a stand-in goes in the step that brings its unique key.
    private static func isMissing(_ clause: String, _ current: TableDefinition) -> Bool {
        guard let sql = try? SQLText(clause) else { return true }
        func index(_ name: String?) -> IndexDefinition? {
            current.indexes.first { $0.name.lowercased() == name?.lowercased() }
        }
        switch (sql.keyword(0), sql.keyword(1)) {
        case ("DROP", "KEY"): return index(sql.name(2)).map { !$0.isUnique } ?? false
        case ("ADD", "PRIMARY"): return index("PRIMARY") == nil
        case ("ADD", "UNIQUE"): return index(sql.name(3))?.isUnique != true
        case ("ADD", "FULLTEXT"), ("ADD", "SPATIAL"): return index(sql.name(3)) == nil
        case ("ADD", "KEY"): return index(sql.name(2)) == nil
        case ("ADD", "CONSTRAINT"):
            let name = sql.name(2)?.lowercased()
            return !current.foreignKeys.contains { $0.name.lowercased() == name }
        default: return true
        }
    }
}
