/// Which program keeps out everybody else.
package enum FirewallTool: String, Sendable, Hashable, CaseIterable {
    /// What the host uses: iptables where it has rules, else nftables.
    case auto
    case iptables, nftables
}

/// The firewalls of a host as they are.
package struct FirewallState: Sendable, Hashable {
    /// A family is missing where the program is not there, or the kernel has no such family.
    var iptables: [NetworkAddress.Family: IPTablesRules] = [:]
    /// iptables keeps its rules in tables of nftables, where `nft` shows them.
    var iptablesIsNFT = true
    /// nil: there is no `nft`.
    var nft: NFTRuleset?
    var hasIPv6 = true

    var families: [NetworkAddress.Family] { hasIPv6 ? [.v4, .v6] : [.v4] }
}

/// One program that makes a set of changes wholly or not at all, reading them from its standard input.
struct FirewallCommand: Sendable, Hashable {
    var program: String
    var arguments: [String]
    var input: String
}

/// What has to be done so that only the named addresses reach a port, from what a host's firewalls are now. Pure.
///
/// A packet passes only if no chain refuses it, and is refused by any that does. So everybody else is dropped in one place, before
/// anything there can accept; and those who may are accepted first in *each* chain that could refuse them.
package struct FirewallPlan: Sendable, Hashable {
    struct Change: Sendable, Hashable {
        var what: String
        var inverse: FirewallInverse
    }
    struct Step: Sendable, Hashable {
        /// All that the step makes, or that is there already.
        var changes: [Change]
        /// nil: all of it is in its place.
        var command: FirewallCommand?
    }
    /// `auto` is decided.
    package private(set) var tool: FirewallTool
    private(set) var steps: [Step] = []

    /// Nothing is left to do.
    package var isInForce: Bool { steps.allSatisfy { $0.command == nil } }
    var inverses: Set<FirewallInverse> { Set(steps.flatMap(\.changes).map(\.inverse)) }

    init(_ request: FirewallRequest, on state: FirewallState, tool: FirewallTool) throws(HostError) {
        self.tool = try Self.decide(tool, request, state)
        for family in state.families {
            if let step = iptables(request, family, state) { steps.append(step) }
        }
        if let nft = state.nft, let step = nftables(request, nft, state) { steps.append(step) }
    }

    private static func decide(_ tool: FirewallTool, _ request: FirewallRequest, _ state: FirewallState) throws(HostError) -> FirewallTool {
        if !state.hasIPv6, let address = request.addresses.first(where: { $0.family == .v6 }) {
            throw HostError(.refused, "This host has no IPv6, so \(address.short) can't reach it.", cure: "Name its IPv4 address.")
        }
        let hasIPTables = state.families.allSatisfy { state.iptables[$0] != nil }
        switch tool {
        case .iptables where !hasIPTables:
            throw HostError(.refused, "iptables and ip6tables are not both on this host.", cure: "Install them, or use --firewall nftables.")
        case .nftables where state.nft == nil:
            throw HostError(.refused, "nft is not on this host.", cure: "Install nftables, or use --firewall iptables.")
        case .iptables, .nftables: return tool
        case .auto:
            if hasIPTables, state.iptables.values.contains(where: \.isUsed) { return .iptables }
            if state.nft != nil { return .nftables }
            if hasIPTables { return .iptables }
            throw HostError(.refused, "This host has neither nftables nor iptables (both families).", cure: "Install one of them.")
        }
    }

    // MARK: iptables

    private func iptables(_ request: FirewallRequest, _ family: NetworkAddress.Family, _ state: FirewallState) -> Step? {
        guard let rules = state.iptables[family] else { return nil }
        var changes: [Change] = []
        var lines: [String] = []
        for direction in PortRule.Direction.allCases {
            let chain = rules.chains[direction.chain] ?? IPTablesRules.Chain()
            let wanted: [PortRule] =
                if tool == .iptables { request.rules(direction, [family]) } else if others(chain, request).canRefuse {
                    request.allowing(direction, [family])
                } else { [] }
            let there = chain.rules.filter { IPTablesRules.isMarked($0, request.mark) }
            let specifications = wanted.map { $0.iptables(mark: request.mark) }
            for (rule, specification) in zip(wanted, specifications) {
                let rule = Change(
                    what: rule.what,
                    inverse: .deleteRule(FirewallRule(family: family, chain: direction.chain, specification: specification)))
                changes.append(rule)
            }
            // In force: first in the chain, in this order, and nowhere else.
            guard there != specifications || Array(chain.rules.prefix(wanted.count)) != specifications else { continue }
            lines += there.map { Self.line("-D", direction.chain, $0) }
            lines += specifications.reversed().map { Self.line("-I", direction.chain, $0) }
        }
        guard !changes.isEmpty || !lines.isEmpty else { return nil }
        guard !lines.isEmpty else { return Step(changes: changes, command: nil) }
        let program = family == .v4 ? "iptables-restore" : "ip6tables-restore"
        let input = (["*filter"] + lines + ["COMMIT"]).map { $0 + "\n" }.joined()
        return Step(
            changes: leftovers(family, state) + changes,
            command: FirewallCommand(program: program, arguments: ["--noflush", "-w", "10"], input: input))
    }

    /// A chain without what Godwit put there under this name.
    private func others(_ chain: IPTablesRules.Chain, _ request: FirewallRequest) -> IPTablesRules.Chain {
        var chain = chain
        chain.rules.removeAll { IPTablesRules.isMarked($0, request.mark) }
        return chain
    }

    private static func line(_ action: String, _ chain: String, _ specification: [String]) -> String {
        ([action, chain] + specification.map(IPTablesText.quoted)).joined(separator: " ")
    }

    /// What iptables will make in nftables beside the rules, and not take away with them.
    private func leftovers(_ family: NetworkAddress.Family, _ state: FirewallState) -> [Change] {
        guard state.iptablesIsNFT, let nft = state.nft else { return [] }
        let name = family == .v4 ? "ip" : "ip6"
        var changes: [Change] = []
        if !nft.has(name, "filter") {
            changes.append(Change(what: "firewall: table \(name) filter of iptables", inverse: .deleteEmptyTable(family: name, table: "filter")))
        }
        for direction in PortRule.Direction.allCases {
            let chain = NFTChainName(name, "filter", direction.chain)
            if nft[chain] == nil {
                changes.append(Change(what: "firewall: chain \(chain) of iptables", inverse: .deleteEmptyChain(chain)))
            }
        }
        return changes
    }

    // MARK: nftables

    private func nftables(_ request: FirewallRequest, _ nft: NFTRuleset, _ state: FirewallState) -> Step? {
        var changes: [Change] = []
        var lines: [String] = []
        if tool == .nftables {
            changes.append(
                Change(
                    what: "firewall: table inet \(request.table): only \(request.addresses.map(\.short).joined(separator: ", ")) may reach port \(request.port)",
                    inverse: .deleteTable(family: "inet", table: request.table)))
            if !isInPlace(request, nft, state) { lines += ownTable(request, state) }
        }
        for chain in nft.chains where chain.name.table != request.table {
            guard let direction = chain.hook.flatMap(PortRule.Direction.init(rawValue:)), chain.type == "filter", !isOfIPTables(chain.name, state)
            else { continue }
            let families: [NetworkAddress.Family]
            switch chain.name.family {
            case "ip": families = [.v4]
            case "ip6": families = [.v6]
            case "inet": families = state.families
            default: continue
            }
            let marked = chain.rules.filter { $0.comment == request.mark }
            var others = chain
            others.rules.removeAll { $0.comment == request.mark }
            let wanted = others.canRefuse ? request.allowing(direction, families) : []
            if !wanted.isEmpty {
                changes.append(
                    Change(
                        what: "firewall: \(request.addresses.map(\.short).joined(separator: ", ")) may pass \(chain.name) to port \(request.port)",
                        inverse: .deleteMarked(chain: chain.name, mark: request.mark)))
            }
            let isRight =
                marked.map { $0.meaning(direction) } == wanted && Array(chain.rules.prefix(wanted.count)) == marked
            guard !isRight else { continue }
            lines += marked.map { "delete rule \(chain.name) handle \($0.handle)" }
            lines += wanted.reversed().map { "insert rule \(chain.name) \($0.nft(mark: request.mark))" }
        }
        guard !changes.isEmpty || !lines.isEmpty else { return nil }
        let command = FirewallCommand(program: "nft", arguments: ["-f", "-"], input: lines.map { $0 + "\n" }.joined())
        return Step(changes: changes, command: lines.isEmpty ? nil : command)
    }

    /// Its rules would no longer be shown by iptables if nft changed them.
    private func isOfIPTables(_ name: NFTChainName, _ state: FirewallState) -> Bool {
        state.iptablesIsNFT && !state.iptables.isEmpty && ["ip", "ip6"].contains(name.family) && name.table == "filter"
            && PortRule.Direction.allCases.contains { $0.chain == name.chain }
    }

    private func isInPlace(_ request: FirewallRequest, _ nft: NFTRuleset, _ state: FirewallState) -> Bool {
        let chains = nft.chains.filter { $0.name.family == "inet" && $0.name.table == request.table }
        return chains.count == PortRule.Direction.allCases.count
            && PortRule.Direction.allCases.allSatisfy { direction in
                guard let chain = nft[NFTChainName("inet", request.table, direction.rawValue)] else { return false }
                return chain.hook == direction.rawValue && chain.rules.allSatisfy { $0.comment == request.mark }
                    && chain.rules.map { $0.meaning(direction) } == request.rules(direction, state.families)
            }
    }

    /// Made anew as a whole. `add` before `delete`: it must be there to be deleted.
    private func ownTable(_ request: FirewallRequest, _ state: FirewallState) -> [String] {
        let table = "inet \(request.table)"
        var lines = ["add table \(table)", "delete table \(table)", "add table \(table)"]
        for direction in PortRule.Direction.allCases {
            let hook = direction.rawValue
            lines.append("add chain \(table) \(hook) { type filter hook \(hook) priority -10; policy accept; }")
            lines += request.rules(direction, state.families).map { "add rule \(table) \(hook) \($0.nft(mark: request.mark))" }
        }
        return lines
    }
}
