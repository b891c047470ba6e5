/// What an information_schema has beyond the common ground of MySQL and MariaDB.
package struct CatalogFeatures: Hashable, Sendable {
    /// STATISTICS.EXPRESSION: functional index parts.
    package var hasExpressions: Bool
    /// COLUMNS.SRS_ID.
    package var hasSRID: Bool
}

/// The catalog's SQL: each text runs as it is. Columns are read by position, in the order written here.
/// Source: MySQL manual, "INFORMATION_SCHEMA Tables".
enum CatalogQueries {
    /// Which tables a query is about.
    struct Scope {
        var schemas: [String]
        var tables: [TableName]

        /// Up to so many tables are listed by name; beyond, whole schemas are read and filtered here.
        static let namedTables = 200

        func condition(schema: String, table: String) -> String {
            let schemas = Set(tables.map(\.schema)).sorted()
            let list = schemas.map(SQL.string).joined(separator: ", ")
            guard tables.count <= Self.namedTables else { return "\(schema) IN (\(list))" }
            let names = Set(tables.map(\.table)).sorted().map(SQL.string).joined(separator: ", ")
            return "\(schema) IN (\(list)) AND \(table) IN (\(names))"
        }
    }

    static let schemas = """
        SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME
        FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME
        """

    static let features = """
        SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = 'information_schema'
          AND ((TABLE_NAME = 'STATISTICS' AND COLUMN_NAME = 'EXPRESSION')
            OR (TABLE_NAME = 'COLUMNS' AND COLUMN_NAME = 'SRS_ID'))
        """

    /// - Parameter name: only tables of this name: a schema of thousands is not listed for one.
    static func tables(_ schemas: [String], named name: String? = nil) -> String {
        """
        SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_COLLATION, TABLE_ROWS, DATA_LENGTH, CREATE_OPTIONS, TABLE_TYPE
        FROM information_schema.TABLES
        WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA IN (\(schemas.map(SQL.string).joined(separator: ", ")))\(name.map { " AND TABLE_NAME = \(SQL.string($0))" } ?? "")
        """
    }

    static func columns(_ scope: Scope, _ features: CatalogFeatures) -> String {
        """
        SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE,
          COLUMN_TYPE, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION,
          CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, \(features.hasSRID ? "SRS_ID" : "NULL")
        FROM information_schema.COLUMNS
        WHERE \(scope.condition(schema: "TABLE_SCHEMA", table: "TABLE_NAME"))
        """
    }

    static func indexes(_ scope: Scope, _ features: CatalogFeatures) -> String {
        """
        SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, INDEX_TYPE
        FROM information_schema.STATISTICS
        WHERE \(scope.condition(schema: "TABLE_SCHEMA", table: "TABLE_NAME"))
        """
    }

    static func foreignKeys(_ scope: Scope) -> String {
        """
        SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION, k.COLUMN_NAME,
          k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE
        FROM information_schema.KEY_COLUMN_USAGE AS k
        JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r
          ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
          AND r.TABLE_NAME = k.TABLE_NAME
        WHERE k.REFERENCED_TABLE_NAME IS NOT NULL
          AND \(scope.condition(schema: "k.TABLE_SCHEMA", table: "k.TABLE_NAME"))
        """
    }

    static func triggers(_ scope: Scope) -> String {
        """
        SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME
        FROM information_schema.TRIGGERS
        WHERE \(scope.condition(schema: "EVENT_OBJECT_SCHEMA", table: "EVENT_OBJECT_TABLE"))
        """
    }

    /// Tables with foreign keys that refer to one of these.
    static func children(_ tables: [TableName]) -> String {
        let list = tables.map { "(\(SQL.string($0.schema)), \(SQL.string($0.table)))" }.joined(separator: ", ")
        return "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE (REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME) IN (\(list))"
    }

    /// Foreign keys of any table that refer to a table of these schemas: child, constraint, parent, its columns.
    static func referencing(_ schemas: [String]) -> String {
        """
        SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
          REFERENCED_COLUMN_NAME
        FROM information_schema.KEY_COLUMN_USAGE
        WHERE REFERENCED_TABLE_SCHEMA IN (\(schemas.map(SQL.string).joined(separator: ", ")))
        ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
        """
    }
}
