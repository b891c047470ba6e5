import Foundation
import Testing

@testable import GodwitEngine

/// The engine's own loader, assembler, applier, state and ledger on servers that are values: random schemas, transactions, crashes,
/// lost answers, takeovers. `GODWIT_MODEL_SCHEDULES` is their number, `GODWIT_MODEL_SEED` the first.
@Suite struct ModelTests {
    private static func number(_ name: String, _ otherwise: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
    }

    @Test func everyScheduleKeepsTheInvariants() async {
        let first = Self.number("GODWIT_MODEL_SEED", 1)
        let count = Self.number("GODWIT_MODEL_SCHEDULES", 10_000)
        let start = ContinuousClock.now
        let failure = await withTaskExecutorPreference(ModelExecutor.shared) {
            await Model.firstFailure(seeds: first..<(first + count))
        }
        #expect(failure == nil, "\(failure?.description ?? "")")
        print("model: \(count) schedules from seed \(first) in \(ContinuousClock.now - start)")
    }

    /// Each mistake of `Fault` ends, in some schedule, in a target that differs; validation shows every one of them.
    @Test(arguments: Fault.allCases)
    func validationReportsEveryFault(_ fault: Fault) async {
        var different = 0
        for seed in UInt64(1)...400 {
            await Fault.$inTask.withValue(fault) {
                let result = await withTaskExecutorPreference(ModelExecutor.shared) { await Model.run(Choices(seed: seed)) }
                guard !result.isEqual else { return }
                // What the engine stops at by itself never comes to a validation.
                guard result.violation.map({ !$0.hasPrefix("the engine gives up") }) ?? true else { return }
                different += 1
                #expect(result.violation == nil, "\(fault), seed \(seed): \(result.violation ?? "")")
            }
            if different >= 15 { break }
        }
        #expect(different > 0, "\(fault) has done no harm in any schedule")
    }
}

/// The model can fail: without any one of these rules it finds a schedule that breaks an invariant.
@Suite struct ModelRemedyTests {
    @Test(arguments: [
        ["p0-lower-bound"], ["p1-upper-bound"], ["checkpoint-with-data"], ["unique-values-by-delete"], ["deletes-first"],
        ["start-of-marks"], ["fence"], ["fenced-bounds"], ["settled-differences"],
        // One behind the other: each of them is enough.
        ["fence", "checkpoint-sequence", "locked-checkpoint"],
    ])
    func withoutItTheModelFails(_ names: [String]) async {
        await Remedy.$off.withValue(Set(names)) {
            let failure = await withTaskExecutorPreference(ModelExecutor.shared) {
                await Model.firstFailure(seeds: 1..<4000)
            }
            #expect(failure != nil, "nothing is broken without \(names)")
            if let failure { print("without \(names): seed \(failure.seed), \(failure.violation.prefix(200)), \(failure.trace.count) steps") }
        }
    }
}
