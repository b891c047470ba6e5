import MySQLWire
import Testing

@testable import GodwitEngine

/// Which errors of a read say that its table may be another one by now.
@Suite struct ReadFailureTests {
    /// 1176: RENAME gave a table without a key the name of one with a key, and the read was forced onto PRIMARY.
    @Test(arguments: [1146, 1049, 1054, 1176, 1412] as [UInt16]) func ofDefinition(code: UInt16) {
        #expect(ReadFailure.isOfDefinition(MySQLError(.server, "words", serverCode: code)))
    }

    @Test(arguments: [1205, 1213, 1064, 1142] as [UInt16]) func ofSomethingElse(code: UInt16) {
        #expect(!ReadFailure.isOfDefinition(MySQLError(.server, "words", serverCode: code)))
    }

    @Test func withoutACode() {
        #expect(!ReadFailure.isOfDefinition(MySQLError(.connectionClosed, "words")))
    }
}
