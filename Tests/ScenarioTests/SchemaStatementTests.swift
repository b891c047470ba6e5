import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// Statements about whole schemas: what they make of the tables in them comes to the target.
@Suite struct SchemaStatementTests {
    private static func expectSame(_ rig: MigrationRig, _ comment: String) async throws {
        let list = "SELECT table_schema, table_name, table_collation FROM information_schema.tables WHERE table_schema IN ('app1', 'app2', 'app3') ORDER BY 1, 2"
        let tables = try await rig.source.sql(list)
        #expect(try await rig.target.sql(list) == tables, "\(comment)")
        for schema in Set(tables.map { $0[0] }) {
            let defaults = "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = '\(schema)'"
            #expect(try await rig.source.sql(defaults) == rig.target.sql(defaults), "\(comment): \(schema)")
            try await rig.expectEqual(schema, comment)
        }
    }

    private static let statements = [
        "CREATE DATABASE app2 COLLATE latin1_german1_ci; CREATE TABLE app2.t (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO app2.t VALUES (1, 'a')",
        "ALTER DATABASE app1 COLLATE utf8mb4_bin; CREATE TABLE app1.bin (id INT PRIMARY KEY, v TEXT); USE app1; ALTER DATABASE CHARACTER SET = latin2; CREATE TABLE app1.l2 (id INT PRIMARY KEY, v TEXT); INSERT INTO app1.l2 VALUES (1, 'x')",
        "ALTER DATABASE app1 DEFAULT CHARACTER SET utf8mb4 ENCRYPTION 'N'; INSERT INTO app1.bin VALUES (1, 'ü')",
        "DROP DATABASE app2",
        "DROP DATABASE app1; CREATE DATABASE app1; CREATE TABLE app1.t (id INT PRIMARY KEY, n INT); INSERT INTO app1.t VALUES (8, 8); CREATE DATABASE app3; CREATE TABLE app3.t SELECT 1 AS a WHERE FALSE",
    ]

    @Test func followed() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql("CREATE DATABASE app1; CREATE TABLE app1.t (id INT PRIMARY KEY, n INT); INSERT INTO app1.t VALUES (1, 1); CREATE TABLE app1.k (a INT)")
            try rig.plan(tables: #"{ include: ["app?.*"] }"#)
            try await rig.godwit(["migrate", "--until", "validated"])
            for statement in Self.statements.dropLast() + [Self.statements.last?.replacing("SELECT 1 AS a WHERE FALSE", with: "(id INT PRIMARY KEY)") ?? ""] {
                try await rig.source.sql(statement)
                let run = try await rig.godwit(["migrate", "--until", "validated"], expecting: nil)
                #expect(run.code == 0, "\(statement): \(run.errors)")
                try await Self.expectSame(rig, statement)
            }
        }
    }

    @Test(arguments: [true, false]) func duringTheLoad(gtids: Bool) async throws {
        try await MigrationRig.with(source: ServerOptions(gtids: gtids)) { rig in
            try await rig.source.sql("CREATE DATABASE app1; CREATE TABLE app1.t (id INT PRIMARY KEY, n INT); INSERT INTO app1.t VALUES (1, 1)")
            try rig.plan(tables: #"{ include: ["app?.*"] }"#)
            let signal = rig.folder.appending("go-on").string
            let godwit = try await GodwitProcess.start(
                ["migrate", "--until", "validated"], in: rig.folder, environment: ["GODWIT_HALT_UNTIL": signal], haltAt: "load.chunk.begin")
            try await godwit.halted()
            for statement in Self.statements.dropLast(2) { try await rig.source.sql(statement) }
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try await godwit.exit() == .code(0), "\(godwit.standardError.lines)")
            try await Self.expectSame(rig, "during the load")
        }
    }
}
