import Logging

/// Everything a command needs of the world around it, so that commands run in process, in tests, without a terminal,
/// a server or a signal.
struct CommandContext: Sendable {
    /// What the command is for: tables, reports, JSON lines.
    var out: any TextSink
    /// Everything else: errors, logs.
    var err: any TextSink
    var terminal: Terminal
    /// The process's environment variables.
    var variables: [String: String]
    var engine: any MigrationEngine
    var signals: any SignalSource
    var clock: any CommandClock
    /// One line from standard input without its line break; nil at its end.
    var readLine: @Sendable () -> String?
    var logs: LogSink

    /// The context of the command that is running.
    @TaskLocal static var current = CommandContext.live
}

/// Where text goes. Writes never throw: a reader that has gone away must not stop a migration.
protocol TextSink: Sendable {
    func write(_ text: String)
}

/// Time as commands see it.
protocol CommandClock: Sendable {
    /// Seconds since 1970.
    func now() -> Double
    /// Throws CancellationError when the task is cancelled.
    func sleep(seconds: Double) async throws
}

/// Delivers the signals that ask the program to stop.
protocol SignalSource: Sendable {
    /// Calls `handler` with the signal's name for every one that arrives, until the returned watch is cancelled.
    func watch(_ handler: @escaping @Sendable (String) -> Void) -> any SignalWatch
}

protocol SignalWatch: Sendable {
    func cancel()
}

/// What is known of the terminal.
struct Terminal: Sendable {
    /// Standard output can be redrawn in place.
    var isInteractive: Bool
    /// Questions can be asked.
    var canAsk: Bool
    var hasColor: Bool
    var hasUnicode: Bool
    /// Width and height in characters, asked again for every frame.
    var size: @Sendable () -> (columns: Int, rows: Int)

    /// A pipe or a file: plain text, no colours.
    static let none = Terminal(
        isInteractive: false, canAsk: false, hasColor: false, hasUnicode: false, size: { (80, 24) })
}
