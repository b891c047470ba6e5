import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// A child process that can't outlive this one, however this one ends.
///
/// Between the two stands a small shell, the guard. It holds the read end of a pipe whose write end only this process
/// has: when this process dies, by whatever signal, the pipe ends, and the guard kills the child.
/// (A parent death signal on the child itself would not do: it follows the *thread* that forked, and a thread of the
/// concurrency pool may end at any time. On the guard's single thread it is right, and used for the guard's own death.)
package final class GuardedProcess: Sendable {
    package enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
    }

    /// The program's own process id, not the guard's.
    package let pid: Int32
    package let standardOutput: LineLog
    package let standardError: LineLog
    private let run: Task<Exit, any Error>

    private init(pid: Int32, standardOutput: LineLog, standardError: LineLog, run: Task<Exit, any Error>) {
        self.pid = pid
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.run = run
    }

    // The first line on standard output is the program's id. Background jobs of a shell ignore SIGINT and SIGQUIT, so
    // signals are put back to their defaults.
    private static let guardScript = """
        exec 3<&0
        env --default-signal setpriv --pdeathsig KILL sh -c 'echo "pid $$"; exec "$@"' sh "$@" 3<&- </dev/null &
        child=$!
        ( exec >/dev/null 2>&1
          read -r _ <&3
          kill -KILL $child ) &
        watch=$!
        exec 3<&- </dev/null
        wait $child 2>/dev/null
        code=$?
        kill -KILL $watch 2>/dev/null
        exit $code
        """

    /// Starts `program` and returns once it has a process id.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String?] = [:],
        workingDirectory: FilePath? = nil
    ) async throws -> GuardedProcess {
        let output = LineLog()
        let errors = LineLog()
        let pidLine = LineLog()
        var keys: [Environment.Key: String?] = [:]
        for (name, value) in environment { keys[.init(stringLiteral: name)] = value }
        let variables = Environment.inherit.updating(keys)
        let run = Task<Exit, any Error> {
            defer {
                pidLine.end()
                output.end()
                errors.end()
            }
            let result = try await Subprocess.run(
                .path("/bin/sh"),
                arguments: Arguments(["-c", guardScript, "guard", program] + arguments),
                environment: variables, workingDirectory: workingDirectory,
                input: .inputWriter, output: .sequence, error: .sequence
            ) { execution in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        var first = true
                        for try await line in execution.standardOutput.strings() {
                            let text = trimmed(line)
                            if first { pidLine.append(text) } else { output.append(text) }
                            first = false
                        }
                    }
                    group.addTask {
                        for try await line in execution.standardError.strings() { errors.append(trimmed(line)) }
                    }
                    try await group.waitForAll()
                }
            }
            return exit(of: result.terminationStatus)
        }
        guard let line = try await pidLine.first(where: { _ in true }), let pid = Int32(line.dropFirst(4)) else {
            _ = try await run.value
            throw TestingError("could not start \(program): \(errors.tail())")
        }
        return GuardedProcess(pid: pid, standardOutput: output, standardError: errors, run: run)
    }

    private static func trimmed(_ line: String) -> String {
        var line = line[...]
        while let last = line.last, last.isNewline { line.removeLast() }
        return String(line)
    }

    // The guard ends with the shell's convention: 128 and the signal's number.
    private static func exit(of status: TerminationStatus) -> Exit {
        switch status {
        case .exited(let code): code > 128 && code < 128 + 65 ? .signal(Int32(code) - 128) : .code(Int32(code))
        case .signaled(let signal): .signal(Int32(signal))
        }
    }

    /// Sends a signal; does nothing where the process has ended.
    package func signal(_ signal: Int32) { _ = kill(pid, signal) }

    /// Waits for the end. All output has been read then. A cancelled caller stops waiting, the process goes on.
    package func wait() async throws -> Exit {
        // A task's value can't be waited for cancellably; the end of the log comes at the same moment, and can.
        _ = try await standardError.first { _ in false }
        return try await run.value
    }

    /// SIGKILL, and waits.
    package func kill9() async throws {
        signal(SIGKILL)
        // Not `wait`: clean-up goes on in a cancelled task.
        _ = try await run.value
    }
}
