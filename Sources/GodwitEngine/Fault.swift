import Foundation

/// A mistake that the engine makes on purpose, for tests alone: validation must report each of them (`SabotageTests`, `ModelTests`).
/// `GODWIT_FAULT=name` switches one on in debug builds; a release build has none. While one is on, the applier does not check
/// its counts: they would stop it before validation has seen anything.
package enum Fault: String, Sendable, CaseIterable {
    /// The first row that a batch inserts is left out.
    case skipRow = "skip-row"
    /// Updates write the old image.
    case swapImages = "swap-images"
    /// The last rows event of each transaction is left out.
    case dropLastEvent = "drop-last-event"
    /// Of several changes of a row in one batch the first wins.
    case wrongOrder = "wrong-order"
    /// The row at a chunk's upper bound belongs to no chunk.
    case chunkBound = "chunk-bound"
    /// Rows removed at the source stay.
    case ignoreDelete = "ignore-delete"
    /// NULL is written as 0.
    case loseNull = "lose-null"

    #if DEBUG
        @TaskLocal package static var inTask: Fault?
        private static let inProcess = ProcessInfo.processInfo.environment["GODWIT_FAULT"].flatMap(Fault.init(rawValue:))
        package static var current: Fault? { inTask ?? inProcess }
    #else
        package static var current: Fault? { nil }
    #endif

    package var isOn: Bool { Self.current == self }
}
