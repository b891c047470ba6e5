import Foundation
import Testing

@testable import GodwitCommands

@Suite struct FormatTests {
    @Test(
        arguments: [
            (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567"),
            (UInt64.max, "18,446,744,073,709,551,615"),
        ] as [(UInt64, String)])
    func counts(value: UInt64, text: String) {
        #expect(Format.count(value) == text)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_524, "1023.9 KiB"),
            (1_048_575, "1.0 MiB"), (1 << 30, "1.0 GiB"), (UInt64.max, "16.0 EiB"),
        ] as [(UInt64, String)])
    func byteSizes(value: UInt64, text: String) {
        #expect(Format.bytes(value) == text)
    }

    @Test(
        arguments: [
            (0, "0"), (-3, "0"), (.nan, "0"), (.infinity, "0"), (0.44, "0.4"), (9.94, "9.9"), (9.96, "10"),
            (950, "950"),
            (999.6, "1.0k"), (83_123, "83.1k"), (999_949, "999.9k"), (999_951, "1.0M"), (1_250_000, "1.3M"),
        ] as [(Double, String)])
    func rates(value: Double, text: String) {
        #expect(Format.short(value) == text)
    }

    @Test(
        arguments: [
            (-1, "–"), (.nan, "–"), (.infinity, "–"), (0, "0.00 s"), (0.844, "0.84 s"), (9.994, "9.99 s"),
            (9.996, "10.0 s"),
            (59.94, "59.9 s"), (59.96, "1m 00s"), (200, "3m 20s"), (3599.4, "59m 59s"), (3599.6, "1h 00m"),
            (3900, "1h 05m"), (86_399, "23h 59m"), (86_400, "1d 00h"), (183_600, "2d 03h"),
        ] as [(Double, String)])
    func durations(value: Double, text: String) {
        #expect(Format.duration(value) == text)
    }

    @Test(
        arguments: [
            (0, 0, 0), (1, 0, 0), (0, 10, 0), (5, 10, 50), (999, 1000, 99), (1000, 1000, 100), (2000, 1000, 100),
            (UInt64.max - 1, UInt64.max, 100),
        ] as [(UInt64, UInt64, Int)])
    func percents(part: UInt64, whole: UInt64, percent: Int) {
        #expect(Format.percent(part, of: whole) == percent)
    }

    /// The day arithmetic against Foundation's, from the first Gregorian day on.
    @Test func timestampsAgreeWithFoundation() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let formatter = ISO8601DateFormatter()
        for _ in 0..<500 {
            let seconds = Double(Int.random(in: -12_219_292_800...30_000_000_000, using: &random))
            let date = Date(timeIntervalSince1970: seconds)
            #expect(Format.timestamp(seconds) == formatter.string(from: date), "seed \(seed)")
        }
        #expect(Format.timestamp(0) == "1970-01-01T00:00:00Z")
        #expect(Format.timestamp(951_782_400) == "2000-02-29T00:00:00Z")
        #expect(Format.timestamp(.nan) == "–")
    }

    @Test(arguments: [
        ("", ""), ("no stop", "no stop."), ("stop.", "stop."), ("two\nlines", "two lines."), ("  a \r\n\n b  ", "a b."),
        ("really?", "really?"),
    ])
    func sentences(text: String, line: String) {
        #expect(Format.sentence(text) == line)
    }

    @Test(
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "ab~"), ("表表", 3, "表~"), ("表表", 4, "表表"), ("abc", 1, " "), ("abc", 0, ""),
        ] as [(String, Int, String)])
    func truncation(text: String, columns: Int, shown: String) {
        #expect(TextWidth.truncated(text, to: columns) == shown)
    }

    @Test func noDataDrivesTheTerminal() {
        #expect(TextWidth.printable("a\u{1B}[2Jb\tc\u{9B}d\r\ne") == "a?[2Jb?c?d?e")
    }

    @Test func tablesAlign() {
        var table = TextTable([.init("Name"), .init("Rows", number: true), .init("Note")])
        table.add([.init("a"), .init("1,000"), .init("")])
        table.add([.init("表"), .init("7"), .init("x")])
        #expect(
            table.lines(Paint(isOn: false)) == [
                "Name   Rows  Note",
                "----  -----  ----",
                "a     1,000",
                "表        7  x",
            ])
    }
}
