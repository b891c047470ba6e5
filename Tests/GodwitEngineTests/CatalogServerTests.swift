import Foundation
import GodwitTesting
import MySQLWire
import Testing

@testable import GodwitEngine

/// On a real server: what is read, created, stripped and built again is what was there.
@Suite("The catalog on real servers", .serialized)
struct CatalogServerTests {
    static let options = ServerOptions(durable: false)

    /// As the engine's sessions on the target are.
    static func prepare(_ connection: MySQLWire.MySQLConnection) async throws {
        for statement in [
            "SET NAMES utf8mb4", "SET character_set_results = NULL", "SET SESSION foreign_key_checks = 0",
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
        ] { try await connection.query(statement) }
    }

    static func read(_ connection: MySQLWire.MySQLConnection, _ schema: String) async throws -> [TableDefinition] {
        try await Catalog.read(connection, include: { $0.schema == schema }, schemas: { $0 == schema })
    }

    static func mapping(_ name: TableName) -> TableName? {
        name.schema == "feat" ? TableName(schema: "copy", table: name.table) : nil
    }

    static func build(_ connection: MySQLWire.MySQLConnection, _ tables: [PreparedTable]) async throws {
        for table in tables {
            let current = try #require(try await Catalog.read(connection, table: table.target))
            if let sql = table.indexBuild(on: current) { try await connection.query(sql) }
        }
        for table in tables {
            let current = try #require(try await Catalog.read(connection, table: table.target))
            if let sql = table.foreignKeyBuild(on: current) { try await connection.query(sql) }
        }
    }

    /// Equal but for the next AUTO_INCREMENT value.
    static func expectSame(_ source: TableDefinition, _ target: TableDefinition) throws {
        var left = try CreateStatement(parsing: source.createStatement)
        var right = try CreateStatement(parsing: target.createStatement)
        left.autoIncrement = nil
        right.autoIncrement = nil
        #expect(left == right, "\(source.name)")
        #expect(source.columns == target.columns, "\(source.name)")
        #expect(source.indexes == target.indexes, "\(source.name)")
        #expect(source.rowKey == target.rowKey, "\(source.name)")
        #expect(source.foreignKeys.map(\.name) == target.foreignKeys.map(\.name), "\(source.name)")
    }

    @Test func everyDefinitionSurvives() async throws {
        try await withServer(.mysql9, Self.options) { server in
            try await server.sql("CREATE DATABASE feat COLLATE utf8mb4_0900_ai_ci")
            try await server.sql(featureTables, schema: "feat")
            try await server.withConnection { connection in
                try await Self.prepare(connection)
                let sources = try await Self.read(connection, "feat")
                #expect(sources.count == 10)
                try Self.checkFacts(sources)
                let schemas = try await Catalog.schemas(connection)
                var plan = PreparedTarget(
                    databases: PreparedTarget.databases(
                        targets: sources.map { ($0.name, TableName(schema: "copy", table: $0.name.table)) },
                        sourceSchemas: schemas, existing: Set(schemas.map(\.name))), tables: [])
                for source in sources {
                    let target = try #require(Self.mapping(source.name))
                    plan.tables.append(
                        try TargetPreparation.decide(
                            mode: .doNothing, source: source, target: target, found: nil, mapping: Self.mapping))
                }
                for statement in try plan.statements(found: [:]) { try await connection.query(statement) }

                // While it is loaded a table has the index that addresses rows, and what AUTO_INCREMENT needs.
                let loading = try await Self.read(connection, "copy")
                for table in loading {
                    #expect(table.indexes.filter(\.isUnique).count <= 1, "\(table.name)")
                    #expect(table.foreignKeys.isEmpty, "\(table.name)")
                }
                for (prepared, table) in zip(plan.tables, loading) {
                    #expect(prepared.targetDefinition.columns == table.columns)
                    #expect(prepared.targetDefinition.rowKey?.columns == table.rowKey?.columns)
                    #expect(Definitions.differences(source: prepared.source, target: table) == [])
                }

                try await Self.build(connection, plan.tables)
                let targets = try await Self.read(connection, "copy")
                for (source, target) in zip(sources, targets) { try Self.expectSame(source, target) }
                for (prepared, target) in zip(plan.tables, targets) {
                    #expect(prepared.indexBuild(on: target) == nil)
                    #expect(prepared.foreignKeyBuild(on: target) == nil)
                }
                // The session is as it was.
                let session = try await connection.query("SELECT @@character_set_results, @@sql_mode")
                #expect(session.rows[0].string(0) == nil)
                #expect(session.rows[0].string(1)?.contains("ALLOW_INVALID_DATES") == true)
            }
        }
    }

    private static func checkFacts(_ tables: [TableDefinition]) throws {
        func table(_ name: String) throws -> TableDefinition { try #require(tables.first { $0.name.table == name }) }
        let weird = try table("we`ird, (x'y\"")
        #expect(weird.rowKey?.name == "PRIMARY")
        #expect(weird.secondaryUnique.map(\.name) == ["pre", "u,n", "fnc"])
        #expect(weird.indexes.first { $0.name == "fnc" }?.hasFunctionalParts == true)
        #expect(weird.indexes.first { $0.name == "pre" }?.hasPrefixParts == true)
        #expect(weird.columns.filter(\.isGenerated).map(\.name) == ["gv", "gs"])
        #expect(weird.columns.filter(\.isInvisible).map(\.name) == ["inv"])
        #expect(weird.columns.filter(\.isUnsigned).map(\.name) == ["id", "d"])
        #expect(weird.columns.first { $0.name == "g" }?.srid == 4326)
        #expect(weird.foreignKeys.map(\.name) == ["fk,2", "fk1"])
        #expect(weird.foreignKeys[1].onDelete == "CASCADE")
        #expect(weird.foreignKeys[1].onUpdate == "SET NULL")
        #expect(weird.foreignKeys[1].referenced == TableName(schema: "feat", table: "par"))
        #expect(try table("part").isPartitioned)
        #expect(try table("part").rowKey == nil)
        #expect(try table("ai").rowKey?.name == "u")
        // Columns are counted without gaps, hidden ones of the server left out.
        #expect(try table("funcpos").columns.map(\.name) == ["d", "a", "c"])
        #expect(try table("funcpos").columns.map(\.position) == [0, 1, 2])
        #expect(try table("gipk").rowKey?.columns == [0])
        #expect(try table("gipk").columns.map(\.name) == ["my_row_id", "x"])
        #expect(try table("ref2").triggers == ["tr"])
        #expect(tables.map(\.name) == tables.map(\.name).sorted())
    }

    /// A table that an application has created is stripped, the run dies in between, a later one finishes, and the end is the table
    /// as it was.
    @Test(arguments: [TaskSettings.TablePreparation.doNothing, .truncateBeforeLoad])
    func existingTablesAreGivenBackAsTheyWere(mode: TaskSettings.TablePreparation) async throws {
        try await withServer(.mysql9, Self.options) { server in
            try await server.sql("CREATE DATABASE feat; CREATE DATABASE copy")
            for schema in ["feat", "copy"] { try await server.sql(featureTables, schema: schema) }
            try await server.sql("DROP TRIGGER copy.tr")
            if mode == .truncateBeforeLoad {
                try await server.sql("INSERT copy.par VALUES (1, 'x', 2); INSERT copy.ref2 VALUES (1, 1)")
            }
            try await server.withConnection { connection in
                try await Self.prepare(connection)
                let sources = try await Self.read(connection, "feat")
                let before = try await Self.read(connection, "copy")
                let names = Set(before.map(\.name))
                let found = try await TargetPreparation.find(connection, names)
                var plan = PreparedTarget(databases: [], tables: [])
                for source in sources {
                    let target = try #require(Self.mapping(source.name))
                    plan.tables.append(
                        try TargetPreparation.decide(
                            mode: mode, source: source, target: target, found: found[target], mapping: Self.mapping))
                }
                let stored = try JSONEncoder().encode(plan)

                // Each round does one more statement than the round before, then starts anew from what was stored.
                var done = false
                var rounds = 0
                while !done {
                    rounds += 1
                    let again = try JSONDecoder().decode(PreparedTarget.self, from: stored)
                    let statements = try again.statements(found: try await TargetPreparation.find(connection, names))
                    for statement in statements.prefix(rounds) { try await connection.query(statement) }
                    done = statements.count <= rounds
                }
                #expect(rounds > 2)
                for table in try await Self.read(connection, "copy") {
                    #expect(table.indexes.filter(\.isUnique).count <= 1, "\(table.name)")
                    #expect(table.foreignKeys.isEmpty, "\(table.name)")
                    #expect(try await connection.query("SELECT 1 FROM \(table.name.sql) LIMIT 1").rows.isEmpty)
                }
                try await Self.build(connection, plan.tables)
                let after = try await Self.read(connection, "copy")
                for (left, right) in zip(before, after) { try Self.expectSame(left, right) }
            }
        }
    }

    /// More tables than are named in a query.
    @Test func manyTables() async throws {
        try await withServer(.mysql9, Self.options) { server in
            let count = CatalogQueries.Scope.namedTables + 5
            let tables = (0..<count).map { "CREATE TABLE t\($0) (id INT PRIMARY KEY, v INT, KEY (v));" }
            try await server.sql("CREATE DATABASE many; USE many; \(tables.joined()) CREATE DATABASE other; CREATE TABLE other.t1 (x INT)")
            try await server.withConnection { connection in
                let all = try await Catalog.read(connection, include: { $0.schema == "many" }, schemas: { $0 == "many" })
                #expect(all.count == count)
                #expect(all.allSatisfy { $0.columns.count == 2 && $0.indexes.count == 2 && $0.name.schema == "many" })
                let few = try await Catalog.read(connection, include: { $0.table == "t1" })
                #expect(few.map(\.name.description) == ["many.t1", "other.t1"])
                #expect(few.map(\.columns.count) == [2, 1])
                #expect(try await Catalog.read(connection, table: TableName(schema: "many", table: "none")) == nil)
            }
        }
    }

    /// MariaDB's catalog can be read, so that a refusal can say what it is about.
    @Test func mariaDB() async throws {
        try await withServer(.mariadb, ServerOptions(tls: .off, durable: false)) { server in
            try await server.sql(
                """
                CREATE DATABASE feat; USE feat;
                CREATE TABLE p (id INT PRIMARY KEY, n VARCHAR(10) DEFAULT 'a,''(', j JSON, UNIQUE KEY (n), g INT AS (id + 1) PERSISTENT) COMMENT 'x''y';
                CREATE TABLE c (id INT PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE);
                """)
            try await server.withConnection { connection in
                let tables = try await Self.read(connection, "feat")
                #expect(tables.map(\.name.table) == ["c", "p"])
                let parent = try #require(tables.last)
                #expect(parent.columns.map(\.isGenerated) == [false, false, false, true])
                #expect(parent.indexes.map(\.name) == ["PRIMARY", "n"])
                #expect(tables.first?.foreignKeys.first?.cascades == true)
                let facts = try await ServerFacts.read(connection)
                #expect(facts.isMariaDB)
                #expect(!facts.logsCascades)
                #expect(facts.binaryLogs.count == 1)
                #expect(facts.preparedXA == 0)
            }
        }
    }
}
