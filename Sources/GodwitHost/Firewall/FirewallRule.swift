/// A rule of iptables, exactly enough to be found and deleted.
package struct FirewallRule: Sendable, Hashable, Codable {
    package var family: NetworkAddress.Family
    package var chain: String
    package var specification: [String]

    var program: String { family == .v4 ? "iptables" : "ip6tables" }
}

/// A chain of nftables.
package struct NFTChainName: Sendable, Hashable, Codable, CustomStringConvertible {
    package var family: String
    package var table: String
    package var chain: String

    package init(_ family: String, _ table: String, _ chain: String) {
        self.family = family
        self.table = table
        self.chain = chain
    }
    package var description: String { "\(family) \(table) \(chain)" }
}

/// How a change of a firewall is taken back.
package enum FirewallInverse: Sendable, Hashable, Codable {
    case deleteRule(FirewallRule)
    /// A table of nftables that is Godwit's own.
    case deleteTable(family: String, table: String)
    /// Godwit's rules in a chain of somebody else.
    case deleteMarked(chain: NFTChainName, mark: String)
    /// iptables on nftables makes its chains when they are first used, and leaves them behind. They go if nobody else uses them now.
    case deleteEmptyChain(NFTChainName)
    case deleteEmptyTable(family: String, table: String)

    package var description: String {
        switch self {
        case .deleteRule(let rule):
            ([rule.program, "-D", rule.chain] + rule.specification.map(IPTablesText.quoted)).joined(separator: " ")
        case .deleteTable(let family, let table): "nft delete table \(family) \(table)"
        case .deleteMarked(let chain, let mark): "nft delete rule \(chain) handle N, for each rule with comment \"\(mark)\""
        case .deleteEmptyChain(let chain): "nft delete chain \(chain), if it is empty"
        case .deleteEmptyTable(let family, let table): "nft delete table \(family) \(table), if it is empty"
        }
    }

    /// It is only what iptables left behind, not a rule.
    var isLeftover: Bool {
        switch self {
        case .deleteEmptyChain, .deleteEmptyTable: true
        default: false
        }
    }
}
