import Foundation
import GodwitTesting
import MySQLWire
import SystemPackage
import Testing

/// The service with the real clients against real servers.
@Suite(.serialized) struct ServiceTests {
    /// Every operation of the model, pages, filters, tags, certificates, and every wrong request with its fault.
    @Test func theWholeSurfaceAnswers() async throws {
        try await ServiceRig.with { rig in
            let certificate = try CertificateFactory(folder: rig.folder).caFile
            let service = try await rig.serve()
            try await rig.client("surface.py", address: service.address, environment: ["GODWIT_TEST_CERTIFICATE": certificate])
            service.process.interrupt()
            #expect(try await service.process.exit() == .code(0))
            // Nothing that was sent to it stands in what it says.
            let said = service.process.standardError.text + service.process.standardOutput.text
            #expect(!said.contains("<script>") && !said.contains(rig.keys["AWS_SECRET_ACCESS_KEY"] ?? "?"))
        }
    }

    /// A second service on the same state is refused; the state itself is its owner's alone.
    @Test func oneServicePerState() async throws {
        try await ServiceRig.with { rig in
            let service = try await rig.serve()
            let second = try await GodwitProcess.run(["serve", "--listen", "127.0.0.1:0", "--state", rig.state], in: rig.folder)
            #expect(second.exit == .code(1))
            #expect(second.errors.joined().contains("Another service runs with this state folder."))
            for name in ["master.key", "godwit.sqlite"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: rig.folder.appending("state").appending(name).string)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            }
            try await service.process.kill9()
        }
    }

    @Test func webhooksGetTheirEvents() async throws {
        try await ServiceRig.with { rig in
            let service = try await rig.serve()
            try await rig.client("events.py", address: service.address)
            service.process.interrupt()
            #expect(try await service.process.exit() == .code(0))
        }
    }

    @Test func theWholeLifeOfATask() async throws {
        try await Self.withDatabases(rows: 500) { source, target in
            try await ServiceRig.with { rig in
                let service = try await rig.serve()
                try await rig.client("life.py", ["\(source.port)", "\(target.port)"], address: service.address)
                let files = try FileManager.default.contentsOfDirectory(atPath: rig.state)
                for file in files where file.hasPrefix("godwit.sqlite") {
                    let bytes = try Data(contentsOf: URL(fileURLWithPath: rig.folder.appending("state").appending(file).string))
                    #expect(bytes.range(of: Data("a secret & more".utf8)) == nil, "\(file)")
                }
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
                let differences = try await TableFingerprint.differences(of: "app", on: source, and: target)
                #expect(differences.isEmpty)
            }
        }
    }

    /// kill -9 during the load and again while changes are followed: at the next start the task goes on by itself.
    @Test func tasksGoOnAfterKill() async throws {
        try await Self.withDatabases(rows: 60_000) { source, target in
            try await ServiceRig.with { rig in
                var service = try await rig.serve()
                try await rig.client("begin.py", ["\(source.port)", "\(target.port)"], address: service.address)
                try await service.process.kill9()
                try await source.sql("UPDATE app.people SET name = CONCAT(name, '!') WHERE id % 100 = 0")
                service = try await rig.serve()
                try await rig.client("validated.py", address: service.address)
                try await service.process.kill9()
                try await source.sql("DELETE FROM app.orders WHERE id % 7 = 0; UPDATE app.people SET name = 'x' WHERE id < 50")
                service = try await rig.serve()
                let rows = try await source.value("SELECT COUNT(*) FROM app.orders")
                let arrived = try await withTimeLimit(.seconds(60), "the changes do not arrive") {
                    while try await target.value("SELECT COUNT(*) FROM app.orders") != rows { await Task.yield() }
                    return true
                }
                #expect(arrived)
                try await rig.client("validated.py", address: service.address)
                let differences = try await TableFingerprint.differences(of: "app", on: source, and: target)
                #expect(differences.isEmpty)
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
            }
        }
    }

    /// With a lock on a target table and N changed rows, CDCIncomingChanges is N; and the task's log is read.
    @Test func changesThatWaitAreMeasured() async throws {
        try await Self.withDatabases(rows: 30_000) { source, target in
            try await ServiceRig.with { rig in
                let service = try await rig.serve()
                try await rig.client("begin.py", ["\(source.port)", "\(target.port)"], address: service.address)
                try await rig.client("validated.py", address: service.address)
                try await target.withConnection { lock in
                    try await lock.query("LOCK TABLES app.people WRITE")
                    try await source.sql("UPDATE app.people SET name = 'waits' WHERE id <= 300; DELETE FROM app.orders WHERE id <= 37")
                    try await rig.client("watched.py", ["337"], address: service.address)
                    try await lock.query("UNLOCK TABLES")
                }
                try await rig.client("watched.py", ["0"], address: service.address)
                try await rig.client("logs.py", address: service.address)
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
            }
        }
    }

    static func withDatabases(rows: Int, _ body: (TestServer, TestServer) async throws -> Void) async throws {
        try await withServers { source, target in
            for server in [source, target] {
                try await server.sql("CREATE USER mover IDENTIFIED BY 'a secret & more'; GRANT ALL ON *.* TO mover WITH GRANT OPTION")
            }
            try await source.sql(
                """
                CREATE DATABASE app; USE app;
                CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL, note TEXT);
                CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, person INT NOT NULL, amount DECIMAL(12,2), KEY (person),
                  FOREIGN KEY (person) REFERENCES people (id));
                SET SESSION cte_max_recursion_depth = 1000000;
                INSERT people WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows)) SELECT i, CONCAT('name ', i), REPEAT('n', i % 200) FROM n;
                INSERT orders (person, amount) SELECT id, id / 7 FROM people;
                """)
            try await body(source, target)
        }
    }
}
