import Foundation

/// Any JSON value; what nft prints of a rule's expressions has no fixed form.
enum JSONValue: Sendable, Hashable, Decodable {
    case null, bool(Bool), number(Int), text(String), list([JSONValue]), object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else if (try? container.decode(Double.self)) != nil {
            self = .null  // no number that a port, a handle or a prefix could be
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
    var text: String? { if case .text(let value) = self { value } else { nil } }
    var number: Int? { if case .number(let value) = self { value } else { nil } }
    var list: [JSONValue] { if case .list(let value) = self { value } else { [] } }
}

/// What `nft -j -a list ruleset` prints, as far as it decides where Godwit's rules go.
struct NFTRuleset: Sendable, Hashable {
    struct Table: Sendable, Hashable {
        var family: String
        var name: String
    }
    struct Chain: Sendable, Hashable {
        var name: NFTChainName
        /// nil: no base chain; packets come here from others only.
        var hook: String?
        var type: String?
        var policy: String?
        var rules: [Rule] = []

        var canRefuse: Bool { policy == "drop" || rules.contains { $0.canRefuse } }
    }
    struct Rule: Sendable, Hashable {
        var handle: Int
        var comment: String?
        var expressions: [JSONValue]

        /// A verdict other than accept, or a way to one.
        var canRefuse: Bool {
            let verdicts: Set<String> = ["drop", "reject", "jump", "goto", "queue", "vmap", "xt", "synproxy"]
            return expressions.contains { if case .object(let members) = $0 { !verdicts.isDisjoint(with: members.keys) } else { false } }
        }

        /// The rule of Godwit's that this one is; nil where it is none.
        func meaning(_ direction: PortRule.Direction) -> PortRule? {
            var port: Int?
            var address: NetworkAddress?
            var verdict: String?
            for expression in expressions {
                if let match = expression["match"] {
                    let right = match["right"]
                    switch match["left"]?["payload"]?["field"]?.text {
                    case direction == .input ? "dport" : "sport": port = right?.number
                    case direction == .input ? "saddr" : "daddr": address = right.flatMap(Self.address)
                    default: continue
                    }
                } else if case .object(let members) = expression, let key = members.keys.first {
                    verdict = key
                }
            }
            guard let port, verdict == (address == nil ? "drop" : "accept") else { return nil }
            return PortRule(direction: direction, port: port, address: address)
        }

        private static func address(_ value: JSONValue) -> NetworkAddress? {
            if let text = value.text { return try? NetworkAddress(text) }
            guard let prefix = value["prefix"], let text = prefix["addr"]?.text, let bits = prefix["len"]?.number else { return nil }
            return try? NetworkAddress("\(text)/\(bits)")
        }
    }
    var tables: Set<Table> = []
    var chains: [Chain] = []

    init() {}

    init(json: String) throws(HostError) {
        struct Document: Decodable { var nftables: [[String: JSONValue]] }
        let document: Document
        do { document = try JSONDecoder().decode(Document.self, from: Data(json.utf8)) } catch {
            throw HostError(.failed, "What `nft -j list ruleset` printed can't be read: \(error).", why: "Nothing was changed.")
        }
        for object in document.nftables {
            if let table = object["table"], let family = table["family"]?.text, let name = table["name"]?.text {
                tables.insert(Table(family: family, name: name))
            } else if let chain = object["chain"], let name = Self.name(chain, "name") {
                chains.append(
                    Chain(name: name, hook: chain["hook"]?.text, type: chain["type"]?.text, policy: chain["policy"]?.text))
            } else if let rule = object["rule"], let name = Self.name(rule, "chain"), let handle = rule["handle"]?.number,
                let at = chains.firstIndex(where: { $0.name == name })
            {
                chains[at].rules.append(Rule(handle: handle, comment: rule["comment"]?.text, expressions: rule["expr"]?.list ?? []))
            }
        }
    }

    private static func name(_ value: JSONValue, _ key: String) -> NFTChainName? {
        guard let family = value["family"]?.text, let table = value["table"]?.text, let chain = value[key]?.text else { return nil }
        return NFTChainName(family, table, chain)
    }

    subscript(_ name: NFTChainName) -> Chain? { chains.first { $0.name == name } }
    func has(_ family: String, _ table: String) -> Bool { tables.contains(Table(family: family, name: table)) }
}
