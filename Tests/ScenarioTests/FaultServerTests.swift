import GodwitTesting
import Testing

/// The source, the target or both die (SIGKILL) while Godwit stands at a named moment, and come back on the same data: Godwit
/// goes on by itself and ends equal, in the write pause too.
@Suite struct FaultServerTests {
    @Test(arguments: FaultMoments.serverFaults)
    func serverDiesAndComesBack(fault: FaultMoments.ServerFault) async throws { try await Self.strike(fault) }

    @Test(arguments: FaultMoments.rareServerFaults)
    func bothDieOrPositionsAreFiles(fault: FaultMoments.ServerFault) async throws { try await Self.strike(fault) }

    private static func strike(_ fault: FaultMoments.ServerFault) async throws {
        let options = ServerOptions(gtids: !fault.hasFilePositions)
        try await withFaults(fault.testDescription, source: options) { run in
            let servers =
                switch fault.victim {
                case .source: [run.scenario.source]
                case .target: [run.scenario.target]
                case .both: [run.scenario.source, run.scenario.target]
                }
            try await run.strike(at: fault.moment) { goOn in
                for server in servers { try await server.kill() }
                if !fault.isBackFirst { try goOn() }
                for server in servers { try await server.start() }
                if fault.isBackFirst { try goOn() }
            }
        }
    }
}
