import Dispatch
import Foundation
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CommandContext {
    /// The real process.
    static let live: CommandContext = {
        let variables = ProcessInfo.processInfo.environment
        return CommandContext(
            out: HandleSink(.standardOutput),
            err: HandleSink(.standardError),
            terminal: Terminal.live(variables: variables),
            variables: variables,
            engine: LiveEngine(),
            signals: ProcessSignals(),
            clock: SystemClock(),
            readLine: { Swift.readLine() },
            logs: LogSink(err: HandleSink(.standardError))
        )
    }()
}

/// Standard output or standard error, unbuffered.
struct HandleSink: TextSink {
    private let handle: FileHandle
    init(_ handle: FileHandle) { self.handle = handle }

    func write(_ text: String) {
        // A closed pipe or a full disk behind a redirection is no reason to stop moving data, and there is nowhere
        // left to say it.
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

struct SystemClock: CommandClock {
    func now() -> Double { Date().timeIntervalSince1970 }
    func sleep(seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }
}

extension Terminal {
    /// Facts about standard input and output, and what the environment asks for.
    static func live(variables: [String: String]) -> Terminal {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        return Terminal(
            isInteractive: isTerminal && variables["TERM"] != "dumb",
            canAsk: isTerminal && isatty(STDIN_FILENO) == 1,
            hasColor: isTerminal && variables["TERM"] != "dumb" && (variables["NO_COLOR"] ?? "").isEmpty,
            hasUnicode: prefersUnicode(variables),
            size: {
                var window = winsize()
                let asked = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0
                return size(
                    variables: variables, windowColumns: asked ? Int(window.ws_col) : 0,
                    windowRows: asked ? Int(window.ws_row) : 0)
            }
        )
    }

    /// The first of the locale variables that is set decides, as in setlocale(3).
    static func prefersUnicode(_ variables: [String: String]) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { variables[$0] }.first { !$0.isEmpty } ?? ""
        let folded = locale.lowercased()
        return folded.contains("utf-8") || folded.contains("utf8")
    }

    /// COLUMNS and LINES win over the window, 80 × 24 where nothing is known.
    static func size(
        variables: [String: String], windowColumns: Int, windowRows: Int
    ) -> (columns: Int, rows: Int) {
        func pick(_ name: String, _ window: Int, _ fallback: Int) -> Int {
            if let number = variables[name].flatMap({ Int($0) }), number > 0 { return number }
            return window > 0 ? window : fallback
        }
        return (pick("COLUMNS", windowColumns, 80), pick("LINES", windowRows, 24))
    }
}

/// SIGINT, SIGTERM and SIGHUP as dispatch sources: the handler runs on a queue, not in signal context.
struct ProcessSignals: SignalSource {
    func watch(_ handler: @escaping @Sendable (String) -> Void) -> any SignalWatch {
        var sources: [any DispatchSourceSignal] = []
        var numbers: [Int32] = []
        for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")] {
            // nohup's wish is kept; an ignored SIGINT is only how shells start background jobs.
            let previous = signal(number, SIG_IGN)
            if number == SIGHUP, isIgnored(previous) { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { handler(name) }
            source.resume()
            sources.append(source)
            numbers.append(number)
        }
        return ProcessSignalWatch(sources: sources, numbers: numbers)
    }

    /// Function pointers have no equality of their own.
    private func isIgnored(_ handler: sighandler_t?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

private final class ProcessSignalWatch: SignalWatch {
    private let sources: Mutex<[any DispatchSourceSignal]>
    private let numbers: [Int32]

    init(sources: sending [any DispatchSourceSignal], numbers: [Int32]) {
        self.sources = Mutex(sources)
        self.numbers = numbers
    }

    func cancel() {
        sources.withLock { sources in
            for source in sources { source.cancel() }
            sources = []
        }
        for number in numbers { _ = signal(number, SIG_DFL) }
    }
}
