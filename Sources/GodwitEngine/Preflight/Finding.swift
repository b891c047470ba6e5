/// One thing that preflight looked at, and what it found.
package struct Finding: Hashable, Sendable, Codable, CustomStringConvertible {
    package enum Severity: String, Hashable, Sendable, Codable, Comparable, CaseIterable {
        case ok
        /// Good to know; nothing to do.
        case info
        /// The migration runs; something about it deserves a decision.
        case warning
        /// The migration cannot start before this is changed.
        case error
        /// Godwit does not do this (yet): the object is left out, or the migration does not start.
        case refusal

        private var rank: Int {
            switch self {
            case .ok: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            case .refusal: 4
            }
        }
        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }
    package var severity: Severity
    /// Stable name of the check: `row-image`, `engine` …
    package var check: String
    /// What it is about: `source`, `target`, a table, a column, an object.
    package var subject: String
    package var what: String
    package var why: String
    /// What to do; SQL is written so that it can be pasted.
    package var cure: String

    package init(
        _ severity: Severity, _ check: String, _ subject: String, _ what: String, why: String = "", cure: String = ""
    ) {
        self.severity = severity
        self.check = check
        self.subject = subject
        self.what = what
        self.why = why
        self.cure = cure
    }

    /// Nothing is written while there is a finding like this.
    package var blocks: Bool { severity >= .error }

    package var description: String { [what, why, cure].filter { !$0.isEmpty }.joined(separator: " ") }
}
