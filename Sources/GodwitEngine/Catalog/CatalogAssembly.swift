import MySQLWire

/// Puts the rows of the catalog's queries together into definitions. Pure: rows in, definitions out.
struct CatalogAssembly {
    private let features: CatalogFeatures
    private var definitionsByName: [TableName: TableDefinition] = [:]
    /// System-versioned ones.
    private var versioned: Set<TableName> = []

    init(features: CatalogFeatures) { self.features = features }

    var isEmpty: Bool { definitionsByName.isEmpty }
    /// Sorted.
    var names: [TableName] { definitionsByName.keys.sorted() }
    var definitions: [TableDefinition] { definitionsByName.values.sorted { $0.name < $1.name } }

    mutating func tables(_ rows: [MySQLRow], include: (TableName) -> Bool) {
        for row in rows {
            guard let name = Self.name(row), include(name) else { continue }
            if row.string(7) == "SYSTEM VERSIONED" { versioned.insert(name) }
            definitionsByName[name] = TableDefinition(
                name: name, engine: row.string(2) ?? "", tableCollation: row.string(3) ?? "", columns: [], indexes: [],
                isPartitioned: (row.string(6) ?? "").lowercased().contains("partitioned"), createStatement: "",
                estimatedRows: row.uint(4) ?? 0, dataBytes: row.uint(5) ?? 0)
        }
    }

    /// Of system-versioned tables: the columns that hold the period, which this server does not list where the definition does not name
    /// them. After the columns and the definitions' texts.
    mutating func periods() throws {
        for table in definitions where !table.columns.isEmpty && versioned.contains(table.name) {
            definitionsByName[table.name] = try Self.versioned(table)
        }
    }

    static func versioned(_ table: TableDefinition) throws(EngineError) -> TableDefinition {
        var table = table
        let items = try statement(table).items.filter { $0.kind == .column }
        func position(_ end: String) -> Int? {
            guard let item = items.first(where: { $0.isRow(end) }) else { return nil }
            return table.columns.firstIndex { $0.name == item.name }
        }
        if let start = position("START"), let end = position("END") {
            table.period = SystemPeriod(start: start, end: end, isImplicit: false)
        } else {
            table.period = SystemPeriod(start: table.columns.count, end: table.columns.count + 1, isImplicit: true)
            for name in ["row_start", "row_end"] {
                table.columns.append(
                    ColumnDefinition(
                        name: name, position: table.columns.count, dataType: "timestamp", columnType: "timestamp(6)", isNullable: false,
                        isInvisible: true, datetimePrecision: 6, extra: "ROW"))
            }
        }
        // The server writes them by itself, unless it is told what they were.
        if let period = table.period {
            for position in [period.start, period.end] { table.columns[position].isGenerated = false }
        }
        return table
    }

    mutating func remove(_ name: TableName) { definitionsByName[name] = nil }

    mutating func createStatement(_ text: String, of name: TableName) {
        definitionsByName[name]?.createStatement = text
    }

    /// Positions are counted, not taken over: a server may leave gaps in ORDINAL_POSITION where it hides columns that are not
    /// in row images either.
    mutating func columns(_ rows: [MySQLRow]) throws(EngineError) {
        var byTable: [TableName: [(ordinal: Int64, column: ColumnDefinition)]] = [:]
        for row in rows {
            guard let name = Self.name(row), definitionsByName[name] != nil else { continue }
            guard let ordinal = row.int(3) else {
                throw EngineError(.failed, "The server's list of columns of table \(name) has a column without position.")
            }
            byTable[name, default: []].append((ordinal, Self.column(row)))
        }
        for (name, columns) in byTable {
            definitionsByName[name]?.columns = columns.sorted { $0.ordinal < $1.ordinal }.enumerated().map { position, entry in
                var column = entry.column
                column.position = position
                return column
            }
        }
    }

    private static func column(_ row: MySQLRow) -> ColumnDefinition {
        let columnType = row.string(7) ?? ""
        let extra = row.string(14) ?? ""
        let upper = extra.uppercased()
        return ColumnDefinition(
            name: row.string(2) ?? "", position: 0, dataType: (row.string(6) ?? "").lowercased(), columnType: columnType,
            isUnsigned: isUnsigned(columnType), isNullable: row.string(5) == "YES", characterSet: row.string(12),
            collation: row.string(13),
            isGenerated: upper.contains("VIRTUAL GENERATED") || upper.contains("STORED GENERATED"),
            isInvisible: upper.split(separator: " ").contains("INVISIBLE"),
            isAutoIncrement: upper.split(separator: " ").contains("AUTO_INCREMENT"), octetLength: row.uint(8),
            numericPrecision: row.int(9).map { Int($0) }, numericScale: row.int(10).map { Int($0) },
            datetimePrecision: row.int(11).map { Int($0) }, srid: row.uint(15).map { UInt32(truncatingIfNeeded: $0) },
            defaultExpression: row.string(4), extra: extra)
    }

    /// `int unsigned`, `decimal(5,2) unsigned zerofill`; not a member of an ENUM that happens to be called so.
    private static func isUnsigned(_ columnType: String) -> Bool {
        let lower = columnType.lowercased()
        guard !lower.hasPrefix("enum("), !lower.hasPrefix("set(") else { return false }
        return lower.split(separator: " ").contains("unsigned")
    }

    /// In the order of the definition's text, which is the order in which the server prefers them; so the definitions must be in.
    mutating func indexes(_ rows: [MySQLRow]) throws {
        var parts: [TableName: [String: [MySQLRow]]] = [:]
        for row in rows {
            guard let name = Self.name(row), definitionsByName[name] != nil, let index = row.string(2) else { continue }
            parts[name, default: [:]][index, default: []].append(row)
        }
        for (name, indexes) in parts {
            guard let table = definitionsByName[name] else { continue }
            let order = try Self.statement(table).indexes.map(\.name)
            let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let positions = Dictionary(table.columns.map { ($0.name, $0.position) }, uniquingKeysWith: { first, _ in first })
            let end = table.period?.end
            definitionsByName[name]?.indexes = try indexes
                .map { try Self.index(name, $0, $1, positions).reaching(end) }
                .sorted { (rank[$0.name] ?? .max, $0.name) < (rank[$1.name] ?? .max, $1.name) }
        }
    }

    /// The queries and the definitions' texts were read one after the other: were they of one moment?
    func check() throws {
        for table in definitions {
            if table.columns.isEmpty {
                throw EngineError(
                    .plan, "The server lists table \(table.name) without its columns.", why: "The user may not read them.",
                    cure: "GRANT SELECT on the table, or exclude it.")
            }
            let statement = try Self.statement(table)
            let columns = statement.items.filter { $0.kind == .column }.map(\.name)
            let listed = table.period?.isImplicit == true ? table.columns.dropLast(2) : table.columns[...]
            guard columns == listed.map(\.name), Set(statement.indexes.map(\.name)) == Set(table.indexes.map(\.name)),
                statement.foreignKeys.count == table.foreignKeys.count
            else {
                throw EngineError(
                    .resumable, "The definition of table \(table.name) changed while it was read.", cure: "Run the command again.")
            }
        }
    }

    static func statement(_ table: TableDefinition) throws(EngineError) -> CreateStatement {
        do {
            return try CreateStatement(parsing: table.createStatement)
        } catch {
            throw EngineError(
                .plan, "The definition of table \(table.name) cannot be read: \(error).",
                why: "Godwit moves only definitions that it understands in full.", cure: "Exclude the table.")
        }
    }

    private static func index(
        _ table: TableName, _ name: String, _ rows: [MySQLRow], _ positions: [String: Int]
    ) throws(EngineError) -> IndexDefinition {
        let sorted = rows.sorted { ($0.int(4) ?? 0) < ($1.int(4) ?? 0) }
        var index = IndexDefinition(
            name: name, isUnique: sorted.first?.int(3) == 0, isPrimary: name == "PRIMARY", columns: [])
        for row in sorted {
            guard let column = row.string(5) else {
                index.hasFunctionalParts = true
                continue
            }
            guard let position = positions[column] else {
                throw EngineError(.failed, "Index \(name) of table \(table) names column \(column), which the table does not have.")
            }
            index.columns.append(position)
            if row.int(6) != nil { index.hasPrefixParts = true }
        }
        return index
    }

    mutating func foreignKeys(_ rows: [MySQLRow]) {
        var parts: [TableName: [String: [MySQLRow]]] = [:]
        for row in rows {
            guard let name = Self.name(row), definitionsByName[name] != nil, let key = row.string(2) else { continue }
            parts[name, default: [:]][key, default: []].append(row)
        }
        for (name, keys) in parts {
            definitionsByName[name]?.foreignKeys = keys.sorted { $0.key < $1.key }.map { key, rows in
                let sorted = rows.sorted { ($0.int(3) ?? 0) < ($1.int(3) ?? 0) }
                return ForeignKeyDefinition(
                    name: key, columns: sorted.map { $0.string(4) ?? "" },
                    referenced: TableName(schema: sorted[0].string(5) ?? "", table: sorted[0].string(6) ?? ""),
                    referencedColumns: sorted.map { $0.string(7) ?? "" }, onDelete: sorted[0].string(8) ?? "",
                    onUpdate: sorted[0].string(9) ?? "")
            }
        }
    }

    mutating func triggers(_ rows: [MySQLRow]) {
        for row in rows {
            guard let name = Self.name(row), let trigger = row.string(2) else { continue }
            definitionsByName[name]?.triggers.append(trigger)
        }
        for name in names { definitionsByName[name]?.triggers.sort() }
    }

    private static func name(_ row: MySQLRow) -> TableName? {
        guard let schema = row.string(0), let table = row.string(1) else { return nil }
        return TableName(schema: schema, table: table)
    }
}

extension IndexDefinition {
    /// A unique key of a system-versioned table holds among rows that end at one moment: the server adds the column by itself.
    fileprivate func reaching(_ end: Int?) -> IndexDefinition {
        guard let end, isUnique, !columns.contains(end) else { return self }
        var index = self
        index.columns.append(end)
        return index
    }
}

extension CreateStatement.Item {
    /// `GENERATED ALWAYS AS ROW START`, or END.
    fileprivate func isRow(_ end: String) -> Bool {
        guard kind == .column, let sql = try? SQLText(text) else { return false }
        return (0..<sql.count).contains { sql.keyword($0) == "AS" && sql.keyword($0 + 1) == "ROW" && sql.keyword($0 + 2) == end }
    }
}
