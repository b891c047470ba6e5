/// Who may reach which port, and the name under which that is kept.
package struct FirewallRequest: Sendable, Hashable {
    package let name: String
    package let port: Int
    /// Without repetition, in the order given.
    package let addresses: [NetworkAddress]

    package init(name: String, port: Int, addresses: [NetworkAddress]) throws(HostError) {
        let allowed = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
        }
        guard (1...40).contains(name.utf8.count), allowed else {
            throw HostError(.refused, "'\(name)' is no name for an exposure.", cure: "Use 1 to 40 letters, digits, '-' and '_'.")
        }
        guard (1...65_535).contains(port) else { throw HostError(.refused, "\(port) is no port.", cure: "Give a port of 1 to 65535.") }
        guard !addresses.isEmpty else { throw HostError(.refused, "No address may reach the port.", cure: "Name at least one.") }
        self.name = name
        self.port = port
        var seen: Set<NetworkAddress> = []
        self.addresses = addresses.filter { seen.insert($0).inserted }
    }

    /// The comment of each rule.
    package var mark: String { "godwit:\(name)" }
    /// Godwit's own table of nftables.
    var table: String { "godwit-\(name)" }

    /// In the order in which they have to stand: who may, then nobody else.
    func rules(_ direction: PortRule.Direction, _ families: [NetworkAddress.Family]) -> [PortRule] {
        allowing(direction, families) + [PortRule(direction: direction, port: port, address: nil)]
    }

    func allowing(_ direction: PortRule.Direction, _ families: [NetworkAddress.Family]) -> [PortRule] {
        addresses.filter { families.contains($0.family) }.map { PortRule(direction: direction, port: port, address: $0) }
    }
}

/// One rule in nobody's language.
struct PortRule: Sendable, Hashable {
    enum Direction: String, Sendable, Hashable, CaseIterable {
        case input, output
        /// The chain of iptables.
        var chain: String { rawValue.uppercased() }
    }
    var direction: Direction
    var port: Int
    /// nil: everybody else is dropped, but for this host itself.
    var address: NetworkAddress?

    private var isInput: Bool { direction == .input }

    /// In the form and order in which `iptables -S` prints it.
    func iptables(mark: String) -> [String] {
        let port = ["-p", "tcp", "-m", "tcp", isInput ? "--dport" : "--sport", "\(port)"]
        let comment = ["-m", "comment", "--comment", mark]
        guard let address else { return ["!", isInput ? "-i" : "-o", "lo"] + port + comment + ["-j", "DROP"] }
        let states = isInput ? "NEW,ESTABLISHED" : "ESTABLISHED"
        return [isInput ? "-s" : "-d", address.description] + port + ["-m", "conntrack", "--ctstate", states] + comment + ["-j", "ACCEPT"]
    }

    func nft(mark: String) -> String {
        let port = "tcp \(isInput ? "dport" : "sport") \(port)"
        let comment = "comment \"\(mark)\""
        guard let address else { return "\(isInput ? "iifname" : "oifname") != \"lo\" \(port) drop \(comment)" }
        let family = address.family == .v4 ? "ip" : "ip6"
        let states = isInput ? "new,established" : "established"
        return "\(family) \(isInput ? "saddr" : "daddr") \(address.short) \(port) ct state \(states) accept \(comment)"
    }

    /// For the ledger: `the port for 40.40.40.40, incoming`.
    var what: String {
        "firewall: \(address.map { "\($0.short) may reach" } ?? "nobody else may reach") port \(port), \(isInput ? "incoming" : "outgoing")"
    }
}
