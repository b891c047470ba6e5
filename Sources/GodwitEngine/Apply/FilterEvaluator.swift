import MySQLBinlog
import MySQLTypes
import MySQLWire
import NIOCore

/// Asks a server whether row images satisfy the plan's filters, so that replay judges exactly as the load's WHERE does,
/// collations included.
package struct FilterEvaluator: Sendable {
    package let shape: TableShape
    package let filters: [RowFilter]

    package init(shape: TableShape, filters: [RowFilter]) {
        self.shape = shape
        self.filters = filters
    }

    /// Positions of the columns that the filters judge by.
    static func columns(of filters: [RowFilter], in shape: TableShape) -> [Int] {
        var positions: [Int] = []
        _ = try? filters.sql(columns: shape.source.columns) { column in
            positions.append(column.position)
            return "NULL"
        }
        return positions
    }

    /// One verdict for each row, in order.
    package func evaluate(_ rows: [ImageRow], on connection: MySQLConnection) async throws -> [Bool] {
        var verdicts: [Bool] = []
        var next = 0
        while next < rows.count {
            var parts: [String] = []
            var length = 0
            while next < rows.count, parts.count < 500, length < 1 << 20 {
                let part = try condition(rows[next])
                length += part.utf8.count
                parts.append(part)
                next += 1
            }
            let result = try await connection.query("SELECT \(parts.joined(separator: ", "))")
            guard let row = result.rows.first, row.values.count == parts.count else {
                throw EngineError(.failed, "The target did not judge the row filter of \(shape.source.name).")
            }
            verdicts += parts.indices.map { row.int($0) == 1 }
        }
        return verdicts
    }

    private func condition(_ row: ImageRow) throws -> String {
        var failure: (any Error)?
        let sql = try filters.sql(columns: shape.source.columns) { column in
            do { return try Self.operand(row, column) } catch {
                failure = error
                return "NULL"
            }
        }
        if let failure { throw failure }
        return sql ?? "1"
    }

    /// The image's value as a literal of the column's own type.
    private static func operand(_ row: ImageRow, _ column: ColumnDefinition) throws -> String {
        let value = try row.value(column)
        switch value {
        case .bytes(let bytes):
            var padded = bytes
            if column.dataType == "binary", let length = column.octetLength, bytes.count < Int(length) {
                padded += [UInt8](repeating: 0, count: Int(length) - bytes.count)
            }
            let literal = "_\(column.characterSet ?? "binary") X'\(KeyLiteral.hex(padded))'"
            return column.collation.map { "\(literal) COLLATE \($0)" } ?? literal
        case .enumeration(let index):
            let members = row.map.columns[column.position].members ?? ColumnMembers.parse(column)
            let bytes = index > 0 && index <= members.count ? members[index - 1] : []
            let literal = "_\(column.characterSet ?? "utf8mb4") X'\(KeyLiteral.hex(bytes))'"
            return column.collation.map { "\(literal) COLLATE \($0)" } ?? literal
        case .set(let bits):
            let members = row.map.columns[column.position].members ?? ColumnMembers.parse(column)
            var chosen: [UInt8] = []
            for (index, member) in members.enumerated() where index < 64 && bits & (1 << UInt64(index)) != 0 {
                if !chosen.isEmpty { chosen.append(UInt8(ascii: ",")) }
                chosen += member
            }
            let literal = "_\(column.characterSet ?? "utf8mb4") X'\(KeyLiteral.hex(chosen))'"
            return column.collation.map { "\(literal) COLLATE \($0)" } ?? literal
        case .date:
            // Four-digit years: `99-1-1` would be read as 1999.
            var sql = SQLBuffer()
            try ValueLiteral.append(value, to: &sql)
            return "CAST(\(String(decoding: sql.bytes.readableBytesView, as: UTF8.self)) AS DATE)"
        case .time(let text): return "CAST('\(text)' AS TIME(\(column.datetimePrecision ?? 6)))"
        case .datetime(let text), .timestamp(let text):
            return "CAST('\(text)' AS DATETIME(\(column.datetimePrecision ?? 6)))"
        case .year(let year): return String(year)
        default:
            var sql = SQLBuffer()
            try ValueLiteral.append(value, to: &sql)
            return String(decoding: sql.bytes.readableBytesView, as: UTF8.self)
        }
    }
}

/// Members of an ENUM or SET from its COLUMN_TYPE, for logs without full metadata.
enum ColumnMembers {
    static func parse(_ column: ColumnDefinition) -> [[UInt8]] {
        guard let open = column.columnType.firstIndex(of: "("), let close = column.columnType.lastIndex(of: ")") else { return [] }
        var members: [[UInt8]] = []
        var current: [UInt8] = []
        var quoted = false
        let bytes = Array(column.columnType[column.columnType.index(after: open)..<close].utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "'") {
                if quoted, index + 1 < bytes.count, bytes[index + 1] == byte {
                    current.append(byte)
                    index += 1
                } else {
                    quoted.toggle()
                    if !quoted {
                        members.append(current)
                        current = []
                    }
                }
            } else if quoted {
                current.append(byte)
            }
            index += 1
        }
        return members
    }
}
