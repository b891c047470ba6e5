import MySQLWire

/// What the lists of objects are read by. Source: MySQL manual, "INFORMATION_SCHEMA Tables", "SHOW CREATE … Statement".
enum ObjectQueries {
    /// An object as information_schema lists it.
    struct Listed: Sendable {
        var id: ObjectDefinition.ID
        var definer = ""
        var place: ObjectDefinition.TriggerPlace?
        var isEnabled = true
        var uses: [TableName] = []
        var invalid: String?
        var isUnsafeForLog = false
        var isExpired = false
        var hasWideHead = false
        var table: TableName? { place.map { TableName(schema: id.name.schema, table: $0.table) } }
    }

    /// Where SHOW CREATE has what: `settings` is the first of character_set_client, collation_connection, database collation.
    struct Columns {
        var text: Int
        var mode: Int?
        var zone: Int?
        var settings: Int
        init(_ kind: ObjectDefinition.Kind) {
            switch kind {
            case .view: (text, mode, zone, settings) = (1, nil, nil, 2)
            case .function, .procedure, .trigger: (text, mode, zone, settings) = (2, 1, nil, 3)
            case .event: (text, mode, zone, settings) = (3, 1, 2, 4)
            }
        }
    }

    static func routines(_ schemas: [String]) -> String {
        """
        SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DEFINER, IS_DETERMINISTIC, SQL_DATA_ACCESS, ROUTINE_COMMENT
        FROM information_schema.ROUTINES WHERE ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') AND ROUTINE_SCHEMA IN (\(list(schemas)))
        """
    }

    static func routine(_ row: MySQLRow) -> Listed {
        let isFunction = row.string(2)?.uppercased() == "FUNCTION"
        let access = row.string(5)?.uppercased() ?? ""
        var listed = Listed(id: .init(isFunction ? .function : .procedure, name(row, 0)), definer: row.string(3) ?? "")
        listed.isUnsafeForLog =
            isFunction && row.string(4)?.uppercased() != "YES" && !["NO SQL", "READS SQL DATA"].contains(access)
        listed.hasWideHead = isWide(row, [0, 1, 3, 6])
        return listed
    }

    static func triggers(_ schemas: [String]) -> String {
        """
        SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, DEFINER
        FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (\(list(schemas)))
        """
    }

    static func trigger(_ row: MySQLRow) -> Listed {
        var listed = Listed(id: .init(.trigger, name(row, 0)), definer: row.string(6) ?? "")
        listed.place = .init(
            table: row.string(2) ?? "", timing: row.string(3) ?? "", event: row.string(4) ?? "", order: Int(row.int(5) ?? 0))
        listed.hasWideHead = isWide(row, [1, 2, 6])
        return listed
    }

    /// The time of an event is in its own zone; a zone that the server does not know gives NULL, and the event counts as not expired.
    static func events(_ schemas: [String]) -> String {
        """
        SELECT EVENT_SCHEMA, EVENT_NAME, STATUS, DEFINER, ON_COMPLETION,
          COALESCE(EXECUTE_AT, ENDS) < CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', TIME_ZONE), EVENT_COMMENT
        FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (\(list(schemas)))
        """
    }

    static func event(_ row: MySQLRow) -> Listed {
        var listed = Listed(id: .init(.event, name(row, 0)), definer: row.string(3) ?? "")
        listed.isEnabled = row.string(2)?.uppercased() == "ENABLED"
        listed.isExpired = row.string(4)?.uppercased() == "NOT PRESERVE" && row.int(5) == 1
        listed.hasWideHead = isWide(row, [1, 3, 6])
        return listed
    }

    static func views(_ schemas: [String]) -> String {
        """
        SELECT v.TABLE_SCHEMA, v.TABLE_NAME, v.DEFINER, t.TABLE_COMMENT FROM information_schema.VIEWS AS v
        JOIN information_schema.TABLES AS t ON t.TABLE_SCHEMA = v.TABLE_SCHEMA AND t.TABLE_NAME = v.TABLE_NAME
        WHERE v.TABLE_SCHEMA IN (\(list(schemas)))
        """
    }

    static func view(_ row: MySQLRow) -> Listed {
        var listed = Listed(id: .init(.view, name(row, 0)), definer: row.string(2) ?? "")
        // The server puts what is wrong with a view where a table's comment stands; a good one says VIEW.
        let comment = row.string(3) ?? ""
        if comment.uppercased() != "VIEW", !comment.isEmpty { listed.invalid = comment }
        return listed
    }

    static func viewUses(_ schemas: [String]) -> String {
        """
        SELECT VIEW_SCHEMA, VIEW_NAME, TABLE_SCHEMA, TABLE_NAME FROM information_schema.VIEW_TABLE_USAGE
        WHERE VIEW_SCHEMA IN (\(list(schemas)))
        """
    }

    static func fingerprint(_ schemas: [String]) -> [String] {
        let list = list(schemas)
        return [
            """
            SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, DEFINER, SECURITY_TYPE, CHARACTER_SET_CLIENT,
              COLLATION_CONNECTION FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN (\(list)) ORDER BY 1, 2
            """,
            """
            SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_DEFINITION, CREATED, LAST_ALTERED, SQL_MODE, DEFINER,
              ROUTINE_COMMENT, SECURITY_TYPE, IS_DETERMINISTIC, SQL_DATA_ACCESS, CHARACTER_SET_CLIENT, COLLATION_CONNECTION,
              DATABASE_COLLATION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN (\(list)) ORDER BY 1, 2, 3
            """,
            """
            SELECT SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION, PARAMETER_MODE, PARAMETER_NAME, DTD_IDENTIFIER
              FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA IN (\(list)) ORDER BY 1, 2, 3, 4
            """,
            """
            SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER,
              ACTION_STATEMENT, CREATED, SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION
              FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (\(list)) ORDER BY 1, 2
            """,
            """
            SELECT EVENT_SCHEMA, EVENT_NAME, STATUS, DEFINER, TIME_ZONE, EVENT_DEFINITION, EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE,
              INTERVAL_FIELD, SQL_MODE, STARTS, ENDS, ON_COMPLETION, CREATED, EVENT_COMMENT, CHARACTER_SET_CLIENT,
              COLLATION_CONNECTION, DATABASE_COLLATION
              FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (\(list)) ORDER BY 1, 2
            """,
        ]
    }

    static func name(_ row: MySQLRow, _ at: Int) -> TableName {
        TableName(schema: row.string(at) ?? "", table: row.string(at + 1) ?? "")
    }

    private static func list(_ schemas: [String]) -> String { schemas.map(SQL.string).joined(separator: ", ") }

    private static func isWide(_ row: MySQLRow, _ columns: [Int]) -> Bool {
        columns.contains { row.bytes($0)?.contains { $0 >= 0x80 } ?? false }
    }
}
