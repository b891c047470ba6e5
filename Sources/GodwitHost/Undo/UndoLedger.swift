import Foundation
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The host's list of what was changed and how it is taken back: a file for its owner only, on the disk before each change is made.
/// One process at a time has it open.
package actor UndoLedger {
    package static let fileName = "undo.jsonl"

    /// The host's name as `uname -n` says it.
    package static var hostName: String { ProcessInfo.processInfo.hostName }

    package nonisolated let path: String
    /// Where copies of changed files lie.
    package nonisolated let backups: String
    private nonisolated let host: String
    private let file: FileDescriptor
    private var journal: UndoJournal
    /// What was written may be on the disk only in part: nothing more may be changed with this ledger.
    private var isBroken = false

    /// Opens the ledger of a state folder, and makes both where they are missing.
    ///
    /// - Throws: where another process has it open, somebody else could write to it, or it can't be read as a whole.
    package init(folder: String, host: String = UndoLedger.hostName) throws(HostError) {
        try HostFile.makeFolder(folder)
        path = folder + "/" + Self.fileName
        backups = folder + "/backups"
        self.host = host
        try Self.checkOwner(folder, isFolder: true)
        let isNew = !HostFile.exists(path)
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(
                path, .readWrite, options: [.create, .append, .noFollow, .closeOnExec], permissions: .ownerReadWrite)
        } catch {
            throw HostError(.failed, "The ledger \(path) can't be opened: \(error).")
        }
        do throws(HostError) {
            guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                throw HostError(.failed, "Another Godwit works with the ledger \(path).", cure: "Wait until it has ended.")
            }
            try Self.checkOwner(path, isFolder: false)
            let bytes = try HostFile.read(path)
            journal = try UndoJournal(bytes, name: path)
            if journal.length < bytes.count || isNew {
                try Self.settle(descriptor, length: journal.length, path)
            }
        } catch {
            try? descriptor.close()  // the first error is the one to tell
            throw error
        }
        file = descriptor
    }

    deinit { try? file.close() }

    /// Reads a ledger without opening it for writing: for reports. Nil where there is none.
    package static func read(folder: String) throws(HostError) -> [UndoEntry]? {
        let path = folder + "/" + fileName
        guard HostFile.exists(path) else { return nil }
        return try UndoJournal(try HostFile.read(path), name: path).entries
    }

    /// A ledger is carried out with the rights of whoever plays it: nobody else may have written to it.
    private static func checkOwner(_ path: String, isFolder: Bool) throws(HostError) {
        let status: Stat
        do { status = try Stat(FilePath(path), followTargetSymlink: false) } catch {
            throw HostError(.failed, "\(path) can't be examined: \(error).")
        }
        let others = UInt32(status.permissions.rawValue) & (isFolder ? 0o022 : 0o077)
        guard status.type == (isFolder ? .directory : .regular), status.userID.rawValue == geteuid(), others == 0 else {
            throw HostError(
                .refused, "\(path) is not this user's alone.", why: "What it says is carried out with this user's rights.",
                cure: "Use a state folder of this user, and `chmod \(isFolder ? "700" : "600") \(path)` once you have read what is in it.")
        }
    }

    /// Takes a half-written last line away, and makes the file itself last.
    private static func settle(_ file: FileDescriptor, length: Int, _ path: String) throws(HostError) {
        do {
            try HostFile.check(ftruncate(file.rawValue, off_t(length)))
            try HostFile.check(fsync(file.rawValue))
            try HostFile.sync(folder: FilePath(path).removingLastComponent())
        } catch {
            throw HostError(.failed, "The ledger \(path) can't be written: \(error).")
        }
    }

    package var entries: [UndoEntry] { journal.entries }
    /// What has to be taken back, newest first.
    package var due: [UndoEntry] { journal.due }

    /// Makes a change whose way back is on the disk first.
    @discardableResult
    package func perform<Output: Sendable>(
        _ what: String, inverse: UndoInverse, isolation: isolated (any Actor)? = #isolation, _ change: () async throws -> Output
    ) async throws -> Output {
        let number = try await plan(what, inverse: inverse)
        let output = try await change()
        try await mark(number, .done)
        return output
    }

    /// Writes a change down; returns its number. Nothing may be changed before this has returned.
    package func plan(_ what: String, inverse: UndoInverse) throws(HostError) -> Int {
        let host = host
        try write { journal throws in try journal.plan(what, host: host, inverse: inverse, time: Date().timeIntervalSince1970) }
        return journal.entries.count
    }

    package func mark(_ number: Int, _ state: UndoEntry.State) throws(HostError) {
        try write { journal throws in try journal.mark(number, state, time: Date().timeIntervalSince1970) }
    }

    private func write(_ change: (inout UndoJournal) throws -> [UInt8]) throws(HostError) {
        guard !isBroken else { throw HostError(.failed, "The ledger \(path) could not be written before.", cure: "Run the command again.") }
        var next = journal
        do {
            let line = try change(&next)
            try file.writeAll(line)
            try HostFile.check(fsync(file.rawValue))
        } catch {
            // What arrived of it is a line that was cut off: the next to open the file takes it away.
            isBroken = true
            throw HostError(.failed, "The ledger \(path) can't be written: \(error).", why: "Nothing is changed without its way back on the disk.")
        }
        journal = next
    }
}
