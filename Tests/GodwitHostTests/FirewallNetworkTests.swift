import Foundation
import GodwitTesting
import SystemPackage
import Testing

@testable import GodwitHost

/// `source expose` and `unexpose` in network namespaces: who reaches the port is asked from outside, and what is left is compared.
@Suite struct FirewallNetworkTests {
    private static let port = "3306"

    /// What stands on the source before, and whether the port is then open to the other hosts.
    enum Before: String, CaseIterable, Sendable {
        case nothing, iptablesClosed, iptablesBroadAccept, nftClosed, nftBroadAccept, bothClosed
        var isOpen: Bool { [.nothing, .iptablesBroadAccept, .nftBroadAccept].contains(self) }
    }

    private func prepare(_ rig: NetworkRig, _ before: Before) async throws {
        if [.iptablesClosed, .iptablesBroadAccept, .bothClosed].contains(before) {
            for (program, ping) in [("iptables", "icmp"), ("ip6tables", "ipv6-icmp")] {
                var rules = ["-A INPUT -p \(ping) -j ACCEPT", "-A OUTPUT -p \(ping) -j ACCEPT", "-A INPUT -i lo -j ACCEPT", "-A OUTPUT -o lo -j ACCEPT"]
                // A comment that only begins as ours do.
                rules.append("-A INPUT -p tcp --dport 22 -m comment --comment \"godwit:app2 and more\" -j ACCEPT")
                rules += before == .iptablesBroadAccept ? ["-A INPUT -p tcp -j ACCEPT"] : ["-P INPUT DROP", "-P OUTPUT DROP"]
                for rule in rules { try await rig.run(.source, ["sh", "-c", "\(program) \(rule)"]) }
            }
        }
        if [.nftClosed, .nftBroadAccept, .bothClosed].contains(before) {
            let policy = before == .nftBroadAccept ? "accept" : "drop"
            let accept = before == .nftBroadAccept ? "tcp dport 1-65535 accept; tcp dport 3306 drop;" : "tcp dport 22 accept;"
            let table = """
                table inet filter {
                chain input { type filter hook input priority 0; policy \(policy); iif lo accept; meta l4proto ipv6-icmp accept; \(accept) }
                chain output { type filter hook output priority 0; policy \(policy); oif lo accept; meta l4proto ipv6-icmp accept; }
                }

                """
            try await rig.run(.source, ["nft", table])
        }
    }

    private func listen(_ rig: NetworkRig) async throws -> GuardedProcess {
        let listener = try await rig.start(
            .source, ["/usr/bin/ruby", "-rsocket", "-e", "s = TCPServer.new('::', \(Self.port)); puts 'ready'; STDOUT.flush; loop { s.accept.close }"])
        let ready = try await withTimeLimit(.seconds(30), "no listener") { try await listener.standardOutput.first { $0 == "ready" } }
        #expect(ready != nil)
        return listener
    }

    private func isOpen(_ rig: NetworkRig, from place: NetworkRig.Place, v6: Bool) async throws -> Bool {
        let address = place == .source ? (v6 ? "::1" : "127.0.0.1") : NetworkRig.source(from: place, v6: v6)
        let result = try await rig.godwit(place, ["source", "probe", "--host", address, "--port", Self.port, "--timeout", "0.5", "--json"])
        return result.output.contains("\"state\":\"open\"")
    }

    private func expect(_ rig: NetworkRig, host: Bool, stranger: Bool, _ what: String) async throws {
        for v6 in [false, true] {
            #expect(try await isOpen(rig, from: .host, v6: v6) == host, "host, IPv6 \(v6), \(what)")
            #expect(try await isOpen(rig, from: .stranger, v6: v6) == stranger, "stranger, IPv6 \(v6), \(what)")
            #expect(try await isOpen(rig, from: .source, v6: v6), "the source itself, IPv6 \(v6), \(what)")
        }
    }

    private func arguments(_ folder: FilePath, _ tool: FirewallTool) -> [String] {
        let allow = [false, true].flatMap { ["--allow", NetworkRig.address(of: .host, v6: $0)] }
        return ["source", "expose", "--name", "app", "--port", Self.port, "--firewall", tool.rawValue, "--state", folder.appending("state").string] + allow
    }
    private func unexpose(_ rig: NetworkRig, _ folder: FilePath) async throws {
        let result = try await rig.godwit(.source, ["source", "unexpose", "--name", "app", "--state", folder.appending("state").string])
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test(arguments: Before.allCases, [FirewallTool.iptables, .nftables])
    func onlyTheHost(_ before: Before, _ tool: FirewallTool) async throws {
        try await withTemporaryFolder("expose") { folder in
            try await NetworkRig.with { rig in
                let listener = try await listen(rig)
                try await prepare(rig, before)
                let dumps = try await rig.dumps()
                try await expect(rig, host: before.isOpen, stranger: before.isOpen, "before")
                for what in ["during", "a second time"] {
                    let result = try await rig.godwit(.source, arguments(folder, tool))
                    #expect(result.exit == .code(0), "\(result.output)")
                    #expect(result.output.contains("in its place already") == (what != "during"), "\(result.output)")
                    try await expect(rig, host: true, stranger: false, what)
                }
                try await unexpose(rig, folder)
                try await expect(rig, host: before.isOpen, stranger: before.isOpen, "after")
                #expect(try await rig.dumps() == dumps)
                try await unexpose(rig, folder)
                try await listener.kill9()
            }
        }
    }

    /// Somebody lets everybody in, above Godwit's rules: the same command puts them first again.
    @Test(arguments: [FirewallTool.iptables, .nftables]) func pushedBack(_ tool: FirewallTool) async throws {
        try await withTemporaryFolder("expose") { folder in
            try await NetworkRig.with { rig in
                let listener = try await listen(rig)
                try await prepare(rig, .iptablesClosed)
                #expect(try await rig.godwit(.source, arguments(folder, tool)).exit == .code(0))
                for program in ["iptables", "ip6tables"] {
                    try await rig.run(.source, [program, "-I", "INPUT", "-p", "tcp", "-j", "ACCEPT"])
                    try await rig.run(.source, [program, "-I", "OUTPUT", "-p", "tcp", "-j", "ACCEPT"])
                }
                #expect(try await rig.godwit(.source, arguments(folder, tool)).exit == .code(0))
                try await expect(rig, host: true, stranger: false, "again")
                for program in ["iptables", "ip6tables"] {
                    try await rig.run(.source, [program, "-D", "INPUT", "-p", "tcp", "-j", "ACCEPT"])
                    try await rig.run(.source, [program, "-D", "OUTPUT", "-p", "tcp", "-j", "ACCEPT"])
                }
                try await unexpose(rig, folder)
                try await expect(rig, host: false, stranger: false, "after")
                try await listener.kill9()
            }
        }
    }

    /// Other addresses, and another tool: what the first one made is gone, and one command takes all of it back.
    @Test func changed() async throws {
        try await withTemporaryFolder("expose") { folder in
            try await NetworkRig.with { rig in
                let listener = try await listen(rig)
                let dumps = try await rig.dumps()
                let stranger = arguments(folder, .iptables).map { $0.replacing("10.77.1.", with: "10.77.2.").replacing("fd77:1:", with: "fd77:2:") }
                #expect(try await rig.godwit(.source, stranger).exit == .code(0))
                try await expect(rig, host: false, stranger: true, "the stranger")
                #expect(try await rig.godwit(.source, arguments(folder, .iptables)).exit == .code(0))
                try await expect(rig, host: true, stranger: false, "the host")
                #expect(try await rig.godwit(.source, arguments(folder, .nftables)).exit == .code(0))
                try await expect(rig, host: true, stranger: false, "by nftables")
                #expect(try await !rig.run(.source, ["iptables", "-S"]).contains("godwit"))
                let status = try await rig.godwit(.source, ["source", "status", "--state", folder.appending("state").string])
                #expect(status.output.contains("back by: nft delete table inet godwit-app"), "\(status.output)")
                try await unexpose(rig, folder)
                #expect(try await rig.dumps() == dumps)
                try await listener.kill9()
            }
        }
    }

    /// Who is connected is not cut off without being asked for.
    @Test func connectedOthers() async throws {
        try await withTemporaryFolder("expose") { folder in
            try await NetworkRig.with { rig in
                let server = try await rig.start(
                    .source, ["/usr/bin/ruby", "-rsocket", "-e", "s = TCPServer.new('::', \(Self.port)); puts 'ready'; STDOUT.flush; c = s.accept; sleep"])
                _ = try await withTimeLimit(.seconds(30), "no listener") { try await server.standardOutput.first { $0 == "ready" } }
                let client = try await rig.start(
                    .stranger, ["/usr/bin/ruby", "-rsocket", "-e", "TCPSocket.new('10.77.2.1', \(Self.port)); puts 'ready'; STDOUT.flush; sleep"])
                _ = try await withTimeLimit(.seconds(30), "no client") { try await client.standardOutput.first { $0 == "ready" } }
                let dumps = try await rig.dumps()
                let refused = try await rig.godwit(.source, arguments(folder, .iptables))
                #expect(refused.exit == .code(2) && refused.output.contains("10.77.2.2"), "\(refused.output)")
                #expect(try await rig.dumps() == dumps)
                #expect(try await rig.godwit(.source, arguments(folder, .iptables) + ["--cut-others"]).exit == .code(0))
                try await unexpose(rig, folder)
                #expect(try await rig.dumps() == dumps)
                try await client.kill9()
                try await server.kill9()
            }
        }
    }

    /// Killed at each step: what was made is taken back; or the same command goes on, and that is taken back.
    @Test(arguments: ["firewall-planned", "firewall-made"], [FirewallTool.iptables, .nftables])
    func killed(_ moment: String, _ tool: FirewallTool) async throws {
        // Both firewalls refuse, so every kind of change is made: IPv4, IPv6, nftables.
        for passing in 1...3 {
            for goesOn in [false, true] {
                try await withTemporaryFolder("expose") { folder in
                    try await NetworkRig.with { rig in
                        let listener = try await listen(rig)
                        try await prepare(rig, .bothClosed)
                        let dumps = try await rig.dumps()
                        let halt = "GODWIT_HALT_AT=\(moment):\(passing)"
                        let process = try await rig.start(.source, ["env", halt, try GodwitProcess.binary()] + arguments(folder, tool))
                        let seen = try await withTimeLimit(.seconds(60), "no \(halt)") { try await process.standardError.first { $0 == "moment: \(moment)" } }
                        #expect(seen != nil, "\(halt): \(process.standardError.tail())")
                        try await process.kill9()
                        #expect(try await !isOpen(rig, from: .stranger, v6: false))
                        if goesOn {
                            #expect(try await rig.godwit(.source, arguments(folder, tool)).exit == .code(0))
                            try await expect(rig, host: true, stranger: false, "gone on after \(halt)")
                        }
                        try await unexpose(rig, folder)
                        #expect(try await rig.dumps() == dumps, "\(halt)")
                        try await listener.kill9()
                    }
                }
            }
        }
    }
}
