import Foundation

/// A remedy against a pitfall (docs/correctness.md) that tests, and tests alone, can switch off, so that the test that names
/// it can be seen to fail without it. Declared beside the code that it guards:
///
///     extension Remedy { static let presentColumns = Remedy("present-columns", pitfalls: [10], test: "PartialImageTests") }
///     if image.isPartial, Remedy.presentColumns.isOn { … }
///
/// `GODWIT_REMEDY_OFF=name,name` switches off in debug builds. A release build has no switch: every remedy is on.
/// `script/mutants` finds the declarations by their text, so each stands on one line.
package struct Remedy: Sendable {
    /// Lower case words with hyphens; unique.
    package let name: String
    /// Rows of the table of pitfalls; empty where the remedy belongs to a rule or an invariant only.
    package let pitfalls: [Int]
    /// The filter of the test that must fail without the remedy, as `swift test --filter` takes it.
    package let test: String

    package init(_ name: String, pitfalls: [Int], test: String) {
        self.name = name
        self.pitfalls = pitfalls
        self.test = test
    }

    #if DEBUG
        /// For tests in this process: `Remedy.$off.withValue(["name"]) { … }`.
        @TaskLocal package static var off: Set<String> = []
        private static let offInProcess: Set<String> = Set(
            (ProcessInfo.processInfo.environment["GODWIT_REMEDY_OFF"] ?? "").split(separator: ",").map(String.init))

        /// False only in a debug build whose environment, or whose running test, names the remedy.
        package var isOn: Bool { !Self.offInProcess.contains(name) && !Self.off.contains(name) }
    #else
        package var isOn: Bool { true }
    #endif
}
