import MySQLBinlog
import MySQLTypes

/// Between MySQL and MariaDB: what runs on the target in a statement's place, and what the source's table is after it. Pure.
///
/// Two ways, and no third. TRUNCATE, DROP, RENAME, and an ALTER of which every clause is known, are written anew in the target's words
/// and carried out there. Everything else, a CREATE TABLE among it, is read again from the source, in a window of its own, by
/// the translation that the load uses. A statement's text is never handed on.
struct TranslatedDefinition: Sendable {
    let translation: DialectTranslation
    let source: ServerFacts

    /// `plan` with the target's statement in it.
    /// - Throws: `Unclear` with `isReload`.
    func translate(
        _ plan: DefinitionPlan, _ query: QueryEvent, tables: [TableName: PreparedTable], naming: @escaping @Sendable (TableName) -> TableName
    ) throws(DefinitionStatement.Unclear) -> DefinitionPlan {
        guard let first = plan.effects.first else { return plan }
        switch first {
        case .create: throw DefinitionStatement.Unclear(reason: "a new table is read from the source, to be translated", isReload: true)
        // Written by `DefinitionPlan` itself.
        case .drop, .rename: return plan
        case .truncate(let name):
            var result = plan
            result.statement = Array("TRUNCATE TABLE \(naming(name).sql)".utf8)
            return result
        case .alter(let name):
            guard let table = tables[name] else { throw DefinitionStatement.Unclear(reason: "\(name) is not known") }
            let setting = try setting(query, naming)
            var result = plan
            let translated = try AlterTranslation.translate(query.text, source: table.source, setting: setting)
            result.translated = translated
            result.statement = translated.clauses.isEmpty
                ? [] : Array("ALTER TABLE \(table.target.sql) \(translated.clauses.joined(separator: ", "))".utf8)
            return result
        }
    }

    private func setting(
        _ query: QueryEvent, _ naming: @escaping @Sendable (TableName) -> TableName
    ) throws(DefinitionStatement.Unclear) -> AlterTranslation.Setting {
        let mode = query.status.sqlMode ?? 0
        guard mode & Self.otherGrammar == 0 else { throw ColumnClause.unclear("a statement under a sql_mode that changes the grammar") }
        let isPlain = query.text.utf8.allSatisfy { $0 < 0x80 }
        guard isPlain || query.status.clientCharset.map(Self.utf8.contains) ?? false else {
            throw ColumnClause.unclear("a statement that is not in UTF-8")
        }
        var defaults: [String: String?] = [:]
        if source.isMariaDB {
            // By number, and the session may have its own: not worth knowing.
            if query.status.characterSetCollations?.isEmpty == false { for set in source.characterSets { defaults[set] = .some(nil) } }
            defaults["utf8"] = .some(nil)
        } else {
            defaults["utf8"] = "utf8mb3_general_ci"
            switch query.status.defaultUTF8MB4Collation {
            case nil: break
            case 255: defaults["utf8mb4"] = "utf8mb4_0900_ai_ci"
            case 45: defaults["utf8mb4"] = "utf8mb4_general_ci"
            default: defaults["utf8mb4"] = .some(nil)
            }
        }
        let flag = query.status.flags2.map { $0 & StatementSession.explicitTimestampFlag != 0 }
        let explicit = query.status.explicitDefaultsForTimestamp ?? (source.isMariaDB ? flag : nil) ?? false
        return AlterTranslation.Setting(
            translation: translation, collations: source.collations, defaults: defaults,
            isStrict: mode & Self.strict != 0, hasExplicitTimestamps: explicit, schema: query.schema, naming: naming)
    }

    /// REAL_AS_FLOAT, PIPES_AS_CONCAT, ANSI_QUOTES, ORACLE, NO_BACKSLASH_ESCAPES, HIGH_NOT_PRECEDENCE, EMPTY_STRING_IS_NULL.
    private static let otherGrammar: UInt64 = 0x1 | 0x2 | 0x4 | 0x200 | 1 << 20 | 1 << 29 | 1 << 33
    /// STRICT_TRANS_TABLES, STRICT_ALL_TABLES.
    private static let strict: UInt64 = 1 << 21 | 1 << 22
    /// Numbers of collations of UTF-8 that sessions come with.
    private static let utf8: Set<UInt16> = [33, 45, 46, 83, 224, 255]

    // MARK: Afterwards

    /// The source's table after the statement: columns that it does not define are as they were, the others as the target has them now,
    /// in the source's words; in the order in which they stand there.
    func learned(
        _ before: PreparedTable, as name: TableName, on target: TableName, now: TableDefinition, _ result: AlterTranslation.Result?
    ) throws(EngineError) -> PreparedTable {
        let old = Dictionary(before.source.columns.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        var own = before.source
        own.name = name
        own.tableCollation = result?.tableCollation ?? before.source.tableCollation
        own.columns = []
        for theirs in now.columns {
            var column: ColumnDefinition
            switch result?.origins[theirs.name.lowercased()] {
            case .defined(let collation, let type):
                column = theirs
                column.collation = collation ?? theirs.collation
                if type == "json", !translation.fromMariaDB {
                    (column.dataType, column.columnType) = ("json", "json")
                    (column.characterSet, column.collation, column.octetLength) = (nil, nil, nil)
                }
                (column.defaultExpression, column.extra) = defaultValue(theirs)
            case .renamed(let from):
                guard let found = old[from.lowercased()] else { throw strange(target, theirs.name) }
                column = found
            case .newDefault:
                guard let found = old[theirs.name.lowercased()] else { throw strange(target, theirs.name) }
                column = found
                (column.defaultExpression, column.extra) = defaultValue(theirs)
            case nil:
                guard let found = old[theirs.name.lowercased()] else { throw strange(target, theirs.name) }
                column = found
            }
            column.name = theirs.name
            column.position = theirs.position
            column.isNullable = theirs.isNullable
            column.isAutoIncrement = theirs.isAutoIncrement
            column.isInvisible = theirs.isInvisible
            own.columns.append(column)
        }
        own.indexes = now.indexes
        own.foreignKeys = now.foreignKeys
        own.isPartitioned = now.isPartitioned
        own.createStatement = now.createStatement
        return PreparedTable(source: own, target: target, action: .keep, targetDefinition: now)
    }

    private func strange(_ table: TableName, _ column: String) -> EngineError {
        EngineError(
            .failed, "Table \(table) of the target has a column \(SQL.identifier(column)) that the source's statement does not explain.",
            why: "Somebody changed the target's table.", cure: "godwit reload, or start a new migration.")
    }

    /// COLUMN_DEFAULT and EXTRA as the source's family would print them.
    private func defaultValue(_ column: ColumnDefinition) -> (String?, String) {
        guard let text = column.defaultExpression else { return (translation.fromMariaDB && column.isNullable ? "NULL" : nil, column.extra) }
        if translation.fromMariaDB {
            if column.extra.uppercased().contains("DEFAULT_GENERATED") { return (text, "") }
            let isNumber = ["int", "decimal", "float", "double", "year", "bit"].contains { column.dataType.hasSuffix($0) }
            return (isNumber ? text : SQL.string(text), column.extra)
        }
        if text == "NULL" { return (nil, column.extra) }
        if text.hasPrefix("'"), text.hasSuffix("'"), text.count > 1, !text.contains("\\") {
            return (String(text.dropFirst().dropLast()).replacing("''", with: "'"), column.extra)
        }
        let isLiteral = text.hasPrefix("b'") || text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        return (text, isLiteral ? column.extra : column.extra + " DEFAULT_GENERATED")
    }
}
