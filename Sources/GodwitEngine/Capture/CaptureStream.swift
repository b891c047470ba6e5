import MySQLBinlog
import MySQLTypes
import MySQLWire

/// Follows the source's binary log from a position and puts its transactions into a queue. Ends only by throwing.
package struct CaptureStream: Sendable {
    package let shapes: [TableShape]
    package let usesGTIDs: Bool
    package let caseInsensitiveNames: Bool
    /// See `TransactionAssembler`.
    package let isStrict: Bool
    package let loadedAt: [Int: ReplicationPosition]
    package let gone: [TableName: ReplicationPosition]
    package let exact: Set<Int>
    package let isIncluded: @Sendable (TableName) -> Bool
    package let observer: any ProgressObserver
    /// Tables whose changes are passed over: see `TransactionAssembler`.
    package var suspended: Set<Int> = []

    package init(
        shapes: [TableShape], usesGTIDs: Bool, caseInsensitiveNames: Bool, isStrict: Bool,
        loadedAt: [Int: ReplicationPosition], gone: [TableName: ReplicationPosition], exact: Set<Int> = [],
        isIncluded: @escaping @Sendable (TableName) -> Bool, observer: any ProgressObserver
    ) {
        self.shapes = shapes
        self.usesGTIDs = usesGTIDs
        self.caseInsensitiveNames = caseInsensitiveNames
        self.isStrict = isStrict
        self.loadedAt = loadedAt
        self.gone = gone
        self.exact = exact
        self.isIncluded = isIncluded
        self.observer = observer
    }

    /// Seconds without an event or heartbeat after which the connection counts as lost. Heartbeats come ten times a second: they also wake whoever waits for the end of the stream.
    private static let silence = Duration.seconds(30)

    package func run(
        from position: ReplicationPosition, on connection: MySQLConnection, into queue: BoundedQueue<SourceItem>
    ) async throws {
        do {
            try await follow(from: position, on: connection, into: queue)
        } catch {
            await queue.finish(throwing: error)
            // What the log itself forbids is said when all that comes before it is applied: the target then stands just before it.
            if error is EngineError { return }
            throw error
        }
    }

    private func follow(
        from position: ReplicationPosition, on connection: MySQLConnection, into queue: BoundedQueue<SourceItem>
    ) async throws {
        // Both spellings: servers before 8.0.26 and MariaDB know the old one only, unknown user variables harm nobody.
        let checksum = try await connection.query("SELECT @@GLOBAL.binlog_checksum").rows.first?.string(0) ?? "NONE"
        for prefix in ["source", "master"] {
            try await connection.query("SET @\(prefix)_binlog_checksum = @@GLOBAL.binlog_checksum")
            try await connection.query("SET @\(prefix)_heartbeat_period = 100000000")
        }
        if connection.server.isMariaDB {
            // 4: the reader knows MariaDB's GTID events; for any less the server turns them into others and drops what has no other form.
            try await connection.query("SET @mariadb_slave_capability = 4")
        }
        let start: BinlogStart = switch position {
        case .gtids(let set): .gtids(set)
        case .file(let coordinates): .coordinates(coordinates)
        }
        let stream: MySQLBinlogStream
        do {
            stream = try await connection.log(from: start, serverID: UInt32.random(in: 0x8000_0000...0xFFFF_FFF0))
        } catch {
            throw Self.explained(error, position)
        }
        var decoder = BinlogDecoder()
        decoder.hasChecksum = checksum.uppercased() != "NONE"
        var assembler = TransactionAssembler(
            shapes: shapes, usesGTIDs: usesGTIDs, caseInsensitiveNames: caseInsensitiveNames,
            isStrict: isStrict, loadedAt: loadedAt, gone: gone, exact: exact, isIncluded: isIncluded)
        assembler.suspended = suspended
        while true {
            // Not pulled before there is room: an event that waits here would stand beside the one that is applied, and each may
            // be larger than the bound.
            guard await queue.room() else { throw CancellationError() }
            let events: [[UInt8]]?
            do {
                events = try await stream.next(timeout: Self.silence)
            } catch {
                throw Self.explained(error, position)
            }
            guard let events else {
                throw EngineError(.resumable, "The source ended the stream of its binary log.", cure: "Run the same command again.")
            }
            var items: [SourceItem] = []
            do {
                for bytes in events {
                    let event = try decoder.decode(bytes)
                    guard case .transactionPayload(let payload) = event.body else {
                        items += try assembler.receive(event)
                        continue
                    }
                    // One event at a time: while the queue is full the rest stays compressed.
                    var reader = try payload.reader()
                    while let inner = try reader.next() {
                        items += try assembler.receive(inner, inside: event.header)
                        try await push(&items, into: queue)
                    }
                }
            } catch {
                try await push(&items, into: queue)
                throw error
            }
            for notice in assembler.takeNotices() { observer.say("warning", notice) }
            try await push(&items, into: queue)
        }
    }

    private func push(_ items: inout [SourceItem], into queue: BoundedQueue<SourceItem>) async throws {
        guard await queue.push(items, cost: { $0.cost }) else { throw CancellationError() }
        items.removeAll(keepingCapacity: true)
    }

    /// 1236: the log is purged, or the GTIDs do not fit. Never jump to the current position.
    private static func explained(_ error: MySQLError, _ position: ReplicationPosition) -> any Error {
        guard error.serverCode == 1236 else { return error }
        if error.message.contains("GTID-transaction when") {
            return EngineError(
                .resumable, "The source cannot stream its binary log from the checkpoint: \(error.message)",
                why: "The log holds transactions with GTIDs, and with gtid_mode = OFF the server sends none of those.",
                cure: "On the source: SET GLOBAL gtid_mode = OFF_PERMISSIVE; then run the same command again.")
        }
        return EngineError(
            .failed, "The source cannot stream its binary log from the checkpoint: \(error.message)",
            why: "The log from \(position.description.prefix(200)) on was purged, or the server is another one.",
            cure: "Only a new load is right now: drop this task's rows in schema godwit and the target's tables, keep the log longer (binlog_expire_logs_seconds), and migrate again.")
    }
}
