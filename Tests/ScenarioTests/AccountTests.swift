import Foundation
import GodwitTesting
import Testing

/// `users:` in the plan: accounts, roles and grants go with their schemas, and whoever logged in before logs in after.
@Suite struct AccountTests {
    private static let schema = """
        CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, secret INT); INSERT INTO app.t VALUES (1, 1);
        CREATE DEFINER=owner@'%' VIEW app.v AS SELECT id FROM app.t; CREATE PROCEDURE app.p() SELECT 1;
        """
    private static let accounts = """
        CREATE USER owner@'%' IDENTIFIED BY 'o'; GRANT ALL ON app.* TO owner@'%';
        CREATE ROLE reading, writing@'%'; GRANT SELECT ON app.* TO reading; GRANT INSERT ON app.* TO writing; GRANT reading TO writing;
        CREATE USER 'app'@'%' IDENTIFIED BY 'pw''1' REQUIRE SSL WITH MAX_USER_CONNECTIONS 7 PASSWORD HISTORY 2 COMMENT 'the ap''p';
        GRANT writing TO app@'%'; SET DEFAULT ROLE writing TO app@'%'; GRANT SELECT (id), UPDATE (secret) ON app.t TO app@'%'; GRANT EXECUTE ON PROCEDURE app.p TO app@'%';
        CREATE USER `o``dd na"me`@'127.0.0.1' IDENTIFIED BY 'x' ACCOUNT LOCK; GRANT SELECT ON app.v TO `o``dd na"me`@'127.0.0.1' WITH GRANT OPTION; GRANT BACKUP_ADMIN ON *.* TO `o``dd na"me`@'127.0.0.1';
        CREATE USER plain@'%'; GRANT SELECT ON app.* TO plain@'%'; GRANT SELECT ON elsewhere.* TO plain@'%';
        CREATE USER old@'%' IDENTIFIED BY 'y'; CREATE USER taken@'%' IDENTIFIED BY 'z';
        """
    private static let names = ["owner@'%'", "reading", "writing", "app@'%'", "`o``dd na\"me`@'127.0.0.1'"]

    private static func shown(_ name: String, _ server: TestServer) async throws -> [[String]] {
        try await server.sql("SET print_identified_with_as_hex = ON; SHOW CREATE USER \(name); SHOW GRANTS FOR \(name)")
    }

    @Test func accountsRolesAndGrantsMove() async throws {
        try await MigrationRig.with { rig in
            try await rig.source.sql(Self.schema + Self.accounts)
            // Not overwritten, though it is another one.
            try await rig.target.sql("CREATE USER taken@'%' IDENTIFIED BY 'other'")
            let taken = try await Self.shown("taken@'%'", rig.target)
            try rig.plan(tables: #"{ include: ["app.*"] }"#, extra: #"users: { include: ["*"], exclude: ["old@*"] }"#)
            let first = try await rig.godwit(["migrate", "--until", "validated", "--json"], expecting: 4)
            #expect(first.output.contains("taken@%") && !first.output.contains("0x24"))
            for name in Self.names { #expect(try await Self.shown(name, rig.source) == Self.shown(name, rig.target), "\(name)") }
            #expect(try await Self.shown("taken@'%'", rig.target) == taken)
            #expect(try await rig.target.value("SELECT GROUP_CONCAT(User) FROM mysql.user WHERE User IN ('old', 'plain')") == "plain")
            #expect(try await rig.target.sql("SHOW GRANTS FOR plain").count == 2)

            // What changes before the cutover is followed; what goes, goes; what the operator mends is well.
            try await rig.source.sql("ALTER USER app@'%' IDENTIFIED BY 'new' ; REVOKE INSERT ON app.* FROM writing; DROP USER plain@'%'; CREATE USER late@'%' IDENTIFIED BY 'l'; GRANT DELETE ON app.t TO late@'%'")
            try await rig.target.sql("DROP USER taken@'%'")
            let end = try await rig.godwit(["migrate", "--cutover", "auto"])
            #expect(end.code == 0, "\(end.output)\n\(end.errors)")
            for name in Self.names + ["late@'%'", "taken@'%'"] {
                #expect(try await Self.shown(name, rig.source) == Self.shown(name, rig.target), "\(name)")
            }
            #expect(try await rig.target.value("SELECT COUNT(*) FROM mysql.user WHERE User = 'plain'") == "0")
        }
    }
}
