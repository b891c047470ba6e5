import OrderedCollections

/// What the ledger tells people and gates.
extension ValidationLedger {
    package struct TableStatus: Sendable, Hashable, Codable {
        /// One of DMS's validation states.
        package var state: String
        /// Marked keys that are not settled.
        package var pending: UInt64
        /// Keys that differ for good (1 for a keyless table that differs).
        package var failed: UInt64
        /// Keys that changed for too long to be settled (DMS's RecordSuspendDelayInMinutes); they go on being compared.
        package var suspended: UInt64 = 0
        /// Chunks of the first pass (or of the newest, after a loss).
        package var chunksCompared: Int
        package var chunksTotal: Int
        /// Why the comparison was given up.
        package var error: String?
    }

    /// nil for a table that is not validated.
    package func status(_ table: TableName) -> TableStatus? {
        tables[table].map { ledger in
            let suspended = suspendedKeys(ledger)
            return TableStatus(
                state: ledger.state(suspended: suspended), pending: UInt64(ledger.markCount), failed: UInt64(ledger.failedCount),
                suspended: suspended, chunksCompared: ledger.chunksCompared, chunksTotal: ledger.chunksTotal, error: ledger.error)
        }
    }

    private func suspendedKeys(_ ledger: TableLedger) -> UInt64 {
        // Asked many times a second.
        guard now - ledger.oldest > suspendAfter else { return 0 }
        return UInt64(ledger.marks.values.count { now - $0.since > suspendAfter })
    }

    /// See `TableLedger.wasValidated`.
    package func wasValidated(_ table: TableName) -> Bool { tables[table]?.wasValidated ?? false }

    /// Every table is proven equal as of its last event.
    package var isValidated: Bool { tables.values.allSatisfy(\.isValidated) }

    /// Tables that are not, in the order in which they were added.
    package var notValidated: [TableName] { tables.filter { !$0.value.isValidated }.map(\.key) }

    /// Marked keys of all tables: what a final validation has to compare at least.
    package var pendingKeys: Int { tables.values.reduce(0) { $0 + $1.markCount } }

    package func failedVersions(_ table: TableName, limit: Int) -> [RowKey: UInt64] {
        guard let ledger = tables[table], ledger.hasKey else { return [:] }
        return Dictionary(uniqueKeysWithValues: ledger.failed.prefix(limit).map { ($0.key, $0.value) })
    }

    /// Up to `limit` keys of a table that differ for good, in no particular order.
    package func failedKeys(_ table: TableName, limit: Int) -> [RowKey] {
        tables[table].map { Array($0.failed.keys.prefix(limit)) } ?? []
    }
}
