import Foundation
import Subprocess
import SystemPackage

/// Runs the application's commands: argv lists, no shell, each with a time limit, Godwit's own environment.
///
/// Each command runs in a process group of its own, so that Ctrl-C in the terminal reaches Godwit and not a half-done switch.
package struct ApplicationCommands: Sendable {
    package var timeout: Duration
    /// How long a command that is over its limit has between SIGTERM and SIGKILL.
    package var grace: Duration

    /// Folder for `application.log`, which all commands append to; nil: their output is kept for messages only.
    package var logFolder: String?

    package init(timeout: Duration, grace: Duration = .seconds(5), logFolder: String? = nil) {
        self.timeout = timeout
        self.grace = grace
        self.logFolder = logFolder
    }

    /// Bytes of output kept for the error message.
    static let tailBytes = 4 << 10

    /// Runs all in order; stops at the first that fails. Cancelling the task ends the running command.
    ///
    /// `name`: the step's name in the plan (`stop`), for the message.
    package func run(_ argvs: [[String]], name: String) async throws(CutoverFailure) {
        if let logFolder, !argvs.isEmpty {
            try await RunningCommand(folder: logFolder).waitForEarlier(limit: timeout, grace: grace)
        }
        for (index, argv) in argvs.enumerated() {
            do {
                try await run(argv, name: name)
            } catch {
                // With an earlier one done, the whole has had an effect whatever this one did.
                throw CutoverFailure(error.reason, effect: index == 0 ? error.effect : .unknown)
            }
        }
    }

    private enum Ending: Sendable {
        case exited(TerminationStatus)
        case timedOut
        case notStarted(String)
        case failed(String)
    }

    private func run(_ argv: [String], name: String) async throws(CutoverFailure) {
        guard let program = argv.first else { throw CutoverFailure("The command application.\(name) is empty.", effect: .none) }
        let command = "The command application.\(name), \(Self.shown(argv)),"
        if Task.isCancelled { throw CutoverFailure("\(command) was not started: the cutover was stopped.", effect: .none) }
        let log: CommandLog
        do {
            log = try CommandLog(folder: logFolder)
        } catch {
            throw CutoverFailure("\(command) can't be started: its output can't be kept: \(error).", effect: .none)
        }
        defer { log.close() }
        let ending = await limited(program, Array(argv.dropFirst()), log.file, name)
        let output = log.tail(bytes: Self.tailBytes)
        let said = output.isEmpty ? "It printed nothing." : "The end of its output: \(output)"
        // Whatever its status, a command that was interrupted may have done its work, or half of it.
        if Task.isCancelled { throw CutoverFailure("\(command) was stopped with the cutover. \(said)") }
        switch ending {
        case .exited(let status) where status.isSuccess: return
        case .exited(.exited(let code)):
            throw CutoverFailure("\(command) ended with status \(code). \(said)", effect: .none)
        case .exited(.signaled(let signal)):
            throw CutoverFailure("\(command) was ended by signal \(signal). \(said)")
        case .timedOut:
            throw CutoverFailure("\(command) took longer than \(timeout) (application.timeout) and was ended. \(said)")
        case .notStarted(let reason):
            throw CutoverFailure("\(command) can't be started: \(reason)", effect: .none)
        case .failed(let reason):
            throw CutoverFailure("\(command) failed: \(reason) \(said)")
        }
    }

    /// The command against the clock.
    private func limited(
        _ program: String, _ arguments: [String], _ log: FileDescriptor, _ name: String
    ) async -> Ending {
        await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await execute(program, arguments, log, name) }
            group.addTask {
                do {
                    try await Task.sleep(for: timeout)
                    return .timedOut
                } catch {
                    return nil
                }
            }
            // The first to answer decides; the other is cancelled, which ends the command, and awaited.
            var ending: Ending?
            for await result in group where ending == nil && result != nil {
                ending = result
                group.cancelAll()
            }
            return ending ?? .failed("it ended without a status.")
        }
    }

    private func execute(
        _ program: String, _ arguments: [String], _ log: FileDescriptor, _ name: String
    ) async -> Ending {
        let running = logFolder.map { RunningCommand(folder: $0) }
        defer { running?.end() }
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
        let executable: Executable = program.contains("/") ? .path(FilePath(program)) : .name(program)
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(arguments), environment: .inherit, platformOptions: options,
                input: .none, output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                error: .fileDescriptor(log, closeAfterSpawningProcess: false)
            ) { execution in
                try running?.begin(pid: execution.processIdentifier.value, name: name)
            }
            return .exited(result.terminationStatus)
        } catch let error as SubprocessError
            where [.executableNotFound, .spawnFailed, .failedToChangeWorkingDirectory].contains(error.code)
        {
            return .notStarted("\(error)")
        } catch {
            return .failed("\(error)")
        }
    }

    /// Words with spaces in quotes, so that the person sees where one ends.
    private static func shown(_ argv: [String]) -> String {
        "[" + argv.map { $0.contains(" ") || $0.isEmpty ? "\"\($0)\"" : $0 }.joined(separator: " ") + "]"
    }
}

/// Where a command's output goes: a file, not a pipe. A command that starts a service in the background hands its output on to
/// it; reading a pipe to its end would wait for the service, and closing the pipe would end the service at its next line.
private struct CommandLog {
    let file: FileDescriptor
    private let start: Int64

    /// Appends to `application.log` in `folder`; without one, to a file that vanishes with its last user.
    init(folder: String?) throws {
        if let folder {
            file = try FileDescriptor.open(
                FilePath(folder).appending("application.log"), .readWrite, options: [.create, .append, .closeOnExec],
                permissions: .ownerReadWrite)
        } else {
            let path = FilePath(FileManager.default.temporaryDirectory.path)
                .appending("godwit-command-\(UInt64.random(in: 0 ... .max)).log")
            file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .append, .closeOnExec], permissions: .ownerReadWrite)
            try FileManager.default.removeItem(atPath: path.string)
        }
        start = try file.seek(offset: 0, from: .end)
    }

    /// The end of what was written since, as text without control characters. A report only: what can't be read is said so.
    func tail(bytes: Int) -> String {
        do {
            let end = try file.seek(offset: 0, from: .end)
            let from = max(start, end - Int64(bytes))
            var buffer = [UInt8](repeating: 0, count: Int(end - from))
            let count = try buffer.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: from, into: $0) }
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            let clean = text.unicodeScalars.map { $0.value < 0x20 && $0 != "\n" && $0 != "\t" ? "\u{FFFD}" : $0 }
            var view = String.UnicodeScalarView(clean)
            while let last = view.last, last.properties.isWhitespace { view.removeLast() }
            return String(view)
        } catch {
            return "(its output can't be read: \(error))"
        }
    }

    func close() {
        // Nothing of it is needed any more; the command's own descriptors are its own.
        try? file.close()
    }
}
