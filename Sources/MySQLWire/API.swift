import Logging
import MySQLTypes
import NIOCore

/// How a connection is encrypted and what of the server is verified. Never falls back to less than asked for.
public struct MySQLTLS: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Plain TCP.
        case disabled
        /// Encrypted, the server is not verified.
        case required
        /// Encrypted, the certificate chain is verified, the name is not.
        case verifyCA = "verify-ca"
        /// Encrypted, chain and name (or IP address) are verified.
        case verifyIdentity = "verify-identity"
    }
    public var mode: Mode
    /// PEM files; nil CA: the system's roots.
    public var caFile: String?
    public var certificateFile: String?
    public var keyFile: String?
    public init(mode: Mode, caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.mode = mode
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
    public static let disabled = MySQLTLS(mode: .disabled)
}

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
    /// For every query without a time limit of its own: no byte from the server for so long ends the connection.
    public var queryTimeout: Duration? = nil
    /// caching_sha2_password without TLS: ask the server for its RSA key (open to a man in the middle), default no
    /// unless over a Unix socket.
    public var allowPublicKeyRetrieval: Bool = false
    /// Without CLIENT_FOUND_ROWS affected rows are changed rows; the engine needs it off.
    public var foundRows: Bool = false
    /// Statements run, in order, before `connect` returns.
    public var sessionStatements: [String] = []
    public init(address: Address, username: String, password: String?, database: String? = nil, tls: MySQLTLS) {
        self.address = address
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
    }
}

/// What the server said of itself in the handshake, and what was agreed.
public struct MySQLServerInfo: Sendable, Hashable {
    public var version: String
    public var connectionID: UInt32
    public var isMariaDB: Bool
    /// `TLSv1.3` and the cipher's name, nil without TLS.
    public var tlsVersion: String?
    public var tlsCipher: String?
    public init(version: String, connectionID: UInt32, isMariaDB: Bool, tlsVersion: String?, tlsCipher: String?) {
        self.version = version
        self.connectionID = connectionID
        self.isMariaDB = isMariaDB
        self.tlsVersion = tlsVersion
        self.tlsCipher = tlsCipher
    }
}

/// What can go wrong on a connection, each case with the sentence a person reads and, where there is one, the cure.
public struct MySQLError: Error, Sendable, CustomStringConvertible {
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
    public init(_ code: Code, _ message: String, cure: String = "", serverCode: UInt16? = nil, sqlState: String? = nil) {
        self.code = code
        self.message = message
        self.cure = cure
        self.serverCode = serverCode
        self.sqlState = sqlState
    }
    public var description: String { cure.isEmpty ? message : "\(message) \(cure)" }
    /// True when the connection can't be used any more.
    public var isConnectionLost: Bool {
        switch code {
        case .connect, .tls, .connectionClosed, .timeout, .cancelled, .protocolViolation: true
        case .server: serverCode == 1053 || serverCode == 1927 || serverCode == 4031
        case .authentication, .usage: false
        }
    }
}

/// The OK packet that ends a statement without rows.
public struct MySQLOK: Sendable, Hashable {
    public var affectedRows: UInt64
    public var lastInsertID: UInt64
    public var statusFlags: UInt16
    public var warnings: UInt16
    /// For example `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`.
    public var info: String
    public init(affectedRows: UInt64, lastInsertID: UInt64, statusFlags: UInt16, warnings: UInt16, info: String) {
        self.affectedRows = affectedRows
        self.lastInsertID = lastInsertID
        self.statusFlags = statusFlags
        self.warnings = warnings
        self.info = info
    }
}

public struct MySQLColumn: Sendable, Hashable {
    public var schema: String
    public var table: String
    public var name: String
    public var originalName: String
    public var collationID: UInt16
    public var type: MySQLFieldType
    public var flags: UInt16
    public var length: UInt32
    public var decimals: UInt8
    public init(
        schema: String, table: String, name: String, originalName: String, collationID: UInt16, type: MySQLFieldType,
        flags: UInt16, length: UInt32, decimals: UInt8
    ) {
        self.schema = schema
        self.table = table
        self.name = name
        self.originalName = originalName
        self.collationID = collationID
        self.type = type
        self.flags = flags
        self.length = length
        self.decimals = decimals
    }
}

/// One row of a collected text result.
public struct MySQLRow: Sendable, Hashable {
    /// nil is NULL; bytes as the server sent them.
    public var values: [[UInt8]?]
    public init(values: [[UInt8]?]) { self.values = values }
    public func bytes(_ index: Int) -> [UInt8]? { values[index] }
    public func string(_ index: Int) -> String? { values[index].map { String(decoding: $0, as: UTF8.self) } }
    public func int(_ index: Int) -> Int64? { string(index).flatMap { Int64($0) } }
    public func uint(_ index: Int) -> UInt64? { string(index).flatMap { UInt64($0) } }
}

public struct MySQLResult: Sendable {
    public var columns: [MySQLColumn]
    public var rows: [MySQLRow]
    /// For statements without rows.
    public var ok: MySQLOK
    public init(columns: [MySQLColumn], rows: [MySQLRow], ok: MySQLOK) {
        self.columns = columns
        self.rows = rows
        self.ok = ok
    }
}

/// Row bytes as they came off the wire: text protocol row payloads end to end (length-encoded strings, 0xFB for NULL).
/// A row larger than a read spans several batches: what stands after the last end belongs to a row still open.
public struct MySQLRowBatch: Sendable {
    public var bytes: ByteBuffer
    /// Offsets (relative to the first readable byte of `bytes`) at which a row ends.
    public var rowEnds: [Int]
    public init(bytes: ByteBuffer, rowEnds: [Int]) {
        self.bytes = bytes
        self.rowEnds = rowEnds
    }
}

/// A prepared statement's parameter.
public enum MySQLParameter: Sendable, Hashable {
    case null
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
}

/// Where a binlog dump starts.
public enum BinlogStart: Sendable {
    /// COM_BINLOG_DUMP_GTID: everything that is not in the set.
    case gtids(GTIDSet)
    /// COM_BINLOG_DUMP.
    case coordinates(BinlogCoordinates)
}

// WIRE SKELETON: signatures below are the contract; bodies are filled in by the real implementation.

/// One client connection. Statements run one after the other; calling while another runs waits its turn is NOT
/// provided: a second concurrent call is a `.usage` error.
public final class MySQLConnection: Sendable {
    /// Facts from the handshake.
    public let server: MySQLServerInfo
    public let eventLoop: any EventLoop
    init(server: MySQLServerInfo, eventLoop: any EventLoop) {
        self.server = server
        self.eventLoop = eventLoop
    }

    /// Connects, encrypts, authenticates, runs `sessionStatements`.
    public static func connect(
        _ configuration: MySQLConfiguration, on eventLoop: any EventLoop, logger: Logger = Logger(label: "mysql")
    ) async throws(MySQLError) -> MySQLConnection { throw MySQLError(.usage, "skeleton") }

    /// Runs one text statement and collects all of its rows. For results that may be large use `stream`.
    @discardableResult
    public func query(_ sql: String, timeout: Duration? = nil) async throws(MySQLError) -> MySQLResult {
        throw MySQLError(.usage, "skeleton")
    }
    /// The same for a statement whose bytes are not all UTF-8.
    @discardableResult
    public func query(_ sql: ByteBuffer, timeout: Duration? = nil) async throws(MySQLError) -> MySQLResult {
        throw MySQLError(.usage, "skeleton")
    }

    /// Prepares, executes with parameters, closes the statement; values come back as text-protocol-like bytes.
    @discardableResult
    public func execute(
        prepared sql: String, _ parameters: [MySQLParameter], timeout: Duration? = nil
    ) async throws(MySQLError) -> MySQLResult { throw MySQLError(.usage, "skeleton") }

    /// Streams a text result. `body` pulls; while it does not, the server is held back (nothing is read).
    /// Leaving `body` before the end closes the connection.
    public func stream<Output: Sendable>(
        _ sql: String, _ body: (MySQLRowStream) async throws -> Output
    ) async throws -> Output { throw MySQLError(.usage, "skeleton") }

    /// Runs LOAD DATA LOCAL INFILE; the server's request is answered from `body`, which writes with backpressure. An error
    /// thrown by `body` ends the file early and closes the connection (the transaction is rolled back by the server).
    public func loadDataLocal(
        _ sql: String, _ body: (MySQLLocalWriter) async throws -> Void
    ) async throws -> MySQLOK { throw MySQLError(.usage, "skeleton") }

    /// Registers as a replica (if `serverID` is new) and starts a dump. The connection can do nothing else after that.
    /// Heartbeats are asked for with `@source_heartbeat_period`/`@master_heartbeat_period`, checksums with
    /// `@source_binlog_checksum`/`@master_binlog_checksum`: the caller sets both by `query` before.
    public func binlogStream(
        from start: BinlogStart, serverID: UInt32, nonBlocking: Bool = false
    ) async throws(MySQLError) -> MySQLBinlogStream { throw MySQLError(.usage, "skeleton") }

    /// Is the connection open as far as is known?
    public var isOpen: Bool { false }

    /// Sends COM_QUIT and closes. Never throws, never hangs.
    public func close() async {}
}

public final class MySQLRowStream: Sendable {
    public let columns: [MySQLColumn]
    init(columns: [MySQLColumn]) { self.columns = columns }
    /// The next batch, nil after the server's end-of-result packet was received (never on a lost connection: that throws).
    public func next() async throws(MySQLError) -> MySQLRowBatch? { nil }
}

public struct MySQLLocalWriter: Sendable {
    /// Suspends while the socket is not writable. Any size; it is cut into packets.
    public func write(_ bytes: ByteBuffer) async throws(MySQLError) {}
}

public final class MySQLBinlogStream: Sendable {
    /// The next events, each whole (header to checksum, without the leading status byte), at least one, in order. nil only after
    /// the server's EOF packet (non-blocking dumps). Errors of the server (purged logs: 1236) throw.
    /// A missed heartbeat of `timeout` throws `.timeout`.
    public func next(timeout: Duration? = nil) async throws(MySQLError) -> [[UInt8]]? { nil }
}
