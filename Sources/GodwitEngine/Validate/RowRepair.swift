import Foundation
import MySQLTypes
import MySQLWire
import NIOCore

/// Reads rows of one table from the source and puts them on the target in the place of what stands there, by key. What is read is
/// what a chunk of the load would read, and it is written as such a chunk is without LOAD DATA: same expressions, same checks.
struct RowRepair: Sendable {
    let sql: ChecksumSQL
    let transfer: TableTransfer
    /// Bytes of one INSERT.
    let statementLimit: Int

    /// Keys of one repair: their rows are held in memory.
    static let batch = 100

    struct Insert: Sendable {
        var sql: ByteBuffer
        var rows: UInt64
    }

    private var keyNames: [String] { sql.keyColumns.map(\.name) }

    /// The rows as the source has them now, as statements for the target.
    func read(_ keys: [RowKey], on source: MySQLConnection) async throws -> [Insert] {
        let condition = KeyBounds.equality(columns: keyNames, keys: keys.map(\.literals))
        return try await source.rows(transfer.selectTyped(where: condition)) { stream in
            var reader = RowReader(columnCount: transfer.columns.count + transfer.columns.count { $0.typeSelect != nil })
            var inserts: [Insert] = []
            var buffer = SQLBuffer(reserving: 4096)
            var rows: UInt64 = 0
            while let batch = try await stream.next() {
                for row in try reader.rows(of: batch) {
                    if rows == 0 {
                        buffer = SQLBuffer(reserving: 4096)
                        buffer.append(transfer.insertHead)
                    } else {
                        buffer.append(",")
                    }
                    try transfer.append(row, to: &buffer)
                    rows += 1
                    if buffer.count >= statementLimit {
                        inserts.append(Insert(sql: buffer.bytes, rows: rows))
                        rows = 0
                    }
                }
            }
            guard reader.isAtRowStart else {
                throw EngineError(.resumable, "The source's rows of \(transfer.source.name) ended inside a row.")
            }
            if rows > 0 { inserts.append(Insert(sql: buffer.bytes, rows: rows)) }
            return inserts
        }
    }

    /// Inside a transaction of the target. All keys go first: a value of a unique key may have changed places among the rows.
    func write(_ keys: [RowKey], _ inserts: [Insert], on target: MySQLConnection) async throws {
        let condition = KeyBounds.equality(columns: keyNames, keys: keys.map(\.literals))
        if let period = sql.target.period {
            // A version that has ended cannot be taken away or changed by itself.
            let end = SQL.identifier(sql.target.columns[period.end].name)
            let ended = "\(end) NOT IN (\(SystemPeriod.ends.map(SQL.string).joined(separator: ", ")))"
            guard try await target.query("SELECT 1 FROM \(sql.target.rowsSQL) WHERE (\(condition)) AND \(ended) LIMIT 1").rows.isEmpty else {
                throw EngineError(
                    .plan, "History of \(transfer.target) differs, and history cannot be rewritten row by row.",
                    why: "The table is system-versioned; MariaDB removes history by its age alone.", cure: "Load this table again.")
            }
            try await target.query("\(TableStatements.clockAtStart)DELETE FROM \(transfer.target.sql) WHERE \(condition)")
        } else {
            try await target.query("DELETE FROM \(transfer.target.sql) WHERE \(condition)")
        }
        for insert in inserts {
            let ok = try await target.query(insert.sql).ok
            guard ok.affectedRows == insert.rows, ok.warnings == 0 else {
                throw EngineError(
                    .failed, "The target stored \(ok.affectedRows) of \(insert.rows) rows of \(transfer.target), with \(ok.warnings) warnings.",
                    why: "A definition, character set or limit differs between the two tables.", cure: "Compare both SHOW CREATE TABLE.")
            }
        }
    }

    /// What the rows hold, as JSON objects by column; long values shortened, bytes in hex.
    func images(_ side: Side, _ keys: [RowKey], on connection: MySQLConnection) async throws -> [RowKey: String] {
        let width = sql.keyColumns.count
        var images: [RowKey: String] = [:]
        for row in try await connection.query(sql.cells(side, keys: keys)).rows {
            guard row.values.count == width + 2 * sql.columns.count else {
                throw EngineError(.failed, "The cell query of \(sql.source.name) gave \(row.values.count) columns.")
            }
            let values = sql.columns.enumerated().map { index, column -> String in
                let value = row.values[width + 2 * index + 1].map { TargetState.json(String(decoding: $0, as: UTF8.self)) } ?? "null"
                return "\(TargetState.json(column.name)): \(value)"
            }
            images[RowKey(try sql.literals(row.values[..<width]))] = "{\(values.joined(separator: ", "))}"
        }
        return images
    }
}

extension TableTransfer {
    /// `selectTyped` of the rows that the condition selects, within the plan's filter.
    func selectTyped(where condition: String) -> String {
        let lists = columns.compactMap(\.typeSelect)
        let filtered = filter.map { " AND (\($0))" } ?? ""
        return "SELECT \((columns.map(\.select) + lists).joined(separator: ", ")) FROM \(source.rowsSQL) WHERE (\(condition))\(filtered)"
    }

    /// One row of `selectTyped` as a row of VALUES.
    func append(_ row: [[UInt8]?], to sql: inout SQLBuffer) throws {
        var types = row[columns.count...]
        for (index, column) in columns.enumerated() {
            sql.append(index == 0 ? "(" : ",")
            if column.typeSelect != nil, let list = types.removeFirst(), let text = row[index] {
                try column.appendJSON(text, types: list, to: &sql)
            } else {
                column.appendLiteral(row[index], to: &sql)
            }
        }
        sql.append(")")
    }
}

/// One rewritten row, as it is told.
package struct RepairedRow: Sendable, Hashable, Codable {
    package var schema: String
    package var table: String
    package var key: RowKey
    package var was: String?
    package var now: String?
}
