import Foundation
import MySQLTypes

/// The one owner of the validation ledger: the applier tells it what it touches, the validation workers what they compared.
package actor ValidationBoard {
    private var ledger: ValidationLedger
    private let names: [TableName]
    /// The newest checkpoint that the target is known to hold.
    private var checkpoint: ReplicationPosition?

    /// What an attempt that ended early leaves to the next one.
    struct Knowledge: Sendable {
        fileprivate var ledger: ValidationLedger
        fileprivate var validatedOnce: Set<TableName>
        /// The newest checkpoint that the target was known to hold.
        var checkpoint: ReplicationPosition?
    }

    var knowledge: Knowledge { Knowledge(ledger: ledger, validatedOnce: validatedOnce, checkpoint: checkpoint) }

    /// `tables` in the order of their numbers.
    /// - Parameter same: the tables of which `knowledge` still holds.
    init(
        tables: [(name: TableName, hasKey: Bool)], start: ReplicationPosition? = nil, settings: TaskSettings = TaskSettings(),
        knowledge: Knowledge? = nil, same: Set<TableName> = []
    ) {
        names = tables.map(\.name)
        ledger = ValidationLedger(
            failureLimit: settings.validationTableFailureMax, taskFailureLimit: settings.validationFailureMax,
            suspendAfter: Double(settings.validationSuspendMinutes) * 60)
        for table in tables { ledger.add(table.name, hasKey: table.hasKey, start: start) }
        guard let knowledge else { return }
        // Of a table that begins anew nothing holds any more: one whose rows differed must not count as Validated while it is looked at again.
        validatedOnce = knowledge.validatedOnce.intersection(ledger.resume(knowledge.ledger, same: same))
    }

    package func isPlanned(_ table: TableName) -> Bool { ledger.isPlanned(table) }

    package func touched(_ keys: [TouchedKey], mark: MarkPosition) {
        ledger.now = Date().timeIntervalSince1970
        var rest = keys[...]
        while let first = rest.first {
            let end = rest.firstIndex { $0.table != first.table } ?? rest.endIndex
            ledger.touched(names[first.table], rest[..<end].lazy.map(\.key), at: mark)
            rest = rest[end...]
        }
    }

    package func lost(_ tables: Set<Int>, mark: MarkPosition) {
        for table in tables { ledger.lost(names[table], at: mark) }
    }

    package func planned(_ table: TableName, chunks: [KeyBounds]) { ledger.planned(table, chunks: chunks) }
    package func gaveUp(_ table: TableName, _ reason: String) { ledger.gaveUp(table, reason) }
    package func advance(checkpoint: ReplicationPosition) { self.checkpoint = checkpoint }

    package func next() -> ValidationTask? { ledger.next(checkpoint: checkpoint) }

    /// True when the comparison settled something; else the same would only be compared again.
    package func finished(_ task: ValidationTask, unequal: [RowKey], complete: Bool, at alignment: Alignment) -> Bool {
        let before = ledger.pendingKeys
        switch task.work {
        case .keys: ledger.finished(task, unequal: Set(unequal), at: alignment)
        case .chunk: ledger.finished(task, unequal: unequal, complete: complete, at: alignment)
        case .whole: ledger.finished(task, equal: unequal.isEmpty && complete, at: alignment)
        }
        noteValidated(task.table)
        if case .keys = task.work { return ledger.pendingKeys < before }
        return complete && unequal.isEmpty
    }

    package func finishedWhole(_ task: ValidationTask, equal: Bool, at alignment: Alignment) -> Bool {
        ledger.finished(task, equal: equal, at: alignment)
        noteValidated(task.table)
        return equal
    }

    package func abandoned(_ task: ValidationTask) { ledger.abandoned(task) }

    package func statuses() -> [(table: Int, status: ValidationLedger.TableStatus)] {
        ledger.now = Date().timeIntervalSince1970
        return names.enumerated().compactMap { index, name in ledger.status(name).map { (index, $0) } }
    }

    /// Every table Validated at this instant: nothing marked, nothing failed, every chunk compared.
    package var isValidated: Bool { ledger.isValidated }
    package var pendingKeys: Int { ledger.pendingKeys }
    package var notValidated: [TableName] { ledger.notValidated }

    /// Tables with rows that differ at aligned positions, or whose comparison failed.
    package var failures: [String] {
        names.compactMap { name in
            guard let status = ledger.status(name) else { return nil }
            if let error = status.error { return "\(name): \(error)" }
            guard status.failed > 0 else { return nil }
            let keys = ledger.failedKeys(name, limit: 3).map(\.description).joined(separator: ", ")
            return "\(name): \(status.failed) rows differ\(keys.isEmpty ? "" : " (\(keys))")"
        }
    }

    // MARK: Repair

    package func failedCount(_ table: TableName) -> UInt64 { ledger.status(table)?.failed ?? 0 }

    /// Keys that differ for good, each with the number of the change that made it so: while it stays, no event has touched the key.
    package func failedKeys(_ table: TableName, limit: Int) -> [RowKey: UInt64] { ledger.failedVersions(table, limit: limit) }

    /// The rows were written again: to be compared.
    package func repaired(_ table: TableName, _ keys: [RowKey]) { ledger.repaired(table, keys) }

    package func isValidated(_ table: TableName) -> Bool { ledger.status(table)?.state == "Validated" }

    // MARK: Validated at least once

    private var validatedOnce: Set<TableName> = []

    private func noteValidated(_ table: TableName) {
        if ledger.status(table)?.state == "Validated" || ledger.wasValidated(table) { validatedOnce.insert(table) }
    }

    /// While writers never pause, some key is marked at any instant. This says that for each table there was a position since the board was
    /// made up to which every row was compared after its last change, and equal.
    package var allValidatedOnce: Bool { names.allSatisfy { validatedOnce.contains($0) } }
}
