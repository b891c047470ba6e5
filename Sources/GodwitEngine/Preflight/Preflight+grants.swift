extension Preflight {
    static func sourceGrants(_ facts: PreflightFacts) -> [Finding] {
        let source = facts.source
        var found = missing(["SELECT"], on: facts.tables.map(\.name), source, "source", why: "Every row is read.")
        let components = CascadeComponents.find(
            facts.tables, logged: source.logsCascades, foldsCase: source.lowerCaseTableNames != 0).flatMap { $0 }
        func global(
            _ anyOf: [String], _ severity: Finding.Severity, why: String
        ) {
            guard !source.grants.allowsAny(anyOf) else { return }
            found.append(
                Finding(
                    severity, "source-grants", "source", "The account \(account(source)) lacks \(anyOf[0]) on the source.", why: why,
                    cure: "GRANT \(anyOf[0]) ON *.* TO \(account(source));"))
        }
        global(["REPLICATION SLAVE"], .error, why: "The binary log is read as a replica reads it.")
        global(source.isMariaDB ? ["BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"] : ["REPLICATION CLIENT", "SUPER"], .error, why: "The binary log's position is read.")
        let keyless = facts.tables.filter { $0.rowKey == nil }.map(\.name)
        found += missing(
            ["LOCK TABLES"], on: keyless, source, "source",
            why: "Tables without a key are read from one exact moment, for which they are locked for an instant.")
        found += missing(
            ["LOCK TABLES"], on: components.filter { !keyless.contains($0) }, source, "source",
            why: "Tables with cascading foreign keys that are not logged are read from one exact moment, for which they are locked for an instant.")
        let connections = source.isMariaDB ? ["CONNECTION ADMIN", "SUPER"] : ["CONNECTION_ADMIN", "SUPER"]
        switch facts.block {
        case .readOnly:
            global(
                source.isMariaDB ? ["READ_ONLY ADMIN", "SUPER"] : ["SYSTEM_VARIABLES_ADMIN", "SUPER"], .warning,
                why: "The cutover makes the source read-only; without this it stops before anything is changed "
                    + "(`application: { block: accounts }` or `block: application` in the plan are other ways, with weaker promises).")
            global(
                connections, .warning, why: "The cutover ends connections that still write after the block.")
            if source.isMariaDB, !source.grants.allows("SELECT", schema: "mysql") {
                found.append(
                    Finding(
                        .warning, "source-grants", "source", "The account \(account(source)) lacks SELECT on schema mysql of the source.",
                        why: "MariaDB's read_only does not stop accounts with READ_ONLY ADMIN; the cutover must see which those are, and stops where it cannot.",
                        cure: "GRANT SELECT ON `mysql`.* TO \(account(source));"))
            }
        case .accounts where source.isMariaDB:
            found.append(
                Finding(
                    .refusal, "block", "source", "`block: accounts` is not offered for MariaDB sources.",
                    why: "MariaDB lists locked accounts in another form, which Godwit does not read yet.",
                    cure: "Use `block: read-only` (the default) or `block: application` in the plan."))
        case .accounts:
            global(["CREATE USER"], .warning, why: "The cutover locks the source's accounts (`block: accounts`).")
            global(connections, .warning, why: "The cutover ends the sessions of locked accounts.")
            if !source.grants.allows("SELECT", schema: "mysql") {
                found.append(
                    Finding(
                        .warning, "source-grants", "source", "The account \(account(source)) lacks SELECT on schema mysql of the source.",
                        why: "The accounts that the cutover locks are listed there.", cure: "GRANT SELECT ON `mysql`.* TO \(account(source));"))
            }
        case .application:
            found.append(
                Finding(
                    .warning, "block", "source", "Nothing but the application's stop commands keeps writers off the source (`block: application`).",
                    why: "The cutover waits until the source stands still, and looks again before the switch; what somebody writes after that is lost."))
        }
        global(
            ["PROCESS"], source.isMariaDB ? .error : .warning,
            why: source.isMariaDB
                ? "Which logged rows a read sees is known by the statements that still run (validation), and the cutover looks for open transactions."
                : "The cutover looks for transactions that are still open.")
        if found.isEmpty { found.append(Finding(.ok, "source-grants", "source", "The source's account has every grant.")) }
        return found
    }

    static func targetGrants(_ facts: PreflightFacts) -> [Finding] {
        let target = facts.target
        let needed = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"]
        var found: [Finding] = []
        let versioned = Set(facts.tables.filter { $0.period != nil }.compactMap { facts.targetName($0.name)?.schema })
        for schema in facts.usedTargetSchemas + [Self.ownSchema] {
            let lacking = (needed + (versioned.contains(schema) ? ["DELETE HISTORY"] : [])).filter { !target.grants.allows($0, schema: schema) }
            guard !lacking.isEmpty else { continue }
            found.append(
                Finding(
                    .error, "target-grants", schema,
                    "The account \(account(target)) lacks \(lacking.joined(separator: ", ")) on \(SQL.identifier(schema)) of the target.",
                    why: schema == Self.ownSchema
                        ? "Godwit keeps its checkpoint there, in the same transactions as the data." : "Tables are created and written there.",
                    cure: "GRANT \(lacking.joined(separator: ", ")) ON \(pattern(schema, target)).* TO \(account(target));"))
        }
        if found.isEmpty { found.append(Finding(.ok, "target-grants", "target", "The target's account has every grant.")) }
        return found
    }

    /// Godwit's schema on the target.
    static let ownSchema = "godwit"

    /// One finding for each schema in which a table lacks a privilege.
    private static func missing(
        _ privileges: [String], on tables: [TableName], _ server: ServerFacts, _ side: String, why: String
    ) -> [Finding] {
        var schemas: [String: [String]] = [:]
        for privilege in privileges {
            for table in tables where !server.grants.allows(privilege, schema: table.schema, table: table.table) {
                if schemas[table.schema]?.contains(privilege) != true { schemas[table.schema, default: []].append(privilege) }
            }
        }
        return schemas.sorted { $0.key < $1.key }.map { schema, lacking in
            let list = lacking.joined(separator: ", ")
            return Finding(
                .error, "\(side)-grants", schema, "The account \(account(server)) lacks \(list) on tables of \(SQL.identifier(schema)).",
                why: why, cure: "GRANT \(list) ON \(pattern(schema, server)).* TO \(account(server));")
        }
    }

    /// In a GRANT `_` and `%` of a schema's name are wildcards.
    static func pattern(_ schema: String, _ server: ServerFacts) -> String {
        // With partial revokes they mean themselves.
        if server.flag("partial_revokes") == true { return SQL.identifier(schema) }
        return SQL.identifier(schema.replacing("\\", with: "\\\\").replacing("_", with: "\\_").replacing("%", with: "\\%"))
    }
}
