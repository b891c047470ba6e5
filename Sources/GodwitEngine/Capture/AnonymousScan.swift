import MySQLBinlog
import MySQLTypes
import MySQLWire

/// A source that is followed by GTIDs must not write a transaction without one. While the log is read such a transaction stops it. But
/// `gtid_mode` may be set back and forth while nobody reads: then a server that is asked for everything beyond a set of
/// GTIDs begins with a later file, and says nothing of what stands in earlier ones without a GTID. So the log is looked through from the
/// place that was reached last to the first GTID that is not known yet; usually there is nothing in between.
struct AnonymousScan: Sendable {
    let sessions: Sessions

    static let createStatement = """
        CREATE TABLE IF NOT EXISTS `godwit`.`reached` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `source_uuid` VARCHAR(64) NOT NULL,
          `file` VARCHAR(255) NOT NULL,
          `offset` BIGINT UNSIGNED NOT NULL
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """

    /// - Parameters:
    ///   - place: at or before the end of what is known.
    ///   - known: the checkpoint.
    func run(from place: BinlogCoordinates, known: GTIDSet, source: MySQLConnection) async throws {
        guard Remedy.anonymousScan.isOn else { return }
        let files = try await source.query("SHOW BINARY LOGS").rows.compactMap { $0.string(0) }
        // In the newest file the server itself has no later one to begin with. A file that is purged cannot be looked at any more.
        guard files.contains(place.file), files.last != place.file else { return }
        let reader = try await sessions.source()
        do {
            try await scan(from: place, known: known, on: reader)
        } catch {
            await reader.close()
            // With gtid_mode=ON the server itself stops at such a transaction.
            guard let refused = error as? MySQLError, refused.serverCode == 1236, refused.message.contains("anonymous transaction") else { throw error }
            throw Self.refusal("(\(refused.message))")
        }
        await reader.close()
    }

    private static func refusal(_ place: String) -> EngineError {
        EngineError(
            .resumable, "The source wrote a transaction without a GTID \(place).",
            why: "The migration follows it by GTIDs, and a transaction without one cannot be remembered exactly.",
            cure: "The target stands at the checkpoint before it. Keep gtid_mode=ON on the source, and start a new migration.")
    }

    private func scan(from place: BinlogCoordinates, known: GTIDSet, on reader: MySQLConnection) async throws {
        let checksum = try await reader.query("SELECT @@GLOBAL.binlog_checksum").rows.first?.string(0) ?? "NONE"
        for prefix in ["source", "master"] { try await reader.query("SET @\(prefix)_binlog_checksum = @@GLOBAL.binlog_checksum") }
        let stream = try await reader.log(
            from: .coordinates(place), serverID: UInt32.random(in: 0x8000_0000...0xFFFF_FFF0), nonBlocking: true)
        var decoder = BinlogDecoder()
        decoder.hasChecksum = checksum.uppercased() != "NONE"
        var file = place.file
        // Not blocking: the server says so when it has come to the end of its log.
        while let events = try await stream.next(timeout: .seconds(30)) {
            for bytes in events {
                let event = try decoder.decode(bytes)
                if case .rotate(let next) = event.body { file = next.file }
                guard case .gtid(let gtid) = event.body else { continue }
                guard let number = gtid.gtid else {
                    throw Self.refusal("at \(file):\(event.header.nextPosition)")
                }
                // From here on the stream by GTIDs has everything.
                if !known.contains(number) { return }
            }
        }
    }
}

/// Transactions without a GTID that were written while nobody read the log.
extension Remedy { static let anonymousScan = Remedy("anonymous-scan", pitfalls: [37], test: "SourceContinuityTests/tagsGapsAndTheEndOfGTIDs") }

extension TargetState {
    /// A place in the source's files at or before the end of what the target holds; a later one is stored once a second.
    func storeReached(_ place: BinlogCoordinates, of uuid: String, on target: MySQLConnection) async throws {
        try await target.query(
            "REPLACE INTO `godwit`.`reached` (`task`, `source_uuid`, `file`, `offset`) VALUES (\(SQL.string(task)), \(SQL.string(uuid)), \(SQL.string(place.file)), \(place.offset))")
    }

    func reached(of uuid: String, on target: MySQLConnection) async throws -> BinlogCoordinates? {
        let row = try await target.query(
            "SELECT `file`, `offset` FROM `godwit`.`reached` WHERE task = \(SQL.string(task)) AND source_uuid = \(SQL.string(uuid))").rows.first
        guard let row, let file = row.string(0), let offset = row.uint(1), !file.isEmpty, offset >= 4 else { return nil }
        return BinlogCoordinates(file: file, offset: offset)
    }
}
