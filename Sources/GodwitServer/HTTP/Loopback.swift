import NIOCore

/// Which hosts are this machine itself: addresses, and the one name that resolvers must give them (RFC 6761, section 6.3). A name that only
/// begins like an address is somebody else.
enum Loopback {
    static func includes(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        guard let address = try? SocketAddress(ipAddress: host, port: 0) else { return false }
        switch address {
        case .v4: return host.hasPrefix("127.")
        case .v6: return address.ipAddress == "::1"
        case .unixDomainSocket: return false
        }
    }
}
