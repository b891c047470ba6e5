import MySQLTypes

/// What a statement that changes definitions does, and where in it tables are named, so that it can be run under the
/// target's names. Pure. Whatever it does not understand in full it does not take.
///
/// Source: MySQL manual, "Data Definition Statements".
package struct DefinitionStatement: Sendable, Hashable {
    package enum Effect: Sendable, Hashable {
        case create(TableName, ifNotExists: Bool)
        case alter(TableName)
        case truncate(TableName)
        case drop(TableName)
        case rename(TableName, to: TableName)

        func renamed(_ name: (TableName) -> TableName) -> Effect {
            switch self {
            case .create(let table, let ifNotExists): .create(name(table), ifNotExists: ifNotExists)
            case .alter(let table): .alter(name(table))
            case .truncate(let table): .truncate(name(table))
            case .drop(let table): .drop(name(table))
            case .rename(let old, let new): .rename(name(old), to: name(new))
            }
        }
    }
    /// In the order in which the server carries them out.
    package private(set) var effects: [Effect] = []
    /// It exchanges all rows of a partition and a table: nothing but their identities shows it afterwards.
    package private(set) var exchangesRows = false
    /// Every table that is named, with the bytes that name it.
    package private(set) var references: [Reference] = []
    package struct Reference: Sendable, Hashable {
        package var table: TableName
        package var range: Range<Int>
    }
    /// Tables that foreign keys of the statement refer to.
    package private(set) var parents: [TableName] = []
    package let bytes: [UInt8]

    package struct Unclear: Error, Sendable, Hashable {
        package var reason: String
        /// Reading the tables again, as they are on the source now, answers it.
        package var isReload = false
        package init(reason: String, isReload: Bool = false) {
            self.reason = reason
            self.isReload = isReload
        }
    }

    private let sql: SQLText
    private let schema: String
    private var at = 0
    /// Where the statement itself begins.
    private var start = 0

    /// - Parameters:
    ///   - schema: the statement's default schema.
    ///   - quoting: how its session read quotes.
    ///   - canonical: the spelling under which a name is known.
    package init(
        _ text: String, schema: String, quoting: SQLQuoting = .usual, canonical: (TableName) -> TableName = { $0 }
    ) throws(Unclear) {
        do {
            sql = try SQLText(text, quoting: quoting)
        } catch {
            throw Unclear(reason: "it cannot be read: \(error)")
        }
        bytes = sql.bytes
        self.schema = schema
        try parse()
        references = references.map { Reference(table: canonical($0.table), range: $0.range) }
        parents = parents.map(canonical)
        effects = effects.map { $0.renamed(canonical) }
    }

    /// The statement with every table under the name that `naming` gives it.
    package func rewritten(_ naming: (TableName) -> TableName) -> [UInt8] {
        var output: [UInt8] = []
        var start = start
        for reference in references.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            output += bytes[start..<reference.range.lowerBound]
            output += Array(naming(reference.table).sql.utf8)
            start = reference.range.upperBound
        }
        return output + bytes[start...]
    }

    // MARK: Parsing

    private mutating func parse() throws(Unclear) {
        // `/*!40000 ALTER TABLE … */`, as dumps have it: the server runs what is inside.
        if sql.kind(0) == .versionStart, sql.kind(sql.count - 1) == .versionEnd { at = 1 }
        try settings()
        let verb = keyword()
        at += 1
        switch verb {
        case "CREATE": try create()
        case "ALTER": try alter()
        case "DROP": try drop()
        case "TRUNCATE":
            skip("TABLE")
            effects = [.truncate(try table())]
        case "RENAME": try rename()
        default: throw Unclear(reason: "it begins with \(verb)")
        }
    }

    /// Its rows come as rows behind it, in one transaction: no statement by itself.
    private var filling: Unclear { Unclear(reason: "it fills the table it creates", isReload: true) }

    /// MariaDB's `SET STATEMENT name = value, … FOR`: what of the settings changes a definition's meaning travels beside the statement
    /// as well; time limits and the like are the source's own.
    private mutating func settings() throws(Unclear) {
        while keyword() == "SET", sql.keyword(at + 1) == "STATEMENT" {
            var depth = 0
            at += 2
            while at < sql.count, depth > 0 || keyword() != "FOR" {
                if sql.kind(at) == .open { depth += 1 }
                if sql.kind(at) == .close { depth -= 1 }
                at += 1
            }
            guard at + 1 < sql.count else { throw Unclear(reason: "its SET STATEMENT has no end") }
            at += 1
            start = sql.tokens[at].range.lowerBound
        }
    }

    private mutating func create() throws(Unclear) {
        // Replacing is dropping and making, which no server does in one step that a crash cannot cut.
        if keyword() == "OR" { throw Unclear(reason: "it replaces a table", isReload: true) }
        if skip("UNIQUE") || skip("FULLTEXT") || skip("SPATIAL") || keyword() == "INDEX" {
            skip("INDEX")
            return try index()
        }
        guard skip("TABLE") else { throw Unclear(reason: "it creates something that is no table") }
        let tolerant = skip("IF")
        if tolerant {
            skip("NOT")
            skip("EXISTS")
        }
        let subject = try table()
        effects = [.create(subject, ifNotExists: tolerant)]
        var isPartitioned = false
        while at < sql.count {
            switch keyword() {
            case "PARTITION": isPartitioned = true
            case "SELECT": throw filling
            // VALUES LESS THAN and VALUES IN belong to partitions.
            case "TABLE": throw filling
            case "VALUES" where !isPartitioned: throw filling
            case "START" where sql.keyword(at + 1) == "TRANSACTION":
                throw filling
            case "UNION": throw Unclear(reason: "it has a UNION clause")
            case "LIKE":
                at += 1
                if sql.kind(at) != .open { _ = try table() }
                continue
            case "REFERENCES":
                at += 1
                try parent(of: subject)
                continue
            default: break
            }
            at += 1
        }
    }

    private mutating func alter() throws(Unclear) {
        while skip("ONLINE") || skip("OFFLINE") || skip("IGNORE") {}
        guard skip("TABLE") else { throw Unclear(reason: "it alters something that is no table") }
        if skip("IF") { skip("EXISTS") }
        let subject = try table()
        effects = [.alter(subject)]
        // Where a clause begins: the only place at which RENAME, EXCHANGE and the like are what they seem.
        var depth = 0
        var isAtClause = true
        while at < sql.count {
            switch sql.kind(at) {
            case .open: depth += 1
            case .close: depth -= 1
            case .comma where depth == 0:
                isAtClause = true
                at += 1
                continue
            case .word:
                if try clause(isAtClause && depth == 0, subject) {
                    isAtClause = false
                    continue
                }
            default: break
            }
            isAtClause = false
            at += 1
        }
    }

    /// True when it has moved on by itself.
    private mutating func clause(_ isFirst: Bool, _ subject: TableName) throws(Unclear) -> Bool {
        switch keyword() {
        case "REFERENCES":
            at += 1
            try parent(of: subject)
            return true
        case "RENAME" where isFirst:
            at += 1
            if ["COLUMN", "INDEX", "KEY"].contains(keyword()) { return true }
            if !skip("TO"), !skip("AS"), sql.raw(at) == "=" { at += 1 }
            effects.append(.rename(subject, to: try table()))
            return true
        case "EXCHANGE" where isFirst:
            while at < sql.count, keyword() != "WITH" { at += 1 }
            guard skip("WITH"), skip("TABLE") else { throw Unclear(reason: "it exchanges a partition, and with what is not clear") }
            effects.append(.alter(try table()))
            exchangesRows = true
            return true
        case "CONVERT" where isFirst && ["PARTITION", "TABLE"].contains(sql.keyword(at + 1)):
            throw Unclear(reason: "it makes a table of a partition, or a partition of a table", isReload: true)
        case "DISCARD" where isFirst, "IMPORT" where isFirst:
            throw Unclear(reason: "it moves a tablespace, whose rows are not logged")
        case "UNION" where isFirst: throw Unclear(reason: "it has a UNION clause")
        default: return false
        }
    }

    private mutating func drop() throws(Unclear) {
        if skip("INDEX") { return try index() }
        guard skip("TABLE") || skip("TABLES") else { throw Unclear(reason: "it drops something that is no table") }
        if skip("IF") { skip("EXISTS") }
        repeat { effects.append(.drop(try table())) } while skip(.comma)
    }

    private mutating func rename() throws(Unclear) {
        guard skip("TABLE") || skip("TABLES") else { throw Unclear(reason: "it renames something that is no table") }
        if skip("IF") { skip("EXISTS") }
        repeat {
            let old = try table()
            guard skip("TO") else { throw Unclear(reason: "its new names are not clear") }
            effects.append(.rename(old, to: try table()))
        } while skip(.comma)
    }

    /// Behind the word INDEX of CREATE INDEX and DROP INDEX.
    private mutating func index() throws(Unclear) {
        if skip("IF") {
            skip("NOT")
            skip("EXISTS")
        }
        guard sql.name(at) != nil else { throw Unclear(reason: "it names no index") }
        at += 1
        while at < sql.count, keyword() != "ON" { at += 1 }
        guard skip("ON") else { throw Unclear(reason: "it names no table") }
        effects = [.alter(try table())]
    }

    // MARK: Tokens

    private func keyword() -> String { sql.keyword(at) }

    @discardableResult private mutating func skip(_ word: String) -> Bool {
        guard keyword() == word else { return false }
        at += 1
        return true
    }

    private mutating func skip(_ kind: SQLToken.Kind) -> Bool {
        guard sql.kind(at) == kind else { return false }
        at += 1
        return true
    }

    /// A table that a foreign key refers to: without a schema it is in that of its child, whatever the session's is.
    private mutating func parent(of child: TableName) throws(Unclear) {
        if sql.kind(at) == .open { return }
        parents.append(try table(in: child.schema))
    }

    private mutating func table(in schema: String? = nil) throws(Unclear) -> TableName {
        guard let first = sql.name(at) else { throw Unclear(reason: "a table's name is expected at its word \(at + 1)") }
        var name = TableName(schema: schema ?? self.schema, table: first)
        let start = sql.tokens[at].range.lowerBound
        var end = sql.tokens[at].range.upperBound
        at += 1
        if sql.kind(at) == .dot, let second = sql.name(at + 1) {
            name = TableName(schema: first, table: second)
            end = sql.tokens[at + 1].range.upperBound
            at += 2
        }
        references.append(Reference(table: name, range: start..<end))
        return name
    }
}
