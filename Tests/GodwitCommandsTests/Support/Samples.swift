import Foundation
import GodwitEngine
import MySQLWire

@testable import GodwitCommands

extension Plan {
    /// Its state folder cannot be made, so that command tests leave no files.
    static let sample = Plan(
        task: "app",
        source: .init(address: .tcp(host: "old", port: 3306), user: "aws", password: "x", tls: .disabled),
        target: .init(address: .tcp(host: "new", port: 3307), user: "external", password: "y", tls: .disabled),
        mappings: TableMappings(), settings: TaskSettings(), application: .init(),
        stateFolder: temporaryFolder().path)
}

func temporaryFolder() -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-test-\(UUID().uuidString)")
    return folder
}

extension MigrationStatus {
    static func sample(_ state: State, _ tables: [Table] = [], at: Double = 1_800_000_000) -> MigrationStatus {
        var status = MigrationStatus(task: "app")
        status.state = state
        status.position = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77"
        status.tables = tables
        status.at = at
        return status
    }
}

extension MigrationStatus.Table {
    static func sample(
        _ name: String, _ state: State = .loaded, rows: UInt64 = 1000, of estimated: UInt64 = 1000,
        validation: String = "Validated", pending: UInt64 = 0, failed: UInt64 = 0
    ) -> MigrationStatus.Table {
        var table = MigrationStatus.Table(schema: "shop", table: name, estimatedRows: estimated)
        table.state = state
        table.rows = rows
        table.bytes = rows * 100
        table.loadSeconds = 2
        table.validationState = validation
        table.pending = pending
        table.failed = failed
        return table
    }
}

/// Small and reproducible: the seed is printed with every failure.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
