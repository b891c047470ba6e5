import Foundation
import MySQLWire

/// Reads views, routines, triggers and events of a server: one list for each kind, and one SHOW CREATE for each object.
///
/// The session must have no default schema (views are printed with the schema of every table then), and
/// `character_set_results = NULL`: texts come in their own character set, as they must be sent again.
package struct ObjectReader: Sendable {
    /// What a server would not show.
    package struct Unreadable: Hashable, Sendable {
        package var id: ObjectDefinition.ID
        /// The server's words; empty where it answered with NULL.
        package var message: String
        package init(id: ObjectDefinition.ID, message: String) {
            self.id = id
            self.message = message
        }
    }

    package struct Found: Sendable {
        package var objects: [ObjectDefinition] = []
        package var unreadable: [Unreadable] = []
        package init(objects: [ObjectDefinition] = [], unreadable: [Unreadable] = []) {
            self.objects = objects
            self.unreadable = unreadable
        }

        /// - Parameter account: `'user'@'host'` of the reader.
        package func orThrow(_ side: String, account: String) throws(EngineError) -> [ObjectDefinition] {
            guard let first = unreadable.first else { return objects }
            throw EngineError(
                .failed, "The \(side) does not show the definition of \(first.id).",
                why: first.message.isEmpty ? "The account lacks the privilege." : first.message,
                cure: ObjectReader.grant(for: first.id, account: account))
        }
    }

    package let scope: ObjectScope
    package init(scope: ObjectScope) { self.scope = scope }

    /// What shows an object's definition.
    package static func grant(for id: ObjectDefinition.ID, account: String) -> String {
        let schema = SQL.identifier(id.name.schema)
        return switch id.kind {
        case .function, .procedure: "GRANT SHOW_ROUTINE ON *.* TO \(account);"
        case .view: "GRANT SELECT, SHOW VIEW ON \(schema).* TO \(account);"
        case .trigger: "GRANT TRIGGER ON \(schema).* TO \(account);"
        case .event: "GRANT EVENT ON \(schema).* TO \(account);"
        }
    }

    /// All objects of the scope that the account may see, in the order in which they are made.
    package func read(_ connection: MySQLConnection) async throws -> Found {
        guard !scope.schemas.isEmpty else { return Found() }
        var found = Found()
        for kind in ObjectKind.allCases where !scope.without.contains(kind) {
            for listed in try await list(kind, connection) where scope.includes(listed.id, table: listed.table) {
                switch try await definition(listed, connection) {
                case .object(let object): found.objects.append(object)
                case .unreadable(let message): found.unreadable.append(Unreadable(id: listed.id, message: message))
                case .gone: break
                }
            }
        }
        if connection.server.isMariaDB { found.objects = Self.usesInTexts(found.objects) }
        found.objects = ObjectOrder.sorted(found.objects)
        return found
    }

    /// The triggers alone.
    package func triggers(_ connection: MySQLConnection) async throws -> Found {
        var scope = scope
        scope.without.formUnion([.views, .routines, .events])
        return try await ObjectReader(scope: scope).read(connection)
    }

    /// Everything that says whether a definition has changed, in five queries: equal answers, equal objects.
    package func fingerprint(_ connection: MySQLConnection) async throws -> [[MySQLRow]] {
        guard !scope.schemas.isEmpty else { return [] }
        var answers: [[MySQLRow]] = []
        for query in ObjectQueries.fingerprint(scope.schemas) { answers.append(try await connection.query(query).rows) }
        return answers
    }

    // MARK: Parts

    /// A view's text names every table and view in full and in backticks: which of the other views stand in it. One that stands there
    /// as a literal does no harm to the order.
    private static func usesInTexts(_ objects: [ObjectDefinition]) -> [ObjectDefinition] {
        let names = objects.filter { $0.kind == .view }.map { ($0.name, Data($0.name.sql.utf8)) }
        return objects.map { object in
            guard object.kind == .view else { return object }
            var view = object
            view.uses = names.filter { $0.0 != object.name && object.statement.firstRange(of: $0.1) != nil }.map(\.0).sorted()
            return view
        }
    }

    private enum Answer {
        case object(ObjectDefinition)
        case unreadable(String)
        case gone
    }

    private func list(_ kind: ObjectKind, _ connection: MySQLConnection) async throws -> [ObjectQueries.Listed] {
        switch kind {
        case .routines: return try await connection.query(ObjectQueries.routines(scope.schemas)).rows.map(ObjectQueries.routine)
        case .triggers: return try await connection.query(ObjectQueries.triggers(scope.schemas)).rows.map(ObjectQueries.trigger)
        case .events: return try await connection.query(ObjectQueries.events(scope.schemas)).rows.map(ObjectQueries.event)
        case .views:
            var uses: [TableName: [TableName]] = [:]
            for row in try await viewUses(connection) {
                uses[ObjectQueries.name(row, 0), default: []].append(ObjectQueries.name(row, 2))
            }
            return try await connection.query(ObjectQueries.views(scope.schemas)).rows.map { row in
                var view = ObjectQueries.view(row)
                view.uses = (uses[view.id.name] ?? []).sorted()
                return view
            }
        }
    }

    /// None before MySQL 8.0.13 (1109): a view over another one is then made when what it reads is there, at the latest before the
    /// cutover. MariaDB does not list them either: see `usesInTexts`.
    private func viewUses(_ connection: MySQLConnection) async throws -> [MySQLRow] {
        if connection.server.isMariaDB { return [] }
        do {
            return try await connection.query(ObjectQueries.viewUses(scope.schemas)).rows
        } catch {
            guard error.serverCode == 1109 else { throw error }
            return []
        }
    }

    /// Dropped since it was listed: as if it had been asked for a moment later.
    private static let goneCodes: Set<UInt16> = [1146, 1305, 1360, 1539]
    /// Access denied, in its kinds.
    private static let deniedCodes: Set<UInt16> = [1044, 1142, 1143, 1227, 1370]

    private func definition(_ listed: ObjectQueries.Listed, _ connection: MySQLConnection) async throws -> Answer {
        let row: MySQLRow?
        do {
            row = try await connection.query("SHOW CREATE \(listed.id.kind.keyword) \(listed.id.name.sql)").rows.first
        } catch {
            if let code = error.serverCode, Self.goneCodes.contains(code) { return .gone }
            if let code = error.serverCode, Self.deniedCodes.contains(code) { return .unreadable(error.message) }
            throw error
        }
        guard let row else { return .unreadable("") }
        let columns = ObjectQueries.Columns(listed.id.kind)
        guard let text = row.bytes(columns.text), let client = row.string(columns.settings),
            let collation = row.string(columns.settings + 1)
        else { return .unreadable("") }
        var object = ObjectDefinition(
            id: listed.id, statement: Data(text), sqlMode: columns.mode.flatMap { row.string($0) }, characterSetClient: client,
            collationConnection: collation, databaseCollation: listed.id.kind == .view ? nil : row.string(columns.settings + 2),
            timeZone: columns.zone.flatMap { row.string($0) }, definer: listed.definer, place: listed.place)
        object.isEnabled = listed.isEnabled
        object.uses = listed.uses
        object.invalid = listed.invalid
        object.isUnsafeForLog = listed.isUnsafeForLog
        object.isExpired = listed.isExpired
        object.hasWideHead = listed.hasWideHead
        return .object(object)
    }
}
