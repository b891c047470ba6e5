import GodwitEngine

/// The preflight of `godwit check` in DMS's words: checks that belong together are one individual assessment. Pure.
enum Assessment {
    /// In the order in which they are listed. What no group names is in the last.
    static let groups: [(name: String, checks: Set<String>)] = [
        ("privileges", ["source-grants", "target-grants", "accounts", "definer"]),
        (
            "source-binary-log",
            ["log-bin", "row-image", "partial-json", "retention", "binlog-filters", "sync-binlog", "replica-updates", "encryption", "flush-log", "positions"]
        ),
        ("servers", ["source-version", "server-id", "same-server", "local-infile", "packet", "time-zone", "storage", "target-read-only", "target-replica", "target-log"]),
        ("table-mappings", ["tables", "no-tables", "mapping-collision", "lower-case-table-names"]),
        ("table-definitions", ["engine", "definition", "keyless", "keyless-inexact", "functional-unique", "old-temporal", "constraint-names", "same-key-collation", "collation"]),
        ("between-mysql-and-mariadb", ["dialect"]),
        ("foreign-keys", ["foreign-key-parent", "foreign-key-parent-key", "foreign-key-filter", "cascades", "cascades-target"]),
        (
            "views-routines-triggers-events",
            ["objects", "objects-invalid", "objects-view", "objects-text", "objects-renamed", "function-creators", "event-scheduler"]
        ),
        ("target-tables", ["target-rows", "target-truncate", "target-drop", "target-triggers", "target-reference", "target-fit", "target-primary-key", "target-object", "target-events", "target-remark", "own-schema"]),
        ("transactions", ["xa"]),
        ("other-checks", []),
    ]

    static func group(of check: String) -> String {
        groups.first { $0.checks.contains(check) }?.name ?? "other-checks"
    }

    /// What one individual assessment comes to.
    static func status(_ findings: [Finding]) -> String {
        if findings.contains(where: \.blocks) { return "failed" }
        return findings.contains { $0.severity == .warning } ? "warning" : "passed"
    }

    /// Of a run, from its individual assessments. Source: the service's model, `ReplicationTaskAssessmentRun$Status`.
    static func status(ofRun statuses: [String]) -> String {
        if statuses.contains("failed") { return "failed" }
        return statuses.contains("warning") ? "warning" : "passed"
    }

    static func isUnderWay(_ run: Resource) -> Bool { ["starting", "provisioning", "running"].contains(run.text("Status")) }

    /// The individual assessments with those that have not ended ended by `status`.
    static func settled(_ run: Resource, as status: String) -> [JSON] {
        (run["_Individuals"]?.elements ?? []).map { individual in
            var members = individual.members ?? [:]
            if members["Status"]?.text == "pending" { members["Status"] = .string(status) }
            return .object(members)
        }
    }
}
