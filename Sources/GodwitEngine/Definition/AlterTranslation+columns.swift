/// Columns' definitions and the table's options.
extension AlterTranslation {
    /// What stands behind the column's name.
    mutating func text(_ column: ColumnClause) throws(Unclear) -> String {
        var parts = [column.type + (column.arguments.isEmpty ? "" : "(\(column.arguments.joined(separator: ", ")))")]
        var collation: String?
        let fromMariaDB = setting.translation.fromMariaDB
        if column.type == "json", fromMariaDB { parts = ["longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"] }
        if column.type == "json", fromMariaDB { collation = "utf8mb4_bin" }
        if column.isText {
            let found = try self.collation(column)
            collation = found.name
            parts.append("CHARACTER SET \(found.characterSet) COLLATE \(found.mapped)")
        } else if column.characterSet != nil || (column.collation != nil && column.type != "json") {
            throw ColumnClause.unclear("a character set for \(column.type)")
        }
        if column.isZerofill { parts.append("UNSIGNED ZEROFILL") } else if column.isUnsigned { parts.append("UNSIGNED") }
        if let generated = column.generated {
            guard column.isNullable != false, column.defaultValue == nil else { throw ColumnClause.unclear("a generated column that is NOT NULL") }
            parts.append("GENERATED ALWAYS AS \(generated)")
        }
        if column.type == "timestamp", column.isNullable == nil, column.generated == nil, !setting.hasExplicitTimestamps {
            throw ColumnClause.unclear("a TIMESTAMP of which NULL or NOT NULL is not said")
        }
        if let isNullable = column.isNullable, column.generated == nil { parts.append(isNullable ? "NULL" : "NOT NULL") }
        else if column.type == "timestamp" { parts.append("NULL") }
        if let value = defaultText(column) { parts.append(value) }
        if let update = column.onUpdate { parts.append("ON UPDATE " + update) }
        if column.isAutoIncrement { parts.append("AUTO_INCREMENT") }
        if column.isInvisible { parts.append("INVISIBLE") }
        if column.isUnique { parts.append("UNIQUE") }
        if column.isPrimary { parts.append("PRIMARY KEY") }
        if let comment = column.comment { parts.append("COMMENT " + comment) }
        if column.type == "json", fromMariaDB { parts.append("CHECK (json_valid(\(SQL.identifier(column.name))))") }
        if !column.place.isEmpty { parts.append(column.place) }
        let key = column.name.lowercased()
        if let collation { collationsAfter[key] = collation }
        if column.isUnique || column.isPrimary { uniqueColumns.insert(key) }
        result.origins[key] = .defined(collation: collation, type: column.type)
        return parts.joined(separator: " ")
    }

    func defaultText(_ column: ColumnClause) -> String? {
        switch column.defaultValue {
        case nil: return nil
        case .null: return "DEFAULT NULL"
        case .now(let text): return "DEFAULT \(text)"
        case .expression(let text): return "DEFAULT (\(text))"
        case .literal(let text):
            // MySQL takes a literal for these as an expression only.
            let isLong = column.type.hasSuffix("text") || column.type.hasSuffix("blob") || column.type == "json"
            return isLong ? "DEFAULT (\(text))" : "DEFAULT \(text)"
        }
    }

    private mutating func collation(_ column: ColumnClause) throws(Unclear) -> (name: String, characterSet: String, mapped: String) {
        var name = column.collation
        if name == nil, let set = column.characterSet { name = try Self.defaultCollation(of: set, setting) }
        if name == nil {
            usesTableDefault = true
            name = source.tableCollation
        }
        guard let name, let set = setting.collations[name]?.characterSet, !set.isEmpty, let mapped = setting.translation.collation(name) else {
            throw ColumnClause.unclear("the collation \(name ?? "") of \(SQL.identifier(column.name))")
        }
        return (name, set, mapped.name)
    }

    private static func defaultCollation(of set: String, _ setting: Setting) throws(Unclear) -> String {
        if let known = setting.defaults[set] {
            guard let known else { throw ColumnClause.unclear("CHARACTER SET \(set) without a COLLATE") }
            return known
        }
        guard let name = setting.collations.first(where: { $0.value.characterSet == set && $0.value.isDefault })?.key else {
            throw ColumnClause.unclear("the character set \(set)")
        }
        return name
    }

    // MARK: Options

    mutating func option(_ end: Int) throws(Unclear) {
        _ = skip("DEFAULT")
        let option = word(at)
        at += 1
        if option == "CHARACTER" { at += 1 }
        switch option {
        case "CHARACTER", "CHARSET":
            let set = plain(try value(end))
            var collation: String?
            if at < end, word(at) == "COLLATE" || (word(at) == "DEFAULT" && word(at + 1) == "COLLATE") {
                _ = skip("DEFAULT")
                at += 1
                collation = plain(try value(end))
            }
            if collation == nil { collation = try Self.defaultCollation(of: set, setting) }
            try tableCollation(collation ?? "")
        case "COLLATE": try tableCollation(plain(try value(end)))
        case "ENGINE":
            guard plain(try value(end)) == "innodb" else { throw ColumnClause.unclear("another engine than InnoDB") }
            result.clauses.append("ENGINE = InnoDB")
        case "COMMENT": result.clauses.append("COMMENT = \(try value(end))")
        case "AUTO_INCREMENT", "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES": result.clauses.append("\(option) = \(try value(end))")
        case "ROW_FORMAT":
            let format = plain(try value(end)).uppercased()
            guard ["DEFAULT", "DYNAMIC", "COMPACT", "REDUNDANT"].contains(format) else { throw ColumnClause.unclear("ROW_FORMAT \(format)") }
            result.clauses.append("ROW_FORMAT = \(format)")
        // How it is done is each server's own matter.
        case "ALGORITHM", "LOCK", "KEY_BLOCK_SIZE": _ = try value(end)
        case "FORCE": break
        case "WITH", "WITHOUT":
            guard skip("VALIDATION") else { throw ColumnClause.unclear(option) }
        case "ENABLE", "DISABLE":
            guard skip("KEYS") else { throw ColumnClause.unclear(option) }
        default: throw ColumnClause.unclear(option.isEmpty ? sql.raw(at - 1) : option)
        }
    }

    private mutating func value(_ end: Int) throws(Unclear) -> String {
        if sql.raw(at) == "=" { at += 1 }
        guard at < end else { throw ColumnClause.unclear("an option without a value") }
        defer { at += 1 }
        return sql.raw(at)
    }

    private func plain(_ raw: String) -> String {
        raw.trimmingCharacters(["'", "\"", "`"]).lowercased()
    }

    private mutating func tableCollation(_ name: String) throws(Unclear) {
        guard let mapped = setting.translation.collation(name), let set = setting.collations[name]?.characterSet, !set.isEmpty else {
            throw ColumnClause.unclear("the collation \(name)")
        }
        result.tableCollation = name
        result.clauses.append("DEFAULT CHARACTER SET \(set) COLLATE \(mapped.name)")
    }
}

extension String {
    fileprivate func trimmingCharacters(_ characters: Set<Character>) -> String {
        String(drop { characters.contains($0) }.reversed().drop { characters.contains($0) }.reversed())
    }
}
