extension DialectTranslation {
    /// Between these two servers, whatever the table.
    static func historyObjection(_ source: ServerFacts, _ target: ServerFacts) -> String? {
        guard target.isMariaDB else { return "It is system-versioned, and MySQL keeps no history of rows." }
        guard target.variable("system_versioning_insert_history") != nil else {
            return "It is system-versioned, and this target takes no history that it has not made itself (system_versioning_insert_history, MariaDB 10.11 and later)."
        }
        guard source.hasUnsignedTimestamps == target.hasUnsignedTimestamps else {
            return "It is system-versioned, and the two servers mark current rows by another end of time (2038 before MariaDB 11.5, 2106 since)."
        }
        guard ["NO", nil].contains(target.variable("secure_timestamp")?.uppercased()) else {
            return "It is system-versioned, and the target lets nobody set a statement's time (secure_timestamp)."
        }
        return nil
    }

    /// What of a system-versioned table cannot be kept, each a sentence.
    func versions(_ table: TableDefinition) -> [String] {
        guard let period = table.period else { return [] }
        if let historyObjection { return [historyObjection] }
        var found: [String] = []
        if table.columns[period.end].dataType != "timestamp" {
            found.append("It is versioned by transaction numbers (ROW START and ROW END are BIGINT), which are the server's own.")
        }
        if table.isPartitioned {
            found.append("It is system-versioned and partitioned: history can then be removed from single partitions, which the log does not tell from removing it by its age.")
        }
        if table.rowKey == nil { found.append("It is system-versioned and has no key by which its rows can be named.") }
        return found
    }
}
