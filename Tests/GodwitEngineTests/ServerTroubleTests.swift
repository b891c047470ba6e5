import MySQLWire
import Testing

@testable import GodwitEngine

/// What a server's error becomes for the operator. Pure; the errors' texts are the servers' own.
@Suite struct ServerTroubleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var code: MySQLError.Code = .server
        var number: UInt16?
        var text: String
        var isLogin = false
        var words: [String]
        var testDescription: String { text }
    }

    @Test(arguments: [
        Row(number: 1114, text: "Server error 1114 (HY000): The table 't' is full.", words: ["A disk of the target (h:1, user 'u') is full.", "Make space"]),
        Row(number: 3, text: "Error writing file './binlog.000002' (Errcode: 28 - No space left on device)", words: ["is full."]),
        Row(number: 1030, text: "Got error 28 - 'No space left on device' from storage engine", words: ["is full."]),
        Row(number: 1030, text: "Got error 168 from storage engine", words: ["The target (h:1, user 'u') gave an error."]),
        Row(number: 1142, text: "INSERT command denied to user 'u'@'h' for table 't'", words: ["lacks a privilege", "GRANT"]),
        Row(number: 1045, text: "Access denied for user 'u'@'%' (using password: NO)", words: ["lacks a privilege", "GRANT"]),
        Row(number: 1045, text: "Access denied for user 'u'@'%' (using password: NO)", isLogin: true, words: ["No connection", "password:"]),
        Row(number: 1045, text: "Access denied for user 'u'@'%' (using password: YES)", isLogin: true, words: ["No connection", "Correct user and password"]),
        Row(number: 1290, text: "The MySQL server is running with the --super-read-only option so it cannot execute this statement", words: ["is read-only", "super_read_only = OFF"]),
        Row(number: 1290, text: "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement", words: ["gave an error"]),
        Row(code: .connect, text: "Can't connect to h:1: connection refused.", isLogin: true, words: ["No connection to the target (h:1, user 'u')."]),
    ])
    func sideReasonAndCure(row: Row) {
        var error = MySQLError(row.code, row.text, serverCode: row.number)
        error.isLogin = row.isLogin
        error.peer = "the target (h:1, user 'u')"
        for hasTask in [false, true] {
            let explained = ServerTrouble.explain(error, hasTask: hasTask)
            for word in row.words + [row.text] { #expect(explained.description.contains(word), "\(explained)") }
            if explained.what.contains("gave an error") {
                #expect(explained.kind == .failed)
            } else {
                #expect(explained.kind == (hasTask ? .resumable : .failed))
            }
        }
    }

    @Test func anUnnamedServerIsNotGivenAName() {
        let error = MySQLError(.connect, "Connection refused.", cure: "Start it.")
        #expect(ServerTrouble.explain(error).description == "Connection refused. Start it.")
    }
}
