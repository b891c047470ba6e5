import MySQLTypes
import NIOCore

/// Where a binlog dump starts.
public enum BinlogStart: Sendable {
    /// COM_BINLOG_DUMP_GTID: everything that is not in the set.
    case gtids(GTIDSet)
    /// COM_BINLOG_DUMP.
    case coordinates(BinlogCoordinates)
}

/// The rows of one running statement, pulled by one task.
public final class MySQLRowStream: Sendable {
    public let columns: [MySQLColumn]
    private let pipe: NIOLoopBound<RowPipe>
    private let connection: MySQLConnection

    init(columns: [MySQLColumn], pipe: NIOLoopBound<RowPipe>, connection: MySQLConnection) {
        self.columns = columns
        self.pipe = pipe
        self.connection = connection
    }

    /// The next batch, nil after the server's end-of-result packet was received (never on a lost connection: that throws).
    public func next() async throws(MySQLError) -> MySQLRowBatch? { try await connection.next(pipe) }
}

/// Takes the file of one LOAD DATA LOCAL.
public struct MySQLLocalWriter: Sendable {
    let upload: NIOLoopBound<FileUpload>
    let connection: MySQLConnection

    /// Suspends while the socket is not writable. Any size; it is cut into packets.
    public func write(_ bytes: ByteBuffer) async throws(MySQLError) {
        try await connection.write(bytes, to: upload)
    }
}

/// A running binlog dump, pulled by one task.
public final class MySQLBinlogStream: Sendable {
    private let pipe: NIOLoopBound<EventPipe>
    private let connection: MySQLConnection

    init(pipe: NIOLoopBound<EventPipe>, connection: MySQLConnection) {
        self.pipe = pipe
        self.connection = connection
    }

    /// The next events, each whole (header to checksum, without the leading status byte), at least one, in order. nil only after
    /// the server's EOF packet (non-blocking dumps). Errors of the server (purged logs: 1236) throw.
    /// A missed heartbeat of `timeout` throws `.timeout`, and the connection is closed.
    public func next(timeout: Duration? = nil) async throws(MySQLError) -> [[UInt8]]? {
        try await connection.next(pipe, timeout: timeout)
    }
}
