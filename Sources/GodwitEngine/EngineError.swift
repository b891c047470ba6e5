/// Why the engine stopped, in a sentence for the operator, with the cure.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    /// Decides the exit code: see the design's command line.
    package enum Kind: Sendable, Hashable {
        /// Plan, flags, or a refusal before any write: exit 2.
        case plan
        /// Something failed: exit 1.
        case failed
        /// Stopped in a state from which the same command resumes: exit 3.
        case resumable
        /// Both sides were compared and differ: exit 4.
        case unequal
    }
    package var kind: Kind
    package var what: String
    package var why: String
    package var cure: String
    /// The one table of the source that it is about, where the task could go on without it: TableErrorPolicy.
    package var table: TableName?

    package init(_ kind: Kind, _ what: String, why: String = "", cure: String = "") {
        self.kind = kind
        self.what = what
        self.why = why
        self.cure = cure
    }

    package var description: String {
        [what, why, cure].filter { !$0.isEmpty }.joined(separator: " ")
    }
}
