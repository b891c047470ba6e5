import GodwitTesting
import Testing

@testable import GodwitHost

/// The built program, run where a firewall stands between it and the port.
@Suite struct ProbeNetworkTests {
    private static let port = "3306"

    private func state(_ rig: NetworkRig, from place: NetworkRig.Place, v6: Bool) async throws -> String {
        let result = try await rig.attempt(
            place,
            [
                try GodwitProcess.binary(), "source", "probe", "--host", NetworkRig.source(from: place, v6: v6), "--port", Self.port,
                "--timeout", "0.5", "--json",
            ])
        let text = result.output.split(separator: "\"state\":\"").last.map { $0.prefix { $0 != "\"" } } ?? ""
        return String(text)
    }

    private func expect(_ rig: NetworkRig, host: String, stranger: String, _ what: String) async throws {
        for v6 in [false, true] {
            #expect(try await state(rig, from: .host, v6: v6) == host, "host, IPv6 \(v6), \(what)")
            #expect(try await state(rig, from: .stranger, v6: v6) == stranger, "stranger, IPv6 \(v6), \(what)")
        }
    }

    @Test(arguments: ["iptables", "nftables"]) func openRefusedFiltered(_ tool: String) async throws {
        try await NetworkRig.with { rig in
            try await expect(rig, host: "refused", stranger: "refused", "nothing listens")
            let listener = try await rig.start(
                .source, ["/usr/bin/ruby", "-rsocket", "-e", "s = TCPServer.new('::', \(Self.port)); puts 'ready'; STDOUT.flush; loop { s.accept.close }"])
            let ready = try await withTimeLimit(.seconds(30), "no listener") { try await listener.standardOutput.first { $0 == "ready" } }
            #expect(ready != nil)
            try await expect(rig, host: "open", stranger: "open", "no rules")
            for v6 in [false, true] {
                let address = NetworkRig.address(of: .host, v6: v6)
                if tool == "iptables" {
                    let program = v6 ? "ip6tables" : "iptables"
                    try await rig.run(.source, [program, "-A", "INPUT", "-p", "tcp", "-s", address, "--dport", Self.port, "-j", "ACCEPT"])
                    try await rig.run(.source, [program, "-A", "INPUT", "-p", "tcp", "--dport", Self.port, "-j", "DROP"])
                } else {
                    let family = v6 ? "ip6" : "ip"
                    try await rig.run(.source, ["nft", "add table \(family) t; add chain \(family) t c { type filter hook input priority 0; }"])
                    try await rig.run(.source, ["nft", "add rule \(family) t c \(family) saddr \(address) tcp dport \(Self.port) accept"])
                    try await rig.run(.source, ["nft", "add rule \(family) t c tcp dport \(Self.port) drop"])
                }
            }
            try await expect(rig, host: "open", stranger: "filtered", "only the host")
            try await listener.kill9()
        }
    }

    @Test func noWayThere() async throws {
        try await NetworkRig.with { rig in
            // Nothing but its own line is known to the stranger.
            let result = try await rig.attempt(
                .stranger, [try GodwitProcess.binary(), "source", "probe", "--host", "10.99.0.1", "--expect", "unreachable", "--timeout", "1"])
            #expect(result.exit == .code(0), "\(result.output)")
            let unexpected = try await rig.attempt(.stranger, [try GodwitProcess.binary(), "source", "probe", "--host", "10.99.0.1", "--timeout", "1"])
            #expect(unexpected.exit == .code(1))
        }
    }
}
