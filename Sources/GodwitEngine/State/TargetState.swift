import Foundation
import MySQLTypes
import MySQLWire

/// Another runner took the task over, or moved it on: this one may commit nothing more (invariant I3).
package struct FenceLost: Error, Sendable, CustomStringConvertible {
    package var detail: String
    package var description: String {
        "Another Godwit has taken this task over (\(detail)); this one stops without writing."
    }
}

/// A table of the task as the target remembers it.
package struct StoredTable: Sendable {
    package var id: Int
    package var source: TableName
    /// JSON of `PreparedTable`.
    package var prepared: String
    package var isPrepared: Bool
    package var isPlanned: Bool
    package var isIndexed: Bool
    /// Keyless tables: the exact position of the snapshot they were loaded from.
    package var loadedAt: ReplicationPosition?
    package var loadMilliseconds: UInt64
}

package struct StoredChunk: Sendable, Hashable {
    package var table: Int
    package var number: Int
    package var bounds: KeyBounds
    package var isDone: Bool
    package var rows: UInt64
    package var bytes: UInt64
}

package struct StoredCheckpoint: Sendable, Hashable {
    package var sequence: UInt64
    package var position: ReplicationPosition
    package var commitMicroseconds: UInt64
    /// MariaDB: the same place by numbers of transactions; nil: not known.
    package var maria: MariaDBGTIDPosition?

    /// `maria` behind one more transaction.
    package func numbers(after end: TransactionEnd) -> MariaDBGTIDPosition? {
        guard var numbers = maria, let number = end.maria else { return nil }
        numbers.advance(to: number)
        return numbers
    }
}

/// What the checkpoint's `position` holds: the position, and beside a file's the numbers of MariaDB's last transactions before it.
private struct CheckpointText: Codable {
    var position: ReplicationPosition
    var maria: MariaDBGTIDPosition?

    private enum CodingKeys: String, CodingKey { case maria }

    init(position: ReplicationPosition, maria: MariaDBGTIDPosition?) {
        self.position = position
        self.maria = maria
    }

    init(from decoder: any Decoder) throws {
        position = try ReplicationPosition(from: decoder)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard let text = try values.decodeIfPresent(String.self, forKey: .maria) else { return }
        do {
            maria = try MariaDBGTIDPosition(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(forKey: .maria, in: values, debugDescription: "no position of MariaDB: \(error.reason)")
        }
    }

    func encode(to encoder: any Encoder) throws {
        try position.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(maria?.description, forKey: .maria)
    }
}

package struct StoredTask: Sendable {
    package var sourceUUID: String
    package var plan: String
    package var p0: ReplicationPosition?
    package var p1: BinlogCoordinates?
}

/// Reads and writes this task's rows in schema `godwit`. Every method runs on the connection it is given, inside
/// whatever transaction is open there.
package struct TargetState: Sendable {
    package let task: String
    private let key: String

    package init(task: String) {
        self.task = task
        key = SQL.string(task)
    }

    package func install(on target: MySQLConnection) async throws {
        for statement in TargetSchema.statements { try await target.query(statement) }
    }

    /// Are Godwit's own tables there?
    package func isInstalled(on target: MySQLConnection) async throws -> Bool {
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name IN ('task', 'status')")
        return exists.rows.count == 2
    }

    /// nil: the schema or the task does not exist yet.
    package func readTask(on target: MySQLConnection) async throws -> StoredTask? {
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'task'")
        guard !exists.rows.isEmpty else { return nil }
        let result = try await target.query(
            "SELECT source_uuid, plan, p0, p1_file, p1_offset FROM `godwit`.`task` WHERE task = \(key)")
        guard let row = result.rows.first else { return nil }
        var p1: BinlogCoordinates?
        if let file = row.string(3), let offset = row.uint(4) { p1 = BinlogCoordinates(file: file, offset: offset) }
        return StoredTask(
            sourceUUID: row.string(0) ?? "", plan: row.string(1) ?? "", p0: try row.string(2).map(Self.position), p1: p1)
    }

    /// Everything that preparing needs after a crash, in one transaction: the task, its fence, P0 and every table's decision.
    /// - Parameter keyless: the tables stand as they were at P0, and are followed from there; which of them have no key. nil: they are loaded.
    package func createTask(
        sourceUUID: String, plan: String, p0: ReplicationPosition, settled: ReplicationPosition? = nil,
        tables: [(source: TableName, prepared: String)], adopted keyless: Set<Int>? = nil, on target: MySQLConnection
    ) async throws {
        try await target.query("BEGIN")
        try await target.query(
            "INSERT INTO `godwit`.`task` (task, source_uuid, plan) VALUES (\(key), \(SQL.string(sourceUUID)), \(SQL.string(plan)))")
        try await target.query(
            "INSERT INTO `godwit`.`fence` (task, epoch, phase) VALUES (\(key), 0, \(SQL.string((keyless == nil ? TaskPhase.preparing : .following).rawValue)))")
        try await storeP0(p0, on: target)
        if let settled { try await storeSettled(settled, on: target) }
        var rows: [String] = []
        var bytes = 0
        for (id, table) in tables.enumerated() {
            let row = tableRow(id, table.source, table.prepared)
            // Far below any max_allowed_packet.
            if bytes + row.utf8.count > 256 << 10 {
                try await addTables(rows, on: target)
                (rows, bytes) = ([], 0)
            }
            rows.append(row)
            bytes += row.utf8.count
        }
        try await addTables(rows, on: target)
        if let keyless {
            for column in ["is_prepared", "is_planned", "is_indexed"] { try await mark(tables: Array(tables.indices), column, on: target) }
            for table in keyless.sorted() { try await storeLoadedAt(p0, table: table, on: target) }
        }
        try await target.query("COMMIT")
    }

    // MARK: Fence

    package func phase(on target: MySQLConnection) async throws -> (epoch: UInt64, phase: TaskPhase) {
        try Self.fence(await target.query("SELECT epoch, phase FROM `godwit`.`fence` WHERE task = \(key)"), task)
    }

    /// First statement of every transaction of a runner. Throws `FenceLost` if epoch or phase is not the runner's own.
    package func checkFence(epoch: UInt64, phase: TaskPhase, on target: MySQLConnection) async throws {
        guard Remedy.fence.isOn else { return }
        // MariaDB knows the older words only; on MySQL they would need a privilege more.
        let lock = target.server.isMariaDB ? "LOCK IN SHARE MODE" : "FOR SHARE"
        let found = try Self.fence(
            await target.query("SELECT epoch, phase FROM `godwit`.`fence` WHERE task = \(key) \(lock)"), task)
        guard found.epoch == epoch, found.phase == phase else {
            throw FenceLost(detail: "epoch \(found.epoch) instead of \(epoch), phase \(found.phase.rawValue) instead of \(phase.rawValue)")
        }
    }

    private static func fence(_ result: MySQLResult, _ task: String) throws -> (epoch: UInt64, phase: TaskPhase) {
        guard let row = result.rows.first, let epoch = row.uint(0), let phase = row.string(1).flatMap(TaskPhase.init) else {
            throw EngineError(
                .failed, "Schema godwit on the target has no usable fence row for task \(task).",
                why: "It was deleted, or written by another version of Godwit.",
                cure: "Restore it, or drop this task's rows in schema godwit and start again with empty target tables.")
        }
        return (epoch, phase)
    }

    /// Takes the task: waits for every transaction of earlier runners, which hold the row FOR SHARE.
    package func takeEpoch(on target: MySQLConnection) async throws -> UInt64 {
        try await target.query("BEGIN")
        let found = try Self.fence(
            await target.query("SELECT epoch, phase FROM `godwit`.`fence` WHERE task = \(key) FOR UPDATE"), task)
        try await target.query("UPDATE `godwit`.`fence` SET epoch = epoch + 1 WHERE task = \(key)")
        try await target.query("COMMIT")
        return found.epoch + 1
    }

    /// Moves from one phase to the next with whatever `body` stores beside it, in one transaction.
    package func advance(
        from old: TaskPhase, to new: TaskPhase, epoch: UInt64, on target: MySQLConnection,
        _ body: () async throws -> Void = {}
    ) async throws {
        try await target.query("BEGIN")
        let found = try Self.fence(
            await target.query("SELECT epoch, phase FROM `godwit`.`fence` WHERE task = \(key) FOR UPDATE"), task)
        guard found.epoch == epoch, found.phase == old else {
            try await target.query("ROLLBACK")
            throw FenceLost(detail: "epoch \(found.epoch) instead of \(epoch), phase \(found.phase.rawValue) instead of \(old.rawValue)")
        }
        try await body()
        try await target.query("UPDATE `godwit`.`fence` SET phase = \(SQL.string(new.rawValue)) WHERE task = \(key)")
        try await target.query("COMMIT")
    }

    // MARK: Bounds and checkpoint

    package func storeP0(_ position: ReplicationPosition, on target: MySQLConnection) async throws {
        try await target.query("UPDATE `godwit`.`task` SET p0 = \(SQL.string(Self.json(position))) WHERE task = \(key)")
        try await target.query(
            "REPLACE INTO `godwit`.`checkpoint` (task, seq, position) VALUES (\(key), 0, \(SQL.string(Self.json(position))))")
    }

    package func storeP1(_ end: BinlogCoordinates, on target: MySQLConnection) async throws {
        try await target.query(
            "UPDATE `godwit`.`task` SET p1_file = \(SQL.string(end.file)), p1_offset = \(end.offset) WHERE task = \(key)")
    }

    /// `locked`: waits for a running COMMIT of whoever wrote it last; a plain SELECT may return the value before that.
    package func checkpoint(locked: Bool, on target: MySQLConnection) async throws -> StoredCheckpoint {
        let result = try await target.query(
            "SELECT seq, position, commit_us FROM `godwit`.`checkpoint` WHERE task = \(key)" + (locked && Remedy.lockedCheckpoint.isOn ? " FOR UPDATE" : ""))
        guard let row = result.rows.first, let sequence = row.uint(0), let position = row.string(1) else {
            throw EngineError(
                .failed, "Schema godwit on the target has no checkpoint for task \(task).", why: "The row was deleted.",
                cure: "Drop this task's rows in schema godwit and start again with empty target tables.")
        }
        let text = try Self.decode(CheckpointText.self, position)
        return StoredCheckpoint(
            sequence: sequence, position: text.position, commitMicroseconds: row.uint(2) ?? 0, maria: text.maria)
    }

    /// Compare and set: the first statement after the fence in every replay transaction.
    package func claimCheckpoint(
        sequence: UInt64, position: ReplicationPosition?, commitMicroseconds: UInt64, maria: MariaDBGTIDPosition? = nil,
        on target: MySQLConnection
    ) async throws {
        let set = position.map {
            ", position = \(SQL.string(Self.json(CheckpointText(position: $0, maria: maria)))), commit_us = \(commitMicroseconds)"
        } ?? ""
        let result = try await target.query(
            "UPDATE `godwit`.`checkpoint` SET seq = seq + 1\(set) WHERE task = \(key) \(Remedy.checkpointSequence.isOn ? "AND seq = \(sequence)" : "")")
        guard result.ok.affectedRows == 1 else {
            throw FenceLost(detail: "the checkpoint is not at sequence \(sequence) any more")
        }
    }

    /// The position of a checkpoint that this transaction has claimed before.
    package func setClaimedPosition(
        _ position: ReplicationPosition, commitMicroseconds: UInt64, maria: MariaDBGTIDPosition? = nil, on target: MySQLConnection
    ) async throws {
        try await target.query(
            "UPDATE `godwit`.`checkpoint` SET position = \(SQL.string(Self.json(CheckpointText(position: position, maria: maria)))), commit_us = \(commitMicroseconds) WHERE task = \(key)")
    }

    // MARK: Tables and chunks

    package func tables(on target: MySQLConnection) async throws -> [StoredTable] {
        let result = try await target.query(
            """
            SELECT id, source_schema, source_table, prepared, is_prepared, is_planned, is_indexed, p0t, load_ms
            FROM `godwit`.`tables` WHERE task = \(key) ORDER BY id
            """)
        return try result.rows.map { row in
            StoredTable(
                id: Int(row.int(0) ?? 0), source: TableName(schema: row.string(1) ?? "", table: row.string(2) ?? ""),
                prepared: row.string(3) ?? "", isPrepared: row.int(4) == 1, isPlanned: row.int(5) == 1,
                isIndexed: row.int(6) == 1, loadedAt: try row.string(7).map(Self.position),
                loadMilliseconds: row.uint(8) ?? 0)
        }
    }

    package func addTable(id: Int, source: TableName, prepared: String, on target: MySQLConnection) async throws {
        try await addTables([tableRow(id, source, prepared)], on: target)
    }

    private func tableRow(_ id: Int, _ source: TableName, _ prepared: String) -> String {
        "(\(key), \(id), \(SQL.string(source.schema)), \(SQL.string(source.table)), \(SQL.string(prepared)))"
    }

    private func addTables(_ rows: [String], on target: MySQLConnection) async throws {
        guard !rows.isEmpty else { return }
        try await target.query(
            "INSERT INTO `godwit`.`tables` (task, id, source_schema, source_table, prepared) VALUES \(rows.joined(separator: ", "))")
    }

    package func mark(table: Int, _ column: String, on target: MySQLConnection) async throws {
        try await mark(tables: [table], column, on: target)
    }

    package func mark(tables: [Int], _ column: String, on target: MySQLConnection) async throws {
        guard !tables.isEmpty else { return }
        let ids = tables.map(String.init).joined(separator: ", ")
        try await target.query(
            "UPDATE `godwit`.`tables` SET \(SQL.identifier(column)) = 1 WHERE task = \(key) AND id IN (\(ids))")
    }

    package func storeLoadedAt(_ position: ReplicationPosition, table: Int, on target: MySQLConnection) async throws {
        try await target.query(
            "UPDATE `godwit`.`tables` SET p0t = \(SQL.string(Self.json(position))) WHERE task = \(key) AND id = \(table)")
    }

    package func storeLoadTime(milliseconds: UInt64, table: Int, on target: MySQLConnection) async throws {
        try await target.query(
            "UPDATE `godwit`.`tables` SET load_ms = \(milliseconds) WHERE task = \(key) AND id = \(table)")
    }

    package func chunks(on target: MySQLConnection) async throws -> [StoredChunk] {
        let result = try await target.query(
            "SELECT table_id, number, bounds, done, row_count, byte_count FROM `godwit`.`chunks` WHERE task = \(key) ORDER BY table_id, number")
        return try result.rows.map { row in
            StoredChunk(
                table: Int(row.int(0) ?? 0), number: Int(row.int(1) ?? 0),
                bounds: try Self.decode(KeyBounds.self, row.string(2) ?? ""), isDone: row.int(3) == 1,
                rows: row.uint(4) ?? 0, bytes: row.uint(5) ?? 0)
        }
    }

    package func addChunk(_ chunk: StoredChunk, on target: MySQLConnection) async throws {
        try await addChunks([chunk], on: target)
    }

    package func addChunks(_ chunks: [StoredChunk], on target: MySQLConnection) async throws {
        let rows = chunks.map { "(\(key), \($0.table), \($0.number), \(SQL.string(Self.json($0.bounds))))" }
        try await target.query(
            "INSERT INTO `godwit`.`chunks` (task, table_id, number, bounds) VALUES \(rows.joined(separator: ", "))")
    }

    /// Is the chunk's mark set? Locks the mark until the transaction ends, so that a lost COMMIT is waited for.
    package func isDone(table: Int, number: Int, on target: MySQLConnection) async throws -> Bool {
        let result = try await target.query(
            "SELECT done FROM `godwit`.`chunks` WHERE task = \(key) AND table_id = \(table) AND number = \(number) FOR UPDATE")
        guard let row = result.rows.first else {
            throw EngineError(.failed, "Chunk \(number) of table \(table) has vanished from schema godwit on the target.")
        }
        return row.int(0) == 1 && Remedy.chunkMark.isOn
    }

    package func markDone(
        table: Int, number: Int, rows: UInt64, bytes: UInt64, on target: MySQLConnection
    ) async throws {
        let result = try await target.query(
            """
            UPDATE `godwit`.`chunks` SET done = 1, row_count = \(rows), byte_count = \(bytes)
            WHERE task = \(key) AND table_id = \(table) AND number = \(number) AND done = 0
            """)
        guard result.ok.affectedRows == 1 else { throw FenceLost(detail: "chunk \(number) of table \(table) is done already") }
    }

    // MARK: Status and requests

    /// Returns the snapshot's bytes.
    @discardableResult
    package func storeStatus(_ status: MigrationStatus, on target: MySQLConnection) async throws -> Int {
        let text = Self.json(status)
        try await target.query("REPLACE INTO `godwit`.`status` (task, snapshot) VALUES (\(key), \(SQL.string(text)))")
        return text.utf8.count
    }

    package func status(on target: MySQLConnection) async throws -> MigrationStatus? {
        let result = try await target.query("SELECT snapshot FROM `godwit`.`status` WHERE task = \(key)")
        return try result.rows.first?.string(0).map { try Self.decode(MigrationStatus.self, $0) }
    }

    package func request(_ command: String, on target: MySQLConnection) async throws -> UInt64 {
        try await target.query(
            "INSERT INTO `godwit`.`requests` (task, command) VALUES (\(key), \(SQL.string(command)))").ok.lastInsertID
    }

    package func openRequests(on target: MySQLConnection) async throws -> [(id: UInt64, command: String)] {
        let result = try await target.query(
            "SELECT id, command FROM `godwit`.`requests` WHERE task = \(key) AND answer IS NULL ORDER BY id")
        return result.rows.map { ($0.uint(0) ?? 0, $0.string(1) ?? "") }
    }

    /// Requests to a run that has ended must not stop an application a day later.
    package func expireRequests(on target: MySQLConnection) async throws {
        try await target.query(
            "UPDATE `godwit`.`requests` SET answer = 'not done: the run that was asked has ended' WHERE task = \(key) AND answer IS NULL")
    }

    package func answer(_ id: UInt64, _ text: String, on target: MySQLConnection) async throws {
        try await target.query("UPDATE `godwit`.`requests` SET answer = \(SQL.string(text)) WHERE id = \(id)")
    }

    package func answer(of id: UInt64, on target: MySQLConnection) async throws -> String? {
        try await target.query("SELECT answer FROM `godwit`.`requests` WHERE id = \(id)").rows.first?.string(0)
    }

    // MARK: Cutover journal

    /// Locked: a lost COMMIT of a record is waited for.
    package func journal(on target: MySQLConnection) async throws -> CutoverJournal {
        try await target.query("BEGIN")
        let result = try await target.query(
            "SELECT step, state, detail FROM `godwit`.`cutover` WHERE task = \(key) ORDER BY id FOR UPDATE")
        try await target.query("COMMIT")
        return CutoverJournal(
            records: try result.rows.map { row in
                guard let step = row.string(0).flatMap(CutoverStep.init),
                    let state = row.string(1).flatMap(CutoverJournal.Record.State.init)
                else {
                    throw EngineError(
                        .failed, "The cutover's journal in schema godwit on the target is not readable.",
                        why: "It was changed by hand, or written by another version of Godwit.",
                        cure: "Use the version that began the cutover.")
                }
                return CutoverJournal.Record(step, state, detail: row.string(2))
            })
    }

    package func append(_ records: [CutoverJournal.Record], on target: MySQLConnection) async throws {
        let microseconds = UInt64(Date().timeIntervalSince1970 * 1_000_000)
        let rows = records.map { record in
            "(\(key), \(SQL.string(record.step.rawValue)), \(SQL.string(record.state.rawValue)), "
                + "\(record.detail.map(SQL.string) ?? "NULL"), \(microseconds))"
        }
        try await target.query(
            "INSERT INTO `godwit`.`cutover` (task, step, state, detail, at_us) VALUES \(rows.joined(separator: ", "))")
    }

    // MARK: JSON

    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Values of these plain types always encode; an empty text would be refused when read back.
        guard let data = try? encoder.encode(value) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw EngineError(
                .failed, "A row in schema godwit on the target is not readable: \(error).",
                why: "It was changed by hand, or written by another version of Godwit.",
                cure: "Use the version that started this task, or drop its rows in schema godwit and start again.")
        }
    }

    private static func position(_ text: String) throws -> ReplicationPosition { try decode(ReplicationPosition.self, text) }
}

extension Remedy {
    static let fence = Remedy("fence", pitfalls: [38], test: "ModelStateTests")
    static let lockedCheckpoint = Remedy("locked-checkpoint", pitfalls: [34], test: "ModelStateTests")
    static let checkpointSequence = Remedy("checkpoint-sequence", pitfalls: [33, 38], test: "ModelStateTests")
    static let chunkMark = Remedy("chunk-mark", pitfalls: [34], test: "ModelStateTests/aChunkWhoseAnswerWasLostIsDone")
}
