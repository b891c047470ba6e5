import MySQLTypes
import Testing

@testable import GodwitEngine

/// May another server stand in for the source? Decided from sets alone.
@Suite("Another server of the same lineage, as a decision")
struct SourceContinuityDecisionTests {
    static let a = "aaaaaaaa-0000-0000-0000-000000000001"
    static let b = "bbbbbbbb-0000-0000-0000-000000000002"

    @Test(arguments: [
        ("A:1-10", "A:1-10", "", "A:1-9", .following, .goesOn),
        ("A:1-10", "A:1-20,B:1-5", "A:1-10", "", .following, .goesOn),
        ("A:1-10", "A:1-9,B:1-5", "", "", .following, .lacks("A:10")),
        ("A:1-10", "A:1-5:7-20", "", "", .following, .lacks("A:6")),
        ("A:1-10", "B:1-50", "", "", .following, .otherLineage),
        ("A:1-10", "A:1-20", "A:1-12", "", .following, .purged("A:11-12")),
        // Tags are GTIDs of their own.
        ("A:1-10:tag:1-3", "A:1-10:tag:1-3,B:1", "", "", .indexing, .goesOn),
        ("A:1-10:tag:1-3", "A:1-13,B:1", "", "", .indexing, .lacks("A:tag:1-3")),
        ("A:1-10", "A:1-20", "", "", .loading, .reload), ("A:1-10", "A:1-20", "", "", .preparing, .reload),
        ("A:1-10", "A:1-20", "", "A:1-15", .replaying, .goesOn), ("A:1-10", "A:1-20", "", "A:1-21", .replaying, .reload),
        ("A:1-10", "A:1-20", "", "", .replaying, .reload),
    ] as [(String, String, String, String, TaskPhase, Expected)])
    func judged(stored: String, executed: String, purged: String, bound: String, phase: TaskPhase, expected: Expected) throws {
        let known = bound.isEmpty ? nil : try Self.set(bound)
        let judgement = try SourceContinuity.judge(
            stored: Self.set(stored), executed: Self.set(executed), purged: Self.set(purged), bound: known, phase: phase)
        #expect(judgement == (try expected.judgement))
    }

    static func set(_ text: String) throws -> GTIDSet {
        try GTIDSet(parsing: text.replacing("A:", with: a + ":").replacing("B:", with: b + ":"))
    }

    enum Expected: Sendable {
        case goesOn, reload, otherLineage
        case lacks(String)
        case purged(String)

        var judgement: SourceContinuity.Judgement {
            get throws {
                switch self {
                case .goesOn: .goesOn
                case .reload: .reload
                case .otherLineage: .otherLineage
                case .lacks(let text): .lacks(try SourceContinuityDecisionTests.set(text))
                case .purged(let text): .purged(try SourceContinuityDecisionTests.set(text))
                }
            }
        }
    }
}

/// Where a transaction of MariaDB stands in another server's log, by the GTID events of a file.
@Suite struct MariaDBLogTests {
    @Test(arguments: [
        // The next event's place is where to go on, whatever its domain; nothing behind it: the file's end.
        (["0-1-5", "0-1-6", "0-1-7"], "0-1-6", "place 30"), (["0-1-5", "0-1-6"], "0-1-6", "found"), (["0-1-6", "3-1-1"], "0-1-6", "place 20"),
        (["0-1-5"], "0-1-6", "not yet"), ([], "0-1-6", "not yet"),
        // The same number of another server, or a number that was left out, is another history.
        (["0-1-5", "0-2-6", "0-2-7"], "0-1-6", "absent 20"), (["0-1-5", "0-1-7"], "0-1-6", "absent 20"),
        (["7-1-6", "7-1-9", "0-1-6"], "0-1-6", "found"),
    ])
    func scan(_ events: [String], _ wanted: String, _ expected: String) throws {
        var scan = MariaDBLog.Scan(wanted: try #require(MariaDBGTID(wanted)))
        var answer: String?
        for (index, event) in events.enumerated() {
            let place = UInt64(index + 1) * 10
            // A page may begin with the event that ended the one before.
            for _ in 0..<2 where answer == nil {
                answer = scan.receive((index % 2 == 0 ? "BEGIN GTID " : "GTID ") + event + " cid=77", at: place)
                    .map { $0 == .behind ? "place \(place)" : "absent \(place)" }
            }
        }
        #expect((answer ?? (scan.isFound ? "found" : "not yet")) == expected)
    }
}
