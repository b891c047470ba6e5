import Testing

@testable import GodwitServer

@Suite struct LogLineTests {
    static let lines = LogLine.parse(
        """
        00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]I:  one
        00000001: 2026-11-23T07:00:00 [TASK_MANAGER    ]I:  two
        00000001: 2026-11-23T07:00:01 [TASK_MANAGER    ]W:  three
        no time
        00000001: 2026-11-23T07:00:05 [TASK_MANAGER    ]E:  four

        """.utf8)

    @Test func timesOfLines() {
        let base: Int64 = 1_795_417_200_000
        #expect(Self.lines.map(\.time) == [base, base, base + 1000, base + 1000, base + 5000])
        #expect(Self.lines[3].text == "no time")
    }

    /// A mark survives what is added behind it and what is dropped before it.
    @Test func marksStayWhereTheyAre() {
        for index in 0...Self.lines.count {
            let mark = LogLine.Mark(before: index, of: Self.lines)
            #expect(LogLine.Mark.parse(mark.token("f"))?.mark == mark)
            #expect(mark.index(in: Self.lines) == index)
            #expect(mark.index(in: Self.lines + [LogLine(time: .max, text: "later")]) == index)
        }
        #expect(LogLine.Mark(before: 4, of: Self.lines).index(in: Array(Self.lines.dropFirst(2))) == 2)
        for token in ["", "f", "f/", "f/1", "x/1:2", "f/1:-2", "f/a:b"] { #expect(LogLine.Mark.parse(token) == nil, "\(token)") }
    }

    @Test(arguments: [
        ("", true), ("three", true), ("three four", false), ("?three ?four", true), ("-three", false), ("TASK_MANAGER -four", true),
        ("\"]W:  three\"", true), ("\"three W\"", false),
    ])
    func patterns(pattern: String, matches: Bool) throws {
        #expect(try LogPattern(pattern).matches(Self.lines[2].text) == matches)
    }

    @Test(arguments: ["{ $.a = 1 }", "[a, b]", "%regex%", "\"open", "-", "?"])
    func patternsThatAreNotOffered(pattern: String) {
        #expect(throws: APIFault.self) { try LogPattern(pattern) }
    }
}
