/// Changes to a keyless table, in the order of the log: nothing is merged, since equal rows cannot be told apart.
package enum KeylessChange: Sendable {
    case insert(ImageRow)
    case update(before: ImageRow, after: ImageRow)
    case delete(ImageRow)
}
