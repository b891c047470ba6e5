import GodwitEngine
import Logging
import Synchronization

/// How a command shows a run: on a terminal, as plain lines, or as JSON.
protocol Display: ProgressObserver {
    /// Waits for what is still to be written, takes a live block away.
    func close()
}

enum Displays {
    static func make(context: CommandContext, json: Bool) -> any Display {
        if json { return JSONDisplay(context: context) }
        if context.terminal.isInteractive { return LiveDisplay(context: context) }
        return PlainDisplay(context: context)
    }

    static func logLevel(_ level: String) -> Logger.Level {
        Logger.Level(rawValue: level) ?? .info
    }
}

/// Progress bars, redrawn in place.
final class LiveDisplay: Display {
    private struct State {
        var status: MigrationStatus?
        var meter = RateMeter()
        var screen = LiveScreen()
        var isClosed = false
    }
    private let context: CommandContext
    private let view: ProgressView
    private let state = Mutex(State())
    private let queue = OutputQueue()

    init(context: CommandContext) {
        self.context = context
        view = ProgressView(paint: Paint(isOn: context.terminal.hasColor), hasUnicode: context.terminal.hasUnicode)
        context.logs.divert { [weak self] line in self?.scroll(line) }
    }

    func update(_ status: MigrationStatus) {
        state.withLock { state in
            state.status = status
            state.meter.add(status)
        }
        queue.draw { [self] in draw() }
    }

    func say(_ level: String, _ line: String) {
        context.logs.record(Displays.logLevel(level), line)
        let tone: Paint.Tone = level == "error" ? .bad : level == "warning" ? .warning : .plain
        scroll(view.paint(TextWidth.printable(line), tone) + "\n")
    }

    func moment(_ name: String) {}

    func close() {
        context.logs.divert(to: nil)
        queue.run { [self] in
            let text = state.withLock { state in
                state.isClosed = true
                return state.screen.erase()
            }
            context.out.write(text)
        }
        queue.flush()
    }

    private func draw() {
        let size = context.terminal.size()
        let text = state.withLock { state -> String in
            guard !state.isClosed, let status = state.status else { return "" }
            return state.screen.draw(frame(status, state.meter, size))
        }
        context.out.write(text)
    }

    private func scroll(_ line: String) {
        queue.run { [self] in
            let size = context.terminal.size()
            let text = state.withLock { state -> String in
                guard !state.isClosed, let status = state.status else { return line }
                return state.screen.scroll(line, block: frame(status, state.meter, size))
            }
            context.out.write(text)
        }
    }

    private func frame(
        _ status: MigrationStatus, _ meter: RateMeter, _ size: (columns: Int, rows: Int)
    ) -> [String] {
        view.frame(status, meter: meter, columns: size.columns, rows: size.rows)
    }
}

/// One line at every change of state and every ten seconds, for logs and pipes.
final class PlainDisplay: Display {
    private struct State {
        var meter = RateMeter()
        var throttle = LineThrottle()
    }
    private let context: CommandContext
    private let view = ProgressView(paint: Paint(isOn: false), hasUnicode: true)
    private let state = Mutex(State())
    private let queue = OutputQueue()

    init(context: CommandContext) { self.context = context }

    func update(_ status: MigrationStatus) {
        let line = state.withLock { state -> String? in
            state.meter.add(status)
            guard state.throttle.passes(status) else { return nil }
            return view.plainLine(status, meter: state.meter)
        }
        if let line { write(line, at: status.at) }
    }

    func say(_ level: String, _ line: String) {
        context.logs.record(Displays.logLevel(level), line)
        write(level == "info" ? line : "\(level): \(line)", at: context.clock.now())
    }

    func moment(_ name: String) {}

    func close() { queue.flush() }

    private func write(_ line: String, at: Double) {
        let text = "\(Format.timestamp(at)) \(TextWidth.printable(line))\n"
        queue.run { [context] in context.out.write(text) }
    }
}

/// One status object a second and at every change of state, on standard output; everything said goes to the log.
final class JSONDisplay: Display {
    private let context: CommandContext
    private let throttle = Mutex(LineThrottle(interval: 1))
    private let queue = OutputQueue()

    init(context: CommandContext) { self.context = context }

    func update(_ status: MigrationStatus) {
        guard throttle.withLock({ $0.passes(status) }) else { return }
        queue.run { [context] in
            do {
                context.out.write(try JSONLine.encode(StatusJSON(status)) + "\n")
            } catch {
                context.logs.log(.error, "A status could not be written as JSON: \(error)")
            }
        }
    }

    func say(_ level: String, _ line: String) {
        context.logs.log(Displays.logLevel(level), line)
    }

    func moment(_ name: String) {}

    func close() { queue.flush() }
}

/// Lets through the first status, every change of a state, and one every `interval` seconds.
struct LineThrottle: Sendable {
    var interval = 10.0
    private var last: (at: Double, state: MigrationStatus.State, loaded: Int, bad: Int)?

    init(interval: Double = 10) { self.interval = interval }

    mutating func passes(_ status: MigrationStatus) -> Bool {
        let loaded = status.tables.count { $0.state == .loaded }
        let bad = status.tables.count { Verdict.isFailed($0) || Verdict.isUnequal($0) }
        if let last, last.state == status.state, last.loaded == loaded, last.bad == bad,
            status.at >= last.at, status.at < last.at + interval
        {
            return false
        }
        last = (status.at, status.state, loaded, bad)
        return true
    }
}
