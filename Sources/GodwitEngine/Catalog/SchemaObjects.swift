import MySQLWire

/// What stands in the schemas beside tables: Godwit does not move it yet, and names each.
package struct SchemaObjects: Hashable, Sendable, Codable {
    package struct Object: Hashable, Sendable, Codable, Comparable {
        package enum Kind: String, Hashable, Sendable, Codable {
            case view, procedure, function, event, sequence
            /// PACKAGE and PACKAGE BODY of MariaDB's Oracle mode.
            case oraclePackage = "package"
            /// Any other type that the server lists among its tables.
            case other
        }
        package var kind: Kind
        package var name: TableName
        /// An event that is switched off does nothing by itself.
        package var isEnabled: Bool
        package init(kind: Kind, name: TableName, isEnabled: Bool = true) {
            self.kind = kind
            self.name = name
            self.isEnabled = isEnabled
        }
        package static func < (left: Self, right: Self) -> Bool {
            (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
        }
    }
    /// A foreign key by its ends, seen from either.
    package struct Reference: Hashable, Sendable, Codable {
        package var child: TableName
        package var name: String
        package var parent: TableName
        package var parentColumns: [String]
        package init(child: TableName, name: String, parent: TableName, parentColumns: [String] = []) {
            self.child = child
            self.name = name
            self.parent = parent
            self.parentColumns = parentColumns
        }
    }
    /// Sorted.
    package var objects: [Object]
    /// Foreign keys of all tables of the server that refer into these schemas.
    package var references: [Reference]

    package init(objects: [Object] = [], references: [Reference] = []) {
        self.objects = objects
        self.references = references
    }

    /// The objects of these schemas that the account may see.
    package static func read(_ connection: MySQLConnection, schemas: [String]) async throws(MySQLError) -> SchemaObjects {
        guard !schemas.isEmpty else { return SchemaObjects() }
        let list = schemas.map(SQL.string).joined(separator: ", ")
        var objects: [Object] = []
        let tables = try await connection.query(
            """
            SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES
            WHERE TABLE_TYPE NOT IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA IN (\(list))
            """)
        for row in tables.rows {
            objects.append(Object(kind: kind(tableType: row.string(2) ?? ""), name: name(row)))
        }
        let routines = try await connection.query(
            """
            SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA IN (\(list))
            """)
        for row in routines.rows {
            let kind: Object.Kind
            switch row.string(2) {
            case "FUNCTION": kind = .function
            case "PROCEDURE": kind = .procedure
            default: kind = .oraclePackage
            }
            objects.append(Object(kind: kind, name: name(row)))
        }
        let events = try await connection.query(
            """
            SELECT EVENT_SCHEMA, EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (\(list))
            """)
        for row in events.rows {
            objects.append(Object(kind: .event, name: name(row), isEnabled: row.string(2) == "ENABLED"))
        }
        let references = self.references(try await connection.query(CatalogQueries.referencing(schemas)).rows)
        return SchemaObjects(objects: objects.sorted(), references: references)
    }

    /// One row for each column, those of one foreign key together.
    private static func references(_ rows: [MySQLRow]) -> [Reference] {
        var references: [Reference] = []
        for row in rows {
            let child = name(row)
            let key = row.string(2) ?? ""
            let column = row.string(5) ?? ""
            if let last = references.last, last.child == child, last.name == key {
                references[references.count - 1].parentColumns.append(column)
            } else {
                let parent = TableName(schema: row.string(3) ?? "", table: row.string(4) ?? "")
                references.append(Reference(child: child, name: key, parent: parent, parentColumns: [column]))
            }
        }
        return references
    }

    private static func kind(tableType: String) -> Object.Kind {
        switch tableType.uppercased() {
        case "VIEW", "SYSTEM VIEW": .view
        case "SEQUENCE": .sequence
        default: .other
        }
    }

    private static func name(_ row: MySQLRow) -> TableName {
        TableName(schema: row.string(0) ?? "", table: row.string(1) ?? "")
    }
}
