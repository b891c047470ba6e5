/// Why something on a host was not done, in a sentence for the operator, with the cure.
package struct HostError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Decides the exit code of a command.
    package enum Kind: Sendable, Hashable {
        /// Refused before anything was changed: exit 2.
        case refused
        /// Something failed: exit 1.
        case failed
    }
    package var kind: Kind
    package var what: String
    package var why: String
    package var cure: String

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
