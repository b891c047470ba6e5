/// A `SHOW CREATE TABLE` text, taken apart. Nothing is interpreted beyond what moving a table needs: every part keeps the
/// server's own bytes.
///
/// Source: MySQL manual, "CREATE TABLE Statement", "SHOW CREATE TABLE Statement".
package struct CreateStatement: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case column, primaryKey, uniqueKey, key, fulltextKey, spatialKey, foreignKey, check
            /// `PERIOD FOR SYSTEM_TIME` of a system-versioned table (MariaDB).
            case period
            /// Is an index, whatever its kind.
            package var isIndex: Bool {
                switch self {
                case .primaryKey, .uniqueKey, .key, .fulltextKey, .spatialKey: true
                case .column, .foreignKey, .check, .period: false
                }
            }
            package var isUnique: Bool { self == .primaryKey || self == .uniqueKey }
        }
        package var kind: Kind
        /// Without quotes; `PRIMARY` for the primary key; empty for a constraint without a name.
        package var name: String
        /// As the server prints it, without the comma.
        package var text: String
        /// An index's parts, or a foreign key's own columns: plain columns by name, nil for an expression.
        package var columns: [String?] = []
        /// A part covers a prefix of its column only.
        package var hasPrefixParts = false
        /// Foreign keys only. The schema is empty where the text does not name it (it is the table's own).
        package var references: TableName?
        /// Byte range in `text` of the referenced table's name.
        var referencesRange: Range<Int>?
    }

    /// As the text names it, mostly without schema.
    package var name: TableName
    package var items: [Item]
    /// Table options as printed, without AUTO_INCREMENT and without storage clauses (see `storageClauses`).
    package var options: String
    /// `PARTITION BY …`, with its version comment where there is one; empty without partitions.
    package var partitioning: String
    /// AUTO_INCREMENT=n of the table options.
    package var autoIncrement: UInt64?
    /// What ties the table to the server's own files, left out of `options` and `partitioning`:
    /// DATA DIRECTORY, INDEX DIRECTORY, TABLESPACE.
    package var storageClauses: [String]
    /// ENCRYPTION='Y' among the options.
    package var isEncrypted: Bool

    package init(parsing text: String) throws(SQLTokenError) {
        let sql = try SQLText(text)
        var at = 0
        func fail(_ reason: String) -> SQLTokenError {
            SQLTokenError(offset: sql.tokens.indices.contains(at) ? sql.tokens[at].range.lowerBound : sql.bytes.count, reason: reason)
        }
        guard sql.keyword(at) == "CREATE" else { throw fail("CREATE TABLE expected") }
        at += 1
        if sql.keyword(at) == "TEMPORARY" { throw fail("a temporary table cannot be moved") }
        guard sql.keyword(at) == "TABLE" else { throw fail("CREATE TABLE expected") }
        at += 1
        if sql.keyword(at) == "IF" { at += 3 }
        (name, at) = try Self.tableName(sql, at)
        guard sql.kind(at) == .open else { throw fail("the list of columns expected") }
        let end = try sql.endOfGroup(at, limit: sql.count)
        items = []
        for range in sql.split(at + 1..<end - 1) {
            items.append(try Self.item(sql, range))
        }
        var tail = Tail(sql, end..<sql.count)
        try tail.read()
        options = tail.options
        partitioning = tail.partitioning
        autoIncrement = tail.autoIncrement
        storageClauses = tail.storageClauses
        isEncrypted = tail.isEncrypted
    }

    package var indexes: [Item] { items.filter(\.kind.isIndex) }
    package var foreignKeys: [Item] { items.filter { $0.kind == .foreignKey } }

    // MARK: Parts

    /// `name` or `schema`.`name` at `start`; with the index behind it.
    static func tableName(_ sql: SQLText, _ start: Int) throws(SQLTokenError) -> (TableName, Int) {
        guard let first = sql.name(start) else {
            let offset = sql.tokens.indices.contains(start) ? sql.tokens[start].range.lowerBound : sql.bytes.count
            throw SQLTokenError(offset: offset, reason: "a table's name expected")
        }
        if sql.kind(start + 1) == .dot, let second = sql.name(start + 2) {
            return (TableName(schema: first, table: second), start + 3)
        }
        return (TableName(schema: "", table: first), start + 1)
    }

    private static func item(_ sql: SQLText, _ range: Range<Int>) throws(SQLTokenError) -> Item {
        guard let first = range.first else {
            throw SQLTokenError(offset: sql.bytes.count, reason: "an empty definition in the list of columns")
        }
        let text = sql.text(range)
        if sql.kind(first) == .identifier {
            return Item(kind: .column, name: sql.name(first) ?? "", text: text)
        }
        var at = first
        var name = ""
        if sql.keyword(at) == "CONSTRAINT" {
            at += 1
            if sql.kind(at) == .identifier {
                name = sql.name(at) ?? ""
                at += 1
            }
        }
        switch (sql.keyword(at), sql.keyword(at + 1)) {
        case ("PRIMARY", "KEY"): return try index(sql, range, at + 2, .primaryKey, "PRIMARY")
        case ("UNIQUE", "KEY"), ("UNIQUE", "INDEX"): return try index(sql, range, at + 2, .uniqueKey, name)
        case ("FULLTEXT", "KEY"), ("FULLTEXT", "INDEX"): return try index(sql, range, at + 2, .fulltextKey, name)
        case ("SPATIAL", "KEY"), ("SPATIAL", "INDEX"): return try index(sql, range, at + 2, .spatialKey, name)
        case ("KEY", _), ("INDEX", _): return try index(sql, range, at + 1, .key, name)
        case ("FOREIGN", "KEY"): return try foreignKey(sql, range, at + 2, name)
        case ("CHECK", _): return Item(kind: .check, name: name, text: text)
        case ("PERIOD", "FOR") where sql.keyword(at + 2) == "SYSTEM_TIME": return Item(kind: .period, name: "", text: text)
        default:
            throw SQLTokenError(
                offset: sql.tokens[at].range.lowerBound, reason: "a definition that Godwit does not know: \(text.prefix(80))")
        }
    }

    private static func index(
        _ sql: SQLText, _ range: Range<Int>, _ start: Int, _ kind: Item.Kind, _ constraint: String
    ) throws(SQLTokenError) -> Item {
        var at = start
        var item = Item(kind: kind, name: constraint, text: sql.text(range))
        if kind != .primaryKey, sql.kind(at) == .identifier {
            item.name = sql.name(at) ?? ""
            at += 1
        }
        // `USING BTREE` may stand before the parts.
        while at < range.upperBound, sql.kind(at) != .open { at += 1 }
        guard at < range.upperBound else {
            throw SQLTokenError(offset: sql.tokens[start - 1].range.lowerBound, reason: "an index without columns")
        }
        let end = try sql.endOfGroup(at, limit: range.upperBound)
        for part in sql.split(at + 1..<end - 1) {
            let isColumn = sql.kind(part.lowerBound) == .identifier
            item.columns.append(isColumn ? sql.name(part.lowerBound) : nil)
            if isColumn, part.count > 1, sql.kind(part.lowerBound + 1) == .open { item.hasPrefixParts = true }
        }
        return item
    }

    private static func foreignKey(
        _ sql: SQLText, _ range: Range<Int>, _ start: Int, _ constraint: String
    ) throws(SQLTokenError) -> Item {
        var item = try index(sql, range, start, .foreignKey, constraint)
        // An index name may stand between FOREIGN KEY and the columns; the constraint's name is what counts.
        if !constraint.isEmpty { item.name = constraint }
        guard let references = range.first(where: { $0 > start && sql.keyword($0) == "REFERENCES" }) else {
            throw SQLTokenError(offset: sql.tokens[start].range.lowerBound, reason: "a foreign key without REFERENCES")
        }
        let (table, end) = try tableName(sql, references + 1)
        item.references = table
        let base = sql.tokens[range.lowerBound].range.lowerBound
        item.referencesRange =
            sql.tokens[references + 1].range.lowerBound - base..<sql.tokens[end - 1].range.upperBound - base
        return item
    }
}
