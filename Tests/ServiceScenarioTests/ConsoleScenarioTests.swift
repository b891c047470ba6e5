import Foundation
import GodwitTesting
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
}
