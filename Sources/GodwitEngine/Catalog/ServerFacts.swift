/// What Godwit knows of a server as a whole. Abilities are probed (is the variable there?), never concluded from the version.
package struct ServerFacts: Hashable, Sendable, Codable {
    package struct BinaryLog: Hashable, Sendable, Codable {
        package var file: String
        package var size: UInt64
        package init(file: String, size: UInt64) {
            self.file = file
            self.size = size
        }
    }
    package struct BinaryLogStatus: Hashable, Sendable, Codable {
        package var file: String
        package var position: UInt64
        /// binlog-do-db, empty: all.
        package var doSchemas: String
        package var ignoreSchemas: String
        package init(file: String, position: UInt64, doSchemas: String = "", ignoreSchemas: String = "") {
            self.file = file
            self.position = position
            self.doSchemas = doSchemas
            self.ignoreSchemas = ignoreSchemas
        }
    }
    package struct Collation: Hashable, Sendable, Codable {
        package var characterSet: String
        package var isDefault: Bool
        package init(characterSet: String, isDefault: Bool) {
            self.characterSet = characterSet
            self.isDefault = isDefault
        }
    }

    /// As the handshake gave it, with suffixes: `9.7.4-2`, `10.11.6-MariaDB-log`.
    package var version: String
    package var isMariaDB: Bool
    /// SHOW GLOBAL VARIABLES, names in lower case.
    package var variables: [String: String]
    /// `user@host` as the server matched it.
    package var currentUser: String
    package var grants: Grants
    /// nil without TLS.
    package var tlsVersion: String?
    /// nil: binary logging is off, or reading it was not allowed (see `unreadable`).
    package var binaryLogStatus: BinaryLogStatus?
    /// Oldest first; empty as above.
    package var binaryLogs: [BinaryLog]
    /// Number of prepared XA transactions; nil: not allowed to see.
    package var preparedXA: Int?
    /// server_id of registered replicas; nil: not allowed to see.
    package var replicaIDs: [UInt32]?
    package var characterSets: Set<String>
    package var collations: [String: Collation]
    /// Is this server itself a replica that applies another's changes now? nil: not allowed to see.
    package var isApplyingReplica: Bool?
    /// `INSERT … VALUES (…) AS new`: asked of the server's parser. nil: not asked.
    package var hasRowAlias: Bool?
    /// TIMESTAMP reaches 2106 and not 2038 (MariaDB 11.5 and later, 64 bits), which is also how it marks rows as current in a
    /// system-versioned table. nil: not asked.
    package var hasUnsignedTimestamps: Bool?
    /// What could not be read, with the server's answer.
    package var unreadable: [String: String]

    package init(
        version: String, isMariaDB: Bool = false, variables: [String: String] = [:], currentUser: String = "",
        grants: Grants = Grants([]), tlsVersion: String? = nil, binaryLogStatus: BinaryLogStatus? = nil,
        binaryLogs: [BinaryLog] = [], preparedXA: Int? = nil, replicaIDs: [UInt32]? = nil,
        characterSets: Set<String> = [], collations: [String: Collation] = [:], isApplyingReplica: Bool? = nil,
        unreadable: [String: String] = [:]
    ) {
        self.version = version
        self.isMariaDB = isMariaDB
        self.variables = variables
        self.currentUser = currentUser
        self.grants = grants
        self.tlsVersion = tlsVersion
        self.binaryLogStatus = binaryLogStatus
        self.binaryLogs = binaryLogs
        self.preparedXA = preparedXA
        self.replicaIDs = replicaIDs
        self.characterSets = characterSets
        self.collations = collations
        self.isApplyingReplica = isApplyingReplica
        self.unreadable = unreadable
    }
}

extension ServerFacts {
    /// A global variable's value; nil where this server has no such variable.
    package func variable(_ name: String) -> String? { variables[name] }

    /// `ON`, `1`, `YES`, `TRUE`; nil where there is no such variable.
    package func flag(_ name: String) -> Bool? {
        variables[name].map { ["ON", "1", "YES", "TRUE"].contains($0.uppercased()) }
    }

    package func number(_ name: String) -> Int64? { variables[name].flatMap { Int64($0) } }

    package var serverUUID: String? { variables["server_uuid"] ?? variables["server_uid"] }
    package var serverID: Int64? { number("server_id") }
    /// `ON`, `OFF`, `ON_PERMISSIVE` …; MariaDB has none.
    package var gtidMode: String? { variables["gtid_mode"] }
    /// Positions are GTID sets; else file and offset.
    package var usesGTIDs: Bool { gtidMode?.uppercased() == "ON" }
    package var logsBinary: Bool { flag("log_bin") ?? false }
    package var binlogFormat: String? { variables["binlog_format"]?.uppercased() }
    package var binlogRowImage: String? { variables["binlog_row_image"]?.uppercased() }
    /// FULL: column names and signedness are in the log. nil: an old server, which never has them.
    package var binlogRowMetadata: String? { variables["binlog_row_metadata"]?.uppercased() }
    package var lowerCaseTableNames: Int64 { number("lower_case_table_names") ?? 0 }
    package var maxAllowedPacket: Int64 { number("max_allowed_packet") ?? 0 }
    package var isReadOnly: Bool { flag("read_only") ?? false }
    package var isSuperReadOnly: Bool { flag("super_read_only") ?? false }

    /// Seconds after which binary logs are purged; 0: never; nil: not known.
    package var binlogRetention: Int64? {
        if let seconds = number("binlog_expire_logs_seconds"), seconds > 0 { return seconds }
        if let days = variables["expire_logs_days"].flatMap({ Double($0) }), days > 0 { return Int64(days * 86_400) }
        return variables["binlog_expire_logs_seconds"] != nil || variables["expire_logs_days"] != nil ? 0 : nil
    }

    /// Changes that foreign keys make to child rows are in the binary log: only where the server runs them in its SQL layer, which it
    /// says by having the variable, switched off.
    package var logsCascades: Bool { flag("innodb_native_foreign_keys") == false }

    /// The old or the new spelling of what a replica is called in statements and variables.
    package var logsReplicaUpdates: Bool? { flag("log_replica_updates") ?? flag("log_slave_updates") }
}
