import Foundation
import GodwitTesting
import MySQLWire
import SystemPackage
import Testing

/// The console as its users have it.
@Suite(.serialized) struct ConsoleScenarioTests {
    /// Signing in by link and key, forms, refusals: by a plain HTTP client.
    @Test func whoGetsIn() async throws {
        try await ServiceRig.with { rig in
            let service = try await rig.serve()
            let link = try ServiceRig.link(service.process)
            try await rig.client("console.py", address: service.address, environment: ["GODWIT_CONSOLE_LINK": link])
            service.process.interrupt()
            #expect(try await service.process.exit() == .code(0))
            let said = service.process.standardError.text
            #expect(!said.contains("<script>") && !said.contains(rig.keys["AWS_SECRET_ACCESS_KEY"] ?? "?"))
        }
    }

    /// A running task in a real browser: live, narrow, dark, by keyboard, without JavaScript.
    @Test func inARealBrowser() async throws {
        try await ServiceTests.withDatabases(rows: 500) { source, target in
            try await source.sql("CREATE TABLE app.`<script>alert(1)</script>` (id INT PRIMARY KEY); INSERT app.`<script>alert(1)</script>` VALUES (1)")
            try await ServiceRig.with { rig in
                let service = try await rig.serve()
                try await rig.client("begin.py", ["\(source.port)", "\(target.port)"], address: service.address)
                try await rig.client("validated.py", address: service.address)
                let pictures = ProcessInfo.processInfo.environment["GODWIT_SCREENSHOTS"] ?? rig.folder.string
                let browser = try await rig.start(
                    "browser.py", [pictures, "337"], address: service.address, environment: ["GODWIT_CONSOLE_LINK": try ServiceRig.link(service.process)])
                func told(_ word: String) async throws {
                    let line = try await withTimeLimit(.seconds(120), "the browser's script does not come to \(word):\n\(browser.standardError.tail())") {
                        try await browser.standardOutput.first { $0 == word }
                    }
                    guard line != nil else { throw TestingError("browser.py ended before \(word):\n\(browser.standardError.tail())") }
                }
                try await told("WRITE")
                try await source.sql(
                    """
                    INSERT app.people VALUES (1001, 'a', ''), (1002, 'b', ''), (1003, 'c', ''); UPDATE app.people SET name = 'changed' WHERE id IN (1, 2);
                    DELETE FROM app.orders WHERE id = 5
                    """)
                try await told("LOCK")
                try await target.withConnection { lock in
                    try await lock.query("LOCK TABLES app.people WRITE")
                    try await source.sql("UPDATE app.people SET name = 'waits' WHERE id <= 300; DELETE FROM app.orders WHERE id <= 38")
                    try await told("UNLOCK")
                    try await lock.query("UNLOCK TABLES")
                }
                try await ServiceRig.end(of: browser, "browser.py")
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
            }
        }
    }
}
