import MySQLTypes
import MySQLWire
import NIOCore
import OrderedCollections

extension Remedy { static let countedRows = Remedy("counted-rows", pitfalls: [12], test: "MigrationEdgeTests.aTargetThatSomebodyWritesTo") }
extension Remedy { static let recordedExceptions = Remedy("recorded-exceptions", pitfalls: [12, 33], test: "DivergencePolicyTests.passedOverRecordedOnceAndRepaired") }

/// A statement over many rows did not do what it should, or the server refused it: somewhere among its rows is the one that does not
/// fit.
struct ApplyFault: Error {
    var fault: RowFault
    /// As it is told where the task stops for it.
    var error: EngineError
}

/// Applies one table's batch again, one row at a time, after its statements over many rows were undone in the same target transaction
/// (a savepoint): finds the rows that do not fit, and does with each what the policy says.
///
/// The transaction goes on to move the checkpoint with what could be done, so each change is applied, or passed over and recorded,
/// exactly once; a crash before COMMIT leaves neither. Other tables are not touched by it: the target is still, but for this table's
/// recorded rows, the source at the checkpoint.
struct RowByRow {
    let shape: TableShape
    let statements: TableStatements
    let errors: ErrorBehavior
    let target: MySQLConnection
    /// Errors of the table before this batch.
    var count: Int

    private(set) var exceptions: [ApplyException] = []
    /// The table is to be suspended, for this reason.
    private(set) var suspension: String?

    init(shape: TableShape, limit: Int, errors: ErrorBehavior, target: MySQLConnection, count: Int) {
        self.shape = shape
        statements = TableStatements(shape: shape, limit: limit)
        self.errors = errors
        self.target = target
        self.count = count
    }

    /// In the order in which the batch's own statements are safe: every delete, then the updates in place, then the inserts.
    mutating func apply(_ effects: NetEffects<ImageRow>) async throws {
        var later: [ImageRow] = []
        var updates: [ImageRow] = []
        for entry in effects.entries.values {
            guard suspension == nil else { return }
            switch (entry.before, entry.after) {
            case (nil, nil): continue
            case (nil, let after?): later.append(after)
            case (let before?, nil): try await delete(before)
            case (_?, let after?) where !after.isComplete: try await apply(PartialChange(before: after, after: after))
            case (let before?, let after?) where !before.isComplete || !before.isComparable(to: after):
                if try await deleteForRewrite(before) { later.append(after) }
            case (let before?, let after?):
                if before.hasSameContent(as: after) { continue }
                if shape.rewriteUpdates || !before.hasSameContent(as: after, in: shape.rewrittenColumns) {
                    if try await deleteForRewrite(before) { later.append(after) }
                } else {
                    updates.append(after)
                }
            }
        }
        for row in updates {
            guard suspension == nil else { return }
            try await update(row)
        }
        for row in later {
            guard suspension == nil else { return }
            try await insert(row)
        }
    }

    /// Part of a row's columns.
    mutating func apply(_ change: PartialChange) async throws {
        guard suspension == nil else { return }
        // Of several statements all or none.
        try await target.query("SAVEPOINT godwit_change")
        for statement in try statements.partialUpdate(change, strict: true) {
            guard try await attempt(statement, change.before, zero: .missingUpdate, clearing: { nil }) else {
                try await target.query("ROLLBACK TO SAVEPOINT godwit_change")
                return
            }
        }
    }

    mutating func apply(_ changes: [KeylessChange]) async throws {
        for change in changes {
            guard suspension == nil else { return }
            switch change {
            case .insert(let row): try await insert(row)
            case .delete(let row):
                let statement = try statements.keylessDelete(row)
                try await attempt(statement, row, zero: .missingDelete) { nil }
            case .update(let before, let after):
                if before.hasSameContent(as: after) { continue }
                guard shape.hasJSON else {
                    let statement = try statements.keylessUpdate(from: before, to: after)
                    try await attempt(statement, before, zero: .missingUpdate) { nil }
                    continue
                }
                let statement = try statements.keylessDelete(before)
                let found = try await attempt(statement, before, zero: .missingUpdate) { nil }
                if found { try await insert(after) }
            }
        }
    }

    // MARK: One row

    private mutating func delete(_ row: ImageRow) async throws {
        try await attempt(try await single { try await statements.deletes([row], strict: true, $0) }, row, zero: .missingDelete) { nil }
    }

    /// True: the row may be inserted anew.
    private mutating func deleteForRewrite(_ row: ImageRow) async throws -> Bool {
        let statement = try await single { try await statements.deletes([row], strict: true, $0) }
        guard let (fault, why) = try await failure(of: statement, zero: .missingUpdate) else { return true }
        // Nothing stands in the way of INSERT_RECORD: forcing it is going on.
        var nothing = statement
        nothing.expectedAffected = nil
        return try await settle(fault, row, why, statement) { nothing }
    }

    private mutating func update(_ row: ImageRow) async throws {
        guard try await isThere(row) else {
            let insert = try await single { try await statements.inserts([row], $0) }
            try await settle(.missingUpdate, row, "the row to change is not there", insert) { insert }
            return
        }
        var statement = try await single { try await statements.upserts([row], strict: true, $0) }
        // A row that is as it should be already is nobody's loss.
        statement.expectedAffected = nil
        try await attempt(statement, row, zero: .missingUpdate) { nil }
    }

    private mutating func insert(_ row: ImageRow) async throws {
        let statement = try await single { try await statements.inserts([row], $0) }
        let delete = shape.isKeyless ? nil : try await single { try await statements.deletes([row], strict: false, $0) }
        try await attempt(statement, row, zero: .duplicate) { delete }
    }

    private func isThere(_ row: ImageRow) async throws -> Bool {
        // The upsert follows any unique key: only the row's own key says that it is the row.
        let delete = try await single { try await statements.deletes([row], strict: false, $0) }
        var text = delete.sql
        let head = "DELETE FROM "
        text.moveReaderIndex(forwardBy: head.utf8.count)
        var select = SQLBuffer(reserving: text.readableBytes + 64)
        select.append("SELECT 1 FROM ")
        select.append(text)
        select.append(" FOR UPDATE")
        return try await !target.query(select.bytes).rows.isEmpty
    }

    private func single(
        _ build: (@escaping (ApplyStatement) async throws -> Void) async throws -> Void
    ) async throws -> ApplyStatement {
        var found: ApplyStatement?
        try await build { found = $0 }
        guard let found else { throw EngineError(.failed, "A row of \(shape.source.name) made no statement.") }
        return found
    }

    /// Runs the statement of one row; what goes wrong with it is settled by the policy. True: it is done.
    /// - Parameter clearing: for a row to be forced, what takes away the one that stands in its place.
    @discardableResult
    private mutating func attempt(
        _ statement: ApplyStatement, _ row: ImageRow, zero: RowFault, clearing: () -> ApplyStatement?
    ) async throws -> Bool {
        guard let (fault, why) = try await failure(of: statement, zero: zero) else { return true }
        let clear = clearing()
        return try await settle(fault, row, why, statement) { clear == nil ? nil : statement } clearing: { clear }
    }

    /// nil: the row went in as it should. Else nothing of it is left.
    private func failure(of statement: ApplyStatement, zero: RowFault) async throws -> (RowFault, String)? {
        try await target.query("SAVEPOINT godwit_row")
        let ok: MySQLOK
        do {
            ok = try await target.query(statement.sql).ok
        } catch {
            guard let fault = error.serverCode.flatMap({ RowFault(serverCode: $0) }) else { throw error }
            try await target.query("ROLLBACK TO SAVEPOINT godwit_row")
            return (fault, error.message)
        }
        if ok.warnings > 0 {
            let warnings = try await target.query("SHOW WARNINGS").rows.prefix(3).map { $0.string(2) ?? "" }
            try await target.query("ROLLBACK TO SAVEPOINT godwit_row")
            return (.truncation, "the target changed values: \(warnings.joined(separator: "; "))")
        }
        if let expected = statement.expectedMatched, Applier.matched(ok.info) != expected {
            try await target.query("ROLLBACK TO SAVEPOINT godwit_row")
            return (zero, "an update by key found no row")
        }
        if let expected = statement.expectedAffected, ok.affectedRows != expected {
            try await target.query("ROLLBACK TO SAVEPOINT godwit_row")
            return (zero, "\(statement.purpose.rawValue) affected \(ok.affectedRows) rows where \(expected) were due")
        }
        return nil
    }

    @discardableResult
    private mutating func settle(
        _ fault: RowFault, _ row: ImageRow, _ why: String, _ statement: ApplyStatement,
        forced: () -> ApplyStatement?, clearing: () -> ApplyStatement? = { nil }
    ) async throws -> Bool {
        count += 1
        let key = key(of: row)
        switch errors.outcome(of: fault, count: count) {
        case .stop:
            throw EngineError(
                .failed, "Table \(shape.target) on the target is not what the source's log says it is: at \(key), \(why).",
                why: "Somebody wrote to the target, or the two definitions differ.",
                cure: "Nothing of this batch was kept. Find the writer (godwit verify shows the rows), then migrate this table again.")
        case .suspend:
            suspension = "\(fault.rawValue) at \(key): \(why)"
            record(fault, key, statement, why, isForced: false)
            return false
        case .skip:
            record(fault, key, statement, why, isForced: false)
            return false
        case .force:
            if let forced = forced() {
                // Wholly or not at all: the row that stands there goes only if the other one takes its place.
                try await target.query("SAVEPOINT godwit_forced")
                var isCleared = true
                if let clear = clearing(), try await failure(of: clear, zero: fault) != nil { isCleared = false }
                if isCleared, try await failure(of: forced, zero: fault) == nil {
                    record(fault, key, statement, why, isForced: true)
                    return true
                }
                try await target.query("ROLLBACK TO SAVEPOINT godwit_forced")
            }
            // Another unique key is in the way, or a value: it stays out, and says so.
            record(fault, key, statement, "\(why); it could not be written over either", isForced: false)
            return false
        }
    }

    private mutating func record(_ fault: RowFault, _ key: String, _ statement: ApplyStatement, _ why: String, isForced: Bool) {
        let text = statement.sql.getBytes(at: statement.sql.readerIndex, length: min(statement.sql.readableBytes, 16_000)) ?? []
        exceptions.append(
            ApplyException(
                table: shape.source.name, fault: fault, key: key, statement: String(decoding: text, as: UTF8.self), error: why,
                isForced: isForced))
    }

    private func key(of row: ImageRow) -> String {
        guard !shape.isKeyless else { return "a row of a table without a key" }
        let literals = shape.key.map { position -> String in
            let column = shape.source.columns[position]
            guard let value = try? row.value(column), let literal = KeyLiteral.sql(value: value, column: column) else { return "?" }
            return literal
        }
        return RowKey(literals).description
    }
}
