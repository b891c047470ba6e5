import NIOCore

/// The dialogue from the server's first packet to the end of authentication, as a value without I/O.
struct StartupMachine: Sendable {
    struct Settings: Sendable {
        var username: String
        var password: Secret
        var database: String?
        /// Anything but `disabled`.
        var tls: Bool
        /// A Unix socket: the transport is as private as TLS.
        var isLocalSocket: Bool
        var allowPublicKeyRetrieval: Bool
        var foundRows: Bool
        var attributes: [(String, String)] = []
    }

    enum Action: Equatable {
        /// Answer with this payload.
        case send(ByteBuffer)
        /// Send this payload, then start TLS; nothing may have been received meanwhile.
        case startTLS(ByteBuffer)
        case wait
        case authenticated
        case fail(MySQLError)
    }

    private enum State: Sendable {
        case awaitingHandshake
        case awaitingTLS
        case authenticating
        case awaitingPublicKey
        case finished
    }

    let settings: Settings
    /// Facts of the server, from its first packet on.
    private(set) var handshake: InitialHandshake?
    /// Agreed capabilities.
    private(set) var capabilities: Capabilities = []
    private var state = State.awaitingHandshake
    private var plugin = AuthenticationPlugin.cachingSHA2Password
    private var nonce: [UInt8] = []

    init(settings: Settings) { self.settings = settings }

    /// One packet of the server.
    mutating func received(_ packet: ByteBuffer) -> Action {
        do throws(MySQLError) {
            switch state {
            case .awaitingHandshake: return try receivedHandshake(packet)
            case .authenticating: return try receivedAnswer(packet)
            case .awaitingPublicKey: return try receivedPublicKey(packet)
            case .awaitingTLS: throw Self.earlyBytes
            case .finished: throw .malformed("a packet after the end of authentication")
            }
        } catch {
            state = .finished
            return .fail(error)
        }
    }

    /// The TLS handshake succeeded.
    mutating func tlsEstablished() -> Action {
        guard case .awaitingTLS = state, let handshake else {
            return .fail(.malformed("a TLS handshake at a time"))
        }
        return .send(response(handshake))
    }

    static var earlyBytes: MySQLError {
        MySQLError(
            .tls, "Bytes arrived between the request for TLS and its handshake.",
            cure: "Someone may be tampering with the connection: check the network path.")
    }

    private mutating func receivedHandshake(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        let handshake = try InitialHandshake(decoding: packet)
        self.handshake = handshake
        capabilities = Capabilities.wanted.intersection(handshake.capabilities)
        // MariaDB takes the first bit for its own extensions: it is sent to both, as all clients do.
        capabilities.insert(.longPassword)
        if settings.foundRows { capabilities.insert(.foundRows) }
        if settings.database != nil { capabilities.insert(.connectWithDatabase) }
        nonce = handshake.nonce
        switch handshake.authentication {
        case .cachingSHA2Password, .nativePassword: plugin = handshake.authentication
        // The server's default method need not be the account's: offer what it most likely has; it may ask to switch.
        case .clearPassword, .other: plugin = handshake.isMariaDB ? .nativePassword : .cachingSHA2Password
        }
        guard settings.tls else { return .send(response(handshake)) }
        guard handshake.capabilities.contains(.ssl) else {
            throw MySQLError(
                .tls, "The server offers no TLS, and the connection must be encrypted.",
                cure: "Enable TLS on the server (ssl_ca, ssl_cert, ssl_key), or set the TLS mode to disabled.")
        }
        capabilities.insert(.ssl)
        state = .awaitingTLS
        return .startTLS(HandshakeResponse.prefix(capabilities))
    }

    private mutating func response(_ handshake: InitialHandshake) -> ByteBuffer {
        state = .authenticating
        return HandshakeResponse(
            capabilities: capabilities, username: settings.username, authenticationData: challengeAnswer(),
            authentication: plugin, database: settings.database, attributes: settings.attributes
        ).encoded()
    }

    private func challengeAnswer() -> [UInt8] {
        switch plugin {
        case .cachingSHA2Password: Scramble.cachingSHA2(password: settings.password.bytes, nonce: nonce)
        case .nativePassword: Scramble.native(password: settings.password.bytes, nonce: nonce)
        case .clearPassword, .other: []
        }
    }

    private mutating func receivedAnswer(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        var packet = packet
        switch packet.readInteger(as: UInt8.self) {
        case 0x00:
            state = .finished
            return .authenticated
        case 0xFF:
            packet.moveReaderIndex(to: packet.readerIndex - 1)
            throw MySQLError(decodingServerError: packet)
        case 0xFE:
            return try receivedSwitch(packet)
        case 0x01:
            return try receivedMoreData(packet)
        default:
            throw .malformed("an answer during authentication")
        }
    }

    private mutating func receivedSwitch(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        var packet = packet
        guard packet.readableBytes > 0 else {
            throw MySQLError(
                .authentication, "The account uses mysql_old_password, which is not supported.",
                cure: "Give the account another plugin: ALTER USER … IDENTIFIED WITH caching_sha2_password BY …")
        }
        let name = packet.readNullTerminatedBytes() ?? packet.readRest()
        plugin = AuthenticationPlugin(name: String(decoding: name, as: UTF8.self))
        switch plugin {
        case .clearPassword:
            throw MySQLError(
                .authentication, "The server asks for the password in clear text (mysql_clear_password): refused.",
                cure: "Give the account another plugin, for example caching_sha2_password.")
        case .other(let name):
            throw MySQLError(
                .authentication, "The server asks for the authentication plugin \(name), which is not supported; it also does so for a user that does not exist.",
                cure: "Check the user name, or give the account caching_sha2_password (MySQL) or mysql_native_password (MariaDB).")
        case .cachingSHA2Password, .nativePassword:
            nonce = Array(packet.readRest().prefix(20))
            guard nonce.count == 20 else { throw .malformed("an authentication switch") }
            return .send(ByteBuffer(bytes: challengeAnswer()))
        }
    }

    private mutating func receivedMoreData(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        var packet = packet
        guard plugin == .cachingSHA2Password, let step = packet.readInteger(as: UInt8.self) else {
            throw .malformed("authentication data")
        }
        switch step {
        case 3:
            // The server had the password's hash cached: its OK follows.
            return .wait
        case 4 where settings.tls || settings.isLocalSocket:
            return .send(ByteBuffer(bytes: settings.password.bytes + [0]))
        case 4 where settings.allowPublicKeyRetrieval:
            state = .awaitingPublicKey
            return .send(ByteBuffer(bytes: [2]))
        case 4:
            throw MySQLError(
                .authentication,
                "caching_sha2_password needs a private channel to send the password, and the connection has no TLS.",
                cure: "Use TLS, or allow public key retrieval where nobody can be between client and server.")
        default:
            throw .malformed("authentication data")
        }
    }

    private mutating func receivedPublicKey(_ packet: ByteBuffer) throws(MySQLError) -> Action {
        var packet = packet
        switch packet.readInteger(as: UInt8.self) {
        case 0x01:
            let pem = packet.readString(length: packet.readableBytes) ?? ""
            let sealed = try PublicKeyEncryption.encrypt(
                password: settings.password.bytes, nonce: nonce, publicKeyPEM: pem)
            state = .authenticating
            return .send(ByteBuffer(bytes: sealed))
        case 0xFF:
            packet.moveReaderIndex(to: packet.readerIndex - 1)
            throw MySQLError(decodingServerError: packet)
        default:
            throw .malformed("an answer to the request for its public key")
        }
    }
}
