import Foundation
import MySQLWire

/// Keeps DMS's control tables as the run is. What it cannot write is said and tried again; the migration never waits for it.
struct ControlTablesKeeper: Sendable {
    let context: RunContext
    let tables: ControlTables

    private static let pause = Duration.seconds(2)
    private static let retry = Duration.seconds(10)

    /// Runs until cancelled.
    func run() async throws {
        var said: Set<String> = []
        var history = SlotCounter(minutes: tables.settings.slotMinutes)
        var known: Set<String> = []
        while true {
            try Task.checkCancellation()
            do {
                let connection = try await context.sessions.target()
                do {
                    while true {
                        try await write(&history, &known, connection)
                        try await Task.sleep(for: Self.pause)
                    }
                } catch {
                    await connection.close()
                    throw error
                }
            } catch {
                try Task.checkCancellation()
                let line = "The control tables in \(tables.settings.name) are not up to date: \(error)"
                if said.insert(line).inserted { context.observer.say("warning", line) }
                try await Task.sleep(for: Self.retry)
            }
        }
    }

    private func write(_ history: inout SlotCounter, _ known: inout Set<String>, _ connection: MySQLConnection) async throws {
        let status = await context.board.snapshot()
        let settings = tables.settings
        if settings.status {
            let commit = try await context.state.checkpoint(locked: false, on: connection).commitMicroseconds
            try await connection.query(tables.statusStatement(status, commit: commit, memory: Self.memory()))
        }
        if settings.suspended {
            for statement in tables.suspendedStatements(try await context.state.suspended(on: connection), now: status.at) {
                try await connection.query(statement)
            }
        }
        if settings.history, let slot = history.add(status) { try await connection.query(tables.historyStatement(slot)) }
        try await Self.writeFailures(status, tables, &known, connection)
    }

    private static func writeFailures(
        _ status: MigrationStatus, _ tables: ControlTables, _ known: inout Set<String>, _ connection: MySQLConnection
    ) async throws {
        for table in status.tables {
            for row in table.mismatches ?? [] {
                let name = TableName(schema: table.schema, table: table.table)
                guard known.insert("\(name) \(row.kind.rawValue) \(row.key)").inserted else { continue }
                try await connection.query(tables.failureStatement(name, row, now: status.at))
            }
        }
    }

    /// The run's last word.
    static func finish(
        _ status: MigrationStatus, _ tables: ControlTables, _ state: TargetState, _ connection: MySQLConnection
    ) async throws {
        if tables.settings.status {
            let commit = try await state.checkpoint(locked: false, on: connection).commitMicroseconds
            try await connection.query(tables.statusStatement(status, commit: commit, memory: memory()))
        }
        var known: Set<String> = []
        try await writeFailures(status, tables, &known, connection)
    }

    /// Memory that the process holds, MB; 0 where the system does not say.
    static func memory() -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return 0 }
        return (line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { UInt64($0) } ?? 0) / 1024
    }
}

/// Sums up what happened in slots of time. Pure.
struct SlotCounter {
    let minutes: Int
    private var slot: Int?
    private var begin: (records: UInt64, bytes: UInt64) = (0, 0)
    private var last: (records: UInt64, bytes: UInt64) = (0, 0)
    private var type = ControlTables.TaskStatus.load
    private var latency = 0

    init(minutes: Int) { self.minutes = max(1, minutes) }

    /// The slot that has ended with this snapshot, if one has.
    mutating func add(_ status: MigrationStatus) -> ControlTables.Slot? {
        let seconds = minutes * 60
        let now = Int(status.at) / seconds
        var totals: (records: UInt64, bytes: UInt64) = (0, 0)
        for table in status.tables {
            totals.records += table.rows + table.inserts + table.updates + table.deletes
            totals.bytes += table.bytes
        }
        defer {
            last = totals
            type = ControlTables.status(status.state)
            latency = Int(status.lagSeconds ?? 0)
        }
        guard let slot, slot < now else {
            if self.slot == nil {
                self.slot = now
                begin = totals
            }
            return nil
        }
        self.slot = now
        let ended = ControlTables.Slot(
            type: type, end: (slot + 1) * seconds, latency: latency, records: last.records >= begin.records ? last.records - begin.records : 0,
            megabytes: (last.bytes >= begin.bytes ? last.bytes - begin.bytes : 0) >> 20)
        begin = last
        return ended
    }
}
