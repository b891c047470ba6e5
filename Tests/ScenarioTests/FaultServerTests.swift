import GodwitTesting
import Testing

/// The source or the target dies (SIGKILL) while Godwit stands at a named moment, and comes back on the same data: Godwit
/// goes on by itself and ends equal, in the write pause too.
@Suite struct FaultServerTests {
    @Test(arguments: FaultMoments.serverFaults)
    func serverDiesAndComesBack(fault: FaultMoments.ServerFault) async throws {
        try await withFaults(fault.testDescription) { run in
            let server = fault.killsSource ? run.scenario.source : run.scenario.target
            try await run.strike(at: fault.moment) { goOn in
                try await server.kill()
                if !fault.isBackFirst { try goOn() }
                try await server.start()
                if fault.isBackFirst { try goOn() }
            }
        }
    }
}
