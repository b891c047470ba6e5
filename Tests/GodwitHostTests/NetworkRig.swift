import Foundation
import GodwitTesting

/// Three hosts in network namespaces of a test's own: a source, the host that may reach it, and a stranger, each with a
/// line of its own to the source, IPv4 and IPv6. The machine's own network is not touched.
struct NetworkRig: Sendable {
    enum Place: String, CaseIterable { case source, host, stranger }

    private let tag = String(UInt32.random(in: 0 ... .max), radix: 36)
    private let environment: [String: String?]

    private init(environment: [String: String?]) { self.environment = environment }

    private func name(_ place: Place) -> String { "godwit-\(tag)-\(place.rawValue)" }

    /// The source's address as `from` sees it.
    static func source(from place: Place, v6: Bool) -> String {
        let line = place == .host ? 1 : 2
        return v6 ? "fd77:\(line)::1" : "10.77.\(line).1"
    }
    static func address(of place: Place, v6: Bool) -> String {
        let line = place == .host ? 1 : 2
        return v6 ? "fd77:\(line)::2" : "10.77.\(line).2"
    }

    static func with(_ body: (NetworkRig) async throws -> Void) async throws {
        // Firewall tools lie in sbin, which a user's PATH may lack.
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
        let rig = NetworkRig(environment: ["PATH": path])
        do {
            try await rig.make()
            try await body(rig)
        } catch {
            await rig.remove()
            throw error
        }
        await rig.remove()
    }

    private func make() async throws {
        for place in Place.allCases {
            try await ip("netns", "add", name(place))
            try await run(place, ["ip", "link", "set", "lo", "up"])
        }
        for place in [Place.host, .stranger] {
            try await ip("-n", name(.source), "link", "add", place.rawValue, "type", "veth", "peer", "name", "source", "netns", name(place))
            for (at, device, end) in [(Place.source, place.rawValue, true), (place, "source", false)] {
                for v6 in [false, true] {
                    let address = end ? Self.source(from: place, v6: v6) : Self.address(of: place, v6: v6)
                    let mask = v6 ? ["\(address)/64", "nodad"] : ["\(address)/24"]
                    try await run(at, ["ip", "address", "add"] + mask + ["dev", device])
                }
                try await run(at, ["ip", "link", "set", device, "up"])
            }
        }
    }

    private func remove() async {
        for place in Place.allCases { _ = try? await ip("netns", "delete", name(place)) }  // some may not have been made
    }

    @discardableResult
    private func ip(_ arguments: String...) async throws -> String { try await output("/sbin/ip", arguments).output }

    private func output(_ program: String, _ arguments: [String]) async throws -> (output: String, exit: GuardedProcess.Exit) {
        let result = try await run(program, arguments)
        guard result.exit == .code(0) else {
            throw TestingError("\(program) \(arguments.joined(separator: " ")) ended with \(result.exit): \(result.output)")
        }
        return result
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> (output: String, exit: GuardedProcess.Exit) {
        let process = try await GuardedProcess.start(program, arguments, environment: environment)
        let exit = try await withTimeLimit(.seconds(60), "\(program) does not end") { try await process.wait() }
        return (process.standardOutput.text + (exit == .code(0) ? "" : process.standardError.text), exit)
    }

    /// Runs a program in a place; its output.
    @discardableResult
    func run(_ place: Place, _ argv: [String]) async throws -> String {
        try await output("/sbin/ip", ["netns", "exec", name(place)] + argv).output
    }

    /// Runs a program whose exit code is part of the answer.
    func attempt(_ place: Place, _ argv: [String]) async throws -> (output: String, exit: GuardedProcess.Exit) {
        try await run("/sbin/ip", ["netns", "exec", name(place)] + argv)
    }

    /// Starts a program that goes on.
    func start(_ place: Place, _ argv: [String]) async throws -> GuardedProcess {
        try await GuardedProcess.start("/sbin/ip", ["netns", "exec", name(place)] + argv, environment: environment)
    }

    /// All firewalls of the source as their own tools dump them, but for counters and times.
    func dumps() async throws -> String {
        var text = ""
        for argv in [["iptables-save"], ["ip6tables-save"], ["nft", "list", "ruleset"]] {
            text += try await run(.source, argv).split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0 + "\n" }.joined()
        }
        return text.replacing(/\[\d+:\d+\]/, with: "[0:0]").replacing(/packets \d+ bytes \d+/, with: "packets 0 bytes 0")
    }

    /// The built program.
    func godwit(_ place: Place, _ arguments: [String]) async throws -> (output: String, exit: GuardedProcess.Exit) {
        try await attempt(place, [try GodwitProcess.binary()] + arguments)
    }
}
