import MySQLBinlog
import MySQLTypes
import MySQLWire

/// Rows of prepared XA transactions, see `PreparedTransactions`.
extension TargetState {
    static let xaTable = """
        CREATE TABLE IF NOT EXISTS `godwit`.`xa` (
          `task` VARCHAR(191) NOT NULL,
          `xid` VARCHAR(320) NOT NULL,
          `part` INT UNSIGNED NOT NULL,
          `source_schema` VARCHAR(64) NULL,
          `source_table` VARCHAR(64) NULL,
          `header` LONGTEXT NULL,
          `body` LONGBLOB NULL,
          PRIMARY KEY (`task`, `xid`, `part`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """

    private var own: String { "task = \(SQL.string(task))" }
    /// Name of the row that holds no transaction: where in the log all earlier ones were decided.
    private static let settledName = ""

    package func storeSettled(_ position: ReplicationPosition, on target: MySQLConnection) async throws {
        try await target.query(
            "REPLACE INTO `godwit`.`xa` (task, xid, part, header) VALUES (\(SQL.string(task)), '', 0, \(SQL.string(Self.json(position))))")
    }

    package func preparedTransactions(on target: MySQLConnection) async throws -> PreparedTransactions {
        let rows = try await target.query("SELECT xid, IF(xid = '', header, NULL) FROM `godwit`.`xa` WHERE \(own) AND part = 0").rows
        var settled: ReplicationPosition?
        var names: Set<String> = []
        for row in rows {
            let name = row.string(0) ?? ""
            if name == Self.settledName {
                settled = try row.string(1).map { try Self.decode(ReplicationPosition.self, $0) }
            } else {
                names.insert(name)
            }
        }
        return PreparedTransactions(stored: names, settled: settled)
    }

    /// - Parameter first: number of the first part; part 0 stands for a transaction without rows too.
    func store(
        _ rows: [PreparedTransactions.Rows], of xid: String, first: Int, names: [TableName], on target: MySQLConnection
    ) async throws {
        if rows.isEmpty, first == 0 {
            try await target.query("INSERT INTO `godwit`.`xa` (task, xid, part) VALUES (\(SQL.string(task)), \(SQL.string(xid)), 0)")
        }
        var next = 0
        while next < rows.count {
            var sql = SQLBuffer(reserving: rows[next].event.bytes.count + 4096)
            sql.append("INSERT INTO `godwit`.`xa` (task, xid, part, source_schema, source_table, header, body) VALUES ")
            let start = next
            repeat {
                let row = rows[next]
                if next > start { sql.append(",") }
                let header = Self.json(StoredRowsEvent(row.event))
                sql.append(
                    "(\(SQL.string(task)), \(SQL.string(xid)), \(first + next), \(SQL.string(names[row.table].schema)), \(SQL.string(names[row.table].table)), \(SQL.string(header)), ")
                sql.appendQuoted(row.event.bytes, introducer: "_binary")
                sql.append(")")
                next += 1
            } while next < rows.count && sql.count < 1 << 20 && next - start < 500
            try await target.query(sql.bytes)
        }
    }

    /// Parts of a transaction that has got its name.
    func rename(xid: String, to name: String, on target: MySQLConnection) async throws {
        try await target.query("UPDATE `godwit`.`xa` SET xid = \(SQL.string(name)) WHERE \(own) AND xid = \(SQL.string(xid))")
    }

    func remove(xids: [String], on target: MySQLConnection) async throws {
        guard !xids.isEmpty else { return }
        try await target.query("DELETE FROM `godwit`.`xa` WHERE \(own) AND xid IN (\(xids.map(SQL.string).joined(separator: ", ")))")
    }

    /// Some parts from `part` on, in order; empty: there are no more.
    func parts(
        of xid: String, from part: Int, on target: MySQLConnection
    ) async throws -> [(part: Int, table: TableName, event: RowsEvent)] {
        let condition = "\(own) AND xid = \(SQL.string(xid)) AND part >= \(part) AND body IS NOT NULL"
        let sizes = try await target.query("SELECT part, LENGTH(body) FROM `godwit`.`xa` WHERE \(condition) ORDER BY part LIMIT 500").rows
        // Some megabytes at a time, at least one part.
        var bytes = 0
        var count = 0
        for row in sizes {
            bytes += Int(row.uint(1) ?? 0)
            count += 1
            if bytes >= 4 << 20 { break }
        }
        guard count > 0 else { return [] }
        let rows = try await target.query(
            "SELECT part, source_schema, source_table, header, body FROM `godwit`.`xa` WHERE \(condition) ORDER BY part LIMIT \(count)").rows
        return try rows.map { row in
            let header = try Self.decode(StoredRowsEvent.self, row.string(3) ?? "")
            return (
                Int(row.uint(0) ?? 0), TableName(schema: row.string(1) ?? "", table: row.string(2) ?? ""),
                try header.event(row.bytes(4) ?? [])
            )
        }
    }
}
