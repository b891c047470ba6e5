import MySQLBinlog
import MySQLTypes
import NIOCore

/// One statement of a batch, and what the server must answer for it to be right.
package struct ApplyStatement: Sendable {
    package enum Purpose: String, Sendable {
        case delete, upsert, insert, update
        /// INSERT IGNORE: rows that are there already stay as they are, each with a warning, and there is no other warning.
        case insertMissing = "insert of missing rows"
        /// DELETE HISTORY: what it takes is counted over the whole transaction, whose rows may come in parts.
        case history = "delete of history"
    }
    package var sql: ByteBuffer
    package var purpose: Purpose
    package var rows: Int
    /// Affected rows, or nil before the consistency point, where any count is right.
    package var expectedAffected: UInt64?
    /// Rows that an UPDATE must find, whether it changes them or not; nil: any number.
    package var expectedMatched: UInt64?
}

/// Writes the statements of one table's batch: few, multi-row, in a safe order, none longer than `limit` bytes unless one row is.
package struct TableStatements: Sendable {
    package var shape: TableShape
    /// Bytes after which a statement is closed.
    package var limit: Int
    /// Rows after which a statement is closed.
    package var rowLimit: Int

    package init(shape: TableShape, limit: Int = 1 << 20, rowLimit: Int = 1000) {
        self.shape = shape
        self.limit = limit
        self.rowLimit = rowLimit
    }

    /// `DELETE … WHERE key IN (…)`; counts are checked when `strict`.
    package func deletes(
        _ rows: [ImageRow], strict: Bool, _ body: (ApplyStatement) async throws -> Void
    ) async throws {
        let names = shape.key.map { SQL.identifier(shape.source.columns[$0].name) }
        let left = names.count == 1 ? names[0] : "(" + names.joined(separator: ",") + ")"
        let isVersioned = shape.source.period != nil
        let form = Form(
            purpose: .delete,
            head: "\(isVersioned && Remedy.rowVersions.isOn ? Self.clockAtStart : "")DELETE FROM \(shape.target.sql) WHERE \(left) IN (",
            tail: ")", affectedPerRow: strict ? 1 : nil)
        guard isVersioned else { return try await assemble(rows, form, body) }
        if let statement = try historyDelete(rows.filter { !isCurrent($0) }) { try await body(statement) }
        try await assemble(rows.filter(isCurrent), form, body)
    }

    /// `INSERT … ON DUPLICATE KEY UPDATE` of all columns. Strict: every row exists and changes, so affected is 2 × rows.
    package func upserts(
        _ rows: [ImageRow], strict: Bool, _ body: (ApplyStatement) async throws -> Void
    ) async throws {
        let names = shape.writable.map { SQL.identifier($0.name) }
        let assignments = names.map { shape.rowAlias ? "\($0)=`new`.\($0)" : "\($0)=VALUES(\($0))" }
        let tail = (shape.rowAlias ? " AS `new`" : "") + " ON DUPLICATE KEY UPDATE " + assignments.joined(separator: ",")
        try await assemble(
            rows, Form(purpose: .upsert, head: insertHead, tail: tail, affectedPerRow: strict ? 2 : nil), body)
    }

    /// Plain INSERT of rows that must not exist; a duplicate (1062) is a divergence.
    package func inserts(_ rows: [ImageRow], _ body: (ApplyStatement) async throws -> Void) async throws {
        try await assemble(rows, Form(purpose: .insert, head: insertHead, tail: "", affectedPerRow: 1), body)
    }

    /// Rows that may be there already, and then are the same.
    func insertsOfMissing(_ rows: [ImageRow], _ body: (ApplyStatement) async throws -> Void) async throws {
        let head = insertHead.replacing("INSERT INTO", with: "INSERT IGNORE INTO", maxReplacements: 1)
        try await assemble(rows, Form(purpose: .insertMissing, head: head, tail: "", affectedPerRow: nil), body)
    }

    private var insertHead: String {
        "INSERT INTO \(shape.target.sql) (" + shape.writable.map { SQL.identifier($0.name) }.joined(separator: ",") + ") VALUES "
    }

    private struct Form {
        var purpose: ApplyStatement.Purpose
        var head: String
        var tail: String
        var affectedPerRow: UInt64?
    }

    private func append(_ row: ImageRow, _ purpose: ApplyStatement.Purpose, to sql: inout SQLBuffer) throws {
        guard purpose == .delete else {
            for (index, column) in shape.writable.enumerated() {
                sql.append(index == 0 ? "(" : ",")
                try row.appendLiteral(column, jsonIsText: shape.jsonIsText, to: &sql)
            }
            sql.append(")")
            return
        }
        if shape.key.count > 1 { sql.append("(") }
        for (index, position) in shape.key.enumerated() {
            if index > 0 { sql.append(",") }
            let column = shape.source.columns[position]
            try ValueLiteral.appendKey(row.value(column), column: column, to: &sql)
        }
        if shape.key.count > 1 { sql.append(")") }
    }

    private func assemble(
        _ rows: [ImageRow], _ form: Form, _ body: (ApplyStatement) async throws -> Void
    ) async throws {
        var next = 0
        while next < rows.count {
            // Reserving a large row's size keeps the buffer from doubling as it grows.
            var sql = SQLBuffer(reserving: 16_384 + rows[next].byteCount)
            sql.append(form.head)
            var count = 0
            repeat {
                if count > 0 { sql.append(",") }
                try append(rows[next], form.purpose, to: &sql)
                next += 1
                count += 1
            } while next < rows.count && count < rowLimit && sql.count + rows[next].byteCount < limit
            sql.append(form.tail)
            let expected = form.affectedPerRow.map { $0 * UInt64(count) }
            try await body(
                ApplyStatement(sql: sql.bytes, purpose: form.purpose, rows: count, expectedAffected: expected))
        }
    }

    // MARK: Parts of rows

    /// Writes the columns that `change.after` has to the row that `change.before` names. Before it come the statements that make sure
    /// that a document is written although it equals the old one: the server takes an UPDATE of JSON 1 to 1.0 for none (measured).
    package func partialUpdate(_ change: PartialChange, strict: Bool) throws -> [ApplyStatement] {
        let written = shape.writable.filter { column in
            let position = column.position
            guard change.after.has(position) || change.after.diffs[position] != nil else { return false }
            return !shape.key.contains(position) || !change.before.hasSameContent(as: change.after, in: [position])
        }
        let documents = written.filter { $0.dataType == "json" }
        if shape.jsonIsText, !change.after.diffs.isEmpty {
            throw EngineError(
                .failed, "A change of \(shape.source.name) changes part of a JSON document that its event does not carry, and the target keeps documents as text.",
                why: "MariaDB cannot carry out MySQL's changes of a document exactly; some session writes with binlog_row_value_options = PARTIAL_JSON and binlog_row_image other than FULL.",
                cure: "SET PERSIST binlog_row_value_options = '', let every application connect anew, and start a new migration.")
        }
        var statements: [ApplyStatement] = []
        if !documents.isEmpty {
            statements.append(
                try update(change.before, documents, strict) { column, sql in
                    if let diffs = change.after.diffs[column.position] {
                        sql.append("JSON_OBJECT('godwit',")
                        try appendDiffs(diffs, to: SQL.identifier(column.name), &sql)
                        sql.append(")")
                    } else if column.isNullable {
                        sql.append("NULL")
                    } else {
                        // Any document but the one that follows.
                        sql.append(try change.after.value(column) == .json([4, 1]) ? "'false'" : "'true'")
                    }
                })
        }
        guard !written.isEmpty else { return statements }
        statements.append(
            try update(change.before, written, strict) { column, sql in
                if change.after.diffs[column.position] != nil {
                    sql.append("JSON_EXTRACT(\(SQL.identifier(column.name)),'$.godwit')")
                } else {
                    try change.after.appendLiteral(column, jsonIsText: shape.jsonIsText, to: &sql)
                }
            })
        return statements
    }

    private func update(
        _ row: ImageRow, _ columns: [ColumnDefinition], _ strict: Bool,
        _ value: (ColumnDefinition, inout SQLBuffer) throws -> Void
    ) throws -> ApplyStatement {
        var sql = SQLBuffer(reserving: row.byteCount + 4096)
        sql.append("UPDATE \(shape.target.sql) SET ")
        for (index, column) in columns.enumerated() {
            if index > 0 { sql.append(",") }
            sql.append(SQL.identifier(column.name) + "=")
            try value(column, &sql)
        }
        sql.append(" WHERE ")
        for (index, position) in shape.key.enumerated() {
            if index > 0 { sql.append(" AND ") }
            let column = shape.source.columns[position]
            sql.append(SQL.identifier(column.name) + "=")
            try ValueLiteral.appendKey(row.value(column), column: column, to: &sql)
        }
        return ApplyStatement(
            sql: sql.bytes, purpose: .update, rows: 1, expectedAffected: nil, expectedMatched: strict ? 1 : nil)
    }

    /// Diffs as the server's own functions, from the innermost outwards.
    private func appendDiffs(_ diffs: [JSONDiff], to name: String, _ sql: inout SQLBuffer) throws {
        for diff in diffs.reversed() {
            switch diff.operation {
            case .replace: sql.append("JSON_REPLACE(")
            case .insert: sql.append(diff.path.hasSuffix("]") ? "JSON_ARRAY_INSERT(" : "JSON_INSERT(")
            case .remove: sql.append("JSON_REMOVE(")
            }
        }
        sql.append(name)
        for diff in diffs {
            sql.append(",")
            sql.appendQuoted(Array(diff.path.utf8), introducer: "_utf8mb4")
            if let value = diff.value {
                sql.append(",CAST(")
                try ValueLiteral.append(.json(value), to: &sql)
                sql.append(" AS JSON)")
            }
            sql.append(")")
        }
    }

    // MARK: Keyless tables

    /// A run of rows inserted into a keyless table.
    package func keylessInserts(_ rows: [ImageRow], _ body: (ApplyStatement) async throws -> Void) async throws {
        try await inserts(rows, body)
    }

    /// Removes exactly one row equal to the image in every column, by stored bytes where the collation is looser than bytes.
    package func keylessDelete(_ row: ImageRow) throws -> ApplyStatement {
        var sql = SQLBuffer(reserving: row.byteCount + 4096)
        sql.append("DELETE FROM \(shape.target.sql) WHERE ")
        try appendMatch(row, &sql)
        sql.append(" LIMIT 1")
        return ApplyStatement(sql: sql.bytes, purpose: .delete, rows: 1, expectedAffected: 1)
    }

    package func keylessUpdate(from before: ImageRow, to after: ImageRow) throws -> ApplyStatement {
        var sql = SQLBuffer(reserving: before.byteCount + after.byteCount + 4096)
        try appendUpdate(after, &sql)
        try appendMatch(before, &sql)
        sql.append(" LIMIT 1")
        return ApplyStatement(sql: sql.bytes, purpose: .update, rows: 1, expectedAffected: 1)
    }

    /// An update in place of the row with the old key, also of the key itself.
    package func keyedUpdate(from before: ImageRow, to after: ImageRow) throws -> ApplyStatement {
        var sql = SQLBuffer(reserving: after.byteCount + 4096)
        try appendUpdate(after, &sql)
        for (index, position) in shape.key.enumerated() {
            let column = shape.source.columns[position]
            sql.append((index == 0 ? "" : " AND ") + SQL.identifier(column.name) + " = ")
            try ValueLiteral.appendKey(before.value(column), column: column, to: &sql)
        }
        return ApplyStatement(sql: sql.bytes, purpose: .update, rows: 1, expectedAffected: 1)
    }

    private func appendUpdate(_ after: ImageRow, _ sql: inout SQLBuffer) throws {
        sql.append("UPDATE \(shape.target.sql) SET ")
        for (index, column) in shape.writable.enumerated() {
            if index > 0 { sql.append(",") }
            sql.append(SQL.identifier(column.name) + "=")
            try after.appendLiteral(column, jsonIsText: shape.jsonIsText, to: &sql)
        }
        sql.append(" WHERE ")
    }

    private func appendMatch(_ row: ImageRow, _ sql: inout SQLBuffer) throws {
        for (index, column) in shape.writable.enumerated() {
            if index > 0 { sql.append(" AND ") }
            let name = SQL.identifier(column.name)
            let value = try row.value(column)
            switch value {
            case .null:
                sql.append("\(name) IS NULL")
            case .json where shape.jsonIsText:
                sql.append("CAST(\(name) AS BINARY) = CAST(")
                try ValueLiteral.append(value, jsonIsText: true, to: &sql)
                sql.append(" AS BINARY)")
            case .json(let binary):
                // JSON compares 1 and 1.0 as equal; the text tells them apart, and the types what has the same text.
                try JSONExpression.appendMatch(name, binary, to: &sql)
            case .bytes(let bytes):
                if column.characterSet != nil, column.characterSet != "binary" {
                    // The first condition can use an index, the second tells case, accents and padding apart.
                    sql.append("\(name) = ")
                    try ValueLiteral.appendKey(value, column: column, to: &sql)
                    sql.append(" AND CAST(\(name) AS BINARY) = ")
                    sql.appendHex(bytes)
                } else if ["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                    "multipolygon", "geomcollection", "geometrycollection", "vector"].contains(column.dataType) {
                    sql.append("HEX(\(name)) = HEX(")
                    sql.appendHex(bytes)
                    sql.append(")")
                } else {
                    sql.append("\(name) = ")
                    try ValueLiteral.appendKey(value, column: column, to: &sql)
                }
            case .enumeration:
                sql.append("\(name)+0 = ")
                if case .enumeration(let member) = value { sql.append(String(member)) }
            case .set(let bits): sql.append("CAST(\(name) AS UNSIGNED) = \(bits)")
            default:
                sql.append("\(name) = ")
                try ValueLiteral.append(value, to: &sql)
            }
        }
    }
}
