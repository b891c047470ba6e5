import NIOCore
import Testing

@testable import MySQLWire

/// Logins as dialogues, without a socket.
@Suite struct StartupMachineTests {
    private func machine(
        tls: Bool = false, socket: Bool = false, publicKey: Bool = false, password: String? = "secret"
    ) -> StartupMachine {
        StartupMachine(
            settings: StartupMachine.Settings(
                username: "u", password: Secret(password), database: nil, tls: tls, isLocalSocket: socket,
                allowPublicKeyRetrieval: publicKey, foundRows: false))
    }

    private func failure(_ action: StartupMachine.Action) -> MySQLError? {
        if case .fail(let error) = action { error } else { nil }
    }
    private func sent(_ action: StartupMachine.Action) -> ByteBuffer? {
        if case .send(let payload) = action { payload } else { nil }
    }

    @Test func fastLogin() {
        var machine = machine()
        let answer = sent(machine.received(PacketBuilder.handshake()))
        let scramble = Scramble.cachingSHA2(password: Array("secret".utf8), nonce: PacketBuilder.nonce)
        #expect(answer.map { Array($0.readableBytesView).firstRange(of: scramble) != nil } == true)
        #expect(answer.map { !Array($0.readableBytesView).contains(Array("secret".utf8)) } == true)
        #expect(machine.received(PacketBuilder.bytes(1, 3)) == .wait)
        #expect(machine.received(PacketBuilder.ok()) == .authenticated)
        #expect(!machine.capabilities.contains(.ssl))
    }

    @Test func passwordIsSentOnlyOverTLSOrASocket() {
        var plain = machine()
        _ = plain.received(PacketBuilder.handshake())
        let refused = failure(plain.received(PacketBuilder.bytes(1, 4)))
        #expect(refused?.code == .authentication)
        #expect(refused?.cure.contains("TLS") == true)

        for var private_ in [machine(tls: true), machine(socket: true)] {
            if case .startTLS = private_.received(PacketBuilder.handshake()) { _ = private_.tlsEstablished() }
            #expect(private_.received(PacketBuilder.bytes(1, 4)) == .send(ByteBuffer(string: "secret\0")))
            #expect(private_.received(PacketBuilder.ok()) == .authenticated)
        }
    }

    @Test func publicKeyOnlyWhereAllowed() {
        var machine = machine(publicKey: true)
        _ = machine.received(PacketBuilder.handshake())
        #expect(machine.received(PacketBuilder.bytes(1, 4)) == .send(PacketBuilder.bytes(2)))
        let broken = failure(machine.received(ByteBuffer(bytes: [1] + Array("no key".utf8))))
        #expect(broken?.code == .authentication)
    }

    @Test func tlsIsNeverSkipped() {
        var machine = machine(tls: true)
        let error = failure(machine.received(PacketBuilder.handshake(capabilities: .wanted)))
        #expect(error?.code == .tls)
        #expect(error?.message.contains("no TLS") == true)
    }

    @Test func tlsComesBeforeTheUserName() {
        var machine = machine(tls: true)
        guard case .startTLS(let request) = machine.received(PacketBuilder.handshake()) else {
            Issue.record("no TLS")
            return
        }
        #expect(request.readableBytes == 32)
        let answer = sent(machine.tlsEstablished())
        #expect(answer?.getSlice(at: 0, length: 32) == request)
        #expect(machine.received(PacketBuilder.ok()) == .authenticated)
    }

    @Test func aPacketInsteadOfTheTLSHandshakeIsRefused() {
        var machine = machine(tls: true)
        _ = machine.received(PacketBuilder.handshake())
        #expect(failure(machine.received(PacketBuilder.ok()))?.code == .tls)
    }

    @Test func switchToNative() {
        var machine = machine()
        _ = machine.received(PacketBuilder.handshake())
        let other = Array(repeating: UInt8(0x55), count: 20)
        let packet = ByteBuffer(bytes: [0xFE] + Array("mysql_native_password\0".utf8) + other + [0])
        let expected = Scramble.native(password: Array("secret".utf8), nonce: other)
        #expect(machine.received(packet) == .send(ByteBuffer(bytes: expected)))
        #expect(machine.received(PacketBuilder.ok()) == .authenticated)
    }

    @Test(arguments: ["mysql_clear_password", "client_ed25519", "parsec", "sha256_password", "dialog"])
    func otherPluginsAreRefusedByName(_ plugin: String) {
        for tls in [false, true] {
            var machine = machine(tls: tls)
            if case .startTLS = machine.received(PacketBuilder.handshake()) { _ = machine.tlsEstablished() }
            let packet = ByteBuffer(bytes: [0xFE] + Array("\(plugin)\0nonce".utf8))
            let error = failure(machine.received(packet))
            #expect(error?.code == .authentication)
            #expect(error?.message.contains(plugin) == true)
            #expect(error?.cure.isEmpty == false)
        }
    }

    @Test(arguments: ["mysql_clear_password", "client_ed25519"])
    func aServerWithAForeignDefaultIsOfferedItsLikeliest(_ plugin: String) {
        var machine = machine()
        let answer = sent(machine.received(PacketBuilder.handshake(version: "5.5.5-10.11.2-MariaDB", plugin: plugin)))
        let text = answer.map { String(buffer: $0) } ?? ""
        #expect(text.contains("mysql_native_password"))
        #expect(machine.handshake?.version == "10.11.2-MariaDB")
        #expect(machine.handshake?.isMariaDB == true)
    }

    @Test func oldPasswordIsRefused() {
        var machine = machine()
        _ = machine.received(PacketBuilder.handshake())
        #expect(failure(machine.received(PacketBuilder.bytes(0xFE)))?.message.contains("mysql_old_password") == true)
    }

    @Test func wrongPassword() {
        var machine = machine()
        _ = machine.received(PacketBuilder.handshake())
        let error = failure(machine.received(PacketBuilder.error(1045, state: "28000", "Access denied")))
        #expect(error?.serverCode == 1045)
        #expect(error?.sqlState == "28000")
    }

    @Test func tooManyConnectionsInsteadOfAHandshake() {
        var machine = machine()
        let error = failure(
            machine.received(ByteBuffer(bytes: [0xFF, 0x10, 0x04] + Array("Too many connections".utf8))))
        #expect(error?.serverCode == 1040)
        #expect(error?.message.contains("Too many connections") == true)
    }

    @Test func everyTruncatedHandshakeIsAnError() {
        let whole = PacketBuilder.handshake()
        // From the plugin name on, what is missing is only its end.
        for length in 0..<(whole.readableBytes - 24) {
            var machine = machine()
            guard let part = whole.getSlice(at: 0, length: length) else { continue }
            #expect(failure(machine.received(part)) != nil, "\(length) bytes")
        }
    }
}
