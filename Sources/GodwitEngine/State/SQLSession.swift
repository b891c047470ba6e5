import MySQLTypes
import MySQLWire
import NIOCore

/// One session with a server, as the engine sees it: its port to sources and targets. In the binary it is MySQLWire's connection;
/// the model test runs the same engine on sources and targets that are values.
package protocol SQLSession: AnyObject, Sendable {
    /// Facts from the handshake.
    var server: MySQLServerInfo { get }
    /// False once the connection is known to be gone.
    var isOpen: Bool { get }
    /// Runs one statement and collects its rows; `timeout` is for all of it.
    @discardableResult
    func query(_ sql: String, timeout: Duration?) async throws(MySQLError) -> MySQLResult
    /// The same for a statement whose bytes are not all UTF-8.
    @discardableResult
    func query(_ sql: ByteBuffer, timeout: Duration?) async throws(MySQLError) -> MySQLResult
    /// Rows as they come; `body` pulls.
    func rows<Output: Sendable>(_ sql: String, _ body: (any RowSource) async throws -> Output) async throws -> Output
    /// LOAD DATA LOCAL INFILE, whose file `body` writes.
    func load(_ sql: String, _ body: (any FileSink) async throws -> Void) async throws -> MySQLOK
    /// The server's log from `start` on; the session can do nothing else afterwards. `nonBlocking`: it ends where the log ends now.
    func log(from start: BinlogStart, serverID: UInt32, nonBlocking: Bool) async throws(MySQLError) -> MySQLBinlogStream
    func close() async
}

/// What the engine calls a connection. (Where this module is imported beside MySQLWire, the wire's own type is written out.)
package typealias MySQLConnection = any SQLSession

/// The rows of a running statement.
package protocol RowSource: Sendable {
    /// The next rows; nil only after the server's end of the result.
    func next() async throws(MySQLError) -> MySQLRowBatch?
}

/// Takes the file of a LOAD DATA LOCAL.
package protocol FileSink: Sendable {
    func write(_ bytes: ByteBuffer) async throws(MySQLError)
}

extension SQLSession {
    @discardableResult
    package func query(_ sql: String) async throws(MySQLError) -> MySQLResult { try await query(sql, timeout: nil) }
    @discardableResult
    package func query(_ sql: ByteBuffer) async throws(MySQLError) -> MySQLResult { try await query(sql, timeout: nil) }
    package func log(from start: BinlogStart, serverID: UInt32) async throws(MySQLError) -> MySQLBinlogStream {
        try await log(from: start, serverID: serverID, nonBlocking: false)
    }
}

extension MySQLRowStream: RowSource {}
extension MySQLLocalWriter: FileSink {}

extension MySQLWire.MySQLConnection: SQLSession {
    package func rows<Output: Sendable>(
        _ sql: String, _ body: (any RowSource) async throws -> Output
    ) async throws -> Output {
        try await stream(sql) { try await body($0) }
    }

    package func load(_ sql: String, _ body: (any FileSink) async throws -> Void) async throws -> MySQLOK {
        try await loadDataLocal(sql) { try await body($0) }
    }

    package func log(
        from start: BinlogStart, serverID: UInt32, nonBlocking: Bool
    ) async throws(MySQLError) -> MySQLBinlogStream {
        try await binlogStream(from: start, serverID: serverID, nonBlocking: nonBlocking)
    }
}
