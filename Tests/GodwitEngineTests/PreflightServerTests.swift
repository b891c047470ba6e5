import GodwitTesting
import MySQLWire
import Testing

@testable import GodwitEngine

@Suite("Preflight on real servers", .serialized)
struct PreflightServerTests {
    static func plan(_ rules: String = "app") throws -> Plan {
        let json = """
            {"rules": [{"rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include",
              "object-locator": {"schema-name": "\(rules)", "table-name": "%"}}]}
            """
        let server = Plan.Server(address: .tcp(host: "", port: 0), user: "", password: nil, tls: .disabled)
        return Plan(
            task: "t", source: server, target: server, mappings: try TableMappings.parse(json: json, file: "rules").mappings,
            settings: TaskSettings(), application: .init(), stateFolder: "")
    }

    static func withPair(
        _ source: ServerOptions = ServerOptions(durable: false), _ target: ServerOptions = ServerOptions(durable: false),
        _ body: (TestServer, TestServer) async throws -> Void
    ) async throws {
        try await withServers(source: (.mysql9, source), target: (.mysql9, target)) { first, second in
            try await first.sql(
                "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, n VARCHAR(9)); CREATE TABLE app.nokey (a INT)")
            try await body(first, second)
        }
    }

    /// Every GRANT that is proposed is run as it stands, until none is missing; and each proposal was needed.
    @Test func theGrantsThatAreNamedAreTheOnesThatAreMissing() async throws {
        try await Self.withPair { source, target in
            for server in [source, target] { try await server.sql("CREATE USER mover@'%' IDENTIFIED BY 'secret'") }
            try await source.sql("GRANT SELECT ON app.t TO mover@'%'")
            func account(_ server: TestServer) -> MySQLConfiguration {
                var configuration = server.configuration(tls: MySQLTLS(mode: .required))
                configuration.username = "mover"
                configuration.password = "secret"
                return configuration
            }
            func findings() async throws -> [Finding] {
                try await source.withConnection(account(source)) { first in
                    try await target.withConnection(account(target)) { second in
                        try await Preflight.check(source: first, target: second, plan: try Self.plan())
                    }
                }
            }
            var rounds = 0
            while true {
                let found = try await findings().filter { $0.severity > .info && $0.cure.hasPrefix("GRANT ") }
                if found.isEmpty { break }
                rounds += 1
                try #require(rounds < 4, "\(found)")
                for finding in found {
                    let side = finding.check.hasPrefix("target") ? target : source
                    try await side.sql(finding.cure)
                }
                // What an account may not see is not listed: the second table comes with the grant on the schema.
                if rounds == 1 { try await source.sql("GRANT SELECT ON app.* TO mover@'%'") }
            }
            #expect(rounds > 0)
            #expect(try await findings().filter(\.blocks) == [])
        }
    }

    @Test func settingsOfTheSource() async throws {
        let bad = ServerOptions(
            gtids: false, durable: false,
            extra: [
                "--binlog-format=MIXED", "--binlog-row-image=MINIMAL", "--binlog-row-value-options=PARTIAL_JSON",
                "--binlog-expire-logs-seconds=60", "--innodb-native-foreign-keys=ON", "--binlog-ignore-db=scratch",
                "--log-replica-updates=OFF", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF",
            ])
        let shut = ServerOptions(durable: false, extra: ["--local-infile=0", "--super-read-only=ON"])
        try await Self.withPair(bad, shut) { source, target in
            try await source.sql(
                """
                CREATE TABLE app.m (id INT PRIMARY KEY) ENGINE=MyISAM; CREATE VIEW app.v AS SELECT 1;
                CREATE TABLE app.c (id INT PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (id) REFERENCES app.t (id) ON DELETE CASCADE);
                CREATE EVENT app.e ON SCHEDULE EVERY 1 DAY DO SELECT 1; CREATE PROCEDURE app.p() SELECT 1;
                CREATE TRIGGER app.tr BEFORE INSERT ON app.t FOR EACH ROW SET NEW.n = 'x'; XA START 'a'; INSERT app.t VALUES (1, ''); XA END 'a'; XA PREPARE 'a';
                """)
            let found = try await source.withConnection { first in
                try await target.withConnection { second in
                    try await Preflight.check(source: first, target: second, plan: try Self.plan())
                }
            }
            let blocking = Set(found.filter(\.blocks).map { "\($0.check) \($0.subject)" })
            #expect(
                blocking == [
                    "binlog-format source", "binlog-filters source", "engine app.m", "target-read-only target",
                ])
            let others = Set(found.filter { !$0.blocks && $0.severity > .ok }.map { "\($0.check) \($0.subject)" })
            #expect(
                others.isSuperset(of: [
                    "retention source", "positions source", "replica-updates source", "keyless app.nokey", "local-infile target",
                    "sync-binlog source", "row-image source", "partial-json source", "xa source",
                ]), "\(others)")
            // Nothing was written: the target is read-only, and has no schema of Godwit's.
            #expect(try await target.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'godwit'") == "0")
        }
    }

    @Test func tablesOfTheTarget() async throws {
        try await Self.withPair { source, target in
            try await target.sql(
                """
                CREATE DATABASE app; CREATE TABLE app.t (id BIGINT PRIMARY KEY, n VARCHAR(9)); CREATE VIEW app.nokey AS SELECT 1;
                INSERT app.t VALUES (1, ''); CREATE TRIGGER app.tr BEFORE INSERT ON app.t FOR EACH ROW SET NEW.n = 'x';
                CREATE TABLE app.outside (id BIGINT PRIMARY KEY, FOREIGN KEY (id) REFERENCES app.t (id));
                """)
            func findings(_ plan: Plan) async throws -> Set<String> {
                try await source.withConnection { first in
                    try await target.withConnection { second in
                        let found = try await Preflight.check(source: first, target: second, plan: plan)
                        return Set(found.filter { $0.check.hasPrefix("target-") && $0.severity > .info }.map { "\($0.severity) \($0.check) \($0.subject)" })
                    }
                }
            }
            var plan = try Self.plan()
            #expect(
                try await findings(plan) == [
                    "error target-rows app.t", "error target-fit app.t", "error target-object app.nokey", "refusal target-triggers app.t",
                    "warning target-reference app.outside",
                ])
            plan.settings.preparation = .dropAndCreate
            #expect(
                try await findings(plan) == [
                    "warning target-drop app.t", "error target-object app.nokey", "warning target-reference app.outside",
                ])
        }
    }

    @Test func oneServerTwice() async throws {
        try await withServer(.mysql9, ServerOptions(durable: false)) { server in
            try await server.sql("CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY)")
            try await server.withConnection { first in
                try await server.withConnection { second in
                    let found = try await Preflight.check(source: first, target: second, plan: try Self.plan())
                    #expect(found.first?.check == "same-server")
                }
            }
        }
    }
}
