import MySQLTypes
import MySQLWire
import NIOCore

/// Loads one chunk: one read of the source, one target transaction that also sets the chunk's mark.
package struct ChunkLoader: Sendable {
    package let state: TargetState
    package let epoch: UInt64
    /// LOAD DATA LOCAL where the target allows it, else multi-row INSERT.
    package let usesLoadData: Bool
    /// Bytes of one INSERT statement.
    package let statementLimit: Int
    package let observer: any ProgressObserver

    package struct Outcome: Sendable {
        package var rows: UInt64
        package var bytes: UInt64
    }

    /// nil: the chunk's mark was set already (a COMMIT whose answer was lost).
    package func load(
        _ transfer: TableTransfer, _ chunk: StoredChunk, source: MySQLConnection, target: MySQLConnection
    ) async throws -> Outcome? {
        observer.moment("load.chunk.begin")
        try await target.query("BEGIN")
        try await state.checkFence(epoch: epoch, phase: .loading, on: target)
        if try await state.isDone(table: chunk.table, number: chunk.number, on: target) {
            try await target.query("ROLLBACK")
            return nil
        }
        let outcome = try await copy(transfer, chunk.bounds, source: source, target: target)
        try await state.markDone(
            table: chunk.table, number: chunk.number, rows: outcome.rows, bytes: outcome.bytes, on: target)
        observer.moment("load.chunk.before-commit")
        try await target.query("COMMIT")
        observer.moment("load.chunk.after-commit")
        return outcome
    }

    /// Copies the rows in `bounds`, and checks that the server took every row as it was.
    package func copy(
        _ transfer: TableTransfer, _ bounds: KeyBounds, source: MySQLConnection, target: MySQLConnection
    ) async throws -> Outcome {
        // A file of text cannot carry JSON whose types the text loses: such a chunk goes as expressions. A row that becomes
        // one of these between the two reads is among the changes that are replayed.
        var usesLoadData = usesLoadData
        if usesLoadData, let find = transfer.findTyped(bounds) {
            usesLoadData = try await source.query(find).rows.isEmpty
        }
        return usesLoadData
            ? try await copyByLoadData(transfer, transfer.select(bounds), source, target)
            : try await copyByInsert(transfer, transfer.selectTyped(bounds), source, target)
    }

    private func copyByLoadData(
        _ transfer: TableTransfer, _ select: String, _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> Outcome {
        let columnCount = transfer.columns.count
        let (ok, rows, bytes) = try await source.rows(select) { stream in
            let counter = Counter()
            let ok = try await target.load(transfer.loadData) { writer in
                var transcoder = RowTranscoder(columnCount: columnCount)
                while let batch = try await stream.next() {
                    var output = ByteBuffer()
                    try transcoder.transcode(batch, into: &output)
                    if output.readableBytes > 0 { try await writer.write(output) }
                }
                guard transcoder.isAtRowStart else {
                    throw EngineError(.resumable, "The source's rows of \(transfer.source.name) ended inside a row.")
                }
                await counter.set(transcoder.rows, transcoder.bytes)
            }
            return (ok, await counter.rows, await counter.bytes)
        }
        try await Self.check(ok, rows: rows, transfer, target)
        return Outcome(rows: rows, bytes: bytes)
    }

    /// LOCAL behaves as IGNORE in strict mode too: duplicates are skipped, bad values changed, and the answer is OK. Only the
    /// counts tell (measured; see `docs/correctness.md`).
    static func isExact(_ ok: MySQLOK, rows: UInt64) -> Bool {
        let counts = LoadCounts(info: ok.info)
        return counts.records == rows && ok.affectedRows == rows && counts.deleted == 0 && counts.skipped == 0 && counts.warnings == 0
    }

    private static func check(_ ok: MySQLOK, rows: UInt64, _ transfer: TableTransfer, _ target: MySQLConnection) async throws {
        guard isExact(ok, rows: rows) else {
            throw EngineError(
                .failed,
                "The target did not take the rows of \(transfer.target) as they are: \(rows) sent, \(ok.affectedRows) stored (\(ok.info))."
                    + (await warnings(target)),
                why: "A definition, character set or limit differs between the two tables, or the table was not empty.",
                cure: cure(transfer, target))
        }
    }

    private static func cure(_ transfer: TableTransfer, _ target: MySQLConnection) -> String {
        let enums = transfer.columns.filter { $0.column.dataType == "enum" }.map { SQL.identifier($0.column.name) }
        var cure = "Compare both SHOW CREATE TABLE, then load the table again into an empty one."
        if target.server.isMariaDB, !enums.isEmpty {
            cure += " MariaDB (10.11; 11.8 as of 11.8.9) does not take the error value of an ENUM ('' of index 0): where \(enums.joined(separator: ", ")) = 0"
                + " on the source, UPDATE it to NULL or to a member."
        }
        return cure
    }

    private func copyByInsert(
        _ transfer: TableTransfer, _ select: String, _ source: MySQLConnection, _ target: MySQLConnection
    ) async throws -> Outcome {
        try await source.rows(select) { stream in
            var reader = RowReader(columnCount: transfer.columns.count + transfer.columns.count { $0.typeSelect != nil })
            var sql = SQLBuffer(reserving: statementLimit + 4096)
            var pending: UInt64 = 0
            var bytes: UInt64 = 0
            while let batch = try await stream.next() {
                bytes += UInt64(batch.bytes.readableBytes)
                for row in try reader.rows(of: batch) {
                    if pending == 0 {
                        sql = SQLBuffer(reserving: statementLimit + 4096)
                        sql.append(transfer.insertHead)
                    } else {
                        sql.append(",")
                    }
                    var types = row[transfer.columns.count...]
                    for (index, column) in transfer.columns.enumerated() {
                        sql.append(index == 0 ? "(" : ",")
                        if column.typeSelect != nil, let list = types.removeFirst(), let text = row[index] {
                            try column.appendJSON(text, types: list, to: &sql)
                        } else {
                            column.appendLiteral(row[index], to: &sql)
                        }
                    }
                    sql.append(")")
                    pending += 1
                    if sql.count >= statementLimit {
                        try await insert(sql, pending, transfer.target, target)
                        pending = 0
                    }
                }
            }
            guard reader.isAtRowStart else {
                throw EngineError(.resumable, "The source's rows of \(transfer.source.name) ended inside a row.")
            }
            if pending > 0 { try await insert(sql, pending, transfer.target, target) }
            return Outcome(rows: reader.count, bytes: bytes)
        }
    }

    private func insert(_ sql: SQLBuffer, _ rows: UInt64, _ table: TableName, _ target: MySQLConnection) async throws {
        let ok = try await target.query(sql.bytes).ok
        guard ok.affectedRows == rows, ok.warnings == 0 else {
            throw EngineError(
                .failed,
                "The target stored \(ok.affectedRows) of \(rows) rows of \(table), with \(ok.warnings) warnings."
                    + (await Self.warnings(target)),
                why: "A definition, character set or limit differs between the two tables.",
                cure: "Compare both SHOW CREATE TABLE, then load the table again into an empty one.")
        }
    }

    /// What the server has to say about the statement just run, for a message: the first few of its warnings. Must be asked for before
    /// any other statement. They name columns and lines, and hold no more of a value than the server prints.
    private static func warnings(_ target: MySQLConnection) async -> String {
        do {
            let texts = try await target.query("SHOW WARNINGS LIMIT 5").rows.compactMap { row in
                row.string(2).map { "\($0) (\(row.string(1) ?? ""))" }
            }
            return texts.isEmpty ? "" : " The target says: " + texts.joined(separator: "; ") + "."
        } catch {
            return " (Its warnings cannot be read: \(error).)"
        }
    }

    private actor Counter {
        var rows: UInt64 = 0
        var bytes: UInt64 = 0
        func set(_ rows: UInt64, _ bytes: UInt64) {
            self.rows = rows
            self.bytes = bytes
        }
    }
}

/// The counts in LOAD DATA's answer, `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`. A missing count reads as the
/// greatest number, so that it never passes for zero.
struct LoadCounts: Hashable {
    var records = UInt64.max
    var deleted = UInt64.max
    var skipped = UInt64.max
    var warnings = UInt64.max

    init(info: String) {
        let words = info.split(whereSeparator: { $0 == " " || $0 == ":" })
        for (name, value) in zip(words, words.dropFirst()) {
            guard let number = UInt64(value) else { continue }
            switch name {
            case "Records": records = number
            case "Deleted": deleted = number
            case "Skipped": skipped = number
            case "Warnings": warnings = number
            default: continue
            }
        }
    }
}

/// Rows of a text result as arrays of bytes: for the INSERT path and for small results, not for the hot path.
package struct RowReader: Sendable {
    package private(set) var count: UInt64 = 0
    private let columnCount: Int
    private var rest: [UInt8] = []

    package init(columnCount: Int) { self.columnCount = columnCount }

    package var isAtRowStart: Bool { rest.isEmpty }

    package mutating func rows(of batch: MySQLRowBatch) throws(EngineError) -> [[[UInt8]?]] {
        let bytes = rest + Array(batch.bytes.readableBytesView)
        let offset = rest.count
        var rows: [[[UInt8]?]] = []
        rows.reserveCapacity(batch.rowEnds.count)
        var start = 0
        for end in batch.rowEnds {
            rows.append(try Self.row(bytes[start..<(end + offset)], columnCount))
            start = end + offset
        }
        rest = Array(bytes[start...])
        count += UInt64(rows.count)
        return rows
    }

    private static func row(_ bytes: ArraySlice<UInt8>, _ columnCount: Int) throws(EngineError) -> [[UInt8]?] {
        var values: [[UInt8]?] = []
        values.reserveCapacity(columnCount)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let first = bytes[index]
            index += 1
            if first == 0xFB {
                values.append(nil)
                continue
            }
            var length = Int(first)
            let width = first == 0xFC ? 2 : first == 0xFD ? 3 : first == 0xFE ? 8 : 0
            if width > 0 {
                guard bytes.endIndex - index >= width else { throw malformed }
                var value: UInt64 = 0
                for byte in bytes[index..<(index + width)].reversed() { value = value << 8 | UInt64(byte) }
                index += width
                guard value < 1 << 32 else { throw malformed }
                length = Int(value)
            }
            guard first != 0xFF, bytes.endIndex - index >= length else { throw malformed }
            values.append(Array(bytes[index..<(index + length)]))
            index += length
        }
        guard values.count == columnCount else { throw malformed }
        return values
    }

    private static let malformed = EngineError(.failed, "The server sent bytes that are no row of its own result.")
}
