import ArgumentParser
import Foundation
import MySQLBinlog

/// `godwit binlog FILE...`: decodes binary log files to JSON lines on standard output.
package struct BinlogCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "binlog",
        abstract: "Decode binary log files to JSON lines.",
        discussion: """
            One JSON object per event, and one per row for events of rows. A corrupt or truncated file ends the
            command with exit code 1, after every whole event before the damage was printed.
            """
    )

    @Argument(help: ArgumentHelp("Binary log files, in the order to be read; - is standard input.", valueName: "file"))
    package var files: [String]

    package init() {}

    /// Bytes read at once, and output gathered before it is written.
    static let chunkSize = 1 << 20

    package mutating func run() async throws {
        for file in files {
            do {
                try Self.decode(file) { try FileHandle.standardOutput.write(contentsOf: Data($0)) }
            } catch let error as BinlogError {
                try FileHandle.standardError.write(contentsOf: Data("godwit: \(file): \(error.description)\n".utf8))
                throw ExitCode(1)
            } catch let error as BinlogFileError {
                try FileHandle.standardError.write(contentsOf: Data("godwit: \(error.description)\n".utf8))
                throw ExitCode(1)
            }
        }
    }

    /// Decodes one file and gives the lines to `write` in pieces. Throws `BinlogError` on corrupt input, with all lines
    /// of the events before it written, and `BinlogFileError` on a file that cannot be read.
    static func decode(_ path: String, write: ([UInt8]) throws -> Void) throws {
        let handle = try open(path)
        defer { if path != "-" { try? handle.close() } }
        var reader = BinlogFileReader()
        var lines = BinlogJSONLines()
        let name = path.split(separator: "/").last.map(String.init) ?? path
        do {
            while let chunk = try read(handle, path) {
                reader.append(chunk)
                while let (event, offset) = try reader.next() {
                    try lines.append(event, position: offset, file: name)
                    if lines.count >= chunkSize { try write(lines.take()) }
                    guard case .transactionPayload(let payload) = event.body else { continue }
                    var inner = try payload.reader()
                    while let event = try inner.next() {
                        try lines.append(event, position: offset, file: name)
                        if lines.count >= chunkSize { try write(lines.take()) }
                    }
                }
            }
            try reader.finish()
        } catch let error as BinlogError {
            try write(lines.take())
            throw error
        }
        try write(lines.take())
    }

    private static func open(_ path: String) throws -> FileHandle {
        if path == "-" { return .standardInput }
        do {
            return try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw BinlogFileError(path: path, reason: error.localizedDescription)
        }
    }

    /// The next bytes, nil at the end of the file.
    private static func read(_ handle: FileHandle, _ path: String) throws -> Data? {
        do {
            guard let data = try handle.read(upToCount: chunkSize), !data.isEmpty else { return nil }
            return data
        } catch {
            throw BinlogFileError(path: path, reason: error.localizedDescription)
        }
    }
}

/// Why a file could not be read.
struct BinlogFileError: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "cannot read \(path): \(reason)" }
}
