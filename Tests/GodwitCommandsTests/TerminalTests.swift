import Foundation
import Logging
import Testing

@testable import GodwitCommands

@Suite struct TerminalTests {
    @Test(
        arguments: [
            ([:], 0, 0, 80, 24), ([:], 132, 50, 132, 50), (["COLUMNS": "60"], 132, 50, 60, 50),
            (["COLUMNS": "0", "LINES": "x"], 132, 50, 132, 50), (["COLUMNS": "-5"], 0, 0, 80, 24),
        ] as [([String: String], Int, Int, Int, Int)])
    func size(variables: [String: String], windowColumns: Int, windowRows: Int, columns: Int, rows: Int) {
        let size = Terminal.size(variables: variables, windowColumns: windowColumns, windowRows: windowRows)
        #expect(size.columns == columns)
        #expect(size.rows == rows)
    }

    @Test(
        arguments: [
            ([:], false), (["LANG": "C"], false), (["LANG": "de_DE.UTF-8"], true), (["LANG": "C.utf8"], true),
            (["LC_ALL": "C", "LANG": "C.UTF-8"], false), (["LC_ALL": "", "LC_CTYPE": "C.UTF-8"], true),
        ] as [([String: String], Bool)])
    func unicode(variables: [String: String], isUnicode: Bool) {
        #expect(Terminal.prefersUnicode(variables) == isUnicode)
    }
}

@Suite struct LogSinkTests {
    @Test func levels() throws {
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let err = CapturedSink()
        let sink = LogSink(err: err)
        sink.openFile(in: folder.path)
        let date = Date(timeIntervalSince1970: 0)
        sink.log(.debug, "detail", at: date)
        sink.log(.info, "step", at: date)
        sink.log(.warning, "careful", at: date)
        #expect(err.text == "1970-01-01T00:00:00Z warning careful\n")
        let file = folder.appendingPathComponent("godwit.log")
        #expect(
            try String(contentsOf: file, encoding: .utf8)
                == "1970-01-01T00:00:00Z info step\n1970-01-01T00:00:00Z warning careful\n")
        sink.level = .debug
        sink.log(.debug, "detail", at: date)
        #expect(err.lines.last == "1970-01-01T00:00:00Z debug detail")
        #expect(try String(contentsOf: file, encoding: .utf8).hasSuffix("debug detail\n"))
    }

    @Test func theFileIsAppendedToAndTurnedOver() throws {
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("godwit.log")
        try Data("old\n".utf8).write(to: file)
        let sink = LogSink(err: CapturedSink())
        sink.openFile(in: folder.path)
        sink.log(.info, "new", at: Date(timeIntervalSince1970: 0))
        #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("old\n1970"))
        try Data(repeating: 0x61, count: LogSink.rotationSize + 1).write(to: file)
        LogSink(err: CapturedSink()).openFile(in: folder.path)
        #expect(try Data(contentsOf: file).isEmpty)
        #expect(try Data(contentsOf: folder.appendingPathComponent("godwit.log.1")).count > LogSink.rotationSize)
    }

    @Test func aFolderThatCannotBeMadeCostsTheFileOnly() {
        let err = CapturedSink()
        let sink = LogSink(err: err)
        sink.openFile(in: "/dev/null/godwit")
        #expect(err.text.contains("No log file: /dev/null/godwit/godwit.log cannot be written"))
        sink.log(.error, "still heard", at: Date(timeIntervalSince1970: 0))
        #expect(err.text.hasSuffix("error still heard\n"))
    }
}
