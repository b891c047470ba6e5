import Foundation
import GodwitTesting
import Testing

/// One migration under torture: strikes its faults one after the other at the moments that the program announces, without stopping
/// it there, and starts it again where a fault has killed it.
struct TortureRun {
    let run: FaultRun
    let source: FaultProxy
    let target: FaultProxy
    let sampler: PrefixSampler
    let writer: TortureWriter
    private var godwit: GodwitProcess?
    /// Lines of the process's standard error that were looked at.
    private var seen = 0
    private(set) var struck: [String] = []
    private let began = ContinuousClock.now

    init(run: FaultRun, source: FaultProxy, target: FaultProxy, sampler: PrefixSampler, writer: TortureWriter) {
        self.run = run
        self.source = source
        self.target = target
        self.sampler = sampler
        self.writer = writer
    }

    private var scenario: Scenario { run.scenario }

    // MARK: Godwit

    private mutating func started(cutover: Bool) async throws -> GodwitProcess {
        if let godwit { return godwit }
        let new = try await scenario.godwit(cutover ? ["migrate", "--cutover", "auto"] : ["migrate"])
        godwit = new
        seen = 0
        return new
    }

    mutating func kill() async throws {
        try await godwit?.kill9()
        godwit = nil
    }

    /// Waits for the fault's moment, or for a later part. False: the migration has ended, well.
    private mutating func reach(_ fault: TortureFault, _ godwit: GodwitProcess) async throws -> Bool {
        let (log, name, part) = (godwit.standardError, "moment: \(fault.moment)", fault.part)
        let output = godwit.standardOutput
        var left = fault.passing
        while true {
            let from = seen
            let line = try await withTimeLimit(.seconds(400), "\(fault) did not come:\n\(output.tail(20))\n\(log.tail(40))") {
                try await log.first(from: from) { $0 == name || Self.part(of: $0).map { $0 > part } == true }
            }
            guard let line else {
                let exit = try await godwit.exit()
                guard exit == .code(0), fault.part == .cutover else {
                    throw TestingError("godwit ended with \(exit) before \(fault):\n\(godwit.standardOutput.tail())\n\(log.tail(60))")
                }
                return false
            }
            seen += (log.lines.dropFirst(from).firstIndex(of: line) ?? from) - from + 1
            left -= 1
            if line != name || left == 0 { return true }
        }
    }

    private static func part(of line: String) -> TortureFault.Part? {
        line.hasPrefix("moment: ") ? TortureFault.Part(moment: String(line.dropFirst(8))) : nil
    }

    // MARK: Faults

    mutating func strike(_ fault: TortureFault) async throws {
        let godwit = try await started(cutover: fault.part == .cutover)
        guard try await reach(fault, godwit) else { return }
        // Halving ends when the target has come level through it, or with the next fault.
        try await source.release()
        try await target.release()
        print("torture: \((ContinuousClock.now - began).formatted(.units(allowed: [.seconds], width: .narrow, fractionalPart: .show(length: 1)))) \(fault)")
        struck.append(fault.description)
        switch fault.strike {
        case .killGodwit: try await kill()
        case .killSource:
            try await scenario.source.kill()
            try await scenario.source.start()
        case .killTarget:
            try await scenario.target.kill()
            try await scenario.target.start()
        case .source(let network): try await strike(network, source, of: fault)
        case .target(let network): try await strike(network, target, of: fault)
        }
        if self.godwit != nil { seen = godwit.standardError.lines.count }
        if fault.part == .follow {
            _ = try await started(cutover: false)
            try await caughtUp()
            try await source.release()
            try await target.release()
        }
    }

    private mutating func strike(_ fault: NetworkFault, _ proxy: FaultProxy, of torture: TortureFault) async throws {
        let from = proxy.log.lines.count
        try await proxy.arm(fault)
        do {
            try await proxy.struck(fault, from: from)
        } catch {
            // The cutover may have come to its end before the path had another byte to carry: as if its moment had not come.
            guard torture.part == .cutover, let godwit, try await godwit.exit(within: .seconds(1)) == .code(0) else { throw error }
            struck.removeLast()
            return
        }
        guard fault.kind == .stall else { return }
        // As long as the application needs for this many transactions; then it goes on, or turns out to be broken.
        let (transfers, lines) = (writer.transfers, writer.transfers.lines.count)
        _ = try await withTimeLimit(.seconds(60), "no transactions during a stall") {
            try await transfers.first(from: lines + 30) { _ in true }
        }
        if !fault.all || fault.afterBytes % 2 == 0 { try await proxy.cut(reset: fault.afterBytes % 4 == 0) }
        try await proxy.release()
    }

    /// Waits until the target shows what the source has committed by now.
    private func caughtUp() async throws {
        let counter = Int64(try await scenario.source.value("SELECT n FROM torture.counter")) ?? 0
        do {
            try await sampler.wait(reads: 1, counter: counter)
        } catch {
            throw TestingError("not caught up after \(struck.last ?? "?"): \(error)\n\(godwit?.standardError.tail(40) ?? "")")
        }
    }

    /// Lets it run to its end.
    mutating func complete() async throws {
        let godwit = try await started(cutover: true)
        let exit = try await godwit.exit(within: .seconds(400))
        guard exit == .code(0) else {
            throw TestingError("godwit ended with \(exit):\n\(godwit.standardOutput.tail())\n\(godwit.standardError.tail(60))")
        }
    }

    // MARK: Proof

    private static func counter(_ definition: String) -> String {
        definition.firstMatch(of: /AUTO_INCREMENT=([0-9]+)/).map { String($0.1) } ?? ""
    }

    /// What differs between the two servers, by their own clients.
    func differences(schemas: [String]) async throws -> [String] {
        var found: [String] = []
        for schema in schemas {
            found += try await TableFingerprint.differences(of: schema, on: scenario.source, and: scenario.target)
            let names = try await scenario.source.sql(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '\(schema)' ORDER BY 1")
            for name in names.compactMap(\.first) {
                let sql = "SHOW CREATE TABLE `\(schema)`.`\(name)`"
                let left = try await scenario.source.sql(sql).joined().joined()
                let right = try await scenario.target.sql(sql).joined().joined()
                // With AUTO_INCREMENT, comments, options: all that the server says of the table. Two kinds of servers say it in
                // words of their own, but for the counter.
                let isSame = scenario.source.flavour == scenario.target.flavour
                let (mine, theirs) = isSame ? (left, right) : (Self.counter(left), Self.counter(right))
                if mine != theirs { found.append("\(schema).\(name): source \(left), target \(right)") }
            }
        }
        return found
    }
}
