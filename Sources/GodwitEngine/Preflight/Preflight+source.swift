extension Remedy { static let signednessInLog = Remedy("signedness-in-log", pitfalls: [20], test: "PreflightTests") }

extension Preflight {
    /// Servers that this release does not speak well enough.
    static func flavours(_ facts: PreflightFacts) -> [Finding] {
        var found: [Finding] = []
        for (side, server) in [("source", facts.source), ("target", facts.target)] {
            found.append(Finding(.ok, "\(side)-flavour", side, "The \(side) is \(server.isMariaDB ? "MariaDB" : "MySQL") \(server.version)."))
        }
        if !facts.source.isMariaDB, facts.source.variable("binlog_row_metadata") == nil, Remedy.signednessInLog.isOn {
            found.append(
                Finding(
                    .refusal, "source-version", "source",
                    "The source (\(facts.source.version)) is older than the row metadata in MySQL's binary log.",
                    why: "Its events do not say which integers are unsigned, so values could be read wrongly.",
                    cure: "Upgrade the source to MySQL 8.0 or later."))
        }
        return found
    }

    static func identity(_ facts: PreflightFacts) -> [Finding] {
        var found: [Finding] = []
        if let uuid = facts.source.serverUUID, uuid == facts.target.serverUUID {
            found.append(
                Finding(
                    .refusal, "same-server", "target", "Source and target are the same server (\(uuid)).",
                    why: "A migration onto itself would follow its own writes. A copied data directory also copies this identity.",
                    cure: "Correct the addresses in the plan; for a copied server delete auto.cnf in its data directory and restart it."))
        }
        if facts.source.serverID == 0 {
            found.append(
                Finding(
                    .error, "server-id", "source", "The source's server_id is 0.",
                    why: "A server without an id sends its binary log to no one.", cure: "SET PERSIST server_id = 1;"))
        } else if let id = facts.source.serverID, id == facts.target.serverID {
            found.append(
                Finding(
                    .warning, "server-id", "target", "Source and target have the same server_id (\(id)).",
                    why: "Replication between them, or back, would take the other's changes for its own.",
                    cure: "SET PERSIST server_id = \(id + 1); on the target."))
        }
        return found
    }

    /// The binary log: is every change in it, whole, and long enough?
    static func sourceLog(_ facts: PreflightFacts) -> [Finding] {
        let source = facts.source
        guard source.logsBinary else {
            return [
                Finding(
                    .error, "log-bin", "source", "The source writes no binary log.", why: "Changes made during the load could not be followed.",
                    cure: "Start the source with log_bin (and without skip_log_bin or disable_log_bin).")
            ]
        }
        return logContents(source) + logSafety(source) + positions(source) + transactions(source)
    }

    private static func logContents(_ source: ServerFacts) -> [Finding] {
        var found: [Finding] = []
        func require(_ check: String, _ variable: String, _ wanted: String, why: String) {
            guard let value = source.variable(variable) else { return }
            if value.uppercased() == wanted {
                found.append(Finding(.ok, check, "source", "\(variable) is \(wanted.isEmpty ? "empty" : wanted)."))
            } else {
                found.append(
                    Finding(
                        .error, check, "source", "\(variable) is \(value.isEmpty ? "empty" : value).", why: why,
                        cure: "SET PERSIST \(variable) = \(wanted.isEmpty ? "''" : wanted); then let every application connect anew: sessions keep the old value."))
            }
        }
        require("binlog-format", "binlog_format", "ROW", why: "Statements cannot be replayed exactly.")
        found += rowImages(source)
        if let status = source.binaryLogStatus {
            for (name, value) in [("binlog-do-db", status.doSchemas), ("binlog-ignore-db", status.ignoreSchemas)] where !value.isEmpty {
                found.append(
                    Finding(
                        .error, "binlog-filters", "source", "The source logs selected schemas only (\(name): \(value)).",
                        why: "Changes that are not logged would be missing on the target.",
                        cure: "Remove \(name) from the source's configuration and restart it."))
            }
        }
        if source.logsReplicaUpdates == false {
            let applies = source.isApplyingReplica
            found.append(
                Finding(
                    applies == true ? .error : .warning, "replica-updates", "source", "log_replica_updates is OFF.",
                    why: applies == true
                        ? "The source is a replica: what it applies is not in its binary log, and would be missing."
                        : "Should the source become a replica, what it applies would not be in its binary log.",
                    cure: "Start the source with log_replica_updates=ON, or migrate from the server that it follows."))
        }
        return found
    }

    /// What is not in an image is derived (`RowCompletion`): right, but slower, and not where a filter judges by what is left out.
    private static func rowImages(_ source: ServerFacts) -> [Finding] {
        var found: [Finding] = []
        if let image = source.binlogRowImage, image != "FULL" {
            found.append(
                Finding(
                    .warning, "row-image", "source", "binlog_row_image is \(image).",
                    why: "Changes carry only part of their columns: they are applied row by row, and a row filter on a column that is left out stops the migration.",
                    cure: "\(source.isMariaDB ? "SET GLOBAL binlog_row_image = FULL, in its configuration too" : "SET PERSIST binlog_row_image = FULL"); then let every application connect anew: sessions keep the old value."))
        } else if source.binlogRowImage != nil {
            found.append(Finding(.ok, "row-image", "source", "binlog_row_image is FULL."))
        }
        if let options = source.variable("binlog_row_value_options") {
            found.append(
                options.isEmpty
                    ? Finding(.ok, "partial-json", "source", "binlog_row_value_options is empty.")
                    : Finding(
                        .info, "partial-json", "source", "binlog_row_value_options is \(options): changes to JSON documents are followed as changes."))
        }
        return found
    }

    private static func logSafety(_ source: ServerFacts) -> [Finding] {
        var found: [Finding] = []
        if let value = source.number("sync_binlog"), value != 1 {
            found.append(
                Finding(
                    .warning, "sync-binlog", "source", "sync_binlog is \(value).",
                    why: "A crash of the source's host can lose transactions that the target already has, and give their numbers away again.",
                    cure: "SET PERSIST sync_binlog = 1;"))
        }
        if let value = source.number("innodb_flush_log_at_trx_commit"), value != 1 {
            found.append(
                Finding(
                    .warning, "flush-log", "source", "innodb_flush_log_at_trx_commit is \(value).",
                    why: "A crash of the source can lose committed transactions that the target already has.",
                    cure: "SET PERSIST innodb_flush_log_at_trx_commit = 1;"))
        }
        switch source.binlogRetention {
        case nil: break
        case 0: found.append(Finding(.ok, "retention", "source", "Binary logs are kept until they are purged by hand."))
        case .some(let seconds) where seconds < 86_400:
            found.append(
                Finding(
                    .warning, "retention", "source", "Binary logs are purged after \(seconds) s.",
                    why: "A migration that pauses longer than that must be loaded anew.",
                    cure: "SET PERSIST binlog_expire_logs_seconds = 604800;"))
        case .some(let seconds):
            found.append(Finding(.ok, "retention", "source", "Binary logs are kept for \(seconds / 3600) hours."))
        }
        return found
    }

    private static func positions(_ source: ServerFacts) -> [Finding] {
        if source.usesGTIDs { return [Finding(.ok, "positions", "source", "Positions are GTID sets.")] }
        return [
            Finding(
                .info, "positions", "source", "Positions are binary log files and offsets: gtid_mode is \(source.gtidMode ?? "not there").",
                why: "They belong to this one server: after a failover of the source the tables are loaded anew.",
                cure: "Turn gtid_mode ON, in the manual's steps, if the source may fail over.")
        ]
    }

    private static func transactions(_ source: ServerFacts) -> [Finding] {
        switch source.preparedXA {
        case .some(0): return [Finding(.ok, "xa", "source", "No XA transaction is prepared.")]
        case .some(let count):
            return [
                Finding(
                    .warning, "xa", "source", "\(count) XA transactions are prepared on the source.",
                    why: "Their rows were logged before the migration starts, their outcome comes later: it waits for them.",
                    cure: "Commit or roll back what XA RECOVER lists.")
            ]
        case nil:
            return [
                Finding(
                    .error, "xa", "source", "Prepared XA transactions cannot be seen: the account \(account(source)) lacks XA_RECOVER_ADMIN on the source.",
                    why: "One that is prepared at the start would be lost.",
                    cure: "GRANT XA_RECOVER_ADMIN ON *.* TO \(account(source));")
            ]
        }
    }

    /// `'user'@'host'`.
    static func account(_ server: ServerFacts) -> String {
        guard let at = server.currentUser.lastIndex(of: "@") else { return SQL.string(server.currentUser) }
        let host = server.currentUser[server.currentUser.index(after: at)...]
        return "\(SQL.string(String(server.currentUser[..<at])))@\(SQL.string(String(host)))"
    }
}
