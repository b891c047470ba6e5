/// Indexes, foreign keys and checks.
extension AlterTranslation {
    mutating func addKey(_ end: Int) throws(Unclear) {
        var constraint: String?
        if skip("CONSTRAINT") {
            _ = skip("IF", "NOT", "EXISTS")
            if !["UNIQUE", "PRIMARY", "FOREIGN", "CHECK"].contains(word(at)) || sql.kind(at) == .identifier { constraint = try name() }
        }
        switch word(at) {
        case "FOREIGN": return try foreignKey(constraint, end)
        case "CHECK":
            guard let constraint, sql.kind(at + 1) == .open, let close = try? sql.endOfGroup(at + 1, limit: end),
                close == end || (close + 1 == end && word(close) == "ENFORCED"),
                !(at..<close).contains(where: { sql.kind($0) == .dot })
            else { throw ColumnClause.unclear("a check without a name, or one that is not enforced") }
            result.clauses.append("ADD CONSTRAINT \(SQL.identifier(constraint)) CHECK \(sql.text(at + 1..<close))")
            at = end
        case "PRIMARY":
            at += 2
            try index("PRIMARY", name: nil, constraint: nil, end: end, skip("IF", "NOT", "EXISTS"))
        default:
            var kind = ""
            if ["UNIQUE", "FULLTEXT", "SPATIAL"].contains(word(at)) {
                kind = word(at)
                at += 1
            }
            if ["INDEX", "KEY"].contains(word(at)) { at += 1 }
            let tolerant = skip("IF", "NOT", "EXISTS")
            var name: String?
            if sql.kind(at) != .open, word(at) != "USING" { name = try self.name() }
            try index(kind, name: name ?? constraint, constraint: nil, end: end, tolerant)
        }
    }

    /// From behind the name: `[USING type] (parts) [options]`.
    mutating func index(
        _ kind: String, name: String?, constraint: String?, end: Int, _ tolerant: Bool
    ) throws(Unclear) {
        if word(at) == "USING" || word(at) == "TYPE" { at += 2 }
        guard sql.kind(at) == .open, let close = try? sql.endOfGroup(at, limit: end) else { throw ColumnClause.unclear("an index") }
        var parts: [String] = []
        for part in sql.split(at + 1..<close - 1) {
            guard let first = part.first, let column = sql.name(first), sql.kind(first) != .open else {
                throw ColumnClause.unclear("an index over an expression")
            }
            let rest = sql.text(first + 1..<part.upperBound)
            guard rest.isEmpty || rest.uppercased().wholeMatch(of: /(\( ?[0-9]+ ?\))? ?(ASC|DESC)?/) != nil else {
                throw ColumnClause.unclear("an index over an expression")
            }
            parts.append(SQL.identifier(column) + (rest.isEmpty ? "" : " " + rest))
            if kind == "UNIQUE" || kind == "PRIMARY" { uniqueColumns.insert(column.lowercased()) }
        }
        at = close
        var options = ""
        while at < end {
            switch word(at) {
            case "USING": at += 2
            case "KEY_BLOCK_SIZE": at += sql.raw(at + 1) == "=" ? 3 : 2
            case "COMMENT" where sql.kind(at + 1) == .string:
                options += " COMMENT \(sql.raw(at + 1))"
                at += 2
            case "VISIBLE": at += 1
            case "NOT" where word(at + 1) == "IGNORED": at += 2
            case "INVISIBLE", "IGNORED":
                options += " " + visibility(true)
                at += 1
            case "ALGORITHM", "LOCK": at += sql.raw(at + 1) == "=" ? 3 : 2
            default: throw ColumnClause.unclear("an index's \(sql.raw(at))")
            }
        }
        if tolerant, kind == "PRIMARY" ? hasIndex("PRIMARY") : name.map(hasIndex) ?? false { return }
        let head = kind == "PRIMARY" ? "PRIMARY KEY" : ([kind, "INDEX"].filter { !$0.isEmpty }.joined(separator: " "))
        let spelled = name.map { " " + SQL.identifier($0) } ?? ""
        result.clauses.append("ADD \(head)\(kind == "PRIMARY" ? "" : spelled) (\(parts.joined(separator: ", ")))\(options)")
    }

    mutating func foreignKey(_ constraint: String?, _ end: Int) throws(Unclear) {
        at += 2
        if word(at) == "IF" { throw ColumnClause.unclear("ADD FOREIGN KEY IF NOT EXISTS") }
        var indexName = ""
        if sql.kind(at) != .open { indexName = " " + SQL.identifier(try name()) }
        let own = try columnList(end)
        guard skip("REFERENCES") else { throw ColumnClause.unclear("a foreign key") }
        let parent = try table(in: source.name.schema)
        let theirs = try columnList(end)
        let actions = sql.text(at..<end)
        let known = /((ON (DELETE|UPDATE) (CASCADE|RESTRICT|SET NULL|NO ACTION)) ?)*/
        guard actions.uppercased().replacing(/\s+/, with: " ").wholeMatch(of: known) != nil else { throw ColumnClause.unclear("a foreign key's \(actions)") }
        at = end
        let name = constraint.map { "CONSTRAINT \(SQL.identifier($0)) " } ?? ""
        result.clauses.append("ADD \(name)FOREIGN KEY\(indexName) \(own) REFERENCES \(setting.naming(parent).sql) \(theirs) \(actions)")
    }

    private mutating func columnList(_ end: Int) throws(Unclear) -> String {
        guard sql.kind(at) == .open, let close = try? sql.endOfGroup(at, limit: end) else { throw ColumnClause.unclear("a list of columns") }
        var columns: [String] = []
        for part in sql.split(at + 1..<close - 1) {
            guard part.count == 1, let name = sql.name(part.lowerBound) else { throw ColumnClause.unclear("a list of columns") }
            columns.append(SQL.identifier(name))
        }
        at = close
        return "(\(columns.joined(separator: ", ")))"
    }

    /// A unique key takes the same values for equal on both sides, or it is not carried over.
    func checkKeys() throws(Unclear) {
        for name in uniqueColumns {
            let column = names[name]
            if let type = column?.dataType, type == "enum" || type == "set" { continue }
            guard let collation = collationsAfter[name] ?? column?.collation else { continue }
            guard let mapped = setting.translation.collation(collation), mapped.isExact else {
                throw ColumnClause.unclear("a unique key in the collation \(collation)")
            }
        }
    }

    func hasIndex(_ name: String) -> Bool { source.indexes.contains { $0.name.lowercased() == name.lowercased() } }
}
