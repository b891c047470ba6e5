import MySQLTypes

/// An ALTER TABLE (CREATE INDEX, DROP INDEX) of one family of servers as clauses of the other's, written anew: nothing of the
/// statement is passed on but names, literals and expressions. Pure.
///
/// What it does not know in full, and what would rewrite values by rules that the two do not share, is `Unclear`: the table is then
/// read again from the source, which is right whatever the statement was.
struct AlterTranslation: Sendable {
    /// What became of a column that the statement names.
    enum Origin: Hashable, Sendable {
        case renamed(from: String)
        /// Its definition stands in the statement. The collation is the source's; `type` is the source's word.
        case defined(collation: String?, type: String)
        /// Only its default has changed.
        case newDefault
    }
    /// What the statement does, in the target's words.
    struct Result: Hashable, Sendable {
        /// Clauses of one ALTER TABLE on the target; empty: there is nothing to do there.
        var clauses: [String] = []
        /// By the name after the statement, in lower case.
        var origins: [String: Origin] = [:]
        /// The source's, where it has changed.
        var tableCollation: String?
    }
    /// What the statement's session and the servers say.
    struct Setting: Sendable {
        var translation: DialectTranslation
        /// The source's, by full name.
        var collations: [String: ServerFacts.Collation]
        /// Of CHARACTER SET without COLLATE, where the session's is another than the character set's own; nil value: not known.
        var defaults: [String: String?] = [:]
        /// The statement ran in a strict mode.
        var isStrict: Bool
        /// A TIMESTAMP of which nothing is said is NULL.
        var hasExplicitTimestamps: Bool
        /// The session's.
        var schema: String
        /// A table's name on the target.
        var naming: @Sendable (TableName) -> TableName
    }

    let sql: SQLText
    let source: TableDefinition
    let setting: Setting
    var result = Result()
    /// As they are so far, by name in lower case.
    var names: [String: ColumnDefinition]
    /// Columns that are in a unique key afterwards, by their names then.
    var uniqueColumns: Set<String>
    /// The source's, of columns that the statement defines.
    var collationsAfter: [String: String] = [:]
    /// A column is in the table's own character set.
    var usesTableDefault = false
    /// The token that is read next.
    var at = 0

    typealias Unclear = DefinitionStatement.Unclear

    /// - Parameter source: the table as it was before the statement.
    static func translate(
        _ text: String, source: TableDefinition, setting: Setting
    ) throws(Unclear) -> Result {
        let sql: SQLText
        do { sql = try SQLText(text) } catch { throw ColumnClause.unclear("a statement that cannot be read (\(error))") }
        if sql.tokens.contains(where: { $0.kind == .versionStart }) { throw ColumnClause.unclear("comments for one server's version") }
        var translation = AlterTranslation(sql, source, setting)
        try translation.run()
        return translation.result
    }

    private init(_ sql: SQLText, _ source: TableDefinition, _ setting: Setting) {
        self.sql = sql
        self.source = source
        self.setting = setting
        names = Dictionary(source.columns.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        uniqueColumns = Set(source.indexes.filter(\.isUnique).flatMap { $0.columns.map { source.columns[$0].name.lowercased() } })
    }

    // MARK: Statements

    private mutating func run() throws(Unclear) {
        switch word(0) {
        case "CREATE": try createIndex()
        case "DROP": try dropIndex()
        case "ALTER": try alter()
        default: throw ColumnClause.unclear("a statement that begins with \(word(0))")
        }
        try checkKeys()
    }

    private mutating func createIndex() throws(Unclear) {
        at = 1
        while at < sql.count, !["INDEX", "KEY"].contains(word(at)) { at += 1 }
        let kind = sql.text(1..<at)
        guard ["", "UNIQUE", "FULLTEXT", "SPATIAL"].contains(kind.uppercased()) else { throw ColumnClause.unclear("CREATE \(kind) INDEX") }
        at += 1
        let tolerant = skip("IF", "NOT", "EXISTS")
        let name = try self.name()
        while at < sql.count, word(at) != "ON" { at += 1 }
        at += 1
        _ = try table()
        try index(kind.uppercased(), name: name, constraint: nil, end: sql.count, tolerant)
    }

    private mutating func dropIndex() throws(Unclear) {
        at = 2
        let tolerant = skip("IF", "EXISTS")
        let name = try self.name()
        if tolerant, !hasIndex(name) { return }
        // PRIMARY as a name is the primary key.
        result.clauses.append(name.uppercased() == "PRIMARY" ? "DROP PRIMARY KEY" : "DROP INDEX \(SQL.identifier(name))")
    }

    private mutating func alter() throws(Unclear) {
        at = 1
        while ["ONLINE", "OFFLINE"].contains(word(at)) { at += 1 }
        guard skip("TABLE") else { throw ColumnClause.unclear("ALTER \(sql.raw(at))") }
        _ = skip("IF", "EXISTS")
        _ = try table()
        if word(at) == "WAIT" { at += 2 }
        if word(at) == "NOWAIT" { at += 1 }
        guard at < sql.count else { return }
        for clause in sql.split(at..<sql.count) {
            at = clause.lowerBound
            try self.clause(clause.upperBound)
            guard at == clause.upperBound else { throw ColumnClause.unclear(sql.text(clause)) }
        }
        if usesTableDefault, result.tableCollation != nil {
            throw ColumnClause.unclear("columns in a character set that the same statement makes the table's")
        }
    }

    // MARK: Clauses

    private mutating func clause(_ end: Int) throws(Unclear) {
        switch word(at) {
        case "ADD": try add(end)
        case "DROP": try drop(end)
        case "MODIFY":
            at += 1
            _ = skip("COLUMN")
            let tolerant = skip("IF", "EXISTS")
            if tolerant, names[(sql.name(at) ?? "").lowercased()] == nil { return at = end }
            let column = try ColumnClause(sql, at..<end)
            at = end
            try redefine(column.name, column, "MODIFY COLUMN")
        case "CHANGE":
            at += 1
            _ = skip("COLUMN")
            let tolerant = skip("IF", "EXISTS")
            let old = try name()
            if tolerant, names[old.lowercased()] == nil { return at = end }
            let column = try ColumnClause(sql, at..<end)
            at = end
            try redefine(old, column, "CHANGE COLUMN \(SQL.identifier(old))")
        case "RENAME": try rename(end)
        case "ALTER": try alterColumn(end)
        default: while at < end { try option(end) }
        }
    }

    private mutating func add(_ end: Int) throws(Unclear) {
        at += 1
        switch word(at) {
        case "INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "PRIMARY", "CONSTRAINT", "FOREIGN", "CHECK": return try addKey(end)
        case "PARTITION", "PERIOD", "SYSTEM": throw ColumnClause.unclear("ADD \(word(at))")
        default: break
        }
        _ = skip("COLUMN")
        let tolerant = skip("IF", "NOT", "EXISTS")
        if sql.kind(at) == .open {
            let close: Int
            do { close = try sql.endOfGroup(at, limit: end) } catch { throw ColumnClause.unclear("a list of columns") }
            for part in sql.split(at + 1..<close - 1) { try addColumn(ColumnClause(sql, part), tolerant) }
            at = close
            return
        }
        try addColumn(ColumnClause(sql, at..<end), tolerant)
        at = end
    }

    /// Every row gets a value, which both servers must come to in the same way.
    private mutating func addColumn(_ column: ColumnClause, _ tolerant: Bool) throws(Unclear) {
        let name = SQL.identifier(column.name)
        if tolerant, names[column.name.lowercased()] != nil { return }
        if column.isAutoIncrement { throw ColumnClause.unclear("AUTO_INCREMENT for rows that are there") }
        // The log's clock may be coarser than the statement's was.
        if case .now = column.defaultValue { throw ColumnClause.unclear("the present time for rows that are there") }
        if case .expression = column.defaultValue { throw ColumnClause.unclear("a default that is worked out for rows that are there") }
        let isZero = column.isNullable == false && column.defaultValue == nil && column.generated == nil
        if isZero, ["json", "date", "datetime", "timestamp"].contains(column.type) {
            throw ColumnClause.unclear("\(name), NOT NULL without a default")
        }
        let text = try self.text(column)
        names[column.name.lowercased()] = ColumnDefinition(name: column.name, position: 0, dataType: column.type, columnType: column.type)
        result.clauses.append("ADD COLUMN \(name) \(text)")
    }

    private mutating func redefine(_ old: String, _ column: ColumnClause, _ verb: String) throws(Unclear) {
        let name = SQL.identifier(column.name)
        guard let before = names[old.lowercased()] else { throw ColumnClause.unclear("\(SQL.identifier(old)), which Godwit does not know") }
        let clause = try ColumnClause(name: old, columnType: before.columnType)
        guard !before.isGenerated, column.generated == nil, column.keepsValues(of: clause) else {
            throw ColumnClause.unclear("a change of the values of \(name)")
        }
        if column.isAutoIncrement, !before.isAutoIncrement { throw ColumnClause.unclear("AUTO_INCREMENT for rows that are there") }
        if column.isNullable == false || column.isPrimary, before.isNullable, !setting.isStrict {
            throw ColumnClause.unclear("NOT NULL without a strict mode")
        }
        let text = try self.text(column)
        if column.isText {
            let collation = collationsAfter[column.name.lowercased()] ?? ""
            let own = before.characterSet.flatMap { Definitions.canonical($0) }
            guard own == Definitions.canonical(setting.collations[collation]?.characterSet) else {
                throw ColumnClause.unclear("another character set for \(name)")
            }
        }
        if old.lowercased() != column.name.lowercased() { move(old, column.name, before) }
        result.clauses.append("\(verb) \(name) \(text)")
    }

    private mutating func move(_ old: String, _ new: String, _ column: ColumnDefinition) {
        names[old.lowercased()] = nil
        names[new.lowercased()] = column
        if uniqueColumns.remove(old.lowercased()) != nil { uniqueColumns.insert(new.lowercased()) }
    }

    private mutating func drop(_ end: Int) throws(Unclear) {
        at += 1
        switch word(at) {
        case "PRIMARY" where word(at + 1) == "KEY":
            at += 2
            result.clauses.append("DROP PRIMARY KEY")
        case "INDEX", "KEY":
            at += 1
            let tolerant = skip("IF", "EXISTS")
            let name = try self.name()
            if !tolerant || hasIndex(name) { result.clauses.append("DROP INDEX \(SQL.identifier(name))") }
        case "FOREIGN" where word(at + 1) == "KEY":
            at += 2
            let tolerant = skip("IF", "EXISTS")
            let name = try self.name()
            let isThere = source.foreignKeys.contains { $0.name.lowercased() == name.lowercased() }
            if !tolerant || isThere { result.clauses.append("DROP FOREIGN KEY \(SQL.identifier(name))") }
        case "CHECK", "CONSTRAINT":
            at += 1
            if word(at) == "IF" { throw ColumnClause.unclear("DROP CONSTRAINT IF EXISTS") }
            result.clauses.append("DROP CONSTRAINT \(SQL.identifier(try name()))")
        case "PARTITION", "PERIOD", "SYSTEM": throw ColumnClause.unclear("DROP \(word(at))")
        default:
            _ = skip("COLUMN")
            let tolerant = skip("IF", "EXISTS")
            let name = try self.name()
            if ["RESTRICT", "CASCADE"].contains(word(at)) { at += 1 }
            guard names.removeValue(forKey: name.lowercased()) != nil else {
                if tolerant { return }
                throw ColumnClause.unclear("\(SQL.identifier(name)), which Godwit does not know")
            }
            result.clauses.append("DROP COLUMN \(SQL.identifier(name))")
        }
    }

    private mutating func rename(_ end: Int) throws(Unclear) {
        at += 1
        switch word(at) {
        case "COLUMN":
            at += 1
            let old = try name()
            guard skip("TO"), let before = names[old.lowercased()] else { throw ColumnClause.unclear("RENAME COLUMN \(SQL.identifier(old))") }
            let new = try name()
            move(old, new, before)
            result.origins[new.lowercased()] = .renamed(from: old)
            result.clauses.append("RENAME COLUMN \(SQL.identifier(old)) TO \(SQL.identifier(new))")
        case "INDEX", "KEY":
            at += 1
            let old = try name()
            guard skip("TO") else { throw ColumnClause.unclear("RENAME INDEX \(SQL.identifier(old))") }
            result.clauses.append("RENAME INDEX \(SQL.identifier(old)) TO \(SQL.identifier(try name()))")
        default:
            if !skip("TO"), !skip("AS"), sql.raw(at) == "=" { at += 1 }
            result.clauses.append("RENAME TO \(setting.naming(try table(in: setting.schema)).sql)")
        }
    }

    private mutating func alterColumn(_ end: Int) throws(Unclear) {
        at += 1
        if skip("INDEX") || skip("KEY") {
            let name = SQL.identifier(try self.name())
            let text = sql.text(at..<end).uppercased()
            let isHidden: Bool
            switch text {
            case "VISIBLE", "NOT IGNORED": isHidden = false
            case "INVISIBLE", "IGNORED": isHidden = true
            default: throw ColumnClause.unclear("ALTER INDEX \(text)")
            }
            at = end
            result.clauses.append("ALTER INDEX \(name) " + visibility(isHidden))
            return
        }
        guard word(at) != "CHECK", word(at) != "CONSTRAINT" else { throw ColumnClause.unclear("ALTER CONSTRAINT") }
        _ = skip("COLUMN")
        let name = try self.name()
        guard let before = names[name.lowercased()] else { throw ColumnClause.unclear("\(SQL.identifier(name)), which Godwit does not know") }
        if skip("DROP", "DEFAULT") {
            result.clauses.append("ALTER COLUMN \(SQL.identifier(name)) DROP DEFAULT")
        } else if word(at) == "SET", word(at + 1) == "DEFAULT" {
            // As if it stood behind the column's type.
            let text = "`x` \(before.columnType) " + sql.text(at + 1..<end)
            guard let inner = try? SQLText(text) else { throw ColumnClause.unclear("a default") }
            let column = try ColumnClause(inner, 0..<inner.count)
            guard let value = defaultText(column) else { throw ColumnClause.unclear("a default") }
            at = end
            result.clauses.append("ALTER COLUMN \(SQL.identifier(name)) SET \(value)")
        } else {
            throw ColumnClause.unclear("ALTER COLUMN \(sql.raw(at))")
        }
        result.origins[name.lowercased()] = .newDefault
    }

    func visibility(_ isHidden: Bool) -> String {
        if setting.translation.toMariaDB { return isHidden ? "IGNORED" : "NOT IGNORED" }
        return isHidden ? "INVISIBLE" : "VISIBLE"
    }

    // MARK: Tokens

    func word(_ index: Int) -> String { sql.keyword(index) }

    mutating func skip(_ words: String...) -> Bool {
        for (offset, word) in words.enumerated() where self.word(at + offset) != word { return false }
        at += words.count
        return true
    }

    mutating func name() throws(Unclear) -> String {
        guard let name = sql.name(at) else { throw ColumnClause.unclear("a name at \(sql.raw(at))") }
        at += 1
        return name
    }

    mutating func table(in schema: String? = nil) throws(Unclear) -> TableName {
        let first = try name()
        guard sql.kind(at) == .dot else { return TableName(schema: schema ?? source.name.schema, table: first) }
        at += 1
        return TableName(schema: first, table: try name())
    }
}
