/// What can go wrong on a connection, each case with the sentence a person reads and, where there is one, the cure.
public struct MySQLError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// An ERR packet: `serverCode`, `sqlState` and the server's text are set.
        case server
        /// Connection refused, unreachable, name not found.
        case connect
        /// Certificate, name, protocol version; TLS asked for and not offered.
        case tls
        /// Authentication plugin unknown, or not allowed without TLS. (A wrong password is `.server` 1045.)
        case authentication
        /// The connection is gone: outcome of a running statement unknown.
        case connectionClosed
        case timeout
        case cancelled
        /// Bytes that are no MySQL protocol.
        case protocolViolation
        /// Used in a state that does not allow it.
        case usage
    }
    public var code: Code
    public var message: String
    /// What to do about it, empty where nothing useful can be said.
    public var cure: String
    public var serverCode: UInt16?
    public var sqlState: String?
    /// Which server it came from, as `MySQLConfiguration.peerName` calls it.
    public var peer: String?
    /// It came before the connection was open: a 1045 of a login is about the password, one of a statement about a privilege.
    public var isLogin = false
    public init(_ code: Code, _ message: String, cure: String = "", serverCode: UInt16? = nil, sqlState: String? = nil)
    {
        self.code = code
        self.message = message
        self.cure = cure
        self.serverCode = serverCode
        self.sqlState = sqlState
    }
    public var description: String { cure.isEmpty ? message : "\(message) \(cure)" }
    func from(_ peer: String?) -> MySQLError {
        var error = self
        error.peer = error.peer ?? peer
        return error
    }
    /// True when the connection can't be used any more.
    public var isConnectionLost: Bool {
        switch code {
        case .connect, .tls, .connectionClosed, .timeout, .cancelled, .protocolViolation: true
        case .server: serverCode == 1053 || serverCode == 1927 || serverCode == 4031
        case .authentication, .usage: false
        }
    }
}
