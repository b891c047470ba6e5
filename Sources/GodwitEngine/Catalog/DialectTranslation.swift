import MySQLWire

/// From the source's dialect of definitions to the target's, where one is MySQL and the other MariaDB: types, collations,
/// spellings. Pure. What has no equivalent is an objection, named before the start; what becomes something else that holds the same
/// rows is a remark.
///
/// Source: MariaDB manual, "MariaDB versus MySQL – Compatibility", "Comment Syntax", "Setting Character Sets and Collations";
/// MySQL manual, "Data Type Default Values". Printed forms were measured on MySQL 9.7, MariaDB 10.11 and 11.8.
package struct DialectTranslation: Hashable, Sendable {
    package var fromMariaDB: Bool
    package var toMariaDB: Bool
    /// Full names of the target's collations; empty: not known, every one is taken to exist.
    package var targetCollations: Set<String>
    /// Why no system-versioned table keeps its history on this target, a sentence; nil: it can.
    package var historyObjection: String?

    package init(fromMariaDB: Bool = false, toMariaDB: Bool = false, targetCollations: Set<String> = []) {
        self.fromMariaDB = fromMariaDB
        self.toMariaDB = toMariaDB
        self.targetCollations = targetCollations
    }

    package init(source: ServerFacts, target: ServerFacts) {
        self.init(
            fromMariaDB: source.isMariaDB, toMariaDB: target.isMariaDB, targetCollations: Set(target.collations.keys))
        historyObjection = Self.historyObjection(source, target)
    }

    /// Between servers of one family, MySQL's.
    package static let none = DialectTranslation()

    /// The two servers are of different families.
    package var crosses: Bool { fromMariaDB != toMariaDB }

    package static func read(source: MySQLConnection, target: MySQLConnection) async throws(MySQLError) -> DialectTranslation {
        DialectTranslation(
            fromMariaDB: source.server.isMariaDB, toMariaDB: target.server.isMariaDB,
            targetCollations: Set(try await ServerFacts.collations(target).keys))
    }

    // MARK: Collations

    package struct MappedCollation: Hashable, Sendable {
        package var name: String
        /// Takes the same values for equal as the source's: good for keys.
        package var isExact: Bool
    }

    /// The target's collation for one of the source's; nil: there is none that is near enough.
    ///
    /// Both families have the older Unicode collations under the same names and rules. Those of Unicode 9 (MySQL) and 14 (MariaDB)
    /// give other weights to characters that came between, so values that differ in one may be equal in the other.
    package func collation(_ name: String) -> MappedCollation? {
        func ifThere(_ other: String, exact: Bool) -> MappedCollation? {
            targetCollations.isEmpty || targetCollations.contains(other) ? MappedCollation(name: other, isExact: exact) : nil
        }
        let isNewer = name.contains("_0900_") || name.contains("uca1400")
        if name == "utf8mb4_0900_bin", toMariaDB { return ifThere("utf8mb4_nopad_bin", exact: true) }
        if name == "utf8mb4_nopad_bin" || name == "utf8mb4_0900_bin", crosses, fromMariaDB {
            return ifThere("utf8mb4_0900_bin", exact: true)
        }
        let kinds = ["ai_ci", "as_ci", "as_cs"]
        guard crosses else {
            if let same = ifThere(name, exact: true) { return same }
            // MariaDB's names of Unicode 9 are other names of its own.
            guard toMariaDB, let kind = kinds.first(where: { name == "utf8mb4_0900_" + $0 }) else { return nil }
            return ifThere("utf8mb4_uca1400_nopad_" + kind, exact: true)
        }
        if !isNewer, !name.contains("_nopad_"), let same = ifThere(name, exact: true) { return same }
        if toMariaDB {
            if let kind = kinds.first(where: { name == "utf8mb4_0900_" + $0 }) {
                return ifThere("utf8mb4_uca1400_nopad_" + kind, exact: false)
            }
            return isNewer ? ifThere(name, exact: false) : nil
        }
        if let kind = kinds.first(where: { name == "utf8mb4_0900_" + $0 || name == "utf8mb4_uca1400_" + $0 || name == "utf8mb4_uca1400_nopad_" + $0 }) {
            return ifThere("utf8mb4_0900_" + kind, exact: false)
        }
        if name.hasSuffix("uca1400_ai_ci") || name.hasSuffix("uca1400_nopad_ai_ci"), let set = name.split(separator: "_").first {
            return ifThere("\(set)_unicode_520_ci", exact: false)
        }
        // Without padding more values differ than with it: only a key could not bear it.
        return name.contains("_nopad_") && !isNewer ? ifThere(name.replacing("_nopad_", with: "_"), exact: false) : nil
    }

    // MARK: Tables

    /// What keeps the table from moving, each a sentence.
    package func objections(_ table: TableDefinition) -> [String] {
        guard crosses || toMariaDB else { return [] }
        var found = versions(table)
        let unique = table.indexes.filter(\.isUnique).reduce(into: Set<Int>()) { $0.formUnion($1.columns) }
        for column in table.columns {
            let name = SQL.identifier(column.name)
            if crosses, Self.typesOfOneFamily.contains(column.dataType) {
                found.append("Column \(name) is \(column.columnType), a type that the target does not have.")
            }
            guard let collation = column.collation, let mapped = self.collation(collation) else { continue }
            if unique.contains(column.position), !mapped.isExact, column.dataType != "enum", column.dataType != "set" {
                found.append(
                    "Column \(name) is part of a unique key and compared by \(collation); the nearest of the target, \(mapped.name), may take different values for equal.")
            }
        }
        guard crosses else { return found }
        do {
            _ = try translated(table)
        } catch {
            found.append(error.reason)
        }
        return found
    }

    /// What becomes something else that holds the same rows, each a sentence.
    package func remarks(_ table: TableDefinition) -> [String] {
        guard crosses else { return [] }
        var found: [String] = []
        var collations: [String: String] = [:]
        for column in table.columns {
            if column.dataType == "json" {
                found.append("Column \(SQL.identifier(column.name)) (JSON) becomes text with a check: the target keeps JSON as text, and types that the text does not show (DECIMAL, dates) are lost.")
            }
            guard let collation = column.collation, let mapped = self.collation(collation), !mapped.isExact else { continue }
            collations[collation] = mapped.name
        }
        for (old, new) in collations.sorted(by: { $0.key < $1.key }) {
            found.append("Columns that are no keys and are sorted by \(old) will be sorted by \(new): accents and new characters may sort in another order, and trailing spaces may count.")
        }
        return found
    }

    private static let typesOfOneFamily: Set<String> = ["uuid", "inet4", "inet6", "xmltype", "vector"]

    /// The source's table as its twin on the target is defined: for comparing with one that stands there, and for checksums.
    package func table(_ table: TableDefinition) -> TableDefinition {
        guard crosses || toMariaDB else { return table }
        var result = table
        result.tableCollation = collation(table.tableCollation)?.name ?? table.tableCollation
        result.columns = table.columns.map(column)
        return result
    }

    private func column(_ column: ColumnDefinition) -> ColumnDefinition {
        var result = column
        if let collation = column.collation, let mapped = self.collation(collation) { result.collation = mapped.name }
        guard crosses else { return result }
        if let comment = result.columnType.firstRange(of: " /*M!") {
            result.columnType = String(result.columnType[..<comment.lowerBound])
        }
        if toMariaDB {
            result.srid = nil
            if column.dataType == "json" {
                result.dataType = "longtext"
                result.columnType = "longtext"
                result.characterSet = "utf8mb4"
                result.collation = "utf8mb4_bin"
            }
        }
        let collection = (mysql: "geomcollection", mariaDB: "geometrycollection")
        if result.dataType == collection.mysql || result.dataType == collection.mariaDB {
            result.dataType = toMariaDB ? collection.mariaDB : collection.mysql
            result.columnType = result.dataType
        }
        return result
    }

    // MARK: Text

    /// The table's CREATE statement in the target's dialect.
    package func translated(_ table: TableDefinition) throws(SQLTokenError) -> CreateStatement {
        let collations = Dictionary(
            table.columns.compactMap { column in column.collation.map { (column.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        var statement = try CreateStatement(parsing: table.createStatement)
            .withCollations(table: table.tableCollation, columns: collations)
        guard crosses || toMariaDB else { return statement }
        let types = Dictionary(table.columns.map { ($0.name, $0.dataType) }, uniquingKeysWith: { first, _ in first })
        for index in statement.items.indices {
            let item = statement.items[index]
            guard item.kind != .foreignKey else { continue }
            let text = DialectText(translation: self, item: item, type: types[item.name] ?? "")
            statement.items[index].text = try text.translated()
        }
        statement.options = try DialectText.options(statement.options, self)
        return statement
    }
}
