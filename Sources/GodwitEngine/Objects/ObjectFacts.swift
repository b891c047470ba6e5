import MySQLWire

/// What preflight knows of views, routines, triggers and events, and of the accounts that own them.
package struct ObjectFacts: Sendable {
    /// Objects of the source that move, in the order in which they are made.
    package var source: [ObjectDefinition] = []
    package var sourceUnreadable: [ObjectReader.Unreadable] = []
    /// Objects of the same schemas on the target.
    package var target: [ObjectDefinition] = []
    /// Tables of the target that bear the name of a view.
    package var tables: Set<TableName> = []
    /// Views that name what the source itself has no more, with the server's words: no server would make them.
    package var broken: [ObjectDefinition.ID: String] = [:]
    /// Views that an exclude rule names.
    package var excluded: Set<TableName> = []
    /// `user@host` of the target's accounts; nil: not allowed to see.
    package var accounts: Set<String>?
    /// Those that have SYSTEM_USER: objects in their name need it too. nil: not allowed to see.
    package var systemAccounts: Set<String>?
    /// Between the families: what each becomes, with what the target itself says of it.
    package var translated: [ObjectTranslation.Outcome] = []
    /// Names of all privileges that the target knows, in upper case.
    package var privileges: Set<String> = []

    package init() {}

    /// - Parameter scope: by names of the source, which objects keep.
    package static func read(
        source: MySQLConnection, target: MySQLConnection, scope: ObjectScope, translation: DialectTranslation = .none
    ) async throws -> ObjectFacts {
        var facts = ObjectFacts()
        let reader = ObjectReader(scope: scope)
        let found = try await reader.read(source)
        facts.source = found.objects
        facts.sourceUnreadable = found.unreadable
        for view in found.objects where view.invalid != nil {
            if let words = try await brokenWords(view, source) { facts.broken[view.id] = words }
        }
        guard !facts.source.isEmpty else { return facts }
        if translation.crosses { facts.translated = try await translated(facts.source, translation, target) }
        facts.target = try await reader.read(target).objects
        let views = Set(facts.source.filter { $0.kind == .view }.map(\.name))
        if !views.isEmpty {
            let list = Set(views.map(\.schema)).sorted().map(SQL.string).joined(separator: ", ")
            let rows = try await target.query(
                "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN (\(list))"
            ).rows
            facts.tables = views.intersection(rows.map { ObjectQueries.name($0, 0) })
        }
        for row in try await target.query("SHOW PRIVILEGES").rows {
            if let name = row.string(0) { facts.privileges.insert(name.uppercased()) }
        }
        facts.accounts = try await accounts("SELECT User, Host FROM mysql.user", target)
        facts.systemAccounts = try await accounts("SELECT USER, HOST FROM mysql.global_grants WHERE PRIV = 'SYSTEM_USER'", target)
        return facts
    }

    private static func translated(
        _ objects: [ObjectDefinition], _ dialect: DialectTranslation, _ target: MySQLConnection
    ) async throws -> [ObjectTranslation.Outcome] {
        let translation = ObjectTranslation(dialect, objects: objects)
        var outcomes = objects.map(translation.translated)
        let probe = ObjectProbe(target: target)
        let missing = try await probe.missing(outcomes.reduce(into: []) { $0.formUnion($1.functions) })
        for index in outcomes.indices {
            for function in outcomes[index].functions.intersection(missing).sorted() {
                outcomes[index].objections.append("It calls \(function)(), which the target does not have.")
            }
            guard outcomes[index].objections.isEmpty, let words = try await probe.objection(outcomes[index].object) else { continue }
            outcomes[index].objections.append("The target does not understand it: \(words)")
        }
        return outcomes
    }

    /// nil: not allowed to see, or no such table.
    private static func accounts(_ query: String, _ target: MySQLConnection) async throws -> Set<String>? {
        do {
            return Set(try await target.query(query).rows.map { "\($0.string(0) ?? "")@\($0.string(1) ?? "")" })
        } catch {
            guard error.code == .server, !error.isConnectionLost else { throw error }
            return nil
        }
    }

    /// Asks the server to resolve every name of an invalid view, without running anything. nil: all are there, and what makes it
    /// invalid is its definer.
    private static func brokenWords(_ view: ObjectDefinition, _ source: MySQLConnection) async throws -> String? {
        let query = """
            SELECT VIEW_DEFINITION FROM information_schema.VIEWS
            WHERE TABLE_SCHEMA = \(SQL.string(view.schema)) AND TABLE_NAME = \(SQL.string(view.name.table))
            """
        guard let text = try await source.query(query).rows.first?.string(0), !text.isEmpty else { return nil }
        do {
            try await source.query("PREPARE godwit_view FROM \(SQL.string(text))")
            try await source.query("DEALLOCATE PREPARE godwit_view")
            return nil
        } catch {
            guard error.code == .server, !error.isConnectionLost else { throw error }
            // 1046: a function without schema, which is the view's own; the session has no default schema.
            return [1049, 1054, 1146, 1305, 1356].contains(error.serverCode) ? error.message : nil
        }
    }
}
