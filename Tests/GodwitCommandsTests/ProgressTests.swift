import GodwitEngine
import Testing

@testable import GodwitCommands

@Suite struct ProgressTests {
    private let plain = ProgressView(paint: Paint(isOn: false), hasUnicode: false)

    private func loading() -> (MigrationStatus, RateMeter) {
        var meter = RateMeter()
        var status = MigrationStatus.sample(
            .loading,
            [
                .sample("orders", .loading, rows: 0, of: 2000, validation: "Pending validation"),
                .sample("items", .loaded, validation: "Pending validation"),
                .sample("notes", .waiting, rows: 0, of: 1000, validation: "Pending validation"),
            ])
        status.incomingChanges = 12
        meter.add(status)
        status.tables[0].rows = 500
        status.tables[0].bytes = 51_200
        status.at += 2
        meter.add(status)
        return (status, meter)
    }

    @Test func loadFrame() {
        let (status, meter) = loading()
        #expect(
            plain.frame(status, meter: meter, columns: 120, rows: 24) == [
                "app: loading",
                "  shop.orders  [#####---------------]  25%  500/2,000 rows  250 rows/s  25.0 KiB/s",
                "1/3 tables loaded  1,500 rows (37%)  147.7 KiB  250 rows/s  25.0 KiB/s  ETA 10.0 s  12 incoming changes",
            ])
    }

    @Test func followFrameShowsWhatIsNotProven() {
        var open = MigrationStatus.Table.sample("orders", validation: "Pending records", pending: 40)
        open.inserts = 1200
        open.updates = 7
        var status = MigrationStatus.sample(.following, [.sample("items"), open])
        status.lagSeconds = 0.12
        status.appliedTransactions = 34_567
        status.waits = [.init(what: "40 rows to settle", why: "they change", seconds: 3, limitSeconds: nil)]
        #expect(
            plain.frame(status, meter: RateMeter(), columns: 120, rows: 24) == [
                "app: following",
                "  shop.orders  1,000 rows  +1,200 ~7 -0  Pending records 40 pending",
                "lag 0.12 s  34,567 transactions applied  1/2 tables Validated  0 incoming changes",
                "waiting 3.00 s for 40 rows to settle: they change",
            ])
    }

    /// A line that wraps or a frame that scrolls would leave garbage when it is drawn again.
    @Test(arguments: [20, 40, 79, 80, 200], [1, 5, 24])
    func framesFit(columns: Int, rows: Int) {
        let tables = (0..<40).map { index in
            MigrationStatus.Table.sample(
                String(repeating: "表x", count: index), .loading, rows: UInt64(index) << 40, of: 1 << 50)
        }
        var status = MigrationStatus.sample(.loading, tables)
        status.waits = [.init(what: "a lock", why: String(repeating: "long ", count: 60), seconds: 1, limitSeconds: 2)]
        for unicode in [false, true] {
            let view = ProgressView(paint: Paint(isOn: false), hasUnicode: unicode)
            let frame = view.frame(status, meter: RateMeter(), columns: columns, rows: rows)
            #expect(frame.allSatisfy { TextWidth.of($0) <= max(20, columns - 1) })
            #expect(frame.count <= max(4, rows))
        }
    }

    @Test func coloursOnlyWhenAsked() {
        let (status, meter) = loading()
        #expect(!plain.frame(status, meter: meter, columns: 80, rows: 24).joined().contains("\u{1B}"))
        let coloured = ProgressView(paint: Paint(isOn: true), hasUnicode: true)
        #expect(coloured.frame(status, meter: meter, columns: 80, rows: 24).joined().contains("\u{1B}[1m"))
    }

    @Test func plainLine() {
        let (status, meter) = loading()
        #expect(
            plain.plainLine(status, meter: meter)
                == "loading: 1/3 tables loaded, 1,500 rows (37%), 147.7 KiB, 250 rows/s, 25.0 KiB/s, ETA 10.0 s, 12 incoming changes"
        )
    }

    @Test func beforeAnyTableIsKnownOnlyTheStateIsSaid() {
        #expect(plain.plainLine(.sample(.starting), meter: RateMeter()) == "starting")
    }

    @Test func ratesForgetWhatIsOld() {
        var meter = RateMeter()
        for second in 0...60 {
            let rows = second <= 30 ? UInt64(second * 1000) : 30_000 + UInt64(second - 30) * 10
            meter.add(.sample(.loading, [.sample("a", .loading, rows: rows, of: 100_000)], at: Double(second)))
        }
        #expect(abs(meter.totalRate.rows - 10) < 0.001)
        #expect(meter.remainingSeconds(.sample(.loading, [.sample("a", .loading, rows: 30_300, of: 100_000)])) == 6970)
    }

    @Test func aTableThatStartsAgainHasNoNegativeRate() {
        var meter = RateMeter()
        meter.add(.sample(.loading, [.sample("a", .loading, rows: 900)], at: 1))
        meter.add(.sample(.loading, [.sample("a", .loading, rows: 10)], at: 2))
        #expect(meter.totalRate == RateMeter.Rate())
        meter.add(.sample(.loading, [.sample("a", .loading, rows: 30)], at: 4))
        #expect(meter.totalRate.rows == 10)
    }

    @Test func throttle() {
        let course: [(status: MigrationStatus, passes: Bool, why: String)] = [
            (.sample(.loading, [.sample("a", .loading)], at: 0), true, "the first"),
            (.sample(.loading, [.sample("a", .loading)], at: 9), false, "nothing new"),
            (.sample(.loading, [.sample("a", .loaded)], at: 9), true, "a table was loaded"),
            (.sample(.following, [.sample("a", .loaded)], at: 9.5), true, "another state"),
            (.sample(.following, [.sample("a", .loaded, failed: 1)], at: 9.6), true, "something is wrong"),
            (.sample(.following, [.sample("a", .loaded, failed: 1)], at: 19.5), false, "still the same"),
            (.sample(.following, [.sample("a", .loaded, failed: 1)], at: 19.6), true, "time is up"),
        ]
        var throttle = LineThrottle(interval: 10)
        for step in course {
            let passes = throttle.passes(step.status)
            #expect(passes == step.passes, "\(step.why)")
        }
    }

    /// What the escape sequences leave on a terminal is the newest frame below all lines that were said.
    @Test func redrawing() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var screen = LiveScreen()
        var terminal = TinyTerminal()
        var said: [String] = []
        var frame: [String] = []
        for step in 0..<300 {
            if Bool.random(using: &random) {
                frame = (0..<Int.random(in: 0...5, using: &random)).map { "frame \(step).\($0)" }
                terminal.feed(screen.draw(frame))
            } else {
                said.append("said \(step)")
                terminal.feed(screen.scroll("said \(step)\n", block: frame))
            }
            #expect(terminal.lines == said + frame, "seed \(seed), step \(step)")
        }
        terminal.feed(screen.erase())
        #expect(terminal.lines == said, "seed \(seed)")
    }
}

/// Understands what LiveScreen writes: text, line feeds, cursor up, erase below.
private struct TinyTerminal {
    private var rows: [String] = [""]
    private var row = 0

    var lines: [String] {
        var lines = rows
        while lines.last == "" { lines.removeLast() }
        return lines
    }

    mutating func feed(_ text: String) {
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "\n":
                row += 1
                while rows.count <= row { rows.append("") }
            case "\r": break
            case "\u{1B}":
                rest.removeFirst()
                let digits = rest.prefix { $0.isNumber }
                rest.removeFirst(digits.count)
                switch rest.removeFirst() {
                case "A": row -= Int(digits) ?? 1
                case "J":
                    rows.removeSubrange((row + 1)...)
                    rows[row] = ""
                default: break
                }
            default: rows[row].append(character)
            }
        }
    }
}
