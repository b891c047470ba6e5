import Foundation
import MySQLTypes
import MySQLWire

/// One table of a run.
package struct RunTable: Sendable {
    package var id: Int
    package var prepared: PreparedTable
    package var filters: [RowFilter]
    package var loadOrder: Int
    package var isPrepared: Bool
    package var isPlanned: Bool
    package var isIndexed: Bool
    /// What was loaded holds all changes up to here: of keyless tables the position of their snapshot, of those that were loaded
    /// again since their definition changed a lower bound of it.
    package var loadedAt: ReplicationPosition?
    /// Why its changes are not applied any more; nil: they are.
    package var suspension: String?
    /// Changes passed over and not made good since.
    package var exceptions = 0

    package var source: TableDefinition { prepared.source }
    /// Loaded from one exact snapshot, and strict from there: without a key, or since its changes cannot be replayed absolutely.
    package var isExact: Bool { source.rowKey == nil || prepared.needsExactLoad == true }
}

/// What every stage of one attempt needs. An attempt lives as long as its connections: when one breaks, all are closed, and
/// the next attempt reads everything again from the target (memory counts for nothing).
package struct RunContext: Sendable {
    package let plan: Plan
    package let options: MigrationOptions
    package let sessions: Sessions
    package let state: TargetState
    package let lock: RunnerLock
    package let epoch: UInt64
    package let observer: any ProgressObserver
    package let board: ProgressBoard
    package let positions: SourcePositions
    package let sourceFacts: ServerFacts
    package let targetFacts: ServerFacts
    /// Holds the run lock; for short statements of one task at a time.
    package let control: MySQLConnection
    /// The source, for positions and short questions of the same task.
    package let sourceControl: MySQLConnection
    package let sourceUUID: String
    package let tables: [RunTable]

    /// A writing connection, marked as this runner's.
    package func openTarget() async throws -> MySQLConnection {
        let connection = try await sessions.target()
        try await lock.register(connection)
        for statement in TargetPreparation.sessionStatements(targetFacts) { try await connection.query(statement) }
        return connection
    }

    /// A reading connection of the same server as ever: a name that leads elsewhere after a failover is noticed here.
    package func openSource() async throws -> MySQLConnection {
        let connection = try await sessions.source()
        let uuid = try await SourcePositions.uuid(of: connection)
        guard uuid == sourceUUID else {
            await connection.close()
            throw SourceSwitched(old: sourceUUID, new: uuid)
        }
        return connection
    }

    package func shape(_ table: RunTable) -> TableShape {
        TableShape(
            source: table.source, target: table.prepared.target, rowAlias: targetFacts.hasRowAlias ?? !targetFacts.isMariaDB,
            jsonIsText: targetFacts.isMariaDB, sourceIsMariaDB: sourceFacts.isMariaDB)
    }

    /// From the source's dialect of definitions to the target's.
    package var translation: DialectTranslation { DialectTranslation(source: sourceFacts, target: targetFacts) }

    package var shapes: [TableShape] { tables.map(shape) }

    package func filterSQL(_ table: RunTable) throws -> String? {
        try table.filters.sql(columns: table.source.columns) { SQL.identifier($0.name) }
    }

    /// Components of tables with cascades that the source does not log.
    package var cascadeComponents: [[RunTable]] {
        let byName = Dictionary(tables.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
        return CascadeComponents.find(tables.map(\.source), logged: sourceFacts.logsCascades, foldsCase: foldsCase)
            .map { $0.compactMap { byName[$0] } }
    }

    package var foldsCase: Bool { sourceFacts.lowerCaseTableNames != 0 }

    /// The same attempt with the tables as the target says now.
    package func with(tables: [RunTable]) -> RunContext {
        RunContext(
            plan: plan, options: options, sessions: sessions, state: state, lock: lock, epoch: epoch, observer: observer,
            board: board, positions: positions, sourceFacts: sourceFacts, targetFacts: targetFacts, control: control,
            sourceControl: sourceControl, sourceUUID: sourceUUID, tables: tables)
    }
}
