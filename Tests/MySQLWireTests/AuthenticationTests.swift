import Crypto
import NIOCore
import Testing

@testable import MySQLWire

@Suite struct AuthenticationTests {
    /// The server's own check, the other way round: it knows only the hash of the hash.
    @Test func nativeAnswerVerifiesAsTheServerDoes() {
        let password = Array("Pässwörd".utf8)
        let stored = Array(Insecure.SHA1.hash(data: Array(Insecure.SHA1.hash(data: password))))
        let answer = Scramble.native(password: password, nonce: PacketBuilder.nonce)
        let once = Scramble.xor(answer, Array(Insecure.SHA1.hash(data: PacketBuilder.nonce + stored)))
        #expect(Array(Insecure.SHA1.hash(data: once)) == stored)
        #expect(answer.count == 20)
    }

    @Test func cachingSHA2AnswerVerifiesAsTheServerDoes() {
        let password = Array("Pässwörd".utf8)
        let stored = Array(SHA256.hash(data: Array(SHA256.hash(data: password))))
        let answer = Scramble.cachingSHA2(password: password, nonce: PacketBuilder.nonce)
        let once = Scramble.xor(answer, Array(SHA256.hash(data: stored + PacketBuilder.nonce)))
        #expect(Array(SHA256.hash(data: once)) == stored)
        #expect(answer.count == 32)
    }

    @Test func knownStoredHash() {
        // SELECT PASSWORD('password') on MariaDB: *2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19
        let stored = Array(Insecure.SHA1.hash(data: Array(Insecure.SHA1.hash(data: Array("password".utf8)))))
        #expect(stored.prefix(4) == [0x24, 0x70, 0xC0, 0xC0])
    }

    @Test func emptyPasswordIsAnsweredWithNothing() {
        #expect(Scramble.native(password: [], nonce: PacketBuilder.nonce).isEmpty)
        #expect(Scramble.cachingSHA2(password: [], nonce: PacketBuilder.nonce).isEmpty)
    }

    @Test func aPasswordIsNeverPrinted() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        var configuration = MySQLConfiguration(
            address: .tcp(host: "h", port: 1), username: "u", password: "hunter2", tls: .disabled)
        configuration.database = "d"
        dump(configuration, to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), dumped, "\(configuration)", String(reflecting: configuration),
        ] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test(arguments: [
        ("INSERT INTO t VALUES (1)", "INSERT INTO … (24 bytes)"), ("  select\n1", "select … (10 bytes)"),
        ("SET PASSWORD='x'", "SET … (16 bytes)"), ("", "a statement (0 bytes)"), ("COMMIT", "COMMIT … (6 bytes)"),
    ])
    func labelsHoldNoData(_ sql: String, _ label: String) {
        #expect(statementLabel(sql.utf8, count: sql.utf8.count) == label)
    }
}
