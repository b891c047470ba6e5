import MySQLTypes

extension Remedy { static let exactColumns = Remedy("exact-columns", pitfalls: [21], test: "MigrationValueTests/everyTypeLandsTheSameBothWays") }

/// How a column's value travels in the load: what is selected on the source, and how the target takes it from the file.
///
/// The session selects with character_set_results = NULL, so text and binary columns come as stored, and the file is
/// read with CHARACTER SET binary, so they go as they came. Types whose text would lose something travel otherwise.
package struct ColumnTransfer: Sendable, Hashable {
    package let column: ColumnDefinition

    /// The target keeps JSON as text (MariaDB).
    private let jsonIsText: Bool

    package init(_ column: ColumnDefinition, jsonIsText: Bool = false) {
        self.column = column
        self.jsonIsText = jsonIsText
    }

    /// The expression in the SELECT of the source.
    package var select: String {
        let name = SQL.identifier(column.name)
        guard Remedy.exactColumns.isOn else { return name }
        switch column.dataType {
        // The text of a FLOAT has six digits. As DOUBLE it has as many as it needs, -0 included.
        case "float", "double", "real": return "CAST(\(name) AS DOUBLE)"
        // Not `+ 0`: that is a DOUBLE, in which two sets of 64 members look alike (measured).
        case "bit", "set": return "CAST(\(name) AS UNSIGNED)"
        // Index 0 is the error value ''; a legitimate member '' has another index.
        case "enum":
            // So many digits are no number and no member: the target takes them with a warning, which stops.
            let zero = (try? EnumZero.text(column)) ?? String(repeating: "0", count: 300)
            return "IF(\(name) + 0 = 0, '\(zero)', \(name))"
        default: return name
        }
    }

    /// The column or variable in LOAD DATA's list, by position.
    package func target(_ index: Int) -> String {
        assignment(index) == nil ? SQL.identifier(column.name) : "@v\(index)"
    }

    /// The SET clause, nil where the field is taken as it is.
    package func assignment(_ index: Int) -> String? {
        let name = SQL.identifier(column.name)
        switch column.dataType {
        case "bit", "set": return "\(name) = CAST(@v\(index) AS UNSIGNED)"
        // A JSON value cannot be made from a string of character set binary (error 3144).
        case "json": return "\(name) = CONVERT(@v\(index) USING utf8mb4)"
        // MariaDB's UUID, INET4 and INET6 take a binary string for the stored bytes: their text goes as text.
        case _ where MariaDBText.width(of: column.dataType) != nil && Remedy.textTypes.isOn:
            return "\(name) = CONVERT(@v\(index) USING utf8mb4)"
        default: return nil
        }
    }

    /// For a JSON column, the expression of the types that its text loses (`JSONTypes.list`); nil for others.
    package var typeSelect: String? {
        column.dataType == "json" && !jsonIsText ? JSONTypes.list(SQL.identifier(column.name)) : nil
    }

    /// A JSON value from its text and the list of types beside it.
    package func appendJSON(_ text: [UInt8], types: [UInt8], to sql: inout SQLBuffer) throws(EngineError) {
        JSONExpression.append(text, typed: try JSONTypes.values(of: text, types: types), to: &sql)
    }

    /// The literal in a multi-row INSERT, where the target does not allow LOAD DATA LOCAL: the same value, from the same bytes.
    package func appendLiteral(_ bytes: [UInt8]?, to sql: inout SQLBuffer) {
        guard let bytes else {
            sql.append("NULL")
            return
        }
        switch column.dataType {
        case "json": sql.appendQuoted(bytes, introducer: "_utf8mb4")
        case _ where MariaDBText.width(of: column.dataType) != nil: sql.appendQuoted(bytes, introducer: "_utf8mb4")
        case "bit", "set", "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric":
            sql.append(String(decoding: bytes, as: UTF8.self))
        case "float", "double", "real":
            let text = String(decoding: bytes, as: UTF8.self)
            sql.append(text.contains("e") ? text : text + "e0")
        case "date", "time", "datetime", "timestamp", "year":
            sql.append("'" + String(decoding: bytes, as: UTF8.self) + "'")
        default: sql.appendQuoted(bytes, introducer: "_binary")
        }
    }
}

/// The statements that move one table's rows.
package struct TableTransfer: Sendable {
    package let source: TableDefinition
    package let target: TableName
    package let columns: [ColumnTransfer]
    /// The plan's row filter, nil for all rows.
    package let filter: String?

    package init(source: TableDefinition, target: TableName, filter: String?, jsonIsText: Bool = false) {
        self.source = source
        self.target = target
        self.filter = filter
        columns = source.writableColumns.map { ColumnTransfer($0, jsonIsText: jsonIsText) }
    }

    package func select(_ bounds: KeyBounds) -> String {
        "SELECT \(columns.map(\.select).joined(separator: ", ")) \(rows(bounds))"
    }

    /// The same with the list of types of every JSON column behind the columns.
    package func selectTyped(_ bounds: KeyBounds) -> String {
        let lists = columns.compactMap(\.typeSelect)
        return "SELECT \((columns.map(\.select) + lists).joined(separator: ", ")) \(rows(bounds))"
    }

    /// Finds a row with a JSON value that text would change; nil where there are no JSON columns.
    package func findTyped(_ bounds: KeyBounds) -> String? {
        let lists = columns.compactMap(\.typeSelect)
        guard !lists.isEmpty else { return nil }
        return "SELECT 1 \(rows(bounds)) AND (\(lists.map { "\($0) IS NOT NULL" }.joined(separator: " OR "))) LIMIT 1"
    }

    private func rows(_ bounds: KeyBounds) -> String {
        let key = source.rowKey
        let columns = key?.columns.map { source.columns[$0].name } ?? []
        var condition = bounds.condition(columns: columns)
        if Fault.chunkBound.isOn, let upper = bounds.upper {
            condition = "(\(condition)) AND NOT (\(KeyBounds.equality(columns: columns, keys: [upper])))"
        }
        let index = key.map { " FORCE INDEX (\(SQL.identifier($0.name)))" } ?? ""
        let filtered = filter.map { " AND (\($0))" } ?? ""
        return "FROM \(source.rowsSQL)\(index) WHERE (\(condition))\(filtered)"
    }

    package var loadData: String {
        let list = columns.enumerated().map { $1.target($0) }.joined(separator: ", ")
        let assignments = columns.enumerated().compactMap { $1.assignment($0) }
        return """
            LOAD DATA LOCAL INFILE 'godwit' INTO TABLE \(target.sql) CHARACTER SET binary \
            FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (\(list))\
            \(assignments.isEmpty ? "" : " SET " + assignments.joined(separator: ", "))
            """
    }

    package var insertHead: String {
        "INSERT INTO \(target.sql) (" + columns.map { SQL.identifier($0.column.name) }.joined(separator: ", ") + ") VALUES "
    }
}

extension Remedy { static let textTypes = Remedy("mariadb-text-types", pitfalls: [21, 43], test: "MariaDBSchemaTests/typesOfItsOwn") }
