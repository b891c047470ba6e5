#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IPv4 or IPv6 address, or a network of them, in the one form in which firewalls print it.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Family: String, Sendable, Hashable, Codable, CaseIterable {
        case v4, v6
        var bits: Int { self == .v4 ? 32 : 128 }
    }
    package let family: Family
    package let bytes: [UInt8]
    /// How many leading bits count.
    package let prefix: Int

    /// Reads `40.40.40.40`, `10.0.0.0/24`, `fd00::1` or `fd00::/64`; bits behind the prefix are cleared.
    package init(_ text: String) throws(HostError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let (family, bytes) = Self.parse(parts[0]) else {
            throw HostError(
                .refused, "'\(text)' is no IPv4 or IPv6 address.", cure: "Give addresses as 40.40.40.40, 10.0.0.0/24 or fd00::1; names are not resolved.")
        }
        let prefix = parts.count == 1 ? family.bits : Self.number(parts[1])
        guard let prefix, (0...family.bits).contains(prefix) else {
            throw HostError(.refused, "'\(text)' has no prefix of 0 to \(family.bits) bits.")
        }
        guard prefix > 0 else {
            throw HostError(.refused, "'\(text)' is everybody.", why: "The port would be open to the world.", cure: "Name the hosts that need it.")
        }
        if family == .v6, bytes.starts(with: Self.mapped) {
            throw HostError(.refused, "'\(text)' is an IPv4 address in IPv6 form.", cure: "Give it as an IPv4 address.")
        }
        self.init(family, bytes, prefix: prefix)
    }

    init(_ family: Family, _ bytes: [UInt8], prefix: Int) {
        self.family = family
        self.prefix = prefix
        self.bytes = bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, prefix - index * 8))
            return byte & ~UInt8(truncatingIfNeeded: 0xff >> kept)
        }
    }

    /// The IPv4 addresses within IPv6, as a socket for both shows them.
    static let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

    private static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }

    private static func parse(_ text: String) -> (Family, [UInt8])? {
        for (family, domain) in [(Family.v4, AF_INET), (.v6, AF_INET6)] {
            var bytes = [UInt8](repeating: 0, count: family.bits / 8)
            if inet_pton(domain, text, &bytes) == 1 { return (family, bytes) }
        }
        return nil
    }

    /// Without the prefix.
    package var address: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family == .v4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Always with its prefix, as iptables prints it.
    package var description: String { "\(address)/\(prefix)" }

    /// As a person writes it: a single host without a prefix.
    package var short: String { prefix == family.bits ? address : description }

    package func contains(_ other: NetworkAddress) -> Bool {
        other.family == family && other.prefix >= prefix && NetworkAddress(family, other.bytes, prefix: prefix).bytes == bytes
    }
}
