import Foundation

/// The host's firewalls, by their programs.
package struct FirewallShell: Sendable {
    package init() {}

    /// - Throws: where a program that is there doesn't answer: what it guards is then not known.
    package func read() async throws -> FirewallState {
        var state = FirewallState()
        state.hasIPv6 = !((try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? "").isEmpty
        for family in state.families {
            let program = family == .v4 ? "iptables" : "ip6tables"
            guard HostProgram.find(program) != nil else { continue }
            state.iptables[family] = try IPTablesRules(try await output(program, ["-w", "10", "-S"]))
            state.iptablesIsNFT = try await output(program, ["--version"]).contains("nf_tables")
        }
        if HostProgram.find("nft") != nil { state.nft = try await ruleset() }
        return state
    }

    func run(_ command: FirewallCommand) async throws {
        _ = try await output(command.program, command.arguments, input: command.input)
    }

    private func ruleset() async throws -> NFTRuleset {
        try NFTRuleset(json: try await output("nft", ["-j", "-a", "list", "ruleset"]))
    }

    private func output(_ program: String, _ arguments: [String], input: String = "") async throws -> String {
        let result = try await HostProgram.run(program, arguments, input: input)
        guard result.code == 0 else {
            throw HostError(
                .failed, "`\(([program] + arguments).joined(separator: " "))` failed: \(Self.first(result.errors)).",
                cure: geteuid() == 0 ? "" : "Run godwit as root.")
        }
        return result.output
    }

    private static func first(_ text: String) -> String {
        let line = text.split(separator: "\n").first { !$0.hasPrefix("#") } ?? "no reason was given"
        return line.hasSuffix(".") ? String(line.dropLast()) : String(line)
    }

    // MARK: Taking back

    package func standing(of inverse: FirewallInverse) async throws -> UndoStanding {
        switch inverse {
        case .deleteRule(let rule):
            let result = try await HostProgram.run(rule.program, ["-w", "10", "-C", rule.chain] + rule.specification)
            switch result.code {
            case 0: return .stands
            case 1: return .isGone
            default: throw HostError(.failed, "\(rule.program) can't say whether its rule is there: \(Self.first(result.errors)).")
            }
        case .deleteTable(let family, let table):
            return try await ruleset().has(family, table) ? .stands : .isGone
        case .deleteMarked(let chain, let mark):
            return try await marked(chain, mark).isEmpty ? .isGone : .stands
        case .deleteEmptyChain(let name):
            guard let chain = try await nftIfThere()?[name], chain.rules.isEmpty, chain.policy == "accept" else { return .isGone }
            return .stands
        case .deleteEmptyTable(let family, let table):
            guard let ruleset = try await nftIfThere(), ruleset.has(family, table) else { return .isGone }
            // Of somebody else by now.
            return ruleset.chains.contains { $0.name.family == family && $0.name.table == table } ? .isGone : .stands
        }
    }

    package func undo(_ inverse: FirewallInverse) async throws {
        switch inverse {
        case .deleteRule(let rule):
            // A run that was killed, or somebody's hand, may have made it twice.
            while try await standing(of: inverse) == .stands {
                _ = try await output(rule.program, ["-w", "10", "-D", rule.chain] + rule.specification)
            }
        case .deleteTable(let family, let table): _ = try await output("nft", ["delete", "table", family, table])
        case .deleteMarked(let chain, let mark):
            let lines = try await marked(chain, mark).map { "delete rule \(chain) handle \($0.handle)\n" }
            _ = try await output("nft", ["-f", "-"], input: lines.joined())
        case .deleteEmptyChain(let chain): _ = try await output("nft", ["delete", "chain", chain.family, chain.table, chain.chain])
        case .deleteEmptyTable(let family, let table): _ = try await output("nft", ["delete", "table", family, table])
        }
    }

    private func marked(_ chain: NFTChainName, _ mark: String) async throws -> [NFTRuleset.Rule] {
        try await ruleset()[chain]?.rules.filter { $0.comment == mark } ?? []
    }

    private func nftIfThere() async throws -> NFTRuleset? { HostProgram.find("nft") == nil ? nil : try await ruleset() }
}
