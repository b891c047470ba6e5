extension Remedy { static let generatedUnwritten = Remedy("generated-unwritten", pitfalls: [17], test: "RemedyRuleTests/generatedColumnsAreNotWritten") }
extension Remedy { static let floatsAreNoKeys = Remedy("floats-are-no-keys", pitfalls: [8], test: "MigrationEdgeTests.keysOfFloats") }

/// A table's name on one server.
package struct TableName: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package var schema: String
    package var table: String
    package init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }
    package var description: String { "\(schema).\(table)" }
    /// Quoted for SQL.
    package var sql: String { "\(SQL.identifier(schema)).\(SQL.identifier(table))" }
    package static func < (left: Self, right: Self) -> Bool { (left.schema, left.table) < (right.schema, right.table) }
}

/// Quoting for statements that Godwit writes.
package enum SQL {
    /// A name in backticks, backticks doubled.
    package static func identifier(_ name: String) -> String { "`" + name.replacing("`", with: "``") + "`" }

    /// A text literal for names and settings (sessions run without NO_BACKSLASH_ESCAPES).
    package static func string(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''").replacing("\0", with: "\\0") + "'"
    }
}

/// One column, from information_schema.
package struct ColumnDefinition: Hashable, Sendable, Codable {
    package var name: String
    /// 0-based position in the table, which is its position in a row image.
    package var position: Int
    /// information_schema's DATA_TYPE in lower case: `int`, `varchar`, `geometry`, `point` …
    package var dataType: String
    /// COLUMN_TYPE: `int unsigned`, `enum('a','b')` …
    package var columnType: String
    package var isUnsigned: Bool
    package var isNullable: Bool
    /// nil for columns without a character set.
    package var characterSet: String?
    package var collation: String?
    /// Virtual or stored: never written.
    package var isGenerated: Bool
    package var isInvisible: Bool
    package var isAutoIncrement: Bool
    /// CHARACTER_OCTET_LENGTH, for string and binary types.
    package var octetLength: UInt64?
    package var numericPrecision: Int?
    package var numericScale: Int?
    package var datetimePrecision: Int?
    package var srid: UInt32?
    /// COLUMN_DEFAULT and EXTRA as the server prints them; for comparing definitions.
    package var defaultExpression: String?
    package var extra: String

    package init(
        name: String, position: Int, dataType: String, columnType: String, isUnsigned: Bool = false,
        isNullable: Bool = true, characterSet: String? = nil, collation: String? = nil, isGenerated: Bool = false,
        isInvisible: Bool = false, isAutoIncrement: Bool = false, octetLength: UInt64? = nil,
        numericPrecision: Int? = nil, numericScale: Int? = nil, datetimePrecision: Int? = nil, srid: UInt32? = nil,
        defaultExpression: String? = nil, extra: String = ""
    ) {
        self.name = name
        self.position = position
        self.dataType = dataType
        self.columnType = columnType
        self.isUnsigned = isUnsigned
        self.isNullable = isNullable
        self.characterSet = characterSet
        self.collation = collation
        self.isGenerated = isGenerated
        self.isInvisible = isInvisible
        self.isAutoIncrement = isAutoIncrement
        self.octetLength = octetLength
        self.numericPrecision = numericPrecision
        self.numericScale = numericScale
        self.datetimePrecision = datetimePrecision
        self.srid = srid
        self.defaultExpression = defaultExpression
        self.extra = extra
    }
}

extension ColumnDefinition {
    /// A SET whose 64th member may be in a value: servers compare it with numbers as if it were negative (measured), so
    /// it orders and addresses no rows.
    var isSetOf64: Bool { dataType == "set" && columnType.split(separator: "','").count > 63 }
}

/// An index. `columns` are positions in the table; a functional part has none.
package struct IndexDefinition: Hashable, Sendable, Codable {
    package var name: String
    package var isUnique: Bool
    package var isPrimary: Bool
    package var columns: [Int]
    /// A part is an expression: its value is not in row images.
    package var hasFunctionalParts: Bool
    /// A part covers a prefix of its column only.
    package var hasPrefixParts: Bool
    package init(
        name: String, isUnique: Bool, isPrimary: Bool, columns: [Int], hasFunctionalParts: Bool = false,
        hasPrefixParts: Bool = false
    ) {
        self.name = name
        self.isUnique = isUnique
        self.isPrimary = isPrimary
        self.columns = columns
        self.hasFunctionalParts = hasFunctionalParts
        self.hasPrefixParts = hasPrefixParts
    }
}

package struct ForeignKeyDefinition: Hashable, Sendable, Codable {
    package var name: String
    package var columns: [String]
    package var referenced: TableName
    package var referencedColumns: [String]
    /// CASCADE, SET NULL, NO ACTION, RESTRICT, SET DEFAULT.
    package var onDelete: String
    package var onUpdate: String
    package init(
        name: String, columns: [String], referenced: TableName, referencedColumns: [String], onDelete: String,
        onUpdate: String
    ) {
        self.name = name
        self.columns = columns
        self.referenced = referenced
        self.referencedColumns = referencedColumns
        self.onDelete = onDelete
        self.onUpdate = onUpdate
    }
    /// An action that changes child rows by itself.
    package var cascades: Bool {
        ["CASCADE", "SET NULL", "SET DEFAULT"].contains(onDelete) || ["CASCADE", "SET NULL", "SET DEFAULT"].contains(onUpdate)
    }
}

/// The columns by which a system-versioned table of MariaDB keeps its history: each row is a version, valid from `start` to `end`, and
/// the key of the table is unique among the versions that end at one moment.
///
/// Source: MariaDB documentation, "System-Versioned Tables".
package struct SystemPeriod: Hashable, Sendable, Codable {
    /// Positions in the table.
    package var start: Int
    package var end: Int
    /// The two columns are not in the definition's text; they are last in row images.
    package var isImplicit: Bool
    package init(start: Int, end: Int, isImplicit: Bool) {
        self.start = start
        self.end = end
        self.isImplicit = isImplicit
    }

    /// ROW END of a row that is current, as text in UTC: before MariaDB 11.5, and since (there TIMESTAMP has unsigned seconds).
    package static let ends = ["2038-01-19 03:14:07.999999", "2106-02-07 06:28:15.999999"]
}

/// Everything Godwit knows of one table on one server.
package struct TableDefinition: Hashable, Sendable, Codable {
    package var name: TableName
    package var engine: String
    package var tableCollation: String
    package var columns: [ColumnDefinition]
    package var indexes: [IndexDefinition]
    package var foreignKeys: [ForeignKeyDefinition]
    package var triggers: [String]
    package var isPartitioned: Bool
    /// nil: not system-versioned.
    package var period: SystemPeriod?
    /// SHOW CREATE TABLE.
    package var createStatement: String
    /// Estimates of the server's statistics.
    package var estimatedRows: UInt64
    package var dataBytes: UInt64
    package init(
        name: TableName, engine: String, tableCollation: String, columns: [ColumnDefinition], indexes: [IndexDefinition],
        foreignKeys: [ForeignKeyDefinition] = [], triggers: [String] = [], isPartitioned: Bool = false,
        createStatement: String, estimatedRows: UInt64 = 0, dataBytes: UInt64 = 0
    ) {
        self.name = name
        self.engine = engine
        self.tableCollation = tableCollation
        self.columns = columns
        self.indexes = indexes
        self.foreignKeys = foreignKeys
        self.triggers = triggers
        self.isPartitioned = isPartitioned
        self.createStatement = createStatement
        self.estimatedRows = estimatedRows
        self.dataBytes = dataBytes
    }

    /// The index that addresses rows: the primary key, else the first unique key of NOT NULL plain columns; nil: keyless.
    /// FLOAT and DOUBLE columns do not address rows (their text does not round-trip in WHERE).
    package var rowKey: IndexDefinition? {
        let usable = indexes.filter { index in
            index.isUnique && !index.hasFunctionalParts && !index.hasPrefixParts && !index.columns.isEmpty
                && index.columns.allSatisfy {
                    !columns[$0].isNullable && !(["float", "double"].contains(columns[$0].dataType) && Remedy.floatsAreNoKeys.isOn)
                        && !columns[$0].isSetOf64
                }
        }
        return usable.first { $0.isPrimary } ?? usable.first
    }

    /// Unique indexes other than the row key.
    package var secondaryUnique: [IndexDefinition] {
        let key = rowKey?.name
        return indexes.filter { $0.isUnique && $0.name != key }
    }

    /// The table in a FROM clause: with the history of a system-versioned one, whose rows are all its versions.
    package var rowsSQL: String { name.sql + (period == nil ? "" : " FOR SYSTEM_TIME ALL") }

    /// The columns that are copied: all but generated ones, in table order.
    package var writableColumns: [ColumnDefinition] { columns.filter { !$0.isGenerated || !Remedy.generatedUnwritten.isOn } }
}
