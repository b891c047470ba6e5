import Foundation
import SystemPackage

/// The built `godwit` program as a user runs it, with its moments: with `GODWIT_MOMENTS=1` the program says
/// `moment: NAME` on standard error when it passes one, and with `GODWIT_HALT_AT=NAME[:n]` it stops there for good at the
/// n-th passing, so that a test can kill it exactly there.
package final class GodwitProcess: Sendable {
    package let process: GuardedProcess
    package var standardOutput: LineLog { process.standardOutput }
    package var standardError: LineLog { process.standardError }

    private let haltMoment: String?

    private init(_ process: GuardedProcess, haltMoment: String?) {
        self.process = process
        self.haltMoment = haltMoment
    }

    /// The program of this build: beside the test bundle, or what `GODWIT_BINARY` names.
    package static func binary() throws -> String {
        if let own = ProcessInfo.processInfo.environment["GODWIT_BINARY"], !own.isEmpty { return own }
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = FilePath(bundle).removingLastComponent().appending("godwit").string
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw TestingError("no \(program): run `swift build` first, or name the program with GODWIT_BINARY")
        }
        return program
    }

    /// - Parameters:
    ///   - folder: the working directory.
    ///   - haltAt: a moment's name, with `:n` for its n-th passing: the only one the program then announces.
    package static func start(
        _ arguments: [String], in folder: FilePath, environment: [String: String?] = [:], haltAt: String? = nil
    ) async throws -> GodwitProcess {
        var variables: [String: String?] = ["GODWIT_MOMENTS": haltAt == nil ? "1" : nil, "GODWIT_HALT_AT": haltAt]
        variables.merge(environment) { $1 }
        return GodwitProcess(
            try await GuardedProcess.start(binary(), arguments, environment: variables, workingDirectory: folder),
            haltMoment: haltAt.map { String($0.prefix { $0 != ":" }) })
    }

    /// Waits until the program stands at the moment it was told to halt at.
    package func halted(within limit: Duration = .seconds(120)) async throws {
        guard let haltMoment else { throw TestingError("this godwit was not told to halt") }
        try await moment(haltMoment, within: limit)
    }

    /// Runs the program to its end.
    package static func run(
        _ arguments: [String], in folder: FilePath, environment: [String: String?] = [:],
        limit: Duration = .seconds(300)
    ) async throws -> (exit: GuardedProcess.Exit, output: [String], errors: [String]) {
        let godwit = try await start(arguments, in: folder, environment: environment)
        let exit = try await godwit.exit(within: limit)
        return (exit, godwit.standardOutput.lines, godwit.standardError.lines)
    }

    /// Waits until the program has passed a moment.
    package func moment(_ name: String, within limit: Duration = .seconds(120)) async throws {
        let errors = standardError
        let line = try await withTimeLimit(limit, "moment \(name) did not come:\n\(errors.tail())") {
            try await errors.first { $0 == "moment: \(name)" }
        }
        guard line != nil else {
            throw TestingError("godwit ended with \(try await process.wait()) before moment \(name):\n\(errors.tail())")
        }
    }

    /// Waits for the end; a program that does not end in time is killed, and that is an error.
    package func exit(within limit: Duration = .seconds(300)) async throws -> GuardedProcess.Exit {
        let process = process
        do {
            return try await withTimeLimit(limit, "godwit still runs:\n\(process.standardError.tail())") {
                try await process.wait()
            }
        } catch {
            try await process.kill9()
            throw error
        }
    }

    /// SIGKILL, and waits.
    package func kill9() async throws { try await process.kill9() }
    /// As Ctrl-C does.
    package func interrupt() { process.signal(SIGINT) }
}
