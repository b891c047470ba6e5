import Foundation
import GodwitTesting
import Testing

/// Where the faults strike: moments that the program names as it passes them, chosen by a seed.
///
/// `GODWIT_FAULT_SEED` repeats a choice, `GODWIT_SOAK=1` (`script/soak`) takes all of it.
enum FaultMoments {
    /// Drawn for each run, or given.
    static let seed: UInt64 =
        ProcessInfo.processInfo.environment["GODWIT_FAULT_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...0xFFFF_FFFF)
    static let isSoak = ProcessInfo.processInfo.environment["GODWIT_SOAK"] == "1"

    /// One migration's kills: one in each part of it, in order.
    struct Chain: Sendable, CustomTestStringConvertible {
        var number: Int
        var moments: [String]
        var testDescription: String { "seed \(FaultMoments.seed), migration \(number): \(moments.joined(separator: ", "))" }
    }

    // `:n` is the n-th passing of one process; every one listed is passed in every migration of the sample schema.
    static let load = [
        "prepare.stored", "prepare.statement:1", "prepare.statement:6", "load.keyless.snapshot", "load.chunk.begin:1",
        "load.chunk.begin:4", "load.chunk.begin:11", "load.chunk.before-commit:1", "load.chunk.before-commit:5",
        "load.chunk.before-commit:12", "load.chunk.after-commit:1", "load.chunk.after-commit:7", "load.end",
    ]
    static let replay = [
        "replay.claimed", "replay.table:1", "replay.table:3", "replay.before-commit", "replay.after-commit", "replay.end",
    ]
    static let index = [
        "index.before:1", "index.before:3", "index.after:1", "index.after:2", "index.after:4", "index.marked:1",
        "index.marked:4", "index.marked:8",
    ]
    /// Between the write block and the switch.
    static let pause = [
        "cutover.journal.block_source.begun", "cutover.block_source.begin", "cutover.block_source.end",
        "cutover.journal.block_source.done", "cutover.read_final_position.end", "cutover.drain.begin", "cutover.drain.end",
        "cutover.final_validation.begin", "cutover.final_validation.end", "cutover.auto_increment.end",
        "cutover.fence_forward_stream.begin", "cutover.fence_forward_stream.end",
        "cutover.journal.fence_forward_stream.done", "cutover.triggers.begin", "cutover.triggers.end", "cutover.source_unchanged.begin", "cutover.source_unchanged.end",
        "cutover.journal.switch_application.begun", "cutover.switch_application.begin",
    ]
    /// From the switch to the end, and before the block.
    static let edges = [
        "follow.begin", "follow.claimed", "follow.table", "follow.before-commit", "follow.after-commit", "validate.chunk",
        "cutover.gates.end", "cutover.stop_application.begin", "cutover.stop_application.end",
        "cutover.switch_application.end", "cutover.journal.point_of_no_return.begun", "cutover.point_of_no_return.begin",
        "cutover.point_of_no_return.end", "cutover.start_application.begin", "cutover.start_application.end",
        "cutover.health.end", "cutover.journal.finished.done",
    ]

    /// Twenty kills of Godwit in five migrations; without `isSoak` the first eight of them.
    static let chains: [Chain] = {
        var random = SplitMix64(state: seed)
        let parts = [load, replay, index, pause].map { pick(5, $0, &random) }
        let all = (0..<5).map { number in Chain(number: number + 1, moments: parts.map { $0[number] }) }
        return isSoak ? all : Array(all.prefix(2))
    }()

    /// Kills before the block and after the switch: one migration each.
    static let edgeChains: [Chain] = {
        var random = SplitMix64(state: seed &+ 1)
        let chosen = isSoak ? edges : pick(1, edges, &random)
        return chosen.enumerated().map { Chain(number: $0.offset + 1, moments: [$0.element]) }
    }()

    private static func pick(_ count: Int, _ moments: [String], _ random: inout SplitMix64) -> [String] {
        Array(moments.shuffled(using: &random).prefix(count))
    }

    /// A server, or both, that die while Godwit stands at a moment and come back.
    struct ServerFault: Sendable, CustomTestStringConvertible {
        enum Victim: String, Sendable { case source = "the source dies", target = "the target dies", both = "both servers die" }
        var victim: Victim
        var moment: String
        /// Back before Godwit goes on: it sees broken connections only.
        var isBackFirst: Bool
        /// The source has no GTIDs.
        var hasFilePositions = false
        var testDescription: String {
            "seed \(FaultMoments.seed), \(victim.rawValue) at \(moment)" + (isBackFirst ? ", back before Godwit looks" : "")
                + (hasFilePositions ? ", file positions" : "")
        }
    }

    private static let whileMoving = [
        "load.chunk.before-commit:3", "load.chunk.begin:5", "load.keyless.snapshot", "load.end", "replay.claimed",
        "replay.before-commit", "index.before:2", "index.after:3", "follow.before-commit", "validate.chunk",
    ]
    private static let inThePause = [
        "cutover.block_source.begin", "cutover.block_source.end", "cutover.read_final_position.end", "cutover.drain.begin",
        "cutover.final_validation.begin", "cutover.auto_increment.end", "cutover.fence_forward_stream.begin",
        "cutover.fence_forward_stream.end", "cutover.triggers.begin", "cutover.source_unchanged.end", "cutover.switch_application.begin",
        "cutover.switch_application.end", "cutover.point_of_no_return.begin", "cutover.start_application.end",
    ]

    /// Two of each server, one while rows move and one in the write pause; all of them with `isSoak`.
    static let serverFaults: [ServerFault] = {
        var random = SplitMix64(state: seed &+ 2)
        return [ServerFault.Victim.source, .target].flatMap { victim -> [ServerFault] in
            let count = isSoak ? Int.max : 1
            let moments = pick(count, whileMoving, &random) + pick(count, inThePause, &random)
            return moments.map { ServerFault(victim: victim, moment: $0, isBackFirst: Bool.random(using: &random)) }
        }
    }()

    /// Both servers at once, and the source where positions are files and offsets.
    static let rareServerFaults: [ServerFault] = {
        var random = SplitMix64(state: seed &+ 3)
        let count = isSoak ? 4 : 1
        return [(ServerFault.Victim.both, false), (.source, true)].flatMap { victim, hasFiles -> [ServerFault] in
            let moments = pick(count, whileMoving, &random) + pick(isSoak ? 4 : 0, inThePause, &random)
            return moments.map {
                ServerFault(victim: victim, moment: $0, isBackFirst: Bool.random(using: &random), hasFilePositions: hasFiles)
            }
        }
    }()

    /// Kills of Godwit where positions are files and offsets.
    static let fileChains: [Chain] = {
        var random = SplitMix64(state: seed &+ 4)
        let parts = [load, replay, index, pause + edges].map { pick(3, $0, &random) }
        let all = (0..<3).map { number in Chain(number: number + 1, moments: parts.map { $0[number] }) }
        return isSoak ? all : Array(all.prefix(1))
    }()
}
