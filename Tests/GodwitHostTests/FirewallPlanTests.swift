import Foundation
import Testing

@testable import GodwitHost

/// From what a firewall is now to what has to be done: tables, without a firewall.
@Suite struct FirewallPlanTests {
    private static let mark = "godwit:app"
    private static let comment = "-m comment --comment \"godwit:app\""
    private static let acceptIn = "-s 10.0.0.9/32 -p tcp -m tcp --dport 3306 -m conntrack --ctstate NEW,ESTABLISHED \(comment) -j ACCEPT"
    private static let dropIn = "! -i lo -p tcp -m tcp --dport 3306 \(comment) -j DROP"
    private static let acceptOut = "-d 10.0.0.9/32 -p tcp -m tcp --sport 3306 -m conntrack --ctstate ESTABLISHED \(comment) -j ACCEPT"
    private static let dropOut = "! -o lo -p tcp -m tcp --sport 3306 \(comment) -j DROP"
    private static let policies = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"

    private func request(_ addresses: String...) throws -> FirewallRequest {
        try FirewallRequest(name: "app", port: 3306, addresses: try addresses.map { try NetworkAddress($0) })
    }

    private func state(v4: String, v6: String = "", nft: String? = nil) throws -> FirewallState {
        var state = FirewallState()
        state.iptables = [.v4: try IPTablesRules(v4), .v6: try IPTablesRules(v6)]
        state.nft = try nft.map { try NFTRuleset(json: $0) }
        return state
    }

    /// The lines for the IPv4 table, without its frame and the comment.
    private func lines(_ rules: String, _ addresses: String..., tool: FirewallTool = .iptables) throws -> [String] {
        let request = try FirewallRequest(name: "app", port: 3306, addresses: try addresses.map { try NetworkAddress($0) })
        let plan = try FirewallPlan(request, on: try state(v4: rules), tool: tool)
        let command = plan.steps.compactMap(\.command).first { $0.program == "iptables-restore" }
        return (command?.input ?? "").split(separator: "\n").filter { $0.hasPrefix("-") }.map {
            String($0).replacing("\"", with: "").replacing(" -m comment --comment godwit:app", with: "")
        }
    }

    private static let insertions = [
        "-I INPUT ! -i lo -p tcp -m tcp --dport 3306 -j DROP",
        "-I INPUT -s 10.0.0.9/32 -p tcp -m tcp --dport 3306 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
        "-I OUTPUT ! -o lo -p tcp -m tcp --sport 3306 -j DROP",
        "-I OUTPUT -d 10.0.0.9/32 -p tcp -m tcp --sport 3306 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
    ]

    @Test func beforeEverythingElse() throws {
        #expect(try lines(Self.policies, "10.0.0.9") == Self.insertions)
        #expect(try lines(Self.policies + "-A INPUT -p tcp -j ACCEPT\n", "10.0.0.9") == Self.insertions)
    }

    @Test func inPlaceIsLeftAlone() throws {
        let rules =
            Self.policies + "-A INPUT \(Self.acceptIn)\n-A INPUT \(Self.dropIn)\n-A INPUT -p tcp -j ACCEPT\n"
            + "-A OUTPUT \(Self.acceptOut)\n-A OUTPUT \(Self.dropOut)\n"
        #expect(try lines(rules, "10.0.0.9") == [])
    }

    /// Behind a broader ACCEPT, twice, the wrong way round, one lost: taken out and put first, in one transaction.
    @Test(arguments: [
        ["-p tcp -j ACCEPT", acceptIn, dropIn], [acceptIn, "-p tcp -j ACCEPT", dropIn], [dropIn, acceptIn], [dropIn], [acceptIn],
        [acceptIn, dropIn, "-p udp -j DROP", dropIn], [acceptIn, dropIn, acceptIn],
    ]) func misplaced(_ chain: [String]) throws {
        let out = "-A OUTPUT \(Self.acceptOut)\n-A OUTPUT \(Self.dropOut)\n"
        let found = try lines(Self.policies + chain.map { "-A INPUT \($0)\n" }.joined() + out, "10.0.0.9")
        let own = chain.filter { $0.contains("godwit:app") }.count
        #expect(found.prefix(own).allSatisfy { $0.hasPrefix("-D INPUT") })
        #expect(Array(found.dropFirst(own)) == Array(Self.insertions.prefix(2)))
    }

    @Test func anotherNameIsNotTouched() throws {
        let other = Self.dropIn.replacing("godwit:app", with: "godwit:app2")
        let found = try lines(Self.policies + "-A INPUT \(other)\n", "10.0.0.9")
        #expect(found == Self.insertions)
    }

    @Test func anAddressThatIsNoLongerAllowedGoes() throws {
        let rules =
            Self.policies + "-A INPUT \(Self.acceptIn)\n-A INPUT \(Self.dropIn)\n-A OUTPUT \(Self.acceptOut)\n-A OUTPUT \(Self.dropOut)\n"
        let found = try lines(rules, "10.0.0.10")
        #expect(found.contains { $0.hasPrefix("-D INPUT -s 10.0.0.9/32") } && found.contains { $0.hasPrefix("-D OUTPUT -d 10.0.0.9/32") })
        #expect(!found.contains { $0.hasPrefix("-I") && $0.contains("10.0.0.9/32") })
    }

    /// Also where only IPv4 addresses may: nobody gets in by IPv6.
    @Test func theOtherFamilyIsShut() throws {
        let plan = try FirewallPlan(try request("10.0.0.9"), on: try state(v4: Self.policies, v6: Self.policies), tool: .iptables)
        let v6 = try #require(plan.steps.compactMap(\.command).first { $0.program == "ip6tables-restore" })
        #expect(v6.input.components(separatedBy: "-j DROP").count == 3 && !v6.input.contains("ACCEPT"))
    }

    /// With nftables, iptables is only asked to let pass whom it could refuse.
    @Test(arguments: [
        (policies, 0), ("-P INPUT DROP\n-P OUTPUT ACCEPT\n", 1), (policies + "-A INPUT -p tcp -j REJECT\n", 1),
        (policies + "-A INPUT -p tcp -j ACCEPT\n", 0), (policies + "-N x\n-A INPUT -j x\n-A OUTPUT -j x\n", 2),
    ]) func besideNFTables(_ rules: String, _ count: Int) throws {
        let empty = #"{"nftables": []}"#
        let plan = try FirewallPlan(try request("10.0.0.9"), on: try state(v4: rules, nft: empty), tool: .nftables)
        let input = plan.steps.compactMap(\.command).first { $0.program == "iptables-restore" }?.input ?? ""
        #expect(input.components(separatedBy: "-j ACCEPT").count - 1 == count)
        #expect(!input.contains("DROP"))
        #expect(plan.steps.compactMap(\.command).contains { $0.program == "nft" && $0.input.contains("add table inet godwit-app") })
    }

    private static func chain(_ policy: String, _ rules: String = "", type: String = "filter", hook: String = "input", family: String = "inet") -> String {
        """
        {"nftables": [{"metainfo": {}}, {"table": {"family": "\(family)", "name": "f", "handle": 1}},
        {"chain": {"family": "\(family)", "table": "f", "name": "c", "handle": 1, "type": "\(type)", "hook": "\(hook)", "prio": 0, "policy": "\(policy)"}}\(rules)]}
        """
    }
    private static func rule(_ expression: String) -> String {
        #", {"rule": {"family": "inet", "table": "f", "chain": "c", "handle": 7, "expr": [\#(expression)]}}"#
    }

    @Test(arguments: [
        (chain("drop"), true), (chain("accept"), false), (chain("accept", rule(#"{"accept": null}"#)), false),
        (chain("accept", rule(#"{"reject": null}"#)), true), (chain("accept", rule(#"{"jump": {"target": "x"}}"#)), true),
        (chain("drop", type: "nat"), false), (chain("drop", hook: "forward"), false), (chain("drop", family: "bridge"), false),
    ]) func chainsOfOthers(_ ruleset: String, _ isEntered: Bool) throws {
        for tool in [FirewallTool.iptables, .nftables] {
            let plan = try FirewallPlan(try request("10.0.0.9"), on: try state(v4: Self.policies, nft: ruleset), tool: tool)
            let input = plan.steps.compactMap(\.command).first { $0.program == "nft" }?.input ?? ""
            #expect(input.contains("insert rule inet f c ip saddr 10.0.0.9 tcp dport 3306") == isEntered)
        }
    }

    @Test func tools() throws {
        let request = try request("10.0.0.9")
        var state = try state(v4: Self.policies, v6: Self.policies, nft: #"{"nftables": []}"#)
        #expect(try FirewallPlan(request, on: state, tool: .auto).tool == .nftables)
        state.iptables[.v4] = try IPTablesRules("-P INPUT DROP\n")
        #expect(try FirewallPlan(request, on: state, tool: .auto).tool == .iptables)
        state.iptables[.v6] = nil
        // Half of it would leave the other family open.
        #expect(try FirewallPlan(request, on: state, tool: .auto).tool == .nftables)
        #expect(throws: HostError.self) { try FirewallPlan(request, on: state, tool: .iptables) }
        state.nft = nil
        #expect(throws: HostError.self) { try FirewallPlan(request, on: state, tool: .auto) }
        state.hasIPv6 = false
        #expect(try FirewallPlan(request, on: state, tool: .auto).tool == .iptables)
        #expect(throws: HostError.self) { try FirewallPlan(try self.request("fd00::1"), on: state, tool: .auto) }
    }

    @Test(arguments: [
        ("10.0.0.9", "10.0.0.9/32"), ("10.0.0.9/24", "10.0.0.0/24"), ("10.255.0.0/9", "10.128.0.0/9"), ("fd00::0:1", "fd00::1/128"),
        ("fd00:0:0:1::5/64", "fd00:0:0:1::/64"),
    ]) func addresses(_ text: String, _ expected: String) throws {
        #expect(try NetworkAddress(text).description == expected)
    }

    @Test(arguments: ["", "db.internal", "10.0.0", "10.0.0.9/33", "10.0.0.9/", "10.0.0.9/+8", "0.0.0.0/0", "::/0", "::ffff:10.0.0.9", "10.0.0.9 -j ACCEPT", "fd00::1%eth0"])
    func refusedAddresses(_ text: String) {
        #expect(throws: HostError.self) { try NetworkAddress(text) }
    }

    @Test(arguments: ["", "a b", "a\"", "a;b", "é", String(repeating: "a", count: 41)]) func refusedNames(_ name: String) throws {
        #expect(throws: HostError.self) { try FirewallRequest(name: name, port: 3306, addresses: [try NetworkAddress("10.0.0.9")]) }
    }

    @Test func words() throws {
        #expect(try IPTablesText.words(#"-A INPUT -m comment --comment "a \"b\" c" -j DROP"#) == ["-A", "INPUT", "-m", "comment", "--comment", #"a "b" c"#, "-j", "DROP"])
        #expect(IPTablesText.quoted(#"a "b" c"#) == #""a \"b\" c""#)
        #expect(throws: HostError.self) { try IPTablesText.words(#"-A INPUT "x"#) }
    }

    /// As Linux prints it on a little-endian machine.
    @Test func peers() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
               1: 0100000A:0CEA 0900000A:C001 01 00000000:00000000 00:00000000 00000000     0        0 2
               2: 0100000A:0016 0800000A:C002 01 00000000:00000000 00:00000000 00000000     0        0 3
               3: 0000000000000000FFFF00000100000A:0CEA 0000000000000000FFFF00000700000A:C003 01 0 0 0 0 0 4
               4: 000077FD000000000000000001000000:0CEA 000077FD000000000000000002000000:C003 01 0 0 0 0 0 4
            """
        #expect(PortPeers.parse(text, port: 3306).map(\.short) == ["10.0.0.9", "10.0.0.7", "fd77::2"])
    }
}
