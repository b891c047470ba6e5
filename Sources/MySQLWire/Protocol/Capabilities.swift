/// Capability flags of the handshake.
/// Source: MySQL source documentation, "Capabilities Flags".
struct Capabilities: OptionSet, Sendable, Hashable {
    var rawValue: UInt32

    /// CLIENT_MYSQL; a MariaDB server leaves this bit out.
    static let longPassword = Capabilities(rawValue: 1 << 0)
    static let foundRows = Capabilities(rawValue: 1 << 1)
    static let longFlag = Capabilities(rawValue: 1 << 2)
    static let connectWithDatabase = Capabilities(rawValue: 1 << 3)
    static let localFiles = Capabilities(rawValue: 1 << 7)
    static let protocol41 = Capabilities(rawValue: 1 << 9)
    static let ssl = Capabilities(rawValue: 1 << 11)
    static let transactions = Capabilities(rawValue: 1 << 13)
    static let secureConnection = Capabilities(rawValue: 1 << 15)
    static let multiResults = Capabilities(rawValue: 1 << 17)
    static let pluginAuth = Capabilities(rawValue: 1 << 19)
    static let connectAttributes = Capabilities(rawValue: 1 << 20)
    static let pluginAuthLengthEncoded = Capabilities(rawValue: 1 << 21)
    static let deprecateEOF = Capabilities(rawValue: 1 << 24)

    /// What no server of the supported versions lacks.
    static let needed: Capabilities = [.protocol41, .secureConnection, .pluginAuth]

    /// What this side asks for where the server offers it. Never CLIENT_MULTI_STATEMENTS: one call is one statement.
    static let wanted: Capabilities = [
        .longPassword, .longFlag, .localFiles, .protocol41, .transactions, .secureConnection, .multiResults,
        .pluginAuth,
        .connectAttributes, .pluginAuthLengthEncoded, .deprecateEOF,
    ]
}

/// Status flags in OK and EOF packets.
enum ServerStatus {
    static let moreResultsExist: UInt16 = 0x0008
}

/// The largest payload of one packet; a payload of exactly this length is continued in the next packet.
let packetPayloadMax = 0xFF_FFFF
