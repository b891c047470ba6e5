import GodwitTesting

/// Which faults one torture has, in order: drawn by a seed, every kind at least once.
struct TortureFault: Sendable, CustomStringConvertible {
    enum Strike: Sendable, Hashable {
        case killGodwit, killSource, killTarget
        case source(NetworkFault)
        case target(NetworkFault)
    }
    /// Parts of a migration, in order.
    enum Part: Int, Sendable, Comparable {
        case load, replay, index, follow, cutover
        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

        /// nil: a moment that any part has.
        init?(moment: String) {
            switch moment.split(separator: ".").first.map(String.init) {
            case "prepare", "load": self = .load
            case "replay": self = .replay
            case "index": self = .index
            case "follow", "validate": self = .follow
            case "cutover": self = .cutover
            default: return nil
            }
        }
    }

    var strike: Strike
    /// It strikes at this moment's n-th passing, or as soon as a later part has begun.
    var moment: String
    var passing = 1

    var part: Part { Part(moment: moment) ?? .load }

    var description: String {
        let what =
            switch strike {
            case .killGodwit: "kill -9 of Godwit"
            case .killSource: "kill -9 of the source"
            case .killTarget: "kill -9 of the target"
            case .source(let fault): "path to the source: \(fault)"
            case .target(let fault): "path to the target: \(fault)"
            }
        return "\(what) at \(moment):\(passing)"
    }

    /// - Parameter rounds: how often the following part's faults come; 1 in the tests, more in a soak.
    static func all(seed: UInt64, rounds: Int) -> [TortureFault] {
        var random = SplitMix64(state: seed)
        func bytes(_ most: Int) -> Int { Int.random(in: 0..<most, using: &random) }
        func cut(_ most: Int) -> NetworkFault {
            let direction: NetworkFault.Direction = Bool.random(using: &random) ? .toServer : .fromServer
            return NetworkFault(
                Bool.random(using: &random) ? .reset : .finish, direction, afterBytes: bytes(most), all: Bool.random(using: &random))
        }
        func answer(_ kind: NetworkFault.Kind) -> NetworkFault {
            NetworkFault(kind, .toServer, request: "COMMIT", passing: Int.random(in: 1...3, using: &random))
        }
        func stall() -> NetworkFault { NetworkFault(.stall, Bool.random(using: &random) ? .toServer : .fromServer, afterBytes: bytes(3000)) }
        func either(_ fault: NetworkFault) -> Strike { Bool.random(using: &random) ? .source(fault) : .target(fault) }
        func halve() -> Strike {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .source(NetworkFault(.halve, .fromServer))
            case 1: .target(NetworkFault(.halve, .fromServer))
            default: .target(NetworkFault(.halve, .toServer))
            }
        }
        func passing(_ most: Int) -> Int { Int.random(in: 1...most, using: &random) }

        var load: [TortureFault] = [
            TortureFault(strike: .killGodwit, moment: "load.chunk.before-commit", passing: passing(4)),
            TortureFault(strike: .target(answer(.loseAnswer)), moment: "load.chunk.begin", passing: passing(3)),
            TortureFault(strike: .source(cut(20_000)), moment: "load.chunk.begin", passing: passing(3)),
        ]
        load.shuffle(using: &random)
        let middle = [
            TortureFault(strike: .target(answer([.loseAnswer, .loseRequest].randomElement(using: &random) ?? .loseAnswer)), moment: "replay.claimed"),
            TortureFault(strike: either(cut(2000)), moment: "index.before", passing: passing(2)),
        ]
        var follow: [TortureFault] = []
        for _ in 0..<rounds {
            var round: [TortureFault] = [
                TortureFault(strike: halve(), moment: "follow.after-commit"),
                TortureFault(strike: .killSource, moment: "follow.before-commit", passing: passing(3)),
                TortureFault(strike: .killTarget, moment: "follow.before-commit", passing: passing(3)),
                TortureFault(strike: either(stall()), moment: "validate.chunk"),
                TortureFault(strike: .target(answer(.loseAnswer)), moment: "follow.claimed"),
                TortureFault(strike: .target(answer(.loseRequest)), moment: "follow.before-commit"),
                TortureFault(strike: either(cut(5000)), moment: "follow.claimed"),
            ]
            round.shuffle(using: &random)
            follow += round
        }
        let pause = FaultMoments.pause.filter { !$0.contains("journal") }
        let cutover = [
            TortureFault(strike: either(cut(24)), moment: pause.randomElement(using: &random) ?? pause[0]),
            TortureFault(strike: .killGodwit, moment: pause.randomElement(using: &random) ?? pause[0]),
        ]
        return load + middle + follow + cutover
    }
}
