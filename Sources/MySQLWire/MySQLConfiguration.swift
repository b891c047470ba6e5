/// How to reach a server, as whom, and under which limits.
public struct MySQLConfiguration: Sendable {
    public enum Address: Sendable, Hashable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unix(path: String)
        public var description: String {
            switch self {
            case .tcp(let host, let port): "\(host):\(port)"
            case .unix(let path): path
            }
        }
    }
    public var address: Address
    public var username: String
    public var password: String?
    public var database: String?
    public var tls: MySQLTLS
    /// From the first SYN to the end of authentication.
    public var connectTimeout: Duration = .seconds(10)
    /// For every call without a time limit of its own: no byte from the server for so long, while one is waited for, ends
    /// the connection.
    public var queryTimeout: Duration? = nil
    /// caching_sha2_password without TLS: ask the server for its RSA key (open to a man in the middle). A Unix socket
    /// needs no key: the password is sent as it is.
    public var allowPublicKeyRetrieval: Bool = false
    /// Without CLIENT_FOUND_ROWS affected rows are changed rows; the engine needs it off.
    public var foundRows: Bool = false
    /// Statements run, in order, before `connect` returns.
    public var sessionStatements: [String] = []
    /// What errors of this connection call the server (`the source`); nil: they do not name it.
    public var peerName: String? = nil
    public init(address: Address, username: String, password: String?, database: String? = nil, tls: MySQLTLS) {
        self.address = address
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
    }
}

extension MySQLConfiguration: CustomStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String { "\(username)@\(address), TLS \(tls.mode.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    /// What can be known to be wrong before a socket is opened.
    func check() throws(MySQLError) {
        switch address {
        case .tcp(let host, let port):
            guard !host.isEmpty, (1...65_535).contains(port) else {
                throw MySQLError(.usage, "\(address) is no address.", cure: "Give a host, and a port of 1 to 65535.")
            }
        case .unix(let path):
            guard (1...107).contains(path.utf8.count) else {
                throw MySQLError(.usage, "The socket path must have 1 to 107 bytes: \(path)")
            }
        }
        guard !username.utf8.contains(0), !(database ?? "").utf8.contains(0), !(password ?? "").utf8.contains(0) else {
            throw MySQLError(.usage, "User name, password and database can't hold NUL characters.")
        }
    }
}

/// What the server said of itself in the handshake, and what was agreed.
public struct MySQLServerInfo: Sendable, Hashable {
    public var version: String
    public var connectionID: UInt32
    public var isMariaDB: Bool
    /// For example `TLSv1.3`; nil without TLS.
    public var tlsVersion: String?
    /// Always nil for now: NIOSSL does not tell; `SHOW STATUS LIKE 'Ssl_cipher'` does.
    public var tlsCipher: String?
    public init(version: String, connectionID: UInt32, isMariaDB: Bool, tlsVersion: String?, tlsCipher: String?) {
        self.version = version
        self.connectionID = connectionID
        self.isMariaDB = isMariaDB
        self.tlsVersion = tlsVersion
        self.tlsCipher = tlsCipher
    }
}
